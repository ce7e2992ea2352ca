"""The nightly purge: where people's data disappears.

One run per business date. A run walks each way to fall due in the order of its index and takes
people in batches, each batch a transaction of its own: lock the people that nobody else works on,
ask under the lock what nothing keeps any more, delete it with a receipt per person and category,
end the purposes, and remove whoever has nothing left. Any number of workers may do this at once;
killed anywhere, a batch is either wholly done or not begun, and the receipts are the rows' own
RETURNING, so there is no deletion without a receipt and no receipt without a deletion. A run closes
with a pass that waits for locks, since a dying worker may still hold people. Somebody whose rows
the database refuses to give up is set aside, tried again every night alone, and the night says so
(F14).

Before the first deletion the whole night is planned. A plan far above what was forecast a week ago
stops the night until somebody has read it and lets that very plan be done (RUL-38); nothing is
deleted while a clock is in doubt or the purge is turned off.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from time import monotonic
from typing import Any

from django.db import IntegrityError, InternalError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg2.errors import LockNotAvailable

from customers import contact_points
from customers.dates import NEVER, STOCKHOLM, today
from customers.personal_data import EVERYTHING, RETURNED, Category
from retention import certificates, clocks, erasure, estimates, plans, statements
from retention.decisions import pause_at
from retention.holds import lift_lapsed
from retention.locks import BORROWED
from retention.models import Release, Run, SetAside
from retention.rules import algebra, as_due, held_back, vanishing
from retention.unnaming import nameless, unname

log = logging.getLogger(__name__)

# A batch aims at one second, so that nobody waits long for a lock (RUL-07).
# The pace is not known before the first one, and 5,000 people may take five seconds.
FIRST_BATCH = 1000
SMALLEST_BATCH, LARGEST_BATCH = 100, 20000
TARGET_SECONDS = 1.0
SWEPT_AT_ONCE = 5000  # rows of a table that belong to nobody
LOCK_TIMEOUT = "2s"
RUN_LOCK = 7_300_001
PLAN_LOCK = 7_300_002
# Who has been refused this many nights is left out of the batches and tried alone (F14).
MOST_ATTEMPTS = 3
NIGHT_BEGINS = time(2, 30)  # in Stockholm


class RunRefusedError(Exception):
    """The run must not be made; the message says why and what to do."""


@dataclass
class Batch:
    """What one transaction did."""

    people: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    set_aside: int = 0

    def add(self, other: "Batch") -> None:
        self.people += other.people
        self.rows += other.rows
        self.set_aside += other.set_aside


def open_run(business_date: date) -> tuple[Run, bool]:
    """Return the run of a business date and whether it was opened now; raises RunRefusedError."""
    if business_date > today():
        raise RunRefusedError(
            "A night that has not come cannot be run; use --dry-run to see its plan."
        )
    if clocks.jumped() is not None:
        raise RunRefusedError(
            "A clock has been put forward, so no night is run; set it right, or let the data "
            "protection officer say that it is right."
        )
    return Run.objects.get_or_create(business_date=business_date)


def latest_night(now: datetime) -> date:
    """Return the business date of the latest night that has begun."""
    local = now.astimezone(STOCKHOLM)
    return local.date() if local.time() >= NIGHT_BEGINS else local.date() - timedelta(days=1)


def open_missed_runs(now: datetime | None = None) -> list[Run]:
    """Open a run for every night since the last one, once each; the first night opens one.

    None is opened while a clock is in doubt. When the purge is on again, the latest night that was
    skipped is opened anew: it takes what all of them left.
    """
    if clocks.beat() is not None:
        return []
    now = now or timezone.now()
    until = latest_night(now)
    last = Run.objects.order_by("-business_date").first()
    if last is not None and last.status == Run.Status.SKIPPED and pause_at(now) is None:
        _open_again(last)
    days = [until] if last is None else _days_between(last.business_date, until)
    return [run for run, is_new in map(open_run, days) if is_new]


def _open_again(run: Run) -> None:
    Run.objects.filter(pk=run.pk, status=Run.Status.SKIPPED).update(
        status=Run.Status.RUNNING, finished_at=None, began_at=None, certificate=None
    )


def _days_between(last: date, until: date) -> list[date]:
    return [last + timedelta(days=n) for n in range(1, (until - last).days + 1)]


def execute(run: Run) -> Run:
    """Plan the run, work until nothing of its date is due, then close it; harmless when done twice.

    A person whom somebody else holds too long leaves the run open for the next ring, and so does a
    clock in doubt or an earlier night that waits for a decision.
    """
    run.refresh_from_db()
    if run.status != Run.Status.RUNNING or run.business_date > today():
        return run
    if pause_at(timezone.now()) is not None:
        return skip_run(run)
    if clocks.jumped() is not None or _waits_for_an_earlier(run):
        return run
    estimates.refresh()
    lift_lapsed(run.business_date)
    if not begin(run):
        return run
    work(run)
    try:
        work(run, wait=True)
        _try_again(run)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("Run %s waits for people that somebody else holds", run.business_date)
        return run
    if pause_at(timezone.now()) is not None:
        return skip_run(run)
    return close_run(run)


def _waits_for_an_earlier(run: Run) -> bool:
    return Run.objects.filter(
        status=Run.Status.STOPPED, business_date__lt=run.business_date
    ).exists()


def begin(run: Run) -> bool:
    """Plan a night that has not begun; say whether it may be done (RUL-38).

    The plan is made anew each time, so what begins is what was planned last: a plan that was
    stopped and released is done if it is still the same, and asked about again if it is not. One
    worker plans while the others wait.
    """
    if run.began_at is not None:
        return True
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock(%s), {statements.BY_INDEX}", [PLAN_LOCK])
        run.refresh_from_db()
        if run.status != Run.Status.RUNNING or run.began_at is not None:
            return run.status == Run.Status.RUNNING
        plan = plans.make(run.business_date)
        if run.plan_hash and run.plan_hash != plan.hash:
            log.warning("Run %s is planned again: its plan has changed", run.business_date)
        if run.plan_hash != plan.hash:
            run.plans += 1
        run.plan_hash, run.planned_people = plan.hash, plan.people
        run.planned_at, run.plan_lines = timezone.now(), plan.lines()
        run.expected_people = plans.expected(run.business_date)
        run.most_people = plans.most(run.expected_people)
        released = Release.objects.filter(run=run, plan_hash=plan.hash).exists()
        if plan.people > run.most_people and not released:
            run.status = Run.Status.STOPPED
        else:
            run.began_at = timezone.now()
        run.save(
            update_fields=[
                *("plan_hash", "planned_people", "planned_at", "plan_lines", "plans"),
                *("expected_people", "most_people", "status", "began_at"),
            ]
        )
    if run.status == Run.Status.STOPPED:
        log.error(
            "Run %s is stopped: its plan takes %s people, %s were forecast and %s is the most",
            *(run.pk, run.planned_people, run.expected_people, run.most_people),
        )
    return run.began_at is not None


def skip_run(run: Run) -> Run:
    """Close a night that the purge was turned off for, telling what it had taken before that."""
    log.error("Run %s is skipped: the purge is turned off", run.business_date)
    return close_run(run, skipped=True)


# The work


def work(run: Run, *, wait: bool = False) -> Batch:
    """Take every person due before the run's date, in batches; return what was done."""
    total = Batch()
    size = FIRST_BATCH
    aside = set(
        SetAside.objects.filter(attempts__gte=MOST_ATTEMPTS).values_list("customer_id", flat=True)
    )
    for source in statements.sources():
        day, after = NEVER, 0
        while True:
            started = monotonic()
            claimed = _next(source, run.business_date, day, after, size)
            if not claimed:
                break
            if pause_at(timezone.now()) is not None:
                return total
            day, after = claimed[-1]
            people = [customer for _, customer in claimed if customer not in aside]
            total.add(purge_or_set_aside(run, people, wait=wait))
            size = _next_size(size, monotonic() - started)
    return total


