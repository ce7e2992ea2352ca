from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyRequestsConfig(AppConfig):
    name = "privacy_requests"
    verbose_name = _("Ärenden om rättigheter")

    def ready(self) -> None:
        from privacy_requests import checks  # noqa: F401  registers the check of the answers
