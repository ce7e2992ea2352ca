"""Facts: what can be, what cannot, and that no purpose is left behind by the fact it rests on."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connection, transaction

from consent import facts
from consent.actions import restrict
from consent.facts import FactError
from consent.models import ProcessingRecord
from customers.actions import StaleError, change_details, set_national_id
from customers.dates import add_months, today
from customers.models import Change, Customer, Invoice
from dentalclean.actions import change_own_details
from retention.actions import execute, open_run
from tests import cast

pytestmark = pytest.mark.django_db
LINE: list[facts.InvoiceLine] = [{"text": "Borsthuvud", "quantity": 1, "ore": 9900}]


def last_day(customer: Customer, purpose: str) -> date:
    return ProcessingRecord.objects.get(customer=customer, purpose=purpose).retain_until


def erased() -> Customer:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    execute(open_run(date(2026, 11, 20))[0])
    return Customer.objects.get(pk=anna.pk)


def test_who_was_purged_does_not_come_back_as_a_nameless_subscriber() -> None:
    anna = erased()
    assert anna.name == ""
    for act in (
        lambda: facts.subscribe(anna, cast.product(), today()),
        lambda: facts.place_order(anna, cast.product(), "O1", today()),
        lambda: facts.ask(anna, "Hej"),
    ):
        with pytest.raises(FactError):
            act()
    with pytest.raises(StaleError):
        change_details(anna, {"phone": "+46701740636"})


def test_a_prospect_who_corrects_their_details_is_in_contact() -> None:
    anna = cast.person(since=today() - timedelta(days=300))
    change_own_details(anna, {"phone": "+46701740636"})
    assert last_day(anna, "H") == add_months(today(), 12)


def test_the_national_id_goes_thirty_days_after_it_was_used() -> None:
    anna = cast.person()
    facts.use_national_id(anna, "199006022397")
    assert last_day(anna, "A2") == today() + timedelta(days=30)


def test_a_number_that_tells_of_a_minor_wins_over_a_confirmation() -> None:
    anna = cast.person()
    set_national_id(anna, "201701122382")
    anna.refresh_from_db()
    assert anna.birth_date == date(2017, 1, 12)


def test_of_a_protected_person_no_old_value_is_kept() -> None:
    anna = cast.person(protection="secrecy")
    assert change_details(anna, {"phone": "+46701740636"})
    assert not Change.objects.exists()


def test_a_verification_refers_to_an_invoice_of_the_same_person_and_to_no_other() -> None:
    anna, bo = cast.person("Anna"), cast.person("Bo")
    first = cast.invoice(anna, date(2023, 5, 1))
    cast.invoice(anna, date(2025, 5, 1))
    credit = facts.issue_invoice(
        anna, date(2023, 6, 1), LINE, kind=Invoice.Kind.CREDIT_NOTE, refers_to=first
    )
    for customer, refers_to in ((bo, first), (anna, credit)):
        with pytest.raises(FactError):
            facts.issue_invoice(customer, date(2025, 6, 1), LINE, refers_to=refers_to)
    facts.issue_invoice(anna, date(2025, 6, 1), LINE, kind="payment", refers_to=first)
    # From a copy read before: the linked year never moves back.
    stale = Invoice.objects.get(pk=first.pk)
    stale.linked_year = None
    facts.issue_invoice(anna, date(2023, 7, 1), LINE, kind="payment", refers_to=stale)
    assert Invoice.objects.get(pk=first.pk).retain_until == date(2032, 12, 31)


def test_a_credited_invoice_is_no_debt() -> None:
    anna = cast.person(since=date(2024, 1, 1))
    first = cast.invoice(anna, date(2026, 5, 1), paid=False)
    credit = Invoice.Kind.CREDIT_NOTE
    half: list[facts.InvoiceLine] = [{"text": "Borsthuvud", "quantity": 1, "ore": -5000}]
    rest: list[facts.InvoiceLine] = [{"text": "Borsthuvud", "quantity": 1, "ore": -4900}]
    facts.issue_invoice(anna, date(2026, 6, 1), half, kind=credit, refers_to=first)
    assert last_day(anna, "L2") == date(2029, 5, 1)
    facts.issue_invoice(anna, date(2026, 6, 2), rest, kind=credit, refers_to=first)
    assert last_day(anna, "L2") < today()


@pytest.mark.parametrize("day", [date(2024, 12, 31), date(2100, 1, 1)])
def test_an_order_is_not_delivered_or_cancelled_on_a_day_that_cannot_be(day: date) -> None:
    order = cast.order(cast.person(), date(2025, 1, 1))
    for act in (facts.deliver, facts.cancel):
        with pytest.raises(FactError):
            act(order, day)


def test_a_cancelled_order_is_not_delivered() -> None:
    order = facts.cancel(cast.order(cast.person(), date(2025, 1, 1)), date(2025, 1, 2))
    with pytest.raises(FactError):
        facts.deliver(order, date(2025, 1, 3))


def test_the_own_limit_never_takes_the_place_of_one_that_asks_for_notice() -> None:
    anna = cast.person()
    restrict(anna, "a")
    restrict(anna)
    anna.refresh_from_db()
    assert anna.restriction == "a"


def test_two_facts_at_once_are_both_in_the_projection(transactional_db: None) -> None:
    anna = cast.person(since=date(2024, 1, 1))
    invoice = cast.invoice(anna, date(2026, 5, 1), paid=False)
    other = Invoice.objects.get(pk=cast.invoice(anna, date(2026, 6, 1), paid=False).pk)

    def settle_other() -> None:
        facts.settle(other, date(2026, 6, 2))
        connection.close()

    with transaction.atomic():
        facts.settle(invoice, date(2026, 6, 2))
        thread = threading.Thread(target=settle_other)
        thread.start()
        thread.join(0.5)
    thread.join()
    assert last_day(anna, "L2") < today()
