"""After the night: nothing of what it took can be read in the database's files any more (F19).

A deleted row lies in its file until something else is written over it, and VACUUM alone leaves its
bytes where they were. So, for each table with words that lost something since the last time, as the
night's own receipts tell and PostgreSQL counts:
VACUUM, then rows of nothing over all free space (`retention.filler`), VACUUM again, and last its
indexes with words built anew beside the old ones. None of this keeps anybody from reading or
writing: it takes the lock of VACUUM, which stands in the way of nothing but its like.

VACUUM says how far back the oldest reader sees. While somebody may still see what the night
deleted, an open transaction or a backup, nothing is told as wiped; the reconciler tries again every
minute. Nor before a checkpoint has come by: until then the files are as they were, and only the
memory of the database is wiped. Killed anywhere, it begins anew with the table it was at. One
program wipes at a time.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from time import monotonic
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone

from consent.receipt_keys import is_signed, sign
from retention import readable
from retention.certificates import BrokenCertificateError, digest_of
from retention.filler import Filler
from retention.models import Receipt, Run, Wipe

log = logging.getLogger(__name__)

KIND = "wiping certificate"
WIPE_LOCK = 7_300_003
# VACUUM and REINDEX wait for their like and for old readers; nobody waits for them meanwhile.
PATIENCE = "60s"
TRIES = 3  # at pages that somebody was looking at
CLOSED = (Run.Status.DONE, Run.Status.PARTIAL, Run.Status.SKIPPED)
SESSION = (
    f"SET lock_timeout = '{PATIENCE}'",
    "SET statement_timeout = 0",
    "SET client_min_messages = 'info'",
    "SET synchronous_commit = off",  # the checkpoint that is waited for brings it all to the disk
    # Full speed would take the disk from the portal.
    "SET vacuum_cost_delay = '1ms'",
    "SET vacuum_cost_limit = 4000",
)
ON_DISK = "SELECT redo_lsn >= %s::pg_lsn FROM pg_control_checkpoint()"
CUTOFF = re.compile(r"removable cutoff: (\d+)")
MISSED = "tuples missed"
DAY = timedelta(days=1)


class NotYetError(Exception):
    """A table cannot be wiped now; the message says what stands in the way."""


def waiting() -> Run | None:
    """Return the latest night that is over and not wiped; it stands for all before it."""
    closed = Run.objects.filter(status__in=CLOSED, certificate__isnull=False)
    run = closed.order_by("business_date").last()
    if run is None or run.finished_at is None:
        return None
    wipe = Wipe.objects.filter(run=run).first()
    if wipe is None or wipe.finished_at is None or wipe.began_at < run.finished_at:
        return run
    return None


def wipe_after(run: Run) -> Wipe | None:
    """Return the finished wipe that covers a night: its own, or that of a later one."""
    finished = Wipe.objects.filter(finished_at__isnull=False, began_at__gte=run.finished_at)
    return finished.order_by("began_at").first() if run.finished_at else None


def wipe(run: Run) -> Wipe | None:
    """Wipe what the nights until this one took; None while another program does.

    What stands in the way is written down, and the next call goes on from there.
    """
    with _session() as session:
        if session is None:
            return None
        found = _opened(run)
        if found.finished_at is not None:
            return found
        before = Wipe.objects.filter(finished_at__isnull=False).order_by("finished_at").last()
        touched = _touched_since(before)
        for table in readable.tables():
            if table.name in found.tables:
                continue
            try:
                found.tables[table.name] = _table(session, table, found, before, touched)
            except (NotYetError, OperationalError) as problem:
                cause = str(problem) if isinstance(problem, NotYetError) else "locked"
                log.warning("Wiping %s waits: %s: %s", run.business_date, table.name, cause)
                _save(found, waits_for=f"{table.name}: {cause}")
                return found
            _save(found)
        if not found.done_at:
            found.done_at = _value(session, "SELECT pg_current_wal_insert_lsn()::text")
            found.save(update_fields=["done_at"])
        if not _value(session, ON_DISK, found.done_at):
            _save(found, waits_for="the next checkpoint")
            return found
    return _finish(found)


def _opened(run: Run) -> Wipe:
    """Return the run's wipe, begun after the run was closed."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        fresh = {"horizon": cursor.fetchone()[0], "began_at": timezone.now()}
        found, is_new = Wipe.objects.get_or_create(run=run, defaults=fresh)
        if not is_new and run.finished_at is not None and found.began_at < run.finished_at:
            found.horizon, found.began_at = fresh["horizon"], fresh["began_at"]
            found.tables, found.done_at, found.waits_for = {}, "", ""
            found.finished_at = found.certificate = None
            found.save()
    return found


def _touched_since(before: Wipe | None) -> frozenset[str]:
    """Return the tables that the nights since the last wipe took from, as they tell themselves.

    A night says it by its receipts, and by its certificate of what belonged to nobody. PostgreSQL
    counts as well, and late: it tells what people changed and ended during the day.
    """
    nights = Run.objects.filter(certificate__isnull=False)
    receipts = Receipt.objects.filter(held_by="")
    if before is not None:
        # A batch may have been at work while the last wipe began: the night counts, not the moment.
        nights = nights.filter(finished_at__gte=before.began_at)
        receipts = receipts.filter(Q(run__in=nights) | Q(run=None, at__gte=before.began_at - DAY))
    taken = sum(receipts.order_by().values_list("category", flat=True).distinct())
    swept = {
        table
        for told in nights.values_list("certificate", flat=True)
        for table in (told or {"done": {}})["done"].get("belonging_to_nobody", ())
    }
    return frozenset(swept | {t.name for t in readable.tables() if t.categories & taken})


