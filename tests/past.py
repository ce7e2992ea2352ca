"""Past the triggers that protect what is stored, as a superuser could get who means to."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from dentalclean.database_roles import protections


def asleep(*operations: str) -> list[str]:
    """Give the statements that put the triggers against some operations to sleep."""
    return [
        f'ALTER TABLE "{table}" DISABLE TRIGGER "{name}"'
        for table, name, against in protections()
        if against & set(operations)
    ]


def awake(*operations: str) -> list[str]:
    """Give the statements that wake them as they were."""
    return [
        statement.replace("DISABLE TRIGGER", "ENABLE ALWAYS TRIGGER")
        for statement in asleep(*operations)
    ]


@contextmanager
def the_triggers() -> Iterator[None]:
    """Let UPDATE and DELETE pass in one transaction, and ask no foreign key meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no trigger may still be due
        cursor.execute("; ".join(asleep("UPDATE", "DELETE")))
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        cursor.execute("; ".join(awake("UPDATE", "DELETE")))


@contextmanager
def no_notice() -> Iterator[None]:
    """Let an entry lift what the law restricts though the person was not told of it (RES-05)."""
    name = '"consent_event" {} TRIGGER "lifting_is_told"'
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no trigger may still be due
        cursor.execute(f"ALTER TABLE {name.format('DISABLE')}")
        yield
        cursor.execute(f"ALTER TABLE {name.format('ENABLE ALWAYS')}")
