"""kill -9 in the middle of a night: finished after the restart, nothing twice, nothing lost."""

from datetime import date

import pytest
from django.db import connection
from django.db.models import Count

from customers.models import Address, Customer
from customers.personal_data import Category
from retention import tasks
from retention.actions import open_run
from retention.models import Receipt, Run
from tests.foresight import expect
from tests.houses import wait_until
from tests.workers import Broker, Worker

pytestmark = pytest.mark.house
NIGHT = date(2026, 11, 20)
PEOPLE = 20_000


def people_due() -> None:
    """Write people whose three years are over, and one whose are not."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO customers_customer (number, public_id, pseudonym, given_name, family_name,"
            " email, phone, language, protection, nix_phone, nix_post, restriction, source,"
            " collected, created_at, last_contact_on, version)"
            " SELECT 'K' || i, gen_random_uuid(), gen_random_uuid(), 'Anna', 'Ek',"
            " 'anna' || i || '@example.se', '', 'sv', '', FALSE, FALSE, '', 'person', 'web', now(),"
            " DATE '2019-01-01', 1 FROM generate_series(0, %s) AS i",
            [PEOPLE],
        )
        cursor.execute(
            "INSERT INTO customers_address (customer_id, kind, street, postcode, city, country,"
            " source, collected, given_on) SELECT id, 'home', 'Gatan 1', '11122', 'Stockholm',"
            " 'SE', 'person', 'web', last_contact_on FROM customers_customer"
        )
        cursor.execute(
            "INSERT INTO consent_processingrecord (customer_id, purpose, basis, since,"
            " retain_until, relation_ended_on) SELECT id, p, 'f', DATE '2019-01-01',"
            " CASE WHEN number = 'K0' THEN DATE '2029-01-01' ELSE DATE '2025-01-01' END,"
            " DATE '2022-01-01' FROM customers_customer, unnest(ARRAY['F', 'H']) AS p"
        )
    expect(NIGHT, PEOPLE)


def under_way() -> bool:
    return Receipt.objects.exists()


def done() -> bool:
    return Run.objects.get().status == Run.Status.DONE


def assert_finished_once() -> None:
    """Everybody due is gone, each with one receipt a category; who was not due is untouched."""
    assert Customer.objects.get().number == "K0"
    assert Address.objects.count() == 1
    twice = (
        Receipt.objects.values("customer_id", "category").annotate(n=Count("pk")).filter(n__gt=1)
    )
    assert not twice.exists()
    for category in (Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.SHELL):
        assert Receipt.objects.filter(category=category).count() == PEOPLE


def test_the_worker_is_killed_in_the_middle_of_a_purge(worker: Worker) -> None:
    people_due()
    open_run(NIGHT)
    worker.start(2)
    tasks.ring()
    wait_until(under_way, 30)
    worker.kill()
    assert not done(), "The worker was killed too late for the test to say anything."
    worker.start(2)
    tasks.ring()  # as the reconciler does every minute
    wait_until(done, 60)
    assert_finished_once()


def test_the_broker_is_killed_in_the_middle_of_a_purge(own_broker: Broker, worker: Worker) -> None:
    people_due()
    open_run(NIGHT)
    worker.start(2)
    tasks.ring()
    wait_until(under_way, 30)
    own_broker.kill()
    own_broker.start()
    worker.kill()
    worker.start(2)
    tasks.ring()
    wait_until(done, 60)
    assert_finished_once()
