"""How long, worked out anew from plain facts by section 9 of the law and the rulings.

Shares nothing with the product: dates are counted by hand, people are plain data, and every rule is
written as the text says it. Days are inclusive last days; OPEN means that no end is known.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

OPEN = date.max
# Uses a person can say no to, by purpose: RUL-30 for all advertising, OBJ-04 for the others.
MARKETING = {"C", "F", "G", "H", "I", "P"}


@dataclass(frozen=True)
class Facts:
    """One person as the law sees them; None as an end means that it has not come."""

    last_contact: date
    subscriptions: list[tuple[date, date | None]] = field(default_factory=list)
    deliveries: list[tuple[date, date | None]] = field(default_factory=list)
    invoices: list[tuple[date, bool]] = field(default_factory=list)
    questions: list[tuple[date, date | None]] = field(default_factory=list)
    # The days of (yes, purpose, channel) in order; an empty purpose is all advertising.
    said: list[tuple[date, bool, str, str]] = field(default_factory=list)
    # Day of the first notice, which opens what needs no yes, and of the sale with soft opt-in.
    noticed: date | None = None
    deceased: date | None = None
    # The day from which nothing reached the person by any way (RET-05, RUL-28).
    unreachable: date | None = None
    changes: list[date] = field(default_factory=list)


def years_after(day: date, years: int) -> date:
    """Count whole years; the 29th of February becomes the 28th (RET-02)."""
    if (day.month, day.day) == (2, 29):
        leap = (day.year + years) % 4 == 0 and (
            (day.year + years) % 100 != 0 or (day.year + years) % 400 == 0
        )
        return date(day.year + years, 2, 29 if leap else 28)
    return date(day.year + years, day.month, day.day)


def later(*days: date | None) -> date | None:
    """Return the latest of the days that are known."""
    known = [day for day in days if day is not None]
    return max(known) if known else None


class Person:
    """What the law says of one person's facts."""

    def __init__(self, facts: Facts, channels: dict[str, dict[str, str]]) -> None:
        """Take the facts and what each purpose asks per channel: opt_out, soft or consent."""
        self.facts = facts
        self.channels = channels

    # The relation (RUL-12)

    def subscribed_until(self) -> date | None:
        return later(*(ended or OPEN for _, ended in self.facts.subscriptions))

    def delivered_until(self) -> date | None:
        return later(*(delivered or OPEN for _, delivered in self.facts.deliveries))

    def relation_until(self) -> date | None:
        return later(self.subscribed_until(), self.delivered_until())

    def window_start(self) -> date | None:
        """A subscription's end starts the windows; only without one does a delivery."""
        return self.subscribed_until() or self.delivered_until()

    def ceiling(self) -> date:
        """Three years after the end (RUL-11), twelve months for who never bought (RET-04).

        Whom nothing reaches any more is kept for no advertising once the relation is over.
        """
        unreachable = self.facts.unreachable
        if unreachable is not None:
            lost = later(unreachable, self.relation_until()) or unreachable
            return min(self._whole_ceiling(), lost)
        return self._whole_ceiling()

    def _whole_ceiling(self) -> date:
        start = self.window_start()
        if start is None:
            return years_after(self.facts.last_contact, 1)
        return OPEN if start == OPEN else years_after(start, 3)

    # What was said (OBJ-01, OBJ-06, RUL-30)

    def choice(self, purpose: str, channel: str) -> tuple[str, date, date | None]:
        """Return what one channel of a purpose rests on, until when, and the day it was decided.

        "" stands for nothing at all: the person has neither been told nor said anything of it.
        """
        asks = self.channels[purpose][channel]
        rests_on, until, decided = "", date.min, None
        steps: list[tuple[date, int, str]] = []
        if self.facts.noticed and asks in ("opt_out", "soft"):
            steps.append((self.facts.noticed, 0, asks))
        for number, (day, yes, about, by) in enumerate(self.facts.said, start=1):
            about_it = about == purpose and by == channel
            about_all = not about and purpose in MARKETING
            if about_it or (about_all and purpose != "P"):
                steps.append((day, number, "yes" if yes else "no"))
            elif about_all and any(
                (a, b) == (purpose, channel) for _, _, a, b in self.facts.said[: number - 1]
            ):
                steps.append((day, number, "no"))
        declined = False
        for day, _, step in sorted(steps, key=lambda s: (s[1] != 0, s[1])):
            if step == "no":
                if not declined:
                    until = day if until == OPEN else date.min
                    rests_on, decided, declined = rests_on or "no", day, True
            elif step == "yes" or not declined:
                rests_on, until, decided, declined = step, OPEN, day, False
        return ("no" if declined else rests_on), until, decided

    def said_until(self, purpose: str) -> date | None:
        """Return the last day some channel of a purpose was open; None when nothing was said."""
        found = [self.choice(purpose, channel) for channel in self.channels[purpose]]
        return later(*(until for rests_on, until, _ in found if rests_on))

    # Purposes

    def purpose(self, code: str) -> date | None:
        """Return the last day of a purpose; None when it never was one."""
        relation, facts = self.relation_until(), self.facts
        match code:
            case "A" | "K":
                return relation
            case "B":
                return later(relation, *(closed or OPEN for _, closed in facts.questions))
            case "G" if self.subscribed_until() is None:
                return None
            case "G":
                ends = [self.subscribed_until(), facts.deceased, self.said_until("G")]
            case "H" | "F":
                ends = [self.ceiling(), facts.deceased, self.said_until(code)]
            case "L2":
                return later(*(years_after(day, 3) for day, paid in facts.invoices if not paid))
            case _:
                raise ValueError(code)
        return min(day for day in ends if day is not None)

    # Categories (section 9)

    def master(self) -> date:
        """While customer, while H or F lives, while something open holds it (RUL-01)."""
        found = later(*(self.purpose(code) for code in ("A", "B", "F", "G", "H", "K", "L2")))
        return found or date.min

    def purchases(self) -> list[date]:
        """Three years from the delivery or the end of the subscription (CLM-02)."""
        ends = [ended for _, ended in self.facts.subscriptions + self.facts.deliveries]
        return sorted(years_after(day, 3) if day else OPEN for day in ends)

    def invoices(self) -> list[date]:
        """To 31 December of the seventh year after the fiscal year, here the calendar year."""
        return sorted(date(day.year + 7, 12, 31) for day, _ in self.facts.invoices)

    def support(self) -> list[date]:
        """Twelve months after it was closed."""
        ends = [closed for _, closed in self.facts.questions]
        return sorted(years_after(day, 1) if day else OPEN for day in ends)

    def history(self) -> list[date]:
        """Twenty-four months, or with the value it tells of (RUL-24)."""
        return sorted(min(years_after(day, 2), self.master()) for day in self.facts.changes)

    def proof(self) -> date:
        """Five years after it stopped applying, and as long as the person is known (RUL-27)."""
        relation, start = self.relation_until(), self.window_start()
        if relation == OPEN:
            return OPEN
        days: list[date | None] = [relation, self.facts.last_contact]
        for purpose, channels in self.channels.items():
            for channel in channels:
                rests_on, until, decided = self.choice(purpose, channel)
                days.append(decided)
                if rests_on == "yes" and until == OPEN:
                    days.append(self.ceiling())
                elif rests_on == "soft" and until == OPEN and start is not None:
                    days.append(years_after(start, 1))
        last = later(*days)
        held = later(self.purpose("L2"), *(closed or OPEN for _, closed in self.facts.questions))
        return max(years_after(last or date.min, 5), held or date.min)


def goes_on(last: date) -> date | None:
    """Return the day whose night takes what has this last day (RET-02)."""
    return None if last == OPEN else last + timedelta(days=1)
