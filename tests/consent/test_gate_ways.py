"""By which way: an address there is, that works, and that carries no older no."""

from datetime import date

import pytest

from consent.actions import say_yes
from consent.purposes import Use
from consent.rules import may_process
from customers.actions import change_details, mark_returned
from customers.models import Address, Customer
from tests import cast

pytestmark = pytest.mark.django_db

DAY = date(2026, 6, 1)
BY_WAY = {
    "email": [Use("H", "email"), Use("G", "email"), Use("C", "email")],
    "phone": [Use("H", "sms"), Use("H", "phone"), Use("C", "phone")],
    "address": [Use("H", "post"), Use("C", "post")],
}
NECESSARY = {
    "email": [Use("A", "email"), Use("B", "email"), Use("K", "email")],
    "phone": [Use("A", "sms"), Use("B", "phone"), Use("K", "sms")],
    "address": [Use("A", "post"), Use("B", "post"), Use("K", "post")],
}


@pytest.fixture
def anna() -> Customer:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    return anna


def refusals(customer: Customer, use: Use, on: date = DAY) -> list[str]:
    return [answer.name for answer in may_process(customer.pk, use).refusals(on)]


def suppress(customer: Customer, way: str, on: date | None) -> None:
    """Put the day of an old no beside a value, as customers.contact_points finds it."""
    if way == "address":
        Address.objects.filter(customer=customer).update(suppressed_on=on)
    else:
        Customer.objects.filter(pk=customer.pk).update(**{f"{way}_suppressed_on": on})


def test_post_asks_for_a_home_address(anna: Customer) -> None:
    assert refusals(anna, Use("A", "post")) == []
    Address.objects.filter(customer=anna).update(kind=Address.Kind.DELIVERY)
    for use in (Use("A", "post"), Use("B", "post"), Use("K", "post")):
        assert refusals(anna, use) == ["reachable"]
    assert "reachable" in refusals(anna, Use("H", "post"))


@pytest.mark.parametrize("way", BY_WAY)
def test_returned_mail_ends_advertising_that_way_and_no_other(anna: Customer, way: str) -> None:
    mark_returned(anna, way, date(2026, 5, 2))
    for other, uses in BY_WAY.items():
        for use in uses:
            assert ("not_returned" in refusals(anna, use)) == (other == way), use
    for use in NECESSARY[way]:
        assert refusals(anna, use) == []


def test_a_new_address_opens_what_returned_mail_shut(anna: Customer) -> None:
    mark_returned(anna, "address", date(2026, 5, 2))
    mark_returned(anna, "email", date(2026, 5, 2))
    change_details(anna, {"street": "Älggatan 12", "email": "ny@example.se"})
    assert refusals(anna, Use("H", "post")) == []
    assert refusals(anna, Use("H", "email")) == []


@pytest.mark.parametrize("way", BY_WAY)
def test_what_carries_an_old_no_is_shut_to_advertising_and_open_to_the_rest(
    anna: Customer, way: str
) -> None:
    suppress(anna, way, date(2026, 5, 2))
    for other, uses in BY_WAY.items():
        for use in uses:
            assert ("not_suppressed" in refusals(anna, use)) == (other == way), use
    for use in NECESSARY[way]:
        assert refusals(anna, use) == []


@pytest.mark.parametrize(("said", "opens"), [(1, False), (2, True), (3, True)])
def test_only_a_yes_of_that_day_or_later_lifts_an_old_no(
    anna: Customer, said: int, opens: bool
) -> None:
    say_yes(anna, Use("H", "email"), evidence=cast.SHOWN, at=cast.noon(date(2026, 5, said)))
    suppress(anna, "email", date(2026, 5, 2))
    assert (refusals(anna, Use("H", "email")) == []) is opens
    # A yes is to one use; the others stay shut.
    assert "not_suppressed" in refusals(anna, Use("G", "email"))


def test_an_audience_in_social_media_is_matched_by_the_e_mail_address(anna: Customer) -> None:
    use = Use("G", "social")
    say_yes(anna, use, evidence=cast.SHOWN, at=cast.noon(date(2026, 5, 1)))
    assert refusals(anna, use) == []
    suppress(anna, "email", date(2026, 5, 2))
    assert refusals(anna, use) == ["not_suppressed"]
    suppress(anna, "email", None)
    Customer.objects.filter(pk=anna.pk).update(email="")
    assert refusals(anna, use) == ["reachable"]
