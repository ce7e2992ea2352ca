"""The first information: to everybody who has not had it, once, and proven by its delivery.

Who shows it on a page records it at once with `consent.actions.serve_notice`. Everybody else gets
it written: people from an import, on the phone, on a slip or in a mail. The outbox records it when
the message has been sent (`disclosures.actions`), and no advertising leaves before (INF-02).
"""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone

from consent.actions import TOLD_IN_SHORT
from consent.models import Event, Notice
from consent.unsubscribe import code, preference_link
from customers.dates import today
from customers.models import Address, Customer
from customers.models.channels import Collected
from disclosures.actions import draft_letter, draft_mail, queue_drafts
from disclosures.models import Outbox
from disclosures.rules import owed_first_notice

log = logging.getLogger(__name__)

TEMPLATE = "first_notice"
# A notice that the law demands (RES-04).
PURPOSE = "K"
BATCH = 500


def send_first_notice(customer: Customer, at: datetime | None = None) -> bool:
    """Queue the first information for one person; False when they need none or cannot get it."""
    return bool(_queue(owed_first_notice(at or timezone.now()).filter(pk=customer.pk)))


def send_first_notices(at: datetime | None = None) -> int:
    """Queue the first information for everybody who needs it, in batches; return how many."""
    moment = at or timezone.now()
    queued = last = 0
    while True:
        batch = owed_first_notice(moment).filter(pk__gt=last)[:BATCH]
        people = list(batch.values_list("pk", flat=True))
        if not people:
            return queued
        queued += _queue(owed_first_notice(moment).filter(pk__in=people))
        last = people[-1]


def notices_given(customer: Customer) -> QuerySet[Event]:
    """Return each time the person was told: when, by which way, in which wording (INF-01)."""
    found = Event.objects.filter(customer=customer, kind=Event.Kind.NOTICE_SERVED)
    return found.select_related("notice__policy_version").order_by("pk")


@transaction.atomic
def _queue(people: QuerySet[Customer]) -> int:
    homes = Address.objects.filter(kind=Address.Kind.HOME)
    found = people.prefetch_related(Prefetch("addresses", homes, to_attr="homes"))
    wordings = current_wordings()
    drafts = list(chain.from_iterable(_drafts(person, wordings) for person in found))
    if drafts:
        queue_drafts(drafts)
    return len(drafts)


def _drafts(person: Any, wordings: dict[tuple[str, str], Notice]) -> Iterator[Outbox]:
    language = "en" if person.language == "en" else "sv"
    # What was said in short is told in full now (INF-04).
    collected = Collected.POST if person.collected in TOLD_IN_SHORT else person.collected
    wording = wordings.get((collected, language))
    if wording is None:
        log.error("There is no %s wording for what comes by %s.", language, collected)
        return
    context = {"notice": wording.text}
    if person.way == Outbox.Kind.MAIL:
        context["link"] = preference_link(person, language)
        draft = draft_mail(person.email, TEMPLATE, context, person, PURPOSE, language)
    else:
        context |= by_code(person)
        draft = draft_letter(person, person.homes[0], TEMPLATE, context, PURPOSE)
    draft.notice = wording
    yield draft


def by_code(person: Customer) -> dict[str, str]:
    """Return what a letter says in the place of a link: where to go and what to type there."""
    return {"address": settings.SITE_URL + reverse("unsubscribe:type_code"), "code": code(person)}


def current_wordings() -> dict[tuple[str, str], Notice]:
    """Return the wordings in force by collection channel and language, in one query."""
    found: Iterable[Notice] = (
        Notice.objects.filter(policy_version__effective_on__lte=today())
        .order_by("collected", "language", "-policy_version__effective_on", "-policy_version_id")
        .distinct("collected", "language")
    )
    return {(notice.collected, notice.language): notice for notice in found}
