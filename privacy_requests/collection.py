"""How a person's rows are read: one statement over every table of the map, composed once.

Each row comes with its owner's key and the whole work stops if one belongs to somebody else (E01).
The statement answers with one list of rows per table, as JSON, so that a person of thirty tables
costs one round trip.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any

from django.db import models

from customers.models import Customer
from customers.personal_data import Category
from retention import statements

NATIONAL_ID = "national_id_sealed"
# The person's keys, by which the map ties rows to them; written into the statement by the driver.
KEYS = ("id", "pseudonym", "user_id")


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
    decoders: tuple[tuple[int, Callable[[Any], Any]], ...]

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
    # Sorted here by its key, the second: the database would sort every table for it.
    wanted = ", ".join((row_key, f't."{options.pk.column}"', *(_selected(c) for _, c in columns)))
    sources = ", ".join((f"{table.name} t", *table.joins))
    sql = f"SELECT json_agg(json_build_array({wanted})) FROM {sources} WHERE {table.tie}"
    for key in KEYS:
        sql = re.sub(rf"\bdue\.{key}\b", f"%({key})s", sql)
    return Reader(
        model=table.model,
        name=table.data.name,
        columns=columns,
        sealed=tuple(column for _, column in mapped if _is_sealed(column)),
        sql=sql,
        person_key=person_key,
        decoders=tuple(
            (place, decoder)
            for place, (_, column) in enumerate(columns)
            if (decoder := _decoder(column)) is not None
        ),
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
    return f"SELECT {', '.join(f'({reader.sql})' for reader in readers())}"


def read(cursor: Any, customer: Customer) -> Iterator[tuple[Reader, list[list[Any]]]]:
    """Yield every table of the map with the person's rows; raises ForeignRowError."""
    keys = {key: getattr(customer, key) for key in KEYS}
    cursor.execute(statement(), keys)
    for reader, rows in zip(readers(), cursor.fetchone(), strict=True):
        yield reader, _own(rows or [], reader, str(keys[reader.person_key]))


def _own(rows: list[list[Any]], reader: Reader, key: str) -> list[list[Any]]:
    """Return the values of rows that are all the person's; raises ForeignRowError."""
    rows.sort(key=itemgetter(1))
    for row in rows:
        if str(row[0]) != key:
            raise ForeignRowError(f"A row of {reader.model._meta.label} belongs to somebody else.")
        del row[:2]
        for place, decode in reader.decoders:
            if row[place] is not None:
                row[place] = decode(row[place])
    return rows
