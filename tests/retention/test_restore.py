"""A restored database serves nobody until nobody erased is in it and every no is said again."""

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from consent import records, sealing, seals
from consent.actions import restrict, say_no, say_yes
from consent.ledger import append
from consent.models import Authority, Event, Standing
from consent.purposes import Use
from customers.dates import today
from customers.models import Customer, Invoice, Order, Session
from customers.models.people import Restriction
from dentalclean.embedded import servers
from dentalclean.embedded.binaries import postgres_programs
from dentalclean.embedded.places import House
from disclosures import tasks as disclosures_tasks
from disclosures.actions import queue_words, relay
from retention import erasure, holds, restore
from retention.actions import execute, open_run
from retention.invariants import broken
from retention.models import ErasureBatch, Hold, Mark, Receipt
from tests import cast, past
from tests.doors import signed_in, text
from tests.houses import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

LETTER = Use("H", "email")
# What a test that stops in the middle of a night leaves undone.
SLOT = f"drill_{os.getpid()}"
HALFWAY = pytest.mark.breaks(3, 13)


@pytest.fixture(autouse=True)
def _own_folders(settings: Any, tmp_path: Path) -> None:
    settings.ERASURES_DIR = tmp_path / "erasures"
    settings.SEALS_DIR = tmp_path / "seals"
    restore.forget_the_last_look()


# Backups, as an operator makes and restores them


def program(name: str, *arguments: object) -> list[str]:
    to = connection.settings_dict
    address = ["-h", str(to["HOST"]), "-U", str(to["USER"])]
    return [str(postgres_programs() / name), *address, *map(str, arguments)]


def dump(file: Path) -> None:
    subprocess.run(
        program("pg_dump", "-Fc", "-f", file, connection.settings_dict["NAME"]), check=True
    )


def restore_dump(file: Path) -> None:
    """Drop the database and make it anew from the dump, as after the loss of a disk."""
    to = connection.settings_dict
    connection.close()
    with closing(psycopg2.connect(host=to["HOST"], user=to["USER"], dbname="postgres")) as session:
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{to["NAME"]}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{to["NAME"]}" TEMPLATE template0')
    subprocess.run(program("pg_restore", "--exit-on-error", "-d", to["NAME"], file), check=True)
    restore.forget_the_last_look()


