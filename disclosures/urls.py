"""The address of Vem har fått dem?"""

from django.urls import path

from disclosures import views

app_name = "disclosures"

urlpatterns = [path("", views.recipients, name="recipients")]
