"""Addresses of Mina val."""

from django.urls import path

from consent import views

app_name = "consent"

urlpatterns = [
    path("", views.choices, name="choices"),
    path("stoppa/", views.stop_all, name="stop_all"),
    path("<slug:purpose>/<slug:channel>/", views.choose, name="choose"),
    path("<slug:purpose>/<slug:channel>/ja/", views.say_yes, name="say_yes"),
]