@dataclass
class Archive:
    """A base backup and the log that was received since."""

    base: Path
    wal: Path
    receiver: "subprocess.Popen[bytes]"

    def stop(self) -> None:
        """Let the log be whole up to now and stop receiving."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_walfile_name(pg_current_wal_lsn()), pg_switch_wal()")
            segment = cursor.fetchone()[0]
            cursor.execute("SELECT pg_logical_emit_message(true, 'drill', '')")
        try:
            wait_until((self.wal / segment).exists, 60)
        finally:
            self.receiver.terminate()
            self.receiver.wait()
            receive(self.wal, "--drop-slot")


def receive(wal: Path, what: str) -> None:
    subprocess.run(program("pg_receivewal", "-D", wal, "--slot", SLOT, what), check=True)


def archive(folder: Path, request: pytest.FixtureRequest) -> Archive:
    """Begin to receive the log and take a base backup."""
    wal = folder / "wal"
    wal.mkdir()
    receive(wal, "--create-slot")  # the server keeps the log until it has been received
    receiver = subprocess.Popen(program("pg_receivewal", "-D", wal, "--slot", SLOT))
    request.addfinalizer(receiver.kill)  # does nothing to one that has ended
    base = House(folder / "house").database
    base.parent.mkdir()
    subprocess.run(program("pg_basebackup", "-D", base, "-c", "fast"), check=True)
    return Archive(base, wal, receiver)


@contextmanager
def recovered(backup: Archive, point: str) -> Iterator[None]:
    """Work on a server of its own that was recovered to a point in time."""
    house = House(backup.base.parent)
    house.make_folders()
    (backup.base / "recovery.signal").touch()
    with (backup.base / "postgresql.auto.conf").open("a") as file:
        file.write(
            f'restore_command = \'cp "{backup.wal}/%f" "%p"\'\n'
            f"recovery_target_name = '{point}'\n"
            "recovery_target_action = 'promote'\n"
            "hot_standby = off\n"
        )
    here = connection.settings_dict["HOST"]
    connection.close()
    server = servers.start_database(house, durable=False)
    try:
        connection.settings_dict["HOST"] = str(house.sockets)
        restore.forget_the_last_look()
        yield
    finally:
        connection.close()
        connection.settings_dict["HOST"] = here
        servers.stop_database(server)
        servers.remove(house)


# What happens before and after the backup


@dataclass
class World:
    """Everybody of the drill."""

    erased: Customer  # held at the backup, erased after it
    refuser: Customer  # says yes before and no to everything after
    limiter: Customer  # limits the use of the data after it
    other: Customer  # nothing happens
    hold: Hold
    asker: Customer  # asks to be erased after it
    declined: frozenset[tuple[str, ...]] = frozenset()  # what the refuser's no shut


def before_the_backup() -> World:
    held = cast.person("Anna", since=date(2010, 1, 7))
    cast.subscription(held, date(2010, 1, 7), date(2012, 10, 1))
    hold = Hold.objects.create(customer=held, ground=Hold.Ground.DISPUTE, reason="Tvist")
    world = World(
        held,
        *(cast.person(name, since=date(2024, 1, 7)) for name in ("Björn", "Cecilia", "Disa")),
        hold,
        cast.person("Greta", since=date(2024, 1, 7)),
    )
    cast.subscription(world.asker, date(2024, 1, 7), date(2026, 1, 7))
    cast.order(world.asker, date(2026, 1, 7), date(2026, 1, 9))
    cast.invoice(world.asker, date(2026, 1, 7))
    for person in (world.refuser, world.limiter, world.other):
        cast.subscription(person, date(2024, 1, 7))
        say_yes(person, LETTER, evidence=cast.SHOWN)
    night(2)
    queue_words("bjorn@example.se", "test", "Hej", "Vi ses.", customer=world.refuser)
    sealing.seal()
    restore.beat()
    return world


def after_the_backup(world: World) -> None:
    """Lift the hold, erase, refuse, limit, send: all of it is in no backup."""
    holds.lift_hold(world.hold)
    Customer.objects.filter(pk=world.asker.pk).update(erasure_on=today() - timedelta(days=3))
    records.refresh([world.asker.pk])
    night(1)
    night(0)
    assert not Customer.objects.filter(pk=world.erased.pk).exists()
    say_no(world.refuser)
    world.declined = declined(world.refuser)
    restrict(world.limiter)
    # What the law sets and lifts meanwhile does not take the person's own limit along (RES-03).
    restrict(world.limiter, "a")
    with past.no_notice():
        append(world.limiter, "unrestricted", collected="post", authority=Authority.LAW)
    sealing.seal()
    assert relay() == 1
    assert len(mail.outbox) == 1
    restore.beat()


def declined(person: Customer) -> frozenset[tuple[str, ...]]:
    found = Standing.objects.filter(customer=person, declined=True)
    return frozenset(found.values_list("purpose", "channel", "third_party"))


def night(back: int) -> None:
    run, _ = open_run(today() - timedelta(days=back))
    execute(run)


def everything_is_refused(client: Client, world: World) -> None:
    """Whoever comes, works or starts is turned away."""
    assert Customer.objects.get(pk=world.erased.pk).name == "Anna Ek"  # she is back
    assert Customer.objects.get(pk=world.asker.pk).number == world.asker.number
    answer = client.get("/")
    assert answer.status_code == 503
    assert "Vi håller stängt en stund." in text(answer)
    assert client.get("/healthz").status_code == 200
    assert client.get("/healthz/deep").json()["parts"]["restore"] == "restored"
    with pytest.raises(restore.RestoredError):
        disclosures_tasks.relay()
    assert len(mail.outbox) == 1
    with pytest.raises(CommandError, match="restore_gate"):
        call_command("check", databases=["default"])
    assert 6 in [found.invariant.number for found in broken()]


def everything_is_made_good(client: Client, world: World) -> None:
    """Nobody erased is there, every no stands, nothing old leaves, and life goes on."""
    assert not Customer.objects.filter(pk=world.erased.pk).exists()
    gone = Receipt.objects.filter(customer_id=world.erased.pseudonym, run=None)
    assert gone.exists()
    # Who asked is a shell that says nothing, and the invoice nobody's (RUL-02, RUL-36).
    left = Customer.objects.get(pk=world.asker.pk)
    assert (left.name, left.email) == ("", "")
    assert left.number != world.asker.number
    assert not Order.objects.filter(customer=left).exists()
    assert Invoice.objects.get().customer is None
    assert declined(world.refuser) == world.declined
    limited = Customer.objects.get(pk=world.limiter.pk)
    assert limited.restriction == Restriction.VOLUNTARY
    assert not declined(world.other)
    assert Customer.objects.get(pk=world.other.pk).name == "Disa Ek"
    assert not Session.objects.exists()
    assert relay() == 0
    assert len(mail.outbox) == 1
    assert client.get("/konto/login/").status_code != 503
    night(1)
    night(0)
    sealing.seal()
    call_command("verify_ledger", stdout=io.StringIO())
    restore.beat()
    assert broken() == []


def open_the_gate(tmp_path: Path) -> dict[str, Any]:
    told = io.StringIO()
    call_command("restore_gate", stdout=told)
    assert "may serve" in told.getvalue()
    (report,) = (tmp_path / "erasures").glob("restored-*.json")
    written = report.read_text()
    assert "Anna" not in written
    found: dict[str, Any] = json.loads(written)
    return found


# The drills


def test_a_dump_that_is_restored_is_made_good_before_it_serves(
    client: Client, tmp_path: Path
) -> None:
    world = before_the_backup()
    signed_in(world.refuser)
    dump(tmp_path / "dump")
    after_the_backup(world)
    lost = set(Event.objects.values_list("pk", flat=True))
    restore_dump(tmp_path / "dump")
    everything_is_refused(client, world)
    done = open_the_gate(tmp_path)
    assert (done["noes"], done["people_gone_wholly"], done["messages_stopped"]) == (2, 1, 1)
    assert done["seals_set_aside"] == 1
    new = Event.objects.order_by("-pk").values_list("pk", flat=True)[:2]
    assert min(new) > max(lost)  # a receipt that names a lost entry names no other
    everything_is_made_good(client, world)
    told = io.StringIO()
    call_command("restore_gate", stdout=told)
    assert told.getvalue() == "Nothing is missing in this database; the gate is open.\n"


def test_a_point_in_time_that_is_recovered_is_made_good_before_it_serves(
    client: Client, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    world = before_the_backup()
    backup = archive(tmp_path, request)
    say_no(world.refuser, LETTER)  # in the log that was received, so it is there afterwards
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_create_restore_point('before the fault')")
    after_the_backup(world)
    backup.stop()
    with recovered(backup, "before the fault"):
        assert Standing.objects.get(
            customer=world.refuser, purpose="H", channel="email", third_party=""
        ).declined
        everything_is_refused(client, world)
        open_the_gate(tmp_path)
        everything_is_made_good(client, world)


def test_a_gate_that_dies_halfway_replays_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    world = before_the_backup()
    dump(tmp_path / "dump")
    after_the_backup(world)
    restore_dump(tmp_path / "dump")
    with monkeypatch.context() as patch:
        patch.setattr(seals, "move_aside", _disk_is_full)
        with pytest.raises(OSError, match="full"):
            call_command("restore_gate")
    assert client.get("/").status_code == 503
    entries = Event.objects.count()
    open_the_gate(tmp_path)
    assert Event.objects.count() == entries
    everything_is_made_good(client, world)


def _disk_is_full(*_: object) -> int:
    raise OSError("The disk is full.")


def test_a_database_of_another_day_does_not_serve_though_nothing_was_erased(
    client: Client, tmp_path: Path
) -> None:
    restore.beat()
    restore.beat()
    Mark.objects.update(number=1)  # as a backup of a minute ago would have it
    restore.forget_the_last_look()
    assert client.get("/").status_code == 503
    with pytest.raises(restore.RestoredError):
        restore.beat()
    open_the_gate(tmp_path)
    assert client.get("/").status_code != 503


# No erasure is forgotten and none is made up, wherever it stops


def due_person() -> Customer:
    anna = cast.person(since=date(2010, 1, 7))
    cast.subscription(anna, date(2010, 1, 7), date(2012, 10, 1))
    return anna


class Killed(BaseException):
    """As if the worker had been killed there."""


def killed(*_: object) -> None:
    raise Killed


def names_of_files() -> list[str]:
    return sorted(path.suffix for path in erasure.folder().glob("*.*"))


@HALFWAY
def test_an_erasure_that_was_not_committed_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    anna = due_person()
    write = erasure.BatchLog.write
    with monkeypatch.context() as patch:
        patch.setattr(erasure.BatchLog, "write", lambda *a: (write(*a), killed()))
        with pytest.raises(Killed):
            night(0)
    assert names_of_files() == [".begun"]
    assert restore.missing() == ""
    erasure.settle()
    assert names_of_files() == []
    night(0)
    assert not Customer.objects.filter(pk=anna.pk).exists()
    assert names_of_files() == [".done"]


@HALFWAY
def test_an_erasure_that_was_committed_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    due_person()
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "confirm", killed)
        with pytest.raises(Killed):
            night(0)
    assert names_of_files() == [".begun"]
    erasure.settle()
    assert names_of_files() == [".done"]
    assert restore.missing() == ""


@HALFWAY
def test_a_transaction_that_was_taken_for_dead_can_not_commit_any_more() -> None:
    anna = due_person()
    batch = erasure.BatchLog(today())
    ErasureBatch.objects.create(pk=batch.id, is_void=True)
    with pytest.raises(IntegrityError):
        batch.note([anna.pk])


@HALFWAY
def test_a_begun_erasure_counts_after_a_restore_unless_the_database_is_past_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna = due_person()
    restore.beat()
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "confirm", killed)
        with pytest.raises(Killed), transaction.atomic():  # restored to before the commit
            night(0)
    assert Customer.objects.filter(pk=anna.pk).exists()
    (erasure.folder() / "mark").write_text("2\n")
    done = restore.make_good()
    assert done is not None
    assert done.people_gone_wholly == 1
    assert not Customer.objects.filter(pk=anna.pk).exists()


def test_the_log_says_nothing_of_a_person() -> None:
    anna = due_person()
    night(0)
    (batch,) = erasure.batches()
    written = (erasure.folder() / f"{batch}.done").read_text()
    assert str(anna.pseudonym) in written
    for secret in (anna.number, "Anna", "Ek", "anna@example.se", anna.phone, str(anna.public_id)):
        assert secret not in written


def test_files_that_no_backup_needs_are_forgotten() -> None:
    due_person()
    night(0)
    (path,) = erasure.folder().glob("*.done")
    erasure.settle()
    assert path.exists()
    long_ago = time.time() - timedelta(days=61).total_seconds()
    os.utime(path, (long_ago, long_ago))
    erasure.settle()
    assert not path.exists()


@pytest.mark.breaks(6)
def test_only_the_owner_makes_a_database_good() -> None:
    restore.beat()
    (erasure.folder() / "mark").write_text("9\n")
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE dentalclean_app")
    try:
        with pytest.raises(CommandError, match="owner's address"):
            call_command("restore_gate")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")
