from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = _("Kunder")

    def ready(self) -> None:
        from customers import checks  # noqa: F401  registers the map's check
