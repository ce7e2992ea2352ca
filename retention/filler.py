"""Rows of nothing that overwrite what deleted rows left in the free space of a table's pages.

VACUUM gives the space of deleted rows back and leaves their bytes in it. Whatever is written next
overwrites them, so rows of nothing are written there and rolled back: first the longest that fits
anywhere, then ever shorter ones, each size until PostgreSQL finds no page with room for it and
lengthens the file. A page with room for one row is then full to within 32 bytes, which are at most
the header of a row. A page with room for several may keep a bit more, so that a second round with
another longest row sees to it. Long words lie in pieces of 1,996 bytes in a file beside the table
(TOAST): full pieces are filled with full ones, and the last piece of a word with the last piece of
a longer one, whose first four fill one new page exactly.

The rows belong to nobody (negative numbers, no words), are never committed, and hold no lock that
anybody waits for.
"""

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from time import monotonic
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import GeneratedField
from django.db.models.constraints import UniqueConstraint

PAGE, HEADER, POINTER = 8192, 24, 4
ROOM = PAGE - HEADER
GRANULE = 32  # PostgreSQL knows the free space of a page to so many bytes
TRIED = 1000
LONGEST_ROW = 2000  # above some 2,030 bytes words are cut into pieces beside the table
PIECE, PIECE_HEADER, LONGEST_PIECE = 1996, 36, 2048
PIECES = 4  # full ones on a page
MOST_ROWS = 1000  # in one statement
TRANSACTION = 0.5  # seconds
ROUNDS = 2
WIDE, NARROW = "\U0001f9b7", "~"  # four bytes and one, in one character each
NOISE = b64encode(os.urandom(12_000)).decode()  # what compression leaves alone


@dataclass
class _Column:
    """A column of words and how many bytes of nothing it can take."""

    name: str
    most: int
    is_unique: bool
    is_json: bool

    def words(self, size: int) -> str:
        """Return words of so many bytes that say nothing; never none at all."""
        if self.is_json:
            return f'"{NARROW * max(0, size - 2)}"'
        wide, narrow = divmod(max(size, 1), 4)
        return WIDE * wide + NARROW * narrow


