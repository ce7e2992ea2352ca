"""The first page of staff: what is wrong today, and three tables."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from customers.dates import today
from customers.models import Customer
from disclosures.models import Outbox
from privacy_requests.models import Case
from retention.models import Run
from tests import cast

pytestmark = pytest.mark.django_db


def case(customer: Customer, days_left: int) -> Case:
    return Case.objects.create(
        customer=customer,
        right="access",
        collected="portal",
        received_on=today() - timedelta(days=30),
        nominal_on=today(),
        latest_on=today() + timedelta(days=days_left),
        target_on=today(),
    )


def dead(customer: Customer) -> Outbox:
    return Outbox.objects.create(
        customer=customer,
        template="extract_ready",
        recipient=customer.email,
        status=Outbox.Status.DEAD,
        finished_at=timezone.now(),
    )


def test_a_calm_day_is_said_to_be_calm(disa: Client) -> None:
    Run.objects.create(business_date=today(), status=Run.Status.DONE)
    text = disa.get("/personal/").content.decode()
    assert "Allt är i ordning." in text
    assert "Inget ärende är öppet." in text
    assert "Alla meddelanden har gått iväg." in text


@pytest.mark.breaks(8)
def test_what_is_wrong_is_said_in_one_breath_and_linked(disa: Client) -> None:
    late, due = cast.person("Anna"), cast.person("Björn", email="bjorn@example.se")
    first, second = case(late, -2), case(due, 0)
    message = dead(late)
    run = Run.objects.create(business_date=today(), status=Run.Status.STOPPED)
    text = disa.get("/personal/").content.decode()
    for told in (
        "Ett ärende är försenat.",
        "Ett ärende ska vara klart i dag.",
        "är stoppad och väntar på beslut.",
        "Ett meddelande kunde inte skickas.",
        "Försenat två dagar",
        f"/personal/privacy_requests/case/{first.pk}/change/",
        f"/personal/privacy_requests/case/{second.pk}/change/",
        f"/personal/retention/run/{run.pk}/change/",
        f"/personal/disclosures/outbox/{message.pk}/change/",
    ):
        assert told in text
    assert "Anna" not in text
    assert text.index(late.number) < text.index(due.number)


def test_a_night_that_did_not_come_is_noticed(disa: Client) -> None:
    Run.objects.create(business_date=today() - timedelta(days=3), status=Run.Status.DONE)
    assert "Ingen gallring har körts sedan" in disa.get("/personal/").content.decode()


def test_each_role_sees_its_own_part(cecilia: Client, erik: Client, olle: Client) -> None:
    cases, runs = "Ärenden efter sista dag", "Senaste körningarna"
    assert [word in cecilia.get("/personal/").content.decode() for word in (cases, runs)] == [1, 0]
    assert [word in olle.get("/personal/").content.decode() for word in (cases, runs)] == [0, 1]
    assert [word in erik.get("/personal/").content.decode() for word in (cases, runs)] == [0, 0]


def test_staff_without_a_role_are_told_whom_to_ask(client: Client) -> None:
    user = cast.User.objects.create_user("ny@dentalclean.example", is_staff=True)
    client.force_login(user)
    assert "ingen roll än" in client.get("/personal/").content.decode()


def test_the_page_asks_little_however_much_there_is(
    disa: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(6):
        person = cast.person(f"P{n}", email=f"p{n}@example.se", notice=False)
        case(person, n)
        dead(person)
    with django_assert_max_num_queries(17):
        disa.get("/personal/")
