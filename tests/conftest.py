"""Start-up of the tests: servers of their own, once per run, in a folder that goes with it."""

import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.utils import translation

from dentalclean.embedded import servers
from retention import restore
from tests import groundwork, invariants, past
from tests.workers import own_broker, worker  # noqa: F401  fixtures

_house = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that leads the run, before its workers need them."""
    config.addinivalue_line("markers", "breaks(*numbers): breaks these invariants on purpose")
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    _house.callback(servers.remove, settings.HOUSE)
    _house.enter_context(servers.running(settings.HOUSE, durable=False))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and remove their folder."""
    _house.close()


def pytest_xdist_auto_num_workers() -> int:
    """Have one worker more than cores: each waits often, for disks, programs and browsers."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer not to ask the 17 invariants of what every test leaves."""
    parser.addoption(
        "--no-invariants",
        action="store_false",
        dest="invariants",
        help="do not ask the 17 invariants after every test",
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Any:
    """Ask the 17 invariants of what a test that passed leaves, before its rows are gone."""
    result = yield
    if item.config.getoption("invariants"):
        invariants.demand(item)
    return result


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no test see what another one put into the cache (rate limits above all)."""
    # Whether the database was restored is looked at every few seconds; here only where it is asked.
    restore._looks["whole"] = time.monotonic()
    yield
    asked = {"db", "transactional_db"} & set(request.fixturenames)
    if asked or request.node.get_closest_marker("django_db"):
        cache.clear()
        # The rows that these files speak of are gone with the test.
        for folder in (settings.ERASURES_DIR, settings.SEALS_DIR):
            shutil.rmtree(folder, ignore_errors=True)
        restore.forget_the_last_look()


@pytest.fixture(autouse=True)
def _swedish() -> None:
    """Begin each test in Swedish, whatever language the one before was asked in."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Publish the current policy in each worker's database, as every installation has done."""
    with django_db_blocker.unblock():
        call_command("publish_policy", stdout=io.StringIO())
        groundwork.lay()


@pytest.fixture
def as_app(db: None) -> Iterator[None]:
    """Work as the role of web, worker and clock; the tests themselves are a superuser."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {settings.DATABASE_ROLES['app']}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


KEPT_BY_A_FLUSH = {
    "consent_policyversion",
    "consent_notice",
    "consent_balancingrecord",
    "consent_nixsnapshot",
    # Django's own, which it would write again at once.
    "django_content_type",
    "auth_permission",
}


def _flush_past_the_triggers(operations: DatabaseOperations, statements: list[str]) -> None:
    """Empty the tables after a test with real transactions, ledgers included, policy excluded.

    Most are empty, and most others hold a few rows: TRUNCATE would make new files for all of them.
    """
    tables = sorted(set(connection.introspection.django_table_names()) - KEPT_BY_A_FLUSH)
    with past.the_triggers(), connection.cursor() as cursor:
        looks = (f"SELECT '{t}' WHERE EXISTS (SELECT FROM \"{t}\")" for t in tables)
        cursor.execute(" UNION ALL ".join(looks))
        for (table,) in cursor.fetchall():
            cursor.execute(f'DELETE FROM "{table}"')


DatabaseOperations.execute_sql_flush = _flush_past_the_triggers
