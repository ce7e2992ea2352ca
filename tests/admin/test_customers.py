"""People in the admin: found by whole values, read with a reason and a trace, never deleted."""

import json
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client

from customers.actions import set_national_id
from customers.dates import today
from customers.models import AccessLog, Address, Change, Customer
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db

LIST = "/personal/customers/customer/"
NUMBER = "199006022397"  # a published test number


def page(customer: Customer) -> str:
    return f"{LIST}{customer.pk}/change/"


def found(client: Client, term: str) -> set[str]:
    answer = client.post(LIST, {"q": term})
    assert answer.status_code == 200
    return {person.number for person in answer.context["cl"].result_list}


def test_the_list_says_number_and_relation_and_no_name(cecilia: Client) -> None:
    anna = cast.person("Anna", family_name="Bergström")
    answer = cecilia.get(LIST)
    text = answer.content.decode()
    assert anna.number in text
    assert "Har inte köpt" in text
    for told in ("Anna", "Bergström", "anna@example.se", "0701740635", "Björkgatan"):
        assert told not in text


@pytest.mark.parametrize("written", ["anna@example.se", " ANNA@example.se ", "070-174 06 35"])
def test_a_person_is_found_by_the_whole_value(cecilia: Client, written: str) -> None:
    anna = cast.person("Anna")
    cast.person("Björn", email="bjorn@example.se", phone="+46701740636")
    assert found(cecilia, written) == {anna.number}


def test_a_person_is_found_by_number_and_by_national_id(cecilia: Client) -> None:
    anna = cast.person("Anna")
    set_national_id(anna, NUMBER)
    assert found(cecilia, anna.number.lower()) == {anna.number}
    assert found(cecilia, "19900602-2397") == {anna.number}
    assert found(cecilia, "900602-2397") == {anna.number}


@pytest.mark.parametrize(
    "part", ["anna", "anna@", "@example.se", "070174", "DC", "199006", "%", "Ek"]
)
def test_nobody_is_found_by_a_part(cecilia: Client, part: str) -> None:
    set_national_id(cast.person("Anna"), NUMBER)
    assert found(cecilia, part) == set()


def test_what_is_searched_for_never_stands_in_an_address(cecilia: Client) -> None:
    anna = cast.person("Anna")
    answer = cecilia.get(LIST, {"q": "anna@example.se"})
    assert (answer.status_code, answer["Location"]) == (302, LIST)
    text = cecilia.post(LIST, {"q": "anna@example.se"}).content.decode()
    assert f"{LIST}{anna.pk}/change/" in text
    assert "anna%40" not in text
    assert "?_changelist_filters" not in text


@pytest.mark.parametrize(
    "query",
    [
        "email__startswith=a",
        "email=anna@example.se",
        "given_name=Anna",
        "phone__contains=7",
        "national_id_hash__isnull=1",
        "user__password__startswith=p",
        "changes__old__contains=a",
        "protection__startswith=s",
        "number__gte=DC1",
    ],
)
def test_the_query_string_answers_no_question_about_people(cecilia: Client, query: str) -> None:
    cast.person("Anna")
    assert cecilia.get(f"{LIST}?{query}").status_code == 400


def test_completing_what_one_types_is_not_offered(superuser: Client) -> None:
    cast.person("Anna")
    query = "app_label=customers&model_name=address&field_name=customer&term=anna@example.se"
    assert superuser.get(f"/personal/autocomplete/?{query}").status_code == 404


def test_a_reason_is_asked_for_once_per_person_and_session(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna, bjorn = cast.person("Anna"), cast.person("Björn", email="bjorn@example.se")
    answer = cecilia.get(page(anna))
    assert answer.status_code == 302
    assert answer["Location"].startswith(f"{LIST}{anna.pk}/skal/")
    assert desk.readings(anna) == []
    asked = cecilia.get(answer["Location"]).content.decode()
    assert "Anna" not in asked
    assert desk.says_why(cecilia, anna) == page(anna)
    assert cecilia.get(page(anna)).status_code == 200
    assert cecilia.get(page(anna)).status_code == 200
    assert cecilia.get(page(bjorn)).status_code == 302


def test_the_reason_leads_nowhere_but_here(cecilia: Client) -> None:
    anna = cast.person("Anna")
    for elsewhere in ("https://example.com/", "//example.com", "javascript:alert(1)"):
        answer = cecilia.post(f"{LIST}{anna.pk}/skal/?next={elsewhere}", {"reason": "calls"})
        assert answer["Location"] == page(anna)


def test_looking_for_a_fault_asks_for_words(cecilia: Client) -> None:
    anna = cast.person("Anna")
    answer = cecilia.post(f"{LIST}{anna.pk}/skal/", {"reason": "fault"})
    assert answer.status_code == 200
    assert "Skriv vilket fel du söker." in answer.content.decode()


def test_each_page_shown_about_a_person_leaves_one_row(cecilia: Client, desk: type[Desk]) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna, "writes", "fråga om en leverans")
    cecilia.get(page(anna))
    cecilia.get(f"{LIST}{anna.pk}/history/")
    row = ("cecilia@dentalclean.example", "writes", "fråga om en leverans")
    assert desk.readings(anna) == [row, row]


