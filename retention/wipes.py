"""What is known of the wiping of the data files after each night (`retention.wiping`)."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.personal_data import Impersonal


class Wipe(models.Model):
    """The wiping of the data files after a night: begun, table by table, finished and signed."""

    run = models.OneToOneField("retention.Run", models.PROTECT, related_name="wipe")
    began_at = models.DateTimeField(_("började"), default=timezone.now)
    # No transaction of the night is younger than this one.
    horizon = models.PositiveBigIntegerField()
    # By table: seconds, rows of nothing, indexes built anew, and its changes so far.
    tables = models.JSONField(_("tabeller"), default=dict)
    # How far the log of changes had come when all tables were done; a checkpoint must pass it.
    done_at = models.CharField(max_length=20, blank=True, db_default="")
    # The table that stands in the way, and why: an old snapshot or a lock; or the checkpoint.
    waits_for = models.CharField(_("väntar på"), max_length=120, blank=True)
    finished_at = models.DateTimeField(_("slutade"), null=True, blank=True)
    certificate = models.JSONField(_("intyg"), null=True, blank=True)

    personal_data = Impersonal(
        columns=(
            *("run", "began_at", "horizon", "tables", "done_at", "waits_for"),
            *("finished_at", "certificate"),
        )
    )

    class Meta:
        verbose_name = _("överskrivning")
        verbose_name_plural = _("överskrivningar")

    def __str__(self) -> str:
        return f"{self.run_id}"
