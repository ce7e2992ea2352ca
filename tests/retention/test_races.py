"""Who comes at the same time as the night: other purges, and people who come back."""

import random
import threading
import time
from collections.abc import Callable
from datetime import date

import pytest
from django.db import connection

from consent import records
from consent.facts import FactError, subscribe
from consent.models import ProcessingRecord
from customers.dates import FAR, today
from customers.models import Address, Customer, FiscalYear, Invoice, Product, Subscription, User
from retention import actions, plans
from retention.actions import execute, open_run, purge_people
from retention.models import Receipt, Run
from tests import cast, expected, foresight
from tests.histories import NIGHTS, Pen
from tests.history_tables import World

pytestmark = pytest.mark.django_db(transaction=True)
PURGES, PEOPLE = 5, 500
RACES = 200
ERASED = "The person's details have been erased; register them anew."


def at_once(*acts: Callable[[], object]) -> list[Exception]:
    """Do acts in threads with a connection each, from the same moment on; return what failed."""
    failed: list[Exception] = []
    together = threading.Barrier(len(acts))

    def do(act: Callable[[], object]) -> None:
        try:
            together.wait(30)
            act()
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return failed


def test_five_purges_at_once_leave_what_one_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "FIRST_BATCH", 20)
    monkeypatch.setattr(actions, "SMALLEST_BATCH", 5)
    monkeypatch.setattr(actions, "LARGEST_BATCH", 20)
    on = NIGHTS[-1]
    world = World(Pen(seed=5).lives(PEOPLE))
    world.lay()
    world.bring_to(on)
    must = expected.left(world, on)
    planned = plans.make(on)
    foresight.expect(on, PEOPLE)
    run, _ = open_run(on)
    assert at_once(*[lambda: execute(run)] * PURGES) == []
    execute(run)  # whom the last of them waited for
    run.refresh_from_db()
    assert run.status == Run.Status.DONE
    assert expected.differences(must, world.look()) == []
    # The receipts sum up to the plan, so each is there once.
    assert plans.done(run).hash == planned.hash
    assert run.people == planned.people > PEOPLE // 2


def leavers(number: int) -> list[Customer]:
    """Make people who are due tonight: of every second one an invoice stays."""
    since, ended = date(2019, 1, 7), date(2022, 10, 1)
    cast.product()
    accounts = User.objects.bulk_create(
        User(email=f"p{n}@example.se", password="!") for n in range(number)
    )
    people = Customer.objects.bulk_create(
        Customer(
            given_name="Anna",
            family_name=f"Ek{n}",
            email=f"p{n}@example.se",
            user=account,
            adult_confirmed_on=since,
            last_contact_on=since,
        )
        for n, account in enumerate(accounts)
    )
    Address.objects.bulk_create(
        Address(customer=c, street="Björkgatan 4", postcode="58222", city="Ort", given_on=since)
        for c in people
    )
    Subscription.objects.bulk_create(
        Subscription(
            customer=c, product=cast.product(), started_on=since, ended_on=ended, collected="web"
        )
        for c in people
    )
    year, _ = FiscalYear.objects.get_or_create(
        starts_on=date(2022, 1, 1), ends_on=date(2022, 12, 31)
    )
    Invoice.objects.bulk_create(
        Invoice(
            number=n,
            customer=c,
            fiscal_year=year,
            issued_on=ended,
            paid_on=ended,
            buyer_number=c.number,
            buyer_name=c.name,
            buyer_address="",
            total_ore=100,
            vat_ore=20,
        )
        for n, c in enumerate(people[::2], start=1)
    )
    records.refresh([c.pk for c in people])
    return people


@pytest.mark.breaks(1)  # the series of numbers is not asked for
def test_who_comes_back_while_the_night_is_at_work_is_whole_or_gone() -> None:
    people = leavers(RACES)
    run, _ = open_run(today())
    product = Product.objects.get()
    waits = random.Random(7)
    told: dict[int, str] = {}
    together = threading.Barrier(2)

    def the_night() -> None:
        for number, customer in enumerate(people):
            together.wait(30)
            time.sleep(0.004 if number % 4 == 0 else waits.random() / 500)
            purge_people(run, [customer.pk], wait=True)

    def they_come_back() -> None:
        for number, customer in enumerate(people):
            together.wait(30)
            time.sleep(0.004 if number % 4 == 1 else 0)
            try:
                subscribe(customer, product, today())
            except FactError as error:
                told[customer.pk] = str(error)

    assert at_once(the_night, they_come_back) == []
    for customer in people:
        if customer.pk in told:
            _is_gone(customer)
        else:
            _is_whole(customer)
    assert set(told.values()) == {ERASED}
    # Both came first often enough to say something.
    assert 20 < len(told) < RACES - 20


def _is_gone(customer: Customer) -> None:
    left = Customer.objects.filter(pk=customer.pk).first()
    assert (left is not None) == customer.invoices.exists()
    if left is not None:
        assert (left.name, left.email, left.user_id) == ("", "", None)
    assert not Address.objects.filter(customer_id=customer.pk).exists()
    assert not Subscription.objects.filter(customer_id=customer.pk).exists()
    assert not User.objects.filter(pk=customer.user_id).exists()
    assert Receipt.objects.filter(customer_id=customer.pseudonym, category=1).count() == 1


def _is_whole(customer: Customer) -> None:
    found = Customer.objects.get(pk=customer.pk)
    assert (found.name, found.email) == (customer.name, customer.email)
    assert found.user_id == customer.user_id
    assert found.addresses.count() == 1
    assert found.subscriptions.filter(ended_on=None).count() == 1
    live = ProcessingRecord.objects.filter(customer=found, ended_on=None, retain_until=FAR)
    assert {"A", "B", "K", "H"} <= set(live.values_list("purpose", flat=True))
    # What it lost, if anything, is the subscription that ended four years ago.
    lost = Receipt.objects.filter(customer_id=found.pseudonym).values_list("rule", flat=True)
    assert set(lost) <= {"CLM-02"}
