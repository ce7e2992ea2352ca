"""Addresses of Mina val."""

from django.urls import path

from consent import receipt_views, views

app_name = "consent"

urlpatterns = [
    path("", views.choices, name="choices"),
    path("stoppa/", views.stop_all, name="stop_all"),
    path("kvitto/<uuid:number>/", receipt_views.show, name="receipt"),
    path("kvitto/<uuid:number>/fil/", receipt_views.download, name="receipt_file"),
    path("foretag/<slug:channel>/<path:company>/", views.choose_partner, name="choose_partner"),
    path("<slug:purpose>/<slug:channel>/", views.choose, name="choose"),
    path("<slug:purpose>/<slug:channel>/ja/", views.say_yes, name="say_yes"),
]
