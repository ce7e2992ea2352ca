"""What happens with a campaign: written, approved by another, sent to those the gate lets through.

Filling the outbox is one pass over a stream of people, in pieces of their own transactions. Killed
anywhere, the pass begins again and adds only what is missing. Whether a message leaves is asked of
the gate once more when it does (G05).
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from consent.groundwork import SNAPSHOT_HOLDS, NixSnapshot, Register
from consent.purposes import BY_CODE, Use
from customers.dates import stockholm_date
from customers.models import Customer, User
from customers.models.channels import Channel
from disclosures.actions import RELAY
from disclosures.batches import count_batch, queue_batch, stop_batch
from disclosures.bell import ring, ring_on_commit
from disclosures.models import Outbox
from marketing.models import Campaign
from marketing.rules import count_audience

log = logging.getLogger(__name__)

FILL = "marketing.tasks.fill"
PIECE = 1000
LEASE = timedelta(minutes=5)  # far above the time of a piece


class CampaignError(Exception):
    """The campaign is not where that can be done; the message says why, in words for staff."""


def draft(campaign: Campaign, by: User) -> Campaign:
    """Keep what somebody wrote; a changed text needs a new approval."""
    Use(campaign.purpose, campaign.channel)
    with transaction.atomic():
        if not campaign._state.adding:
            stored = _locked(campaign.pk)
            _demand(stored, Campaign.Status.DRAFT, _("Bara ett utkast kan ändras."))
        campaign.drafted_by = by
        campaign.save()
    return campaign


@transaction.atomic
def approve(campaign_id: UUID, by: User, *, read: str, at: datetime | None = None) -> Campaign:
    """Let a second person stand for it; raises CampaignError for who wrote it.

    `read` is `Campaign.words_read` of the words they had before them: others are not approved.
    """
    campaign = _locked(campaign_id)
    _demand(campaign, Campaign.Status.DRAFT, _("Bara ett utkast kan godkännas."))
    if campaign.drafted_by_id == by.pk:
        raise CampaignError(_("Du har skrivit kampanjen. Be någon annan läsa och godkänna den."))
    if campaign.words_read != read:
        raise CampaignError(_("Texten har ändrats sedan du läste den. Läs och godkänn igen."))
    campaign.status = Campaign.Status.APPROVED
    campaign.approved_by = by
    campaign.approved_at = at or timezone.now()
    campaign.save(update_fields=["status", "approved_by", "approved_at"])
    return campaign


@transaction.atomic
def start(campaign_id: UUID, at: datetime | None = None) -> Campaign:
    """Count the audience and ring for a worker; raises CampaignError, also the second time."""
    now = at or timezone.now()
    campaign = _locked(campaign_id)
    _demand(campaign, Campaign.Status.APPROVED, _("Bara en godkänd kampanj kan skickas."))
    _demand_washed(campaign, now)
    audience = count_audience(campaign.use, stockholm_date(now))
    if not audience.reached:
        raise CampaignError(_("Ingen får nås av kampanjen i dag. Målgruppen visar varför."))
    campaign.status = Campaign.Status.RUNNING
    campaign.started_at = campaign.counted_at = now
    campaign.reached = audience.reached
    campaign.left_out = dict(audience.left_out)
    campaign.save(update_fields=["status", "started_at", "counted_at", "reached", "left_out"])
    ring_on_commit(FILL, str(campaign.pk))
    return campaign


def _demand_washed(campaign: Campaign, now: datetime) -> None:
    """NIX-01: no campaign by post begins on a copy of NIX that is missing or too old."""
    if campaign.channel != Channel.POST:
        return
    newest = NixSnapshot.objects.newest(Register.POST).first()
    if newest is None or newest.taken_on + SNAPSHOT_HOLDS < stockholm_date(now):
        raise CampaignError(_("Stäm av adresserna mot NIX först. Det har gått mer än 30 dagar."))


@transaction.atomic
def stop(campaign_id: UUID) -> Campaign:
    """Stop it for good: what is queued is pulled, what is not begun never begins."""
    campaign = _locked(campaign_id)
    if campaign.status in (Campaign.Status.DONE, Campaign.Status.STOPPED):
        raise CampaignError(_("Kampanjen är redan avslutad."))
    campaign.status = Campaign.Status.STOPPED
    campaign.save(update_fields=["status"])
    _close(campaign, timezone.now())
    return campaign


def fill(campaign_id: UUID) -> None:
    """Write the messages of a running campaign that are not there yet; any worker may, one does."""
    if not _take(campaign_id, timezone.now()):
        return
    campaign = Campaign.objects.get(pk=campaign_id)
    words = _words(campaign)
    for people in _pieces(campaign):
        with transaction.atomic():
            # Held to the end of the piece: who stops the campaign finds all of it in the outbox.
            held = _locked(campaign_id)
            if held.status != Campaign.Status.RUNNING:
                return
            held.leased_until = timezone.now() + LEASE
            held.save(update_fields=["leased_until"])
            queue_batch(
                campaign.pk,
                people,
                campaign.channel,
                "campaign",
                words,
                purpose=campaign.purpose,
            )
    Campaign.objects.running().filter(pk=campaign_id).update(
        filled_at=timezone.now(), leased_until=None
    )
    ring(RELAY)
    settle(campaign_id)


def _take(campaign_id: UUID, now: datetime) -> bool:
    waiting = Campaign.objects.running().filter(pk=campaign_id, filled_at=None).free(now)
    return bool(waiting.update(leased_until=now + LEASE))


def _pieces(campaign: Campaign) -> Iterator[list[Customer]]:
    """Stream the audience in pieces, with no more of each person than a message asks for."""
    people = Customer.objects.processable(campaign.purpose, campaign.channel).only(
        "given_name", "family_name", "email", "language"
    )
    if campaign.channel == Channel.POST:
        people = people.prefetch_related("addresses")
    stream = people.iterator(chunk_size=PIECE)
    while piece := list(islice(stream, PIECE)):
        yield piece


def _words(campaign: Campaign) -> dict[str, dict[str, Any]]:
    """Return what the template gets, by language."""
    purpose = BY_CODE[campaign.purpose]
    said: dict[str, dict[str, Any]] = {}
    for language in ("sv", "en"):
        with translation.override(language):
            said[language] = {
                "subject": getattr(campaign, f"subject_{language}"),
                "body": getattr(campaign, f"body_{language}"),
                "why": str(purpose.why),
                "purpose": str(purpose.name),
                "survey": purpose.code == "C",
            }
    return said


@transaction.atomic
def settle(campaign_id: UUID) -> None:
    """Close a campaign whose messages have all left, been stopped or been given up."""
    campaign = _locked(campaign_id)
    if campaign.finished_at is None and (
        campaign.filled_at is not None or campaign.status == Campaign.Status.STOPPED
    ):
        _close(campaign, timezone.now())


def _close(campaign: Campaign, now: datetime) -> None:
    if campaign.status == Campaign.Status.STOPPED:
        stop_batch(campaign.pk)
    outcome = count_batch(campaign.pk)
    if outcome.get(Outbox.Status.QUEUED):
        return  # somebody is sending it this moment, or it waits for its next try
    if campaign.status == Campaign.Status.RUNNING:
        campaign.status = Campaign.Status.DONE
    campaign.finished_at = now
    campaign.outcome = outcome
    campaign.save(update_fields=["status", "finished_at", "outcome"])


def reconcile() -> None:
    """Come back to every campaign that is not finished: a lost ring or a dead worker loses none."""
    for campaign in Campaign.objects.unfinished():
        if campaign.status == Campaign.Status.RUNNING and campaign.filled_at is None:
            ring_on_commit(FILL, str(campaign.pk))
        else:
            settle(campaign.pk)


def progress(campaign: Campaign) -> dict[str, int]:
    """Count the messages by status: as they are, or as they were when the campaign ended."""
    return campaign.outcome if campaign.finished_at else count_batch(campaign.pk)


def _locked(campaign_id: UUID) -> Campaign:
    return Campaign.objects.select_for_update().get(pk=campaign_id)


def _demand(campaign: Campaign, status: str, sentence: str) -> None:
    if campaign.status != status:
        raise CampaignError(sentence)
