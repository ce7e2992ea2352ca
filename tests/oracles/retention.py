"""How long, worked out anew from plain facts by section 9 of the law and the rulings.

Shares nothing with the product: dates are counted by hand, people are plain data, and every rule is
written as the text says it. Days are inclusive last days; OPEN means that no end is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property

OPEN = date.max
# Uses a person can say no to, by purpose: RUL-30 for all advertising, OBJ-04 for the others.
MARKETING = ("C", "F", "G", "H", "I", "P")
WHOLLY = frozenset({"everything"})

# Section 8 of the law, channel by channel, as what is asked before a use is open.
CHANNELS: dict[str, dict[str, str]] = {
    "C": dict.fromkeys(("email", "post", "phone"), "opt_out") | {"sms": "consent"},
    "D": {"internal": "opt_out"},
    "E": {"web": "consent"},
    "F": {"internal": "opt_out"},
    "G": dict.fromkeys(("email", "sms"), "soft") | dict.fromkeys(("push", "social"), "consent"),
    "H": dict.fromkeys(("email", "sms"), "soft") | dict.fromkeys(("phone", "post"), "opt_out"),
    "I": {"portal": "opt_out"},
    "J": {"web": "opt_out"},
    "P": dict.fromkeys(("email", "sms", "phone", "post"), "consent"),
}


@dataclass(frozen=True)
class Said:
    """Something told (notice, soft) or said (yes, unproven, no), and by whom it came to us.

    A no without purpose is about all advertising, without channel about every channel.
    """

    day: date
    what: str
    purpose: str = ""
    channel: str = ""
    party: str = ""
    own: bool = True

    def speaks_of(self, purpose: str, channel: str, party: str) -> bool:
        return (
            (self.purpose == purpose or (not self.purpose and purpose in MARKETING))
            and self.channel in ("", channel)
            and self.party in ("", party)
        )


@dataclass(frozen=True)
class Facts:
    """One person as the law sees them on a day; None as an end means that it has not come."""

    last_contact: date
    subscriptions: Sequence[tuple[date, date | None]] = ()
    # (delivered, cancelled, withdrawn)
    orders: Sequence[tuple[date | None, date | None, date | None]] = ()
    # The days from which claims that are still owed run, see `claim_runs_from`.
    debts: Sequence[date] = ()
    questions: Sequence[tuple[date, date | None]] = ()
    said: Sequence[Said] = ()
    deceased: date | None = None
    # Every way to the person that there is, with the day on which what was sent came back.
    ways: Sequence[date | None] = ()
    # The same by its name: email, phone, address; only those that came back.
    back: Mapping[str, date] = field(default_factory=dict)
    number_used: date | None = None
    # The ground of a restriction, and the categories under a hold (or all of it, WHOLLY).
    restricted: str = ""
    held: frozenset[str] = frozenset()


@dataclass
class _Choice:
    rests_on: str  # "" for nothing, notice, soft, yes
    until: date
    decided: date
    declined: bool = False
    own: bool = False  # the person's own yes
    by: int = -1  # the place of the word that it rests on


# Days


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


def goes_on(last: date) -> date | None:
    """Return the day whose night takes what has this last day (RET-02)."""
    return None if last == OPEN else last + timedelta(days=1)


def stockholm_day(moment: datetime) -> date:
    """Return the day in Stockholm of a moment in UTC: two hours ahead in summer, else one.

    Summer time runs from the last Sunday of March to that of October, both at 01:00 UTC.
    """
    utc = moment.astimezone(UTC)
    summer = _last_sunday(utc.year, 3) <= utc < _last_sunday(utc.year, 10)
    return (utc + timedelta(hours=2 if summer else 1)).date()


def _last_sunday(year: int, month: int) -> datetime:
    day = datetime(year, month, 31, 1, tzinfo=UTC)
    return day - timedelta(days=(day.weekday() + 1) % 7)


# Rows with a clock of their own (section 9)


def purchase(ended: date | None) -> date:
    """Three years from the delivery, or from the end of what was not delivered (CLM-02)."""
    return years_after(ended, 3) if ended else OPEN


def verification(year_ended: date, *linked: date) -> date:
    """To 31 December of the seventh year after the fiscal year, with what is linked (BFL-01)."""
    return date(max(year_ended, *linked).year + 7 if linked else year_ended.year + 7, 12, 31)


def claim_runs_from(arose: date, interruptions: Sequence[date] = ()) -> date:
    """Return the last day that started three years anew; what came too late starts nothing."""
    runs_from = arose
    for day in sorted(interruptions):
        if day <= years_after(runs_from, 3):
            runs_from = max(runs_from, day)
    return runs_from


def owed(runs_from: date, verification_until: date) -> date:
    """Return the last day of a verification that is owed: while the claim runs too (CLM-01)."""
    return max(years_after(runs_from, 3), verification_until)


def question(closed: date | None, delivered: date | None = None) -> date:
    """Twelve months after it is closed, a complaint three years from the delivery (CLM-02)."""
    if closed is None:
        return OPEN
    complaint = years_after(delivered, 3) if delivered else None
    return later(years_after(closed, 1), complaint) or OPEN


def message(finished: datetime | None) -> date:
    """Twenty-four months from when it was sent or given up (RUL-26)."""
    return years_after(stockholm_day(finished), 2) if finished else OPEN


def look(at: datetime) -> date:
    """Twenty-four months (ACC-05)."""
    return years_after(stockholm_day(at), 2)


def case(closed: date | None) -> date:
    """Five years after it is closed (DSR-06)."""
    return years_after(closed, 5) if closed else OPEN


def holds(ground: str, placed: datetime, on: date) -> bool:
    """Ten years at most, unless it is a case that is not answered (RUL-17, RUL-35)."""
    return ground == "case" or on <= years_after(stockholm_day(placed), 10)


class Person:
    """What the law says of one person's facts."""

    def __init__(self, facts: Facts, channels: Mapping[str, Mapping[str, str]] = CHANNELS) -> None:
        """Take the facts and what each purpose asks per channel: opt_out, soft or consent."""
        self.facts = facts
        self.channels = channels
        self._ended: dict[int, date] = {}

    # The relation (RUL-12)

    @cached_property
    def subscribed_until(self) -> date | None:
        return later(*(ended or OPEN for _, ended in self.facts.subscriptions))

    @cached_property
    def delivered_until(self) -> date | None:
        """The last delivery, or the withdrawal after one; an order that is cancelled is none."""
        days: list[date | None] = []
        for delivered, cancelled, withdrawn in self.facts.orders:
            if delivered:
                days.append(later(delivered, withdrawn))
            elif not cancelled and not withdrawn:
                days.append(OPEN)
        return later(*days)

    @cached_property
    def relation_until(self) -> date | None:
        return later(self.subscribed_until, self.delivered_until)

    @cached_property
    def window_start(self) -> date | None:
        """A subscription's end starts the windows; only without one does a delivery."""
        return self.subscribed_until or self.delivered_until

    @cached_property
    def unreachable(self) -> date | None:
        """The day from which nothing reached the person by any way (RET-05, RUL-28)."""
        if not self.facts.ways or None in self.facts.ways:
            return None
        return later(*self.facts.ways)

    @cached_property
    def ceiling(self) -> date:
        """Three years after the end (RUL-11), twelve months for who never bought (RET-04).

        Whom nothing reaches any more is kept for no advertising once the relation is over.
        """
        start = self.window_start
        if start is None:
            whole = years_after(self.facts.last_contact, 1)
        else:
            whole = OPEN if start == OPEN else years_after(start, 3)
        if self.unreachable is None:
            return whole
        return min(whole, later(self.unreachable, self.relation_until) or whole)

    # What was said (OBJ-01, OBJ-06, RUL-30)

    @cached_property
    def choices(self) -> dict[tuple[str, str, str], _Choice]:
        """Return what each channel of a purpose rests on; nothing where nothing was ever said."""
        found: dict[tuple[str, str, str], _Choice] = {}
        noes: list[Said] = []
        self._ended = {}
        for place, said in enumerate(self.facts.said):
            before = {choice.by for choice in found.values()}
            if said.what in ("notice", "soft"):
                self._told(found, said)
            elif said.what == "no":
                noes.append(said)
                self._refused(found, said)
            else:
                self._agreed(found, said, noes)
            for choice in found.values():
                choice.by = place if choice.by < 0 else choice.by
            after = {choice.by for choice in found.values()}
            if said.what != "no":
                before.add(place)
            for word in before - after:
                self._ended[word] = max(said.day, self.facts.said[word].day)
        return found

    def words(self, place: int) -> date:
        """Return the last day of the words behind what was said there, as evidence (RUL-27).

        Five years after the day on which the last use that rested on them came to rest on another
        word, be the person a customer all the time.
        """
        ended = self._ended.get(place) if self.choices else None
        return self.proof if ended is None else min(self.proof, years_after(ended, 5))

    def _told(self, found: dict[tuple[str, str, str], _Choice], said: Said) -> None:
        opens, stronger = ("opt_out", None) if said.what == "notice" else ("soft", "yes")
        for purpose, channels in self.channels.items():
            for channel in (channel for channel, asks in channels.items() if asks == opens):
                old = found.get((purpose, channel, ""))
                stands = old is not None and (
                    old.declined or (bool(old.rests_on) and stronger in (None, old.rests_on))
                )
                if not stands:
                    found[purpose, channel, ""] = _Choice(opens, OPEN, said.day)

    def _agreed(
        self, found: dict[tuple[str, str, str], _Choice], said: Said, noes: Sequence[Said]
    ) -> None:
        key = (said.purpose, said.channel, said.party)
        old = found.get(key)
        if said.what == "unproven":
            found.setdefault(key, _Choice("", date.min, said.day))
            return
        if not said.own:
            # What others tell of a yes opens nothing that the person has refused (OBJ-06).
            if old is not None and old.declined:
                return
            if (old is None or not old.rests_on) and any(no.speaks_of(*key) for no in noes):
                return
        # Neither a slip found later nor what others tell takes the place of a yes that stands.
        stands = old is not None and old.rests_on == "yes" and not old.declined
        if old is not None and stands and (old.own, old.decided) > (said.own, said.day):
            return
        found[key] = _Choice("yes", OPEN, said.day, own=said.own)

    def _refused(self, found: dict[tuple[str, str, str], _Choice], said: Said) -> None:
        every = [(p, c, "") for p, channels in self.channels.items() for c in channels if p != "P"]
        if said.party:
            every.append((said.purpose, said.channel, said.party))
        for key in dict.fromkeys((*every, *found)):
            if not said.speaks_of(*key):
                continue
            old = found.get(key)
            if old is None:
                found[key] = _Choice("", date.min, said.day, declined=True)
            elif not old.declined:
                until = said.day if old.until == OPEN else date.min
                found[key] = _Choice(old.rests_on, until, said.day, declined=True)

    def said_until(self, purpose: str) -> date | None:
        """Return the last day some channel of a purpose was open; None when nothing was said."""
        return later(*(choice.until for key, choice in self.choices.items() if key[0] == purpose))

    # Purposes

    def purpose(self, code: str) -> date | None:
        """Return the last day of a purpose; None when it never was one."""
        relation, facts = self.relation_until, self.facts
        match code:
            case "A" | "K":
                return relation
            case "B":
                return later(relation, *(closed or OPEN for _, closed in facts.questions))
            case "G" if self.subscribed_until is None:
                return None
            case "G":
                ends = [self.subscribed_until, facts.deceased, self.said_until("G")]
            case "H" | "F":
                ends = [self.ceiling, facts.deceased, self.said_until(code)]
            case "L2":
                return later(*(years_after(day, 3) for day in facts.debts))
            case _:
                raise ValueError(code)
        return min(day for day in ends if day is not None)

    # Categories (section 9)

    @cached_property
    def master(self) -> date:
        """While customer, while H or F lives, while something open holds it (RUL-01)."""
        found = later(*(self.purpose(code) for code in ("A", "B", "F", "G", "H", "K", "L2")))
        return found or date.min

    def returned(self, way: str) -> date:
        """Return the last day of a value that came back, OPEN for one that did not (RUL-28).

        The day it did, unless a running relation, an open question or a debt needs it all the same.
        No advertising does, and a hold on what it is of keeps it.
        """
        came_back = self.facts.back.get(way)
        of = {"email": ("contact", "account"), "phone": ("contact",), "address": ("address",)}
        if came_back is None or any(map(self.is_held, of[way])):
            return OPEN
        needed = (self.purpose(code) for code in ("A", "B", "K", "L2"))
        return later(came_back, *needed) or came_back

    @cached_property
    def national_id(self) -> date:
        """Thirty days from the last use, and while a debt is open (RUL-16)."""
        used = self.facts.number_used
        return later(used and used + timedelta(days=30), self.purpose("L2")) or date.min

    def change(self, at: datetime | date, of: str = "") -> date:
        """Twenty-four months, or with the value it tells of (RUL-24)."""
        day = stockholm_day(at) if isinstance(at, datetime) else at
        return min(years_after(day, 2), self.master, self.returned(of))

    @cached_property
    def proof(self) -> date:
        """Five years after it stopped applying, and as long as the person is known (RUL-27)."""
        relation, start = self.relation_until, self.window_start
        if relation == OPEN:
            return OPEN
        days: list[date | None] = [relation, self.facts.last_contact]
        for choice in self.choices.values():
            days.append(choice.decided)
            if choice.rests_on == "yes" and choice.until == OPEN:
                days.append(self.ceiling)
            elif choice.rests_on == "soft" and choice.until == OPEN and start is not None:
                days.append(years_after(start, 1))
        last = later(*days)
        held = later(self.purpose("L2"), *(closed or OPEN for _, closed in self.facts.questions))
        return max(years_after(last or date.min, 5), held or date.min)

    # What keeps it all the same

    def is_held(self, category: str) -> bool:
        """Say whether a hold, or a restriction by law, keeps a category past its day (RUL-18)."""
        return self.is_held_wholly or category in self.facts.held

    @property
    def is_held_wholly(self) -> bool:
        return self.facts.restricted in ("a", "b", "c", "d") or self.facts.held >= WHOLLY
