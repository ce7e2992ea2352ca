"""Many messages of one decision: written in pieces, each person once, and stopped as one.

A batch is known by the key of what decided it. A piece that is written again after a crash adds
nothing, since the database holds one message per batch and person.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from customers.models import Address, Customer
from customers.models.channels import Channel
from disclosures.actions import UnsafeHeaderError, draft_letter, draft_mail
from disclosures.models import Outbox

log = logging.getLogger(__name__)


def queue_batch(
    batch: UUID,
    people: Sequence[Customer],
    channel: str,
    template: str,
    words: Mapping[str, Mapping[str, Any]],
    *,
    purpose: str,
) -> None:
    """Write a mail or a letter to each of some people, in their language; ring when all is written.

    `words` is what the template gets, by language; letters go to those of the prefetched
    `addresses` that are home. Whoever has no usable address gets nothing.
    """
    drafts = []
    for person in people:
        about = words["en" if person.language == "en" else "sv"]
        try:
            draft = _draft(person, channel, template, about, purpose)
        except (UnsafeHeaderError, StopIteration):
            log.warning("Person %s has no usable address for batch %s.", person.pk, batch)
            continue
        draft.batch = batch
        drafts.append(draft)
    Outbox.objects.bulk_create(drafts, ignore_conflicts=True)


def _draft(
    person: Customer, channel: str, template: str, about: Mapping[str, Any], purpose: str
) -> Outbox:
    if channel == Channel.EMAIL:
        return draft_mail(person.email, template, about, person, purpose)
    home = next(a for a in person.addresses.all() if a.kind == Address.Kind.HOME)
    return draft_letter(person, home, template, about, purpose)


def stop_batch(batch: UUID) -> int:
    """Stop what nobody is sending this moment; return how many stay to be stopped later."""
    now = timezone.now()
    queued = Outbox.objects.filter(batch=batch, status=Outbox.Status.QUEUED)
    queued.filter(Q(lease=None) | Q(available_at__lte=now)).stop(now)
    return queued.count()


def count_batch(batch: UUID) -> dict[str, int]:
    """Count the messages of a batch by their status."""
    found = Outbox.objects.filter(batch=batch).order_by()
    return dict(found.values_list("status").annotate(messages=Count("pk")))
