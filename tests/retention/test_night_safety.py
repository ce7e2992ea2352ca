"""What stands between a mistake and a night's deletions."""

import io
import logging
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils import timezone

from customers.dates import today
from customers.models import AccessLog, Customer, Subscription, User
from customers.models.channels import Collected
from dentalclean import health
from retention import actions, clocks, forecasts, plans, rules, tasks
from retention.actions import RunRefusedError, execute, open_missed_runs, open_run
from retention.decisions import (
    PauseError,
    ReleaseError,
    plan_stopped_again,
    release_run,
    turn_off,
    turn_on,
)
from retention.models import Forecast, Heartbeat, Hold, Pause, Receipt, Release, Run, SetAside
from tests import cast, past
from tests.foresight import expect

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 11, 20)
LEFT_ON = date(2022, 10, 1)


def left(n: int, ended_on: date = LEFT_ON) -> list[Customer]:
    """Make people whose subscription has ended, without the ceremony of the cast."""
    people = [cast.person(f"P{k}", since=date(2019, 1, 7), account=False) for k in range(n)]
    for customer in people:
        Subscription.objects.create(
            customer=customer,
            product=cast.product(),
            started_on=date(2019, 1, 7),
            ended_on=ended_on,
            collected=Collected.WEB,
        )
    cast.records.refresh([customer.pk for customer in people])
    return people


@pytest.fixture
def disa_herself() -> User:
    return User.objects.create_user("disa@dentalclean.example", is_staff=True)


