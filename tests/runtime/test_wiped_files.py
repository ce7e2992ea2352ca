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


def neighbours(first: int, last: int) -> None:
    """Make people who stay, with accounts and long questions, on the same pages as who goes.

    Their addresses begin with every letter, so that an index of them has pages of its own for each.
    """
    sql(
        "INSERT INTO customers_user (id, password, is_superuser, email, is_active, is_staff,"
        " created_at) SELECT i, '!', FALSE, md5(i::text) || '@example.se', TRUE, FALSE, now()"
        f" FROM generate_series({first}, {last}) AS i"
    )
    sql(
        "INSERT INTO customers_customer (id, number, user_id, public_id, pseudonym, given_name,"
        " family_name, email, phone, language, protection, nix_phone, nix_post, restriction,"
        " source, collected, created_at, last_contact_on, version)"
        " SELECT id, 'N' || id, id, gen_random_uuid(), gen_random_uuid(), 'Cia', 'Ek', email,"
        " '+4670' || id, 'sv', '', FALSE, FALSE, '', 'person', 'web', now(), DATE '2026-01-01', 1"
        f" FROM customers_user WHERE id BETWEEN {first} AND {last}"
    )
    sql(
        "INSERT INTO consent_processingrecord (customer_id, purpose, basis, since, retain_until,"
        " relation_ended_on) SELECT id, 'H', 'f', DATE '2026-01-01', DATE '2029-01-01',"
        f" DATE '2026-01-01' FROM customers_customer WHERE id BETWEEN {first} AND {last}"
    )
    sql(
        "INSERT INTO customers_supportcase (public_id, subject, body, answer, collected, opened_at,"
        " customer_id) SELECT gen_random_uuid(), 'Fraga', (SELECT string_agg(md5(random()::text),"
        " '') FROM generate_series(1, 100 + id % 60)), '', 'email', now(), id"
        f" FROM customers_customer WHERE id BETWEEN {first} AND {last} AND id % 20 = 0"
    )


@pytest.mark.breaks(3)
@pytest.mark.usefixtures("works_as_app")
def test_nothing_of_a_person_is_left_in_any_file_once_the_night_is_wiped() -> None:
    neighbours(100_000, 101_500)
    traces = Traces()
    anna = somebody("Anna")
    traces.plant(anna, NIGHT)
    assert traces.in_wal()
    neighbours(200_000, 201_500)
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
    # VACUUM alone leaves them readable: in rows, in indexes, in long words.
    indexes = {name for table in readable.tables() for name in table.indexes(connection)}
    assert "customers_customer" in after_the_night
    assert indexes & set(after_the_night)
    assert any(name.startswith("pg_toast_") for name in after_the_night)

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
    for _ in range(2):
        sql("SELECT pg_switch_wal()")
        sql("CHECKPOINT")
    assert traces.found() == {}


@pytest.mark.usefixtures("works_as_app")
def test_the_next_night_leaves_alone_what_has_lost_nothing() -> None:
    somebody("Anna")
    for night in (date(2026, 11, 19), NIGHT):
        run = execute(open_run(night)[0])
        sql("SELECT pg_stat_force_next_flush()")  # or its changes are counted a second later
        wiping.wipe(run)
        sql("CHECKPOINT")
        second = wiping.wipe(run)
    assert second is not None
    assert second.finished_at is not None
    wiped = {name for name, told in second.tables.items() if "seconds" in told}
    assert "customers_invoice" not in wiped
    assert "customers_address" not in wiped
    assert Wipe.objects.count() == 2
