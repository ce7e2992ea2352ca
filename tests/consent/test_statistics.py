"""Counted, never named: groups of ten or more, and nothing to subtract (RUL-08)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.actions import object_to_use
from consent.purposes import Use
from consent.rules import OnlyCountedError, audience, gate
from consent.statistics import SMALLEST, Counts, counted, suppressed
from customers.models import Customer
from tests import cast

DAY = date(2026, 6, 1)
D, J = Use("D", "internal"), Use("J", "web")


@pytest.mark.django_db
@pytest.mark.parametrize("use", [D, J])
def test_what_is_only_counted_has_no_audience(use: Use) -> None:
    with pytest.raises(OnlyCountedError, match="counted instead"):
        audience(use, DAY)
    with pytest.raises(OnlyCountedError, match="counted instead"):
        gate(use).processable(use, DAY)


@pytest.mark.django_db
def test_people_are_counted_in_groups_and_whoever_objected_is_not() -> None:
    people = [cast.person(f"Person{n}", since=date(2024, 1, 1)) for n in range(26)]
    for customer in people:
        cast.subscription(customer, date(2024, 1, 1))
    Customer.objects.filter(pk__in=[c.pk for c in people[:12]]).update(language="en")
    assert counted(D, DAY, "language") == Counts({"en": 12, "sv": 14}, 0, 26)
    object_to_use(people[0], "D", at=cast.noon(date(2026, 5, 1)))
    assert counted(D, DAY, "language") == Counts({"en": 11, "sv": 14}, 0, 25)
    for customer in people[1:3]:
        object_to_use(customer, "D", at=cast.noon(date(2026, 5, 1)))
    # Nine are left in one group: shown alone, the other one would give them away.
    assert counted(D, DAY, "language") == Counts({}, 2, 23)
    assert counted(D, DAY, "product") == Counts({"borsthuvud": 23}, 0, 23)


def test_nobody_is_grouped_by_what_tells_them_apart() -> None:
    with pytest.raises(ValueError, match="choose"):
        counted(D, DAY, "email")


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 40), max_size=8))
def test_no_small_group_can_be_worked_out(groups: dict[str, int]) -> None:
    total = sum(groups.values())
    found = suppressed(groups, total)
    assert all(size >= SMALLEST for size in found.shown.values())
    assert len(found.shown) + found.hidden_groups == len(groups)
    if found.total is None:
        assert (total < SMALLEST, found.shown) == (True, {})
    elif found.hidden_groups:
        rest = found.total - sum(found.shown.values())
        assert rest >= SMALLEST
        assert found.hidden_groups > 1 or not found.shown


def test_large_groups_are_all_shown() -> None:
    assert suppressed({"sv": 40, "en": 10}, 50) == Counts({"sv": 40, "en": 10}, 0, 50)
