"""A small world with everything a night may meet, the minute that does the night, and its judge.

What a night is killed into is judged twice. At once, in what the dead left: every invariant holds
and whoever is gone is in the log outside. And after a restart: every table, the log, the
certificate and the seals are what they are after a night that nobody killed.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import psycopg2
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from consent import records
from consent import tasks as ledger
from consent.actions import say_no, say_yes
from consent.purposes import Use
from consent.verification import verify as verify_ledger
from customers.dates import add_months, add_years, today
from customers.models import AccessLog, Customer, Session, User
from customers.personal_data import Category
from disclosures.models import Outbox
from retention import actions, certificates, erasure, estimates, invariants, restore, tasks
from retention.holds import lift_hold, place_hold
from retention.marks import ErasureBatch
from retention.models import Hold, Receipt, Run, SetAside
from tests import cast, past
from tests.kills import Process, World

# What two nights that did the same may differ in: moments, and numbers drawn.
FREE = {
    table: frozenset(columns.split())
    for table, columns in {
        "customers_customer": "number public_id",
        "retention_run": "id started_at planned_at began_at finished_at certificate",
        "retention_receipt": "id run_id at retain_until follows_id",
        "retention_forecast": "id",
        "retention_setaside": "id",
        "retention_heartbeat": "seen_at offset",
        "retention_mark": "at",
        "retention_erasurebatch": "id at",
        "customers_suppression": "id",
        "disclosures_outbox": "id created_at available_at finished_at",
        "consent_seal": "digest sealed_at",
    }.items()
}
# A restart beats once more and leaves word of the batches that will never be; the log is compared.
NOT_COMPARED = {"retention_mark", "retention_erasurebatch"}
OF_THE_MOMENT = {"started_at", "finished_at", "seconds", "proof", "certificate_before"}


class FoundError(AssertionError):
    """What a killed night left is not as it must be."""


def _over_yesterday(years: int) -> date:
    """Return the day whose years were over yesterday, so that tonight takes what waited for it."""
    return add_years(today() - timedelta(days=1), -years)


def _left(name: str, until: date, **fields: Any) -> Customer:
    since = add_years(until, -3)
    customer = cast.person(name, since=since, **fields)
    cast.subscription(customer, since, until)
    return customer


def lay() -> None:
    """Lay the world as it is in the evening: earlier nights are behind it, tonight is due.

    Everybody is there from the first, and the earlier nights have taken what was theirs.
    """
    tonight, three_years = today(), _over_yesterday(3)
    long_ago = cast.noon(add_months(tonight, -30))
    _left("Karin", add_years(three_years, -9))  # gone with the first of the earlier nights
    _left("Anna", three_years, notice=False)  # goes wholly tonight, name and all
    _left("Ingrid", _over_yesterday(6))  # the proof goes tonight, and with it the last of her
    bjorn = _left("Björn", three_years)  # leaves an invoice and proof, and had said no
    cast.invoice(bjorn, three_years)
    say_yes(bjorn, Use("G", "email"), evidence=cast.SHOWN, at=cast.noon(add_years(three_years, -1)))
    say_no(bjorn, Use("G", "email"), at=cast.noon(three_years - timedelta(days=9)))
    cecilia = User.objects.create_user("cecilia@dentalclean.example", is_staff=True)
    held = partial(place_hold, ground=Hold.Ground.MANUAL, reason="Tvist.", owner=cecilia)
    in_a_week = tonight + timedelta(days=7)  # its owner is reminded tonight
    david = _left("David", three_years, account=False)  # held wholly
    held(david, review_on=in_a_week)
    erik = _left("Erik", three_years, account=False)  # held in part
    held(erik, review_on=in_a_week, categories=Category.PURCHASES.value)
    # Held when it was due, and lifted since: tonight's receipts follow earlier ones.
    olga = _left("Olga", three_years - timedelta(days=2), notice=False, account=False)
    lifted = held(olga, review_on=in_a_week + timedelta(days=90))
    frida = cast.person("Frida", since=_over_yesterday(9))  # stays; an old order goes
    cast.subscription(frida, _over_yesterday(9))
    cast.order(frida, three_years - timedelta(days=2), three_years)
    # Asked to be erased, and the time to think it over is up: proof stays and loses her.
    greta = cast.person("Greta", since=_over_yesterday(1))
    cast.subscription(greta, _over_yesterday(1), tonight - timedelta(days=30))
    cast.invoice(greta, tonight - timedelta(days=60))
    AccessLog.objects.create(customer=greta, actor=cecilia, reason="calls", words="Greta ringer")
    Outbox.objects.create(customer=greta, template="t", recipient="greta@example.se", subject="S")
    Customer.objects.filter(pk=greta.pk).update(erasure_on=tonight - timedelta(days=1))
    records.refresh([greta.pk])
    # Refused tonight: an account that something which stays points at, as no act of ours leaves it.
    hedda = cast.person("Hedda", since=_over_yesterday(1))
    AccessLog.objects.create(customer=frida, actor=hedda.user, reason="case")
    stuck = _left("Jonas", three_years - timedelta(days=3))
    lars = cast.person("Lars", since=tonight - timedelta(days=99))
    AccessLog.objects.create(customer=lars, actor=stuck.user, reason="case")
    for days in (4, 3, 2, 1):
        actions.execute(actions.open_run(tonight - timedelta(days=days))[0])
    if SetAside.objects.get().attempts != actions.MOST_ATTEMPTS:
        raise RuntimeError("The earlier nights have not set anybody aside.")
    # The nights tried somebody in vain; what was in the way has been mended since.
    with past.the_triggers():
        AccessLog.objects.filter(actor=stuck.user).delete()
    lift_hold(lifted)
    # What belongs to nobody.
    Outbox.objects.create(
        kind="mail", purpose="B", status="stopped", created_at=long_ago, finished_at=long_ago
    )
    Session.objects.create(
        session_key="over", session_data="", expire_date=timezone.now() - timedelta(days=1)
    )
    ledger.seal()
    restore.beat()
    erasure.settle()
    # An entry of the evening that is not sealed yet.
    say_no(lars, Use("G", "email"), at=timezone.now())


def a_minute() -> None:
    """Do what beat rings for at half past two, and each task as its worker would."""
    restore.forget_the_last_look()
    tasks.nightly()
    tasks.reconcile()
    ledger.seal()


@contextmanager
def small_batches() -> Iterator[None]:
    """Let a night of a few people have several batches, and a task be done where it is rung for."""
    with (
        mock.patch.multiple(actions, FIRST_BATCH=4, SMALLEST_BATCH=4, LARGEST_BATCH=4),
        mock.patch.object(settings, "PURGE_SHARES", 1),
        mock.patch.object(tasks.purge, "delay", tasks.purge),
        mock.patch.object(tasks.foresee, "delay", tasks.foresee),
        # Files that other tests have left large would be looked at in some nights only.
        mock.patch.object(estimates, "SMALLEST", 1_000_000),
        # Wiping comes after the night, in a session of its own: VACUUM knows no transactions.
        mock.patch.object(tasks.wipe, "delay"),
    ):
        yield


class Night:
    """The night nobody kills, and the judge of all others."""

    def __init__(self, control: Any, box: Path) -> None:
        self.control = control
        self.folders = (erasure.folder(), Path(settings.SEALS_DIR))
        self.tonight = today()
        lay()
        self.world = World(control, self.folders, FREE, box)
        self.world.keep("evening")
        self.judged: set[Any] = set()
        self.steps = self.process().run(a_minute).steps
        self.clear_up()
        self.world.keep("morning")
        self.world.go_back_only_in_what_differs("evening", "morning")
        self.expected = self._outcome()
        self.judge_now()

    def process(self, kill_at: int | None = None, *, power_cut: bool = False) -> Process:
        """Return a process that is killed at a point, or never."""
        return Process(self.control, self.folders, kill_at, power_cut)

    def kill(self, at: int, start: str = "evening", *, power_cut: bool = False) -> Process:
        """Begin in a world that was kept and be killed before a step; raises FoundError.

        Whoever has fewer steps is alive at the end, and judged as well.
        """
        self.world.restore(start)
        process = self.process(at, power_cut=power_cut).run(a_minute)
        self.judge(process)
        return process

    def kill_twice(self, first: int, times: int, drawn: random.Random) -> None:
        """Be killed before a step, and again before some steps of the restart."""
        self.world.restore("evening")
        self.process(first).run(a_minute)
        self.world.keep("killed")
        steps = len(self.process().run(a_minute).steps)
        for second in drawn.sample(range(steps), min(times, steps)):
            self.kill(second, start="killed")

    @contextmanager
    def judging_anew(self) -> Iterator[None]:
        """Trust no state that was judged before: what a restart makes of it has changed."""
        before, self.judged = self.judged, set()
        try:
            yield
        finally:
            self.judged = before

    def clear_up(self) -> None:
        """Let a later minute pass, in which half-written files are old."""
        for folder in self.folders:
            for path in folder.glob("*.part"):
                os.utime(path, (0, 0))
        self.process().run(a_minute)

    def judge(self, process: Process) -> None:
        """Judge what a kill left and what a restart makes of it, each state once."""
        state = self.state()
        if state in self.judged:
            return
        try:
            self.judge_now()
            self.process().run(a_minute)
            self.clear_up()
            self.judge_morning()
        except Exception as found:
            connection.close()
            after, before = ("the start", *process.steps)[-2:]
            raise FoundError(
                f"killed after {after[:90]} and before {before[:90]}: "
                f"{type(found).__name__} {found}"
            ) from found
        self.judged.add(state)

    # What can be seen

    def state(self) -> Any:
        """Return all that a restart can tell from another state, but moments and numbers drawn."""
        rows = dict(self._ask("SELECT id::text, is_void FROM retention_erasurebatch"))
        files = Counter(
            (path.suffix, rows.get(path.stem), tuple(path.read_text().splitlines()[1:]))
            for path in erasure.folder().glob("*.*")
        )
        marks = tuple(path.read_text() for path in erasure.folder().glob("mark"))
        seals = tuple(sorted(path.name for path in Path(settings.SEALS_DIR).glob("*")))
        tables = frozenset(self.world.alike().items())
        return tables, frozenset(files.items()), marks, seals

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self.control.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())

    def _outcome(self) -> dict[str, Any]:
        found = {t: d for t, d in self.world.alike().items() if t not in NOT_COMPARED}
        logged = [erasure.read(batch) for batch in erasure.batches()]
        return {
            "tables": found,
            "certificates": [
                {key: told for key, told in run.certificate.items() if key not in OF_THE_MOMENT}
                for run in Run.objects.order_by("business_date")
                if run.certificate is not None
            ],
            # Whoever is held in part is logged as often as a batch meets them.
            "log": {(one.on, person) for one in logged for person in one.people},
            "files": Counter(
                path.suffix if path.suffix in {".begun", ".part"} else path.name
                for folder in self.folders
                for path in folder.iterdir()
                # The next seal is written over what was left unfinished of one.
                if path.suffix != ".done" and path.name != "unfinished"
            ),
        }

    # What is demanded

    def judge_now(self) -> None:
        """Demand what holds at any moment; raises FoundError."""
        broken = invariants.broken()
        if broken:
            raise FoundError(f"an invariant does not hold: {'; '.join(map(str, broken))}")
        self._judge_log()

    def _judge_log(self) -> None:
        """Whoever is gone is in the log outside, and what it calls done is done."""
        gone = set(
            Receipt.objects.filter(
                category__in=(Category.IDENTITY, Category.SHELL), held_by=""
            ).values_list("customer_id", "category")
        )
        committed = set(ErasureBatch.objects.filter(is_void=False).values_list("pk", flat=True))
        logged = set()
        for ending in (erasure.BEGUN, erasure.DONE):
            for batch in erasure.batches(ending):
                if ending == erasure.DONE and batch not in committed:
                    raise FoundError("the log calls a batch done that is not")
                for person in erasure.read(batch).people:
                    if person.categories & Category.IDENTITY:
                        logged.add((person.pseudonym, Category.IDENTITY.value))
                    if person.is_wholly:
                        logged.add((person.pseudonym, Category.SHELL.value))
        if gone - logged:
            raise FoundError(f"the log has forgotten {len(gone - logged)} erasures")

    def judge_morning(self) -> None:
        """Demand that everything is as after the night that nobody killed; raises FoundError."""
        outcome = self._outcome()
        for part, expected in self.expected.items():
            if outcome[part] != expected:
                raise FoundError(self._differences(part, outcome[part], expected))
        if restore.missing():
            raise FoundError(f"it is taken for restored: {restore.missing()}")
        self.judge_now()
        certificates.verify()
        verify_ledger(lambda done: None)

    def _differences(self, part: str, found: Any, expected: Any) -> str:
        if part == "tables":
            tables = [table for table in expected if found.get(table) != expected[table]]
            return f"rows differ:\n{self.world.differences('morning', tables)}"
        return f"another {part}: {found} and not {expected}"


class Stage:
    """Where nights are killed: laid once for a process, gone back to by each test or bench."""

    def __init__(self, box: Path) -> None:
        given = connection.get_connection_params()
        names = {"host", "port", "user", "password", "dbname"} & set(given)
        self.control = psycopg2.connect(**{name: given[name] for name in names})
        self.control.autocommit = True
        self.box = box
        self.night: Night | None = None

    @contextmanager
    def evening(self) -> Iterator[Night]:
        """Give the evening of the night; everything is as it was in the end."""
        if self.night is not None and self.night.tonight != today():
            self.night.world.close()
            self.night = None
        with small_batches():
            if self.night is None:
                self.night = Night(self.control, self.box)
            self.night.world.restore("evening", wholly=True)
            yield self.night
            self.night.world.restore("evening")
            self.night.world.demand("evening")
        with current_app.connection_for_write() as line:
            line.default_channel.client.flushdb()  # nobody has heard the bells

    def close(self) -> None:
        """Take away what was kept."""
        if self.night is not None:
            self.night.world.close()
        self.control.close()
