"""May we, worked out anew from plain facts: sections 2, 5 and 8 of the law, policy and rulings.

Shares nothing with the product: purposes, channels and windows have tables of their own here, dates
are counted by hand, and a person is plain data. The question is asked of a day on or after all
facts; first and last days belong to what they bound.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

# What each purpose asks for by each channel: nothing, no objection, sale or yes, a yes.
FREE, UNLESS_NO, SALE, YES = "free", "unless no", "sale", "yes"
TABLE: dict[str, dict[str, str]] = {
    "A": dict.fromkeys(("email", "sms", "phone", "post", "portal"), FREE),
    "A2": {"internal": FREE},
    "B": dict.fromkeys(("email", "sms", "phone", "post", "portal"), FREE),
    "C": {"email": UNLESS_NO, "post": UNLESS_NO, "phone": UNLESS_NO, "sms": YES},
    "D": {"internal": UNLESS_NO},
    "E": {"web": YES},
    "F": {"internal": UNLESS_NO},
    "G": {"email": SALE, "sms": SALE, "push": YES, "social": YES},
    "H": {"email": SALE, "sms": SALE, "phone": UNLESS_NO, "post": UNLESS_NO},
    "I": {"portal": UNLESS_NO},
    "J": {"web": UNLESS_NO},
    "K": dict.fromkeys(("email", "sms", "post", "portal"), FREE),
    "L2": {"email": FREE, "post": FREE},
    "P": {"email": YES, "sms": YES, "phone": YES, "post": YES},
}
ADVERTISING = frozenset("CFGHIP")  # RUL-30: what a total objection covers
CAN_BE_REFUSED = ADVERTISING | set("DEJ")  # OBJ-04
# LAW-02: what rests on our interest. LEK-01: what reads the device.
WEIGHED = frozenset({"A2", *"CDFGHIJ"})
READS_DEVICE = frozenset("E")

# CHI-02, RUL-04: of age for advertising and credit; sixteen with a yes for these.
FROM_SIXTEEN = frozenset("CDEJ")
OF_AGE = frozenset({"F", "G", "H", "I", "P", "A2"})

# RES-02 to RES-04.
GOES_ON_RESTRICTED = frozenset({"B", "K", "L2"})
GOES_ON_LIMITED = GOES_ON_RESTRICTED | {"A", "A2"}

# MFL-06: months after the end, both days included.
SALE_MONTHS, NIX_MONTHS = 12, {"phone": 6, "post": 12}
CEILING_MONTHS, PROSPECT_MONTHS, NAMED_YES_MONTHS = 36, 12, 3
YES_MONTHS, WASHED_DAYS = 24, 30  # CON-05, RUL-31
# INF-04: what is told so is short, and the whole notice follows in writing.
IN_SHORT = frozenset({"phone", "slip", "social"})
# How long after it was sent a notice can still come back; a reading, the law counts no days here.
RETURN_DAYS = 60

# Which of a person's addresses a channel needs; social media find people by their e-mail.
BY_WAY_OF = {"email": "email", "social": "email", "sms": "phone", "phone": "phone", "post": "home"}

FOR_EVER = date(9999, 1, 1)
NOT_AT_ALL = date(1900, 1, 1)


class Said(NamedTuple):
    """One thing said or told; an empty purpose is all advertising, an empty channel every one."""

    day: date
    what: str  # sale, yes, no, unproven
    purpose: str = ""
    channel: str = ""
    company: str = ""


class Told(NamedTuple):
    """One time the person was given the first information, and by which way."""

    day: date
    by: str  # web, portal, email, home, phone, slip, social
    nth: int = (
        0  # which of the day's events it was: what came back in the morning was written before
    )


class Heard(NamedTuple):
    """What all that was said comes to for one use."""

    refused: bool = False
    yes: date | None = None
    sale: bool = False


@dataclass(frozen=True)
class House:
    """What we have seen to ourselves: until when each balance holds, when NIX was last copied."""

    weighed: Mapping[str, date]
    washed: Mapping[str, date]


@dataclass(frozen=True)
class Person:
    """One person; None as an end means that it has not come."""

    last_contact: date
    subscriptions: tuple[tuple[date, date | None], ...] = ()
    # (ordered, delivered); cancelled orders are left out, they change nothing (RUL-12).
    orders: tuple[tuple[date, date | None], ...] = ()
    born: date | None = None
    says_adult: bool = False
    told: tuple[Told, ...] = ()
    restriction: str = ""
    # Whether the register of a channel lists them; None when nobody has asked it since the number
    # or the address was given.
    nix: Mapping[str, bool | None] = field(default_factory=dict)
    protected: bool = False
    deceased: bool = False
    # What we have of: "email", "phone", "home".
    ways: frozenset[str] = frozenset({"email", "phone", "home"})
    # Ways by which what we sent came back, and when; a new address takes its own away.
    returned: Mapping[str, date] = field(default_factory=dict)
    # The same for good: every day on which something came back, by which way.
    came_back: tuple[Told, ...] = ()
    # The day of an older no that an address or a number carries.
    old_no: Mapping[str, date] = field(default_factory=dict)
    # (asked, answered)
    questions: tuple[tuple[date, date | None], ...] = ()
    credit_used: date | None = None
    unpaid_since: date | None = None


def months_after(day: date, months: int) -> date:
    """Count calendar months, back to the last day where a month is too short."""
    years, month = divmod(day.month - 1 + months, 12)
    for number in (day.day, 30, 29, 28):
        try:
            return date(day.year + years, month + 1, number)
        except ValueError:
            continue
    raise AssertionError(day)


def birthday(born: date, years: int) -> date:
    """Return the day an age is reached; a leap-day child's is the first of March."""
    try:
        return born.replace(year=born.year + years)
    except ValueError:
        return date(born.year + years, 3, 1)


