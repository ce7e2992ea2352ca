"""Finance writes down what starts the limitation of a debt anew (CLM-01)."""

from datetime import date, timedelta

import pytest
from django.test import Client

from consent.models import ProcessingRecord
from customers.dates import add_years, today
from customers.models import Customer, DebtInterruption, Invoice
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db
AROSE = date(2024, 3, 31)


def debtor() -> tuple[Customer, Invoice]:
    anna = cast.person(since=AROSE)
    return anna, cast.invoice(anna, AROSE, paid=False)


def page(anna: Customer) -> str:
    return f"/personal/customers/customer/{anna.pk}/skuld/"


def test_finance_writes_it_down_and_the_debt_lasts_three_years_more(
    erik: Client, desk: type[Desk]
) -> None:
    anna, invoice = debtor()
    desk.says_why(erik, anna)
    sent = {"invoice": invoice.pk, "kind": "claimed", "on": today().isoformat(), "words": "Krav 1"}
    assert "Klart." in erik.post(page(anna), sent, follow=True).content.decode()
    record = ProcessingRecord.objects.get(customer=anna, purpose="L2")
    assert record.retain_until == add_years(today(), 3)
    assert (
        "Krav 1" in erik.get(f"/personal/customers/invoice/{invoice.pk}/change/").content.decode()
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"on": (today() + timedelta(days=1)).isoformat()},
        {"on": "2024-03-30"},
        {"kind": "forgiven"},
        {"words": " "},
        {"invoice": "0"},
    ],
)
def test_finance_is_told_of_what_cannot_be(
    erik: Client, desk: type[Desk], wrong: dict[str, str]
) -> None:
    anna, invoice = debtor()
    desk.says_why(erik, anna)
    right = {"invoice": invoice.pk, "kind": "sued", "on": today().isoformat(), "words": "T 1-26"}
    assert erik.post(page(anna), {**right, **wrong}).status_code == 200
    assert not DebtInterruption.objects.exists()


def test_nobody_else_writes_it_and_nobody_without_a_reason(
    erik: Client, cecilia: Client, disa: Client, desk: type[Desk]
) -> None:
    anna, _ = debtor()
    cast.subscription(anna, AROSE)
    assert "/skal/" in erik.get(page(anna))["Location"]
    for client in (cecilia, disa):
        desk.says_why(client, anna)
        assert client.get(page(anna)).status_code == 403
