"""Where the database's files hold words about people: tables, columns and indexes.

Words are text, JSON and bytes in the tables of the personal-data map, codes of a list apart.
Numbers of rows, days and flags lead nowhere once the rows that they pointed at are gone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models
from django.db.backends.base.base import BaseDatabaseWrapper

from retention import statements

WORDS = (models.CharField, models.TextField, models.JSONField, models.BinaryField)
SHORTEST = 5  # characters; what is shorter is a code

INDEXES = """
    SELECT i.indexrelid::regclass::text
      FROM pg_index i
     WHERE i.indrelid = %(table)s::regclass AND NOT i.indisexclusion
       AND (i.indexprs IS NOT NULL
            OR EXISTS (SELECT FROM pg_attribute a
                        WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
                          AND a.attname = ANY (%(columns)s)))
     ORDER BY 1
"""

# A table's changes since its statistics began: what is deleted, and what is written over.
CHANGES = """
    SELECT pg_stat_get_tuples_updated(%(table)s::regclass)
         + pg_stat_get_tuples_deleted(%(table)s::regclass)
"""


@dataclass(frozen=True)
class Readable:
    """A table with words about people in it."""

    model: type[models.Model]
    columns: tuple[str, ...]  # as the database calls them
    categories: int

    @property
    def name(self) -> str:
        return self.model._meta.db_table

    def indexes(self, session: BaseDatabaseWrapper) -> list[str]:
        """Return the indexes that hold its words, quoted."""
        with session.cursor() as cursor:
            cursor.execute(INDEXES, {"table": f'"{self.name}"', "columns": list(self.columns)})
            return [name for (name,) in cursor.fetchall()]

    def changes(self, session: BaseDatabaseWrapper) -> int:
        """Return how many rows were ever deleted or written over; begins anew after a crash."""
        with session.cursor() as cursor:
            cursor.execute(CHANGES, {"table": f'"{self.name}"'})
            return int(cursor.fetchone()[0])


def tables() -> list[Readable]:
    """Return every table of the map that holds words."""
    found = (
        Readable(table.model, tuple(words(table)), table.data.mask) for table in statements.tables()
    )
    return [table for table in found if table.columns]


def words(table: statements.Table) -> Iterator[str]:
    """Yield a table's columns in which words about somebody may stand, whatever the map says."""
    column: Any
    for column in table.model._meta.local_concrete_fields:
        is_code = bool(column.choices) or (column.max_length or SHORTEST) < SHORTEST
        if isinstance(column, WORDS) and not is_code:
            yield str(column.column)


# The planner's notes. PostgreSQL keeps samples of a column's values in a table of its own, which
# nobody but a superuser can clean: it must never see those of people's words.

SAMPLED = """
    SELECT attname FROM pg_attribute
     WHERE attrelid = %(table)s::regclass AND attname = ANY (%(columns)s)
       AND attstattarget IS DISTINCT FROM 0
"""
FIRST_IN_AN_INDEX = """
    SELECT a.attname FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = %(table)s::regclass AND a.attname = ANY (%(columns)s)
"""
HAS_STATISTICS_BY_HAND = 180000  # PostgreSQL 18


def sampled() -> list[str]:
    """Return the columns, table.column, whose values the planner would note down."""
    return [f"{table.name}.{column}" for table in tables() for column in _sampled(table)]


def _sampled(table: Readable) -> Sequence[str]:
    with connection.cursor() as cursor:
        if table.name not in connection.introspection.table_names(cursor):
            return []
        cursor.execute(SAMPLED, {"table": f'"{table.name}"', "columns": list(table.columns)})
        return [name for (name,) in cursor.fetchall()]


def stop_sampling(**kwargs: Any) -> None:
    """Let the planner note no words, only that they differ; after each migrate, as the owner."""
    for table in tables():
        columns = _sampled(table)
        if not columns:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                f'ALTER TABLE "{table.name}" '
                + ", ".join(f'ALTER COLUMN "{column}" SET STATISTICS 0' for column in columns)
            )
            if connection.pg_version < HAS_STATISTICS_BY_HAND:  # type: ignore[attr-defined]
                continue
            cursor.execute(
                FIRST_IN_AN_INDEX, {"table": f'"{table.name}"', "columns": list(table.columns)}
            )
            differ = {name for (name,) in cursor.fetchall()}
            for column in columns:
                cursor.execute(
                    "SELECT pg_clear_attribute_stats(nspname, %(table)s, %(column)s, FALSE)"
                    "  FROM pg_namespace WHERE oid = current_schema()::regnamespace",
                    {"table": table.name, "column": column},
                )
                if column in differ:
                    cursor.execute(
                        "SELECT pg_restore_attribute_stats('schemaname', nspname::text, 'relname',"
                        " %(table)s::text, 'attname', %(column)s::text, 'inherited', FALSE,"
                        " 'null_frac', 0::real, 'avg_width', 16, 'n_distinct', -1::real)"
                        "  FROM pg_namespace WHERE oid = current_schema()::regnamespace",
                        {"table": table.name, "column": column},
                    )
