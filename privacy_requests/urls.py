"""The addresses of people's requests."""

from django.urls import path

from privacy_requests import identity_views, objection_views, views

app_name = "privacy_requests"

urlpatterns = [
    path("mina-arenden/", views.cases, name="cases"),
    path("mina-arenden/saga-nej/", objection_views.objection, name="objection"),
    path("mina-arenden/begransa/", objection_views.restriction, name="restriction"),
    path("mina-arenden/begransa/hav/", objection_views.lift_restriction, name="lift_restriction"),
    path("visa-att-det-ar-du/", identity_views.identify, name="identify"),
    path("visa-att-det-ar-du/brev/", identity_views.identify_letter, name="identify_letter"),
    path(
        "visa-att-det-ar-du/e-leg/<slug:broker>/",
        identity_views.identify_broker,
        name="identify_broker",
    ),
    path(
        "visa-att-det-ar-du/e-leg/<slug:broker>/svar/",
        identity_views.identify_answer,
        name="identify_answer",
    ),
    path("ta-ut-allt/", views.extract, name="extract"),
    path("ta-ut-allt/<uuid:extract_id>/", views.extract_download, name="extract_download"),
]
