"""Holds by decision: one role places and lifts them, through their own acts."""

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.dates import today
from customers.models import Customer
from retention.actions import execute, open_run
from retention.holds import HoldError, lift_hold, place_hold
from retention.models import Hold
from tests import cast

pytestmark = pytest.mark.django_db

ADD = "/personal/retention/hold/add/"
LIST = "/personal/retention/hold/"


def sent(customer: Customer, **changed: str) -> dict[str, str]:
    day = (today() + timedelta(days=90)).isoformat()
    plain = {"number": customer.number, "ground": "manual", "reason": "Tvist", "review_on": day}
    return plain | changed


def test_a_hold_keeps_a_person_past_the_night_and_lets_go_when_lifted(disa: Client) -> None:
    anna = cast.person("Anna", since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    assert disa.post(ADD, sent(anna)).status_code == 302
    hold = Hold.objects.get(customer=anna)
    assert hold.owner is not None
    assert hold.owner.email == "disa@dentalclean.example"
    execute(open_run(date(2026, 1, 1))[0])
    assert Customer.objects.get(pk=anna.pk).given_name == "Anna"
    disa.post(LIST, {"action": "lift", "_selected_action": [hold.pk]})
    hold.refresh_from_db()
    assert hold.lifted_at is not None
    execute(open_run(date(2026, 1, 2))[0])
    assert Customer.objects.get(pk=anna.pk).given_name == ""


def test_the_log_of_a_hold_belongs_to_the_person_and_names_nobody(disa: Client) -> None:
    anna = cast.person("Anna")
    disa.post(ADD, sent(anna, reason="Anna Ek tvistar"))
    (entry,) = LogEntry.objects.all()
    assert (entry.object_id, entry.object_repr) == (str(anna.pk), anna.number)
    assert "Anna" not in entry.change_message


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("number", "DC1", "Det finns ingen kund med det numret"),
        ("reason", "", ""),
        ("reason", "a\x00b", ""),
        ("review_on", "2020-01-01", "Skriv en dag efter i dag."),
        ("ground", "case", ""),
    ],
)
def test_bad_input_places_nothing(disa: Client, field: str, value: str, sentence: str) -> None:
    answer = disa.post(ADD, sent(cast.person("Anna"), **{field: value}))
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not Hold.objects.exists()


def test_others_neither_place_nor_lift(cecilia: Client, olle: Client) -> None:
    anna = cast.person("Anna")
    hold = Hold.objects.create(customer=anna, ground="manual")
    for client in (cecilia, olle):
        assert client.post(ADD, sent(anna)).status_code == 403
        client.post(LIST, {"action": "lift", "_selected_action": [hold.pk]})
    hold.refresh_from_db()
    assert hold.lifted_at is None
    assert Hold.objects.count() == 1


def test_a_hold_of_a_case_is_lifted_by_the_case(disa: Client) -> None:
    anna = cast.person("Anna")
    hold = Hold.objects.create(customer=anna, ground="case", reference="case:17")
    answer = disa.post(LIST, {"action": "lift", "_selected_action": [hold.pk]}, follow=True)
    assert "hör till ett ärende" in answer.content.decode()
    hold.refresh_from_db()
    assert hold.lifted_at is None


def test_the_acts_say_what_is_missing() -> None:
    anna = cast.person("Anna")
    assert anna.user is not None
    ahead = today() + timedelta(days=1)
    with pytest.raises(HoldError, match="needs a reason"):
        place_hold(anna, ground="manual", reason=" ", owner=anna.user, review_on=ahead)
    with pytest.raises(HoldError, match="later day"):
        place_hold(anna, ground="manual", reason="Tvist", owner=anna.user, review_on=today())
    hold = place_hold(anna, ground="manual", reason="Tvist", owner=anna.user, review_on=ahead)
    first = lift_hold(hold).lifted_at
    assert lift_hold(hold).lifted_at == first
