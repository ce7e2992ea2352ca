"""What holds for every history and every night, not only for the ones we thought of."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent import records
from consent.models import ProcessingRecord
from customers.models import Customer
from customers.personal_data import Category
from retention.actions import execute, open_run
from retention.models import Receipt
from retention.rules import calendar, plan
from tests import worlds

# Worlds are taken back whole, and the file of what was erased in them is not.
pytestmark = [pytest.mark.django_db, pytest.mark.breaks(6)]
many = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@many
@given(st.lists(worlds.lives, min_size=1, max_size=3), worlds.days)
def test_the_plan_of_a_day_is_the_effect_of_its_night(lives: list[worlds.Life], on: date) -> None:
    with worlds.world(lives) as people:
        names = {c.pseudonym: c.pk for c in people}
        planned = Counter({(p.customer_id, p.category): p.rows for p in plan(on)})
        run, _ = open_run(on)
        execute(run)
        receipts = Receipt.objects.filter(run=run, held_by="")
        done = Counter({(names[r.customer_id], r.category): r.row_count for r in receipts})
        assert planned == done
        assert list(plan(on)) == []


@many
@given(st.lists(worlds.lives, min_size=1, max_size=2), worlds.days)
def test_the_calendar_tells_what_is_left_after_the_night(
    lives: list[worlds.Life], on: date
) -> None:
    with worlds.world(lives) as people:
        expected = {c.pk: _left(c, on) for c in people}
        run, _ = open_run(on)
        execute(run)
        for pk, left in expected.items():
            found = Customer.objects.filter(pk=pk).first()
            actual = {e.category: e.rows for e in calendar(found)} if found else {}
            assert actual == left


def _left(customer: Customer, on: date) -> dict[Category, int]:
    left = {entry.category: entry.left_on(on) for entry in calendar(customer)}
    return {category: rows for category, rows in left.items() if rows}


@many
@given(st.lists(worlds.lives, min_size=1, max_size=2), worlds.days, worlds.days)
def test_two_nights_leave_what_the_later_one_alone_leaves(
    lives: list[worlds.Life], one: date, other: date
) -> None:
    first, last = sorted((one, other))
    with worlds.world(lives) as people:
        execute(open_run(last)[0])
        alone = [_everything(c) for c in people]
    with worlds.world(lives) as people:
        execute(open_run(first)[0])
        execute(open_run(last)[0])
        assert [_everything(c) for c in people] == alone


@many
@given(st.lists(worlds.lives, min_size=1, max_size=2), worlds.days)
def test_what_a_night_took_opens_or_shortens_no_purpose(lives: list[worlds.Life], on: date) -> None:
    with worlds.world(lives) as people:
        execute(open_run(on)[0])
        left = [c.pk for c in people if Customer.objects.filter(pk=c.pk).exists()]
        before = _live(left, on)
        records.refresh(left)
        assert _live(left, on) == before


def _live(keys: list[int], on: date) -> set[tuple[int, str, date, date]]:
    live = ProcessingRecord.objects.filter(customer__in=keys, ended_on=None, retain_until__gte=on)
    columns = ("customer_id", "purpose", "retain_until", "relation_ended_on")
    return set(live.values_list(*columns))


def _everything(customer: Customer) -> dict[Category, int]:
    found = Customer.objects.filter(pk=customer.pk).first()
    return {e.category: e.rows for e in calendar(found)} if found else {}
