"""A notice that cannot be declined carries no offer (OBJ-03, policy K)."""

from datetime import date

import pytest

from consent.promotion import promotes
from consent.purposes import Use
from consent.rules import may_process
from tests import cast


@pytest.mark.parametrize(
    "text",
    [
        "Ange rabattkoden VÅR26 i kassan.",
        "Just nu: 20 % rabatt på borsthuvuden!",
        "Passa\npå innan söndag.",
        "Köp nu, betala sedan.",
        "Nu är det REA.",
        "Spara upp till 300 kronor.",
        "Här är vårt erbjudande till dig.",
        "Use the promo code SPRING.",
        "Get 20% off today.",
        "Don't miss our new brush.",
        "Free shipping this week.",
    ],
)
def test_an_offer_is_seen(text: str) -> None:
    assert promotes("Viktigt besked", text)


@pytest.mark.parametrize(
    "text",
    [
        "Vi ändrar hur länge vi får skicka erbjudanden till dig. Du kan säga nej till all reklam.",
        "Fakturan är på 99 kronor och ska betalas senast den 3 maj.",
        "Vi realiserar inga uppgifter. Paketet är beställt.",
        "Du sparar inget på att vänta med att läsa villkoren.",
        "We are changing how long we may send you offers. You can decline all advertising.",
        "Your order has been delivered today.",
    ],
)
def test_a_plain_notice_is_not(text: str) -> None:
    assert not promotes("Viktigt besked", text)


@pytest.mark.django_db
@pytest.mark.parametrize("purpose", ["A", "B", "K"])
def test_what_promotes_leaves_only_as_advertising(purpose: str) -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    day = date(2026, 6, 1)
    assert may_process(anna.pk, Use(purpose, "email")).allowed(day)
    refused = may_process(anna.pk, Use(purpose, "email", promotes=True)).refusals(day)
    assert [(answer.name, answer.rules) for answer in refused] == [("no_promotion", ("OBJ-03",))]
    assert may_process(anna.pk, Use("H", "email", promotes=True)).allowed(day)
