"""Saying no by a link: harmless to open, done by one POST, without signing in."""

import re
import uuid
from datetime import date
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core import mail
from django.core.signing import Signer
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from consent import actions, unsubscribe
from consent.choices import decisions
from consent.models import Event, EventDetail
from consent.purposes import Use
from consent.rules import may_process
from consent.unsubscribe import WAYS, Link, NoSuchLinkError, code, find_by_code
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Channel
from disclosures.actions import queue_letter, queue_mail, queue_words, relay
from retention.actions import execute, open_run
from tests import cast
from tests.dentalclean.test_english import IN_ENGLISH, page_of, swedish_in
from tests.disclosures.test_smtp import MailServer, server  # noqa: F401  the fixture
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def customer(name: str = "Anna", **fields: Any) -> Customer:
    anna = cast.person(name, since=date(2024, 3, 3), **fields)
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def path(of: Customer, channel: str = "email") -> str:
    return f"/sluta/{Link(of.public_id, channel).token()}/"


def open_ways(of: Customer) -> set[str]:
    """Return the channels by which advertising may go to a person."""
    found = decisions(of).items()
    return {use.channel for use, d in found if use.of.is_marketing and d.allowed(today())}


# The link in what is sent


def test_every_advertisement_by_mail_carries_the_link_in_its_text_and_its_headers(
    server: MailServer,  # noqa: F811
) -> None:
    anna = customer()
    queue_words(
        "anna@example.se", "news", "Nyheter", "Nya borsthuvuden.", customer=anna, purpose="G"
    )
    assert relay() == 1
    (sent,) = server.taken
    address = sent["List-Unsubscribe"].strip()
    assert address == f"<{unsubscribe.link(anna, 'email')}>"
    assert address.startswith(f"<{settings.SITE_URL}/sluta/")
    assert sent["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    words = sent.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "Nya borsthuvuden." in words
    assert "Säg nej här, utan att logga in." in words
    assert words.rstrip().endswith(address.strip("<>"))


def test_what_is_no_advertising_carries_no_link() -> None:
    queue_mail("anna@example.se", "login_code", {"code": "314159"}, customer=customer())
    relay()
    (sent,) = mail.outbox
    assert not {"List-Unsubscribe", "List-Unsubscribe-Post"} & set(sent.extra_headers)
    assert "/sluta/" not in str(sent.body)


def test_the_link_speaks_the_language_of_the_mail() -> None:
    anna = customer()
    queue_words("a@example.se", "news", "News", "New.", customer=anna, purpose="G", language="en")
    relay()
    assert f"{path(anna)}?lang=en" in str(mail.outbox[0].body)
    page = text(Client().get(f"{path(anna)}?lang=en"))
    assert "Do you want to stop advertising by e-mail?" in page


def test_a_letter_carries_a_code_to_type() -> None:
    anna = customer()
    message = queue_letter(anna, "extract_ready", {"url": "", "last_day": ""}, purpose="H")
    assert relay() == 1
    letter = (settings.DATA_DIR / "letters" / f"{message.pk}.txt").read_text()
    assert f"{settings.SITE_URL}/sluta/ och skriv koden {code(anna)}" in letter


def test_a_link_says_nothing_of_the_person() -> None:
    anna = customer()
    told = unsubscribe.link(anna, "email") + unsubscribe.preference_link(anna) + code(anna)
    for private in (anna.email, anna.number, str(anna.pseudonym), anna.public_id.hex, "anna"):
        assert private.casefold() not in told.casefold()
    page = Client().get(path(anna)).content.decode()
    for private in (anna.email, anna.number, anna.given_name, anna.family_name, "070"):
        assert private not in page.partition("<footer")[0]


def test_every_page_for_saying_no_is_english_to_who_wants_english() -> None:
    anna = customer()
    gone = f"/sluta/{Link(uuid.uuid4(), 'email').token()}/"
    for address in (path(anna), path(anna, ""), gone):
        assert swedish_in(page_of(Client(), address), []) == []
    for body in ({"stop": "sms"}, ONE_CLICK, {"stop": "allt"}):
        for address in (path(anna), path(anna, "")):
            page = Client().post(address, body, headers=IN_ENGLISH)
            assert swedish_in(text(page).replace("På svenska", ""), []) == []


# Opening it


def test_opening_a_link_changes_nothing_however_often_a_scanner_does() -> None:
    anna = customer()
    before = Event.objects.count()
    for client in (Client(), signed_in(anna)):
        for channel in ("", *WAYS):
            for asked in ("", "?stop=allt", "?List-Unsubscribe=One-Click"):
                assert client.get(path(anna, channel) + asked).status_code == 200
                assert client.head(path(anna, channel) + asked).status_code == 200
        for method in (client.options, client.put, client.delete, client.patch):
            assert method(path(anna)).status_code == 405
    assert Event.objects.count() == before


def test_the_page_has_two_buttons_alike_and_nothing_ticked() -> None:
    page = Client().get(path(customer())).content.decode()
    zone = page[page.index('class="zone"') : page.index('class="wrap body"')]
    assert re.findall(r'<button class="([^"]*)" name="stop" value="([^"]*)"', zone) == [
        ("button", "email"),
        ("button", "allt"),
    ]
    assert "checked" not in page
    assert "<input" not in zone


@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_keeps_or_lists_the_page_or_learns_where_one_came_from(method: str) -> None:
    response = getattr(Client(), method)(path(customer()), {"stop": "email"})
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert "noindex" in response["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex">' in response.content.decode()
    assert not response.cookies


def test_the_page_does_not_tell_who_is_signed_in() -> None:
    anna, björn = customer(), customer("Björn")
    assert "Björn" not in text(signed_in(björn).get(path(anna)))


# Acting


def test_one_click_from_a_mail_program_stops_that_way_at_once() -> None:
    anna = customer()
    stranger = Client(enforce_csrf_checks=True)
    response = stranger.post(path(anna), ONE_CLICK)
    assert response.status_code == 200
    assert "Klart. Ingen mer reklam med e-post från nu." in text(response)
    assert open_ways(anna) & {"email", "sms", "phone", "post"} == {"sms", "phone", "post"}
    event = Event.objects.latest("pk")
    assert (event.kind, event.channel, event.purpose) == ("unsubscribed", "email", "")
    assert "RFC 8058" in EventDetail.objects.get(event=event).evidence


def test_one_click_may_be_posted_as_a_form_of_either_kind() -> None:
    anna = customer()
    Client().post(
        path(anna),
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
    )
    assert "email" not in open_ways(anna)


def test_mina_val_tells_of_it_in_words() -> None:
    anna = customer()
    Client().post(path(anna), ONE_CLICK)
    assert "Du stoppade all reklam med e-post med en länk, i mejl" in text(
        signed_in(anna).get("/mina-val/")
    )


def test_the_other_button_stops_everything() -> None:
    anna = customer()
    response = Client().post(path(anna), {"stop": "allt"})
    assert "Klart. Ingen mer reklam från nu, på något sätt." in text(response)
    assert open_ways(anna) == set()
    assert "Stoppa all reklam" not in text(response)


def test_a_mail_that_waits_is_not_sent_after_the_click() -> None:
    anna = customer()
    queue_words("anna@example.se", "news", "Nyheter", "Nya.", customer=anna, purpose="G")
    Client().post(path(anna), ONE_CLICK)
    assert relay() == 0
    assert mail.outbox == []


def test_a_link_followed_twice_is_one_act() -> None:
    anna = customer()
    for _ in range(3):
        assert Client().post(path(anna), ONE_CLICK).status_code == 200
    for _ in range(3):
        assert Client().post(path(anna), {"stop": "allt"}).status_code == 200
    assert Client().post(path(anna), ONE_CLICK).status_code == 200
    assert Event.objects.filter(kind="unsubscribed").count() == 2


@pytest.mark.parametrize("body", [{}, {"stop": "nej"}, {"List-Unsubscribe": "Two-Click"}])
def test_a_post_that_asks_for_nothing_known_does_nothing(body: dict[str, str]) -> None:
    anna = customer()
    before = Event.objects.count()
    assert Client().post(path(anna), body).status_code == 400
    assert Event.objects.count() == before


# Links that are not ours, and people who are gone


def broken(token: str) -> dict[str, str]:
    """Return what can become of a link on its way."""
    value, _, signature = token.partition(".")
    other = Link(uuid.uuid4(), "email").token()
    return {
        "cut": token[:-4],
        "half": value,
        "longer": token + "A",
        "changed": ("A" if token[0] != "A" else "B") + token[1:],
        "of somebody else": other.partition(".")[0] + "." + signature,
        "another salt": Signer(salt="something else", sep=".").sign(value),
        "odd": "%00%EF%BF%BD.å",
        "long": "A" * 5000,
    }


@pytest.mark.parametrize("how", list(broken(Link(uuid.UUID(int=1), "email").token())))
def test_a_forged_or_cut_link_is_told_so_and_where_to_turn(how: str) -> None:
    anna = customer()
    before = Event.objects.count()
    token = broken(Link(anna.public_id, "email").token())[how]
    for method in ("get", "post"):
        response = getattr(Client(), method)(f"/sluta/{token}/", ONE_CLICK)
        assert response.status_code == 404
        assert "Länken är inte hel." in text(response)
        assert settings.CONTROLLER["phone"] in text(response)
    assert Event.objects.count() == before


def test_a_link_works_after_the_sites_own_secret_is_changed(settings: Any) -> None:
    anna = customer()
    address, typed = path(anna), code(anna)
    settings.SECRET_KEY = "another secret, drawn after somebody left the company, long enough"
    assert Client().get(address).status_code == 200
    assert find_by_code(typed) == anna


def test_somebody_erased_is_told_kindly_that_nothing_comes() -> None:
    gone = f"/sluta/{Link(uuid.uuid4(), 'email').token()}/"
    before = Event.objects.count()
    for method in ("get", "post"):
        response = getattr(Client(), method)(gone, ONE_CLICK)
        assert response.status_code == 200
        assert "Du finns inte kvar hos oss" in text(response)
        assert "du får ingen reklam från oss" in text(response)
    assert Event.objects.count() == before


def test_somebody_of_whom_only_invoices_are_left_is_told_the_same() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    cast.invoice(anna, date(2022, 9, 1))
    run, _ = open_run(today())
    execute(run)
    assert Customer.objects.get(pk=anna.pk).name == ""
    before = Event.objects.count()
    assert "Du finns inte kvar hos oss" in text(Client().post(path(anna), ONE_CLICK))
    assert Event.objects.count() == before


def test_tries_are_counted_per_link_and_guesses_per_address() -> None:
    anna, björn = customer(), customer("Björn")
    for _ in range(20):
        assert Client().post(path(anna), ONE_CLICK).status_code == 200
    assert Client().post(path(anna), ONE_CLICK).status_code == 429
    assert Client().post(path(björn), ONE_CLICK).status_code == 200
    for _ in range(10):
        Client().post("/sluta/nej/", ONE_CLICK)
    assert Client().post("/sluta/nej/", ONE_CLICK).status_code == 429
    assert Client().post(path(björn), {"stop": "allt"}).status_code == 200


def test_a_no_gets_through_when_nothing_can_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **kwargs: Any) -> bool:
        raise RedisConnectionError

    monkeypatch.setattr("allauth.core.ratelimit.consume", away)
    anna = customer()
    assert Client().post(path(anna), ONE_CLICK).status_code == 200
    assert "email" not in open_ways(anna)


# The preference link


def test_the_preference_link_shows_ways_and_lets_one_say_no_to_each() -> None:
    anna = customer()
    address = urlsplit(unsubscribe.preference_link(anna)).path
    page = text(Client().get(address))
    for channel in WAYS:
        assert str(Channel(channel).label) in page
    assert page.count("Säg nej till reklam") == len(WAYS)
    done = text(Client().post(address, {"stop": "post"}))
    assert "Klart. Ingen mer reklam med post från nu." in done
    assert "Post Du har sagt nej." in done
    assert "post" not in open_ways(anna)
    assert {"email", "sms", "phone"} <= open_ways(anna)


def test_a_preference_link_says_no_only() -> None:
    anna = customer()
    actions.say_no(anna)
    address = urlsplit(unsubscribe.preference_link(anna)).path
    page = Client().get(address)
    assert "Du får ingen reklam från oss" in text(page)
    assert "<button" not in page.content.decode()
    assert Client().post(address, {"stop": "email", "answer": "yes"}).status_code == 200
    assert open_ways(anna) == set()


# Codes of letters


def test_a_code_leads_to_the_page_that_stops_post() -> None:
    anna = customer()
    typed = code(anna).lower().replace("-", " ")
    went = Client().post("/sluta/", {"code": typed})
    assert went.status_code == 302
    Client().post(went["Location"], {"stop": "post"})
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())
    assert may_process(anna.pk, Use("H", "email")).allowed(today())
    assert Event.objects.latest("pk").collected == "post"


