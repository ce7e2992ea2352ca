"""Purchases and verifications: what the database itself refuses."""

from datetime import date

import pytest
from django.db import IntegrityError, InternalError, connection, transaction
from django.db.models import ProtectedError

from consent import facts
from consent.facts import FactError
from customers.models import FiscalYear, Invoice, InvoiceSeries, Subscription
from tests import cast

pytestmark = pytest.mark.django_db


def test_two_subscriptions_of_one_product_cannot_overlap() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1), date(2024, 6, 30))
    cast.subscription(anna, date(2024, 7, 1))
    with pytest.raises(IntegrityError), transaction.atomic():
        cast.subscription(anna, date(2024, 6, 30), date(2024, 6, 30))
    with pytest.raises(IntegrityError), transaction.atomic():
        Subscription.objects.update(ended_on=date(2020, 1, 1))


def test_an_end_before_the_start_is_refused_with_a_sentence() -> None:
    subscription = cast.subscription(cast.person(), date(2024, 1, 1))
    with pytest.raises(FactError, match="later day"):
        facts.end_subscription(subscription, date(2023, 1, 1))


def test_an_order_in_the_future_is_refused() -> None:
    with pytest.raises(FactError, match="future"):
        facts.place_order(cast.person(), cast.product(), "O1", date(2100, 1, 1))


def test_invoice_numbers_have_no_gap_even_when_one_fails() -> None:
    anna = cast.person()
    FiscalYear.objects.create(starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31))
    line = facts.InvoiceLine(text="Borsthuvud", quantity=1, ore=9900)
    first = facts.issue_invoice(anna, date(2024, 2, 1), [line])
    with pytest.raises(FactError, match="fiscal year"):
        facts.issue_invoice(anna, date(2031, 2, 1), [line])
    second = facts.issue_invoice(anna, date(2024, 3, 1), [line])
    assert (first.number, second.number) == (1, 2)
    assert InvoiceSeries.objects.get().last_number == 2


@pytest.mark.parametrize(
    "change",
    [
        {"buyer_name": "Någon annan"},
        {"total_ore": 1},
        {"lines": []},
        {"number": 99},
        {"issued_on": date(2020, 1, 1)},
    ],
)
def test_an_issued_invoice_cannot_be_changed(change: dict[str, object]) -> None:
    invoice = cast.invoice(cast.person(), date(2026, 2, 1))
    with pytest.raises(InternalError, match="credit note"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(**change)


def test_an_invoice_cannot_be_given_to_somebody_else() -> None:
    invoice, bo = cast.invoice(cast.person(), date(2026, 2, 1)), cast.person("Bo")
    with pytest.raises(InternalError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(customer=bo)


@pytest.mark.breaks(1)
def test_an_invoice_cannot_be_deleted_before_its_date() -> None:
    kept = cast.invoice(cast.person(), date(2026, 2, 1))
    with pytest.raises(InternalError, match="BFL-01"), transaction.atomic():
        Invoice.objects.filter(pk=kept.pk).delete()
    over = cast.invoice(cast.person("Bo"), date(2010, 2, 1))
    Invoice.objects.filter(pk=over.pk).delete()
    assert Invoice.objects.count() == 1


def test_a_credit_note_moves_both_to_the_later_day() -> None:
    anna = cast.person()
    FiscalYear.objects.create(starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31))
    FiscalYear.objects.create(starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    line = facts.InvoiceLine(text="Borsthuvud", quantity=1, ore=9900)
    invoice = facts.issue_invoice(anna, date(2024, 12, 20), [line])
    facts.issue_invoice(
        anna, date(2025, 1, 8), [line], kind=Invoice.Kind.CREDIT_NOTE, refers_to=invoice
    )
    assert {i.retain_until for i in Invoice.objects.all()} == {date(2032, 12, 31)}


@pytest.mark.parametrize(
    ("starts_on", "ends_on"),
    [
        (date(2024, 1, 1), date(2025, 7, 1)),
        (date(2024, 6, 1), date(2024, 5, 1)),
        (date(2023, 6, 1), date(2024, 1, 15)),
    ],
)
def test_a_fiscal_year_too_long_backwards_or_twice_is_refused(
    starts_on: date, ends_on: date
) -> None:
    FiscalYear.objects.create(starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31))
    with pytest.raises(IntegrityError), transaction.atomic():
        FiscalYear.objects.create(starts_on=starts_on, ends_on=ends_on)


def test_days_of_no_fiscal_year_are_known_and_nothing_is_booked_on_them() -> None:
    """An extended year, a gap, a short year, and a year that nobody has entered yet."""
    FiscalYear.objects.create(starts_on=date(2023, 7, 1), ends_on=date(2024, 12, 31))
    FiscalYear.objects.create(starts_on=date(2025, 2, 1), ends_on=date(2025, 8, 31))
    assert FiscalYear.gaps(date(2025, 9, 10)) == [
        (date(2025, 1, 1), date(2025, 1, 31)),
        (date(2025, 9, 1), date(2025, 9, 10)),
    ]
    line = facts.InvoiceLine(text="Borsthuvud", quantity=1, ore=9900)
    with pytest.raises(facts.FactError, match="No fiscal year covers"):
        facts.issue_invoice(cast.person(), date(2025, 1, 15), [line])


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "until"),
    [
        (date(2023, 7, 1), date(2024, 12, 31), date(2031, 12, 31)),  # extended to 18 months
        (date(2024, 1, 1), date(2024, 4, 30), date(2031, 12, 31)),  # shortened
        (date(2023, 9, 1), date(2024, 8, 31), date(2031, 12, 31)),  # broken
    ],
)
def test_an_invoice_stays_by_the_year_its_fiscal_year_closed_in(
    starts_on: date, ends_on: date, until: date
) -> None:
    FiscalYear.objects.create(starts_on=starts_on, ends_on=ends_on)
    line = facts.InvoiceLine(text="Borsthuvud", quantity=1, ore=9900)
    invoice = facts.issue_invoice(cast.person(), date(2024, 2, 1), [line])
    invoice.refresh_from_db()
    assert invoice.retain_until == until


def test_a_year_that_invoices_answer_to_is_never_taken_away() -> None:
    invoice = cast.invoice(cast.person(), date(2024, 2, 1))
    year = FiscalYear.objects.get(ends_on=invoice.fiscal_year_id)
    with pytest.raises(ProtectedError):
        year.delete()
    # Nor by hand: the database asks at the end of the transaction.
    FiscalYear.objects.filter(pk=year.pk)._raw_delete("default")  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError), transaction.atomic():
        connection.check_constraints()
    FiscalYear.objects.create(pk=year.pk, starts_on=year.starts_on, ends_on=year.ends_on)
