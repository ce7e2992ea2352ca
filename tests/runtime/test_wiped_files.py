"""After the night nothing about whom it took can be read in any file of the installation (F19)."""

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import connection

from customers.models import Customer
from dentalclean.embedded.places import ROLES
from retention import readable, wiping
from retention.actions import execute, open_run
from retention.models import Wipe
from tests import cast
from tests.dentalclean.test_marker import somebody
from tests.traces import Traces

pytestmark = pytest.mark.django_db(transaction=True)
NIGHT = date(2026, 11, 20)
LOG_OF_CHANGES = ("pg_wal",)


@pytest.fixture
def works_as_app(transactional_db: None) -> Iterator[None]:
    """Let new sessions come as the app, which wipes in real installations."""
    connection.ensure_connection()  # this one stays the superuser's
    superuser = connection.settings_dict["USER"]
    connection.settings_dict["USER"] = ROLES["app"]
    yield
    connection.settings_dict["USER"] = superuser


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def neighbours() -> None:
    """Make people who stay, so that no page of a file goes as a whole."""
    for number in range(12):
        customer = cast.person(f"Cia{number}", since=date(2026, 1, 1))
        cast.subscription(customer, date(2026, 1, 1), None)


@pytest.mark.usefixtures("works_as_app")
def test_nothing_of_a_person_is_left_in_any_file_once_the_night_is_wiped() -> None:
    neighbours()
    traces = Traces()
    anna = somebody("Anna")
    traces.plant(anna, NIGHT)
    cast.person("Dag", since=date(2026, 1, 1))
    sql("ANALYZE")

    there = traces.found(but=LOG_OF_CHANGES)
    assert set().union(*there.values()) == set(traces.where)  # the search finds each of them
    assert {"customer_email", "customers_user_email_key"} <= set(there)
    assert any(name.startswith("pg_toast_") for name in there)
    assert not any(name.startswith("pg_statistic") for name in there)

    run = execute(open_run(NIGHT)[0])
    assert not Customer.objects.filter(pk=anna.pk).exists()
    sql("VACUUM")
    after_the_night = traces.found(but=LOG_OF_CHANGES)
    assert len(after_the_night) > 5  # VACUUM alone leaves them readable

    waits = wiping.wipe(run)
    assert waits is not None
    assert (waits.waits_for, waits.finished_at) == ("the next checkpoint", None)
    sql("CHECKPOINT")
    wipe = wiping.wipe(run)
    assert wipe is not None
    assert (wipe.waits_for, wipe.finished_at is not None) == ("", True)
    assert traces.found(but=LOG_OF_CHANGES) == {}
    assert set(wipe.tables) == {table.name for table in readable.tables()}
    assert wiping.verify() == 1
    assert wiping.waiting() is None

    # The log of changes keeps them until its file is full or an hour old, and a checkpoint more.
    assert traces.in_wal()
    for _ in range(2):
        sql("SELECT pg_switch_wal()")
        sql("CHECKPOINT")
    assert traces.found() == {}


@pytest.mark.usefixtures("works_as_app")
def test_the_next_night_leaves_alone_what_has_lost_nothing() -> None:
    somebody("Anna")
    for night in (date(2026, 11, 19), NIGHT):
        run = execute(open_run(night)[0])
        wiping.wipe(run)
        sql("CHECKPOINT")
        second = wiping.wipe(run)
    assert second is not None
    assert second.finished_at is not None
    wiped = {name for name, told in second.tables.items() if "seconds" in told}
    assert "customers_invoice" not in wiped
    assert "customers_address" not in wiped
    assert Wipe.objects.count() == 2
