"""Changing the e-mail address: proof, a code to the new one, a week to take it back (A18, K09)."""

import re
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.db import connections
from django.test import Client
from django.utils import timezone

from customers.models import Change, Customer, Session, User
from dentalclean.email_changes import MOST_TRIES, ask_change, confirm
from dentalclean.roles import Role, give_role, sync_roles
from disclosures.models import Outbox
from privacy_requests import identity
from privacy_requests.identity import Proof
from privacy_requests.models import EmailChange, ProvedBy
from privacy_requests.proof_codes import Verdict
from tests import cast
from tests.doors import code_in_the_mail, signed_in, text
from tests.privacy_requests.doing import identified

pytestmark = pytest.mark.django_db

EDIT, CODE = "/mina-uppgifter/andra/e-post/", "/mina-uppgifter/andra/e-post/kod/"
BACK = "/e-post/tillbaka/"
NEW = "ny@example.se"


def ready(customer: Customer) -> Client:
    """Return the client of somebody who has just shown who they are."""
    return identified(signed_in(customer), customer)


def ask(client: Client, customer: Customer, email: str = NEW) -> Any:
    customer.refresh_from_db()
    return client.post(EDIT, {"version": customer.version, "email": email})


def change(client: Client, customer: Customer, email: str = NEW) -> Any:
    """Go all the way to a new address."""
    assert ask(client, customer, email)["Location"] == CODE
    return client.post(CODE, {"code": code_in_the_mail(email)})


def link_to(address: str) -> str:
    """Return the way in the latest mail to an address by which the change is taken back."""
    mails = Outbox.objects.filter(recipient=address, template="email_changed")
    found = re.search(
        rf"^{project.SITE_URL}({BACK}\S+)$", mails.latest("created_at").body, re.MULTILINE
    )
    assert found
    return found[1]


def taken_back(link: str) -> Any:
    """Follow a link without being signed in and press the button."""
    stranger = Client()
    assert stranger.get(link)["Location"] == BACK
    return stranger.post(BACK)


def test_the_new_address_holds_when_the_code_from_it_is_typed() -> None:
    anna = cast.person()
    client, elsewhere = ready(anna), signed_in(anna)
    ask(client, anna, " Ny@Example.se")
    anna.refresh_from_db()
    assert (anna.email, Outbox.objects.filter(recipient="anna@example.se").count()) == (
        "anna@example.se",
        0,
    )
    code = code_in_the_mail(NEW)
    answer = client.post(CODE, {"code": f"{code[:3]} {code[3:]}"}, follow=True)
    assert "Klart. Du loggar in med den nya adressen från nu." in text(answer)
    assert "Ett utdrag kan du hämta igen" in text(answer)
    anna.refresh_from_db()
    assert anna.email == User.objects.get(pk=anna.user_id).email == NEW
    told = Outbox.objects.filter(template="email_changed")
    assert set(told.values_list("recipient", flat=True)) == {"anna@example.se", NEW}
    assert not any("anna@" in mail.body or "ny@" in mail.body for mail in told)
    assert BACK not in told.get(recipient=NEW).body
    # Every other session is over.
    assert client.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert Session.objects.filter(user=anna.user_id).count() == 1
    assert EmailChange.objects.get().proved_by == ProvedBy.STAFF


def test_a18_the_address_is_not_changed_by_who_only_reads_the_mail() -> None:
    anna = cast.person()
    client = signed_in(anna)
    assert ask(client, anna)["Location"] == "/visa-att-det-ar-du/"
    assert client.get(CODE)["Location"] == "/mina-uppgifter/"
    assert client.post(EDIT + "angra/").status_code == 404
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"
    assert not Outbox.objects.exists()


def test_a18_the_old_address_takes_the_change_back_without_signing_in() -> None:
    anna = cast.person()
    client = ready(anna)
    change(client, anna)
    link = link_to("anna@example.se")
    stranger = Client()
    shown = stranger.get(link, follow=True)
    assert "a•••@example.se" in text(shown)
    assert shown["Cache-Control"].startswith("max-age=0")
    anna.refresh_from_db()
    assert anna.email == NEW
    assert "Bytet är taget tillbaka" in text(stranger.post(BACK))
    anna.refresh_from_db()
    assert anna.email == User.objects.get(pk=anna.user_id).email == "anna@example.se"
    assert not Session.objects.filter(user=anna.user_id).exists()
    assert client.get("/").status_code == 302
    # The new address signs nobody in, and the wait goes on.
    Client().post("/konto/logga-in/", {"email": NEW})
    assert not Outbox.objects.filter(recipient=NEW, template="login_code").exists()
    waits = identity.waits_until(anna)
    assert waits is not None
    assert waits > timezone.now() + timedelta(days=6, hours=23)
    # Again, and by the browser's button: said, and nothing more done.
    version = anna.version
    assert "Bytet är taget tillbaka" in text(stranger.post(BACK))
    anna.refresh_from_db()
    assert anna.version == version


