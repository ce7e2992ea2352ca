from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class RetentionConfig(AppConfig):
    name = "retention"
    verbose_name = _("Gallring")

    def ready(self) -> None:
        """Register the checks, and keep words out of the planner's notes."""
        from retention import checks, locks, readable  # noqa: F401  models must be ready first

        locks.install()

        post_migrate.connect(readable.stop_sampling, sender=self)
