"""Which yeses in the ledger count for nothing, and the no that each of them yields to (OBJ-06).

A yes found later is older than a no, or it is told by others than the person. It is written down
all the same; whoever tells of it tells that too.
"""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from consent.models import Event
from consent.purposes import Use
from consent.standing import REFUSALS, State, after, is_overruled, reaches, targets
from customers.words import clock, full_day

Kind = Event.Kind


def overruled(events: Iterable[Event]) -> dict[int, Event]:
    """Return the noes by the number of the yes each of them stands above.

    `events` are one person's, from the first of the ledger on.
    """
    standings: dict[Use, State] = {}
    refusals: list[Event] = []
    found: dict[int, Event] = {}
    for event in events:
        for use in targets(event, standings):
            before = standings.get(use)
            yields = is_overruled(event, use, before, refusals)
            state = before if yields else after(before, event)
            if state is not None:
                standings[use] = state
            if event.kind == Kind.CONSENT_GIVEN and (state is None or state.declined):
                yields = True
            if yields:
                above = [no for no in refusals if reaches(no, use)]
                found[event.pk] = max(above, key=lambda no: no.at)
        if event.kind in REFUSALS:
            refusals.append(event)
    return found


def overruled_by(event: Event) -> Event | None:
    """Return the no that a yes yields to; None when it counted as it was written."""
    if event.kind != Kind.CONSENT_GIVEN:
        return None
    until_then = Event.objects.filter(customer__pseudonym=event.customer_id, pk__lte=event.pk)
    return overruled(until_then.order_by("pk")).get(event.pk)


def why_not(event: Event, no: Event) -> str:
    """Say why a yes counts for nothing."""
    when = {"day": full_day(no.at), "clock": clock(no.at)}
    if no.at > event.at:
        return _("Det gäller inte, för du sa nej senare, %(day)s %(clock)s.") % when
    return (
        _(
            "Det gäller inte, för du hade sagt nej, %(day)s %(clock)s. Bara du själv kan ta "
            "tillbaka ett nej."
        )
        % when
    )
