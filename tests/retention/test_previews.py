"""What is shown beforehand is what happens, over generated histories and several nights.

Staff see the plan of a day, a person "Hur länge": both are held to what is in the tables after the
night, counted without them.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from consent.models import Standing
from customers.models import Customer
from customers.personal_data import RETURNED, Category, personal_models
from retention import plans
from retention.models import Receipt, Run
from retention.rules import calendar, plan
from tests import history_nights as nights
from tests.histories import NIGHTS, Life, Pen
from tests.history_tables import STANDING, World

pytestmark = pytest.mark.django_db
PEOPLE, SHOWN_TO = 1200, 250
KNOWN_ON = NIGHTS[3]
# With nothing new known after the first: each takes what has come to its end since.
THEIR_NIGHTS = (KNOWN_ON, date(2024, 2, 29), date(2025, 1, 1), date(2026, 3, 29), NIGHTS[4])
COLUMNS = {
    "identity": Category.IDENTITY,
    "account": Category.ACCOUNT,
    "number": Category.NATIONAL_ID,
}
OF_CONTACT = ("email", "phone", "contact")
OF_TABLE = {
    model._meta.db_table: next(iter(data.columns))
    for model, data in personal_models()
    if model._meta.db_table not in ("customers_customer", "retention_hold")
}


@pytest.fixture
def world() -> World:
    """Give people as they were known on a day."""
    found = World(Pen(seed=11).lives(PEOPLE))
    found.lay()
    found.bring_to(KNOWN_ON)
    return found


def counted(world: World, found: dict[str, set[Any]]) -> Counter[tuple[int, Category]]:
    """Count what is there, by person and category."""
    counts: Counter[tuple[int, Category]] = Counter()
    for table, keys in found.items():
        if table in OF_TABLE and table != STANDING:
            for key in keys:
                counts[world.written[table][key][0].person, OF_TABLE[table]] += 1
        elif table in COLUMNS:
            counts.update((person, COLUMNS[table]) for person in keys)
    # A row of e-mail and phone is there as long as something of it is.
    reached = {person for name in OF_CONTACT for person in found[name]}
    counts.update((person, Category.CONTACT) for person in reached)
    standings = Standing.objects.filter(customer__in=found[STANDING])
    counts.update(
        (person, Category.PROOF) for person in standings.values_list("customer_id", flat=True)
    )
    counts.update((person, Category.SHELL) for person in found["customers_customer"])
    return counts


def test_the_plan_of_a_day_is_what_its_night_takes(world: World) -> None:
    before = counted(world, world.look())
    for on in THEIR_NIGHTS:
        planned = Counter({(line.customer_id, line.category): line.rows for line in plan(on)})
        shown = plans.make(on)
        names = dict(Customer.objects.values_list("pseudonym", "pk"))
        run = nights.run_night(world, on)
        assert run.status == Run.Status.DONE
        after = counted(world, world.look())
        # What is in no table any more is what the plan said.
        assert as_rows(planned, before, after) == before - after
        receipts = Receipt.objects.filter(run=run, held_by="")
        receipted = {(names[r.customer_id], Category(r.category)): r.row_count for r in receipts}
        assert receipted == planned
        assert (run.plan_hash, run.people) == (shown.hash, shown.people)
        assert list(plan(on)) == []
        assert len(planned) > 50
        before = after


def as_rows(
    planned: Counter[tuple[int, Category]],
    before: Counter[tuple[int, Category]],
    after: Counter[tuple[int, Category]],
) -> Counter[tuple[int, Category]]:
    """Return a plan as rows that go: a value that came back is of a row, or all that was in it."""
    rows: Counter[tuple[int, Category]] = Counter()
    for (person, category), n in planned.items():
        of = RETURNED.get(category, category)
        is_whole = of is not Category.CONTACT or not after[person, of]
        if is_whole:
            rows[person, of] = min(rows[person, of] + n, before[person, of])
    return rows


def test_how_long_told_years_before_what_is_left_after_each_night(world: World) -> None:
    told = {
        life.person: calendar(Customer.objects.get(pk=life.person)) for life in _shown_to(world)
    }
    assert len(told) == SHOWN_TO
    for on in THEIR_NIGHTS:
        nights.run_night(world, on)
        left = counted(world, world.look())
        for person, entries in told.items():
            for entry in (e for e in entries if e.category not in RETURNED):
                assert left[person, entry.category] == entry.left_on(on), (
                    *(on, person, entry.category.name, entry.last_days),
                )


def _shown_to(world: World) -> Iterator[Life]:
    """Yield some of the people; holds that lapse by themselves are read as of today."""
    rows = world.written["customers_customer"].values()
    old = {
        life.person
        for life, hold in world.written["retention_hold"].values()
        if hold.columns["ground"] != "case" and hold.born.year <= today_ten_years_ago()
    }
    several = [life for life, _ in rows if life.person not in old and len(life.rows) > 6]
    yield from several[:SHOWN_TO]


def today_ten_years_ago() -> int:
    return date.today().year - 10  # noqa: DTZ011  years are enough
