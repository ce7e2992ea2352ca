"""The one door out: who is handed over, what of them, and that each has a row."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from consent.actions import restrict, say_no
from consent.models import Standing
from customers.actions import set_national_id
from customers.dates import add_months, today
from customers.models import Customer
from customers.models.channels import Channel
from customers.personal_data import Category
from disclosures.agreements import NoAgreementError
from disclosures.handing import NotDisclosedError, disclose
from disclosures.models import Agreement, Disclosure, Recipient
from retention import statements
from tests import recipients

pytestmark = pytest.mark.django_db


@pytest.fixture
def printer() -> Recipient:
    return recipients.signed()


@pytest.fixture
def partner() -> Recipient:
    return recipients.signed("Tandtips", "partner", task="säljer tandtråd")


def test_what_is_handed_over_has_its_row(printer: Recipient) -> None:
    anna = recipients.customer("Anna")
    outcome = disclose([anna], printer, "A")
    (handed,) = outcome.handed
    (row,) = Disclosure.objects.all()
    assert handed.number == anna.number
    assert handed.fields["given_name"] == "Anna"
    assert list(handed.fields) == row.fields
    assert (row.customer, row.recipient, row.purpose, row.basis) == (anna, printer, "A", "c")
    assert row.categories == int(recipients.MASTER)
    assert (row.country, row.safeguard, row.agreement) == ("SE", "", Agreement.objects.get())
    assert row.retain_until == add_months(today(), 36)


def test_only_the_kinds_it_may_get_leave() -> None:
    carrier = recipients.signed("Paketbud", categories=int(Category.IDENTITY | Category.CONTACT))
    (handed,) = disclose([recipients.customer()], carrier, "A").handed
    assert set(handed.fields) == {"given_name", "family_name", "email", "phone"}


def test_a_purpose_the_recipient_has_not_is_refused(printer: Recipient) -> None:
    anna = recipients.customer()
    for purpose in ("H", "P", "X", ""):
        with pytest.raises(NotDisclosedError):
            disclose([anna], printer, purpose)
    assert not Disclosure.objects.exists()


def test_an_agreement_that_has_ended_refuses_everybody(printer: Recipient) -> None:
    Agreement.objects.update(valid_until=today() - timedelta(days=1))
    with pytest.raises(NoAgreementError):
        disclose([recipients.customer()], printer, "A")
    assert not Disclosure.objects.exists()


def test_the_identity_number_leaves_for_a_purchase_on_credit_only() -> None:
    kinds = int(Category.IDENTITY | Category.NATIONAL_ID)
    bureau = recipients.signed("Fakturan", "controller", purposes=["A", "A2"], categories=kinds)
    anna = recipients.customer()
    set_national_id(anna, "199006022397")
    (for_delivery,) = disclose([anna], bureau, "A").handed
    assert "national_id" not in for_delivery.fields
    credit = disclose([anna], bureau, "A2")
    if credit.handed:  # where the gate says so
        assert credit.handed[0].fields["national_id"] == "199006022397"
    row = Disclosure.objects.get(purpose="A")
    with pytest.raises(IntegrityError), transaction.atomic():
        Disclosure.objects.create(
            customer=anna, recipient=bureau, purpose="A", basis="c", categories=row.categories,
            fields=["national_id"], country="SE",
        )  # fmt: skip


def test_a_partner_gets_whom_said_yes_and_only_what_the_way_needs(partner: Recipient) -> None:
    anna, bo = recipients.customer("Anna"), recipients.customer("Bo")
    recipients.partner_yes(anna, partner)
    outcome = disclose([anna, bo], partner, "P", channel=Channel.EMAIL)
    (handed,) = outcome.handed
    assert handed.fields == {
        "given_name": "Anna",
        "family_name": "Ek",
        "email": "anna@example.se",
    }
    assert list(outcome.left_out) == [bo.pk]
    row = Disclosure.objects.get()
    assert row.basis == "s"
    assert row.event_id == Standing.objects.get(customer=anna, third_party="Tandtips").event_id
    assert not disclose([anna], partner, "P", channel=Channel.SMS).handed
    with pytest.raises(NotDisclosedError):
        disclose([anna], partner, "P")


@pytest.mark.parametrize(
    "state",
    [
        {"protection": "secrecy"},
        {"protection": "registration"},
        {"birth_date": date(2011, 1, 1), "adult_confirmed_on": None},
        {"adult_confirmed_on": None},
        {"deceased_on": date(2026, 1, 1)},
    ],
)
def test_a_partner_gets_nobody_protected_young_or_dead(
    state: dict[str, Any], partner: Recipient
) -> None:
    anna = recipients.customer()
    recipients.partner_yes(anna, partner)
    assert disclose([anna], partner, "P", channel=Channel.EMAIL).handed
    Customer.objects.filter(pk=anna.pk).update(**state)
    # A subscription counts as the confirmation of age (RUL-03).
    if state == {"adult_confirmed_on": None}:
        anna.subscriptions.all().delete()
    again = disclose([anna], partner, "P", channel=Channel.EMAIL)
    assert not again.handed
    assert again.left_out[anna.pk]


def test_a_partner_gets_nobody_who_said_no_or_is_restricted(partner: Recipient) -> None:
    anna, bo = recipients.customer("Anna"), recipients.customer("Bo")
    for person in (anna, bo):
        recipients.partner_yes(person, partner)
    say_no(anna)
    restrict(bo)
    assert not disclose([anna, bo], partner, "P", channel=Channel.EMAIL).handed


def test_a_protected_person_is_in_no_file_to_anybody(printer: Recipient) -> None:
    anna = recipients.customer(protection="secrecy")
    assert not disclose([anna], printer, "A").handed


def test_an_authority_gets_what_the_law_demands() -> None:
    tax = recipients.recipient("Skatteverket", "authority", purposes=["L"])
    anna = recipients.customer(protection="secrecy")
    assert disclose([anna], tax, "L").handed
    assert Disclosure.objects.get().basis == "l"


def test_a_transaction_that_fails_leaves_no_row(printer: Recipient) -> None:
    with transaction.atomic():
        assert disclose([recipients.customer()], printer, "A").handed
        transaction.set_rollback(True)
    assert not Disclosure.objects.exists()


def test_a_row_is_never_changed_and_leaves_after_its_day(printer: Recipient) -> None:
    recipients.printed(recipients.customer(), printer)
    row = Disclosure.objects.get()
    with pytest.raises(DatabaseError), transaction.atomic():
        Disclosure.objects.update(purpose="B")
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()


def test_old_rows_wait_for_the_name_to_go_and_not_for_the_invoices(printer: Recipient) -> None:
    """RUL-21: three years, longer while the master lives."""
    anna, bo = recipients.customer("Anna"), recipients.customer("Bo")
    long_ago = timezone.now() - timedelta(days=4 * 366)
    for person in (anna, bo):
        recipients.printed(person, printer, long_ago)
    recipients.printed(bo, printer)
    Customer.objects.filter(pk=bo.pk).update(given_name="", family_name="")  # a shell is left
    (sweep,) = [s for table, s in statements.ownerless_sql() if table == "disclosures_disclosure"]
    with connection.cursor() as cursor:
        cursor.execute(sweep, {"on": today(), "most": 10, "now": timezone.now()})
    left = set(Disclosure.objects.values_list("customer__given_name", "at__year"))
    assert left == {("Anna", long_ago.year), ("", timezone.now().year)}
