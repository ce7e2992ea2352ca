"""Rows on their way in: read, judged one by one and copied into tables that last until commit."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, TextIO

from django.db import DatabaseError, connection

from dentalclean.intake.formats import Column, Format, Row
from dentalclean.intake.reading import Record, UnreadableError, header, records
from dentalclean.intake.values import RefusedError

CHUNK = 1 << 16  # signs handed to COPY at a time

# Told how many bytes of the file have been read.
Progress = Callable[[int], None]


def create(cursor: Any, form: Format) -> None:
    """Make the staging table of a file; it goes with the transaction."""
    columns = [
        "line integer NOT NULL",
        "bad_column text",
        "problem text",
        *(f"{column.name} {column.sql}" for column in form.columns),
        *(f"{name} {sql}" for name, sql in (*form.made, *form.worked_out)),
    ]
    cursor.execute(f"CREATE TEMP TABLE {form.table} ({', '.join(columns)}) ON COMMIT DROP")


def copy(cursor: Any, form: Format, path: Path, on: date, progress: Progress) -> None:
    """Copy a file into its staging table, bad rows with their reason; raises UnreadableError."""
    columns = ", ".join(form.copied)
    with path.open(encoding="utf-8-sig", errors="surrogateescape") as stream:
        delimiter, names = header(path, stream, form.knows)
        _accept(form, path, names)
        source = _Source(_copy_lines(form, stream, delimiter, names, on, progress))
        try:
            with connection.wrap_database_errors:
                cursor.copy_expert(f"COPY {form.table} ({columns}) FROM STDIN", source, CHUNK)
        except DatabaseError:
            if source.failure:
                raise source.failure from None
            raise
    cursor.execute(f"ANALYZE {form.table}")


class _Source:
    """Lines as the file that COPY reads from; no more than a chunk of them at a time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._kept = b""
        # COPY turns whatever happens in here into an error of its own.
        self.failure: BaseException | None = None

    def read(self, size: int) -> bytes:
        parts, length = [self._kept], len(self._kept)
        try:
            while length < size:
                encoded = next(self._lines).encode()
                parts.append(encoded)
                length += len(encoded)
        except StopIteration:
            pass
        except BaseException as failure:
            self.failure = failure
            raise
        joined = b"".join(parts)
        self._kept = joined[size:]
        return joined[:size]


def _copy_lines(
    form: Format,
    stream: TextIO,
    delimiter: str,
    names: list[str],
    on: date,
    progress: Progress,
) -> Iterator[str]:
    by_name = {column.name: column for column in form.columns}
    columns = [by_name[name] for name in names]
    blank: Row = dict.fromkeys(form.copied)
    for n, record in enumerate(records(stream, delimiter, len(names))):
        row = _judge(form, columns, record, blank, on)
        row["line"] = str(record.line)
        yield "\t".join(map(_escaped, row.values())) + "\n"
        if not n % 500:
            progress(stream.buffer.tell())


def _accept(form: Format, path: Path, names: list[str]) -> None:
    known = [column.name for column in form.columns]
    unknown = [name for name in names if name not in known]
    if unknown:
        shown = ", ".join(repr(name[:40]) for name in unknown[:5])
        raise UnreadableError(
            f"{path.name} has columns that the import does not know ({shown}); "
            f"use these: {', '.join(known)}."
        )
    if len(set(names)) < len(names):
        raise UnreadableError(f"{path.name} names a column twice; keep one of the two.")
    missing = form.missing(names)
    if missing:
        raise UnreadableError(
            f"{path.name} lacks the column {', '.join(missing)}; add it to the header and the rows."
        )


def _judge(form: Format, columns: list[Column], record: Record, blank: Row, on: date) -> Row:
    """Return the row to store; a bad one keeps its reason and the number that others refer to."""
    row = blank.copy()
    if record.problem:
        row["problem"] = record.problem
        return row
    column = columns[0]
    try:
        for column, cell in zip(columns, record.cells, strict=True):
            text = cell.strip()
            if text:
                row[column.name] = column.clean(text, on)
            elif column.filled:
                raise RefusedError("The cell is empty; fill it.")
        if form.finish:
            form.finish(row, on)
    except RefusedError as error:
        return _refused(columns, record, blank, error.column or column.name, str(error), on)
    return row


def _refused(
    columns: list[Column], record: Record, blank: Row, bad_column: str, reason: str, on: date
) -> Row:
    row = blank.copy()
    row["bad_column"], row["problem"] = bad_column, reason
    for column, cell in zip(columns, record.cells, strict=True):
        if column.name in ("number", "order_number", "invoice_number", "answer") and cell.strip():
            try:
                row[column.name] = column.clean(cell.strip(), on)
            except RefusedError:
                continue
    return row


def _escaped(value: str | None) -> str:
    if value is None:
        return "\\N"
    if value.isprintable() and "\\" not in value:
        return value
    for sign, written in (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(sign, written)
    return value
