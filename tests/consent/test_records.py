"""The projection: which purposes live for whom, until when, whatever has been purged since."""

import random
from datetime import date, timedelta

import pytest
from django.utils import timezone

from consent import records
from consent.actions import (
    object_to_use,
    say_no,
    say_yes,
    serve_notice,
    unsubscribe,
)
from consent.facts import ask
from consent.models import ProcessingRecord
from consent.purposes import CATALOGUE, Objection, Use, chosen_uses
from consent.rules import may_process
from customers.dates import FAR, today
from customers.models import Customer
from customers.models.channels import Collected
from retention.actions import execute, open_run
from tests import cast

pytestmark = pytest.mark.django_db
DAY = date(2026, 6, 1)


def live_on(customer: Customer, on: date) -> dict[str, date]:
    found = ProcessingRecord.objects.filter(customer=customer, ended_on=None, retain_until__gte=on)
    return dict(found.values_list("purpose", "retain_until"))


def night(on: date) -> None:
    execute(open_run(on)[0])


@pytest.mark.parametrize("seed", range(3))
def test_after_every_act_the_records_are_what_the_facts_make_of_them(seed: int) -> None:
    anna, bea, cia = cast.person(), cast.person("Bea"), cast.person("Cia", last_contact_on=DAY)
    cast.subscription(anna, date(2024, 1, 1))
    cast.subscription(bea, date(2022, 1, 1), date(2026, 1, 1))
    dice, uses = random.Random(seed), [*chosen_uses(), Use("P", "email", "munvard-vast")]
    objected = [p.code for p in CATALOGUE if p.objection is not Objection.NO_EFFECT]
    for _time in range(40):
        somebody, use = dice.choice((anna, bea, cia)), dice.choice(uses)
        at = timezone.now() - timedelta(days=dice.choice((0, 0, 0, 1, 400)))
        match dice.randrange(8):
            case 0 | 1 | 2:
                say_yes(somebody, use, evidence=cast.SHOWN, at=at)
            case 3 | 4 | 5:
                say_no(somebody, use, at=at)
            case 6:
                unsubscribe(somebody, dice.choice(("", use.channel)))
            case _:
                object_to_use(somebody, dice.choice(objected), at=at)
        assert records.refresh([anna.pk, bea.pk, cia.pk]) == 0


def test_a_yes_by_another_way_on_the_day_of_a_no_keeps_the_purpose() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    for act, channel in ((say_yes, "email"), (say_no, "email"), (say_yes, "phone")):
        act(anna, Use("P", channel, "munvard-vast"), evidence=cast.SHOWN)
    assert live_on(anna, DAY)["P"] == FAR
    assert records.refresh([anna.pk, cast.person("Bea").pk]) == 0


def test_who_has_bought_nothing_is_in_no_survey_and_no_statistics() -> None:
    asked = cast.person(since=date(2026, 3, 1))
    for use in (Use("C", "email"), Use("D", "internal"), Use("J", "web")):
        assert not may_process(asked.pk, use).allowed(DAY)
    assert set(live_on(asked, DAY)) == {"F", "H", "I", "R"}


def test_who_has_bought_nothing_is_not_called_on_a_number_in_nix() -> None:
    asked = cast.person(since=date(2026, 3, 1), nix_phone=True, nix_post=True)
    assert not may_process(asked.pk, Use("H", "phone")).allowed(DAY)
    assert not may_process(asked.pk, Use("H", "post")).allowed(DAY)
    not_in_nix = cast.person("Bo", since=date(2026, 3, 1))
    assert may_process(not_in_nix.pk, Use("H", "post")).closes == date(2027, 3, 1)


def test_g_waits_for_a_subscription_to_start_and_rests_between_two() -> None:
    anna = cast.person(since=date(2026, 1, 1))
    cast.subscription(anna, date(2026, 2, 1), date(2026, 4, 30))
    assert may_process(anna.pk, Use("G", "email")).allowed(date(2026, 4, 30))
    cast.subscription(anna, date(2026, 9, 1))
    decision = may_process(anna.pk, Use("G", "email"))
    assert not decision.allowed(DAY)
    assert decision.opens == date(2026, 9, 1)
    cast.subscription(anna, date(2026, 5, 1), date(2026, 8, 31))
    assert may_process(anna.pk, Use("G", "email")).allowed(DAY)


