"""Person above law above staff above system: what a higher word decided, no lower one lifts."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from consent.actions import current_notice, say_no, say_yes, serve_notice
from consent.facts import end_subscription, subscribe
from consent.ledger import append
from consent.models import Authority, Event, Standing
from consent.purposes import Use
from consent.rules import may_process
from consent.standing import replay
from customers.dates import today
from customers.models import Customer
from tests import cast

pytestmark = pytest.mark.django_db

Kind = Event.Kind
LOWER = (Authority.LAW, Authority.STAFF, Authority.SYSTEM)
MAIL, POST = Use("H", "email"), Use("H", "post")


def customer(**fields: Any) -> Customer:
    person = cast.person("Anna", **fields)
    cast.subscription(person, date(2024, 1, 8))
    return person


def standings(person: Customer) -> set[tuple[Any, ...]]:
    columns = ("purpose", "channel", "permission", "declined", "opens", "closes", "since")
    found = set(Standing.objects.filter(customer=person).values_list(*columns))
    replayed = replay(Event.objects.filter(customer=person).order_by("pk"))
    assert found == {
        (u.purpose, u.channel, s.permission, s.declined, s.opens, s.closes, s.since)
        for u, s in replayed.items()
    }
    return found


@pytest.mark.parametrize("authority", LOWER)
@pytest.mark.parametrize("kind", [Kind.NOTICE_SERVED, Kind.SOFT_OPT_IN, Kind.UNPROVEN])
def test_nothing_that_opens_by_itself_lifts_the_persons_no(kind: str, authority: int) -> None:
    anna = customer()
    say_no(anna)
    before = standings(anna)
    uses: dict[str, Any] = {"purpose": "H", "channel": "email"} if kind == Kind.UNPROVEN else {}
    notice = current_notice("web", "sv")
    uses |= {"evidence": "Order D1, e-post, nej erbjöds"} if kind == Kind.SOFT_OPT_IN else {}
    append(anna, kind, collected="web", authority=authority, notice=notice, **uses)
    assert standings(anna) == before
    assert not may_process(anna.pk, MAIL).allowed(today())


def yes_of(person: Customer, authority: int) -> None:
    append(
        person,
        Kind.CONSENT_GIVEN,
        collected="phone",
        authority=authority,
        purpose="H",
        channel="email",
        notice=current_notice("phone", "sv"),
        evidence="Vi tror att hon vill.",
    )


@pytest.mark.parametrize("authority", [Authority.LAW, Authority.SYSTEM])
def test_the_database_takes_a_yes_neither_from_the_law_nor_from_a_program(authority: int) -> None:
    anna = customer()
    with pytest.raises(IntegrityError), transaction.atomic():
        yes_of(anna, authority)


def test_a_yes_that_only_an_older_register_tells_of_lifts_nothing() -> None:
    anna = customer()
    say_no(anna)
    before = standings(anna)
    yes_of(anna, Authority.STAFF)
    assert standings(anna) == before


@pytest.mark.parametrize("authority", list(Authority))
@pytest.mark.parametrize("lifted", ["all", "one"])
def test_the_persons_own_later_yes_lifts_a_no_of_whoever_said_it(
    authority: int, lifted: str
) -> None:
    anna = customer()
    about: dict[str, Any] = {"purpose": "H", "channel": "email"} if lifted == "one" else {}
    append(anna, Kind.OBJECTED, collected="phone", authority=authority, **about)
    assert not may_process(anna.pk, MAIL).allowed(today())
    say_yes(anna, MAIL, evidence="Ja, mejla mig.")
    assert may_process(anna.pk, MAIL).allowed(today())
    assert may_process(anna.pk, POST).allowed(today()) is (lifted == "one")
    standings(anna)


@pytest.mark.parametrize("authority", list(Authority))
def test_a_no_counts_whoever_says_it(authority: int) -> None:
    anna = customer()
    say_yes(anna, MAIL, evidence="Ja, mejla mig.")
    append(
        anna,
        Kind.OBJECTED,
        collected="phone",
        authority=authority,
        purpose="H",
        channel="email",
    )
    assert not may_process(anna.pk, MAIL).allowed(today())
    standings(anna)


def test_a_yes_found_afterwards_from_before_the_no_lifts_nothing() -> None:
    anna = customer()
    say_no(anna)
    before = standings(anna)
    earlier = cast.noon(today() - timedelta(days=2))
    say_yes(anna, MAIL, collected="slip", evidence="Talong 17", at=earlier)
    assert standings(anna) == before


def test_a_new_subscription_a_new_notice_and_a_new_sale_reopen_nothing() -> None:
    anna = customer()
    say_no(anna)
    before = standings(anna)
    for running in anna.subscriptions.all():
        end_subscription(running, today())
    subscribe(anna, cast.product("tandkram"), today())
    serve_notice(anna, collected="web")
    cast.told_at_a_sale(anna)
    assert standings(anna) == before
    for use in (MAIL, POST, Use("G", "email"), Use("C", "post"), Use("F", "internal")):
        assert not may_process(anna.pk, use).allowed(today())


@pytest.mark.parametrize("authority", LOWER)
def test_nobody_but_the_person_lifts_the_limit_they_set_themselves(authority: int) -> None:
    anna = customer()
    append(anna, Kind.RESTRICTED, collected="portal", authority=Authority.PERSON, ground="v")
    append(anna, Kind.UNRESTRICTED, collected="portal", authority=authority)
    anna.refresh_from_db()
    assert anna.restriction == "v"