def test_what_cannot_be_logged_is_not_shown(
    cecilia: Client, desk: type[Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION ''full''; END'"
        )
        cursor.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON customers_accesslog "
            "FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    cecilia.raise_request_exception = False
    answer = cecilia.get(page(anna))
    assert answer.status_code == 500
    assert "Anna" not in answer.content.decode()


def test_a_reading_is_never_changed_or_removed_before_its_day(
    cecilia: Client, desk: type[Desk]
) -> None:
    desk.opens(cecilia, cast.person("Anna"))
    for act in (
        lambda: AccessLog.objects.update(reason="case"),
        lambda: AccessLog.objects.all().delete(),
    ):
        with pytest.raises(Exception, match=r"as it was written|is kept to"), _savepoint():
            act()


def _savepoint() -> Any:
    from django.db import transaction

    return transaction.atomic()


def test_the_page_shows_facts_from_every_room(cecilia: Client, desk: type[Desk]) -> None:
    anna = cast.person("Anna")
    set_national_id(anna, NUMBER)
    order = cast.order(anna, today())
    invoice = cast.invoice(anna, today())
    text = desk.opens(cecilia, anna)
    for told in (
        "Anna Ek",
        "anna@example.se",
        "070-174 06 35",
        "Björkgatan 4",
        order.number,
        f"<td>{invoice.number}</td>",
        "19900602-****",
    ):
        assert told in text
    assert "2397" not in text
    assert 'name="given_name"' not in text


@pytest.mark.parametrize("who", ["cecilia", "disa", "erik", "superuser"])
def test_people_are_not_added_edited_in_place_or_deleted(
    who: str, request: pytest.FixtureRequest, desk: type[Desk]
) -> None:
    client = request.getfixturevalue(who)
    anna = cast.person("Anna")
    desk.says_why(client, anna)
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(f"{LIST}{anna.pk}/delete/").status_code == 403
    assert client.post(f"{LIST}{anna.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.post(page(anna), {"given_name": "Mallory"}).status_code == 403
    client.post(LIST, {"action": "delete_selected", "_selected_action": [anna.pk], "post": "yes"})
    assert Customer.objects.get(pk=anna.pk).given_name == "Anna"


def test_a_correction_keeps_what_was_and_says_whose_word_it_is(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    url = f"{LIST}{anna.pk}/uppgifter/"
    form = cecilia.get(url).context["form"]
    sent = {**form.initial, "collected": "phone"}
    sent |= {"email": "Anna.Ny@Example.se", "street": "Nygatan 1"}
    answer = cecilia.post(url, sent)
    assert (answer.status_code, answer["Location"]) == (302, page(anna))
    anna.refresh_from_db()
    assert anna.email == "anna.ny@example.se"
    assert Address.objects.get(customer=anna).street == "Nygatan 1"
    changes = Change.objects.filter(customer=anna).order_by("field")
    assert list(changes.values_list("field", "old", "source", "collected", "actor__email")) == [
        ("email", "anna@example.se", "staff", "phone", "cecilia@dentalclean.example"),
        ("street", "Björkgatan 4", "staff", "phone", "cecilia@dentalclean.example"),
    ]


def test_the_admin_log_of_a_correction_holds_no_personal_value(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    url = f"{LIST}{anna.pk}/uppgifter/"
    form = cecilia.get(url).context["form"]
    cecilia.post(url, {**form.initial, "email": "ny@example.se", "collected": "phone"})
    (entry,) = LogEntry.objects.all()
    assert entry.object_repr == anna.number
    assert json.loads(entry.change_message) == [{"changed": {"fields": ["E-post"]}}]
    for row in LogEntry.objects.values_list():
        for told in ("Anna", "Ek", "example.se"):
            assert told not in str(row)


def test_a_correction_of_what_somebody_else_just_changed_is_shown_again(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    url = f"{LIST}{anna.pk}/uppgifter/"
    sent = {**cecilia.get(url).context["form"].initial, "collected": "phone"}
    cecilia.post(url, {**sent, "city": "Norrköping"})
    answer = cecilia.post(url, {**sent, "city": "Motala"})
    assert answer.status_code == 200
    assert "medan du skrev" in answer.content.decode()
    assert Address.objects.get(customer=anna).city == "Norrköping"
    again = answer.context["form"].data
    assert cecilia.post(url, again).status_code == 302
    assert Address.objects.get(customer=anna).city == "Motala"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "anna", "Skriv en e-postadress med @"),
        ("phone", "12", "Skriv ett telefonnummer"),
        ("postcode", "5822", "Skriv postnumret med fem siffror"),
        ("given_name", "A\x00nna", ""),
        ("given_name", "A" * 1_000, "100"),
        ("given_name", "Anna\u202e", "tecken som inte går att läsa"),
        ("street", "", "Skriv hela adressen"),
        ("collected", "telepathy", ""),
    ],
)
def test_bad_input_is_refused_in_a_sentence_and_changes_nothing(
    cecilia: Client, desk: type[Desk], field: str, value: str, sentence: str
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    url = f"{LIST}{anna.pk}/uppgifter/"
    sent = {**cecilia.get(url).context["form"].initial, "collected": "phone", field: value}
    answer = cecilia.post(url, sent)
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert not Change.objects.exists()


def test_finance_reads_but_does_not_correct(erik: Client, desk: type[Desk]) -> None:
    anna = cast.person("Anna")
    assert "Ändra kontaktuppgifter" not in desk.opens(erik, anna)
    assert erik.get(f"{LIST}{anna.pk}/uppgifter/").status_code == 403


def test_operations_see_no_people(olle: Client) -> None:
    anna = cast.person("Anna")
    assert olle.get(LIST).status_code == 403
    assert olle.get(page(anna)).status_code == 403


def test_a_protected_identity_is_hidden_from_all_but_one_role(
    cecilia: Client, erik: Client, disa: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna", family_name="Bergström", protection="secrecy")
    anna.support_cases.create(subject="Bor hos Maria", collected="phone")
    told = ("Anna", "Bergström", "anna@example.se", "070-174", "Björkgatan", "Linköping", "Maria")
    for client in (cecilia, erik):
        text = desk.opens(client, anna)
        assert "Skyddad" in text
        for word in told:
            assert word not in text
        assert client.get(f"{LIST}{anna.pk}/uppgifter/").status_code == 403
    text = desk.opens(disa, anna)
    for word in told:
        assert word in text
    assert "Skyddad" in cecilia.get(LIST).content.decode()


def test_a_list_of_people_asks_as_little_for_fifty_as_for_one(
    cecilia: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        cast.person(f"P{n}", email=f"p{n}@example.se", notice=False)
    with django_assert_max_num_queries(9):
        assert cecilia.get(LIST).status_code == 200


def test_strangers_and_customers_are_sent_away(client: Client) -> None:
    anna = cast.person("Anna")
    for who in (None, anna.user):
        if who:
            client.force_login(who)
        for url in ("/personal/", LIST, page(anna), f"{LIST}{anna.pk}/skal/"):
            assert client.get(url).status_code in (302, 403, 404)
    assert AccessLog.objects.count() == 0


def test_a_number_that_is_no_national_id_raises_nothing() -> None:
    from customers.rules import clean_national_id

    with pytest.raises(ValidationError):
        clean_national_id("070-174 06 35")


def test_staff_change_where_mail_goes_and_never_who_signs_in(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = cast.person("Anna")
    desk.says_why(cecilia, anna)
    address = f"{LIST}{anna.pk}/uppgifter/"
    form = cecilia.get(address)
    assert "Inloggningen följer inte med." in form.content.decode()
    told = {**form.context["form"].initial, "email": "ny@example.se", "collected": "phone"}
    assert cecilia.post(address, told).status_code == 302
    anna.refresh_from_db()
    assert anna.email == "ny@example.se"
    assert anna.user is not None
    assert anna.user.email == "anna@example.se"