def test_a_code_is_read_however_it_is_written_and_no_other_is() -> None:
    people = [customer(name) for name in ("Anna", "Björn", "Cecilia")]
    for person in people:
        written = code(person)
        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){2}[0-9A-HJKMNP-TV-Z]{4}", written)
        assert find_by_code(f" {written.replace('0', 'o').replace('1', 'l')} ") == person
        last = "2" if written[-1] != "2" else "3"
        for wrong in (written[:-1], written[:-1] + last, "Ö" * 12, "", "0" * 12, written + "0"):
            with pytest.raises(NoSuchLinkError):
                find_by_code(wrong)


def test_two_people_whose_codes_begin_alike_are_told_apart() -> None:
    anna, björn = customer(), customer("Björn")
    near = uuid.UUID(int=anna.public_id.int ^ 1)
    Customer.objects.filter(pk=björn.pk).update(public_id=near)
    björn.refresh_from_db()
    assert code(anna)[:9] == code(björn)[:9]
    assert find_by_code(code(anna)) == anna
    assert find_by_code(code(björn)) == björn


def test_a_wrong_code_is_said_in_one_sentence_and_tries_are_counted() -> None:
    response = Client().post("/sluta/", {"code": "4K7M-0QTC-9XWA"})
    assert response.status_code == 422
    assert "Koden stämmer inte." in text(response)
    for _ in range(9):
        Client().post("/sluta/", {"code": "4K7M-0QTC-9XWA"})
    assert Client().post("/sluta/", {"code": "4K7M-0QTC-9XWA"}).status_code == 429
