"""When an answer comes, in words: the same for the person and for staff."""

from datetime import date

from django.utils.translation import gettext as _

from customers import words
from customers.dates import today
from privacy_requests.models import Case


def short(case: Case) -> str:
    """Say the last day of an open case, or that the days are not counted (TIM-04)."""
    if case.stands_since is not None:
        return _("Dagarna räknas inte medan vi väntar på dig")
    return _("Vi svarar senast %(day)s") % {"day": words.day(case.latest_on)}


def sentence(case: Case, on: date | None = None) -> str:
    """Say where an open case is in time, and what moved its last day."""
    if case.stands_since is not None:
        return _(
            "Vi har frågat vem du är. Dagarna räknas inte från %(day)s tills vi vet det. Har vi "
            "inget fått veta på 60 dagar avslutar vi ärendet och skriver till dig."
        ) % {"day": words.day(case.stands_since)}
    last = {"day": words.day(case.latest_on)}
    if case.latest_on < (on or today()):
        return _("Du skulle ha fått svar senast %(day)s. Det är vårt fel att du väntar.") % last
    return _("Vi svarar senast %(day)s.") % last


def moved(case: Case) -> list[str]:
    """Say what has moved the last day, with the old and the new one."""
    said = []
    for event in case.events.filter(after_on__isnull=False).order_by("at", "pk"):
        if event.before_on is None or event.before_on == event.after_on:
            continue
        said.append(
            _("Sista dagen var %(before)s och blev %(after)s. %(why)s")
            % {
                "before": words.full_day(event.before_on),
                "after": words.full_day(event.after_on or event.before_on),
                "why": event.words or event.get_kind_display() + ".",
            }
        )
    return said
