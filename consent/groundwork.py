"""What a use stands on besides the person: balancing records, and how fresh the copy of NIX is.

Both are append-only and say nothing about anybody. The newest one counts, and it runs out by
itself; the gate asks for it in the same statement as for the person.
"""

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from consent.purposes import BALANCED
from customers import words
from customers.dates import Plus
from customers.models import User
from customers.personal_data import Impersonal
from customers.triggers import never_changes

REVIEW_MONTHS = 24  # LAW-02
SNAPSHOT_HOLDS = timedelta(days=30)  # NIX-02, RUL-31


class BalancingQuerySet(models.QuerySet["BalancingRecord"]):
    def approved(self) -> "BalancingQuerySet":
        return self.filter(approved_by__isnull=False)

    def newest(self, purpose: str) -> "BalancingQuerySet":
        """Return the one approved record that counts for a purpose, where there is one."""
        found = self.approved().filter(purpose=purpose).order_by("-decided_on", "-pk")
        return found[:1]

    def standing(self, on: date) -> set[str]:
        """Return the purposes whose newest approved record is not past its review (LAW-02)."""
        newest = self.approved().order_by("purpose", "-decided_on", "-pk").distinct("purpose")
        return {record.purpose for record in newest if record.review_on >= on}


class BalancingRecord(models.Model):
    """Our interest weighed against the person's, for one purpose (LAW-02).

    Written as a proposal; approved as a row of its own by somebody else. A decision to stop is a
    newer record whose review is due the same day.
    """

    purpose = models.CharField(_("ändamål"), max_length=2, choices=BALANCED)
    interest = models.TextField(_("vårt intresse"))
    necessity = models.TextField(_("varför det behövs"))
    balance = models.TextField(_("avvägning mot personens intressen"))
    # No constraint: the record outlasts the account of whoever wrote it.
    owner = models.ForeignKey(
        User,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="+",
        verbose_name=_("ansvarig"),
    )
    approved_by = models.ForeignKey(
        User,
        models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("godkänd av"),
    )
    decided_on = models.DateField(_("beslutad"))
    review_on = models.DateField(_("ska prövas på nytt senast"))

    objects = BalancingQuerySet.as_manager()

    personal_data = Impersonal(
        columns=(
            "purpose",
            "interest",
            "necessity",
            "balance",
            "owner",
            "approved_by",
            "decided_on",
            "review_on",
        )
    )

    class Meta:
        verbose_name = pgettext_lazy("record", "intresseavvägning")
        verbose_name_plural = _("intresseavvägningar")
        ordering = ["purpose", "-decided_on", "-pk"]
        permissions = [("approve_balancingrecord", _("Godkänna intresseavvägningar"))]
        constraints = [
            models.CheckConstraint(
                name="balance_is_reviewed_in_time",
                condition=Q(review_on__gte=F("decided_on"))
                & Q(review_on__lte=Plus(F("decided_on"), months=REVIEW_MONTHS)),
            ),
            models.CheckConstraint(
                name="balance_is_approved_by_another",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("owner")),
            ),
        ]
        triggers = never_changes("balancing_record")

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}, {words.full_day(self.decided_on)}"


class Register(models.TextChoices):
    """The two registers of people who do not want advertising from strangers."""

    PHONE = "phone", _("NIX-Telefon")
    POST = "post", _("NIX adresserat")


class NixQuerySet(models.QuerySet["NixSnapshot"]):
    def newest(self, register: str) -> "NixQuerySet":
        """Return the snapshot that counts for a register, where there is one."""
        return self.filter(register=register).order_by("-taken_on", "-pk")[:1]


class NixSnapshot(models.Model):
    """A copy of NIX that our register was washed with; the entries themselves are not kept."""

    register = models.CharField(_("register"), max_length=5, choices=Register)
    taken_on = models.DateField(_("uttaget"))
    entries = models.PositiveIntegerField(_("antal poster"))
    loaded_at = models.DateTimeField(_("inläst"), default=timezone.now)

    objects = NixQuerySet.as_manager()

    personal_data = Impersonal(columns=("register", "taken_on", "entries", "loaded_at"))

    class Meta:
        verbose_name = _("tvätt mot NIX")
        verbose_name_plural = _("tvättar mot NIX")
        ordering = ["-taken_on", "-pk"]
        triggers = never_changes("nix_snapshot")

    def __str__(self) -> str:
        return f"{self.get_register_display()}, {words.full_day(self.taken_on)}"