@pytest.fixture
def low_leeway(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask above two people instead of fifty, to spare the tests the making of them."""
    monkeypatch.setattr(plans, "LEEWAY", 2)


def names() -> set[str]:
    return set(Customer.objects.values_list("given_name", flat=True))


# The breaker


def test_a_plan_of_more_than_fifty_that_nobody_foresaw_stops_and_alarms(
    caplog: pytest.LogCaptureFixture,
) -> None:
    left(51)
    with caplog.at_level(logging.ERROR):
        run = execute(open_run(NIGHT)[0])
    assert run.status == Run.Status.STOPPED
    assert (run.planned_people, run.expected_people, run.most_people) == (51, 0, 50)
    assert not Receipt.objects.exists()
    assert Customer.objects.exclude(given_name="").count() == 51
    (alarm,) = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert "is stopped: its plan takes 51 people, 0 were forecast and 50 is the most" in alarm
    with pytest.raises(health.Late, match="stopped"):
        health._purge()


def test_fifty_go_without_asking_and_what_was_foreseen_too(low_leeway: None) -> None:
    left(2)
    assert execute(open_run(NIGHT)[0]).status == Run.Status.DONE
    left(3)
    expect(NIGHT + timedelta(days=1), 1)
    assert execute(open_run(NIGHT + timedelta(days=1))[0]).status == Run.Status.DONE


def test_a_forecast_made_this_week_is_not_believed(low_leeway: None) -> None:
    left(3)
    Forecast.objects.create(made_on=NIGHT - timedelta(days=6), span="night", day=NIGHT, people=99)
    assert execute(open_run(NIGHT)[0]).status == Run.Status.STOPPED


def test_two_percent_of_a_large_register_go_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Customer.objects.none().__class__, "count", lambda self: 10_000)
    assert plans.most(7) == 207


def test_a_release_does_that_very_plan_and_no_other(low_leeway: None, disa_herself: User) -> None:
    left(3)
    run = execute(open_run(NIGHT)[0])
    seen = run.plan_hash
    release_run(run, plan_hash=seen, reason="Importen är läst.", by=disa_herself)
    left(1)  # somebody more falls due before the worker gets there
    run = execute(run)
    assert run.status == Run.Status.STOPPED
    assert run.plan_hash != seen
    assert run.plans == 2
    assert not Receipt.objects.exists()
    with pytest.raises(ReleaseError, match="changed since it was read"):
        release_run(run, plan_hash=seen, reason="Samma.", by=disa_herself)
    release_run(run, plan_hash=run.plan_hash, reason="Läst igen.", by=disa_herself)
    run = execute(run)
    assert run.status == Run.Status.DONE
    assert run.people == 4
    assert run.certificate is not None
    assert run.certificate["plan"]["released"]
    assert run.certificate["done"]["as_planned"]
    assert Release.objects.count() == 2
    with pytest.raises(ReleaseError, match="not stopped"):
        release_run(run, plan_hash=run.plan_hash, reason="En gång till.", by=disa_herself)


def test_a_release_says_why(low_leeway: None, disa_herself: User) -> None:
    left(3)
    run = execute(open_run(NIGHT)[0])
    with pytest.raises(ReleaseError, match="needs a reason"):
        release_run(run, plan_hash=run.plan_hash, reason="  ", by=disa_herself)


def test_later_nights_wait_for_a_stopped_one(low_leeway: None, disa_herself: User) -> None:
    left(3)
    first, later = open_run(NIGHT)[0], open_run(NIGHT + timedelta(days=1))[0]
    execute(first)
    assert execute(later).status == Run.Status.RUNNING
    assert not Receipt.objects.exists()
    first.refresh_from_db()
    release_run(first, plan_hash=first.plan_hash, reason="Läst.", by=disa_herself)
    assert execute(first).status == Run.Status.DONE
    assert execute(later).status == Run.Status.DONE


def test_a_stopped_night_goes_on_by_itself_when_what_made_it_large_is_mended(
    low_leeway: None,
) -> None:
    people = left(3)
    run = execute(open_run(NIGHT)[0])
    Hold.objects.create(customer=people[0], ground=Hold.Ground.DISPUTE)
    plan_stopped_again()
    run.refresh_from_db()
    assert run.status == Run.Status.STOPPED  # not before an hour has passed
    plan_stopped_again(timezone.now() + timedelta(hours=2))
    assert execute(run).status == Run.Status.DONE
    assert run.people == 2


def test_a_year_of_invoices_leaves_on_the_first_of_january_as_forecast(low_leeway: None) -> None:
    for n in range(5):
        cast.invoice(cast.person(f"P{n}", account=False), date(2018, 6, 1))
    forecasts.write(date(2025, 12, 20))
    assert execute(open_run(date(2026, 1, 1))[0]).status == Run.Status.DONE
    assert Receipt.objects.filter(rule="BFL-01").count() == 5


# The forecast


def test_what_was_forecast_is_what_the_nights_take() -> None:
    """RUL-38: every night of a month, by everybody's own days."""
    first = date(2026, 3, 1)
    for n in range(12):
        ended = date(2023, 3, 1) + timedelta(days=2 * n)
        (customer,) = left(1, ended)
        cast.order(customer, ended - timedelta(days=n), ended - timedelta(days=n))
        cast.invoice(customer, date(2017, 5, 1 + n))
    execute(open_run(first)[0])
    forecasts.write(first)
    told = dict(Forecast.objects.filter(span="night").values_list("day", "people"))
    assert len(told) == forecasts.NIGHTS
    for day in sorted(told):
        taken = {line.customer_id for line in rules.plan(day)}
        assert told[day] == len(taken), day
        execute(open_run(day)[0])
    assert sum(told.values()) > 12


def test_the_months_to_come_are_foreseen_by_category() -> None:
    (customer,) = left(1, date(2026, 6, 30))
    cast.invoice(customer, date(2025, 12, 1))
    forecasts.write(NIGHT)
    months = {f.day: f.per_category for f in Forecast.objects.filter(span="month").order_by("day")}
    assert months[date(2029, 7, 1)]["1"] == 1  # the name, three years after the end
    assert months[date(2033, 1, 1)] == {"128": 1}  # the invoice
    assert all(day.day == 1 for day in months)


def test_a_night_that_is_over_looks_ahead_once_and_old_looks_go() -> None:
    assert forecasts.missing() is None
    execute(open_run(NIGHT)[0])
    assert forecasts.missing() == NIGHT
    Forecast.objects.create(made_on=NIGHT - timedelta(days=99), span="night", day=NIGHT, people=1)
    tasks.foresee(NIGHT.isoformat())
    assert forecasts.missing() is None
    assert set(Forecast.objects.values_list("made_on", flat=True)) == {NIGHT}


def test_skipped_nights_are_part_of_what_the_next_may_take() -> None:
    execute(open_run(NIGHT)[0])
    for n in (1, 2, 3):
        expect(NIGHT + timedelta(days=n), 10 * n)
    assert plans.expected(NIGHT + timedelta(days=3)) == 60
    assert plans.expected(NIGHT + timedelta(days=1)) == 10


# The plan


def test_a_night_stores_the_digest_of_its_plan_and_its_receipts_sum_up_to_it() -> None:
    people = left(3)
    cast.order(people[0], date(2022, 1, 7), date(2022, 1, 9))
    made = plans.make(NIGHT)
    run = execute(open_run(NIGHT)[0])
    assert run.plan_hash == made.hash
    assert plans.done(run).hash == made.hash
    assert made.people == 3
    assert made.rows_of == plans.done(run).rows_of


def test_another_row_another_person_or_another_day_is_another_plan() -> None:
    people = left(2)
    hashes = {plans.make(NIGHT).hash, plans.make(date(2025, 10, 1)).hash}
    cast.order(people[0], date(2022, 1, 7), date(2022, 1, 9))
    hashes.add(plans.make(NIGHT).hash)
    left(1)
    hashes.add(plans.make(NIGHT).hash)
    assert len(hashes) == 4


def test_the_order_and_the_batches_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    left(5)
    whole = plans.make(NIGHT)
    monkeypatch.setattr(rules, "BATCH", 2)
    assert plans.make(NIGHT) == whole


# The clock


def test_a_clock_five_years_ahead_deletes_nothing_and_alarms(
    caplog: pytest.LogCaptureFixture,
) -> None:
    people = left(1, date(2026, 6, 30))
    assert clocks.beat() is None
    run, _is_new = open_run(NIGHT)
    runs = Run.objects.count()
    with (
        time_machine.travel(timezone.now() + timedelta(days=5 * 365), tick=False),
        caplog.at_level(logging.ERROR),
    ):
        assert open_missed_runs() == []
        tasks.nightly()
        tasks.reconcile()
        with pytest.raises(RunRefusedError, match="put forward"):
            open_run(today())
        with pytest.raises(CommandError, match="put forward"):
            call_command("purge", stdout=io.StringIO())
        with pytest.raises(health.Late, match="jumped"):
            health._clock()
        execute(run)
    assert Run.objects.count() == runs
    assert not Receipt.objects.exists()
    assert names() == {people[0].given_name}
    alarms = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert any("The clock has jumped" in alarm for alarm in alarms)
    # The clock is set right: nothing to release, the nights go on.
    health._clock()
    assert execute(run).status == Run.Status.DONE


def _watch(monkeypatch: pytest.MonkeyPatch, *, now: datetime, up: float, boot: str) -> None:
    """See the clocks as a computer would: also the database's, which is the same machine's."""
    monkeypatch.setattr(clocks, "boot", lambda: boot)
    monkeypatch.setattr(clocks, "since_start", lambda: up)
    monkeypatch.setattr(clocks.timezone, "now", lambda: now)
    monkeypatch.setattr(clocks, "database_clock", lambda: now)


def test_a_jump_under_way_shows_against_the_time_since_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = timezone.now()
    _watch(monkeypatch, now=begin, up=1000, boot="a")
    assert clocks.beat() is None
    _watch(monkeypatch, now=begin + timedelta(days=20), up=1000 + 20 * 86400, boot="a")
    assert clocks.beat() is None  # asleep for twenty days: time has passed
    _watch(monkeypatch, now=begin + timedelta(days=22), up=1060 + 20 * 86400, boot="a")
    assert clocks.beat() == timedelta(days=2) - timedelta(seconds=60)


def test_small_steps_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = timezone.now()
    gaps = []
    for step in range(4):
        _watch(monkeypatch, now=begin + timedelta(hours=20 * step), up=1000, boot="a")
        gaps.append(clocks.beat())
    assert gaps[:2] == [None, None]
    assert gaps[2] == timedelta(hours=40)
    assert gaps[3] == timedelta(hours=60)


def test_a_stop_of_days_is_made_up_for_and_a_longer_one_is_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = timezone.now()
    _watch(monkeypatch, now=begin, up=9000, boot="a")
    clocks.beat()
    _watch(monkeypatch, now=begin + timedelta(days=6), up=60, boot="b")
    assert clocks.beat() is None
    _watch(monkeypatch, now=begin + timedelta(days=14), up=60, boot="c")
    assert clocks.beat() == timedelta(days=8)
    clocks.trust()
    assert clocks.beat() is None
    assert Heartbeat.objects.count() == 1


def test_clocks_that_differ_from_the_database_are_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clocks, "database_clock", lambda: timezone.now() + timedelta(hours=37))
    assert clocks.jumped() is not None


