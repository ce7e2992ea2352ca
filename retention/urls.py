"""Addresses of Hur länge."""

from django.urls import path

from retention import views

app_name = "retention"

urlpatterns = [path("", views.how_long, name="how_long")]
