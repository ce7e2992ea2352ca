"""From the ledger to what holds now: how one event changes the standing of one use.

The rule as it is read and replayed. `consent.ledger` writes it as SQL, one statement for an act and
its standings; the tests replay every ledger they make and hold the two together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date

from consent.models import Authority, Event, Standing
from consent.purposes import BY_CODE, CATALOGUE, Objection, Permission, Use, chosen_uses
from customers.dates import FAR, NEVER, stockholm_date
from customers.models import Customer
from customers.models.people import Restriction

Kind = Event.Kind
Held = Standing.Permission
# Four verbs, told apart in the ledger and by how much they reach; each shuts what it reaches. The
# fourth, a restriction, changes no standing: lifted, everything is as it was.
REFUSALS = (Kind.CONSENT_WITHDRAWN, Kind.OBJECTED, Kind.UNSUBSCRIBED, Kind.OBJECTED_TO_USE)

KEPT_YEARS = 5  # the words behind an entry, from when it stopped applying (RUL-27)
# What speaks for a use, and for nothing when it opens none.
OPENING = (Kind.SOFT_OPT_IN, Kind.CONSENT_GIVEN, Kind.UNPROVEN)


@dataclass(frozen=True)
class State:
    """The standing of one use, without its key."""

    permission: str
    declined: bool
    opens: date
    closes: date
    since: date
    authority: int


def applies_to(event: Event) -> Iterator[Use]:
    """Yield the uses that an event speaks of; an empty purpose means all marketing (OBJ-02)."""
    if event.kind in (Kind.RESTRICTED, Kind.UNRESTRICTED):
        return
    if event.kind == Kind.NOTICE_SERVED:
        yield from (use for use in chosen_uses() if use.permission is Permission.OPT_OUT)
        return
    for purpose in CATALOGUE:
        if event.purpose and purpose.code != event.purpose:
            continue
        if not event.purpose and purpose.objection is not Objection.MARKETING:
            continue
        if purpose.named_third_party and not event.third_party:
            continue
        for channel, permission in purpose.channels.items():
            if permission is Permission.NONE or (event.channel and channel != event.channel):
                continue
            if event.kind == Kind.SOFT_OPT_IN and permission is not Permission.SOFT_OPT_IN:
                continue
            third_party = event.third_party if purpose.named_third_party else ""
            yield Use(purpose.code, channel.value, third_party)


def after(state: State | None, event: Event) -> State | None:
    """Return the standing of a use after an event that speaks of it; None where there is none.

    A refusal falls only to the person's own yes (OBJ-06), and that yes to none that others tell of
    or that is older. A yes that a refusal overrules is not asked about here.
    """
    day = stockholm_date(event.at)
    match event.kind:
        case Kind.NOTICE_SERVED:
            # A yes without proof counts as none (CON-02); what needs no yes opens all the same.
            if state is None or (state.permission == Held.NONE and not state.declined):
                return State(Held.OPT_OUT, False, day, FAR, day, event.authority)
            return state
        case Kind.UNPROVEN:
            return state or State(Held.NONE, False, FAR, NEVER, day, event.authority)
        case Kind.SOFT_OPT_IN:
            if state is None or not (state.declined or state.permission == Held.CONSENT):
                return State(Held.SOFT, False, day, FAR, day, event.authority)
            return state
        case Kind.CONSENT_GIVEN:
            return _agreed(state, day, event.authority)
        case _ if event.kind in REFUSALS:
            return _refused(state, day, event.authority)
        case _:
            return state


def _agreed(state: State | None, day: date, authority: int) -> State:
    if state is not None and state.declined and authority != Authority.PERSON:
        return state
    agreed = state is not None and state.permission == Held.CONSENT and not state.declined
    if state is not None and agreed and (authority, day) < (state.authority, state.opens):
        return state
    return State(Held.CONSENT, False, day, FAR, day, authority)


def _refused(state: State | None, day: date, authority: int) -> State:
    if state is None:
        return State(Held.NONE, True, FAR, NEVER, day, authority)
    if state.declined:
        return state
    # The day itself still counts for storage (RUL-34); the refusal acts at once.
    closes = day if state.closes == FAR else NEVER
    return replace(state, declined=True, closes=closes, since=day, authority=authority)


def replay(events: Iterable[Event]) -> dict[Use, State]:
    """Return every standing that one person's events add up to, in the order of the ledger."""
    standings: dict[Use, State] = {}
    refusals: list[Event] = []
    for event in events:
        for use in targets(event, standings):
            if is_overruled(event, use, standings.get(use), refusals):
                continue
            state = after(standings.get(use), event)
            if state is not None:
                standings[use] = state
        if event.kind in REFUSALS:
            refusals.append(event)
    return standings