def hear(said: Sequence[Said], purpose: str, channel: str, company: str = "") -> Heard:
    """Go through what was said in its order and keep what bears on one use."""
    heard = Heard()
    for word in said:
        about_all = word.purpose == "" and purpose in ADVERTISING
        by_any = word.channel in ("", channel)
        if word.what == "no":
            if (about_all or word.purpose == purpose) and by_any and company_fits(word, company):
                heard = heard._replace(refused=True, yes=None, sale=False)
        elif word.what == "yes":
            if (word.purpose, word.channel, word.company) == (purpose, channel, company):
                heard = heard._replace(refused=False, yes=word.day)
        elif word.what == "sale":
            heard = heard._replace(sale=not heard.refused)
    return heard


def company_fits(no: Said, company: str) -> bool:
    """OBJ-02: a no that names no company reaches every one."""
    return no.company in ("", company)


def was_told(person: Person) -> bool:
    """INF-02, INF-04: the whole information was delivered, by one way at least."""
    return any(
        notice.by not in IN_SHORT
        and not any(
            back.by == notice.by
            and 0 <= (back.day - notice.day).days <= RETURN_DAYS
            and (back.day, back.nth) >= (notice.day, notice.nth)
            for back in person.came_back
        )
        for notice in person.told
    )


def reached_until(person: Person) -> date:
    """RET-05, RUL-28: when all ways have come back, whom no relation holds is let go that day."""
    if not person.returned or person.ways - set(person.returned):
        return FOR_EVER
    return max(*person.returned.values(), related_until(person))


def subscribed_until(person: Person) -> date | None:
    """Return the last day of the last subscription."""
    ends = [end or FOR_EVER for _start, end in person.subscriptions]
    return max(ends) if ends else None


def delivered_until(person: Person) -> date | None:
    """Return the day of the last delivery; an order on its way has none yet."""
    ends = [delivered or FOR_EVER for _ordered, delivered in person.orders]
    return max(ends) if ends else None


def related_until(person: Person) -> date:
    """RUL-12: a live subscription or an open order."""
    ends = [day for day in (subscribed_until(person), delivered_until(person)) if day]
    return max(ends) if ends else NOT_AT_ALL


def after_end(person: Person, months: int) -> date:
    """Count a window from the end of the relation; who never bought anything has none."""
    start = subscribed_until(person) or delivered_until(person)
    if start is None:
        return NOT_AT_ALL
    return FOR_EVER if start == FOR_EVER else months_after(start, months)


def has_reason(person: Person, heard: Heard, purpose: str, on: date) -> bool:
    """Say whether something that lives needs this purpose (policy A-K, RUL-11, RUL-12)."""
    if purpose == "B" and any(b is None or on <= b for _a, b in person.questions):
        return True  # RUL-23: the person's own case
    if purpose == "C" and heard.yes is not None and related_until(person) != NOT_AT_ALL:
        ceiling = min(after_end(person, CEILING_MONTHS), reached_until(person))
        return on <= max(related_until(person), ceiling)  # RUL-10
    if purpose in ("A", "B", "C", "D", "J", "K"):
        return on <= related_until(person)
    if purpose == "G":
        return any(a <= on and (b is None or on <= b) for a, b in person.subscriptions)
    if purpose == "A2":
        used = person.credit_used
        return used is not None and (on - used).days <= 30
    if purpose == "L2":
        due = person.unpaid_since
        return due is not None and on <= months_after(due, 36)
    if on > reached_until(person):
        return False
    if subscribed_until(person) is None and delivered_until(person) is None:
        return on <= months_after(person.last_contact, PROSPECT_MONTHS)
    return on <= after_end(person, CEILING_MONTHS)


