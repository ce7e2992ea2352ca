"""People read for a purpose: through the gate, and a plain queryset all the same."""

from datetime import date

import pytest

from consent.actions import say_no, say_yes
from consent.purposes import Use, chosen_uses
from consent.rules import OnlyCountedError, audience
from customers.dates import today
from customers.models import Customer, Order
from customers.models.people import CustomerQuerySet, NoGateError
from tests import cast

pytestmark = pytest.mark.django_db

LONG_AGO = date(2024, 1, 1)


def customer(name: str) -> Customer:
    person = cast.person(name)
    cast.subscription(person, LONG_AGO)
    return person


def test_only_those_whom_the_gate_lets_through_are_read() -> None:
    anna, bjorn, cilla = customer("Anna"), customer("Bjorn"), customer("Cilla")
    say_no(bjorn, Use("H", "email"))
    say_no(cilla)
    assert list(Customer.objects.processable("H", "email")) == [anna]
    assert set(Customer.objects.processable("H", "post")) == {anna, bjorn}


def test_it_is_the_audience_of_the_gate_for_every_use() -> None:
    for name in ("Anna", "Bjorn", "Cilla"):
        customer(name)
    cast.person("Disa", notice=False)
    say_no(Customer.objects.get(given_name="Bjorn"), Use("F", "internal"))
    asked = [use for use in chosen_uses() if not use.of.only_counted]
    for use in asked:
        bound = Customer.objects.processable(use.purpose, use.channel)
        assert set(bound.values_list("pk", flat=True)) == set(audience(use, today())), use


def test_what_is_filtered_before_and_after_holds_too() -> None:
    anna, bjorn = customer("Anna"), customer("Bjorn")
    both = Customer.objects.filter(given_name__in=["Anna", "Bjorn"])
    assert list(both.processable("H", "email").exclude(pk=anna.pk)) == [bjorn]
    assert list(Customer.objects.processable("H", "email").filter(given_name="Anna")) == [anna]


def test_two_purposes_narrow_each_other() -> None:
    anna, bjorn = customer("Anna"), customer("Bjorn")
    say_no(bjorn, Use("F", "internal"))
    found = Customer.objects.processable("F", "internal").processable("H", "email")
    assert list(found) == [anna]


def test_it_stays_a_plain_queryset() -> None:
    anna, bjorn = customer("Anna"), customer("Bjorn")
    cast.order(anna, LONG_AGO)
    cast.order(bjorn, LONG_AGO)
    say_no(bjorn, Use("F", "internal"))
    people = Customer.objects.processable("F", "internal")
    assert isinstance(people, CustomerQuerySet)
    assert (people.count(), people.exists()) == (1, True)
    assert [o.customer for o in Order.objects.filter(customer__in=people)] == [anna]
    assert set(people | Customer.objects.filter(pk=bjorn.pk)) == {anna, bjorn}
    assert list(people.identified().values_list("email", flat=True)) == ["anna@example.se"]
    assert [p.pk for p in people.iterator(chunk_size=1)] == [anna.pk]


def test_another_day_is_asked_about_another_day() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2022, 1, 1), date(2024, 5, 31))
    then = Customer.objects.processable("H", "email", on=date(2025, 5, 31))
    after = Customer.objects.processable("H", "email", on=date(2025, 6, 1))
    assert (then.count(), after.count()) == (1, 0)


def test_a_named_company_is_its_own_use() -> None:
    anna = customer("Anna")
    use = Use("P", "email", "munvard-vast")
    say_yes(anna, use, evidence="Sa ja till Munvård Väst")
    assert Customer.objects.processable("P", "email", "munvard-vast").count() == 1
    assert not Customer.objects.processable("P", "email", "annat").exists()


@pytest.mark.parametrize(("purpose", "channel"), [("D", "internal"), ("J", "web")])
def test_what_is_only_counted_names_nobody(purpose: str, channel: str) -> None:
    with pytest.raises(OnlyCountedError, match="singles nobody out"):
        Customer.objects.processable(purpose, channel)


@pytest.mark.parametrize(("purpose", "channel"), [("Z", "email"), ("H", "pigeon"), ("F", "email")])
def test_what_is_not_in_the_catalogue_is_refused(purpose: str, channel: str) -> None:
    with pytest.raises(ValueError, match=r"purpose|channel"):
        Customer.objects.processable(purpose, channel)


def test_without_a_gate_nobody_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CustomerQuerySet, "gate", None)
    with pytest.raises(NoGateError, match="INSTALLED_APPS"):
        Customer.objects.processable("H", "email")
