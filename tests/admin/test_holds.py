"""Holds by decision: one role places and lifts them, through their own acts."""

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from customers.dates import today
from customers.models import Customer, User
from customers.personal_data import Category
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
    trace = anna.readings.get()
    assert (trace.reason, trace.words) == ("case", "")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("number", "DC1", "Det finns ingen kund med det numret"),
        ("reason", "", ""),
        ("reason", "a\x00b", ""),
        ("review_on", "2020-01-01", "Skriv en dag efter i dag."),
        ("review_on", (today() + timedelta(days=250)).isoformat(), "inom sex månader"),
        ("ground", "case", ""),
        ("kinds", "3", ""),
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


def test_a_hold_keeps_only_the_kinds_that_are_chosen(disa: Client) -> None:
    anna = cast.person("Anna", since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    cast.order(anna, date(2022, 9, 1), date(2022, 9, 2))
    body = {**sent(anna, ground="books"), "kinds": [str(Category.PURCHASES.value)]}
    assert disa.post(ADD, body).status_code == 302
    assert Hold.objects.get().categories == Category.PURCHASES
    execute(open_run(date(2026, 1, 1))[0])
    anna.refresh_from_db()
    assert (anna.given_name, anna.orders.count()) == ("", 1)


def late_hold(customer: Customer) -> Hold:
    owner = User.objects.get(email="disa@dentalclean.example")
    return Hold.objects.create(
        customer=customer,
        ground="dispute",
        reason="Mål T 12-26",
        owner=owner,
        review_on=today() - timedelta(days=3),
    )


def test_the_first_page_tells_the_officer_of_holds_nobody_has_reviewed(
    disa: Client, cecilia: Client
) -> None:
    hold = late_hold(cast.person("Anna"))
    text = disa.get("/personal/").content.decode()
    assert "En spärr mot radering skulle ha omprövats." in text
    assert f"/personal/retention/hold/{hold.pk}/change/" in text
    assert "Anna" not in text
    assert "ha omprövats" not in cecilia.get("/personal/").content.decode()


def test_a_review_is_a_decision_with_a_reason_and_a_day(disa: Client, cecilia: Client) -> None:
    anna = cast.person("Anna")
    hold = late_hold(anna)
    page = f"/personal/retention/hold/{hold.pk}/omprova/"
    assert cecilia.get(page).status_code == 403
    disa.post(f"/personal/customers/customer/{anna.pk}/skal/", {"reason": "case", "words": ""})
    assert "Mål T 12-26." in disa.get(page).content.decode()
    far_off = (today() + timedelta(days=300)).isoformat()
    refused = disa.post(page, {"reason": "Målet pågår", "review_on": far_off})
    assert "inom sex månader" in refused.content.decode()
    soon = today() + timedelta(days=100)
    assert disa.post(page, {"reason": "Målet pågår", "review_on": soon}).status_code == 302
    hold.refresh_from_db()
    assert hold.review_on == soon
    assert "Målet pågår" in disa.get(f"/personal/retention/hold/{hold.pk}/change/").content.decode()
    assert "skulle ha omprövats" not in disa.get("/personal/").content.decode()


def test_what_is_over_or_belongs_to_a_case_is_not_reviewed(disa: Client) -> None:
    anna = cast.person("Anna")
    disa.post(f"/personal/customers/customer/{anna.pk}/skal/", {"reason": "case", "words": ""})
    case = Hold.objects.create(customer=anna, ground="case", reference="case:17")
    over = Hold.objects.create(customer=anna, ground="manual", lifted_at=cast.noon(today()))
    for hold in (case, over):
        assert disa.get(f"/personal/retention/hold/{hold.pk}/omprova/").status_code == 403
