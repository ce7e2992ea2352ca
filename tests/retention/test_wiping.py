"""Wiping waits for old readers, goes on after a kill, clears up, and is told of truthfully."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from django.utils import timezone

from customers.models import Customer
from dentalclean import health
from disclosures.models import Outbox
from retention import backups, checks, filler, readable, tasks, wiping
from retention.actions import execute, open_run
from retention.certificates import BrokenCertificateError
from retention.models import Receipt, Run, Wipe
from retention.night_words import wiped
from tests import cast, past
from tests.dentalclean.test_marker import somebody
from tests.houses import ROOT
from tests.workers import died_of

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = date(2026, 11, 20)


def who_left(name: str) -> Customer:
    customer = cast.person(name, since=date(2019, 1, 7))
    cast.subscription(customer, date(2019, 1, 7), date(2022, 10, 1))
    return customer


def night() -> Run:
    for name in ("Anna", "Bo"):
        who_left(name)
    return execute(open_run(NIGHT)[0])


def wiped_now(run: Run) -> Wipe:
    found = wiping.wipe(run)
    if found is not None and found.waits_for == "the next checkpoint":
        sql("CHECKPOINT")
        found = wiping.wipe(run)
    assert found is not None
    return found


def sql(statement: str, session: Any = connection) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def another() -> Iterator[BaseDatabaseWrapper]:
    """Give a session beside the test's own."""
    session = connection.copy()
    yield session
    session.close()


def test_who_still_sees_the_old_rows_is_waited_for(another: BaseDatabaseWrapper) -> None:
    who_left("Anna")
    sql("BEGIN ISOLATION LEVEL REPEATABLE READ", another)
    sql("SELECT count(*) FROM customers_customer", another)
    run = execute(open_run(NIGHT)[0])
    found = wiped_now(run)
    assert found.finished_at is None
    assert "an older transaction may still see" in found.waits_for
    assert "kan ännu läsas" in wiped(run)
    sql("ROLLBACK", another)
    assert wiped_now(run).finished_at is not None
    assert "är överskrivet i databasens filer" in wiped(run)


def test_killed_anywhere_it_goes_on_from_the_table_it_was_at() -> None:
    run = night()
    killed = died_of(f"""
import os, signal
from retention import filler, wiping
from retention.models import Run
fills = []
real = filler.Filler.fill
def fill(self):
    fills.append(self.table)
    rows = real(self) if len(fills) < 4 else self._insert(0, 5, self._pages())
    if len(fills) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return rows
filler.Filler.fill = fill
wiping.wipe(Run.objects.get(pk={run.pk}))
""")
    assert killed == 9
    half = Wipe.objects.get()
    assert half.finished_at is None
    assert len(half.tables) >= 3
    assert not Customer.objects.filter(number__lt="0").exists()
    done = wiped_now(run)
    assert done.finished_at is not None
    assert {name: done.tables[name] for name in half.tables} == half.tables
    assert wiping.verify() == 1


def test_what_an_interrupted_rebuild_left_is_dropped(another: BaseDatabaseWrapper) -> None:
    run = night()
    sql("BEGIN", another)
    sql("LOCK TABLE customers_customer IN ROW EXCLUSIVE MODE", another)
    sql("SET lock_timeout = '200ms'")
    with pytest.raises(OperationalError):
        sql("REINDEX INDEX CONCURRENTLY customer_email")
    sql("RESET lock_timeout")
    sql("ROLLBACK", another)
    unfinished = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    assert sql(unfinished) == [("customer_email_ccnew",)]
    superuser = connection.settings_dict["USER"]
    connection.settings_dict["USER"] = "dentalclean_app"
    try:
        assert wiped_now(run).finished_at is not None
    finally:
        connection.settings_dict["USER"] = superuser
    assert sql(unfinished) == []


def test_one_program_wipes_at_a_time(another: BaseDatabaseWrapper) -> None:
    run = night()
    sql(f"SELECT pg_advisory_lock({wiping.WIPE_LOCK})", another)
    assert wiping.wipe(run) is None
    with pytest.raises(CommandError, match="Another program is wiping"):
        call_command("wipe")


