"""What a person is told on a request for access: everything on the map, from one snapshot.

`collect` walks the personal-data map in one read-only transaction, so that no two tables tell of
different moments (E15) and no table is forgotten (E02). Every row is read with its owner's key and
the whole work stops if one belongs to somebody else (E01).
"""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.utils import translation

from consent.models import Event, Notice, PolicyVersion, ProcessingRecord
from customers.dates import FAR, NEVER, STOCKHOLM
from customers.models import Customer, User
from customers.personal_data import EVERYTHING, Category, column_label
from customers.rules import national_id
from privacy_requests.models import Case
from privacy_requests.saying import chosen, said
from retention import statements
from retention.models import Hold
from retention.rules import calendar

NATIONAL_ID = "national_id_sealed"


class ForeignRowError(Exception):
    """A row of somebody else turned up; nothing is handed out."""


@dataclass(frozen=True)
class Column:
    """A column of a table as people read it."""

    key: str
    label: str
    category: Category
    # What the codes in it mean.
    meanings: dict[str, str]


@dataclass
class TableCopy:
    """All rows of one model that are the person's: as stored, and as said."""

    key: str
    name: str
    columns: list[Column]
    rows: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """A category of the person's data and its last day; None as long as no end is known."""

    category: Category
    rows: int
    last_day: date | None
    held: bool


@dataclass
class Content:
    """A person's data at one moment, with all that Article 15 asks for about it."""

    taken_at: datetime
    language: str
    customer: Customer
    policy_version: str
    tables: list[TableCopy]
    records: list[ProcessingRecord]
    kept: list[Kept]
    events: list[Event]
    withheld: list[tuple[str, str, str]]

    @property
    def wordings(self) -> list[Notice]:
        """The wordings the person was shown, each once, in the order they were."""
        found = {event.notice_id: event.notice for event in self.events if event.notice}
        return list(found.values())


def collect(customer_id: int) -> Content:
    """Copy everything about one person from one snapshot; raises Customer.DoesNotExist."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT now()")
        (taken_at,) = cursor.fetchone()
        customer = Customer.objects.select_related("user").get(pk=customer_id)
        language = "en" if customer.language == "en" else "sv"
        with translation.override(language):
            withheld: list[tuple[str, str, str]] = []
            tables = [_copy(cursor, reader, customer, withheld) for reader in _readers()]
            records = ProcessingRecord.objects.filter(customer=customer).order_by("pk")
            events = Event.objects.filter(customer=customer).select_related("notice")
            policy = PolicyVersion.objects.order_by("-effective_on", "-pk").first()
            return Content(
                taken_at=taken_at,
                language=language,
                customer=customer,
                policy_version=policy.version if policy else "",
                tables=tables,
                records=list(records),
                kept=_kept(customer, tables),
                events=list(events),
                withheld=withheld,
            )


@dataclass(frozen=True)
class _Reader:
    """How one model of the map is read: its columns and the statement, composed once."""

    model: type[models.Model]
    name: Any
    columns: tuple[tuple[Category, Any], ...]
    sql: str
    # The person's key that the row's own key must equal.
    person_key: str


@lru_cache(maxsize=1)
def _readers() -> tuple[_Reader, ...]:
    """Return a reader per model on the map, the person's own row first, then by category."""
    tables = sorted(
        statements.mapped(),
        key=lambda t: (
            t.model is not Customer,
            min(c.value for c in t.data.columns),
            t.model._meta.label_lower,
        ),
    )
    return tuple(_reader(table) for table in tables)


def _reader(table: statements.Table) -> _Reader:
    options: Any = table.model._meta
    columns = tuple(
        (category, options.get_field(name))
        for category, names in table.data.columns.items()
        for name in names
    )
    row_key, person_key = _owner(table)
    wanted = ", ".join((row_key, *(f't."{column.column}"' for _, column in columns)))
    sql = (
        "WITH due AS (SELECT id, pseudonym, user_id FROM customers_customer WHERE id = %s) "
        f"SELECT {wanted} FROM {table.name} t, {table.sources} WHERE {table.tie} "
        f'ORDER BY t."{options.pk.column}"'
    )
    return _Reader(table.model, table.data.name, columns, sql, person_key)


def _owner(table: statements.Table) -> tuple[str, str]:
    """Return the key in the row that says whose it is, and the person's key it must equal."""
    if table.data.link:
        return "due.id", "id"
    row_key, _, person_key = table.tie.rpartition(" AND ")[2].partition(" = due.")
    return row_key, person_key


