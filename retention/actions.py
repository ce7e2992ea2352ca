"""The nightly purge: where people's data disappears.

One run per business date. A run walks each way to fall due in the order of its index and takes
people in batches, each batch a transaction of its own: lock the people that nobody else works on,
ask under the lock what nothing keeps any more, delete it with a receipt per person and category,
end the purposes, and remove whoever has nothing left. Any number of workers may do this at once;
killed anywhere, a batch is either wholly done or not begun, and the receipts are the rows' own
RETURNING, so there is no deletion without a receipt and no receipt without a deletion. A run closes
with a pass that waits for locks, since a dying worker may still hold people. Somebody whose rows
the database refuses to give up is set aside, and the night says so (F14).
"""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from time import monotonic
from typing import Any

from django.db import IntegrityError, InternalError, OperationalError, connection, transaction
from django.db.models import Max, Sum
from django.utils import timezone
from psycopg2.errors import LockNotAvailable

from customers import contact_points
from customers.dates import NEVER, STOCKHOLM, today
from customers.models import Session
from customers.personal_data import EVERYTHING, Category
from retention import statements
from retention.models import Receipt, Run
from retention.rules import algebra, as_due, vanishing

log = logging.getLogger(__name__)

# A batch aims at one second, so that nobody waits long for a lock (RUL-07).
FIRST_BATCH = 5000
SMALLEST_BATCH, LARGEST_BATCH = 100, 20000
TARGET_SECONDS = 1.0
LOCK_TIMEOUT = "2s"
RUN_LOCK = 7_300_001
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
    return Run.objects.get_or_create(business_date=business_date)


def latest_night(now: datetime) -> date:
    """Return the business date of the latest night that has begun."""
    local = now.astimezone(STOCKHOLM)
    return local.date() if local.time() >= NIGHT_BEGINS else local.date() - timedelta(days=1)


def open_missed_runs(now: datetime | None = None) -> list[Run]:
    """Open a run for every night since the last one, once each; the first night opens one."""
    until = latest_night(now or timezone.now())
    last = Run.objects.aggregate(last=Max("business_date"))["last"]
    days = [until] if last is None else _days_between(last, until)
    return [run for run, is_new in map(open_run, days) if is_new]


def _days_between(last: date, until: date) -> list[date]:
    return [last + timedelta(days=n) for n in range(1, (until - last).days + 1)]


def execute(run: Run) -> Run:
    """Work until nothing of the run's date is due, then close it; harmless when done twice.

    A person whom somebody else holds too long leaves the run open for the next ring.
    """
    run.refresh_from_db()
    if run.status != Run.Status.RUNNING:
        return run
    work(run)
    try:
        last = work(run, wait=True)
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("Run %s waits for people that somebody else holds", run.business_date)
        return run
    return close_run(run, whole=not last.set_aside)


def work(run: Run, *, wait: bool = False) -> Batch:
    """Take every person due before the run's date, in batches; return what was done."""
    total = Batch()
    size = FIRST_BATCH
    for source in statements.sources():
        day, after = NEVER, 0
        while True:
            started = monotonic()
            claimed = _next(source, run.business_date, day, after, size)
            if not claimed:
                break
            day, after = claimed[-1]
            total.add(purge_or_set_aside(run, [customer for _, customer in claimed], wait=wait))
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
            log.error("Run %s sets aside customer %s: %s", run.pk, customer_ids[0], cause)
            return Batch(set_aside=1)
    middle = len(customer_ids) // 2
    batch = purge_or_set_aside(run, customer_ids[:middle], wait=wait)
    batch.add(purge_or_set_aside(run, customer_ids[middle:], wait=wait))
    return batch


def purge_people(run: Run, customer_ids: Sequence[int], *, wait: bool = False) -> Batch:
    """Purge the people of one batch in one transaction, leaving those that somebody else holds."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, TRUE)", [LOCK_TIMEOUT])
        cursor.execute(
            "SELECT id FROM customers_customer WHERE id = ANY(%s) ORDER BY id "
            f"FOR UPDATE {'' if wait else 'SKIP LOCKED'}",
            [list(customer_ids)],
        )
        locked = [row[0] for row in cursor]
        # Of whoever is held wholly nothing goes, night after night.
        people = [row for row in algebra(run.business_date, locked) if row[2] != EVERYTHING]
        if not people:
            return Batch()
        params = {"on": run.business_date, "run": run.pk, **as_due(people)}
        _suppress(cursor, params)
        batch = Batch(people=len(people))
        cursor.execute(statements.purge_sql(), params)
        _count(cursor, batch)
        # First whoever leaves wholly: their purposes need no end.
        leaving = vanishing(run.business_date, people)
        if leaving:
            cursor.execute(statements.vanish_sql(), {**params, **as_due(leaving)})
            _count(cursor, batch)
        _end_purposes(cursor, run.business_date, [row[0] for row in people if not row[2]])
    return batch


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
    """Remember, as hashes, the ways to people who said no and now disappear (ERA-06)."""
    contact, address = Category.CONTACT.value, Category.ADDRESS.value
    cursor.execute(
        f"WITH {statements.DUE} SELECT "
        f"CASE WHEN due.gone & {contact} <> 0 THEN c.email ELSE '' END, "
        f"CASE WHEN due.gone & {contact} <> 0 THEN c.phone ELSE '' END, "
        "c.family_name, COALESCE(a.street, ''), COALESCE(a.postcode, '') "
        "FROM due JOIN customers_customer c USING (id) LEFT JOIN customers_address a "
        f"ON a.customer_id = c.id AND due.gone & {address} <> 0 "
        f"WHERE due.gone & {contact | address} <> 0 AND EXISTS (SELECT FROM "
        "consent_standing s WHERE s.customer_id = due.id AND s.declined)",
        params,
    )
    rows = cursor.fetchall()
    contact_points.add((p, params["on"]) for row in rows for p in contact_points.points(*row))


def close_run(run: Run, *, whole: bool = True) -> Run:
    """Sweep what belongs to nobody, then close the run with its counts per rule.

    Not whole when people were set aside: they are due again the next night.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [RUN_LOCK])
        run.refresh_from_db()
        if run.status != Run.Status.RUNNING:
            return run
        for statement in statements.ownerless_sql():
            cursor.execute(statement, {"on": run.business_date})
        Session.objects.filter(expire_date__lt=timezone.now()).delete()
        receipts = Receipt.objects.filter(run=run)
        per_rule = receipts.values_list("rule").annotate(n=Sum("row_count")).order_by("rule")
        run.counts = dict(per_rule)
        run.people = receipts.values("customer_id").distinct().count()
        run.status = Run.Status.DONE if whole else Run.Status.FAILED
        run.finished_at = timezone.now()
        run.save(update_fields=["counts", "people", "status", "finished_at"])
    log.info("Run %s is closed: %s people, %s", run.business_date, run.people, run.counts)
    return run
