"""A night is planned from what the tables are, whatever the planner was told last."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from customers.models import Customer
from retention import estimates, plans, statements
from retention.actions import execute, open_run
from retention.models import Run
from tests.foresight import expect
from tests.retention.test_one_in_a_thousand import DUE

NIGHT = date(2026, 11, 20)
PEOPLE = 4000
PLANNED = {"customers_customer", "customers_address", "consent_processingrecord"}


def sql(statement: str, values: Any = None, session: Any = connection) -> list[tuple[Any, ...]]:
    with session.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def believed(table: str) -> int:
    return int(sql("SELECT reltuples FROM pg_class WHERE oid = %s::regclass", [table])[0][0])


def an_import(people: int = PEOPLE) -> None:
    """Bring people who are all due, into tables that the planner takes to be empty."""
    sql(
        "UPDATE pg_class SET reltuples = 0, relallvisible = 0 "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    sql(DUE, {"people": people})
    sql(
        "UPDATE pg_class SET relpages = pg_relation_size(oid) / 8192 "
        "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    expect(NIGHT, people)


@pytest.mark.django_db
def test_a_night_over_people_the_planner_has_not_seen_is_planned_for_all_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_import()
    planned_for: list[int] = []
    make = plans.make

    def made(on: date) -> plans.Plan:
        planned_for.append(believed("customers_customer"))
        assert PLANNED & set(estimates.stale()) == set()
        return make(on)

    monkeypatch.setattr(plans, "make", made)
    assert believed("customers_customer") == 0

    run = execute(open_run(NIGHT)[0])

    assert planned_for == [PEOPLE]
    assert run.status == Run.Status.DONE
    assert run.people == PEOPLE
    assert not Customer.objects.exists()


@pytest.mark.django_db
def test_only_large_tables_nobody_has_looked_at_are_looked_at() -> None:
    an_import(1000)
    assert believed("customers_customer") == 0
    looked_at = set(estimates.refresh())
    assert looked_at >= PLANNED
    assert believed("customers_customer") == 1000
    assert "retention_hold" not in looked_at
    # Tables that are full of what other tests have rolled back are empty for certain.
    assert all(believed(table) == 0 for table in estimates.refresh())


@pytest.mark.django_db
def test_a_table_of_twice_the_size_is_stale() -> None:
    an_import(1000)
    estimates.refresh()
    assert "customers_customer" not in estimates.stale()
    sql("UPDATE pg_class SET relpages = relpages / 3 WHERE relname = 'customers_customer'")
    assert "customers_customer" in estimates.stale()


@pytest.mark.django_db
def test_the_program_may_look_at_every_table_of_the_night(as_app: None) -> None:
    for model in estimates.of_the_night():
        notices = connection.connection.notices
        del notices[:]
        sql(f'ANALYZE "{model._meta.db_table}"')
        assert notices == []


def test_every_table_of_the_night_s_statements_is_among_them() -> None:
    names = {model._meta.db_table for model in estimates.of_the_night()}
    for table in statements.mapped():
        assert {name.split()[0].strip('"') for name in table.joins} <= names | {
            "django_content_type",
            "customers_user",
        }


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "PATIENCE", "100ms")
    another: BaseDatabaseWrapper = connection.copy()
    try:
        sql("BEGIN", session=another)
        sql("LOCK TABLE customers_address IN SHARE UPDATE EXCLUSIVE MODE", session=another)
        assert not estimates._look_at("customers_address")
        assert estimates._look_at("customers_customer")
    finally:
        another.close()
