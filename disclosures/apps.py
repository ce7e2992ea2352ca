from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class DisclosuresConfig(AppConfig):
    name = "disclosures"
    verbose_name = _("Mottagare och utskick")

    def ready(self) -> None:
        """Hear of corrections, restrictions and refusals, to tell those who have the data."""
        from consent.onward import Onward
        from disclosures import recipient_notices

        Onward.entry = recipient_notices.of_entry
        Onward.changes = recipient_notices.of_changes