def _next_size(size: int, seconds: float) -> int:
    wanted = int(size * TARGET_SECONDS / max(seconds, 0.001))
    return max(SMALLEST_BATCH, min(LARGEST_BATCH, wanted, size * 2))


def _next(
    source: statements.Source, on: date, day: date, after: int, size: int
) -> list[tuple[date, int]]:
    with connection.cursor() as cursor:
        cursor.execute(source.next_batch, {"on": on, "day": day, "after": after, "size": size})
        return list(cursor.fetchall())


def purge_or_set_aside(run: Run, customer_ids: Sequence[int], *, wait: bool = False) -> Batch:
    """Purge people so that one whose rows cannot go stops nobody else (F14)."""
    try:
        return purge_people(run, customer_ids, wait=wait)
    except (IntegrityError, InternalError) as refusal:
        if len(customer_ids) == 1:
            cause = type(refusal.__cause__).__name__
            _set_aside(run, customer_ids[0], cause)
            return Batch(set_aside=1)
    middle = len(customer_ids) // 2
    batch = purge_or_set_aside(run, customer_ids[:middle], wait=wait)
    batch.add(purge_or_set_aside(run, customer_ids[middle:], wait=wait))
    return batch


def _set_aside(run: Run, customer_id: int, cause: str) -> None:
    """Remember that the database would not give somebody's rows up; once a night it counts."""
    log.error("Run %s sets aside customer %s: %s", run.pk, customer_id, cause)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO retention_setaside AS s (customer_id, attempts, since, tried_on, cause) "
            "VALUES (%(customer)s, 1, %(on)s, %(on)s, %(cause)s) ON CONFLICT (customer_id) "
            "DO UPDATE SET attempts = s.attempts + (s.tried_on < EXCLUDED.tried_on)::int, "
            "tried_on = GREATEST(s.tried_on, EXCLUDED.tried_on), cause = EXCLUDED.cause",
            {"customer": customer_id, "on": run.business_date, "cause": cause},
        )


