"""When an answer comes, in words: the same for the person and for staff."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

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


SOON_DAYS = 7


@dataclass(frozen=True)
class Left:
    """How long is left of an open case: a class for its colour, and the words."""

    tone: str
    words: str


def left(case: Case, on: date) -> Left:
    """Say how long is left until the last day by law."""
    if case.stands_since is not None:
        return Left("", _("Klockan står"))
    days = (case.latest_on - on).days
    if days == 0:
        return Left("soon", _("I dag"))
    n = abs(days)
    if days < 0:
        said = ngettext("Försenat en dag", "Försenat %(n)s dagar", n)
    else:
        said = ngettext("Om en dag", "Om %(n)s dagar", n)
    tone = "late" if days < 0 else "soon" if days <= SOON_DAYS else ""
    return Left(tone, said % {"n": words.in_words(n)})


def next_step(case: Case) -> str:
    """Say what staff do next."""
    if not case.is_open:
        return str(case.get_status_display()).capitalize()
    if case.status == Case.Status.IDENTIFYING:
        return _("Vänta på identitet")
    if case.decided_by_id is not None and case.approved_by_id is None:
        return _("En andra person godkänner")
    if case.fee_told_on is not None:
        return _("Vänta på kunden, sedan svara")
    return _("Svara")
