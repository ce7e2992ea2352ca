"""Every row on the personal-data map that belongs to one person, read in one statement.

The statement is composed from the map, so a new model is on Min sida the day it is declared.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from django.db import connection, models

from customers.models import Customer
from customers.personal_data import Category, PersonalData, personal_models
from privacy_requests.saying import said
from retention import statements

PERSON = """
    due AS MATERIALIZED (
        SELECT id, pseudonym, user_id FROM customers_customer WHERE id = %(id)s
    )
"""


@dataclass(frozen=True)
class Row:
    """One stored row: its values by column and the last day of its own clock."""

    model: type[models.Model]
    last_day: date | None
    values: dict[str, Any]

    def __getitem__(self, column: str) -> Any:
        """Return a value as the model's field has it; a text of JSON becomes a date again."""
        field: Any = self.model._meta.get_field(column)
        value = self.values[column]
        return value if field.is_relation or value is None else field.to_python(value)

    def said(self, column: str) -> str:
        """Return a value in words."""
        return said(self.model._meta.get_field(column), self[column])

    def __contains__(self, column: object) -> bool:
        return column in self.values


@dataclass(frozen=True)
class Holding:
    """What there is of one model about a person."""

    model: type[models.Model]
    data: PersonalData
    rows: tuple[Row, ...]

    @property
    def label(self) -> str:
        return self.model._meta.label

    @property
    def has_own_clock(self) -> bool:
        return statements.Table(self.model, self.data, (), "").has_own_clock

    @property
    def category(self) -> Category:
        return next(iter(self.data.columns))


def readable(model: type[models.Model], data: PersonalData) -> Iterator[str]:
    """Yield the columns that can be shown: sealed values and references to rows are not."""
    for columns in data.columns.values():
        for name in columns:
            field: Any = model._meta.get_field(name)
            if not isinstance(field, models.BinaryField):
                yield name


@lru_cache(maxsize=1)
def _sql() -> str:
    parts = []
    for number, table in enumerate(statements.mapped()):
        pairs = ", ".join(
            f"'{name}', t.\"{table.model._meta.get_field(name).column}\""  # type: ignore[union-attr]
            for name in readable(table.model, table.data)
        )
        last_day = table.last_day if table.has_own_clock else "NULL"
        parts.append(
            f"SELECT {number}, {last_day}::date, jsonb_build_object({pairs}), "
            f't."{table.model._meta.pk.column}"::text '
            f"FROM {table.name} t, {table.sources} WHERE {table.tie}"
        )
    return f"WITH {PERSON}\n" + "\nUNION ALL ".join(parts)


def holdings(customer: Customer) -> dict[str, Holding]:
    """Return what we have of a person by model label, models without rows included."""
    tables = list(statements.mapped())
    rows: list[list[Row]] = [[] for _ in tables]
    with connection.cursor() as cursor:
        cursor.execute(_sql(), {"id": customer.pk})
        for number, last_day, values, _key in sorted(cursor.fetchall(), key=_in_order):
            rows[number].append(Row(tables[number].model, last_day, json.loads(values)))
    return {
        model._meta.label: Holding(model, data, tuple(found))
        for (model, data), found in zip(personal_models(), rows, strict=True)
    }


def _in_order(line: tuple[Any, ...]) -> tuple[int, str, str]:
    """Sort by model, then by key: numbers by size."""
    return line[0], str(len(line[3])), line[3]