def _try_again(run: Run) -> None:
    """Try everybody set aside in an earlier night, alone; who goes now is set aside no more."""
    earlier = SetAside.objects.filter(tried_on__lt=run.business_date).order_by("customer_id")
    for customer_id in list(earlier.values_list("customer_id", flat=True)):
        if not purge_or_set_aside(run, [customer_id], wait=True).set_aside:
            SetAside.objects.filter(customer_id=customer_id).delete()


def purge_people(run: Run, customer_ids: Sequence[int], *, wait: bool = False) -> Batch:
    """Purge the people of one batch in one transaction, leaving those that somebody else holds."""
    with (
        erasure.logged(run.business_date) as outside,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"SELECT set_config('lock_timeout', %s, TRUE), {statements.BY_INDEX}", [LOCK_TIMEOUT]
        )
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id "
            f"FOR UPDATE {'' if wait else 'SKIP LOCKED'}",
            [list(customer_ids)],
        )
        locked = [row[0] for row in cursor]
        # Of whoever is held wholly nothing goes, night after night.
        found = algebra(run.business_date, locked)
        _say_what_is_held(cursor, run, found)
        people = [row for row in found if row[2] != EVERYTHING]
        if not people:
            return Batch()
        params = {"on": run.business_date, "run": run.pk, **as_due(people)}
        outside.note([row[0] for row in people])
        _suppress(cursor, params)
        batch = Batch(people=len(people))
        cursor.execute(statements.purge_sql(), params)
        _count(cursor, batch)
        # First whoever leaves wholly: their purposes need no end.
        leaving = vanishing(run.business_date, people)
        if leaving:
            cursor.execute(statements.vanish_sql(), {**params, **as_due(leaving)})
            _count(cursor, batch)
        unname(run.business_date, nameless(people, outside.asked, leaving))
        _end_purposes(cursor, run.business_date, [row[0] for row in people if not row[2]])
        outside.write([row[:2] for row in people], [row[0] for row in leaving])
    return batch


def _say_what_is_held(cursor: Any, run: Run, rows: Sequence[tuple[int, int, int]]) -> None:
    """Give a receipt, the first of two, of what is past its time and held (ERA-04)."""
    held = held_back(run.business_date, rows)
    if held:
        params = {"on": run.business_date, "run": run.pk, **as_due(held)}
        cursor.execute(statements.held_back_sql(), params)
        # Whose name is only held is used for nothing else, whatever they once said yes to.
        only_held = [pk for pk, gone, _ in held if gone & Category.IDENTITY]
        cursor.execute(
            "UPDATE consent_processingrecord SET ended_on = %(on)s "
            "WHERE customer_id = ANY(%(ids)s) AND purpose = ANY(%(codes)s) AND ended_on IS NULL",
            {"on": run.business_date, "ids": only_held, "codes": list(BORROWED)},
        )


