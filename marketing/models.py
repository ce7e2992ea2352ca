"""Outreach: what we want to say, to whom by which way, and how far it has come.

A campaign holds no person. Who gets it is asked of the gate when it starts; who got it is in the
outbox, by the campaign's key.
"""

import hashlib
import uuid
from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from consent.purposes import CATALOGUE, Use
from customers.models import User
from customers.models.channels import Channel
from customers.personal_data import Impersonal

# What the outbox carries, and the purposes that may use it for advertising of our own.
CHANNELS = (Channel.EMAIL, Channel.POST)
PURPOSES = tuple(
    (p.code, p.name)
    for p in CATALOGUE
    if p.is_marketing and not p.named_third_party and set(CHANNELS) & set(p.channels)
)


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self) -> "CampaignQuerySet":
        return self.filter(status=Campaign.Status.RUNNING)

    def unfinished(self) -> "CampaignQuerySet":
        """Keep what somebody must come back to: it runs, or was stopped with messages in hand."""
        stopping = Q(status=Campaign.Status.STOPPED, finished_at=None, started_at__isnull=False)
        return self.filter(Q(status=Campaign.Status.RUNNING) | stopping)

    def free(self, at: datetime) -> "CampaignQuerySet":
        """Keep those that no worker is filling at a moment."""
        return self.filter(Q(leased_until=None) | Q(leased_until__lt=at))


class Campaign(models.Model):
    """One thing we want to say to everyone who may get it for one purpose by one channel."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("utkast")
        APPROVED = "approved", _("godkänd")
        RUNNING = "running", _("skickas")
        DONE = "done", _("klar")
        STOPPED = "stopped", _("stoppad")

    # Also the key of its batch in the outbox.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("namn"), max_length=80)
    purpose = models.CharField(_("ändamål"), max_length=2, choices=PURPOSES)
    channel = models.CharField(
        _("kanal"), max_length=8, choices=[(c.value, c.label) for c in CHANNELS]
    )
    subject_sv = models.CharField(_("ämne på svenska"), max_length=150)
    body_sv = models.TextField(_("text på svenska"), max_length=20_000)
    subject_en = models.CharField(_("ämne på engelska"), max_length=150)
    body_en = models.TextField(_("text på engelska"), max_length=20_000)
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.DRAFT)
    drafted_by = models.ForeignKey(
        User, models.PROTECT, related_name="+", verbose_name=_("skriven av")
    )
    approved_by = models.ForeignKey(
        User,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("godkänd av"),
    )
    created_at = models.DateTimeField(_("skriven"), default=timezone.now)
    approved_at = models.DateTimeField(_("godkänd"), null=True, blank=True)
    started_at = models.DateTimeField(_("började skickas"), null=True, blank=True)
    filled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(_("slutade skickas"), null=True, blank=True)
    # A worker that died gives the work back when this moment has passed.
    leased_until = models.DateTimeField(null=True, blank=True)
    # The audience as it was counted at the start, and what became of the messages in the end.
    counted_at = models.DateTimeField(_("målgruppen räknad"), null=True, blank=True)
    reached = models.PositiveIntegerField(_("nås"), null=True, blank=True)
    left_out = models.JSONField(_("utelämnade"), default=dict, blank=True)
    outcome = models.JSONField(_("utfall"), default=dict, blank=True)

    objects = CampaignQuerySet.as_manager()

    personal_data = Impersonal(
        columns=(
            "id",
            "name",
            "purpose",
            "channel",
            "subject_sv",
            "body_sv",
            "subject_en",
            "body_en",
            "status",
            "drafted_by",
            "approved_by",
            "created_at",
            "approved_at",
            "started_at",
            "filled_at",
            "finished_at",
            "leased_until",
            "counted_at",
            "reached",
            "left_out",
            "outcome",
        )
    )

    class Meta:
        verbose_name = _("kampanj")
        verbose_name_plural = _("kampanjer")
        ordering = ["-created_at"]
        permissions = [
            ("approve_campaign", _("Godkänna en kampanj")),
            ("stop_campaign", _("Stoppa en kampanj")),
        ]
        constraints = [
            models.CheckConstraint(
                name="campaign_approved_by_another",
                condition=Q(approved_by=None) | ~Q(approved_by=F("drafted_by")),
            ),
            models.CheckConstraint(
                name="campaign_approved_before_it_runs",
                condition=Q(approved_by__isnull=False, approved_at__isnull=False)
                | Q(status__in=["draft", "stopped"], started_at=None),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def use(self) -> Use:
        """Return what its people are asked of the gate for."""
        return Use(self.purpose, self.channel)

    @property
    def words_read(self) -> str:
        """Return a hash of what somebody reads who approves it: the words, and whom they go to."""
        said = (self.subject_sv, self.body_sv, self.subject_en, self.body_en)
        text = "\0".join((self.purpose, self.channel, *said))
        return hashlib.sha256(text.encode()).hexdigest()
