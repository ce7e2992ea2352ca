"""What every night leaves against tests/oracles/retention.py, which shares no code with us.

20,300 generated histories, and small worlds drawn by hypothesis that are read through the calendar.
"""

import os
from collections import Counter
from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings

from consent.models import Event, EventDetail, ProcessingRecord
from customers.dates import FAR
from customers.models import Customer
from customers.personal_data import Category
from retention import plans
from retention.models import Run
from retention.rules import calendar
from tests import history_nights as nights
from tests import worlds
from tests.histories import NIGHTS, Pen
from tests.history_tables import World
from tests.oracles import retention as law

pytestmark = pytest.mark.django_db
OF_THE_PERSON = (Category.IDENTITY, Category.CONTACT, Category.ADDRESS)
# 14 x 1,450 in `make histories`; the suite has the first ones.
PARTS, PEOPLE = int(os.environ.get("HISTORIES", "2")), 1450


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_of_many_histories_goes_too_early_or_is_left_too_late(part: int) -> None:
    world = World(Pen(seed=part).lives(PEOPLE))
    world.lay()
    for on in NIGHTS:
        assert nights.differences(world, on)[:5] == []
        run = Run.objects.get(business_date=on)
        assert plans.done(run).hash == run.plan_hash
        # A night that takes of few rules says little.
        assert run.people > PEOPLE // 20
        assert len(run.counts) >= (9 if on == NIGHTS[0] else 10)
    assert len(world.alive) < PEOPLE * 9 // 10
    assert len(world.erased) > PEOPLE // 17


def test_the_histories_are_of_every_kind() -> None:
    lives = Pen(seed=0).lives(2000)
    rows = [row for life in lives for row in life.rows]
    kinds = Counter(row.table for row in rows)
    assert len(kinds) == 17, sorted(kinds)
    assert min(kinds.values()) > 100
    said = {act.kind for life in lives for act in life.script}
    assert said == {"notice", "soft", "yes", "no", "unsubscribed", "objection"}
    known = Counter(name for row in rows for _, values in row.later for name in values)
    for column in (
        *("deceased_on", "restriction", "email_returned_on", "returned_on", "lifted_at"),
        *("withdrawn_on", "cancelled_on", "paid_on", "linked_year_id", "national_id_used_on"),
    ):
        assert known[column] > 40, column
    several = [life for life in lives if len(life.of("customers_subscription")) > 1]
    assert len(several) > 400


# Small worlds, made by the actions and read through the calendar


def facts_of(customer: Customer, life: worlds.Life) -> law.Facts:
    """Read back what was made of a life: overlapping subscriptions are left out in a world."""
    said = []
    if life.notice:
        said = [law.Said(life.since, "notice"), law.Said(life.since, "soft")]
    for event in Event.objects.filter(customer=customer).order_by("pk"):
        if event.kind in NOES or event.kind == Event.Kind.CONSENT_GIVEN:
            what = "no" if event.kind in NOES else "yes"
            about = (event.purpose, event.channel, event.third_party)
            said.append(law.Said(_day(event.at), what, *about))
    return law.Facts(
        last_contact=life.since,
        subscriptions=list(customer.subscriptions.values_list("started_on", "ended_on")),
        orders=[
            (day, None, None) for day in customer.orders.values_list("delivered_on", flat=True)
        ],
        debts=[day for day, paid in life.invoices if not paid],
        questions=[
            (_day(opened), closed)
            for opened, closed in customer.support_cases.values_list("opened_at", "closed_on")
        ],
        said=said,
        deceased=life.deceased_on,
        ways=[life.returned_on] * 3,
    )


NOES = (Event.Kind.OBJECTED, Event.Kind.CONSENT_WITHDRAWN)


def _day(moment: datetime) -> date:
    return date(moment.year, moment.month, moment.day)


def _last(day: date) -> date:
    return law.OPEN if day >= FAR else day


# Mail came back from every address of a former customer, and of somebody who only asked.
LOST = worlds.Life(
    since=date(2020, 3, 1),
    notice=True,
    spans=[(date(2020, 3, 1), 700)],
    deliveries=[],
    invoices=[],
    questions=[],
    choices=[],
    total_no=None,
    restriction="",
    deceased_on=None,
    born=None,
    nix=False,
    held=0,
    lifted=False,
    returned_on=date(2023, 5, 2),
)
LOST_EARLY = replace(LOST, since=date(2026, 3, 1), spans=[], returned_on=date(2026, 5, 2))


@example(LOST)
@example(LOST_EARLY)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(worlds.lives)
def test_every_last_day_is_the_one_the_law_gives(life: worlds.Life) -> None:
    with worlds.world([life]) as (customer,):
        person = law.Person(facts_of(customer, life))
        records = {r.purpose: r for r in ProcessingRecord.objects.filter(customer=customer)}
        for code in ("H", "A", "B", "K", "G"):
            found = _last(records[code].retain_until) if code in records else None
            assert found == person.purpose(code), code
        entries = {entry.category: entry for entry in calendar(customer)}
        for category in OF_THE_PERSON:
            assert _days(entries, category) == [person.master], category
        bought = [*customer.subscriptions.values_list("ended_on", flat=True)]
        bought += customer.orders.values_list("delivered_on", flat=True)
        assert _days(entries, Category.PURCHASES) == sorted(map(law.purchase, bought))
        billed = [law.verification(date(day.year, 12, 31)) for day, _ in life.invoices]
        assert _days(entries, Category.INVOICES) == sorted(billed)
        asked = [law.question(closed) for _, closed in person.facts.questions]
        assert _days(entries, Category.SUPPORT) == sorted(asked)
        assert _days(entries, Category.HISTORY) == [person.change(life.since)]
        # A standing lasts as the person's proof does, the words behind it by what rests on them.
        numbers = list(Event.objects.filter(customer=customer).order_by("pk").values_list("pk"))
        stand = [person.proof] * customer.standings.count()
        said = [
            person.words(numbers.index((detail.pk,)))
            for detail in EventDetail.objects.filter(event__customer=customer)
        ]
        assert _days(entries, Category.PROOF) == sorted(stand + said)


def _days(entries: dict[Category, object], category: Category) -> list[date]:
    found = getattr(entries.get(category), "last_days", {})
    return sorted(_last(day) for day, rows in found.items() for _ in range(rows))
