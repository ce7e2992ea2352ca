"""The addresses of people's requests."""

from django.urls import path

from privacy_requests import objection_views, views

app_name = "privacy_requests"

urlpatterns = [
    path("mina-arenden/", views.cases, name="cases"),
    path("mina-arenden/saga-nej/", objection_views.objection, name="objection"),
    path("mina-arenden/begransa/", objection_views.restriction, name="restriction"),
    path("mina-arenden/begransa/hav/", objection_views.lift_restriction, name="lift_restriction"),
    path("ta-ut-allt/", views.extract, name="extract"),
    path("ta-ut-allt/<uuid:extract_id>/kod/", views.extract_code, name="extract_code"),
    path("ta-ut-allt/<uuid:extract_id>/", views.extract_download, name="extract_download"),
]
