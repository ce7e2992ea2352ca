"""May we, and why: one decision for one person, and the same for everybody."""

import dataclasses
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from django.utils import translation

from consent import purposes
from consent.actions import restrict, say_no, say_yes, serve_notice
from consent.conditions import CONDITIONS
from consent.purposes import Use
from consent.rules import (
    audience,
    compiled,
    gate,
    left_out,
    may_process,
    may_process_many,
)
from customers.models import Customer
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


def test_a_no_is_told_only_of_who_said_one() -> None:
    anna = cast.person(notice=False)
    cast.subscription(anna, date(2024, 1, 1))
    for use in (Use("C", "sms"), Use("D", "internal"), H_POST):
        assert "not_declined" not in refusals(anna, use)
        assert "permission" in refusals(anna, use)
    assert left_out(Use("C", "sms"), DAY) == {"informed": 1}


def test_only_the_persons_own_yes_lifts_a_no() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    say_no(anna)
    say_yes(anna, H_EMAIL, collected=Collected.IMPORT)
    assert "not_declined" in refusals(anna, H_EMAIL)
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN)
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
        say_yes(anna, use, evidence=cast.SHOWN, at=cast.noon(date(2026, 5, 2)))
    assert may_process(anna.pk, use).allowed(DAY) is allowed


def test_the_decision_tells_when_it_changes_by_itself() -> None:
    anna = cast.person(nix_phone=True)
    cast.subscription(anna, date(2022, 1, 1), date(2025, 12, 31))
    assert may_process(anna.pk, H_EMAIL).changes_on(DAY) == date(2027, 1, 1)
    assert may_process(anna.pk, H_PHONE).changes_on(DAY) == date(2026, 7, 1)
    assert may_process(anna.pk, H_PHONE).changes_on(date(2026, 6, 30)) == date(2026, 7, 1)
    assert may_process(anna.pk, H_PHONE).changes_on(date(2026, 7, 1)) is None
    assert may_process(anna.pk, G_EMAIL).changes_on(DAY) is None


def test_what_waits_for_a_birthday_changes_on_it() -> None:
    anna = cast.person(birth_date=date(2008, 7, 2))
    cast.subscription(anna, date(2024, 1, 1))
    assert may_process(anna.pk, H_EMAIL).changes_on(DAY) == date(2026, 7, 2)


def test_what_no_day_ends_or_opens_never_changes_by_itself() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    assert may_process(anna.pk, G_EMAIL).changes_on(DAY) is None
    say_no(anna)
    assert may_process(anna.pk, G_EMAIL).changes_on(DAY) is None
    assert may_process(0, G_EMAIL).changes_on(DAY) is None


def test_a_yes_ages_two_years_after_the_person_was_last_heard_of() -> None:
    anna = cast.person(last_contact_on=date(2021, 5, 1))
    cast.subscription(anna, date(2020, 1, 1))
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN, at=cast.noon(date(2021, 2, 28)))
    assert may_process(anna.pk, H_EMAIL).closes == date(2023, 5, 1)
    assert refusals(anna, H_EMAIL) == ["fresh_yes"]
    Customer.objects.filter(pk=anna.pk).update(last_contact_on=date(2024, 7, 1))
    assert may_process(anna.pk, H_EMAIL).changes_on(DAY) == date(2026, 7, 2)
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN, at=cast.noon(date(2026, 5, 1)))
    assert may_process(anna.pk, H_EMAIL).closes == date(2028, 5, 1)


def test_former_customers_get_surveys_only_by_their_own_yes() -> None:
    anna, bo = cast.person(), cast.person("Bo")
    for customer in (anna, bo):
        cast.subscription(customer, date(2020, 1, 1), date(2026, 3, 31))
    say_yes(anna, Use("C", "sms"), evidence=cast.SHOWN, at=cast.noon(date(2026, 4, 30)))
    assert may_process(anna.pk, Use("C", "sms")).allowed(DAY)
    assert refusals(anna, Use("C", "email")) == ["former_customer"]
    assert refusals(bo, Use("C", "email")) == ["purpose", "former_customer"]
    say_no(anna, Use("C", "sms"))
    assert "not_declined" in refusals(anna, Use("C", "sms"))


def test_what_reads_the_device_asks_for_a_yes_whatever_the_channel_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    assert refusals(anna, Use("J", "web")) == []
    reading = dataclasses.replace(purposes.BY_CODE["J"], reads_device=True)
    monkeypatch.setitem(purposes.BY_CODE, "J", reading)
    compiled.cache_clear()
    assert refusals(anna, Use("J", "web")) == ["device"]
    say_yes(anna, Use("J", "web"), evidence=cast.SHOWN, at=cast.noon(date(2026, 5, 1)))
    assert refusals(anna, Use("J", "web")) == []
    compiled.cache_clear()