def test_a18_taking_back_takes_later_changes_and_their_links_with_it() -> None:
    anna = cast.person()
    thief = ready(anna)
    change(thief, anna)
    change(thief, anna, "nyare@example.se")
    ask(thief, anna, "nyast@example.se")
    assert taken_back(link_to("anna@example.se")).status_code == 200
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"
    # The thief's own link would have brought the thief's address back.
    assert taken_back(link_to(NEW)).status_code == 200
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"
    assert not EmailChange.objects.pending().exists()


def test_a09_taking_back_ends_every_session_also_where_the_address_is_back_already() -> None:
    anna = cast.person()
    thief = ready(anna)
    change(thief, anna)
    link = link_to("anna@example.se")
    change(thief, anna, "anna@example.se")
    assert thief.get("/mer/").status_code == 200
    assert taken_back(link).status_code == 200
    assert thief.get("/mer/").status_code == 302


def test_d09_staff_read_neither_the_codes_nor_the_link() -> None:
    sync_roles()
    anna = cast.person()
    change(ready(anna), anna)
    disa = Client()
    disa.force_login(give_role("disa@dentalclean.example", Role.DATA_PROTECTION))
    disa.post(f"/personal/customers/customer/{anna.pk}/skal/", {"reason": "case"})
    for message in Outbox.objects.filter(customer=anna):
        page = text(disa.get(f"/personal/disclosures/outbox/{message.pk}/change/"))
        assert "Innehåller en kod och visas inte" in page
        assert BACK not in page


def test_a_link_works_for_seven_days() -> None:
    anna = cast.person()
    change(ready(anna), anna)
    link = link_to("anna@example.se")
    EmailChange.objects.update(changed_at=timezone.now() - timedelta(days=7, seconds=1))
    late = taken_back(link)
    assert (late.status_code, "Länken gäller inte längre" in text(late)) == (410, True)
    anna.refresh_from_db()
    assert anna.email == NEW


@pytest.mark.parametrize("token", ["x", "MTI:1abc:forged", "%00", "x" * 2000])
def test_a_forged_link_does_nothing(token: str) -> None:
    assert taken_back(f"{BACK}{token}/").status_code == 404


def test_an_address_that_somebody_took_meanwhile_is_not_given_back() -> None:
    anna = cast.person()
    change(ready(anna), anna)
    cast.person("Björn", email="anna@example.se")
    assert taken_back(link_to("anna@example.se")).status_code == 409
    anna.refresh_from_db()
    assert anna.email == NEW


def test_a21_an_address_of_somebody_else_is_not_taken_and_looks_like_any_other() -> None:
    anna, björn = cast.person(), cast.person("Björn", email="bjorn@example.se")
    client = ready(anna)
    pages = []
    for email in (NEW, "bjorn@example.se"):
        assert ask(client, anna, email)["Location"] == CODE
        answers = (client.get(CODE), client.post(CODE, {"code": "0"}))
        pages.append([text(answer).replace(email, "X") for answer in answers])
    assert pages[0] == pages[1]
    told = Outbox.objects.get(recipient="bjorn@example.se")
    assert (told.template, told.customer) == ("email_taken", björn)
    assert not re.search(r"\d{6}", told.body)
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"


def test_a21_who_is_first_to_confirm_gets_the_address() -> None:
    anna, björn = cast.person(), cast.person("Björn")
    ours, theirs = ready(anna), ready(björn)
    ask(ours, anna)
    first = code_in_the_mail(NEW)
    change(theirs, björn)
    answer = ours.post(CODE, {"code": first})
    assert answer.status_code == 409
    assert "Den adressen kan vi inte lägga in härifrån." in text(answer)
    assert User.objects.get(email=NEW).pk == björn.user_id


def test_a03_five_wrong_tries_spend_the_code() -> None:
    anna = cast.person()
    client = ready(anna)
    ask(client, anna)
    code = code_in_the_mail(NEW)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(MOST_TRIES):
        assert client.post(CODE, {"code": wrong}).status_code == 422
    assert client.post(CODE, {"code": code})["Location"] == "/mina-uppgifter/"
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"


