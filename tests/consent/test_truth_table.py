"""The gate against the law, row by row: every pair of what can differ between people.

The people are written set-based: one history per way of answering is told as ledger entries and
replayed, and its standings are copied to everybody who answered so.
"""

import random
from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import combinations, product
from typing import Any, NamedTuple

import pytest
from django.db import connection

from consent import records
from consent.conditions import CONDITIONS
from consent.decisions import OURS
from consent.models import Authority, BalancingRecord, Event, NixSnapshot, Standing
from consent.purposes import Use, chosen_uses
from consent.rules import compiled, may_process_many
from consent.standing import replay
from customers.models import Address, Customer, Order, Subscription, SupportCase
from customers.models.channels import Collected
from tests import cast, groundwork
from tests.oracles import gate as law

pytestmark = pytest.mark.django_db

ON = date(2026, 5, 31)
BEGAN = date(2020, 2, 29)
PARTNER = "munvard-vast"
USES = [
    Use(purpose, channel, PARTNER if purpose == "P" else "")
    for purpose, channels in law.TABLE.items()
    for channel in channels
    if purpose != "L2"  # an unpaid invoice has a test of its own below
]
ASKED = [use for use in USES if use.permission.value != "none"]

ALL_WAYS = ("email", "phone", "home")
FACTORS: dict[str, tuple[Any, ...]] = {
    "relation": (
        *("customer", "prospect", "old prospect", "open order", "buyer", "old buyer"),
        *("ended 3", "ended 7", "ended 13", "ended 37", "asks"),
    ),
    "permission": ("none", "soft", "yes", "older yes", "aged yes", "one yes", "unproven"),
    "objection": ("none", "email", "phone", "total", "each"),
    "restriction": ("", "a", "v"),
    "nix": (False, True, None),
    "age": ("confirmed", "unknown", "15", "15 confirmed", "16", "17", "18"),
    "protected": (False, True),
    "deceased": (False, True),
    "told": ("web", "", "phone", "bounced"),
    "silent": (False, True),
    "reached": (
        "by all",
        "bad all",
        *(f"{fact} {way}" for way in ALL_WAYS for fact in ("no", "bad", "shut")),
    ),
}


class Row(NamedTuple):
    relation: str
    permission: str
    objection: str
    restriction: str
    nix: bool | None
    age: str
    protected: bool
    deceased: bool
    told: str
    silent: bool
    reached: str

    @property
    def answers(self) -> tuple[str, str, bool]:
        return self.permission, self.objection, bool(self.told)


def rows() -> list[Row]:
    """Take a fourth of the pairs of deviations from each relation and permission, some at random.

    Close to an open use every factor shows; far from it something else has refused already. What
    is said and who dies today shows that both act at once and not from the next day (RUL-34).
    """
    found: dict[Row, None] = {}
    usual = {name: values[0] for name, values in FACTORS.items()}
    others = [
        (n, v)
        for n in FACTORS
        if n not in ("relation", "permission", "reached")
        for v in FACTORS[n][1:]
    ]
    pairs = list(combinations(others, 2))
    starts = product(FACTORS["relation"], FACTORS["permission"])
    for turn, (relation, permission) in enumerate(starts):
        start = usual | {"relation": relation, "permission": permission}
        for reached in FACTORS["reached"]:
            found[Row(**start | {"reached": reached})] = None
        for (a, x), (b, y) in pairs[turn % 4 :: 4]:
            found[Row(**start | {a: x, b: y})] = None
    draw = random.Random(3)
    for _ in range(500):
        found[Row(*(draw.choice(values) for values in FACTORS.values()))] = None
    return list(found)


# How many months ago; the third has aged, unless the person has been heard of since (CON-05).
YES = {"yes": 2, "older yes": 4, "aged yes": 25}
# Between the two, so that one of them is older and one newer than the no of the address.
OLD_NO = law.months_after(ON, -3)


def said(row: Row) -> tuple[law.Said, ...]:
    """Tell the history behind a row's permission and objection, oldest first."""
    told: list[law.Said] = []
    if row.permission == "unproven":
        told += [law.Said(BEGAN, "unproven", u.purpose, u.channel, u.third_party) for u in ASKED]
    if row.told:
        # In the ledger whichever way it was told; the law asks how (Person.told).
        told.append(law.Said(BEGAN, "notice"))
    if row.permission == "soft":
        told.append(law.Said(BEGAN, "sale"))
    if row.permission in YES:
        day = law.months_after(ON, -YES[row.permission])
        told += [law.Said(day, "yes", u.purpose, u.channel, u.third_party) for u in ASKED]
    if row.permission == "one yes":
        told.append(law.Said(OLD_NO, "yes", "C", "sms"))
    if row.objection == "each":
        told += [law.Said(ON, "no", u.purpose, u.channel, u.third_party) for u in ASKED]
    elif row.objection != "none":
        channel = "" if row.objection == "total" else row.objection
        told.append(law.Said(ON, "no", "", channel))
    return tuple(told)


