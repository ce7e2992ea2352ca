"""Campaigns of the tests: Cecilia writes, Carl approves, the register is washed."""

from datetime import date
from itertools import count
from typing import Any

import pytest
from django.db import connection

from consent.models import ProcessingRecord, Standing
from customers.dates import today
from customers.models import Customer, User
from marketing import actions
from marketing.models import Campaign
from tests import cast

SINCE = date(2024, 1, 1)


class Outreach:
    """What staff do, without the pages."""

    def __init__(self) -> None:
        self.cecilia = self.staff("cecilia.utskick@dentalclean.example")
        self.carl = self.staff("carl.utskick@dentalclean.example")

    @staticmethod
    def staff(email: str) -> User:
        return User.objects.create_user(email, is_staff=True)

    def draft(self, **fields: Any) -> Campaign:
        given = {
            "name": "Höstnytt",
            "purpose": "H",
            "channel": "email",
            "subject_sv": "Nya borsthuvuden",
            "body_sv": "Nu finns de i två hårdheter.",
            "subject_en": "New brush heads",
            "body_en": "They now come in two kinds.",
            **fields,
        }
        return actions.draft(Campaign(**given), self.cecilia)

    def approved(self, **fields: Any) -> Campaign:
        campaign = self.draft(**fields)
        return actions.approve(campaign.pk, self.carl, read=campaign.words_read)

    def started(self, **fields: Any) -> Campaign:
        return actions.start(self.approved(**fields).pk)


@pytest.fixture
def outreach(db: None) -> Outreach:
    return Outreach()


def customer(name: str, **fields: Any) -> Customer:
    person = cast.person(name, **fields)
    cast.subscription(person, min(SINCE, today()))
    return person


_serial = count()


def crowd(like: Customer, size: int) -> list[Customer]:
    """Make many people about whom the gate knows the same as about one."""
    people = Customer.objects.bulk_create(
        Customer(
            given_name="Person",
            family_name=str(number),
            email=f"person{number}@example.se",
            adult_confirmed_on=like.adult_confirmed_on,
            noticed_on=like.noticed_on,
            last_contact_on=like.last_contact_on,
            nix_phone=like.nix_phone,
            nix_post=like.nix_post,
        )
        for number in (next(_serial) for _ in range(size))
    )
    for model in (ProcessingRecord, Standing):
        columns = [f.attname for f in model._meta.concrete_fields if not f.primary_key]
        rows = list(model.objects.filter(customer=like).values(*columns))
        model.objects.bulk_create(
            model(**{**row, "customer_id": person.pk}) for person in people for row in rows
        )
    with connection.cursor() as cursor:  # as the database does by itself, once rows are committed
        cursor.execute("ANALYZE customers_customer, consent_processingrecord, consent_standing")
    return people