def _save(found: Wipe, waits_for: str = "") -> None:
    found.waits_for = waits_for[:120]
    found.save(update_fields=["tables", "waits_for"])


# One table


def _table(
    session: BaseDatabaseWrapper,
    table: readable.Readable,
    found: Wipe,
    before: Wipe | None,
    touched: frozenset[str],
) -> dict[str, Any]:
    """Wipe a table, or leave one that has lost nothing since the last time."""
    changes = table.changes(session)
    last = before.tables.get(table.name, {}).get("changes") if before else None
    if last == changes and table.name not in touched:
        return {"changes": changes}
    began = monotonic()
    _drop_unfinished(session)
    _vacuum(session, table, found.horizon)
    filler = Filler(table.model, session)
    filler.fill()
    _vacuum(session, table, found.horizon)
    indexes = table.indexes(session)
    with session.cursor() as cursor:
        for index in indexes:
            cursor.execute(f"REINDEX INDEX CONCURRENTLY {index}")
    done = {
        "changes": changes,
        "seconds": round(monotonic() - began, 2),
        "rows_of_nothing": filler.rows,
        "indexes": indexes,
    }
    log.info("Wiped %s in %s s: %s", table.name, done["seconds"], found.run_id)
    return done


def _vacuum(session: BaseDatabaseWrapper, table: readable.Readable, horizon: int) -> None:
    """Take out what was deleted; raises NotYetError while somebody may still see it.

    All pages are looked at: after a crash PostgreSQL may not know where there is room.
    """
    raw = session.connection
    for _try in range(TRIES):
        del raw.notices[:]
        with session.cursor() as cursor:
            cursor.execute(
                f'VACUUM (VERBOSE, INDEX_CLEANUP ON, DISABLE_PAGE_SKIPPING) "{table.name}"'
            )
        said = "".join(raw.notices)
        cutoffs = CUTOFF.findall(said)
        if not cutoffs:
            raise NotYetError("VACUUM does not say how far it came")
        if any(_is_before(int(cutoff), horizon) for cutoff in cutoffs):
            raise NotYetError("an older transaction may still see what was deleted")
        if MISSED not in said:
            return
    raise NotYetError("somebody was looking at a page all the time")


def _is_before(cutoff: int, horizon: int) -> bool:
    """Tell whether the number of a transaction, which wraps around, is below the horizon."""
    return (cutoff - horizon) & 0xFFFFFFFF > 0x7FFFFFFF


def _drop_unfinished(session: BaseDatabaseWrapper) -> None:
    """Drop what an interrupted REINDEX left; the database's own function may, we may not."""
    _value(session, "SELECT retention_drop_unfinished_indexes()")


def _value(session: BaseDatabaseWrapper, statement: str, *values: Any) -> Any:
    with session.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


@contextmanager
def _session() -> Iterator[BaseDatabaseWrapper | None]:
    """Give a session of its own, outside transactions; None while another program wipes."""
    session = connection.copy()
    try:
        session.ensure_connection()
        is_alone = _value(session, "SELECT pg_try_advisory_lock(%s)", WIPE_LOCK)
        with session.cursor() as cursor:
            for statement in SESSION:
                cursor.execute(statement)
        yield session if is_alone else None
    finally:
        session.close()


# What is told of it


def _finish(found: Wipe) -> Wipe:
    """Sign what was done, chained to the night's own certificate."""
    run = Run.objects.get(pk=found.run_id)
    found.finished_at = timezone.now()
    wiped = {name: told for name, told in found.tables.items() if "seconds" in told}
    found.certificate = sign(
        {
            "kind": KIND,
            "night": run.business_date.isoformat(),
            "night_certificate": digest_of(run.certificate) if run.certificate else "",
            "began_at": found.began_at.astimezone(UTC).isoformat(),
            "finished_at": found.finished_at.astimezone(UTC).isoformat(),
            "wiped": {
                name: {key: told[key] for key in ("seconds", "rows_of_nothing", "indexes")}
                for name, told in wiped.items()
            },
            "lost_nothing": sorted(set(found.tables) - set(wiped)),
            "proof": {},
        }
    )
    found.waits_for = ""
    found.save(update_fields=["finished_at", "certificate", "waits_for"])
    log.info("Run %s is wiped: %s tables", run.business_date, len(wiped))
    return found


def verify() -> int:
    """Hold every wiping certificate to its signature and its night; return how many there are.

    Raises BrokenCertificateError at the first that does not hold.
    """
    number = 0
    for found in Wipe.objects.filter(finished_at__isnull=False).select_related("run"):
        run, told = found.run, found.certificate
        if told is None or not is_signed(told):
            raise BrokenCertificateError(f"The wiping after the night to {run} is not signed.")
        if told["night"] != run.business_date.isoformat():
            raise BrokenCertificateError(f"The wiping after the night to {run} is another night's.")
        if run.certificate is not None and told["night_certificate"] != digest_of(run.certificate):
            raise BrokenCertificateError(f"The night to {run} is not the one that was wiped.")
        number += 1
    return number