# Turned off


def test_a_purge_turned_off_skips_its_nights_and_makes_up_for_them(disa_herself: User) -> None:
    left(2)
    turn_off(
        until=timezone.now() + timedelta(days=3), reason="Vi flyttar servern.", by=disa_herself
    )
    run = execute(open_run(NIGHT)[0])
    assert run.status == Run.Status.SKIPPED
    assert not Receipt.objects.exists()
    with pytest.raises(health.Late, match="off"):
        health._purge()
    with pytest.raises(PauseError, match="turned off already"):
        turn_off(until=timezone.now() + timedelta(days=1), reason="Igen.", by=disa_herself)
    turn_on(by=disa_herself)
    with pytest.raises(PauseError, match="not turned off"):
        turn_on(by=disa_herself)
    open_missed_runs(cast.noon(NIGHT))
    run.refresh_from_db()
    assert run.status == Run.Status.RUNNING
    assert execute(run).status == Run.Status.DONE
    assert run.people == 2


def test_a_pause_ends_by_itself(disa_herself: User) -> None:
    left(1)
    Pause.objects.create(
        since=timezone.now() - timedelta(days=2),
        until=timezone.now() - timedelta(seconds=1),
        reason="Flytt.",
        by=disa_herself,
    )
    assert execute(open_run(NIGHT)[0]).status == Run.Status.DONE