def has_permission(person: Person, heard: Heard, purpose: str, asks: str, on: date) -> bool:
    """MFL-01, MFL-02, MFL-04, MFL-06; CON-05 for a yes that nobody has heard of since."""
    if asks == FREE:
        return True
    if heard.refused:
        return False
    if heard.yes is not None:
        heard_of = max(heard.yes, person.last_contact)
        fresh = purpose not in ADVERTISING or on <= months_after(heard_of, YES_MONTHS)
        return fresh and heard.yes <= on
    if purpose in READS_DEVICE:
        return False
    if asks == UNLESS_NO:
        return was_told(person)
    return asks == SALE and heard.sale and on <= after_end(person, SALE_MONTHS)


def old_enough(person: Person, heard: Heard, purpose: str, on: date) -> bool:
    """RUL-03, RUL-04: a birth date wins over what is said; a subscription says it."""
    if purpose not in OF_AGE | FROM_SIXTEEN:
        return True
    if person.born is None:
        return person.says_adult or bool(person.subscriptions)
    by_yes = purpose in FROM_SIXTEEN and heard.yes is not None
    return on >= birthday(person.born, 16 if by_yes else 18)


def nix_lets(person: Person, heard: Heard, purpose: str, channel: str, on: date) -> bool:
    """NIX-03, NIX-04, RUL-31; surveys are asked only of customers, whom NIX does not hide.

    Whom the register was not asked about may be in it (NIX-01).
    """
    if purpose not in ADVERTISING or channel not in NIX_MONTHS:
        return True
    if person.nix.get(channel) is False:
        return True
    if heard.yes is not None and on <= months_after(heard.yes, NAMED_YES_MONTHS):
        return True
    return purpose != "P" and on <= after_end(person, NIX_MONTHS[channel])


def washed(house: House, heard: Heard, purpose: str, channel: str, on: date) -> bool:
    """NIX-01, RUL-31: no call and no letter by an old copy of NIX, but for a yes that names us."""
    if purpose not in ADVERTISING or channel not in NIX_MONTHS:
        return True
    if heard.yes is not None and on <= months_after(heard.yes, NAMED_YES_MONTHS):
        return True
    return channel in house.washed and (on - house.washed[channel]).days <= WASHED_DAYS


def weighed(house: House, heard: Heard, purpose: str, on: date) -> bool:
    """LAW-02: our interest has been weighed and lately enough, unless the person's yes carries."""
    if purpose not in WEIGHED or heard.yes is not None:
        return True
    return purpose in house.weighed and on <= house.weighed[purpose]


def way_is_open(person: Person, heard: Heard, purpose: str, channel: str) -> bool:
    """RUL-28, ERA-06: an address there is, and for advertising one that works and carries no no."""
    way = BY_WAY_OF.get(channel)
    if way is None:
        return True
    if way not in person.ways:
        return False
    if purpose not in ADVERTISING:
        return True
    carried = person.old_no.get(way)
    lifted = heard.yes is not None and carried is not None and heard.yes >= carried
    return way not in person.returned and (carried is None or lifted)


def person_allows(person: Person, purpose: str, channel: str) -> bool:
    """Judge what does not depend on the day: death, restriction, protection.

    A yes said under a restriction waits until it is lifted (RES-02).
    """
    if person.deceased and purpose in CAN_BE_REFUSED:
        return False
    if person.restriction == "v" and purpose not in GOES_ON_LIMITED:
        return False
    if person.restriction not in ("", "v") and purpose not in GOES_ON_RESTRICTED:
        return False
    hidden = purpose in ("F", "P") or (purpose in ADVERTISING and channel in ("post", "phone"))
    return not (person.protected and hidden)


# All seen to for good, for whoever asks about people only.
IN_ORDER = House(
    weighed=dict.fromkeys(WEIGHED, FOR_EVER), washed=dict.fromkeys(NIX_MONTHS, FOR_EVER)
)


def may(
    person: Person,
    heard: Heard,
    purpose: str,
    channel: str,
    on: date,
    house: House = IN_ORDER,
    promotes: bool = False,
) -> bool:
    """Answer for one person, one use and one day."""
    return (
        (purpose in ADVERTISING or not promotes)  # OBJ-03
        and person_allows(person, purpose, channel)
        and way_is_open(person, heard, purpose, channel)
        and (was_told(person) or purpose not in ADVERTISING)  # INF-02
        and has_reason(person, heard, purpose, on)
        and has_permission(person, heard, purpose, TABLE[purpose][channel], on)
        and old_enough(person, heard, purpose, on)
        and nix_lets(person, heard, purpose, channel, on)
        and washed(house, heard, purpose, channel, on)
        and weighed(house, heard, purpose, on)
    )


__all__ = [
    "TABLE",
    "Heard",
    "House",
    "Person",
    "Said",
    "Told",
    "hear",
    "may",
    "months_after",
    "replace",
]
