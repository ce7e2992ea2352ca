"""Held data sits locked: what is only kept shows nowhere, and each thing to who may (ERA-04)."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client

from consent.actions import restrict, say_no, say_yes
from consent.ledger import append
from consent.models import Authority, Event
from consent.purposes import CATALOGUE, Use
from consent.rules import may_process
from consent.statistics import counted
from customers.actions import set_national_id
from customers.dates import today
from customers.models import Customer, Order
from customers.models.channels import Collected
from customers.personal_data import Category, mask
from disclosures.models import Outbox
from marketing.rules import count_audience
from privacy_requests.models import Case, Extract
from retention.actions import execute, open_run
from retention.models import Hold
from tests import cast, past
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db

LONG_AGO = date(2019, 1, 7)
ENDED = date(2022, 10, 1)
NUMBER = "199006022397"


def former(name: str = "Anna") -> Customer:
    """Make a former customer whose every window is over, with something in every room."""
    person = cast.person(name, since=LONG_AGO)
    cast.subscription(person, LONG_AGO, ENDED)
    cast.order(person, LONG_AGO, LONG_AGO)
    cast.invoice(person, date(2022, 9, 1))
    set_national_id(person, NUMBER)
    person.support_cases.create(subject="Hej", collected="phone", closed_on=date(2026, 3, 1))
    Outbox.objects.create(
        customer=person,
        template="choice_recorded",
        status=Outbox.Status.DEAD,
        finished_at=cast.noon(date(2026, 3, 1)),
    )
    case = Case.objects.create(
        customer=person,
        right="access",
        collected="portal",
        status=Case.Status.ANSWERED,
        outcome=Case.Outcome.GRANTED,
        received_at=cast.noon(ENDED),
        answered_at=cast.noon(ENDED),
        received_on=ENDED,
        nominal_on=ENDED,
        latest_on=ENDED,
        target_on=ENDED,
        closed_on=ENDED,
    )
    Extract.objects.create(case=case, status=Extract.Status.GONE)
    return person


def held(person: Customer, ground: str = "dispute", **more: Any) -> Hold:
    return Hold.objects.create(customer=person, ground=ground, reason="Mål", **more)


# Every list that shows people, and what of a row gives the person away.
LISTS = (
    "customers/customer",
    "customers/supportcase",
    "customers/invoice",
    "consent/standing",
    "disclosures/outbox",
    "privacy_requests/case",
    "privacy_requests/extract",
    "retention/hold",
)
TERMS: tuple[Callable[[Customer], str], ...] = (
    lambda person: person.number,
    lambda person: person.email,
    lambda person: person.phone,
    lambda person: NUMBER,
)


def rows_of(client: Client, page: str, **post: str) -> list[Any]:
    url = f"/personal/{page}/"
    answer = client.post(url, post) if post else client.get(url)
    return list(answer.context["cl"].result_list)


def test_customer_service_finds_nothing_of_who_is_only_held(cecilia: Client) -> None:
    person = former()
    shown_before = {page: len(rows_of(cecilia, page)) for page in LISTS}
    assert shown_before["customers/customer"] == 1
    held(person)
    for page in LISTS:
        assert rows_of(cecilia, page) == [], page
    for term in TERMS:
        assert rows_of(cecilia, "customers/customer", q=term(person)) == []
    assert person.number not in cecilia.get("/personal/").content.decode()


def test_no_page_about_a_held_person_opens_to_customer_service(cecilia: Client) -> None:
    person = former()
    Desk.opens(cecilia, person)
    hold = held(person)
    event = Event.objects.filter(customer=person).latest("pk")
    for path in (
        f"customers/customer/{person.pk}/change/",
        f"customers/customer/{person.pk}/history/",
        f"customers/customer/{person.pk}/uppgifter/",
        f"customers/customer/{person.pk}/kom-tillbaka/",
        f"customers/customer/{person.pk}/skal/",
        f"customers/invoice/{person.invoices.get().pk}/change/",
        f"customers/supportcase/{person.support_cases.get().pk}/change/",
        f"consent/event/{event.pk}/change/",
        f"consent/standing/{person.standings.latest('pk').pk}/change/",
        f"disclosures/outbox/{Outbox.objects.get().pk}/change/",
        f"privacy_requests/case/{Case.objects.get().pk}/change/",
        f"privacy_requests/extract/{Extract.objects.get().pk}/change/",
        f"retention/hold/{hold.pk}/change/",
    ):
        answer = cecilia.get(f"/personal/{path}")
        text = answer.content.decode()
        assert answer.status_code in (302, 404), path
        assert not any(word in text for word in ("Anna", "Ek", "Björkgatan", person.email)), path
        if answer.status_code == 302:
            landed = cecilia.get(answer["Location"]).content.decode()
            assert person.number not in landed
            assert "Anna" not in landed


def test_the_officer_who_decides_on_the_hold_sees_what_it_holds(disa: Client) -> None:
    person = former()
    held(person)
    assert rows_of(disa, "customers/customer") == [person]
    assert "Anna" in Desk.opens(disa, person)


def test_a_lifted_hold_leaves_them_to_the_night(cecilia: Client) -> None:
    person = former()
    hold = held(person)
    assert rows_of(cecilia, "customers/customer") == []
    Hold.objects.filter(pk=hold.pk).update(lifted_at=cast.noon(today()))
    assert rows_of(cecilia, "customers/customer") == [person]


@pytest.mark.parametrize("ground", ["a", "b", "c", "d"])
def test_a_restriction_locks_whose_time_is_up(cecilia: Client, ground: str) -> None:
    person = former()
    restrict(person, ground, at=cast.noon(ENDED))
    assert rows_of(cecilia, "customers/customer") == []
    with past.no_notice():
        append(
            person, Event.Kind.UNRESTRICTED, collected=Collected.PORTAL, authority=Authority.STAFF
        )
    assert rows_of(cecilia, "customers/customer") == [person]


def test_a_customer_with_a_hold_stays_in_sight(cecilia: Client) -> None:
    person = cast.person("Anna", since=LONG_AGO)
    cast.subscription(person, LONG_AGO)
    held(person)
    assert rows_of(cecilia, "customers/customer") == [person]
    assert "Anna" in Desk.opens(cecilia, person)


def test_whoever_has_an_open_case_of_their_own_is_answered(cecilia: Client) -> None:
    person = former()
    Hold.objects.create(customer=person, ground="case", reference="case:1")
    assert rows_of(cecilia, "customers/customer") == [person]


def test_old_rows_that_only_a_hold_keeps_are_not_shown_beside_the_live_ones(
    cecilia: Client, disa: Client
) -> None:
    person = cast.person("Anna", since=LONG_AGO)
    cast.subscription(person, LONG_AGO)
    old = cast.order(person, LONG_AGO, LONG_AGO)
    new = cast.order(person, today() - timedelta(9), today() - timedelta(8))
    held(person, categories=mask(Category.PURCHASES))
    text = Desk.opens(cecilia, person)
    assert new.number in text
    assert old.number not in text
    assert old.number in Desk.opens(disa, person)


def test_an_identity_number_that_only_a_hold_keeps_is_neither_shown_nor_found(
    cecilia: Client, disa: Client
) -> None:
    person = cast.person("Anna", since=LONG_AGO)
    cast.subscription(person, LONG_AGO)
    set_national_id(person, NUMBER)
    Customer.objects.filter(pk=person.pk).update(national_id_used_on=date(2026, 1, 2))
    assert rows_of(cecilia, "customers/customer", q=NUMBER) == [person]
    held(person, categories=mask(Category.NATIONAL_ID))
    assert rows_of(cecilia, "customers/customer", q=NUMBER) == []
    assert "19900602" not in Desk.opens(cecilia, person)
    assert rows_of(disa, "customers/customer", q=NUMBER) == [person]
    assert "19900602" in Desk.opens(disa, person)


# The archive of the bookkeeping (RUL-36)


def test_finance_finds_an_invoice_of_who_is_gone_by_its_number_alone(
    erik: Client, cecilia: Client, disa: Client
) -> None:
    person = former()
    execute(open_run(date(2026, 11, 20))[0])
    person.refresh_from_db()
    assert person.name == ""
    invoice = person.invoices.get()
    number = str(invoice.number)
    assert rows_of(erik, "customers/invoice") == []
    found = erik.get("/personal/customers/invoice/", {"q": number}).context["cl"].result_list
    assert list(found) == [invoice]
    page = f"/personal/customers/invoice/{invoice.pk}/change/"
    reason = f"/personal/customers/customer/{person.pk}/skal/?next={page}"
    assert erik.post(reason, {"reason": "case", "words": ""}).status_code == 302
    assert "Anna Ek" in erik.get(page).content.decode()
    for client in (cecilia, disa):
        found = client.get("/personal/customers/invoice/", {"q": number}).context["cl"]
        assert list(found.result_list) == []
        assert client.get(page).status_code == 302
    assert rows_of(erik, "customers/customer") == []


def test_finance_reaches_who_owes_us_and_customer_service_does_not(
    erik: Client, cecilia: Client
) -> None:
    person = cast.person("Anna", since=LONG_AGO)
    cast.subscription(person, LONG_AGO, ENDED)
    cast.invoice(person, date(2026, 1, 10), paid=False)
    say_no(person, at=cast.noon(ENDED))
    assert rows_of(erik, "customers/customer") == [person]
    assert rows_of(cecilia, "customers/customer") == []


# Nothing is done with them either


def test_nobody_who_is_only_held_is_in_an_audience_a_statistic_or_a_tip() -> None:
    ended = date(2025, 10, 1)
    person = cast.person("Anna", since=LONG_AGO)
    cast.subscription(person, LONG_AGO, ended)
    said = cast.noon(date(2026, 6, 1))
    say_no(person, at=cast.noon(ended))
    # Surveys and a company got a yes: they live on what others keep.
    borrowed = (Use("C", "email"), Use("P", "email", "Tandtråd AB"))
    for use in borrowed:
        say_yes(person, use, collected=Collected.PORTAL, evidence=cast.SHOWN, at=said)
    assert all(may_process(person.pk, use).allowed(today()) for use in borrowed)
    held(person)
    execute(open_run(date(2026, 11, 20))[0])
    assert Customer.objects.get(pk=person.pk).name == "Anna Ek"
    for purpose in CATALOGUE:
        for channel in purpose.channels:
            if purpose.code in ("A2", "L2", "R", "L"):
                continue
            company = "Tandtråd AB" if purpose.named_third_party else ""
            use = Use(purpose.code, channel.value, company)
            assert not may_process(person.pk, use).allowed(today()), use
            if not purpose.only_counted:
                people = Customer.objects.processable(purpose.code, channel.value, company)
                assert not people.exists(), use
            if purpose.is_marketing:
                assert count_audience(use, today()).reached == 0


def test_what_is_only_held_of_a_customer_is_not_counted() -> None:
    for n in range(12):
        person = cast.person(f"Person{n}", since=LONG_AGO, email=f"p{n}@example.se")
        cast.subscription(person, LONG_AGO, ENDED)
        cast.subscription(person, date(2026, 1, 1))
        held(person, categories=mask(Category.PURCHASES))
        Order.objects.filter(customer=person).delete()
    older = cast.product("tandtrad")
    for person in Customer.objects.all():
        person.subscriptions.create(
            product=older, started_on=LONG_AGO, ended_on=ENDED, collected="web"
        )
    counts = counted(Use("D", "internal"), today(), "product")
    assert counts.shown == {"borsthuvud": 12}
