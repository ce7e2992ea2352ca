"""Rules of how long, broken one at a time: the generated histories see each of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest
from django.db import connection

from consent import records
from customers import debts
from retention import actions, statements
from tests import history_nights as nights
from tests.histories import NIGHTS, Pen
from tests.history_tables import World

pytestmark = pytest.mark.django_db
PEOPLE = 500


@dataclass(frozen=True)
class Mutant:
    """A fault planted in the text of a statement, in a stored date or in a step of the night."""

    name: str
    plant: Callable[[pytest.MonkeyPatch], None]
    people: int = PEOPLE


def in_records(name: str, old: str, new: str) -> Mutant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        assert old in records.REFRESH_SQL
        monkeypatch.setattr(records, "REFRESH_SQL", records.REFRESH_SQL.replace(old, new))

    return Mutant(name, plant)


def in_algebra(name: str, old: str, new: str) -> Mutant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        assert old in statements.ALGEBRA
        monkeypatch.setattr(statements, "ALGEBRA", statements.ALGEBRA.replace(old, new))

    return Mutant(name, plant)


def in_reckoning(name: str, old: str, new: str) -> Mutant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        assert old in debts.RECKON
        monkeypatch.setattr(debts, "RECKON", debts.RECKON.replace(old, new))

    return Mutant(name, plant)


def in_clock(name: str, table: str, expression: str) -> Mutant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"ALTER TABLE {table} ALTER COLUMN retain_until SET EXPRESSION AS ({expression})"
            )

    return Mutant(name, plant)


def in_tables(name: str, old: str, new: str) -> Mutant:
    """Plant a fault in the condition by which rows go by their own date."""

    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        known = statements.Table.own_date.fget
        assert known is not None

        def own_date(table: statements.Table) -> str:
            assert old in known(table)
            return known(table).replace(old, new)

        monkeypatch.setattr(statements.Table, "own_date", property(own_date))

    return Mutant(name, plant)


def a_table_forgotten(table: str) -> Mutant:
    def plant(monkeypatch: pytest.MonkeyPatch) -> None:
        known = statements.deleted
        monkeypatch.setattr(
            statements, "deleted", lambda: (t for t in known() if t.name != f'"{table}"')
        )

    return Mutant(f"{table} forgotten", plant)


def _end_everything(cursor: Any, on: date, _not_held: list[int]) -> None:
    cursor.execute(
        "UPDATE consent_processingrecord SET ended_on = %(on)s "
        "WHERE ended_on IS NULL AND retain_until < %(on)s",
        {"on": on},
    )


def _words_last(years: str) -> None:
    """Count the last days that come from now on by another number of years."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE OR REPLACE FUNCTION pg_temp_words() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN IF NEW.retain_until < DATE '9000-01-01' THEN NEW.retain_until := "
            f"(NEW.retain_until - interval '5 years' + interval '{years}')::date; END IF; "
            "RETURN NEW; END $$"
        )
        cursor.execute(
            "CREATE TRIGGER words_last BEFORE UPDATE OF retain_until ON consent_eventdetail "
            "FOR EACH ROW EXECUTE FUNCTION pg_temp_words()"
        )
        cursor.execute("ALTER TABLE consent_eventdetail ENABLE ALWAYS TRIGGER words_last")


def _settle_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = "k.kind IN ('credit', 'payment')", "k.kind = 'credit'"
    in_records("", old, new).plant(monkeypatch)
    in_reckoning("", old, new).plant(monkeypatch)