KINDS = {
    "notice": (Event.Kind.NOTICE_SERVED, Authority.SYSTEM),
    "sale": (Event.Kind.SOFT_OPT_IN, Authority.SYSTEM),
    "yes": (Event.Kind.CONSENT_GIVEN, Authority.PERSON),
    "no": (Event.Kind.OBJECTED, Authority.PERSON),
    "unproven": (Event.Kind.UNPROVEN, Authority.STAFF),
}
ENDED = {
    name: law.months_after(ON, -int(name[6:])) for name in FACTORS["relation"] if "ended" in name
} | {"asks": law.months_after(ON, -40)}
BOUGHT = {
    "open order": (date(2026, 5, 20), None),
    "buyer": (law.months_after(ON, -9), law.months_after(ON, -8)),
    "old buyer": (law.months_after(ON, -39), law.months_after(ON, -38)),
}


def as_law_sees(row: Row) -> law.Person:
    spans: tuple[tuple[date, date | None], ...] = ()
    if row.relation == "customer" or row.relation in ENDED:
        spans = ((BEGAN, ENDED.get(row.relation)),)
    born = law.months_after(ON, -12 * int(row.age[:2]) - 1) if row.age[:2].isdigit() else None
    silent_for = 25 if row.silent else 13 if row.relation == "old prospect" else 5
    fact, _, way = row.reached.partition(" ")
    bad = (ALL_WAYS if way == "all" else [way]) if fact == "bad" else []
    told = (
        () if not row.told else (law.Told(BEGAN, "email" if row.told == "bounced" else row.told),)
    )
    return law.Person(
        last_contact=law.months_after(ON, -silent_for),
        subscriptions=spans,
        orders=(BOUGHT[row.relation],) if row.relation in BOUGHT else (),
        born=born,
        says_adult="confirmed" in row.age,
        told=told,
        came_back=(law.Told(BEGAN + timedelta(days=2), "email"),) if row.told == "bounced" else (),
        restriction=row.restriction,
        nix=dict.fromkeys(law.NIX_MONTHS, row.nix),
        protected=row.protected,
        deceased=row.deceased,
        ways=frozenset(ALL_WAYS) - {way if fact == "no" else ""},
        returned=dict.fromkeys(bad, ON),
        old_no={way: OLD_NO} if fact == "shut" else {},
        questions=((BEGAN, None),) if row.relation == "asks" else (),
        credit_used=ON - timedelta(days=30),
    )


def as_stored(number: int, person: law.Person) -> Customer:
    confirmed = person.says_adult or bool(person.subscriptions)  # as consent.facts.subscribe does
    return Customer(
        number=f"T{number}",
        given_name="Anna",
        family_name="Ek",
        email=f"p{number}@example.se" if "email" in person.ways else "",
        phone="+46701740635" if "phone" in person.ways else "",
        email_returned_on=ON if "email" in person.returned else None,
        phone_returned_on=ON if "phone" in person.returned else None,
        email_suppressed_on=person.old_no.get("email"),
        phone_suppressed_on=person.old_no.get("phone"),
        birth_date=person.born,
        adult_confirmed_on=BEGAN if confirmed else None,
        last_contact_on=person.last_contact,
        noticed_on=BEGAN if law.was_told(person) else None,  # as consent.facts does
        restriction=person.restriction,
        nix_phone=person.nix["phone"],
        nix_post=person.nix["post"],
        protection="secrecy" if person.protected else "",
        deceased_on=ON if person.deceased else None,
        national_id_used_on=person.credit_used,
    )


def write(people: list[law.Person]) -> list[int]:
    """Write the people and what they bought."""
    stored = Customer.objects.bulk_create([as_stored(n, p) for n, p in enumerate(people)])
    head = cast.product()
    Subscription.objects.bulk_create(
        Subscription(customer=c, product=head, started_on=a, ended_on=b, collected=Collected.WEB)
        for c, p in zip(stored, people, strict=True)
        for a, b in p.subscriptions
    )
    Order.objects.bulk_create(
        Order(
            number=f"O{c.pk}",
            customer=c,
            product=head,
            ordered_on=a,
            delivered_on=b,
            collected=Collected.WEB,
        )
        for c, p in zip(stored, people, strict=True)
        for a, b in p.orders
    )
    Address.objects.bulk_create(
        Address(
            customer=c,
            street="Björkgatan 4",
            postcode="58222",
            city="Linköping",
            given_on=BEGAN,
            returned_on=ON if "home" in p.returned else None,
            suppressed_on=p.old_no.get("home"),
        )
        for c, p in zip(stored, people, strict=True)
        if "home" in p.ways
    )
    SupportCase.objects.bulk_create(
        SupportCase(
            customer=c,
            subject="Hur byter jag huvud?",
            collected=Collected.EMAIL,
            opened_at=cast.noon(a),
            closed_on=b,
        )
        for c, p in zip(stored, people, strict=True)
        for a, b in p.questions
    )
    return [c.pk for c in stored]


