"""Rights: the cases people open, their clock, and the extracts built to answer them."""

import uuid
from datetime import date, datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.dates import Plus
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.personal_data import Category, Clock, PersonalData


class CaseQuerySet(models.QuerySet["Case"]):
    def unanswered(self) -> "CaseQuerySet":
        """Keep the cases that wait for an answer."""
        return self.filter(closed_on__isnull=True)

    def late(self, on: date) -> "CaseQuerySet":
        """Keep the cases whose last day by law has passed without an answer (E16)."""
        return self.unanswered().filter(latest_on__lt=on)

    def past_target(self, on: date) -> "CaseQuerySet":
        """Keep the cases that passed our own aim without an answer (TIM-08)."""
        return self.unanswered().filter(target_on__lt=on)


class Case(models.Model):
    """One right asked for by one person, with the day it must be answered (TIM-02, DSR-06)."""

    class Right(models.TextChoices):
        ACCESS = "access", _("Ta ut allt")
        OBJECTION = "objection", _("Säga nej till en användning")
        RESTRICTION = "restriction", _("Begränsa användningen")

    class Status(models.TextChoices):
        RECEIVED = "received", _("mottaget")
        WORKING = "working", _("pågår")
        ANSWERED = "answered", _("besvarat")

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="cases")
    right = models.CharField(_("rätt"), max_length=12, choices=Right)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.RECEIVED)
    received_at = models.DateTimeField(_("kom in"), default=timezone.now)
    received_on = models.DateField(_("mottagningsdag"))
    nominal_on = models.DateField(_("en månad"))
    latest_on = models.DateField(_("senaste svarsdag"))
    target_on = models.DateField(_("vårt mål"))
    answered_at = models.DateTimeField(_("besvarat"), null=True, blank=True)
    # In the person's language; empty where the answer is a file.
    answer = models.TextField(_("svar"), blank=True)
    closed_on = models.DateField(_("avslutat"), null=True, blank=True)
    # DSR-06: five years from the day it is closed.
    retain_until = models.GeneratedField(
        expression=Plus(F("closed_on"), months=60),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = CaseQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Dina ärenden"),
        columns={
            Category.CASES: (
                "right",
                "collected",
                "status",
                "received_at",
                "received_on",
                "nominal_on",
                "latest_on",
                "answered_at",
                "answer",
                "closed_on",
            )
        },
        impersonal=("public_id", "target_on", "retain_until"),
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("ärende")
        verbose_name_plural = _("ärenden")
        constraints = [
            # A second of the same kind folds into the open one (RUL-20).
            models.UniqueConstraint(
                name="one_open_case_per_right",
                fields=["customer", "right"],
                condition=Q(closed_on__isnull=True),
            ),
            models.CheckConstraint(
                name="case_closed_when_answered",
                condition=Q(closed_on__isnull=True) | Q(answered_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["latest_on"], name="case_open", condition=Q(closed_on=None)),
            models.Index(
                fields=["retain_until", "customer"],
                name="case_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class CaseEvent(models.Model):
    """Something that happened to a case, and who did it."""

    class Kind(models.TextChoices):
        RECEIVED = "received", _("Du bad om det")
        STARTED = "started", _("Vi började samla ihop")
        BUILT = "built", _("Utdraget är klart")
        FAILED = "failed", _("Ett försök gick fel")
        ANSWERED = "answered", _("Vi svarade")
        DOWNLOADED = "downloaded", _("Du hämtade filen")
        EXPIRED = "expired", _("Filen raderades")

    case = models.ForeignKey(Case, models.CASCADE, related_name="events")
    kind = models.CharField(_("vad"), max_length=12, choices=Kind)
    at = models.DateTimeField(_("när"), default=timezone.now)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    personal_data = PersonalData(
        name=_("Vad som hänt i dina ärenden"),
        path="case__customer",
        columns={Category.CASES: ("kind", "at")},
        impersonal=("actor",),
        clock=Clock.OWN,
        clock_of="case",
    )

    class Meta:
        verbose_name = _("händelse")
        verbose_name_plural = _("händelser")
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.pk}"


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
