"""The import of a register, against plain COPY of the finished rows into the same tables.

The reference checks nothing and works nothing out: it puts what our import made, row for row, into
tables with the same indexes, keys and triggers. No import that computes can be faster than that.
"""

import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from bench import house
from bench.measure import report, seconds
from customers.dates import today
from dentalclean.intake import sample
from dentalclean.intake.actions import Result, load

GOAL = 0.2
GOAL_MEMORY = 0.9
MIB = 1024 * 1024


@dataclass
class Memory:
    """The most memory, in bytes, that our process and its session in the server have had."""

    ours: int = 0
    session: int = 0


def run(n: int, rounds: int) -> None:
    """Import n/10 and n people, and put the latter once more by COPY; one turn is long enough."""
    few = max(n // 10, 1)
    for people in (few, n):
        sample.write(settings.DATA_DIR / f"register-{people}", people=people)
    small, small_seconds, small_memory = _ours(few)
    large, large_seconds, large_memory = _ours(n)
    reference = _by_copy(_export(settings.DATA_DIR / "finished"))
    few_rows, rows = (
        sum(count.rows for count in result.counts.values()) for result in (small, large)
    )
    report(
        "import_memory",
        n,
        ours=small_memory.ours / MIB,
        reference=large_memory.ours / MIB,
        goal=GOAL_MEMORY,
        sentence="Most memory, the program and its session in the database: "
        f"{_mib(small_memory)} for {few:,} people, {_mib(large_memory)} for {n:,}; the ratio is "
        "that of the program, small over large, and 1 is flat.",
    )
    report(
        "import",
        n,
        ours=rows / large_seconds,
        reference=rows / reference,
        goal=GOAL,
        sentence=f"Import of {rows:,} rows about {n:,} people: ours {rows / large_seconds:,.0f} "
        f"rows/s ({large_seconds:.1f} s; {few_rows / small_seconds:,.0f} rows/s for {few:,} "
        f"people), plain COPY of the finished rows {rows / reference:,.0f} ({reference:.1f} s).",
    )


def _mib(memory: Memory) -> str:
    return f"{memory.ours / MIB:.0f} + {memory.session / MIB:.0f} MiB"


def _ours(people: int) -> tuple[Result, float, Memory]:
    house.copy("dentalclean", "ours")
    results = []
    folder, reports = settings.DATA_DIR / f"register-{people}", settings.DATA_DIR / "imports"
    with _watched() as memory:
        took = seconds(lambda: results.append(load(folder, reports, today(), _quietly)))
    return results[0], took, memory


def _quietly(words: str, done: int, total: int) -> None:
    """Draw no progress bar."""


@contextmanager
def _watched() -> Iterator[Memory]:
    """Look at the session's memory twenty times a second; the program's peak the system knows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path(f"/proc/{cursor.fetchone()[0]}/status")
    memory, stop = Memory(), threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            for line in status.read_text().splitlines():
                if line.startswith("RssAnon:"):
                    memory.session = max(memory.session, int(line.split()[1]) * 1024)

    watcher = threading.Thread(target=look)
    if status.exists():
        watcher.start()
    try:
        yield memory
    finally:
        stop.set()
        if watcher.ident:
            watcher.join()
        memory.ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _export(folder: Path) -> dict[str, Path]:
    """Write every table that the import filled to a file, generated columns left out."""
    folder.mkdir()
    filled = {}
    tables = [table for table in connection.introspection.table_names() if _rows(table)]
    for table in tables:
        filled[table] = folder / table
        with connection.cursor() as cursor, filled[table].open("w") as file:
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', file)
    house.copy("dentalclean", "reference")
    return {table: file for table, file in filled.items() if not _rows(table)}


def _rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT COUNT(*) FROM "{table}"')
        return int(cursor.fetchone()[0])


def _by_copy(files: dict[str, Path]) -> float:
    def put() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            for table, path in files.items():
                columns = _columns(table)
                with path.open() as file:
                    cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', file)

    return seconds(put)


def _columns(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(format('%%I', column_name), ', ' ORDER BY ordinal_position) "
            "FROM information_schema.columns WHERE table_name = %s AND is_generated = 'NEVER'",
            [table],
        )
        return str(cursor.fetchone()[0])