def test_turning_off_in_the_middle_stops_before_the_next_batch(
    disa_herself: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(3)
    monkeypatch.setattr(actions, "FIRST_BATCH", 1)
    monkeypatch.setattr(actions, "SMALLEST_BATCH", 1)
    monkeypatch.setattr(actions, "LARGEST_BATCH", 1)
    purge_people = actions.purge_people

    def then_off(*args: Any, **kwargs: Any) -> Any:
        batch = purge_people(*args, **kwargs)
        if not Pause.objects.exists():
            turn_off(until=timezone.now() + timedelta(days=1), reason="Stopp.", by=disa_herself)
        return batch

    monkeypatch.setattr(actions, "purge_people", then_off)
    run = execute(open_run(NIGHT)[0])
    assert run.status == Run.Status.SKIPPED
    assert run.people == 1
    turn_on(by=disa_herself)
    open_missed_runs(cast.noon(NIGHT))
    run = execute(run)
    assert (run.status, run.people) == (Run.Status.DONE, 3)


@pytest.mark.parametrize(
    ("days", "reason", "sentence"),
    [(40, "Flytt.", "a month ahead"), (-1, "Flytt.", "from now on"), (2, " ", "needs a reason")],
)
def test_the_purge_is_not_turned_off_for_good_or_without_a_reason(
    disa_herself: User, days: int, reason: str, sentence: str
) -> None:
    with pytest.raises(PauseError, match=sentence):
        turn_off(until=timezone.now() + timedelta(days=days), reason=reason, by=disa_herself)


# Set aside


def test_who_is_refused_every_night_is_tried_alone_and_goes_when_mended(
    transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    people = [cast.person(f"P{n}", since=date(2019, 1, 7)) for n in range(3)]
    for customer in people:
        cast.subscription(customer, date(2019, 1, 7), LEFT_ON)
    stuck = people[1]
    # An account that something which stays points at, as no act of ours leaves it.
    blocker = AccessLog.objects.create(customer=people[0], actor=stuck.user, reason="case")
    with caplog.at_level(logging.ERROR):
        for n in range(4):
            run = execute(open_run(NIGHT - timedelta(days=3 - n))[0])
            assert run.status == Run.Status.PARTIAL
            assert run.set_aside == 1
    assert names() == {"", stuck.given_name}
    aside = SetAside.objects.get()
    assert (aside.customer_id, aside.attempts, aside.cause) == (
        stuck.pk,
        4,
        "ForeignKeyViolation",
    )
    assert any(f"{run.pk} is partly done: 1 people set aside" in m for m in caplog.messages)
    assert stuck.given_name not in caplog.text
    with pytest.raises(health.Late, match="partial"):
        health._purge()
    mender = User.objects.create_user("rot@dentalclean.example")
    with past.the_triggers():  # mended by hand
        AccessLog.objects.filter(pk=blocker.pk).update(actor=mender)
    run = execute(open_run(NIGHT + timedelta(days=1))[0])
    assert run.status == Run.Status.DONE
    assert not SetAside.objects.exists()
    assert names() == {""}
    health._purge()