def stops(events: Iterable[Event]) -> dict[int, date]:
    """Return the last day of each entry on which no standing rests any more (RUL-27).

    An entry stops applying the day another takes its last use over; what opens something and never
    did, the day it is about. A refusal that changed nothing says the same no as the one before it,
    and the first notice is proof as long as the person is known (RUL-25): neither is here.
    """
    standings: dict[Use, State] = {}
    rests: dict[Use, int] = {}
    refusals: list[Event] = []
    notices: set[int] = set()
    said_on: dict[int, date] = {}
    found: dict[int, date] = {}
    for event in events:
        day = said_on[event.pk] = stockholm_date(event.at)
        left: set[int] = set()
        for use in targets(event, standings):
            before = standings.get(use)
            if is_overruled(event, use, before, refusals):
                continue
            state = after(before, event)
            if state is not None and state != before:
                standings[use] = state
                left |= {rests[use]} if use in rests else set()
                rests[use] = event.pk
        if event.kind in REFUSALS:
            refusals.append(event)
        if event.kind == Kind.NOTICE_SERVED:
            notices.add(event.pk)
        for entry in left.difference(rests.values(), notices):
            found[entry] = max(day, said_on[entry])
        if event.kind in OPENING and event.pk not in rests.values():
            found[event.pk] = day
    return found


def is_overruled(event: Event, use: Use, state: State | None, refusals: Iterable[Event]) -> bool:
    """Say whether a yes changes nothing for the refusals that were written before it (OBJ-06).

    A slip found afterwards is older than the latest no, be it by an hour (RUL-34). And what others
    tell of a yes opens nothing that a no to everything spoke of, such as a company that the person
    had not heard of then (RUL-30).
    """
    if event.kind != Kind.CONSENT_GIVEN:
        return False
    told = event.authority < Authority.PERSON
    nothing_held = told and (state is None or state.permission == Held.NONE)
    return any((r.at > event.at or nothing_held) and reaches(r, use) for r in refusals)


def reaches(event: Event, use: Use) -> bool:
    """Say whether a yes or a no speaks of a use; a no to everything does of every company too."""
    everything = event.purpose == "" and use.of.is_marketing
    return (
        (everything or event.purpose == use.purpose)
        and event.channel in ("", use.channel)
        and event.third_party in ("", use.third_party)
    )


def limits(events: Iterable[Event]) -> list[str]:
    """Return the grounds of the restrictions in force, the one that decides last (RES-01, RES-03).

    The person's own limit ends by their own word and by no other; it lasts beneath one that the law
    sets, and is what is left when that one is lifted, with notice and by us (RES-05).
    """
    found: list[str] = []
    for event in events:
        if event.kind == Kind.RESTRICTED:
            found = [ground for ground in found if ground != event.ground] + [event.ground]
        elif event.kind == Kind.UNRESTRICTED:
            by_person = event.authority == Authority.PERSON
            found = [
                ground
                for ground in found
                if (ground == Restriction.VOLUNTARY) is not by_person
                or event.ground not in ("", ground)
            ]
    return sorted(found, key=lambda ground: ground != Restriction.VOLUNTARY)


def limits_of(customer: Customer) -> list[str]:
    """Return the grounds of a person's restrictions in force, as `limits` does."""
    said = Event.objects.filter(customer=customer, kind__in=(Kind.RESTRICTED, Kind.UNRESTRICTED))
    return limits(said.order_by("pk"))


def targets(event: Event, standings: dict[Use, State]) -> Iterator[Use]:
    """Yield the uses of an event, with the named partners a total refusal reaches (RUL-30)."""
    yield from applies_to(event)
    if event.kind in REFUSALS and not event.third_party:
        for use in list(standings):
            named = BY_CODE[use.purpose].named_third_party
            spoken_of = event.purpose in ("", use.purpose) and event.channel in ("", use.channel)
            if named and spoken_of:
                yield use
