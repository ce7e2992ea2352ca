"""Addresses for saying no without signing in."""

from django.urls import path

from consent import unsubscribe_views

app_name = "unsubscribe"

urlpatterns = [
    path("", unsubscribe_views.type_code, name="type_code"),
    path("<str:token>/", unsubscribe_views.stop, name="stop"),
]