class Filler:
    """Fill the free space of one table, on a session of its own outside any transaction."""

    def __init__(self, model: type[models.Model], session: BaseDatabaseWrapper) -> None:
        self.model, self.session = model, session
        self.table = f'"{model._meta.db_table}"'
        self.rows = 0
        self._began = 0.0

    def fill(self) -> int:
        """Overwrite the free space that PostgreSQL knows of; return how many rows that took."""
        before = self.rows
        if not self._pages():
            return 0
        if self._long is not None and self._pages(beside=True):
            self._fill_beside(self._long)
        for number in range(ROUNDS):
            if number:
                self._vacuum()
            if not self._fill_pages(number):
                break
        self._roll_back()
        return self.rows - before

    # The table itself

    def _fill_pages(self, number: int) -> bool:
        """Fill every page once; say whether any had room for more than the longest row."""
        pages = self._pages()
        longest = min(TRIED, sum(column.most for column in self._stretching))
        _, size = self._insert(longest, 1, pages)
        if longest == TRIED:
            longest, size = longest + LONGEST_ROW - size, LONGEST_ROW
        top = _a_fitting(size, longest, number)
        several = False
        padding: int = top
        while padding >= 0:
            # More than a page's worth, or the page begun last would hide that no other has room.
            count, about = ROOM // max(40, size - longest + padding) + 1, 0
            while True:
                filled, about = self._insert(padding, count, pages)
                several = several or (padding == top and filled > 0)
                if not filled:
                    break
                count = min(count * 2, MOST_ROWS)
            padding -= (about - 1) % GRANULE + 1
        self._roll_back()
        return several

    def _insert(self, padding: int, count: int, pages: int) -> tuple[int, int]:
        """Insert rows; return how many landed in the table as it was, and the longest row."""
        values: dict[str, Any] = {"first": self.rows + 1, "last": self.rows + count, "pages": pages}
        left = padding
        for column in self._stretching:
            size = min(left, column.most)
            values[column.name] = column.words(size)
            left -= size
        with self._transaction() as cursor:
            cursor.execute(
                f"WITH filled AS ({self._statement} RETURNING "
                "(ctid::text::point)[0]::bigint AS page, pg_column_size(t.*) AS size) "
                "SELECT count(*) FILTER (WHERE page < %(pages)s), max(size) FROM filled",
                values,
            )
            filled, size = cursor.fetchone()
        self.rows += count
        return filled, size

    # The file beside it

    def _fill_beside(self, long: _Column) -> None:
        """Fill the pages of pieces: with full ones, then with the last ones of long words."""
        pages = self._pages(beside=True)
        self._until(64 // PIECES, long, PIECE, 64, most=pages)
        self._until(1, long, PIECE, 1, most=PIECES)
        self._grows(long, (PIECES - 1) * PIECE, 1)
        for size in range(LONGEST_PIECE - GRANULE, PIECE_HEADER, -GRANULE):
            last = PIECES * PIECE + size - PIECE_HEADER
            self._until(2, long, last, 1, most=pages * ROOM // size + 1)
            # Fill up the page of the last one, which found no room.
            self._grows(long, (PIECES - 1) * PIECE, 1)
        self._roll_back()

    def _until(self, growth: int, long: _Column, length: int, count: int, *, most: int) -> None:
        """Insert long words until the file beside grows by so many pages at once."""
        for _time in range(most):
            if self._grows(long, length, count) >= growth:
                return

    def _grows(self, long: _Column, length: int, count: int) -> int:
        """Insert long words; return by how many pages the file beside grew."""
        before = self._pages(beside=True)
        values: dict[str, Any] = {"first": self.rows + 1, "last": self.rows + count}
        values |= {column.name: column.words(0) for column in self._stretching}
        values[long.name] = f'"{NOISE[: length - 8]}"' if long.is_json else NOISE[:length]
        with self._transaction() as cursor:
            cursor.execute(self._statement, values)
        self.rows += count
        return self._pages(beside=True) - before

    # What a row of nothing is

    @cached_property
    def _unique(self) -> set[str]:
        meta = self.model._meta
        names = {name for group in meta.unique_together for name in group}
        for constraint in meta.constraints:
            if isinstance(constraint, UniqueConstraint):
                names |= set(constraint.fields)
        return names | {f.name for f in meta.local_concrete_fields if f.unique}

    @cached_property
    def _stretching(self) -> list[_Column]:
        """The columns that are made longer, those without an index first."""
        found: list[_Column] = []
        room = LONGEST_ROW
        for column in self._columns():
            if isinstance(column, models.UUIDField) or column.choices or room <= 0:
                continue
            if isinstance(column, models.TextField | models.JSONField):
                most = room
            elif isinstance(column, models.CharField):
                unique = 12 if column.name in self._unique else 0
                most = min(room, 4 * ((column.max_length or 0) - 4 - unique))
            else:
                continue
            if most > 0:
                is_unique = column.name in self._unique
                is_json = isinstance(column, models.JSONField)
                found.append(_Column(column.column, most, is_unique, is_json))
                room -= most
        return found

    def _columns(self) -> Iterator[Any]:
        indexed = {name for index in self.model._meta.indexes for name in index.fields}
        yield from sorted(
            (
                f
                for f in self.model._meta.local_concrete_fields
                if not isinstance(f, GeneratedField)
            ),
            key=lambda f: (
                f.name in self._unique,
                f.name in indexed or bool(getattr(f, "db_index", False)),
                not isinstance(f, models.TextField | models.JSONField),
            ),
        )

    @cached_property
    def _long(self) -> _Column | None:
        return next((c for c in self._stretching if c.most == LONGEST_ROW), None)

    @cached_property
    def _statement(self) -> str:
        values = {}
        stretching = {column.name: column for column in self._stretching}
        field: Any
        for field in self.model._meta.local_concrete_fields:
            if isinstance(field, GeneratedField):
                continue
            column = stretching.get(field.column)
            if column is not None:
                cast = "::jsonb" if column.is_json else ""
                said = f"%({column.name})s{cast}"
                values[field.column] = f"n || '{NARROW}' || {said}" if column.is_unique else said
            elif not field.null or field.primary_key:
                values[field.column] = _nothing(field, field.name in self._unique)
        names = ", ".join(f'"{name}"' for name in values)
        return (
            f"INSERT INTO {self.table} AS t ({names}) SELECT {', '.join(values.values())} "
            "FROM generate_series(%(first)s, %(last)s) AS n"
        )

    # The session

    def _pages(self, *, beside: bool = False) -> int:
        """Return how many pages the table has, or the file beside it."""
        what = "NULLIF(reltoastrelid, 0)" if beside else "oid"
        with self.session.cursor() as cursor:
            cursor.execute(
                f"SELECT COALESCE(pg_relation_size({what}), 0) / {PAGE} "
                "FROM pg_class WHERE oid = %s::regclass",
                [self.table],
            )
            return int(cursor.fetchone()[0])

    def _transaction(self) -> Any:
        """Go on in the transaction, or in the next when it has lasted long enough."""
        cursor = self.session.cursor()
        if self._began and monotonic() - self._began > TRANSACTION:
            cursor.execute("ROLLBACK")
            self._began = 0.0
        if not self._began:
            cursor.execute("BEGIN")
            self._began = monotonic()
        return cursor

    def _roll_back(self) -> None:
        if self._began:
            with self.session.cursor() as cursor:
                cursor.execute("ROLLBACK")
            self._began = 0.0

    def _vacuum(self) -> None:
        """Make the room of the rows of nothing known again."""
        with self.session.cursor() as cursor:
            cursor.execute(f"VACUUM (PROCESS_TOAST FALSE) {self.table}")


def _a_fitting(size: int, longest: int, number: int) -> int:
    """Return how much padding makes rows that fill an empty page; a later round takes others.

    `size` is that of a row with the `longest` padding.
    """
    found = []
    for padding in range(longest, longest // 2, -8):
        row = -(-(size - (longest - padding)) // 8) * 8 + POINTER
        found.append((ROOM % row >= GRANULE, padding))
    found.sort(key=lambda pair: (pair[0], -pair[1]))
    return found[min(number, len(found) - 1)][1] if found else longest


def _nothing(field: Any, is_unique: bool) -> str:
    """Return the SQL of a value that says nothing; `n` numbers the rows."""
    if isinstance(field, models.ForeignKey):
        return _nothing(field.target_field, is_unique)
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    if isinstance(field, models.BooleanField):
        return "FALSE"
    if isinstance(field, models.DateTimeField):
        return "TIMESTAMPTZ 'epoch'"
    if isinstance(field, models.DateField):
        return "DATE '1970-01-01'"
    if isinstance(field, models.BinaryField):
        return "''::bytea"
    if isinstance(field, models.IntegerField):
        if field.primary_key or not is_unique:
            return "-n" if is_unique or field.primary_key else "0"
        return "9000000000000000000 + n" if "Positive" in type(field).__name__ else "-n"
    if field.choices:
        return "''" if field.blank else f"'{field.choices[0][0]}'"
    return "n::text" if is_unique else f"'{NARROW}'"
