"""The 17 invariants after each test that passed, inside its transaction, before its rows are gone.

Planned once per connection, for a tenth of a second, and executed in some 2 ms, so that no test is
left out for its price; after a whole module there would be nothing left to ask about. A test that
breaks one on purpose says which: `@pytest.mark.breaks(5)`.
"""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from psycopg2.extensions import AsIs

from retention import invariants, restore

_planned: set[int] = set()  # the server processes that know the statement
BY_NUMBER = {found.number: found for found in invariants.invariants()}


def demand(item: pytest.Item) -> None:
    """Fail a test that left behind what must never be seen."""
    if not _uses_the_database(item) or connection.connection is None or not _usable():
        return
    allowed = {n for mark in item.iter_markers("breaks") for n in mark.args}
    found = [(number, key) for number, key in _ask() if number not in allowed]
    told = "; ".join(f"{number} {BY_NUMBER[number].name}: {key}" for number, key in found[:5])
    assert not found, f"This test leaves behind what must never be seen: {told}"


def _uses_the_database(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    asked = item.get_closest_marker("django_db") or {"db", "transactional_db"} & set(names)
    return bool(asked)


def _usable() -> bool:
    return not connection.needs_rollback and connection.is_usable()


def _ask() -> list[tuple[int, str]]:
    raw = connection.connection
    with raw.cursor() as cursor:
        if raw.get_backend_pid() not in _planned:
            given = {"files": "$1", "old_files": "$2", "restored": "$3"}
            unlike_now = {name: AsIs(place) for name, place in given.items()}
            cursor.execute(
                f"PREPARE invariants (text[], text[], boolean) AS {invariants.question()}",
                invariants.known_to_the_program() | unlike_now,
            )
            _planned.add(raw.get_backend_pid())
        now = {**invariants.extract_files(), "restored": _is_restored()}
        # The server would plan the first five times anew, for some 40 ms each.
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute("EXECUTE invariants (%(files)s, %(old_files)s, %(restored)s)", now)
        found = list(cursor.fetchall())
        cursor.execute("RESET plan_cache_mode")
        return found


def _is_restored() -> bool:
    """Say whether something outside is missing inside; most tests leave nothing outside."""
    folders = (settings.ERASURES_DIR, settings.SEALS_DIR)
    return any(Path(folder).is_dir() for folder in folders) and bool(restore.missing())
