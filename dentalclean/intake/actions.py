"""The import from first to last, in one transaction: all that is right, or nothing at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.db import DatabaseError, connection, transaction

from consent import records
from consent.models import Notice
from customers.models.channels import Collected
from dentalclean.intake import checks, ledger, people, purchases, report, staging
from dentalclean.intake.formats import (
    ADDRESSES,
    CONSENTS,
    CUSTOMERS,
    FISCAL_YEARS,
    FORMATS,
    INVOICES,
    ORDERS,
    PRODUCTS,
    SUBSCRIPTIONS,
    Format,
)
from dentalclean.intake.people import Written
from dentalclean.intake.reading import UnreadableError

IMPORT_LOCK = 7_300_002
BATCH = 5000
TABLES = (
    *(form.table for form in FORMATS),
    *("customer_changes", "changed_customers", "address_changes", "shared_addresses"),
    *("invoice_links", "linked_years", "said", "spoken_uses", "spoken", "stand", "touched"),
)
WARNINGS = (*people.WARNINGS, *ledger.WARNINGS)

# Told what is being done, how much of it is done, and how much there is (0: unknown).
Tell = Callable[[str, int, int], None]


@dataclass
class Count:
    """What became of the rows of one file."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    refused: int = 0

    @property
    def unchanged(self) -> int:
        return self.rows - self.new - self.changed - self.refused


@dataclass
class Result:
    """What an import did; `report` is the file with the refused rows and the warnings."""

    counts: dict[str, Count] = field(default_factory=dict)
    warnings: int = 0
    records: int = 0
    report: Path | None = None

    @property
    def refused(self) -> int:
        return sum(count.refused for count in self.counts.values())

    @property
    def written(self) -> int:
        return sum(count.new + count.changed for count in self.counts.values())


def files_in(folder: Path) -> dict[Format, Path]:
    """Return the files of an import; raises UnreadableError."""
    if not folder.is_dir():
        raise UnreadableError(f"There is no folder {folder}; name the one with the CSV files.")
    known = {form.file: form for form in FORMATS}
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".csv")
    except OSError as error:
        raise UnreadableError(
            f"The folder {folder} cannot be read; see to its permissions."
        ) from error
    strange = [path.name for path in found if path.name not in known]
    if strange:
        raise UnreadableError(
            f"{strange[0]} is not a file of the import; rename it to one of "
            f"{', '.join(known)}, or take it away."
        )
    if not found:
        raise UnreadableError(f"The folder {folder} has no CSV file; put customers.csv there.")
    return {known[path.name]: path for path in found}


def load(folder: Path, reports: Path, on: date, tell: Tell) -> Result:
    """Load a folder as of a day; raises UnreadableError when nothing is loaded.

    Bad rows, and the rows that hang on them, go to a report in `reports`; the others are loaded.
    """
    files = files_in(folder)
    result = Result()
    try:
        with report.writing(reports) as writer, transaction.atomic(), connection.cursor() as cursor:
            _begin(cursor)
            _stage(cursor, files, on, tell)
            _check_and_write(cursor, result, {"on": on}, tell)
            _refresh(cursor, result, tell)
            tell("Writing the report", 0, 0)
            _report(cursor, files, result, writer)
            result.report = writer.path
    except OSError as error:
        raise UnreadableError(
            f"{error.filename or folder} cannot be read or written; see to its permissions."
        ) from error
    except DatabaseError as error:
        raise UnreadableError(
            "The database refused the import, so nothing was loaded; run it again, and tell "
            f"whoever looks after the program if that does not help ({_code(error)})."
        ) from error
    return result


def _code(error: DatabaseError) -> str:
    return f"{type(error).__name__} {getattr(error.__cause__, 'pgcode', None) or ''}".strip()


def _begin(cursor: Any) -> None:
    cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [IMPORT_LOCK])
    if not cursor.fetchone()[0]:
        raise UnreadableError("Another import is running; wait until it has ended.")
    if not Notice.objects.filter(collected=Collected.IMPORT).exists():
        raise UnreadableError("No policy is published yet; run manage.py publish_policy first.")
    # From an import that shares the transaction, as tests do.
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{name}' for name in TABLES)}")
    # Referring rows are asked for after each statement: kept to the end they would fill the memory.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET LOCAL work_mem = '64MB'")


