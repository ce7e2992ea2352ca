"""Servers for one bench, as durable as real ones, in a folder that goes with it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from dentalclean.embedded import servers
from dentalclean.embedded.places import House

FROM_ELSEWHERE = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "EMAIL_URL", "SITE_URL", "PORT")


@contextmanager
def settings_of_its_own(kept: Path | None = None) -> Iterator[None]:
    """Point the settings at a folder of their own; must come before anything reads them.

    A fresh one that goes afterwards, or `kept`, where the last worlds are found again.
    """
    folder = kept.resolve() if kept else Path(tempfile.mkdtemp(prefix="dentalclean-bench-"))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in FROM_ELSEWHERE:
        os.environ.pop(name, None)
    os.environ |= {
        "DENTALCLEAN_EMBEDDED": "1",
        "DATA_DIR": str(folder),
        "DATABASE_URL": House(folder).superuser_url,  # makes and drops databases
        "DJANGO_SETTINGS_MODULE": "dentalclean.settings",
        "LOG_LEVEL": "WARNING",
    }
    try:
        django.setup()
        yield
    finally:
        if not kept:
            servers.remove(House(folder.resolve()))


@contextmanager
def servers_of_its_own() -> Iterator[None]:
    """Start the servers with everything synced to disk, and lay the tables."""
    _forget_files()
    with servers.running(settings.HOUSE, durable=True):
        call_command("migrate", verbosity=0)
        call_command("publish_policy", stdout=open(os.devnull, "w"))  # noqa: SIM115, PTH123
        try:
            yield
        finally:
            connection.close()


def use(database: str) -> None:
    """Turn Django's connection to another database of the same server."""
    connection.close()
    connection.settings_dict["NAME"] = database


def copy(template: str, database: str) -> None:
    """Make an identical copy of a database, file by file, and turn to it."""
    _forget_files()
    use("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")
        cursor.execute(f"CREATE DATABASE {database} TEMPLATE {template} STRATEGY FILE_COPY")
        cursor.execute("CHECKPOINT")
    use(database)


def _forget_files() -> None:
    """Remove what lies beside the databases: it speaks of copies that are made anew."""
    for folder in (settings.ERASURES_DIR, settings.SEALS_DIR):
        shutil.rmtree(folder, ignore_errors=True)


def drop(database: str) -> None:
    """Remove a copy."""
    use("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {database}")


def mark(database: str, word: str) -> None:
    """Write down what a database is, for `mark_of`."""
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE {database} IS '{word}'")


def mark_of(database: str) -> str | None:
    """Return what was written down of a database; None when there is none of that name."""
    use("postgres")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [database],
        )
        found = cursor.fetchone()
    return found[0] if found else None