MUTANTS = (
    in_records("a death is not heard of", "c.deceased_on,", "NULL::date AS deceased_on,"),
    in_records(
        "three years are 1096 days",
        "(window_start + interval '3 years')::date",
        "(window_start + 1096)",
    ),
    in_records(
        "a year of a prospect is 366 days",
        "(last_contact_on + interval '12 months')::date",
        "(last_contact_on + 366)",
    ),
    in_records("returned mail changes nothing", "WHEN unreachable_on IS NOT NULL", "WHEN FALSE"),
    in_records(
        "one address that is reached does not count",
        "AND home.is_reached IS NOT TRUE",
        "",
    ),
    in_records("an open order is none", "WHEN ord.is_open THEN", "WHEN FALSE THEN"),
    in_records(
        "a withdrawal before delivery starts a window",
        "MAX(CASE WHEN o.delivered_on IS NOT NULL",
        "MAX(CASE WHEN TRUE",
    ),
    in_records("an open question holds nobody", "MAX(COALESCE(q.closed_on,", "MIN(COALESCE(NULL,"),
    Mutant("payments settle nothing", _settle_nothing),
    replace(
        in_records(
            "a debt counts from the invoice",
            "COALESCE(GREATEST(i.due_on, i.interrupted_on), i.issued_on)",
            "GREATEST(i.issued_on, i.interrupted_on)",
        ),
        people=900,
    ),
    in_records(
        "an interruption is not heard of", "GREATEST(i.due_on, i.interrupted_on)", "i.due_on"
    ),
    in_reckoning("what came too late counts", "FILTER (WHERE runs)", ""),
    in_records("a no to offers is not heard", "deceased_on, until_h)", "deceased_on)"),
    in_records("thirty days are a month", "interval '30 days'", "interval '1 month'"),
    in_records(
        "a yes needs no proof afterwards", "WHEN consents AND NOT is_erased THEN", "WHEN FALSE THEN"
    ),
    in_records(
        "the erased are proven anew", "WHEN consents AND NOT is_erased THEN", "WHEN consents THEN"
    ),
    in_algebra("what came back stays", "c.email_returned_on < %(on)s", "FALSE"),
    in_algebra("a number that came back stays", "c.phone_returned_on < %(on)s", "FALSE"),
    in_algebra("a home that came back stays", "a.returned_on < %(on)s", "FALSE"),
    in_algebra("an account outlives its e-mail", "u.email = c.email", "FALSE"),
    in_algebra("a customer's dead e-mail goes", "live.mask & 1048578 = 2", "live.mask & 2 = 2"),
    Mutant("words last six years", lambda _: _words_last("6 years")),
    Mutant("words last four years", lambda _: _words_last("4 years")),
    in_algebra("the last day is not kept", "r.retain_until >= %(on)s", "r.retain_until > %(on)s"),
    in_algebra("a hold holds nothing", "COALESCE(bit_or(h.categories)::int, 0)", "0"),
    in_algebra("a lifted hold holds on", "h.lifted_at IS NULL", "TRUE"),
    in_algebra("ground d holds nothing", "('a', 'b', 'd')", "('a', 'b')"),
    in_tables("a row goes on its last day", "< %(on)s", "<= %(on)s"),
    in_tables("a hold does not hold rows", "AND (due.held", "AND 0 <> 0 OR (due.held"),
    in_clock(
        "three years from the order",
        "customers_order",
        "(ordered_on + interval '3 years')::date",
    ),
    in_clock(
        "a complaint lasts no longer",
        "customers_supportcase",
        "(closed_on + interval '12 months')::date",
    ),
    in_clock(
        "a day in UTC",
        "customers_accesslog",
        "((at AT TIME ZONE 'UTC') + interval '24 months')::date",
    ),
    in_clock(
        "linked verifications alone",
        "customers_invoice",
        "make_date(date_part('year', fiscal_year_id)::int + 7, 12, 31)",
    ),
    in_clock(
        "what is owed leaves with the books",
        "customers_invoice",
        "make_date(date_part('year', GREATEST(fiscal_year_id, linked_year_id))::int + 7, 12, 31)",
    ),
    in_clock(
        "the year of the invoice",
        "customers_invoice",
        "make_date(date_part('year', issued_on)::int + 7, 12, 31)",
    ),
    a_table_forgotten("customers_session"),
    a_table_forgotten("privacy_requests_caseevent"),
    Mutant(
        "purposes of the held end for good",
        lambda monkeypatch: monkeypatch.setattr(actions, "_end_purposes", _end_everything),
    ),
)


@pytest.mark.breaks(*range(1, 18))
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_rule_that_is_broken_is_seen(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    mutant.plant(monkeypatch)
    _forget_statements()
    request.addfinalizer(_forget_statements)
    world = World(Pen(seed=0).lives(mutant.people))
    world.lay()
    # Without the fault these very people are seen to be right by test_oracle.py.
    assert any(nights.differences(world, on) for on in NIGHTS), "No history saw it."


def _forget_statements() -> None:
    for name in dir(statements):
        forget = getattr(getattr(statements, name), "cache_clear", None)
        if forget is not None:
            forget()
