"""Rights: the cases people open, their clock, and the extracts built to answer them."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.personal_data import Category, Clock, PersonalData


class Case(models.Model):
    """One right asked for by one person, with the day it must be answered (TIM-02, DSR-06)."""

    class Right(models.TextChoices):
        ACCESS = "access", _("Ta ut allt")

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
    closed_on = models.DateField(_("avslutat"), null=True, blank=True)
    # DSR-06: five years from the day it is closed.
    retain_until = models.GeneratedField(
        expression=Plus(F("closed_on"), months=60),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

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
                condition=Q(closed_on__isnull=False),
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
