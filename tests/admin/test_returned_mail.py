"""Staff note what came back, and the page of the person says it beside the value (RUL-28)."""

from datetime import date

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from consent.models import ProcessingRecord
from customers.dates import today
from customers.models import Address, Customer
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db


def subscriber() -> Customer:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def test_staff_note_a_letter_that_came_back_and_see_it_beside_the_address(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = subscriber()
    assert "kom-tillbaka" in desk.opens(cecilia, anna)
    url = f"/personal/customers/customer/{anna.pk}/kom-tillbaka/"
    form = cecilia.get(url).context["form"]
    assert [value for value, _ in form.fields["kind"].choices] == ["address", "email", "phone"]
    answer = cecilia.post(url, {"kind": "address", "on": today().isoformat()}, follow=True)
    text = answer.content.decode()
    assert "Vi skickar ingen reklam dit" in text
    assert "(kom tillbaka " in text
    assert Address.objects.get(customer=anna).returned_on == today()
    (entry,) = LogEntry.objects.all()
    assert "Posten kom tillbaka" in entry.get_change_message()
    assert "Björkgatan" not in entry.change_message


def test_staff_see_what_is_noted_already(cecilia: Client, desk: type[Desk]) -> None:
    anna = subscriber()
    desk.says_why(cecilia, anna)
    url = f"/personal/customers/customer/{anna.pk}/kom-tillbaka/"
    for words in ("Vi skickar ingen reklam dit", "antecknat sedan tidigare"):
        sent = {"kind": "email", "on": today().isoformat()}
        assert words in cecilia.post(url, sent, follow=True).content.decode()
    assert (
        "anna@example.se (kom tillbaka"
        in cecilia.get(url.replace("kom-tillbaka", "change")).content.decode()
    )


@pytest.mark.parametrize("on", ["2100-01-01", "2024-03-02", "x", ""])
def test_staff_are_told_of_a_day_that_cannot_be(cecilia: Client, desk: type[Desk], on: str) -> None:
    anna = subscriber()
    desk.says_why(cecilia, anna)
    url = f"/personal/customers/customer/{anna.pk}/kom-tillbaka/"
    assert cecilia.post(url, {"kind": "address", "on": on}).status_code == 200
    assert Address.objects.get(customer=anna).returned_on is None


def test_finance_notes_nothing(erik: Client, desk: type[Desk]) -> None:
    anna = subscriber()
    desk.says_why(erik, anna)
    url = f"/personal/customers/customer/{anna.pk}/kom-tillbaka/"
    assert erik.post(url, {"kind": "address", "on": "2026-01-01"}).status_code == 403


def test_what_staff_note_ends_advertising_and_what_they_correct_begins_it_again(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = cast.person(since=date(2022, 3, 3))
    cast.subscription(anna, date(2022, 3, 3), date(2025, 3, 3))
    offers = ProcessingRecord.objects.get(customer=anna, purpose="H")
    desk.says_why(cecilia, anna)
    page = f"/personal/customers/customer/{anna.pk}"
    for kind in ("address", "email", "phone"):
        cecilia.post(f"{page}/kom-tillbaka/", {"kind": kind, "on": today().isoformat()})
    offers.refresh_from_db()
    assert offers.retain_until == today()
    form = cecilia.get(f"{page}/uppgifter/").context["form"]
    told = {**form.initial, "email": "ny@example.se", "collected": "phone"}
    assert cecilia.post(f"{page}/uppgifter/", told).status_code == 302
    offers.refresh_from_db()
    assert offers.retain_until == date(2028, 3, 3)