def _stage(cursor: Any, files: dict[Format, Path], on: date, tell: Tell) -> None:
    total = sum(path.stat().st_size for path in files.values())
    before = 0
    for form in FORMATS:
        staging.create(cursor, form)
        path = files.get(form)
        if path is None:
            continue
        words = f"Reading {path.name}"

        def progress(done: int, words: str = words, before: int = before) -> None:
            tell(words, before + done, total)

        progress(0)
        staging.copy(cursor, form, path, on, progress)
        before += path.stat().st_size


def _check_and_write(cursor: Any, result: Result, params: dict[str, Any], tell: Tell) -> None:
    written: dict[Format, Written] = {}
    tell("Checking", 0, 0)
    checks.run_all(cursor, checks.BEFORE_CUSTOMERS, params)
    written[PRODUCTS] = purchases.write_products(cursor)
    written[FISCAL_YEARS] = purchases.write_fiscal_years(cursor)
    people.number_customers(cursor)
    people.find_customers(cursor)
    purchases.find_products(cursor)
    ledger.read_consents(cursor)
    checks.run_all(cursor, checks.AFTER_CUSTOMERS, params)
    checks.run_until_none(cursor, checks.OVERLAP, params)
    checks.run_until_none(cursor, checks.REFERENCE, params)
    people.forget_stale_numbers(cursor, params)
    tell("Writing people", 0, 0)
    people.update_customers(cursor)
    written[CUSTOMERS] = Written(new=people.insert_customers(cursor))
    people.confirm_adults(cursor)
    written[ADDRESSES] = people.write_addresses(cursor)
    tell("Writing purchases", 0, 0)
    written[SUBSCRIPTIONS] = purchases.write_subscriptions(cursor)
    written[ORDERS] = purchases.write_orders(cursor)
    written[INVOICES] = purchases.write_invoices(cursor)
    tell("Writing choices", 0, 0)
    written[CONSENTS] = ledger.write_events(cursor)
    ledger.write_standings(cursor)
    people.suppress_refusals()
    written[CUSTOMERS].changed = people.count_changed(cursor)
    for form, count in written.items():
        result.counts[form.name] = Count(new=count.new, changed=count.changed)


def _refresh(cursor: Any, result: Result, tell: Tell) -> None:
    """Bring the purposes of everyone in the files up to their facts."""
    for table in ("customers_subscription", "customers_order", "customers_invoice"):
        cursor.execute(f"ANALYZE {table}")
    cursor.execute("ANALYZE consent_standing")
    union = " UNION ".join(
        f"SELECT customer_id FROM {form.table} WHERE problem IS NULL"
        for form in (CUSTOMERS, ADDRESSES, SUBSCRIPTIONS, ORDERS, INVOICES, CONSENTS)
    )
    cursor.execute(f"CREATE TEMP TABLE touched ON COMMIT DROP AS {union} ORDER BY 1")
    cursor.execute("SELECT count(*) FROM touched")
    total = int(cursor.fetchone()[0])
    done, last = 0, 0
    while done < total:
        tell("Working out purposes", done, total)
        cursor.execute(
            "SELECT customer_id FROM touched WHERE customer_id > %s ORDER BY 1 LIMIT %s",
            [last, BATCH],
        )
        ids = [row[0] for row in cursor]
        result.records += records.refresh(ids)
        if not done:
            cursor.execute("ANALYZE consent_processingrecord")
        done, last = done + len(ids), ids[-1]


def _report(cursor: Any, files: dict[Format, Path], result: Result, writer: report.Writer) -> None:
    for form in FORMATS:
        if form not in files:
            result.counts.pop(form.name, None)
            continue
        count = result.counts[form.name]
        cursor.execute(f"SELECT count(*), count(problem) FROM {form.table}")
        count.rows, count.refused = cursor.fetchone()
        refused = (
            f"SELECT line, bad_column, problem, 'refused' FROM {form.table} "
            "WHERE problem IS NOT NULL"
        )
        warned = [w for w in WARNINGS if w.form is form]
        union = " UNION ALL ".join(
            [
                refused,
                *(
                    f"SELECT w.line, COALESCE(w.field, '{w.column}'), %s, 'warning' "
                    f"FROM ({w.sql}) AS w (line, field)"
                    for w in warned
                ),
            ]
        )
        result.warnings += writer.write(form.file, union, [w.reason for w in warned])