def tell(customer_id: int, told: tuple[law.Said, ...]) -> None:
    """Write a history to the ledger and the standings that replaying it gives."""
    customer = Customer.objects.get(pk=customer_id)
    events = Event.objects.bulk_create(
        Event(
            customer=customer,
            kind=KINDS[word.what][0],
            purpose=word.purpose,
            channel=word.channel,
            third_party=word.company,
            collected=Collected.PORTAL,
            authority=KINDS[word.what][1],
            evidence_hash=b"kept" if word.what in ("yes", "sale") else b"",
            at=cast.noon(word.day),
        )
        for word in told
    )
    Standing.objects.bulk_create(
        Standing(
            customer=customer,
            purpose=use.purpose,
            channel=use.channel,
            third_party=use.third_party,
            event=events[-1],
            **vars(state),
        )
        for use, state in replay(events).items()
    )


COPY = """
    INSERT INTO consent_standing (customer_id, purpose, channel, third_party, permission, declined,
           opens, closes, since, authority, event_id)
    SELECT m.person, purpose, channel, third_party, permission, declined, opens, closes, since,
           authority, event_id
      FROM unnest(%s::bigint[], %s::bigint[]) AS m (template, person)
      JOIN consent_standing st ON st.customer_id = m.template
"""


def people_of(table: list[Row]) -> list[int]:
    """Write everybody in the table; who answered alike is told once and copied."""
    keys = write([as_law_sees(row) for row in table])
    first: dict[tuple[str, str, bool], int] = {}
    pairs = []
    for row, key in zip(table, keys, strict=True):
        if row.answers not in first:
            first[row.answers] = key
            tell(key, said(row))
        else:
            pairs.append((first[row.answers], key))
    with connection.cursor() as cursor:
        cursor.execute(COPY, [list(side) for side in zip(*pairs, strict=True)])
        cursor.execute("ANALYZE consent_standing, customers_customer")
    records.refresh(keys)
    return keys


# Days on which something may have ended by itself, the longest window included.
LATER = [
    law.months_after(ON, months) + timedelta(days=1) for months in (0, 1, 3, 6, 9, 12, 24, 36, 48)
]


def differences(
    table: list[Row],
    keys: list[int],
    house: law.House = law.IN_ORDER,
    uses: Iterable[Use] = USES,
) -> tuple[list[str], Counter[str]]:
    """Compare gate and law for everybody and every use; count the yeses per use."""
    persons = [as_law_sees(row) for row in table]
    words = {row.answers: said(row) for row in table}
    wrong: list[str] = []
    yes: Counter[str] = Counter()
    for use in uses:
        heard = {
            answers: law.hear(told, use.purpose, use.channel, use.third_party)
            for answers, told in words.items()
        }
        decisions = may_process_many(keys, use)
        for number, (row, person, key) in enumerate(zip(table, persons, keys, strict=True)):
            said_so, decision = heard[row.answers], decisions[key]

            def may(on: date, person: law.Person = person, said_so: law.Heard = said_so) -> bool:
                return law.may(person, said_so, use.purpose, use.channel, on, house)  # noqa: B023

            expected = may(ON)
            yes[f"{use.purpose} {use.channel}"] += expected
            if decision.allowed(ON) != expected:
                refused = [answer.name for answer in decision.refusals(ON)]
                wrong.append(f"{use} {row}: the law says {expected}; refused by {refused}")
            turn = decision.changes_on(ON)
            if turn is not None:
                if may(turn) == expected or may(turn - timedelta(days=1)) != expected:
                    wrong.append(f"{use} {row}: {expected} turns on {turn}, not by the law")
            elif (expected or number % 7 == 0) and any(may(d) != expected for d in LATER):
                wrong.append(f"{use} {row}: {expected} turns by the law, not by the gate")
    return wrong, yes


@pytest.mark.breaks(2)  # copied standings lean on the entry of whoever answered first
def test_every_row_of_the_table_is_as_the_law_says() -> None:
    table = rows()
    wrong, yes = differences(table, people_of(table))
    assert not wrong, f"{len(wrong)} of {len(USES) * len(table)}:\n" + "\n".join(wrong[:20])
    assert all(yes.values()), yes  # no use is shut to everybody, or the table would prove nothing


