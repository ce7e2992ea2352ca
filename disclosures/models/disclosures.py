"""Disclosures: what was handed to whom, and what they have been told of since (Article 19)."""

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.models import Event
from consent.purposes import CODES, Basis
from customers.dates import Plus, StockholmDate
from customers.models import Customer, User
from customers.models.channels import Channel
from customers.personal_data import AtEnd, Category, Clock, PersonalData
from customers.triggers import not_emptied, stays_until_its_date
from disclosures.models.outbox import Outbox
from disclosures.models.recipients import Agreement, Recipient


class Disclosure(models.Model):
    """What one person's data was handed to one recipient, once, and by which right.

    By the pseudonym, so that it outlives the person by its three years (RUL-02, RUL-21).
    """

    customer = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        to_field="pseudonym",
        db_column="subject",
        db_constraint=False,
        related_name="disclosures",
        db_index=False,  # the one below
    )
    recipient = models.ForeignKey(
        Recipient, models.PROTECT, related_name="disclosures", verbose_name=_("mottagare")
    )
    agreement = models.ForeignKey(
        Agreement, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    at = models.DateTimeField(_("när"), default=timezone.now)
    purpose = models.CharField(_("ändamål"), max_length=2, choices=CODES)
    basis = models.CharField(
        _("rättslig grund"), max_length=1, choices=[(b.value, b.name) for b in Basis]
    )
    # The yes it rests on, where it rests on one (PAR-01).
    event = models.ForeignKey(
        Event, models.DO_NOTHING, null=True, blank=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    channel = models.CharField(_("kanal"), max_length=8, blank=True, choices=Channel)
    categories = models.PositiveIntegerField(_("slags uppgifter"))
    fields = ArrayField(models.CharField(max_length=30), verbose_name=_("uppgifter"))
    # As they were that day: the country, and the safeguard outside the EU and EEA (15(2)).
    country = models.CharField(_("land"), max_length=2)
    safeguard = models.CharField(
        _("skydd utanför EU och EES"), max_length=8, choices=Agreement.Safeguard, blank=True
    )
    # RUL-21; and longer while the name is still here.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("at")), months=36),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Vilka som har fått dina uppgifter"),
        columns={
            Category.DISCLOSURES: (
                *("at", "recipient", "purpose", "basis", "channel", "categories", "fields"),
                *("country", "safeguard"),
            )
        },
        impersonal=("agreement", "event", "retain_until"),
        at_end=AtEnd.UNLINK,
        clock=Clock.OWN,
        while_named=True,
    )

    class Meta:
        verbose_name = _("utlämnande")
        verbose_name_plural = _("utlämnanden")
        ordering = ["-at", "-pk"]
        constraints = [
            # Never to a partner, and to nobody else but for a purchase on credit (PNR-01, PAR-02).
            models.CheckConstraint(
                name="identity_number_for_credit_only",
                condition=Q(purpose="A2") | ~Q(fields__contains=["national_id"]),
            ),
            models.CheckConstraint(
                name="partner_disclosure_has_its_yes",
                condition=~Q(purpose="P") | Q(basis="s", event__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "recipient"], name="disclosures_of_a_person"),
            models.Index(fields=["retain_until"], name="disclosure_retain_until"),
        ]
        triggers = [
            pgtrigger.Protect(name="disclosure_is_as_written", operation=pgtrigger.Update),
            stays_until_its_date("disclosure", "RUL-21"),
            not_emptied("disclosure"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class RecipientNoticeQuerySet(models.QuerySet["RecipientNotice"]):
    def open(self) -> "RecipientNoticeQuerySet":
        """Keep those nobody has acknowledged or given up."""
        return self.filter(closed_at__isnull=True)


class RecipientNotice(models.Model):
    """What one recipient is to be told of one person's data, until they say it is done (NOT-01).

    `reference` is the customer number, the only name by which the recipient knows whom it is
    about. It goes when the notice is closed; what stays is the pseudonym.
    """

    class Act(models.TextChoices):
        RECTIFIED = "rectified", _("rättade")
        ERASED = "erased", _("raderade")
        RESTRICTED = "restricted", _("begränsade")
        UNRESTRICTED = "lifted", _("begränsningen hävd")
        DECLINED = "declined", _("nej till reklam")

    class Outcome(models.TextChoices):
        ACKNOWLEDGED = "done", _("bekräftat")
        IMPOSSIBLE = "impossible", _("gick inte att säga till")
        DISPROPORTIONATE = "too_much", _("orimligt svårt att säga till")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        to_field="pseudonym",
        db_column="subject",
        db_constraint=False,
        related_name="recipient_notices",
        db_index=False,  # the one below
    )
    reference = models.CharField(_("kundnummer"), max_length=20, blank=True)
    recipient = models.ForeignKey(
        Recipient, models.PROTECT, related_name="notices", verbose_name=_("mottagare")
    )
    act = models.CharField(_("vad vi gjorde"), max_length=10, choices=Act)
    # Of which kinds; 0 is everything they have. A no may be to one way only.
    categories = models.PositiveIntegerField(_("slags uppgifter"), default=0)
    channel = models.CharField(_("kanal"), max_length=8, blank=True, choices=Channel)
    created_at = models.DateTimeField(_("skrivet"), default=timezone.now)
    sent_at = models.DateTimeField(_("skickat"), null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("utskick"), default=1)
    next_chase_on = models.DateField(_("påminns"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("till dataskyddsombudet"), null=True, blank=True)
    # The latest message; no constraint, it leaves by its own date.
    message = models.ForeignKey(
        Outbox, models.DO_NOTHING, null=True, blank=True, db_constraint=False, db_index=False,
        related_name="+",
    )  # fmt: skip
    outcome = models.CharField(_("utfall"), max_length=10, choices=Outcome, blank=True)
    closed_at = models.DateTimeField(_("bekräftat eller avslutat"), null=True, blank=True)
    # How it was acknowledged, or why it cannot be told; written by a member of staff.
    reason = models.TextField(_("hur vi vet, eller varför inte"), blank=True)
    closed_by = models.ForeignKey(
        User, models.DO_NOTHING, null=True, blank=True, db_constraint=False, db_index=False,
        related_name="+", verbose_name=_("vem"),
    )  # fmt: skip
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("closed_at")), months=36),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = RecipientNoticeQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Vad vi har sagt till dem som fått dina uppgifter"),
        columns={
            Category.DISCLOSURES: (
                *("created_at", "recipient", "act", "categories", "channel", "reference"),
                "sent_at",
                *("attempts", "escalated_at", "outcome", "closed_at", "reason"),
            )
        },
        impersonal=("id", "next_chase_on", "message", "closed_by", "retain_until"),
        at_end=AtEnd.UNLINK,
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("besked till mottagare")
        verbose_name_plural = _("besked till mottagare")
        ordering = ["-created_at", "pk"]
        constraints = [
            # Whoever says that it cannot be done is named and says why; no program does (NOT-01).
            models.CheckConstraint(
                name="recipient_notice_closed_by_somebody",
                condition=Q(closed_at__isnull=True, outcome="", closed_by__isnull=True, reason="")
                | (
                    Q(closed_at__isnull=False, closed_by__isnull=False)
                    & ~Q(outcome="")
                    & ~Q(reason="")
                ),
            ),
            models.CheckConstraint(
                name="recipient_notice_forgets_whom",
                condition=Q(closed_at__isnull=True) | Q(reference=""),
            ),
            models.CheckConstraint(
                name="recipient_notice_is_chased",
                condition=Q(closed_at__isnull=True, next_chase_on__isnull=False)
                | Q(closed_at__isnull=False, next_chase_on__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "created_at"], name="notices_of_a_person"),
            # Chased here.
            models.Index(
                fields=["next_chase_on"],
                name="recipient_notice_open",
                condition=Q(closed_at__isnull=True),
            ),
            models.Index(fields=["message"], name="recipient_notice_message"),
            models.Index(fields=["retain_until"], name="recipient_notice_retain_until"),
        ]
        triggers = [
            stays_until_its_date("recipient_notice", "RUL-21"),
            not_emptied("recipient_notice"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
