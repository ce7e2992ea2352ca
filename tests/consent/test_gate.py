"""May we, and why: one decision for one person, and the same for everybody."""

from datetime import date

import pytest

from consent.actions import restrict, say_no, say_yes
from consent.purposes import Use
from consent.rules import audience, may_process, may_process_many
from customers.models.channels import Collected
from tests import cast

pytestmark = pytest.mark.django_db

G_EMAIL, H_EMAIL, H_POST, H_PHONE = (
    Use("G", "email"),
    Use("H", "email"),
    Use("H", "post"),
    Use("H", "phone"),
)
DAY = date(2026, 6, 1)


def refusals(customer: object, use: Use, on: date = DAY) -> list[str]:
    return [answer.name for answer in may_process(customer.pk, use).refusals(on)]  # type: ignore[attr-defined]


def test_a_customer_who_was_told_may_get_offers_by_mail() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    assert may_process(anna.pk, G_EMAIL).allowed(DAY)


def test_without_the_first_notice_nothing_is_open() -> None:
    anna = cast.person(notice=False)
    cast.subscription(anna, date(2024, 1, 1))
    assert "informed" in refusals(anna, H_POST)


def test_an_unknown_person_is_refused() -> None:
    assert not may_process(0, G_EMAIL).allowed(DAY)
    assert not may_process_many([0], G_EMAIL)[0].allowed(DAY)


def test_g_is_open_through_the_last_day_and_shut_from_the_next() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1), date(2026, 6, 1))
    assert may_process(anna.pk, G_EMAIL).closes == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("ended", "use", "nix", "last"),
    [
        (date(2025, 3, 31), H_EMAIL, False, date(2026, 3, 31)),
        (date(2025, 3, 31), H_PHONE, True, date(2025, 9, 30)),
        (date(2025, 3, 31), H_POST, True, date(2026, 3, 31)),
        (date(2025, 3, 31), H_POST, False, date(2028, 3, 31)),
        (date(2024, 2, 29), H_EMAIL, False, date(2025, 2, 28)),
        (date(2024, 2, 29), H_PHONE, True, date(2024, 8, 29)),
        (date(2024, 2, 29), H_POST, False, date(2027, 2, 28)),
    ],
)
def test_after_the_end_each_channel_has_its_own_window(
    ended: date, use: Use, nix: bool, last: date
) -> None:
    anna = cast.person(nix_phone=nix, nix_post=nix)
    cast.subscription(anna, date(2022, 1, 1), ended)
    assert may_process(anna.pk, use).closes == last


def test_a_no_shuts_one_channel_and_a_total_no_shuts_all() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    say_no(anna, H_POST)
    assert "not_declined" in refusals(anna, H_POST)
    assert may_process(anna.pk, H_EMAIL).allowed(DAY)
    say_no(anna)
    for use in (G_EMAIL, H_EMAIL, H_PHONE, Use("F", "internal"), Use("I", "portal")):
        assert "not_declined" in refusals(anna, use)


def test_only_the_persons_own_yes_lifts_a_no() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    say_no(anna)
    say_yes(anna, H_EMAIL, collected=Collected.IMPORT)
    assert "not_declined" in refusals(anna, H_EMAIL)
    say_yes(anna, H_EMAIL)
    assert refusals(anna, H_EMAIL, date(2027, 1, 1)) == []


def test_a_restriction_shuts_everything_but_the_own_case() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    restrict(anna, "a")
    assert refusals(anna, Use("A", "post")) == ["not_restricted"]
    assert refusals(anna, Use("B", "email")) == []


def test_the_gate_for_one_is_the_gate_for_all() -> None:
    people = [cast.person(name) for name in ("Anna", "Bo", "Cia")]
    for customer in people[:2]:
        cast.subscription(customer, date(2024, 1, 1))
    say_no(people[0])
    for use in (G_EMAIL, H_POST, Use("C", "email"), Use("A", "post")):
        one = {c.pk for c in people if may_process(c.pk, use).allowed(DAY)}
        many = may_process_many([c.pk for c in people], use)
        assert {pk for pk, decision in many.items() if decision.allowed(DAY)} == one
        assert set(audience(use, DAY)) == one


@pytest.mark.parametrize(
    ("age", "says_yes", "use", "allowed"),
    [
        (15, True, Use("C", "email"), False),
        (16, False, Use("C", "email"), False),
        (16, True, Use("C", "email"), True),
        (17, True, H_EMAIL, False),
        (18, False, Use("C", "email"), True),
        (18, False, H_EMAIL, True),
    ],
)
def test_below_sixteen_nothing_and_below_eighteen_only_what_they_said_yes_to(
    age: int, says_yes: bool, use: Use, allowed: bool
) -> None:
    anna = cast.person(birth_date=date(DAY.year - age, 5, 1))
    cast.subscription(anna, date(2024, 1, 1))
    if says_yes:
        say_yes(anna, use, at=cast.noon(date(2026, 5, 2)))
    assert may_process(anna.pk, use).allowed(DAY) is allowed