# Until when each purpose is weighed, and when NIX was copied.
A_DAY = timedelta(days=1)
HOUSES = {
    "nothing done": (None, None),
    "the last day": (ON, ON - 30 * A_DAY),
    "the day after": (ON - A_DAY, ON - 31 * A_DAY),
    "weighed, not washed": (ON + 400 * A_DAY, None),
    "washed, not weighed": (None, ON - 2 * A_DAY),
}


def see_to(weighed: date | None, washed: date | None) -> law.House:
    """Put what a house has seen to in the place of what the tests have laid in.

    Older and unapproved records lie beside those that count, and say otherwise.
    """
    groundwork.take_away()
    anyone = {"interest": "i", "necessity": "n", "balance": "b", "owner_id": 1}
    for purpose in law.WEIGHED:
        until = weighed or ON
        days = (until - 200 * A_DAY, None if weighed is None else 2, until)
        older, newer = until - 300 * A_DAY, until - 100 * A_DAY
        records = [days, (newer, None, newer + 700 * A_DAY)]
        if weighed is not None:
            records.append((older, 2, older + 700 * A_DAY))
        BalancingRecord.objects.bulk_create(
            BalancingRecord(purpose=purpose, decided_on=a, approved_by_id=by, review_on=b, **anyone)
            for a, by, b in records
        )
    if washed is not None:
        NixSnapshot.objects.bulk_create(
            NixSnapshot(register=register, taken_on=day, entries=1)
            for register in law.NIX_MONTHS
            for day in (washed, washed - 90 * A_DAY)
        )
    return law.House(
        weighed={} if weighed is None else dict.fromkeys(law.WEIGHED, weighed),
        washed={} if washed is None else dict.fromkeys(law.NIX_MONTHS, washed),
    )


@pytest.mark.breaks(2)  # copied standings lean on the entry of whoever answered first
@pytest.mark.breaks(2)
def test_what_we_have_not_seen_to_is_shut_as_the_law_says() -> None:
    table = rows()[::11]
    keys = people_of(table)
    for name, days in HOUSES.items():
        wrong, _yes = differences(table, keys, see_to(*days))
        assert not wrong, f"{name}: {len(wrong)}:\n" + "\n".join(wrong[:20])


# What the table cannot tell: E asks for a yes as it is, and nothing in the table promotes.
TOLD_ELSEWHERE = {"device", "no_promotion"}


@pytest.mark.breaks(2)  # copied standings lean on the entry of whoever answered first
@pytest.mark.breaks(2)
def test_every_condition_is_missed_when_it_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = rows()[::4]
    keys = people_of(table)
    missed = set()
    house = law.IN_ORDER
    # The two that ask about the house come last, when it has seen to nothing.
    for condition in sorted(CONDITIONS, key=lambda c: c.name in OURS):
        if condition.name in OURS:
            house = see_to(*HOUSES["nothing done"])
        others = tuple(other for other in CONDITIONS if other is not condition)
        monkeypatch.setattr("consent.conditions.CONDITIONS", others)
        compiled.cache_clear()
        # By the last uses that ask first: one that shows it is enough.
        asked = [use for use in reversed(USES) if condition.asked(use)]
        if any(differences(table, keys, house, [use])[0] for use in asked):
            missed.add(condition.name)
    monkeypatch.undo()
    compiled.cache_clear()
    assert missed == {c.name for c in CONDITIONS} - TOLD_ELSEWHERE


def test_the_table_covers_every_pair_of_factors() -> None:
    table = rows()
    for (a, xs), (b, ys) in combinations(FACTORS.items(), 2):
        met = {(getattr(row, a), getattr(row, b)) for row in table}
        assert met == {(x, y) for x in xs for y in ys}, (a, b)


def test_the_table_asks_about_every_use_of_the_catalogue() -> None:
    asked = {(use.purpose, use.channel) for use in USES}
    assert asked >= {(use.purpose, use.channel) for use in chosen_uses()}


@pytest.mark.parametrize("restriction", ["", "a", "b", "c", "d", "v"])
@pytest.mark.parametrize("due", [date(2026, 5, 1), date(2023, 5, 31), date(2023, 5, 30)])
def test_an_existing_debt_is_pursued_until_it_is_time_barred(restriction: str, due: date) -> None:
    anna = cast.person(restriction=restriction)
    cast.invoice(anna, date(2023, 4, 1), due_on=due, paid=False)
    person = law.Person(last_contact=BEGAN, restriction=restriction, unpaid_since=due)
    for channel in law.TABLE["L2"]:
        (decision,) = may_process_many([anna.pk], Use("L2", channel)).values()
        assert decision.allowed(ON) == law.may(person, law.Heard(), "L2", channel, ON)
