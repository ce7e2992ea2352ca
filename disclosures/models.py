"""To whom: what leaves us, as rows written in the transaction that decided it."""

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus, StockholmDate
from customers.models import Customer
from customers.personal_data import Category, Clock, PersonalData


class Outbox(models.Model):
    """A message to send: claimed with a lease, sent once, its body blanked when it is done.

    A deterministic `message_id` lets the receiving side tell a repeat after a crash.
    """

    class Kind(models.TextChoices):
        MAIL = "mail", _("mejl")
        LETTER = "letter", _("brev")

    class Status(models.TextChoices):
        QUEUED = "queued", _("i kö")
        SENT = "sent", _("skickat")
        DEAD = "dead", _("kunde inte skickas")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("slag"), max_length=8, choices=Kind, default=Kind.MAIL)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="messages"
    )
    purpose = models.CharField(_("ändamål"), max_length=2, default="B")
    template = models.CharField(_("mall"), max_length=60)
    recipient = models.CharField(_("till"), max_length=320, blank=True)
    subject = models.CharField(_("ämne"), max_length=200, blank=True)
    body = models.TextField(_("text"), blank=True)
    language = models.CharField(_("språk"), max_length=2, default="sv")
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveSmallIntegerField(_("försök"), default=0)
    available_at = models.DateTimeField(default=timezone.now)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(_("skapat"), default=timezone.now)
    finished_at = models.DateTimeField(_("skickat eller uppgivet"), null=True, blank=True)
    # RUL-26: 24 months from delivery or final failure.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("finished_at")), months=24),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Meddelanden vi har skickat"),
        columns={
            Category.MESSAGES: (
                "kind",
                "purpose",
                "template",
                "recipient",
                "subject",
                "body",
                "language",
                "status",
                "created_at",
                "finished_at",
            )
        },
        impersonal=("id", "attempts", "available_at", "leased_until", "lease", "retain_until"),
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("meddelande")
        verbose_name_plural = _("meddelanden")
        indexes = [
            # The relay claims here.
            models.Index(
                fields=["available_at"], name="outbox_queued", condition=Q(status="queued")
            ),
            models.Index(
                fields=["retain_until", "customer"],
                name="outbox_retain_until",
                condition=Q(finished_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
