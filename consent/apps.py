from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class ConsentConfig(AppConfig):
    name = "consent"
    verbose_name = _("Ändamål och val")

    def ready(self) -> None:
        from consent import bound, checks, functions  # noqa: F401  registers the catalogue's check
        from customers.models.people import CustomerQuerySet

        CustomerQuerySet.gate = bound.processable
        post_migrate.connect(functions.install, sender=self)
