"""Addresses where anybody can check a receipt."""

from django.urls import path

from consent import receipt_views

app_name = "receipts"

urlpatterns = [
    path("", receipt_views.check_receipt, name="check"),
    path("nycklar.json", receipt_views.keys, name="keys"),
    path("<slug:code>/", receipt_views.check_receipt, name="code"),
]
