"""Which nights are run: each once, in order, also after days without power."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from customers.dates import STOCKHOLM
from customers.models import AccessLog, Customer
from retention import estimates, tasks
from retention.actions import (
    execute,
    latest_night,
    open_missed_runs,
    open_run,
    purge_people,
)
from retention.models import Receipt, Run
from tests import cast

pytestmark = pytest.mark.django_db


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=STOCKHOLM)  # type: ignore[misc,arg-type]


def test_a_night_begins_at_half_past_two_in_stockholm() -> None:
    assert latest_night(at(2026, 11, 24, 2, 29)) == date(2026, 11, 23)
    assert latest_night(at(2026, 11, 24, 2, 30)) == date(2026, 11, 24)
    assert latest_night(at(2026, 3, 29, 3, 30)) == date(2026, 3, 29)


def test_the_first_night_opens_one_run_and_missed_nights_one_each() -> None:
    opened = open_missed_runs(at(2026, 11, 20, 3))
    assert [r.business_date for r in opened] == [date(2026, 11, 20)]
    opened = open_missed_runs(at(2026, 11, 23, 12))
    assert [r.business_date.day for r in opened] == [21, 22, 23]
    assert open_missed_runs(at(2026, 11, 23, 12)) == []


def test_two_beats_on_one_night_do_the_work_once() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    open_run(date(2026, 11, 20))
    tasks.purge("2026-11-20")
    receipts = Receipt.objects.count()
    tasks.purge("2026-11-20")
    assert receipts > 0
    assert Receipt.objects.count() == receipts
    assert Run.objects.get().status == Run.Status.DONE


def test_the_shares_of_a_night_go_on_with_the_next_without_becoming_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nights = [open_run(date(2026, 11, day))[0] for day in (20, 21, 22)]
    rung: list[str] = []
    monkeypatch.setattr(tasks.purge, "delay", rung.append)
    tasks.ring()
    while rung and len(rung) < 20:
        tasks.purge(rung.pop(0))
        assert len(rung) <= 2
    for night in nights:
        night.refresh_from_db()
        assert night.status == Run.Status.DONE


def test_a_closed_run_tells_its_counts_and_people() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    run = execute(open_run(date(2026, 11, 20))[0])
    assert run.people == 1
    assert sum(run.counts.values()) == sum(Receipt.objects.values_list("row_count", flat=True))
    assert run.finished_at is not None


def test_the_work_of_a_night_without_anyone_due_asks_little(
    django_assert_max_num_queries: Any,
) -> None:
    run, _ = open_run(date(2026, 11, 20))
    # Each table that too little is known of is looked at in four statements: what other tests left.
    with django_assert_max_num_queries(80 + 4 * len(estimates.stale())):
        execute(run)


def test_who_is_locked_by_somebody_else_is_left_and_taken_later(
    transactional_db: None,
) -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    run, _ = open_run(date(2026, 11, 20))
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT FROM customers_customer WHERE id = %s FOR UPDATE", [anna.pk])
            assert execute(run).status == Run.Status.RUNNING
            assert not Receipt.objects.exists()
            other.rollback()
    finally:
        other.close()
    assert execute(run).status == Run.Status.DONE
    anna.refresh_from_db()
    assert anna.name == ""


def test_a_run_that_died_halfway_goes_on_where_it_was() -> None:
    people = [cast.person(f"P{n}", since=date(2019, 1, 7)) for n in range(3)]
    for customer in people:
        cast.subscription(customer, date(2019, 1, 7), date(2022, 10, 1))
    run, _ = open_run(date(2026, 11, 20))
    purge_people(run, [people[0].pk])
    done = Receipt.objects.count()
    execute(run)
    assert Receipt.objects.count() == done * 3
    assert run.started_at - timedelta(days=1) < (run.finished_at or run.started_at)


@pytest.mark.breaks(4)
def test_who_cannot_be_purged_is_set_aside_and_stops_nobody(transactional_db: None) -> None:
    people = [cast.person(f"P{n}", since=date(2019, 1, 7)) for n in range(5)]
    for customer in people:
        cast.subscription(customer, date(2019, 1, 7), date(2022, 10, 1))
    stuck = people[2]
    # An account that something which stays points at, as no act of ours leaves it.
    AccessLog.objects.create(customer=people[0], actor=stuck.user, reason="case")
    run = execute(open_run(date(2026, 11, 20))[0])
    assert run.status == Run.Status.PARTIAL
    names = {c.name for c in Customer.objects.all()}
    assert names == {"", stuck.name}
    assert run.people == 4
    with pytest.raises(CommandError, match="set aside"):
        call_command("purge", "--on", "2026-11-19")
