"""Which word is the latest: by the instant it was said, whatever was written down when (RUL-34)."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.utils import timezone

from consent.actions import (
    current_notice,
    object_to_use,
    publish_policy,
    say_no,
    say_yes,
    serve_notice,
    stop_all_marketing,
    unsubscribe,
)
from consent.ledger import append
from consent.models import Authority, Event, Standing
from consent.purposes import Use, chosen_uses
from consent.rules import may_process
from consent.standing import replay
from customers.dates import today
from customers.models import Customer, Suppression
from tests import cast

pytestmark = pytest.mark.django_db

MAIL = Use("H", "email")
PARTNER = Use("P", "email", "munvard-vast")
YES = "Ja, mejla mig."


def customer() -> Customer:
    anna = cast.person("Anna")
    cast.subscription(anna, date(2024, 1, 8))
    return anna


def is_open(person: Customer, use: Use) -> bool:
    told = replay(Event.objects.filter(customer=person).order_by("pk"))
    for row in Standing.objects.filter(customer=person):
        state = told[Use(row.purpose, row.channel, row.third_party)]
        assert (row.permission, row.declined, row.opens, row.closes, row.since, row.authority) == (
            state.permission,
            state.declined,
            state.opens,
            state.closes,
            state.since,
            state.authority,
        )
    assert len(told) == Standing.objects.filter(customer=person).count()
    return may_process(person.pk, use).allowed(today())


def ago(**time: int) -> datetime:
    return timezone.now() - timedelta(**time)


@pytest.mark.parametrize("refusal", ["one", "all", "link", "objection"])
def test_a_yes_of_an_hour_before_the_no_lifts_nothing(refusal: str) -> None:
    anna = customer()
    match refusal:
        case "one":
            say_no(anna, MAIL)
        case "all":
            say_no(anna)
        case "link":
            unsubscribe(anna, "email")
        case _:
            object_to_use(anna, "H")
    say_yes(anna, MAIL, collected="phone", evidence=YES, at=ago(minutes=1))
    assert not is_open(anna, MAIL)
    say_yes(anna, MAIL, collected="phone", evidence=YES)
    assert is_open(anna, MAIL)


def test_a_no_said_again_counts_from_then() -> None:
    anna = customer()
    say_no(anna, MAIL, at=ago(days=30))
    say_no(anna)
    say_yes(anna, MAIL, collected="slip", evidence="Talong 17", at=ago(days=10))
    assert not is_open(anna, MAIL)


def test_an_older_yes_does_not_take_the_place_of_one_given_after_a_no() -> None:
    anna = customer()
    say_no(anna, MAIL, at=ago(days=20))
    newest = say_yes(anna, MAIL, evidence=YES)
    say_yes(anna, MAIL, collected="slip", evidence="Talong 17", at=ago(days=25))
    assert Standing.objects.get(customer=anna, purpose="H", channel="email").event == newest
    assert is_open(anna, MAIL)


def yes_of_a_register(person: Customer, use: Use, at: datetime | None = None) -> None:
    append(
        person,
        Event.Kind.CONSENT_GIVEN,
        collected="import",
        authority=Authority.STAFF,
        purpose=use.purpose,
        channel=use.channel,
        third_party=use.third_party,
        evidence="Fil 2024, rad 7",
        at=at,
    )


@pytest.mark.parametrize("days", [0, 2500])
def test_a_register_does_not_take_the_place_of_the_persons_own_yes(days: int) -> None:
    anna = customer()
    say_yes(anna, MAIL, evidence=YES, at=ago(days=1))
    yes_of_a_register(anna, MAIL, ago(days=days))
    held = Standing.objects.get(customer=anna, purpose="H", channel="email")
    assert (held.authority, held.opens) == (Authority.PERSON, today() - timedelta(days=1))
    assert is_open(anna, MAIL)


def test_a_yes_found_afterwards_does_not_make_a_newer_one_old() -> None:
    anna = customer()
    Customer.objects.filter(pk=anna.pk).update(last_contact_on=date(2020, 3, 1))
    say_yes(anna, MAIL, evidence=YES)
    say_yes(anna, MAIL, collected="slip", evidence="Talong 17", at=ago(days=2500))
    assert is_open(anna, MAIL)
    yes_of_a_register(anna, PARTNER, ago(days=1))
    yes_of_a_register(anna, PARTNER, ago(days=2500))
    held = Standing.objects.get(customer=anna, purpose="P")
    assert held.opens == today() - timedelta(days=1)
    say_yes(anna, PARTNER, collected="slip", evidence="Talong 18", at=ago(days=30))
    held.refresh_from_db()
    assert (held.authority, held.opens) == (Authority.PERSON, today() - timedelta(days=30))
    is_open(anna, PARTNER)


@pytest.mark.parametrize("by_whom", ["register", "person"])
def test_only_the_persons_own_yes_opens_a_way_that_carries_a_no(by_whom: str) -> None:
    anna = customer()
    old_no = today() - timedelta(days=30)
    Customer.objects.filter(pk=anna.pk).update(email_suppressed_on=old_no)
    if by_whom == "register":
        yes_of_a_register(anna, MAIL)
    else:
        say_yes(anna, MAIL, evidence=YES)
    assert is_open(anna, MAIL) is (by_whom == "person")


@pytest.mark.parametrize("stop", [unsubscribe, stop_all_marketing])
def test_who_has_refused_each_thing_has_not_yet_refused_everything(stop: Any) -> None:
    anna = customer()
    for use in chosen_uses():
        if use.of.is_marketing:
            say_no(anna, use)
    assert not Suppression.objects.exists()
    assert stop(anna) is not None
    assert Suppression.objects.count() == 3  # the e-mail, the phone and the address
    assert stop(anna) is None


@pytest.mark.parametrize("before", ["nothing", "unproven"])
def test_no_register_opens_a_company_after_a_no_to_everything(before: str) -> None:
    anna = customer()
    say_no(anna)
    if before == "unproven":
        say_yes(anna, PARTNER)
    yes_of_a_register(anna, PARTNER)
    assert not is_open(anna, PARTNER)
    say_yes(anna, PARTNER, collected="slip", evidence="Talong 3", at=ago(days=1))
    assert not is_open(anna, PARTNER)
    say_yes(anna, PARTNER, evidence="Ja, lämna ut till munvard-vast.")
    assert is_open(anna, PARTNER) == may_process(anna.pk, PARTNER).allowed(today())
    assert not Standing.objects.get(customer=anna, purpose="P").declined


def test_a_register_may_tell_of_a_company_that_nobody_refused() -> None:
    anna = customer()
    say_no(anna, MAIL)
    yes_of_a_register(anna, PARTNER)
    assert Standing.objects.get(customer=anna, purpose="P").permission == "consent"
    is_open(anna, PARTNER)


# The wording in force


def test_a_yes_of_the_person_without_its_wording_is_refused_and_leaves_nothing() -> None:
    anna = customer()
    before = Event.objects.count()
    with pytest.raises(InternalError, match="needs the wording"), transaction.atomic():
        append(
            anna,
            Event.Kind.CONSENT_GIVEN,
            collected="phone",
            authority=Authority.PERSON,
            purpose="H",
            channel="email",
            evidence=YES,
        )
    assert Event.objects.count() == before


def texts(word: str) -> dict[tuple[str, str], str]:
    return {(c, s): f"{word} {c} {s}" for c in ("portal", "web") for s in ("sv", "en")}


def test_a_version_published_ahead_waits_for_its_day() -> None:
    anna = customer()
    now = current_notice("portal", "sv")
    publish_policy("ahead", today() + timedelta(days=30), texts("Ny"))
    assert current_notice("portal", "sv") == now
    assert say_yes(anna, MAIL, evidence=YES).notice == now
    later = current_notice("portal", "sv", today() + timedelta(days=30))
    assert later.text == "Ny portal sv"


def test_what_was_said_before_a_version_gets_the_wording_of_its_day() -> None:
    anna = customer()
    publish_policy("then", today() - timedelta(days=5), texts("Då"))
    publish_policy("now", today(), texts("Nu"))

    def words(event: Event) -> str:
        assert event.notice
        return event.notice.text

    assert words(say_yes(anna, MAIL, evidence=YES, at=ago(days=5))) == "Då portal sv"
    assert words(serve_notice(anna, collected="web", at=ago(days=5))) == "Då web sv"
    assert words(say_yes(anna, MAIL, evidence=YES)) == "Nu portal sv"