def _copy(
    cursor: Any, reader: _Reader, customer: Customer, withheld: list[tuple[str, str, str]]
) -> TableCopy:
    model, columns = reader.model, [column for _, column in reader.columns]
    shown = [n for n, column in enumerate(columns) if not _is_sealed(column)]
    copy = TableCopy(
        key=model._meta.label_lower,
        name=str(reader.name),
        columns=[_column(model, *reader.columns[n]) for n in shown],
    )
    cursor.execute(reader.sql, [customer.pk])
    found = [_own(row, reader, customer) for row in cursor]
    if found:
        withheld += [
            (copy.key, column.name, column_label(model, column.name))
            for column in columns
            if _is_sealed(column)
        ]
    related = _related(columns, found)
    for row in found:
        values = {columns[n].name: _value(columns[n], row[n], customer, related) for n in shown}
        copy.rows.append({key: value.plain for key, value in values.items()})
        copy.said.append({key: value.said for key, value in values.items()})
    return copy


def _own(row: tuple[Any, ...], reader: _Reader, customer: Customer) -> tuple[Any, ...]:
    """Return the columns of a row that is the person's; raises ForeignRowError."""
    owner, *values = row
    if owner != getattr(customer, reader.person_key):
        raise ForeignRowError(f"A row of {reader.model._meta.label} belongs to somebody else.")
    return tuple(values)


def _is_sealed(column: Any) -> bool:
    """Say whether a column holds only a keyed hash, which tells nothing and is not handed out."""
    return isinstance(column, models.BinaryField) and column.name != NATIONAL_ID


def _column(model: type[models.Model], category: Category, column: Any) -> Column:
    meanings = {str(code): chosen(str(label)) for code, label in column.flatchoices if code != ""}
    return Column(column.name, column_label(model, column.name), category, meanings)


def _related(columns: list[Any], rows: list[tuple[Any, ...]]) -> dict[tuple[Any, Any], Any]:
    """Return the objects that relations point at, by column and key."""
    found: dict[tuple[Any, Any], Any] = {}
    for n, column in enumerate(columns):
        if column.is_relation:
            keys = {row[n] for row in rows if row[n] is not None}
            target = column.target_field.name
            manager = column.related_model._base_manager
            if keys:
                for key, thing in manager.in_bulk(keys, field_name=target).items():
                    found[column, key] = thing
    return found


@dataclass(frozen=True)
class _Said:
    plain: Any
    said: str


def _value(column: Any, raw: Any, customer: Customer, related: dict[tuple[Any, Any], Any]) -> _Said:
    if column.name == NATIONAL_ID:
        number = national_id(customer)
        return _Said(number or None, f"{number[:8]}-{number[8:]}" if number else "")
    if raw is None:
        return _Said(None, "")
    if column.is_relation:
        thing = related[column, raw]
        if isinstance(thing, Notice):
            return _Said(thing.text, thing.text)
        if isinstance(thing, User):
            return _Said(True, said(column, True))
        return _Said(str(thing), str(thing))
    if isinstance(column, models.JSONField) and isinstance(raw, str):
        raw = json.loads(raw)
    return _Said(_plain(raw), said(column, raw))


def _plain(raw: Any) -> Any:
    """Return a value as JSON can hold it; a day that has no end is null."""
    if isinstance(raw, datetime):
        return raw.astimezone(STOCKHOLM).isoformat()
    if isinstance(raw, date):
        return raw.isoformat() if NEVER < raw < FAR else None
    if isinstance(raw, uuid.UUID):
        return str(raw)
    return raw


def _kept(customer: Customer, tables: list[TableCopy]) -> list[Kept]:
    """Return the last day of each category we hold, this request's own hold left out."""
    rows: Counter[Category] = Counter()
    for copy in tables:
        for row in copy.rows:
            rows.update({c.category for c in copy.columns if row[c.key] not in (None, "", False)})
    held = 0
    for hold in Hold.objects.filter(customer=customer, lifted_at=None).exclude(
        ground=Hold.Ground.CASE, reference__in=_own_references(customer)
    ):
        held |= hold.categories
    if customer.restriction in ("a", "b", "c", "d"):
        held = EVERYTHING
    last_days = {entry.category: max(entry.last_days) for entry in calendar(customer)}
    return [
        Kept(
            category,
            rows[category],
            last if (last := last_days.get(category, FAR)) < FAR else None,
            bool(held & category.value),
        )
        for category in Category
        if rows[category]
    ]


def _own_references(customer: Customer) -> list[str]:
    answered_by_a_file = (Case.Right.ACCESS, Case.Right.PORTABILITY)
    asked = Case.objects.filter(customer=customer, right__in=answered_by_a_file)
    return [f"case:{pk}" for pk in asked.values_list("pk", flat=True)]


def filled(copy: TableCopy) -> Iterator[Column]:
    """Yield the columns in which at least one row says something."""
    for column in copy.columns:
        if any(row[column.key] for row in copy.said):
            yield column