def test_a_yes_said_under_a_restriction_waits_until_it_is_lifted() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    restrict(anna, "a", at=cast.noon(date(2026, 4, 1)))
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN, at=cast.noon(date(2026, 5, 1)))
    assert refusals(anna, H_EMAIL) == ["not_restricted"]
    assert may_process(anna.pk, H_EMAIL).answered_yes(DAY)


def test_a_reason_is_told_in_swedish_and_in_english() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    say_no(anna, H_POST)
    (no, *_others) = may_process(anna.pk, H_POST).refusals(DAY)
    assert no.told("sv") == "Du har sagt nej."
    assert no.told("en") == "You have said no."


def test_every_reason_is_written_in_english() -> None:
    anna = cast.person()
    for condition in CONDITIONS:
        with translation.override("en"):
            told = str(condition.reason)
        with translation.override("sv"):
            assert told != str(condition.reason), condition.name
    assert may_process(anna.pk, H_EMAIL).answers[0].told("en")


@pytest.mark.parametrize(
    "use",
    [H_EMAIL, H_POST, H_PHONE, Use("C", "post"), Use("A", "post"), Use("A2", "internal")],
)
def test_what_is_beside_a_person_is_joined_once(use: Use) -> None:
    allowed = gate(use).processable(use, DAY)
    for sql in (str(allowed.query), compiled(use).one):
        joined = re.findall(r"LEFT OUTER JOIN|INNER JOIN", sql)
        standing = use.permission.value != "none"
        assert len(joined) == 1 + standing + (use.channel == "post") + (use.purpose == "C")


def test_every_condition_names_the_rules_it_follows() -> None:
    law_and_rulings = re.compile(r"(MFL|NIX|OBJ|CON|CHI|INF|RES|RET|LAW|LEK|ERA|SKY|PAR|RUL)-\d\d")
    for condition in CONDITIONS:
        assert condition.rules, condition.name
        assert all(law_and_rulings.fullmatch(rule) for rule in condition.rules), condition.name
    anna = cast.person()
    say_no(anna, H_POST)
    (no, *_others) = may_process(anna.pk, H_POST).refusals(DAY)
    assert (no.name, "OBJ-06" in no.rules) == ("not_declined", True)


def test_those_left_out_are_counted_by_their_first_reason(
    django_assert_num_queries: Callable[[int], AbstractContextManager[None]],
) -> None:
    names = ("Anna", "Bo", "Cia", "Dan", "Eva", "Fia", "Gun")
    anna, bo, cia, dan, eva, _fia, gun = (cast.person(name) for name in names)
    for customer in (anna, bo, dan, eva, gun):
        cast.subscription(customer, date(2024, 1, 1))
    cast.subscription(cia, date(2022, 1, 1), date(2025, 3, 31))
    say_no(bo)
    restrict(dan)
    gun.deceased_on = date(2026, 5, 1)
    gun.save()
    say_no(gun)
    Customer.objects.filter(pk=eva.pk).update(email="")
    with django_assert_num_queries(1):
        found = left_out(H_EMAIL, DAY)
    assert found == {
        "alive": 1,
        "not_declined": 1,
        "purpose": 1,
        "soft_opt_in": 1,
        "not_restricted": 1,
        "reachable": 1,
    }
    assert sum(found.values()) + len(list(audience(H_EMAIL, DAY))) == Customer.objects.count()
    assert list(found) == [c.name for c in CONDITIONS if c.name in found]


def test_an_old_debt_is_pursued_though_the_use_is_restricted() -> None:
    anna = cast.person()
    cast.invoice(anna, date(2026, 5, 1), paid=False)
    restrict(anna, "a")
    assert refusals(anna, Use("L2", "email")) == []
    assert "not_restricted" in refusals(anna, Use("A2", "internal"))


def test_a_number_in_nix_is_open_to_a_partner_only_for_three_months_after_the_yes() -> None:
    anna = cast.person(nix_phone=True)
    cast.subscription(anna, date(2024, 1, 1))
    partner = Use("P", "phone", "munvard-vast")
    say_yes(anna, partner, evidence=cast.SHOWN, at=cast.noon(date(2026, 4, 15)))
    assert may_process(anna.pk, partner).changes_on(DAY) == date(2026, 7, 16)
    assert may_process(anna.pk, H_PHONE).changes_on(DAY) is None


def test_a_yes_without_proof_does_not_keep_shut_what_needs_no_yes() -> None:
    anna = cast.person(notice=False)
    cast.subscription(anna, date(2024, 1, 1))
    for use in (H_POST, H_EMAIL):
        say_yes(anna, use, collected=Collected.IMPORT)
    serve_notice(anna, collected=Collected.WEB, at=cast.noon(DAY))
    assert refusals(anna, H_POST) == []
    assert refusals(anna, H_EMAIL) == ["permission"]
