"""How a person's rows are read: one statement over every table of the map, composed once.

Each row comes with its owner's key and the whole work stops if one belongs to somebody else (E01).
The statement answers with one list of rows per table, as JSON, so that a person of thirty tables
costs one round trip.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import models

from customers.models import Customer
from customers.personal_data import Category
from retention import statements

NATIONAL_ID = "national_id_sealed"
DUE = "SELECT id, pseudonym, user_id FROM customers_customer WHERE id = %s"


class ForeignRowError(Exception):
    """A row of somebody else turned up; nothing is handed out."""


@dataclass(frozen=True)
class Reader:
    """How one model of the map is read: what is shown of it, and the list of its rows in SQL."""

    model: type[models.Model]
    name: Any
    columns: tuple[tuple[Category, Any], ...]
    # Columns that hold only a keyed hash, which tells nothing and is not handed out.
    sealed: tuple[Any, ...]
    sql: str
    # The person's key that the row's own key must equal.
    person_key: str
    # From what JSON can hold to what the column holds, by place.
    decoders: tuple[Callable[[Any], Any] | None, ...]

    @property
    def key(self) -> str:
        return self.model._meta.label_lower


@lru_cache(maxsize=1)
def readers() -> tuple[Reader, ...]:
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


def _reader(table: statements.Table) -> Reader:
    options: Any = table.model._meta
    mapped = [
        (category, options.get_field(name))
        for category, names in table.data.columns.items()
        for name in names
    ]
    columns = tuple(entry for entry in mapped if not _is_sealed(entry[1]))
    row_key, person_key = _owner(table)
    wanted = ", ".join((row_key, *(_selected(column) for _, column in columns)))
    sql = (
        f'SELECT json_agg(json_build_array({wanted}) ORDER BY t."{options.pk.column}") '
        f"FROM {table.name} t, {table.sources} WHERE {table.tie}"
    )
    return Reader(
        model=table.model,
        name=table.data.name,
        columns=columns,
        sealed=tuple(column for _, column in mapped if _is_sealed(column)),
        sql=sql,
        person_key=person_key,
        decoders=tuple(_decoder(column) for _, column in columns),
    )


def _owner(table: statements.Table) -> tuple[str, str]:
    """Return the key in the row that says whose it is, and the person's key it must equal."""
    if table.data.link:
        return "due.id", "id"
    row_key, _, person_key = table.tie.rpartition(" AND ")[2].partition(" = due.")
    return row_key, person_key


def _is_sealed(column: Any) -> bool:
    return isinstance(column, models.BinaryField) and column.name != NATIONAL_ID


def _selected(column: Any) -> str:
    # The number itself is opened with the person's own row, not here.
    return "NULL" if column.name == NATIONAL_ID else f't."{column.column}"'


def _decoder(column: Any) -> Callable[[Any], Any] | None:
    held = column.target_field if column.is_relation else column
    if isinstance(held, models.DateTimeField):
        return datetime.fromisoformat
    if isinstance(held, models.DateField):
        return date.fromisoformat
    return uuid.UUID if isinstance(held, models.UUIDField) else None


@lru_cache(maxsize=1)
def statement() -> str:
    """Return the one statement that reads every table of the map for one person."""
    lists = ", ".join(f"({reader.sql})" for reader in readers())
    return f"WITH due AS MATERIALIZED ({DUE}) SELECT {lists}"


def read(cursor: Any, customer: Customer) -> Iterator[tuple[Reader, list[list[Any]]]]:
    """Yield every table of the map with the person's rows; raises ForeignRowError."""
    cursor.execute(statement(), [customer.pk])
    for reader, rows in zip(readers(), cursor.fetchone(), strict=True):
        yield reader, [_own(row, reader, customer) for row in rows or ()]


def _own(row: list[Any], reader: Reader, customer: Customer) -> list[Any]:
    """Return the values of a row that is the person's; raises ForeignRowError."""
    owner, *values = row
    if str(owner) != str(getattr(customer, reader.person_key)):
        raise ForeignRowError(f"A row of {reader.model._meta.label} belongs to somebody else.")
    return [
        value if decode is None or value is None else decode(value)
        for decode, value in zip(reader.decoders, values, strict=True)
    ]
