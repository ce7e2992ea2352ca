"""Showing who one is by e-identification, against a real OpenID provider on loopback (A19)."""

import logging
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from django.conf import settings as project
from django.db import connection
from django.test import Client
from django.urls import reverse

from customers.actions import set_national_id
from customers.models import Customer, Session
from privacy_requests import identity
from tests import cast, identity_broker
from tests.doors import signed_in, text
from tests.identity_broker import LOW_LEVEL, Provider

pytestmark = pytest.mark.django_db

ANNAS, BJÖRNS = "199006022397", "199107172380"
PAGE = "/visa-att-det-ar-du/"
START, ANSWER = f"{PAGE}e-leg/bankid/", f"{PAGE}e-leg/bankid/svar/"


@pytest.fixture(scope="module")
def _provider() -> Iterator[Provider]:
    with identity_broker.running({project.SITE_URL + ANSWER}) as provider:
        yield provider


@pytest.fixture
def provider(_provider: Provider, settings: Any) -> Provider:
    _provider.number, _provider.claims, _provider.lies = ANNAS, {}, set()
    _provider.codes.clear()
    settings.IDENTITY_BROKERS = _provider.settings()
    return _provider


@pytest.fixture
def anna(db: None) -> Customer:
    anna = cast.person()
    set_national_id(anna, ANNAS)
    return anna


def answer_of(client: Client, provider: Provider) -> str:
    """Go to the broker as a browser does; return the address that it leads back to."""
    onward = client.post(START)
    assert onward.status_code == 200
    (address,) = re.findall(r"^0; url=(.*)$", onward["Refresh"])
    assert address.startswith(provider.issuer)
    back = urllib3.request("GET", address, redirect=False)
    return back.headers["Location"].removeprefix(project.SITE_URL)


def identified(client: Client, customer: Customer) -> bool:
    # Asked for as a page would, of the session that the browser holds.
    return client.get(PAGE).status_code == 302


def test_who_identifies_themselves_comes_back_to_where_they_were(
    provider: Provider, anna: Customer
) -> None:
    client = signed_in(anna)
    edit = reverse("edit_email")
    assert client.get(edit)["Location"] == PAGE
    assert "Legitimera dig med BankID" in text(client.get(PAGE))
    before = client.session.session_key
    back = client.get(answer_of(client, provider))
    assert (back.status_code, back["Location"]) == (302, edit)
    assert client.get(edit).status_code == 200
    kept = client.session[identity.KEY]
    assert (kept["method"], kept["level"]) == ("eid", identity_broker.LEVEL)
    # A08: the session's key is another one from here on.
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()
    asked = provider.asked[-1]
    assert (asked["prompt"], asked["max_age"]) == ("login", "0")
    assert asked["acr_values"] == identity_broker.LEVEL


def test_a_proof_is_good_for_ten_minutes(provider: Provider, anna: Customer) -> None:
    client = signed_in(anna)
    client.get(answer_of(client, provider))
    session = client.session
    for ago, answer in ((9 * 60, 200), (10 * 60 + 1, 302)):
        session[identity.KEY] = {**session[identity.KEY], "at": int(time.time()) - ago}
        session.save()
        assert client.get(reverse("edit_email")).status_code == answer


# What the broker says, how it lies, and which check finds it.
LIES: list[tuple[str, dict[str, Any], set[str], str]] = [
    ("a level that was not asked for", {"acr": LOW_LEVEL}, set(), "acr"),
    ("no level", {"acr": None}, set(), "acr"),
    (
        "who identified themselves an hour ago",
        {"auth_time": int(time.time()) - 3600},
        set(),
        "auth_time",
    ),
    ("no time of it", {"auth_time": None}, set(), "auth_time missing"),
    ("a time ahead", {"auth_time": int(time.time()) + 3600}, set(), "auth_time"),
    ("a time that is no number", {"auth_time": True}, set(), "auth_time missing"),
    ("another nonce", {"nonce": "another"}, set(), "nonce"),
    ("no nonce", {"nonce": None}, set(), "nonce"),
    ("another person", {"ssn": BJÖRNS}, set(), "another person"),
    ("no number", {"ssn": None}, set(), "no identity number"),
    ("a number that is none", {"ssn": "19900602-0000"}, set(), "no identity number"),
    ("for somebody else", {"aud": "another"}, set(), "InvalidAudienceError"),
    ("for us and somebody else", {"aud": ["dentalclean", "another"]}, set(), "other audiences"),
    ("past its time", {"exp": int(time.time()) - 3600}, set(), "ExpiredSignatureError"),
    ("no end", {"exp": None}, set(), "MissingRequiredClaimError"),
    ("another issuer", {"iss": "https://another.example"}, set(), "InvalidIssuerError"),
    ("not signed", {}, {"none"}, "algorithm"),
    ("signed with the secret", {}, {"shared"}, "algorithm"),
    ("signed by another", {}, {"forged"}, "InvalidSignatureError"),
    ("a key that nobody knows", {}, {"unknown key"}, "key"),
    ("an answer in another's name", {}, {"answer_issuer"}, "issuer of the answer"),
]