def test_what_the_night_took_does_not_change_how_long_the_proof_stays() -> None:
    anna = cast.person(since=date(2015, 1, 1))
    cast.subscription(anna, date(2015, 1, 1), date(2022, 10, 1))
    before = live_on(anna, date(2025, 10, 2))
    night(date(2025, 10, 2))
    assert records.refresh([anna.pk]) == 0
    assert live_on(anna, date(2025, 10, 2)) == before == {"R": date(2028, 10, 1)}


def test_a_purged_subscription_still_says_when_the_windows_started() -> None:
    anna = cast.person(since=date(2015, 1, 1))
    cast.subscription(anna, date(2015, 1, 1), date(2022, 10, 1))
    cast.order(anna, date(2025, 9, 20))  # open: keeps A, B and K, opens no window (RUL-12)
    night(date(2025, 10, 2))
    records.refresh([anna.pk])
    assert not may_process(anna.pk, Use("H", "post")).allowed(date(2025, 10, 2))
    assert set(live_on(anna, date(2025, 10, 2))) == {"A", "B", "K", "D", "J", "C", "R"}


@pytest.mark.breaks(3)
def test_a_no_is_remembered_as_long_as_the_person_is_known() -> None:
    anna = cast.person(since=date(2015, 1, 1))
    cast.subscription(anna, date(2015, 1, 1), date(2016, 1, 1))
    say_no(anna, at=cast.noon(date(2016, 2, 1)))
    cast.invoice(anna, date(2019, 6, 1), paid=False)  # holds the master until 2022-06-01
    night(date(2021, 12, 1))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    cast.subscription(anna, date(2021, 12, 2))
    serve_notice(anna, collected=Collected.WEB)
    cast.told_at_a_sale(anna)
    assert not may_process(anna.pk, Use("G", "email")).allowed(date(2027, 1, 1))


def test_a_yes_from_before_the_no_does_not_lift_it() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    say_no(anna, at=cast.noon(date(2026, 3, 1)))
    slip = {"collected": Collected.SLIP, "evidence": "Talong 4711"}
    say_yes(anna, Use("H", "email"), at=cast.noon(date(2025, 12, 1)), **slip)  # type: ignore[arg-type]
    assert not may_process(anna.pk, Use("H", "email")).allowed(DAY)


def test_a_withdrawn_order_that_never_came_is_not_open() -> None:
    bo = cast.person("Bo", since=date(2025, 1, 1))
    order = cast.order(bo, date(2025, 1, 10))
    order.withdrawn_on = date(2025, 1, 12)
    order.save()
    records.refresh([bo.pk])
    assert "A" not in live_on(bo, DAY)
    order.refresh_from_db()
    assert order.retain_until == date(2028, 1, 12)


def test_an_invoice_without_a_due_day_is_a_debt_from_the_day_it_was_issued() -> None:
    anna = cast.person(since=date(2024, 1, 1))
    cast.invoice(anna, date(2024, 5, 1), paid=False, due_on=None)
    assert live_on(anna, DAY)["L2"] == date(2027, 5, 1)


def test_a_leap_day_child_is_of_age_on_the_first_of_march() -> None:
    anna = cast.person(birth_date=date(2008, 2, 29))
    cast.subscription(anna, date(2024, 1, 1))
    assert may_process(anna.pk, Use("H", "post")).opens == date(2026, 3, 1)


def test_somebody_registered_after_their_death_is_taken_up_by_the_next_night() -> None:
    anna = cast.person(since=date(2026, 3, 1), notice=False, deceased_on=date(2026, 2, 1))
    night(date(2026, 3, 2))
    assert not Customer.objects.filter(pk=anna.pk).exists()


@pytest.mark.parametrize("asked_first", [True, False])
def test_an_open_question_after_the_relation_hides_no_yes_and_no_no(asked_first: bool) -> None:
    anna = cast.person(since=date(2024, 1, 8))
    cast.subscription(anna, date(2024, 1, 8), today() - timedelta(days=100))
    survey = Use("C", "email")
    if asked_first:
        ask(anna, "Hur byter jag huvud?")
    say_yes(anna, survey, evidence=cast.SHOWN)
    assert records.refresh([anna.pk]) == 0
    assert may_process(anna.pk, survey).allowed(today())
    if not asked_first:
        ask(anna, "Hur byter jag huvud?")
    say_no(anna, survey)
    assert records.refresh([anna.pk]) == 0
