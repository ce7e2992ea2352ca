"""May we, worked out anew from plain facts: sections 2, 5 and 8 of the law, policy and rulings.

Shares nothing with the product: purposes, channels and windows have tables of their own here, dates
are counted by hand, and a person is plain data. The question is asked of a day on or after all
facts; first and last days belong to what they bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

# CHI-02, RUL-04: of age for advertising and credit; sixteen with a yes for these.
FROM_SIXTEEN = frozenset("CDEJ")
OF_AGE = frozenset({"F", "G", "H", "I", "P", "A2"})

# RES-02 to RES-04.
GOES_ON_RESTRICTED = frozenset({"B", "K", "L2"})
GOES_ON_LIMITED = GOES_ON_RESTRICTED | {"A", "A2"}

# MFL-06: months after the end, both days included.
SALE_MONTHS, NIX_MONTHS = 12, {"phone": 6, "post": 12}
CEILING_MONTHS, PROSPECT_MONTHS, NAMED_YES_MONTHS = 36, 12, 3

FOR_EVER = date(9999, 1, 1)
NOT_AT_ALL = date(1900, 1, 1)


class Said(NamedTuple):
    """One thing said or told; an empty purpose is all advertising, an empty channel every one."""

    day: date
    what: str  # notice, sale, yes, no, unproven
    purpose: str = ""
    channel: str = ""
    company: str = ""


class Heard(NamedTuple):
    """What all that was said comes to for one use."""

    refused: bool = False
    yes: date | None = None
    sale: bool = False
    told: bool = False


@dataclass(frozen=True)
class Person:
    """One person; None as an end means that it has not come."""

    last_contact: date
    subscriptions: tuple[tuple[date, date | None], ...] = ()
    # (ordered, delivered); cancelled orders are left out, they change nothing (RUL-12).
    orders: tuple[tuple[date, date | None], ...] = ()
    born: date | None = None
    says_adult: bool = False
    noticed: bool = True
    restriction: str = ""
    nix: bool = False
    protected: bool = False
    deceased: bool = False
    email: bool = True
    phone: bool = True
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
        elif word.what == "notice":
            heard = heard._replace(told=True)
    return heard


def company_fits(no: Said, company: str) -> bool:
    """OBJ-02: a no that names no company reaches every one."""
    return no.company in ("", company)


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


def has_reason(person: Person, purpose: str, on: date) -> bool:
    """Say whether something that lives needs this purpose (policy A-K, RUL-11, RUL-12)."""
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
    if subscribed_until(person) is None and delivered_until(person) is None:
        return on <= months_after(person.last_contact, PROSPECT_MONTHS)
    return on <= after_end(person, CEILING_MONTHS)


def has_permission(person: Person, heard: Heard, asks: str, on: date) -> bool:
    """MFL-01, MFL-02, MFL-04, MFL-06."""
    if asks == FREE:
        return True
    if heard.refused:
        return False
    if heard.yes is not None:
        return heard.yes <= on
    if asks == UNLESS_NO:
        return heard.told
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
    """NIX-03, NIX-04, RUL-31; surveys are asked only of customers, whom NIX does not hide."""
    if not person.nix or purpose not in ADVERTISING or channel not in NIX_MONTHS:
        return True
    if heard.yes is not None and on <= months_after(heard.yes, NAMED_YES_MONTHS):
        return True
    return purpose != "P" and on <= after_end(person, NIX_MONTHS[channel])


def person_allows(person: Person, purpose: str, channel: str) -> bool:
    """Judge what does not depend on the day: death, restriction, protection, a way to reach."""
    if person.deceased and purpose in CAN_BE_REFUSED:
        return False
    if person.restriction == "v" and purpose not in GOES_ON_LIMITED:
        return False
    if person.restriction not in ("", "v") and purpose not in GOES_ON_RESTRICTED:
        return False
    hidden = purpose in ("F", "P") or (purpose in ADVERTISING and channel in ("post", "phone"))
    if person.protected and hidden:
        return False
    if channel == "email":
        return person.email
    return person.phone or channel not in ("sms", "phone")


def may(person: Person, heard: Heard, purpose: str, channel: str, on: date) -> bool:
    """Answer for one person, one use and one day."""
    return (
        person_allows(person, purpose, channel)
        and (person.noticed or purpose not in ADVERTISING)  # INF-02
        and has_reason(person, purpose, on)
        and has_permission(person, heard, TABLE[purpose][channel], on)
        and old_enough(person, heard, purpose, on)
        and nix_lets(person, heard, purpose, channel, on)
    )


__all__ = ["TABLE", "Heard", "Person", "Said", "hear", "may", "months_after", "replace"]