@pytest.mark.parametrize(
    ("claims", "lies", "check"), [lie[1:] for lie in LIES], ids=[n for n, *_ in LIES]
)
def test_an_answer_that_does_not_show_it_is_the_person_is_refused(
    claims: dict[str, Any],
    lies: set[str],
    check: str,
    provider: Provider,
    anna: Customer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = signed_in(anna)
    provider.claims, provider.lies = claims, lies
    answer = client.get(answer_of(client, provider))
    assert answer.status_code == 403
    assert "Svaret från BankID visar inte att det är du." in text(answer)
    assert not identified(client, anna)
    assert client.get(reverse("edit_email"))["Location"] == PAGE
    assert f"An answer of the broker bankid was refused: {check}." in caplog.text
    assert ANNAS not in caplog.text
    assert BJÖRNS not in caplog.text


def test_the_number_is_stored_nowhere_and_logged_nowhere(
    provider: Provider, anna: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = signed_in(anna)
    client.get(answer_of(client, provider))
    assert identified(client, anna)
    logged = "".join(r.getMessage() for r in caplog.records if r.name != "django.db.backends")
    assert ANNAS not in logged
    assert ANNAS[2:] not in str(dict(client.session))
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT count(*) FROM {name} t WHERE t::text LIKE %s", [f"%{ANNAS}%"])
            assert cursor.fetchone() == (0,), table


def test_an_answer_is_taken_once_and_only_by_the_session_that_asked(
    provider: Provider, anna: Customer
) -> None:
    client, elsewhere = signed_in(anna), signed_in(anna)
    back = answer_of(client, provider)
    stolen = elsewhere.get(back)
    assert stolen.status_code == 400
    assert "Det svaret gäller inte längre." in text(stolen)
    assert not identified(elsewhere, anna)
    assert client.get(back).status_code == 302
    # The browser's own button: still who they are, and no second proof.
    at = client.session[identity.KEY]["at"]
    assert client.get(back).status_code == 302
    assert client.session[identity.KEY]["at"] == at
    # Another session with the same question cannot redeem a code a second time.
    session = elsewhere.session
    session["identity_broker"] = {
        "broker": "bankid",
        "state": re.findall(r"state=([^&]*)", back)[0],
        "nonce": "n",
        "verifier": "v",
        "at": int(time.time()),
    }
    session.save()
    assert elsewhere.get(back).status_code == 403


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?code=y", "?state=%00&code=y"])
def test_an_answer_to_no_question_is_refused(
    query: str, provider: Provider, anna: Customer
) -> None:
    client = signed_in(anna)
    assert client.get(ANSWER + query).status_code == 400
    client.post(START)
    assert client.get(ANSWER + query).status_code == 400


def test_who_breaks_off_may_begin_again(provider: Provider, anna: Customer) -> None:
    client = signed_in(anna)
    provider.lies = {"cancel"}
    answer = client.get(answer_of(client, provider))
    assert (answer.status_code, "Du avbröt i BankID." in text(answer)) == (403, True)
    provider.lies = set()
    assert client.get(answer_of(client, provider)).status_code == 302


@pytest.mark.parametrize("lie", ["down", "metadata"])
def test_a_broker_that_is_down_or_another_leaves_the_other_ways(
    lie: str, provider: Provider, anna: Customer
) -> None:
    client = signed_in(anna)
    provider.lies = {lie}
    answer = client.post(START)
    assert answer.status_code == 503
    assert "BankID svarar inte just nu." in text(answer)
    assert "Skicka ett brev" in text(answer)


def test_nobody_listening_is_said_within_seconds(
    provider: Provider, anna: Customer, settings: Any
) -> None:
    settings.IDENTITY_BROKERS = provider.settings(server_url="http://127.0.0.1:1")
    assert signed_in(anna).post(START).status_code == 503


def test_a_person_whose_number_we_lack_is_offered_the_other_ways(provider: Provider) -> None:
    client = signed_in(cast.person("Björn"))
    page = text(client.get(PAGE))
    assert "Legitimera dig med" not in page
    assert "vi har inget personnummer att jämföra med" in page
    assert "Skicka ett brev" in page
    assert client.post(START)["Location"] == PAGE
    assert not provider.codes


def test_without_a_broker_the_way_is_not_there(anna: Customer, settings: Any) -> None:
    settings.IDENTITY_BROKERS = {}
    client = signed_in(anna)
    assert "e-legitimation" not in text(client.get(PAGE)).lower()
    for page in (START, ANSWER):
        assert client.post(page).status_code in (404, 405)


def test_a_sign_in_by_mail_alone_opens_nothing(anna: Customer) -> None:
    """A19: a mailbox is not a person."""
    client = signed_in(anna)
    assert client.get(reverse("edit_email"))["Location"] == PAGE
    version = {"version": anna.version, "email": "ny@example.se"}
    assert client.post(reverse("edit_email"), version)["Location"] == PAGE
    anna.refresh_from_db()
    assert anna.email == "anna@example.se"


def test_the_proof_of_one_is_not_the_proof_of_another(provider: Provider, anna: Customer) -> None:
    """A21: two people at one screen."""
    client = signed_in(anna)
    client.get(answer_of(client, provider))
    björn = cast.person("Björn")
    session = client.session
    kept = session[identity.KEY]
    elsewhere = signed_in(björn)
    theirs = elsewhere.session
    theirs[identity.KEY] = kept
    theirs.save()
    assert not identified(elsewhere, björn)


def test_the_way_to_the_broker_is_not_taken_without_end(provider: Provider, anna: Customer) -> None:
    client = signed_in(anna)
    assert [client.post(START).status_code for _ in range(21)] == [200] * 20 + [429]
