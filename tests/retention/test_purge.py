"""The night: what goes, what stays, and the proof of it."""

from datetime import date, timedelta

import pytest

from consent.actions import append, restrict, say_no
from consent.models import Authority, Event, ProcessingRecord
from customers.models import (
    Address,
    Customer,
    Invoice,
    Order,
    Subscription,
    Suppression,
    User,
)
from customers.models.channels import Collected
from customers.personal_data import Category
from retention.actions import RunRefusedError, execute, open_run
from retention.models import Hold, Receipt, Run
from retention.rules import calendar, plan
from tests import cast, past

pytestmark = pytest.mark.django_db


def night(day: date) -> Run:
    run, _ = open_run(day)
    return execute(run)


def test_three_years_after_the_end_name_and_address_are_gone_the_next_night() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    night(date(2025, 10, 1))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    night(date(2025, 10, 2))
    left = Customer.objects.get(pk=anna.pk)
    assert (left.name, left.email, left.phone, left.user_id) == ("", "", "", None)
    assert not Address.objects.filter(customer=anna).exists()
    assert not User.objects.filter(email="anna@example.se").exists()
    assert not Subscription.objects.filter(customer=anna).exists()


def test_a_person_with_nothing_left_disappears_wholly() -> None:
    anna = cast.person(since=date(2010, 1, 7))
    cast.subscription(anna, date(2010, 1, 7), date(2012, 10, 1))
    night(date(2026, 11, 1))
    assert not Customer.objects.filter(pk=anna.pk).exists()
    assert Receipt.objects.filter(category=Category.SHELL).count() == 1


def test_invoices_stay_to_the_day_the_bookkeeping_act_says() -> None:
    anna = cast.person(since=date(2017, 1, 7))
    cast.subscription(anna, date(2017, 1, 7), date(2018, 12, 1))
    cast.invoice(anna, date(2018, 12, 1))
    night(date(2025, 12, 31))
    assert Invoice.objects.filter(customer=anna).count() == 1
    night(date(2026, 1, 1))
    assert Invoice.objects.filter(customer=anna).count() == 0


def test_the_plan_shows_what_the_night_does() -> None:
    anna = cast.person(since=date(2015, 1, 7))
    cast.subscription(anna, date(2015, 1, 7), date(2022, 10, 1))
    cast.order(anna, date(2022, 1, 7), date(2022, 1, 9))
    cast.invoice(anna, date(2016, 12, 1))
    on = date(2025, 10, 2)
    planned = sorted((line.category, line.rows) for line in plan(on))
    night(on)
    done = sorted(Receipt.objects.values_list("category", "row_count"))
    assert planned == done  # the same statement, two verbs
    assert list(plan(on)) == []


def test_an_objection_after_the_end_takes_the_details_the_night_after() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 1, 31))
    said_no = date(2026, 3, 5)
    say_no(anna, at=cast.noon(said_no))
    night(said_no)
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    night(said_no + timedelta(days=1))
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert set(Suppression.objects.values_list("kind", flat=True)) == {"email", "phone", "address"}


def test_a_customer_loses_nothing_but_old_orders() -> None:
    anna = cast.person(since=date(2015, 1, 7))
    cast.subscription(anna, date(2015, 1, 7))
    cast.order(anna, date(2018, 1, 7), date(2018, 1, 9))
    night(date(2026, 11, 1))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    assert not Order.objects.exists()


def test_a_night_to_come_is_refused() -> None:
    with pytest.raises(RunRefusedError):
        open_run(date(2100, 1, 1))


def test_a_second_run_of_a_night_changes_nothing() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    night(date(2025, 10, 2))
    before = list(Receipt.objects.order_by("pk").values())
    night(date(2025, 10, 2))
    assert list(Receipt.objects.order_by("pk").values()) == before


def test_the_calendar_tells_the_last_day_of_everything() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 6, 30))
    cast.invoice(anna, date(2025, 12, 1))
    entries = {entry.category: entry for entry in calendar(anna)}
    assert entries[Category.IDENTITY].until == date(2029, 6, 30)
    assert entries[Category.PURCHASES].until == date(2029, 6, 30)
    assert entries[Category.INVOICES].until == date(2032, 12, 31)
    assert entries[Category.PROOF].until == date(2032, 6, 30)
    assert entries[Category.SHELL].until == date(2032, 12, 31)


def test_what_a_hold_put_off_goes_the_night_after_it_is_lifted() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    hold = Hold.objects.create(customer=anna, ground=Hold.Ground.DISPUTE)
    night(date(2025, 10, 2))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    hold.lifted_at = cast.noon(date(2025, 11, 1))
    hold.save()
    night(date(2025, 11, 2))
    assert Customer.objects.get(pk=anna.pk).name == ""


def test_what_a_restriction_put_off_goes_when_it_is_lifted() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    restrict(anna, "a", at=cast.noon(date(2025, 9, 1)))
    night(date(2025, 10, 2))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    with past.no_notice():
        append(anna, Event.Kind.UNRESTRICTED, collected=Collected.PORTAL, authority=Authority.STAFF)
    night(date(2025, 11, 2))
    assert Customer.objects.get(pk=anna.pk).name == ""


def test_a_death_ends_marketing_and_takes_the_details_when_nothing_else_holds_them() -> None:
    """RUL-29."""
    anna = cast.person(since=date(2019, 1, 7), deceased_on=date(2026, 2, 14))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 1, 31))
    ends = dict(
        ProcessingRecord.objects.filter(customer=anna).values_list("purpose", "retain_until")
    )
    assert {code: ends[code] for code in ("F", "H", "I")} == dict.fromkeys(
        ("F", "H", "I"), date(2026, 2, 14)
    )
    night(date(2026, 2, 14))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    night(date(2026, 2, 15))
    assert Customer.objects.get(pk=anna.pk).name == ""
