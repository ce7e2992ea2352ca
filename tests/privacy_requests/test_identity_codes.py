"""Showing who one is by a code: in a letter to the address we have, or from staff (A19, DSR-03)."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from django.utils import timezone

from customers.dates import today
from customers.models import AccessLog, Address, Customer, User
from customers.models.channels import Source
from dentalclean.roles import Role, give_role, sync_roles
from disclosures.models import Outbox
from privacy_requests import identity, proof_codes
from privacy_requests.models import ProofCode, ProvedBy
from privacy_requests.proof_codes import (
    MOST_LETTERS,
    MOST_TRIES,
    SIGNS,
    Verdict,
    confirm_by_staff,
    send_letter,
    spend,
)
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "/visa-att-det-ar-du/"
LETTER = f"{PAGE}brev/"


def code_in_the_letter() -> str:
    letters = Outbox.objects.filter(template=proof_codes.TEMPLATE, kind="letter")
    found = re.search(
        rf"^([{SIGNS}]{{5}}-[{SIGNS}]{{5}})$", letters.latest("created_at").body, re.MULTILINE
    )
    assert found
    return found[1]


def staff() -> User:
    return User.objects.get_or_create(email="cecilia@dentalclean.example", is_staff=True)[0]


def is_proven(client: Client) -> bool:
    return client.get(PAGE).status_code == 302


def test_a19_the_letter_goes_to_the_address_we_have_and_its_code_opens() -> None:
    anna = cast.person()
    client = signed_in(anna)
    edit = "/mina-uppgifter/andra/e-post/"
    client.get(edit)
    sent = text(client.post(LETTER, follow=True))
    assert "Vi skickade ett brev till adressen vi har" in sent
    assert "Räkna med det senast" in sent
    letter = Outbox.objects.get()
    assert letter.recipient == "Anna Ek\nBjörkgatan 4\n582 22 Linköping"
    code = code_in_the_letter()
    # Small letters and spaces instead of the hyphen will do.
    answer = client.post(PAGE, {"code": f" {code.lower().replace('-', ' ')} "})
    assert answer["Location"] == edit
    assert client.get(edit).status_code == 200
    assert client.session[identity.KEY]["method"] == ProvedBy.LETTER


def test_a_code_works_once() -> None:
    anna = cast.person()
    send_letter(anna)
    code = code_in_the_letter()
    assert spend(anna, code) == (Verdict.RIGHT, ProvedBy.LETTER)
    assert spend(anna, code) == (Verdict.SPENT, None)
    elsewhere = signed_in(anna)
    answer = elsewhere.post(PAGE, {"code": code})
    assert (answer.status_code, "Den koden gäller inte." in text(answer)) == (422, True)


def test_a_letter_works_for_fourteen_days() -> None:
    anna = cast.person()
    send_letter(anna)
    code = code_in_the_letter()
    known = ProofCode.objects.get()
    assert known.valid_until - known.made_at == timedelta(days=14)
    ProofCode.objects.update(valid_until=timezone.now())
    assert spend(anna, code) == (Verdict.SPENT, None)


def test_a12_the_code_is_not_in_the_database() -> None:
    anna = cast.person()
    send_letter(anna)
    plain = code_in_the_letter().replace("-", "")
    given = confirm_by_staff(anna, staff(), ProofCode.How.DOCUMENT)
    Outbox.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM privacy_requests_proofcode t")
        rows = str(cursor.fetchall())
    assert plain not in rows
    assert proof_codes.plain(given) not in rows


def test_a03_five_wrong_tries_spend_the_code() -> None:
    anna = cast.person()
    send_letter(anna)
    client = signed_in(anna)
    for _ in range(MOST_TRIES):
        assert client.post(PAGE, {"code": "AAAAA-AAAAA"}).status_code == 422
    assert client.post(PAGE, {"code": code_in_the_letter()}).status_code == 422
    assert not is_proven(client)


@pytest.mark.django_db(transaction=True)
def test_a04_tries_at_once_are_all_counted() -> None:
    anna = cast.person()
    send_letter(anna)
    verdicts: list[Verdict] = []

    def hurry() -> None:
        try:
            verdicts.append(spend(anna, "AAAAA-AAAAA")[0])
        finally:
            connections.close_all()

    people = [threading.Thread(target=hurry) for _ in range(8)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert verdicts.count(Verdict.WRONG) == MOST_TRIES - 1
    assert spend(anna, code_in_the_letter()) == (Verdict.SPENT, None)


def test_b06_two_clicks_send_one_letter() -> None:
    client = signed_in(cast.person())
    said = [text(client.post(LETTER, follow=True)) for _ in range(2)]
    assert "Klart. Brevet går med nästa post." in said[0]
    assert "Ett brev är redan på väg till dig." in said[1]
    assert ProofCode.objects.count() == Outbox.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_b06_clicks_at_once_send_one_letter() -> None:
    anna = cast.person()
    sent: list[bool] = []

    def hurry() -> None:
        try:
            sent.append(send_letter(anna))
        finally:
            connections.close_all()

    people = [threading.Thread(target=hurry) for _ in range(5)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(sent) == [False] * 4 + [True]
    assert ProofCode.objects.count() == Outbox.objects.count() == 1


def test_the_database_holds_one_live_code_of_a_kind() -> None:
    anna = cast.person()
    send_letter(anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        ProofCode.objects.create(
            customer=anna, way="letter", digest="x", valid_until=timezone.now()
        )


def test_a_letter_that_is_lost_is_sent_again_and_the_old_code_ends() -> None:
    anna = cast.person()
    send_letter(anna)
    old = code_in_the_letter()
    ProofCode.objects.update(made_at=timezone.now() - proof_codes.ANOTHER_AFTER)
    client = signed_in(anna)
    assert "Skicka ett nytt brev" in text(client.get(PAGE))
    client.post(LETTER)
    assert spend(anna, old) == (Verdict.WRONG, None)
    assert spend(anna, code_in_the_letter())[0] is Verdict.RIGHT


def test_letters_are_not_sent_without_end() -> None:
    anna = cast.person()
    for _ in range(MOST_LETTERS):
        send_letter(anna)
        ProofCode.objects.filter(ended_at=None).update(ended_at=timezone.now())
    answer = signed_in(anna).post(LETTER)
    assert answer.status_code == 409
    assert "Vi har skickat tre brev på kort tid." in text(answer)
    ProofCode.objects.update(made_at=timezone.now() - proof_codes.LETTERS_IN)
    assert send_letter(anna)


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"returned_on": today()}, {}, "Post till adressen vi har kom tillbaka."),
    ({"given_on": today() - timedelta(days=6)}, {}, "Adressen är ny."),
    ({}, {"protection": "secrecy"}, "Din adress är skyddad, så vi skickar ingen kod i brev."),
    ({}, {"protection": "registration"}, "Din adress är skyddad, så vi skickar ingen kod i brev."),
]


@pytest.mark.parametrize(("address", "person", "said"), REFUSED)
def test_a18_no_letter_goes_where_it_may_not_reach_the_person(
    address: dict[str, Any], person: dict[str, Any], said: str
) -> None:
    anna = cast.person(**person)
    if address:
        Address.objects.update(**address)
    client = signed_in(anna)
    page = text(client.get(PAGE))
    assert said in page
    assert "Skicka ett brev" not in page
    answer = client.post(LETTER)
    assert answer.status_code == 409
    assert not Outbox.objects.exists()
    assert not ProofCode.objects.exists()


def test_a_new_address_from_the_register_will_do_and_ours_after_a_week() -> None:
    anna = cast.person()
    Address.objects.update(given_on=today(), source=Source.REGISTER)
    assert proof_codes.why_no_letter(anna) == ""
    Address.objects.update(given_on=today() - timedelta(days=7), source=Source.PERSON)
    assert proof_codes.why_no_letter(anna) == ""


def test_without_an_address_there_is_no_letter() -> None:
    anna = cast.person()
    Address.objects.all().delete()
    assert "Vi har ingen adress" in text(signed_in(anna).post(LETTER))


def test_the_code_of_one_does_not_open_for_another() -> None:
    anna, björn = cast.person(), cast.person("Björn")
    send_letter(anna)
    code = code_in_the_letter()
    send_letter(björn)
    assert spend(björn, code) == (Verdict.WRONG, None)
    assert spend(anna, code)[0] is Verdict.RIGHT


@pytest.mark.parametrize("code", ["", " ", "x" * 500, "\x00", "å" * 10])
def test_a_code_that_is_none_gets_a_sentence(code: str) -> None:
    client = signed_in(cast.person())
    assert client.post(PAGE, {"code": code}).status_code == 422


# From staff


def test_staff_vouch_for_who_stands_before_them_and_it_is_logged() -> None:
    sync_roles()
    anna = cast.person()
    cecilia, client = give_role("cecilia@dentalclean.example", Role.CUSTOMER_SERVICE), Client()
    client.force_login(cecilia)
    client.post(f"/personal/customers/customer/{anna.pk}/skal/", {"reason": "calls"})
    page = f"/personal/customers/customer/{anna.pk}/legitimation/"
    assert "Se att namn och personnummer stämmer." in text(client.get(page))
    assert client.post(page, {"how": "?"}).status_code == 200
    assert not ProofCode.objects.exists()
    shown = client.post(page, {"how": "eid"})
    assert "no-store" in shown["Cache-Control"]
    found = re.search(rf"\b[{SIGNS}]{{4}}-[{SIGNS}]{{4}}\b", text(shown))
    assert found
    known = ProofCode.objects.get()
    assert (known.actor, known.how) == (cecilia, ProofCode.How.EID)
    logged = AccessLog.objects.filter(words__startswith="Legitimation kontrollerad")
    assert (logged.get().actor, logged.get().customer) == (cecilia, anna)
    browser = signed_in(anna)
    assert browser.post(PAGE, {"code": found[0]}).status_code == 302
    assert browser.session[identity.KEY]["method"] == ProvedBy.STAFF


def test_a_code_from_staff_works_for_fifteen_minutes_and_replaces_the_one_before() -> None:
    anna = cast.person()
    first, second = (confirm_by_staff(anna, staff(), ProofCode.How.DOCUMENT) for _n in range(2))
    assert spend(anna, first) == (Verdict.WRONG, None)
    ProofCode.objects.filter(ended_at=None).update(
        valid_until=timezone.now(), made_at=timezone.now() - timedelta(minutes=15)
    )
    assert spend(anna, second) == (Verdict.SPENT, None)


def test_staff_say_how_and_vouch_not_for_themselves() -> None:
    sync_roles()
    anna = cast.person()
    with pytest.raises(ValueError, match="Say how"):
        confirm_by_staff(anna, staff(), "")
    own = cast.person("Cecilia", email="c@dentalclean.example", account=False)
    cecilia, client = give_role("c@dentalclean.example", Role.CUSTOMER_SERVICE), Client()
    client.force_login(cecilia)
    page = f"/personal/customers/customer/{own.pk}/legitimation/"
    assert client.post(page, {"how": "eid"}).status_code == 403
    finance = Client()
    finance.force_login(give_role("e@dentalclean.example", Role.FINANCE))
    page = f"/personal/customers/customer/{anna.pk}/legitimation/"
    assert finance.post(page, {"how": "eid"}).status_code == 403
    assert not ProofCode.objects.exists()


def test_codes_leave_within_a_month() -> None:
    anna: Customer = cast.person()
    send_letter(anna)
    assert ProofCode.objects.get().retain_until <= today() + timedelta(days=31)
