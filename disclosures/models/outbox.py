"""Messages: what is to be sent, is on its way or has been sent."""

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.models import Notice
from customers.dates import Plus, StockholmDate
from customers.models import Customer
from customers.personal_data import Category, Clock, OnErasure, PersonalData

# RUL-26: the words of what could not be sent.
KEEP_DEAD = timedelta(days=90)
# What is left of the words of a message that is done with.
NO_WORDS = {"recipient": "", "subject": "", "body": ""}


class OutboxQuerySet(models.QuerySet["Outbox"]):
    def waiting(self, at: datetime) -> "OutboxQuerySet":
        """Keep what is free to take: queued, not leased, not put off."""
        return self.filter(status=Outbox.Status.QUEUED, available_at__lte=at)

    def dead_with_words(self, at: datetime) -> "OutboxQuerySet":
        """Keep dead letters whose words have been kept long enough (RUL-26)."""
        return self.filter(status=Outbox.Status.DEAD, finished_at__lte=at - KEEP_DEAD).exclude(
            body=""
        )

    def stop(self, at: datetime) -> int:
        """Stop them before they leave; the words go the same moment. Return how many."""
        return self.update(status=Outbox.Status.STOPPED, lease=None, finished_at=at, **NO_WORDS)


class Outbox(models.Model):
    """A message to send: claimed with a lease, sent once, its words blanked when it is done.

    A queued row is free to take from `available_at` on; whoever takes it moves that moment to the
    end of the lease, so a worker that died gives it back by itself. The Message-ID is made from the
    key, which lets the receiving side tell a repeat after a crash (K02).
    """

    class Kind(models.TextChoices):
        MAIL = "mail", _("mejl")
        LETTER = "letter", _("brev")

    class Status(models.TextChoices):
        QUEUED = "queued", _("i kö")
        SENT = "sent", _("skickat")
        DEAD = "dead", _("kunde inte skickas")
        STOPPED = "stopped", _("stoppat innan det gick")

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
    # Says whose lease it is: a worker that lost it changes nothing any more.
    lease = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(_("skapat"), default=timezone.now)
    finished_at = models.DateTimeField(_("skickat eller uppgivet"), null=True, blank=True)
    # The first information, when the message carries it: given once the message is sent (INF-02).
    notice = models.ForeignKey(Notice, models.PROTECT, null=True, blank=True, db_index=False)
    # Many messages of one decision, each person once: the key of the campaign that wrote them.
    batch = models.UUIDField(null=True, blank=True, editable=False)
    # RUL-26: 24 months from delivery or final failure.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("finished_at")), months=24),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = OutboxQuerySet.as_manager()

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
        impersonal=("id", "attempts", "available_at", "lease", "notice", "batch", "retain_until"),
        clock=Clock.OWN,
        on_erasure=OnErasure.UNNAMED,
        words=NO_WORDS,
    )

    class Meta:
        verbose_name = _("meddelande")
        verbose_name_plural = _("meddelanden")
        constraints = [
            models.CheckConstraint(
                name="outbox_finished_or_queued",
                condition=Q(status="queued", finished_at__isnull=True)
                | (~Q(status="queued") & Q(finished_at__isnull=False)),
            ),
            # Never two on their way, whoever asks for it at the same time.
            models.UniqueConstraint(
                name="one_first_notice_on_its_way",
                fields=["customer"],
                condition=Q(notice__isnull=False, status="queued"),
            ),
            # Work that is begun again after a crash sends nothing twice.
            models.UniqueConstraint(
                name="one_of_a_batch_per_person",
                fields=["batch", "customer"],
                condition=Q(batch__isnull=False),
            ),
        ]
        indexes = [
            # The relay claims here.
            models.Index(
                fields=["available_at"],
                name="outbox_queued",
                condition=Q(status="queued", batch__isnull=True),
            ),
            # The relay claims here when nothing waits there.
            models.Index(
                fields=["available_at"],
                name="outbox_queued_batch",
                condition=Q(status="queued", batch__isnull=False),
            ),
            # The relay blanks dead letters here.
            models.Index(
                fields=["finished_at"],
                name="outbox_dead_with_words",
                condition=Q(status="dead") & ~Q(body=""),
            ),
            models.Index(
                fields=["retain_until", "customer"],
                name="outbox_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
