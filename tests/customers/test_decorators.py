"""Who may open a page of Min sida, and what they are told when they are nobody any more."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from consent.actions import say_no
from customers.dates import today
from customers.decorators import customer_required
from customers.models import Customer, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def request_of_anna(rf: RequestFactory) -> Any:
    request: Any = rf.post("/")
    request.user = User.objects.create_user("anna@example.se")
    Customer.objects.create(given_name="Anna", user=request.user, last_contact_on=today())
    return request


def removed(customer: Customer) -> None:
    """Take the row away as a night does, which asks nobody."""
    Customer.objects.filter(pk=customer.pk)._raw_delete("default")


def test_who_is_removed_while_acting_is_told_so(request_of_anna: Any) -> None:
    @customer_required
    def stop(request: HttpRequest, customer: Customer) -> HttpResponse:
        removed(customer)
        say_no(customer)
        return HttpResponse()

    answer = stop(request_of_anna)
    assert answer.status_code == 410
    assert "Det finns ingen Min sida för det här kontot" in answer.content.decode()  # type: ignore[attr-defined]


def test_another_person_who_is_not_there_is_a_fault_of_ours(request_of_anna: Any) -> None:
    @customer_required
    def look(request: HttpRequest, customer: Customer) -> HttpResponse:
        Customer.objects.get(pk=customer.pk + 1)
        return HttpResponse()

    with pytest.raises(Customer.DoesNotExist):
        look(request_of_anna)
