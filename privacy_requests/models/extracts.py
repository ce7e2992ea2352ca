"""The files that answer requests for access."""

import uuid
from datetime import date, datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.personal_data import Category, Clock, OnErasure, PersonalData
from privacy_requests.models.cases import Case


class ExtractQuerySet(models.QuerySet["Extract"]):
    def waiting(self, at: datetime) -> "ExtractQuerySet":
        """Keep what is free to build: asked for, not leased, not put off."""
        return self.filter(status=Extract.Status.QUEUED, available_at__lte=at)

    def past_their_days(self, on: date) -> "ExtractQuerySet":
        """Keep the files whose last day has passed (RUL-05)."""
        return self.filter(status=Extract.Status.READY, expires_on__lt=on)


class Extract(models.Model):
    """The file that answers a request for access: encrypted, for some days and some downloads.

    Built under a lease as messages are sent: `available_at` is the end of the lease of whoever
    builds it, so a worker that died gives it back by itself. The file is in DATA_DIR/extracts
    under a random name; row and file go together.
    """

    class Status(models.TextChoices):
        QUEUED = "queued", _("byggs")
        READY = "ready", _("klart att hämta")
        FAILED = "failed", _("gick inte att bygga")
        GONE = "gone", _("raderat")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    case = models.OneToOneField(Case, models.CASCADE, related_name="extract")
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("försök"), default=0)
    available_at = models.DateTimeField(default=timezone.now)
    lease = models.UUIDField(null=True, blank=True)
    snapshot_at = models.DateTimeField(_("uppgifterna som de var"), null=True, blank=True)
    ready_at = models.DateTimeField(_("klart"), null=True, blank=True)
    expires_on = models.DateField(_("sista dag att hämta"), null=True, blank=True)
    downloads = models.PositiveSmallIntegerField(_("antal hämtningar"), default=0)
    gone_at = models.DateTimeField(_("raderat"), null=True, blank=True)
    file_name = models.CharField(max_length=40, blank=True)
    size = models.PositiveBigIntegerField(_("storlek i byte"), default=0)
    # Of the archive as it is handed out.
    sha256 = models.CharField(max_length=64, blank=True)

    objects = ExtractQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Utdrag du har bett om"),
        path="case__customer",
        columns={
            Category.CASES: (
                "status",
                "snapshot_at",
                "ready_at",
                "expires_on",
                "downloads",
                "gone_at",
                "size",
            )
        },
        impersonal=("id", "attempts", "available_at", "lease", "file_name", "sha256"),
        clock=Clock.OWN,
        clock_of="case",
        on_erasure=OnErasure.UNNAMED,
    )

    class Meta:
        verbose_name = _("utdrag")
        verbose_name_plural = pgettext_lazy("several", "utdrag")
        constraints = [
            models.CheckConstraint(
                name="extract_ready_has_a_file",
                condition=~Q(status="ready")
                | (Q(expires_on__isnull=False, snapshot_at__isnull=False) & ~Q(file_name="")),
            ),
        ]
        indexes = [
            # The builders claim here, the expiry looks there.
            models.Index(
                fields=["available_at"], name="extract_queued", condition=Q(status="queued")
            ),
            models.Index(fields=["expires_on"], name="extract_ready", condition=Q(status="ready")),
            models.Index(fields=["file_name"], name="extract_file", condition=~Q(file_name="")),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
