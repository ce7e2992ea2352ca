from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RetentionConfig(AppConfig):
    name = "retention"
    verbose_name = _("Gallring")

    def ready(self) -> None:
        """Register the checks."""
        from retention import checks  # noqa: F401  models must be ready first