def _count(cursor: Any, batch: Batch) -> None:
    for _category, rule, rows in cursor:
        batch.rows[rule] += rows


def _end_purposes(cursor: Any, on: date, not_held: list[int]) -> None:
    """End the purposes that are over; those of held people stay due until the hold is lifted."""
    cursor.execute(
        "UPDATE consent_processingrecord SET ended_on = %(on)s "
        "WHERE customer_id = ANY(%(ids)s) AND ended_on IS NULL AND retain_until < %(on)s",
        {"on": on, "ids": not_held},
    )


def _suppress(cursor: Any, params: dict[str, Any]) -> None:
    """Remember, as hashes, the ways to people who said no, or go on request (ERA-06)."""
    email, phone, address = (of.value | way.value for way, of in RETURNED.items())
    cursor.execute(
        f"WITH {statements.DUE} SELECT "
        f"CASE WHEN due.gone & {email} <> 0 THEN c.email ELSE '' END, "
        f"CASE WHEN due.gone & {phone} <> 0 THEN c.phone ELSE '' END, "
        "c.family_name, COALESCE(a.street, ''), COALESCE(a.postcode, '') "
        "FROM due JOIN customers_customer c USING (id) LEFT JOIN customers_address a "
        f"ON a.customer_id = c.id AND due.gone & {address} <> 0 "
        f"WHERE due.gone & {email | phone | address} <> 0 AND (due.asked OR EXISTS (SELECT FROM "
        "consent_standing s WHERE s.customer_id = due.id AND s.declined))",
        params,
    )
    rows = cursor.fetchall()
    contact_points.add((p, params["on"]) for row in rows for p in contact_points.points(*row))


def _sweep(run: Run) -> None:
    """Delete what is past its date and belongs to nobody, a part at a time."""
    while pause_at(timezone.now()) is None and _sweep_some(run):
        pass


def _sweep_some(run: Run) -> bool:
    """Delete as much as one transaction should, counted in the run; tell if there was any."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RUN_LOCK])
        run.refresh_from_db()
        if run.status != Run.Status.RUNNING:
            return False
        swept = Counter(run.swept or {})
        params: dict[str, Any] = {"on": run.business_date, "now": timezone.now()}
        params["most"] = SWEPT_AT_ONCE
        before = swept.total()
        for table, statement in statements.ownerless_sql():
            cursor.execute(statement, params)
            swept[table] += cursor.rowcount
        if swept.total() == before:
            return False
        run.swept = dict(sorted((+swept).items()))
        run.save(update_fields=["swept"])
    return True


def close_run(run: Run, *, skipped: bool = False) -> Run:
    """Sweep what belongs to nobody, then close the run with its counts and its certificate.

    Nothing is written before the receipts are summed up, so nobody waits meanwhile. Partly done
    when people are set aside: they are tried again the next night.
    """
    if not skipped:
        _sweep(run)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RUN_LOCK])
        run.refresh_from_db()
        if run.status != Run.Status.RUNNING:
            return run
        done = plans.done(run)
        run.counts = certificates.per_rule(done)
        run.people = done.people
        run.set_aside = SetAside.objects.filter(tried_on__gte=run.business_date).count()
        run.status = (
            Run.Status.SKIPPED
            if skipped
            else Run.Status.PARTIAL
            if run.set_aside
            else Run.Status.DONE
        )
        run.finished_at = timezone.now()
        run.certificate = certificates.write(run, done, run.swept or {})
        run.save(
            update_fields=["counts", "people", "set_aside", "status", "finished_at", "certificate"]
        )
    log.info("Run %s is closed: %s people, %s", run.business_date, run.people, run.counts)
    if run.status == Run.Status.PARTIAL:
        log.error("Run %s is partly done: %s people set aside", run.pk, run.set_aside)
    return run
