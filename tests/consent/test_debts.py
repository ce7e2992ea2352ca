"""A debt runs three years from its last interruption, and holds the person as long (CLM-01)."""

from datetime import date, timedelta

import pytest
from django.db import DatabaseError, transaction

from consent.facts import FactError, interrupt_debt, issue_invoice, settle
from consent.models import ProcessingRecord
from customers.dates import today
from customers.models import Customer, DebtInterruption, Invoice
from retention.rules import calendar
from tests import cast

pytestmark = pytest.mark.django_db
Kind = DebtInterruption.Kind
AROSE = date(2024, 3, 31)


def owes(customer: Customer) -> date:
    return ProcessingRecord.objects.get(customer=customer, purpose="L2").retain_until


def debt() -> tuple[Customer, Invoice]:
    anna = cast.person(since=AROSE)
    return anna, cast.invoice(anna, AROSE, paid=False)


@pytest.mark.parametrize("kind", Kind.values)
def test_each_kind_starts_three_years_anew(kind: str) -> None:
    anna, invoice = debt()
    interrupt_debt(invoice, kind, date(2026, 2, 28), "Kravbrev")
    assert owes(anna) == date(2029, 2, 28)
    # An earlier one that is written down later takes nothing back.
    interrupt_debt(invoice, kind, date(2025, 1, 1), "Brev från kunden")
    assert owes(anna) == date(2029, 2, 28)
    assert calendar(anna)[0].until == date(2029, 2, 28)


def test_a_payment_in_part_is_an_interruption_and_payment_in_full_ends_the_debt() -> None:
    anna, invoice = debt()
    part = issue_invoice(
        anna, AROSE, [{"text": "Betalt", "quantity": 1, "ore": 4900}], kind="payment",
        refers_to=invoice,
    )  # fmt: skip
    assert owes(anna) == date(2027, 3, 31)
    assert part.refers_to == invoice
    interrupt_debt(invoice, Kind.CLAIMED, date(2026, 5, 5), "Kravbrev")
    assert owes(anna) == date(2029, 5, 5)
    issue_invoice(
        anna, AROSE, [{"text": "Betalt", "quantity": 1, "ore": 5000}], kind="payment",
        refers_to=invoice,
    )  # fmt: skip
    assert not ProcessingRecord.objects.filter(
        customer=anna, purpose="L2", retain_until__gte=today()
    ).exists()
    invoice.refresh_from_db()
    assert invoice.paid_on == AROSE


def test_a_later_payment_in_part_counts_from_its_day() -> None:
    anna, invoice = debt()
    cast.invoice(cast.person("Bo"), date(2025, 6, 30))  # the fiscal year
    issue_invoice(
        anna, date(2025, 6, 30), [{"text": "Betalt", "quantity": 1, "ore": 100}], kind="payment",
        refers_to=invoice,
    )  # fmt: skip
    assert owes(anna) == date(2028, 6, 30)


def test_a_verification_that_is_owed_outlives_the_bookkeeping_and_no_longer_than_the_debt() -> None:
    anna = cast.person(since=date(2014, 3, 3))
    invoice = cast.invoice(anna, date(2014, 3, 3), paid=False)
    for on in (date(2016, 6, 1), date(2019, 5, 31), date(2022, 5, 31), date(2025, 5, 31)):
        interrupt_debt(invoice, Kind.SUED, on, "T 1-16")
    assert invoice.retain_until == date(2028, 5, 31) == owes(anna)
    settle(invoice, date(2026, 1, 2))
    invoice.refresh_from_db()
    assert invoice.retain_until == date(2021, 12, 31)


def test_what_cannot_interrupt_is_refused() -> None:
    _, invoice = debt()
    for on, why in (
        (AROSE - timedelta(days=1), "was issued on"),
        (today() + timedelta(days=1), "future"),
    ):
        with pytest.raises(FactError, match=why):
            interrupt_debt(invoice, Kind.CLAIMED, on, "Kravbrev")
    settle(invoice, AROSE)
    with pytest.raises(FactError, match="Nothing is owed"):
        interrupt_debt(invoice, Kind.CLAIMED, AROSE, "Kravbrev")
    old = cast.invoice(cast.person("Bo", since=date(2018, 1, 1)), date(2018, 1, 1), paid=False)
    with pytest.raises(FactError, match="time-barred"):
        interrupt_debt(old, Kind.CLAIMED, date(2021, 1, 2), "Kravbrev")
    interrupt_debt(old, Kind.CLAIMED, date(2021, 1, 1), "Kravbrev")


def test_an_interruption_stays_as_written_and_as_long_as_its_invoice() -> None:
    _, invoice = debt()
    found = interrupt_debt(invoice, Kind.CLAIMED, AROSE, "Kravbrev")
    with pytest.raises(DatabaseError), transaction.atomic():
        DebtInterruption.objects.filter(pk=found.pk).update(words="Annat")
    with pytest.raises(DatabaseError), transaction.atomic():
        found.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(interrupted_on=date(2020, 1, 1))