def test_a_code_ends_after_half_an_hour() -> None:
    anna = cast.person()
    client = ready(anna)
    ask(client, anna)
    EmailChange.objects.update(valid_until=timezone.now())
    assert client.post(CODE, {"code": code_in_the_mail(NEW)})["Location"] == "/mina-uppgifter/"
    assert "Inget byte väntar på en kod." in text(client.get("/mina-uppgifter/"))


def test_b06_two_clicks_ask_once_and_change_once() -> None:
    anna = cast.person()
    client = ready(anna)
    for _ in range(2):
        assert ask(client, anna)["Location"] == CODE
    assert Outbox.objects.filter(template="email_code").count() == 1
    code = code_in_the_mail(NEW)
    for _ in range(2):
        assert client.post(CODE, {"code": code})["Location"] == "/mina-uppgifter/"
    assert EmailChange.objects.count() == 1
    assert Change.objects.filter(field="email").count() == 1
    assert Outbox.objects.filter(template="email_changed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_b06_confirming_at_once_changes_once() -> None:
    anna = cast.person()
    proof = Proof(ProvedBy.EID, "urn:x", timezone.now())
    asked = ask_change(anna, NEW, proof)
    code, verdicts = code_in_the_mail(NEW), []

    def hurry() -> None:
        try:
            verdicts.append(confirm(asked.pk, anna, code, None))
        finally:
            connections.close_all()

    people = [threading.Thread(target=hurry) for _ in range(5)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(v.name for v in verdicts) == ["RIGHT"] + ["SPENT"] * 4
    assert verdicts.count(Verdict.RIGHT) == 1
    assert Change.objects.filter(field="email").count() == 1


def test_another_address_replaces_the_one_that_waits() -> None:
    anna = cast.person()
    client = ready(anna)
    ask(client, anna)
    old = code_in_the_mail(NEW)
    ask(client, anna, "nyare@example.se")
    assert EmailChange.objects.pending().get().new == "nyare@example.se"
    assert client.post(CODE, {"code": old}).status_code == 422


def test_a_code_of_one_session_is_no_use_in_another() -> None:
    anna = cast.person()
    ask(ready(anna), anna)
    elsewhere = signed_in(anna)
    assert elsewhere.post(CODE, {"code": code_in_the_mail(NEW)})["Location"] == "/mina-uppgifter/"
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"


def test_a01_nobody_can_ask_through_which_addresses_are_taken() -> None:
    anna = cast.person()
    client = ready(anna)
    answers = [ask(client, anna, f"{n}@example.se").status_code for n in range(11)]
    assert answers == [302] * 10 + [429]


def test_k09_a_code_on_its_way_to_the_old_address_is_dead() -> None:
    anna = cast.person()
    elsewhere = Client()
    elsewhere.post("/konto/logga-in/", {"email": "anna@example.se"})
    code = code_in_the_mail("anna@example.se")
    change(ready(anna), anna)
    answer = elsewhere.post("/konto/logga-in/kod/", {"code": code})
    assert answer["Location"] == "/konto/logga-in/"
    assert elsewhere.get("/").status_code == 302


def test_the_address_one_has_changes_nothing() -> None:
    anna = cast.person()
    assert ask(ready(anna), anna, "ANNA@example.se")["Location"] == "/mina-uppgifter/"
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("anna", "Skriv en e-postadress med @"),
        ("", "Skriv en e-postadress med @"),
        ("a@b.se\nBcc: c@d.se", "tecken som inte går att läsa"),
    ],
)
def test_bad_input_gets_a_sentence_and_changes_nothing(email: str, said: str) -> None:
    anna = cast.person()
    assert said in text(ask(ready(anna), anna, email))
    assert not EmailChange.objects.exists()


@pytest.mark.parametrize("code", ["", "x", "1" * 500, "\x00"])
def test_a_code_that_is_none_is_asked_for_again(code: str) -> None:
    anna = cast.person()
    client = ready(anna)
    ask(client, anna)
    assert client.post(CODE, {"code": code}).status_code == 422


def test_the_proof_may_grow_old_while_the_mail_is_on_its_way() -> None:
    """The letter's code is spent by then; whoever began may finish in the same session."""
    anna = cast.person()
    client = ready(anna)
    ask(client, anna)
    session = client.session
    session[identity.KEY] |= {"at": int(time.time()) - 1200}
    session.save()
    client.post(CODE, {"code": code_in_the_mail(NEW)})
    anna.refresh_from_db()
    assert anna.email == NEW
