"""One person whose rows the database will not give up, among a thousand (F14)."""

from datetime import date

import pytest
from django.db import connection

from customers.models import AccessLog, Address, Customer
from customers.personal_data import Category
from retention.actions import execute, open_run
from retention.models import Receipt, Run, SetAside
from tests import cast
from tests.foresight import expect

NIGHT = date(2026, 11, 20)
OTHERS = 999

DUE = """
    INSERT INTO customers_customer (number, public_id, pseudonym, given_name, family_name, email,
        phone, language, protection, nix_phone, nix_post, restriction, source, collected,
        created_at, last_contact_on, version)
    SELECT 'K' || i, gen_random_uuid(), gen_random_uuid(), 'Due', 'Ek', 'due' || i || '@example.se',
           '', 'sv', '', FALSE, FALSE, '', 'person', 'web', now(), DATE '2019-01-01', 1
      FROM generate_series(1, %(people)s) AS i;
    INSERT INTO customers_address (customer_id, kind, street, postcode, city, country, source,
        collected, given_on)
    SELECT id, 'home', 'Gatan 1', '11122', 'Stockholm', 'SE', 'person', 'web', last_contact_on
      FROM customers_customer WHERE given_name = 'Due';
    INSERT INTO consent_processingrecord (customer_id, purpose, basis, since, retain_until,
        relation_ended_on)
    SELECT id, p, 'f', DATE '2019-01-01', DATE '2025-01-01', DATE '2022-01-01'
      FROM customers_customer, unnest(ARRAY['F', 'H']) AS p WHERE given_name = 'Due'
"""


@pytest.mark.breaks(4)
def test_one_failing_person_among_a_thousand_does_not_stop_the_rest(transactional_db: None) -> None:
    stuck = cast.person("Anna", since=date(2019, 1, 7))
    cast.subscription(stuck, date(2019, 1, 7), date(2021, 10, 1))
    stays = cast.person("Bosse", since=date(2026, 1, 7))
    cast.subscription(stays, date(2026, 1, 7))
    # An account that something which stays points at, as no act of ours leaves it.
    assert stuck.user is not None
    AccessLog.objects.create(customer=stays, actor=stuck.user, reason="case")
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"people": OTHERS})
    expect(NIGHT, OTHERS + 1)

    run = execute(open_run(NIGHT)[0])

    assert run.status == Run.Status.PARTIAL
    assert run.people == OTHERS
    assert set(Customer.objects.values_list("given_name", flat=True)) == {"Anna", "Bosse"}
    assert Address.objects.count() == 2
    for category in (Category.IDENTITY, Category.ADDRESS, Category.SHELL):
        assert Receipt.objects.filter(category=category).count() == OTHERS
    assert SetAside.objects.get().customer == stuck
    stuck.refresh_from_db()
    assert stuck.email == "anna@example.se"
