"""Advertising after a sale: lawful with every fact of 19 § MFL on record, and not without."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from consent.actions import ActError, current_notice, publish_policy, say_no
from consent.facts import place_order
from consent.models import Event, Standing
from consent.purposes import Use
from consent.receipt_keys import number_of
from consent.rules import may_process
from consent.soft_opt_in import Sale, record_soft_opt_in
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Channel, Collected
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

BOTH = (Channel.EMAIL, Channel.SMS)
MAIL, SMS = Use("H", "email"), Use("H", "sms")


def sale(customer: Customer, **changed: Any) -> Sale:
    order = place_order(customer, cast.product(), f"O{customer.pk}", today())
    return replace(Sale.of(order, given=BOTH, could_refuse=True), **changed)


def buyer() -> Customer:
    anna = cast.person(notice=False)
    cast.subscription(anna, date(2024, 1, 1))
    return anna


def entries(customer: Customer) -> list[str]:
    return list(Event.objects.filter(customer=customer).values_list("kind", flat=True))


def test_a_sale_with_all_its_facts_is_kept_with_them_and_the_wording() -> None:
    anna = buyer()
    event = record_soft_opt_in(anna, sale(anna), collected=Collected.WEB)
    kept = Event.objects.get(pk=event.pk)
    assert kept.notice == current_notice(Collected.WEB, "sv")
    assert f"Köp O{anna.pk}" in kept.detail.evidence
    for fact in ("Borsthuvud (munvard)", "e-post och sms vid köpet", "kunde du säga nej"):
        assert fact in kept.detail.evidence
    opened = Standing.objects.filter(customer=anna, permission="soft")
    assert {(s.purpose, s.channel) for s in opened} == {
        (purpose, way) for purpose in ("G", "H") for way in ("email", "sms")
    }


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"number": " "}, "Without a sale"),
        ({"goods": ""}, "goods of the same kind"),
        ({"given": ()}, "address given at the sale"),
        ({"given": (Channel.POST,)}, "address given at the sale"),
        ({"could_refuse": False}, "could not say no"),
        ({"on": today() + timedelta(days=1)}, "cannot come after"),
    ],
)
def test_a_missing_fact_is_refused_and_opens_nothing(changed: dict[str, Any], why: str) -> None:
    anna = buyer()
    with pytest.raises(ActError, match=why):
        record_soft_opt_in(anna, sale(anna, **changed), collected=Collected.WEB)
    assert entries(anna) == []
    assert not Standing.objects.filter(customer=anna).exists()


@pytest.mark.parametrize("way", [Collected.REGISTER, Collected.IMPORT])
def test_a_register_and_a_file_have_sold_nothing(way: str) -> None:
    anna = buyer()
    with pytest.raises(ActError, match="how they bought"):
        record_soft_opt_in(anna, sale(anna), collected=way)


def test_an_address_we_do_not_have_was_not_given() -> None:
    anna = cast.person(notice=False, phone="")
    with pytest.raises(ActError, match="is not here"):
        record_soft_opt_in(anna, sale(anna), collected=Collected.WEB)


def test_another_persons_order_proves_nothing() -> None:
    anna, björn = buyer(), cast.person("Björn")
    with pytest.raises(ActError, match="somebody else's"):
        record_soft_opt_in(anna, sale(björn), collected=Collected.WEB)


def test_only_the_ways_whose_address_was_given_are_opened() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    cecil = cast.person("Cecil", phone="")
    cast.subscription(cecil, date(2024, 1, 1))
    for person, opened in ((anna, {MAIL, SMS}), (cecil, {MAIL})):
        allowed = {u for u in (MAIL, SMS) if may_process(person.pk, u).allowed(today())}
        assert allowed == opened
        permission = Standing.objects.filter(customer=person, permission="soft")
        assert {s.channel for s in permission} == {u.channel for u in opened}


def test_the_wording_is_that_of_the_day_of_the_sale() -> None:
    anna = buyer()
    bought = sale(anna, on=today() - timedelta(days=3))
    for version, days in (("2031-01", 10), ("2031-02", 2)):
        texts = {(c.value, lang): version for c in Collected for lang in ("sv", "en")}
        publish_policy(version, today() - timedelta(days=days), texts)
    event = record_soft_opt_in(anna, bought, collected=Collected.WEB)
    assert Event.objects.get(pk=event.pk).notice.text == "2031-01"  # type: ignore[union-attr]


def test_a_sale_after_a_no_opens_nothing() -> None:
    anna = buyer()
    say_no(anna)
    record_soft_opt_in(anna, sale(anna), collected=Collected.WEB)
    assert not may_process(anna.pk, MAIL).allowed(today())


def test_the_facts_stand_on_the_receipt() -> None:
    anna = cast.person()
    event = Event.objects.get(customer=anna, kind=Event.Kind.SOFT_OPT_IN)
    page = text(signed_in(anna).get(f"/mina-val/kvitto/{number_of(event.pk)}/"))
    assert "Vårt underlag Köp W" in page
    assert "Du lämnade själv adressen för e-post och sms vid köpet." in page


@pytest.mark.parametrize(
    ("phone", "words"),
    [("+46701740635", "vi kan mejla och skicka sms om"), ("", "vi kan mejla om")],
)
def test_the_receipt_names_the_ways_and_no_others(phone: str, words: str) -> None:
    anna = cast.person(phone=phone)
    event = Event.objects.get(customer=anna, kind=Event.Kind.SOFT_OPT_IN)
    assert words in text(signed_in(anna).get(f"/mina-val/kvitto/{number_of(event.pk)}/"))
