"""Bugs of the kind that only a kill shows, to be planted where the night has none.

With each of them a night that nobody kills comes to the same morning. `shows` says where a kill
shows it, as "the step before > the one that is not taken > the one after", so that no other kills
need be tried.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.db import connection
from django.db.models import F
from django.utils import timezone

from consent import sealing, seals
from customers import contact_points
from customers.dates import NEVER, add_months, add_years
from customers.models import Customer
from customers.personal_data import Category
from disclosures import files
from retention import actions, certificates, erasure, forecasts, holds, plans, restore, statements
from retention.marks import Mark
from retention.models import Forecast, Receipt, Run, SetAside
from retention.schedule import PERIOD


@dataclass(frozen=True)
class Bug:
    """A bug, how to plant it, and where a kill shows it."""

    name: str
    shows: str
    plant: Callable[[], AbstractContextManager[object]]
    power_cut: bool = False


BUGS: list[Bug] = []


def _bug(name: str, shows: str, *, power_cut: bool = False) -> Callable[..., Any]:
    def added(plant: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
        BUGS.append(Bug(name, shows, contextmanager(plant), power_cut))
        return plant

    return added


def _commit() -> None:
    """Commit what is under way, where no transaction should end."""
    with connection.wrap_database_errors:
        connection.connection.commit()


@_bug("a batch of two transactions", "> UPDATE consent_processingrecord")
def _two_transactions() -> Iterator[None]:
    count = actions._count
    with mock.patch.object(actions, "_count", lambda *a: (count(*a), _commit())):
        yield


@_bug("the log is written after the commit", "commit > open")
def _log_too_late() -> Iterator[None]:
    @contextmanager
    def logged(on: Any) -> Iterator[erasure.BatchLog]:
        batch, said = erasure.BatchLog(on), []
        with mock.patch.object(batch, "write", lambda *a: said.append(a)):
            yield batch
        for words in said:
            batch.write(*words)
            erasure.confirm(batch.id)

    with mock.patch.object(erasure, "logged", logged):
        yield


@_bug("the log says done before the commit", "rename > commit")
def _done_too_soon() -> Iterator[None]:
    write = erasure.BatchLog.write

    def written(batch: erasure.BatchLog, gone: Any, wholly: Any) -> None:
        write(batch, gone, wholly)
        if wholly:  # a batch that is refused would show without a kill
            erasure.confirm(batch.id)

    with mock.patch.object(erasure.BatchLog, "write", written):
        yield


@_bug("the log is not flushed to the disk", "commit > rename", power_cut=True)
def _not_flushed() -> Iterator[None]:
    def write(path: Path, chunks: Any) -> None:
        with mock.patch.object(files.os, "fsync"):
            real(path, chunks)

    real = files.write
    with mock.patch.object(files, "write", write):
        yield


@_bug("whatever is begun is taken for done", "fsync > commit")
def _begun_is_done() -> Iterator[None]:
    settle = erasure.settle

    def settled() -> None:
        for batch in list(erasure.batches(erasure.BEGUN)):
            # A batch that was refused would show without a kill.
            if any(person.is_wholly for person in erasure.read(batch).people):
                erasure.confirm(batch)
        settle()

    with mock.patch.object(erasure, "settle", settled):
        yield


@_bug("whatever is begun is taken back", "commit > rename")
def _begun_is_nothing() -> Iterator[None]:
    settle = erasure.settle

    def settled() -> None:
        for path in erasure.folder().glob(f"*{erasure.BEGUN}"):
            path.unlink()
        settle()

    with mock.patch.object(erasure, "settle", settled):
        yield


@_bug(
    "the night is closed before its last pass",
    '> SELECT [^>]*FROM "retention_setaside" WHERE "retention_setaside"."tried_on" <',
)
def _closed_too_soon() -> Iterator[None]:
    work = actions.work

    def worked(run: Run, *, wait: bool = False) -> actions.Batch:
        if wait:
            Run.objects.filter(pk=run.pk).update(status=Run.Status.DONE)
        done = work(run, wait=wait)
        if wait:
            actions._try_again(run)
            Run.objects.filter(pk=run.pk).update(status=Run.Status.RUNNING)
        return done

    with mock.patch.object(actions, "work", worked):
        yield


@_bug("a batch is ticked off before it is done", "> SELECT id [^>]*SKIP LOCKED >")
def _ticked_off() -> Iterator[None]:
    following = actions._next

    def ticked(source: Any, on: Any, day: Any, after: int, size: int) -> Any:
        run = Run.objects.get(business_date=on)
        if day == NEVER and source.name in run.counts:
            day, after = run.counts[source.name]
        claimed = following(source, on, day, after, size)
        if claimed:
            run.counts[source.name] = (claimed[-1][0].isoformat(), claimed[-1][1])
            run.save(update_fields=["counts"])
        return claimed

    with mock.patch.object(actions, "_next", ticked):
        yield


@_bug("a try is counted once by each process", "> SELECT pg_advisory_xact_lock")
def _counted_anew() -> Iterator[None]:
    counted: set[tuple[int, int]] = set()
    set_aside = actions._set_aside

    def counting(run: Run, customer_id: int, cause: str) -> None:
        set_aside(run, customer_id, cause)
        key = connection.connection.get_backend_pid(), customer_id
        if key not in counted and counted:
            SetAside.objects.filter(customer_id=customer_id).update(attempts=F("attempts") + 1)
        counted.add(key)

    with mock.patch.object(actions, "_set_aside", counting):
        yield


@_bug(
    "the receipt of the last row is written after the commit", '> INSERT INTO "retention_receipt"'
)
def _receipt_too_late() -> Iterator[None]:
    gone: list[Any] = []
    vanish, count, purge = statements.vanish_sql, actions._count, actions.purge_people

    def silent() -> str:
        return vanish().split("INSERT INTO")[0] + "SELECT pseudonym, '', 1 FROM gone"

    def counted(cursor: Any, batch: actions.Batch) -> None:
        if "AS (DELETE FROM customers_customer" in str(cursor.query):
            gone.extend(row[0] for row in cursor)
        else:
            count(cursor, batch)

    def purged(run: Run, *rest: Any, **options: Any) -> actions.Batch:
        gone.clear()
        batch = purge(run, *rest, **options)
        shell = Category.SHELL
        for subject in gone:
            Receipt.objects.create(
                customer_id=subject,
                run=run,
                category=shell,
                rule=PERIOD[shell].rule,
                row_count=1,
            )
        return batch

    with (
        mock.patch.object(statements, "vanish_sql", silent),
        mock.patch.object(actions, "_count", counted),
        mock.patch.object(actions, "purge_people", purged),
    ):
        yield


@_bug("the certificate is written after the night is closed", '> UPDATE [^>]* SET "certificate"')
def _certificate_too_late() -> Iterator[None]:
    close, write = actions.close_run, certificates.write

    def closed(run: Run, **options: Any) -> Run:
        told: list[Any] = []
        with mock.patch.object(certificates, "write", lambda *a: told.append(a)):
            run = close(run, **options)
        for words in told:
            Run.objects.filter(pk=run.pk).update(certificate=write(*words))
        return run

    with mock.patch.object(actions, "close_run", closed):
        yield


@_bug("the sweep is committed before its count", '> UPDATE [^>]* SET "swept"')
def _sweep_of_its_own() -> Iterator[None]:
    def save(run: Run, **options: Any) -> None:
        if options.get("update_fields") == ["swept"]:
            _commit()
        real(run, **options)

    real = Run.save
    with mock.patch.object(Run, "save", save):
        yield


@_bug("the night begins before it is planned", '> UPDATE [^>]* SET "status" = %s, "plan_hash"')
def _begun_unplanned() -> Iterator[None]:
    make = plans.make

    def made(on: Any) -> plans.Plan:
        Run.objects.filter(business_date=on).update(began_at=timezone.now())
        _commit()
        return make(on)

    with mock.patch.object(plans, "make", made):
        yield


@_bug(
    "what was said no to is remembered after the person is gone",
    "> INSERT INTO customers_suppression",
)
def _suppressed_too_late() -> Iterator[None]:
    later: list[Any] = []
    add, purge = contact_points.add, actions.purge_people

    def purged(*rest: Any, **options: Any) -> actions.Batch:
        later.clear()
        batch = purge(*rest, **options)
        if later:
            add(later)
        return batch

    with (
        mock.patch.object(contact_points, "add", later.extend),
        mock.patch.object(actions, "purge_people", purged),
    ):
        yield


@_bug(
    "purposes are ended before the batch, by themselves",
    "UPDATE consent_processing[^>]*> SELECT set_config",
)
def _ended_too_soon() -> Iterator[None]:
    purge = actions.purge_people

    def purged(run: Run, ids: Any, *, wait: bool = False) -> actions.Batch:
        free = [row[0] for row in actions.algebra(run.business_date, ids) if not row[2]]
        nameless = Customer.objects.filter(pk__in=free, given_name="").values_list("pk", flat=True)
        if nameless:
            with connection.cursor() as cursor:
                actions._end_purposes(cursor, run.business_date, list(nameless))
        return purge(run, ids, wait=wait)

    with mock.patch.object(actions, "purge_people", purged):
        yield


@_bug("the months are foreseen after the nights, by themselves", "commit > WITH ending")
def _months_apart() -> Iterator[None]:
    write, foresee, month = forecasts.write, forecasts.foresee, Forecast.Span.MONTH

    def nights_alone(span: str, *days: Any) -> Any:
        return iter(()) if span == month else foresee(span, *days)

    def written(made_on: Any) -> int:
        with mock.patch.object(forecasts, "foresee", nights_alone):
            rows = write(made_on)
        first = add_months(made_on.replace(day=1), 1)
        last = add_years(first, forecasts.YEARS) - timedelta(days=1)
        Forecast.objects.bulk_create(
            Forecast(made_on=made_on, span=month, day=day, people=people, per_category=each)
            for day, people, each in foresee(month, first, last)
        )
        return rows

    with mock.patch.object(forecasts, "write", written):
        yield


@_bug("the mark is raised outside before inside", '> UPDATE "retention_mark"')
def _mark_outside_first() -> Iterator[None]:
    def beat() -> None:
        restore.demand_whole()
        mark, _ = Mark.objects.get_or_create(pk=restore.ONLY)
        restore._mark_outside(mark.number + 1)
        Mark.objects.filter(pk=restore.ONLY).update(number=F("number") + 1, at=timezone.now())

    with mock.patch.object(restore, "beat", beat):
        yield


@_bug("a seal is in the database before it is on the disk", "> rename > the end")
def _sealed_too_soon() -> Iterator[None]:
    write, seal = seals.write, sealing.seal

    def sealed() -> Any:
        apart: list[Path] = []

        def written(*rest: Any, **options: Any) -> seals.Head:
            head = write(*rest, **options)
            there = seals.path(head.number)
            apart.append(there.rename(there.with_suffix(".late")))
            return head

        with mock.patch.object(seals, "write", written):
            found = seal()
        for late in apart:
            late.rename(late.with_suffix(".seal"))
        return found

    with mock.patch.object(sealing, "seal", sealed):
        yield


@_bug("a reminder is written down after its mail", '> UPDATE "retention_hold" SET "reminded_on"')
def _reminded_twice() -> Iterator[None]:
    queue = holds.queue_mail
    with mock.patch.object(holds, "queue_mail", lambda *a, **k: (queue(*a, **k), _commit())):
        yield
