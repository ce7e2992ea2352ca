"""Changing one's details: one thing at a time, the old value kept, undone with one click."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from customers.actions import change_details
from customers.models import Address, Change, Customer
from customers.models.channels import Collected, Source
from disclosures.models import Outbox
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PATH = "/mina-uppgifter/andra/"
NEW: dict[str, dict[str, str]] = {
    "namn": {"given_name": "Anna-Lena", "family_name": "Å. Ek"},
    "mobil": {"phone": "070-174 06 05"},
    "adress": {"street": "Storgatan 9", "postcode": "111 22", "city": "Stockholm"},
    "sprak": {"language": "en"},
}


def save(client: Any, customer: Customer, field: str, **values: str) -> Any:
    customer.refresh_from_db()
    return client.post(f"{PATH}{field}/", {"version": customer.version, **values})


@pytest.mark.parametrize("field", NEW)
def test_the_new_value_holds_at_once_and_the_old_one_is_kept(field: str) -> None:
    anna = cast.person()
    client = signed_in(anna)
    old = text(client.get(f"{PATH}{field}/"))
    assert "Det vi har nu" in old
    answer = save(client, anna, field, **NEW[field])
    assert answer["Location"] == f"/mina-uppgifter/?andrad={field}"
    changes = Change.objects.filter(customer=anna)
    assert changes.exists()
    assert {c.source for c in changes} == {Source.PERSON}
    page = text(client.get(answer["Location"]))
    assert "Klart. Vi har sparat" in page
    assert "Ångra" in page


def test_values_are_stored_as_the_rules_say() -> None:
    anna = cast.person()
    client = signed_in(anna)
    for field, values in NEW.items():
        save(client, anna, field, **values)
    anna.refresh_from_db()
    home = Address.objects.get(customer=anna)
    assert anna.name == "Anna-Lena Å. Ek"
    assert (anna.phone, anna.language) == ("+46701740605", "en")
    assert home.line == "Storgatan 9, 111 22 Stockholm"


@pytest.mark.parametrize("field", NEW)
def test_undo_puts_back_what_was(field: str) -> None:
    anna = cast.person()
    before = (anna.name, anna.phone, anna.language, Address.objects.get().line)
    client = signed_in(anna)
    save(client, anna, field, **NEW[field])
    answer = client.post(f"{PATH}{field}/angra/", follow=True)
    assert "Det som stod förut gäller igen." in text(answer)
    anna.refresh_from_db()
    home = Address.objects.get(customer=anna)
    assert (anna.name, anna.phone, anna.language, home.line) == before


def test_there_is_nothing_to_undo_of_what_others_changed() -> None:
    anna = cast.person()
    change_details(anna, {"phone": "+46701740605"}, source=Source.STAFF, collected=Collected.PHONE)
    client = signed_in(anna)
    assert "Ångra" not in text(client.get("/mina-uppgifter/?andrad=mobil"))
    assert "inget att ångra" in text(client.post(f"{PATH}mobil/angra/", follow=True))
    anna.refresh_from_db()
    assert anna.phone == "+46701740605"


def test_the_page_shows_earlier_values_and_who_changed_them() -> None:
    anna = cast.person()
    change_details(
        anna, {"street": "Storgatan 9"}, source=Source.REGISTER, collected=Collected.REGISTER
    )
    page = text(signed_in(anna).get(f"{PATH}adress/"))
    assert "Björkgatan 4 Ändrat" in page
    assert "Folkbokföringen." in page


def test_who_writes_at_the_same_time_sees_both_values() -> None:
    anna = cast.person()
    client = signed_in(anna)
    stale = anna.version
    change_details(
        anna, {"street": "Storgatan 9"}, source=Source.REGISTER, collected=Collected.REGISTER
    )
    typed = {"street": "Lillgatan 1", "postcode": "58222", "city": "Linköping"}
    answer = client.post(f"{PATH}adress/", {"version": stale, **typed})
    assert answer.status_code == 409
    assert "Dina uppgifter ändrades medan du skrev." in text(answer)
    assert "Storgatan 9" in text(answer)
    page = answer.content.decode()
    assert 'value="Lillgatan 1"' in page
    assert f'name="version" value="{stale + 1}"' in page
    assert Address.objects.get(customer=anna).street == "Storgatan 9"
    save(client, anna, "adress", **typed)
    assert Address.objects.get(customer=anna).street == "Lillgatan 1"


def test_saving_what_already_is_changes_nothing() -> None:
    anna = cast.person()
    client = signed_in(anna)
    answer = save(client, anna, "mobil", phone=anna.phone)
    assert answer.status_code == 302
    assert not Change.objects.exists()
    assert not Outbox.objects.exists()


def test_a_mobile_can_be_taken_away_and_added() -> None:
    anna = cast.person()
    client = signed_in(anna)
    save(client, anna, "mobil", phone="")
    anna.refresh_from_db()
    assert anna.phone == ""
    assert "Lägg till mobil" in text(client.get("/mina-uppgifter/"))


BAD = [
    ("namn", {"given_name": "", "family_name": "Ek"}, "Skriv ditt förnamn."),
    ("namn", {"given_name": "A\x00", "family_name": "Ek"}, "tecken som inte går att läsa"),
    ("namn", {"given_name": "A\u202eB", "family_name": "Ek"}, "tecken som inte går att läsa"),
    ("namn", {"given_name": "A" * 500_000, "family_name": "Ek"}, "Skriv högst 100 tecken."),
    ("mobil", {"phone": "12"}, "Skriv ett telefonnummer"),
    ("mobil", {"phone": "\ud800"}, "Skriv ett telefonnummer"),
    ("adress", {"street": "", "postcode": "58222", "city": "X"}, "Skriv gata och nummer"),
    ("adress", {"street": "S 1", "postcode": "1234", "city": "X"}, "Skriv postnumret med fem"),
    ("sprak", {"language": "xx"}, "Välj svenska eller engelska."),
    ("sprak", {}, "Välj svenska eller engelska."),
]


@pytest.mark.parametrize(("field", "values", "said"), BAD, ids=range(len(BAD)))
def test_bad_input_gets_a_sentence_and_changes_nothing(
    field: str, values: dict[str, str], said: str
) -> None:
    anna = cast.person()
    sent = {key: value.encode("utf-8", "replace").decode() for key, value in values.items()}
    answer = save(signed_in(anna), anna, field, **sent)
    assert answer.status_code == 200
    assert said in text(answer)
    assert "Fel:" in text(answer)
    assert not Change.objects.exists()


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999"])
def test_a_version_that_is_none_asks_to_load_the_page_again(version: str) -> None:
    anna = cast.person()
    values = {"version": version, **NEW["namn"]}
    assert signed_in(anna).post(f"{PATH}namn/", values).status_code == 200
    assert not Change.objects.exists()


def test_more_than_a_megabyte_is_refused_whole() -> None:
    anna = cast.person()
    answer = save(signed_in(anna), anna, "namn", given_name="A" * 2_000_000, family_name="Ek")
    assert answer.status_code == 400
    assert "Vi kunde inte läsa det du skickade." in text(answer)


def test_a_file_that_nobody_asked_for_is_not_kept() -> None:
    anna = cast.person()
    file = SimpleUploadedFile("x", b"x" * 5_000_000)
    values = {"version": anna.version, **NEW["namn"], "extra": file}
    answer = signed_in(anna).post(f"{PATH}namn/", values)
    assert answer.status_code == 302
    assert not answer.wsgi_request.FILES


def test_ten_thousand_fields_are_refused_whole() -> None:
    anna = cast.person()
    fields = {f"f{n}": "x" for n in range(10_000)}
    assert save(signed_in(anna), anna, "namn", **fields).status_code == 400


def test_fields_of_other_things_are_ignored() -> None:
    anna, björn = cast.person(), cast.person("Björn")
    extra = {"customer_id": str(björn.pk), "protection": "secrecy", "email": "x@example.se"}
    save(signed_in(anna), anna, "namn", **NEW["namn"], **extra)
    for customer in (anna, björn):
        customer.refresh_from_db()
    assert (anna.protection, anna.email) == ("", "anna@example.se")
    assert björn.given_name == "Björn"


@pytest.mark.parametrize("field", ["personnummer", "email", "is_staff", "x" * 300])
def test_what_cannot_be_changed_here_does_not_exist(field: str) -> None:
    client = signed_in(cast.person())
    assert client.get(f"{PATH}{field}/").status_code == 404
    assert client.post(f"{PATH}{field}/angra/").status_code == 404


def test_a_link_to_undo_changes_nothing() -> None:
    anna = cast.person()
    client = signed_in(anna)
    save(client, anna, "mobil", phone="")
    assert client.get(f"{PATH}mobil/angra/")["Location"] == "/mina-uppgifter/"
    anna.refresh_from_db()
    assert anna.phone == ""
