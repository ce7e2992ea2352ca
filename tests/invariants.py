"""The 17 invariants after each test, inside its transaction, before its rows are rolled back.

Planned once per connection and executed in some 2 ms, so no test is left out for its price. A test
that breaks one on purpose says which: `@pytest.mark.breaks(5)`.
"""

import pytest
from django.db import connection
from psycopg2.extensions import AsIs

from retention import invariants

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
            files = {"files": AsIs("$1"), "old_files": AsIs("$2")}
            parameters = invariants.parameters() | files
            cursor.execute(f"PREPARE invariants AS {invariants.question()}", parameters)
            _planned.add(raw.get_backend_pid())
        cursor.execute("EXECUTE invariants (%(files)s, %(old_files)s)", invariants.extract_files())
        return list(cursor.fetchall())