def test_readers_and_writers_go_on_meanwhile(
    another: BaseDatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    who_stays = cast.person("Cia", since=date(2026, 1, 1))
    run = night()
    fill = filler.Filler.fill
    waited: list[str] = []

    def fill_and_try(self: filler.Filler) -> int:
        rows = fill(self)
        self._insert(0, 1, self._pages())  # in the middle of a transaction of nothing
        sql("SET lock_timeout = '100ms'", another)
        sql(f"SELECT count(*) FROM {self.table}", another)
        sql(f"UPDATE customers_customer SET phone = '0' WHERE id = {who_stays.pk}", another)
        waited.append(self.table)
        self._roll_back()
        return rows

    monkeypatch.setattr(filler.Filler, "fill", fill_and_try)
    assert wiped_now(run).finished_at is not None
    assert '"customers_customer"' in waited


@pytest.mark.breaks(3, 5, 11)
def test_every_table_takes_rows_of_nothing_and_keeps_none() -> None:
    somebody("Anna")
    for table in readable.tables():
        before = sql(f'SELECT count(*) FROM "{table.name}"')
        session = connection.copy()
        try:
            assert filler.Filler(table.model, session).fill() > 50, table.name
        finally:
            session.close()
        assert sql(f'SELECT count(*) FROM "{table.name}"') == before


def test_a_night_s_own_record_says_which_tables_it_took_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As long as PostgreSQL has not counted what the night did.
    monkeypatch.setattr(readable.Readable, "changes", lambda *_: 0)
    fills: list[str] = []
    monkeypatch.setattr(filler.Filler, "fill", lambda self: fills.append(self.table))
    first = wiped_now(execute(open_run(NIGHT - timedelta(days=1))[0]))
    assert first.finished_at is not None
    fills.clear()  # the first wipe leaves nothing out
    who_left("Anna")
    long_ago = timezone.now() - timedelta(days=900)
    Outbox.objects.create(
        kind="mail", purpose="B", status="stopped", created_at=long_ago, finished_at=long_ago
    )
    run = execute(open_run(NIGHT)[0])
    # A batch that was at work while the last wipe began.
    with past.the_triggers():
        Receipt.objects.filter(run=run).update(at=first.began_at - timedelta(minutes=1))
    second = wiped_now(run)
    assert second.finished_at is not None
    assert {'"customers_customer"', '"customers_user"', '"account_emailaddress"'} <= set(
        fills
    )  # by its receipts
    assert '"disclosures_outbox"' in fills  # belonged to nobody
    assert '"customers_supportcase"' not in fills
    told = second.certificate
    assert told is not None
    assert "customers_invoice" in told["lost_nothing"]


def test_the_reconciler_rings_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    rings: list[str] = []
    monkeypatch.setattr(tasks.wipe, "apply_async", lambda **_: rings.append("wipe"))
    run = night()
    tasks.reconcile()
    assert rings == ["wipe"]
    tasks.wipe()
    sql("CHECKPOINT")
    tasks.wipe()
    assert Wipe.objects.get().finished_at is not None
    tasks.reconcile()
    assert rings == ["wipe"]
    assert wiping.wipe_after(run) == Wipe.objects.get()


def test_a_certificate_of_another_night_or_hand_is_found() -> None:
    done = wiped_now(night())
    assert done.certificate is not None
    assert done.certificate["wiped"]["customers_customer"]["seconds"] > 0
    forged = done.certificate | {"wiped": {}}
    Wipe.objects.update(certificate=forged)
    with pytest.raises(BrokenCertificateError, match="is not signed"):
        wiping.verify()


def test_a_night_not_wiped_within_six_hours_is_an_alarm(client: Client) -> None:
    run = night()
    assert client.get("/healthz/deep").json()["parts"]["wipe"] == "ok"
    late = timezone.now() + timedelta(hours=6, minutes=1)
    with pytest.raises(health.Late):
        health._wipe(late)
    wiped_now(run)
    health._wipe(late)


# The planner, the log of changes, backups


def test_the_planner_notes_down_no_words() -> None:
    assert readable.sampled() == []
    for number in range(30):
        cast.person(f"Ek{number}", since=date(2026, 1, 1))
    sql("ANALYZE")
    noted = sql(
        "SELECT tablename, attname FROM pg_stats WHERE schemaname = 'public' "
        "AND (most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL)"
    )
    words = {(table.name, column) for table in readable.tables() for column in table.columns}
    assert set(noted)
    assert not set(noted) & words
    sql("ALTER TABLE customers_customer ALTER COLUMN email SET STATISTICS 100")
    try:
        (error,) = checks.check_samples(None, databases=["default"])
        assert "customers_customer.email" in error.msg
    finally:
        readable.stop_sampling()
    assert checks.check_samples(None, databases=["default"]) == []


def test_the_log_of_changes_is_short_here_and_in_production() -> None:
    assert sql("SHOW wal_recycle") == [("off",)]
    assert sql("SHOW archive_timeout") == [("1h",)]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    assert {"wal_recycle=off", "archive_timeout=3600"} <= set(
        compose["services"]["database"]["command"]
    )


@pytest.mark.parametrize(("days", "errors"), [(1, 0), (35, 0), (36, 1), (0, 1)])
def test_backups_may_be_kept_for_35_days(settings: Any, days: int, errors: int) -> None:
    settings.BACKUP_DAYS = days
    assert len(checks.check_backups(None)) == errors


def test_a_backup_that_should_be_gone_is_an_alarm(settings: Any, tmp_path: Any) -> None:
    assert backups.too_old() == []
    settings.BACKUPS_DIR = tmp_path
    file = tmp_path / "monday" / "dump"
    file.parent.mkdir()
    file.write_bytes(b"")
    assert backups.too_old() == []
    health._backups()
    late = timezone.now() + timedelta(days=35, minutes=1)
    assert backups.too_old(late) == [file]
