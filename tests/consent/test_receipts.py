"""Receipts: one for every act, readable and in JSON-LD, and anybody can tell whether it is ours."""

import base64
import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.contrib.staticfiles import finders
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from hypothesis import HealthCheck, given, settings, strategies
from jsonschema import Draft202012Validator
from pyld import jsonld

from consent import actions
from consent.ledger import append
from consent.models import Authority, Event
from consent.purposes import Use
from consent.receipt_check import LONGEST, Verdict, check
from consent.receipt_document import CONTEXTS, SCHEMA
from consent.receipt_document import document as made
from consent.receipt_keys import Document, canonical, entry_of, number_of, ring, sign
from consent.receipts import Receipt
from customers.models import Customer
from customers.models.channels import Collected
from customers.models.people import Restriction
from dentalclean.embedded.keys import read_or_create
from retention.actions import execute, open_run
from tests import cast, past
from tests.doors import signed_in, text
from tests.houses import ROOT

pytestmark = pytest.mark.django_db

Kind = Event.Kind
PUBLIC = "/kontrollera-kvitto/"
WORDS = "Dentalclean AB får mejla erbjudanden till dig.\nDu kan ta tillbaka ditt ja när du vill."
H_EMAIL, H_POST = Use("H", "email"), Use("H", "post")
SEEN = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def anna() -> Customer:
    return cast.person(since=date(2024, 3, 3))


def _withdrawn(anna: Customer) -> Event:
    actions.say_yes(anna, H_EMAIL, evidence=WORDS)
    return actions.say_no(anna, H_EMAIL)


def _unsubscribed(anna: Customer) -> Event:
    return append(
        anna,
        Kind.UNSUBSCRIBED,
        channel="email",
        collected=Collected.EMAIL,
        authority=Authority.PERSON,
    )


def _lifted(anna: Customer) -> Event:
    actions.restrict(anna)
    return actions.lift_own_restriction(anna)


ACTS: dict[str, Callable[[Customer], Event]] = {
    Kind.NOTICE_SERVED: lambda anna: Event.objects.get(customer=anna, kind=Kind.NOTICE_SERVED),
    Kind.SOFT_OPT_IN: lambda anna: Event.objects.get(customer=anna, kind=Kind.SOFT_OPT_IN),
    Kind.CONSENT_GIVEN: lambda anna: actions.say_yes(anna, H_EMAIL, evidence=WORDS),
    Kind.CONSENT_WITHDRAWN: _withdrawn,
    Kind.OBJECTED: lambda anna: actions.say_no(anna, H_POST),
    Kind.UNSUBSCRIBED: _unsubscribed,
    Kind.OBJECTED_TO_USE: lambda anna: actions.object_to_use(anna, "D"),
    Kind.UNPROVEN: lambda anna: actions.say_yes(anna, H_EMAIL, collected=Collected.IMPORT),
    Kind.RESTRICTED: lambda anna: actions.restrict(anna, Restriction.CONTESTED),
    Kind.UNRESTRICTED: _lifted,
}
# What each kind is in the vocabulary: the record, the state and what it rests on.
IN_DPV = {
    Kind.NOTICE_SERVED: ("DataProcessingRecord", "EntityInformed", "A13"),
    Kind.SOFT_OPT_IN: ("DataProcessingRecord", "EntityInformed", "A13"),
    Kind.CONSENT_GIVEN: ("ConsentRecord", "ConsentGiven", "A6-1-a"),
    Kind.CONSENT_WITHDRAWN: ("ConsentRecord", "ConsentWithdrawn", "A6-1-a"),
    Kind.OBJECTED: ("RightExerciseRecord", "RequestFulfilled", "A21"),
    Kind.UNSUBSCRIBED: ("RightExerciseRecord", "RequestFulfilled", "A21"),
    Kind.OBJECTED_TO_USE: ("RightExerciseRecord", "RequestFulfilled", "A21"),
    Kind.UNPROVEN: ("ConsentRecord", "ConsentUnknown", "A6-1-a"),
    Kind.RESTRICTED: ("RightExerciseRecord", "RequestFulfilled", "A18"),
    Kind.UNRESTRICTED: ("RightExerciseRecord", "ActivityCompleted", "A18"),
}
DPV, GDPR = "https://w3id.org/dpv#", "https://w3id.org/dpv/legal/eu/gdpr#"


def receipt_of(event: Event) -> Receipt:
    return Receipt(
        Event.objects.select_related("notice__policy_version", "detail").get(pk=event.pk)
    )


def document_of(event: Event) -> Document:
    return made(receipt_of(event))


def page_of(event: Event) -> str:
    return f"/mina-val/kvitto/{number_of(event.pk)}/"


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def answer(sent: str | bytes, client: Client | None = None) -> Any:
    client = client or Client()
    if isinstance(sent, bytes):
        return client.post(PUBLIC, {"file": SimpleUploadedFile("kvitto.json", sent)})
    return client.post(PUBLIC, {"text": sent})


def test_every_kind_of_act_is_tried_here() -> None:
    assert set(ACTS) == set(IN_DPV) == set(Kind)


# The readable receipt


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("kind", Kind)
def test_every_act_has_a_receipt_to_read(kind: str, language: str, anna: Customer) -> None:
    event = ACTS[kind](anna)
    client = signed_in(anna)
    client.cookies["django_language"] = language
    page = client.get(page_of(event))
    assert page.status_code == 200
    with translation.override(language):
        receipt = receipt_of(event)
        said = text(page)
        for needed in (
            receipt.title,
            receipt.when,
            *receipt.meaning,
            receipt.undo,
            str(receipt.number),
            receipt.spelt_code,
            f"Anna Ek, {anna.number}",
            "556000-0000",
            "Dentalclean AB",
            "IMY",
        ):
            assert needed in said, needed
    assert receipt.check_url in page.content.decode()
    assert "%(" not in said


def test_a_receipt_shows_the_very_words_and_the_information_in_force(anna: Customer) -> None:
    event = ACTS[Kind.CONSENT_GIVEN](anna)
    said = text(signed_in(anna).get(page_of(event)))
    for line in WORDS.splitlines():
        assert line in said
    assert event.notice is not None
    assert event.notice.text in said
    assert f"version {event.notice.policy_version}" in said


def test_what_somebody_wrote_is_shown_to_the_person_and_stands_in_no_file(anna: Customer) -> None:
    said = "Anna ringde och ville ha mejl."
    event = actions.say_yes(anna, H_EMAIL, collected=Collected.PHONE, evidence=said)
    client = signed_in(anna)
    assert said in text(client.get(page_of(event)))
    assert said not in client.get(f"{page_of(event)}fil/").content.decode()


def test_every_choice_in_the_history_has_its_receipt(anna: Customer) -> None:
    event = ACTS[Kind.OBJECTED](anna)
    client = signed_in(anna)
    page = client.get("/mina-val/").content.decode()
    links = re.findall(r"/mina-val/kvitto/[0-9a-f-]{36}/", page)
    assert len(links) == Event.objects.filter(customer=anna).count()
    assert links[0] == page_of(event)
    assert client.get(links[0]).status_code == 200


def test_a_receipt_is_only_for_the_one_it_is_about(anna: Customer) -> None:
    event = ACTS[Kind.OBJECTED](anna)
    björn = signed_in(cast.person("Björn"))
    unknown = "00000000-0000-4000-8000-000000000000"
    for page in (page_of(event), f"{page_of(event)}fil/"):
        assert björn.get(page).status_code == 404
        assert Client().get(page).status_code == 302
    assert björn.get(f"/mina-val/kvitto/{unknown}/").status_code == 404


def test_numbers_count_nothing_and_cannot_be_guessed(anna: Customer) -> None:
    numbers = [number_of(entry) for entry in range(1, 200)]
    assert [entry_of(number) for number in numbers] == list(range(1, 200))
    beginnings = {number.hex[:4] for number in numbers}
    assert len(beginnings) > 190
    near = number_of(7).int
    assert [entry_of(type(numbers[0])(int=near ^ (1 << bit))) for bit in range(128)] == [None] * 128


def test_a_receipt_takes_the_same_few_questions_however_long_the_ledger_is(anna: Customer) -> None:
    event = ACTS[Kind.CONSENT_GIVEN](anna)
    client = signed_in(anna)

    def asked(page: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(page).status_code == 200
        return len(seen)

    before = [asked(page_of(event)), asked("/mina-val/")]
    for _again in range(5):
        actions.say_no(anna, H_POST)
        actions.say_yes(anna, H_POST, evidence="Ja")
    assert [asked(page_of(event)), asked("/mina-val/")] == before


# The document


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("kind", Kind)
def test_the_file_follows_the_published_schema(kind: str, language: str, anna: Customer) -> None:
    event = ACTS[kind](anna)
    client = signed_in(anna)
    client.cookies["django_language"] = language
    got = client.get(f"{page_of(event)}fil/")
    assert got["Content-Type"] == "application/ld+json"
    assert got["Content-Disposition"].startswith("attachment; filename=")
    document = json.loads(got.content)
    schema = json.loads((ROOT / "static" / SCHEMA).read_text())
    Draft202012Validator.check_schema(schema)
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert document["schema_version"] == f"http://127.0.0.1:8000/static/{SCHEMA}"
    assert finders.find(SCHEMA) == str(ROOT / "static" / SCHEMA)
    assert document["language"] == language
    assert check(got.content.decode()).verdict is Verdict.GENUINE


@pytest.mark.parametrize("kind", Kind)
def test_the_file_is_linked_data_in_dpv_and_nothing_is_fetched_to_read_it(
    kind: Kind, anna: Customer
) -> None:
    receipt = receipt_of(ACTS[kind](anna))
    document = made(receipt)

    def offline(url: str, options: Any) -> Any:
        raise AssertionError(f"{url} was fetched.")

    [expanded] = jsonld.expand(document, {"documentLoader": offline})
    record, state, rests_on = IN_DPV[kind]
    assert f"{DPV}{record}" in expanded["@type"]
    [event] = expanded["http://purl.org/dc/terms/hasPart"]
    consent = record == "ConsentRecord"
    status = f"{DPV}hasConsentStatus" if consent else f"{DPV}hasStatus"
    basis = f"{DPV}hasLegalBasis" if consent else f"{DPV}hasRight"
    assert event[status] == [{"@id": f"{DPV}{state}"}]
    assert event[basis] == [{"@id": f"{GDPR}{rests_on}"}]
    assert event[f"{DPV}isIndicatedAtTime"][0]["@value"].endswith("Z")
    [process] = expanded[f"{DPV}hasProcess"]
    for term in ("hasPurpose", "hasLegalBasis", "hasDataController", "hasRight"):
        assert process[f"{DPV}{term}"], term
    assert expanded[f"{DPV}hasDataSubject"][0]["@id"].startswith("urn:uuid:")
    assert (f"{DPV}hasNotice" in process) == (receipt.event.notice is not None)


@pytest.mark.parametrize("family", CONTEXTS)
def test_every_field_means_something(family: str) -> None:
    """A name the context does not know is dropped by every reader of linked data."""
    known = set(CONTEXTS[family])
    found: set[str] = set()

    def names(part: Any) -> None:
        if isinstance(part, dict):
            found.update(part)
            for name, value in part.items():
                names(value if name != "@context" else None)
        elif isinstance(part, list):
            for value in part:
                names(value)

    for kind in Kind:
        person = cast.person(kind, email=f"{kind}@example.se")
        document = document_of(ACTS[kind](person))
        if document["@context"] == CONTEXTS[family]:
            names(document)
    assert {name for name in found if not name.startswith("@")} <= known


@pytest.mark.parametrize("kind", Kind)
def test_no_file_names_the_person(kind: str, anna: Customer) -> None:
    got = written(document_of(ACTS[kind](anna)))
    for secret in (
        "Anna",
        "Ek",
        "anna@example.se",
        "46701740635",
        str(anna.pseudonym),
        "Björkgatan",
    ):
        assert not re.search(rf"\b{re.escape(secret)}\b", got), secret


def test_a_person_has_one_name_on_all_receipts_and_another_person_another(anna: Customer) -> None:
    björn = cast.person("Björn")
    names = [
        document_of(event)["pii_principal_id"]
        for event in Event.objects.filter(customer__in=[anna, björn]).order_by("pk")
    ]
    assert len(names) == 4
    assert names[0] == names[1] != names[2] == names[3]


def test_a_no_to_what_rests_on_a_yes_is_a_refusal(anna: Customer) -> None:
    document = document_of(actions.say_no(anna, Use("E", "web")))
    assert document["event"]["event_state"] == "dpv:ConsentRefused"


def test_ones_own_limit_stops_what_is_not_necessary_and_another_stops_all(anna: Customer) -> None:
    own = actions.restrict(anna)
    assert "Reklam, enkäter, statistik" in text(signed_in(anna).get(page_of(own)))
    of = {p["code"] for p in document_of(own)["pii_processing"][0]["purposes"]}
    assert {"C", "D", "G", "H", "P"} <= of
    assert not {"A", "K", "L"} & of
    björn = cast.person("Björn")
    contested = actions.restrict(björn, Restriction.CONTESTED)
    assert "Vi sparar dina uppgifter" in text(signed_in(björn).get(page_of(contested)))


def test_a_yes_to_a_named_company_names_it(anna: Customer) -> None:
    event = actions.say_yes(
        anna, Use("P", "email", "munvard-vast"), evidence="Ja till Munvård Väst"
    )
    document = document_of(event)
    assert "munvard-vast" in text(signed_in(anna).get(page_of(event)))
    [company] = document["pii_processing"][0]["recipient_third_parties"]
    assert company["party_name"] == "munvard-vast"


def test_a_stranger_can_check_the_signature_without_us(anna: Customer) -> None:
    document = document_of(ACTS[Kind.CONSENT_GIVEN](anna))
    got = Client().get(f"{PUBLIC}nycklar.json")
    assert got["Content-Type"] == "application/jwk-set+json"
    key = {key["kid"]: key for key in got.json()["keys"]}[document["proof"]["key_id"]]
    signature = document["proof"].pop("signature")
    signed = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    public = Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key["x"] + "="))
    public.verify(base64.urlsafe_b64decode(signature + "=="), signed.encode())
    assert set(key) == {"kty", "crv", "alg", "use", "kid", "x"}  # and not its secret half


# Genuine, altered or unknown


@pytest.mark.parametrize("kind", Kind)
def test_a_receipt_of_ours_is_genuine_as_file_text_and_code(kind: str, anna: Customer) -> None:
    receipt = receipt_of(ACTS[kind](anna))
    got = written(made(receipt))
    for sent in (got, got.encode(), b"\xef\xbb\xbf" + got.encode(), got.replace("\n", "\r\n")):
        assert "Ja, kvittot är äkta." in text(answer(sent))
    for code in (receipt.code, receipt.spelt_code, receipt.spelt_code.upper(), receipt.check_url):
        assert "Ja, koden är äkta." in text(answer(code))


@SEEN
@given(strategies.integers(min_value=0))
def test_one_flipped_bit_anywhere_is_found(anna: Customer, position: int) -> None:
    got = bytearray(written(document_of(_first(anna))).encode())
    place, bit = divmod(position % (8 * len(got)), 8)
    got[place] ^= 1 << bit
    assert check(got.decode("utf-8", errors="replace")).verdict is Verdict.ALTERED


@SEEN
@given(strategies.data())
def test_one_changed_field_anywhere_is_found(anna: Customer, data: Any) -> None:
    document = json.loads(written(document_of(_first(anna))))
    part: Any = document
    while True:
        at: Any = data.draw(
            strategies.sampled_from([*part] if isinstance(part, dict) else range(len(part)))
        )
        if not isinstance(part[at], dict | list) or not part[at]:
            break
        part = part[at]
    new = data.draw(strategies.one_of(strategies.text(), strategies.none(), strategies.integers()))
    if data.draw(strategies.booleans()):
        del part[at]
    elif new != part[at]:
        part[at] = new
    else:
        part[at] = [new]
    assert check(written(document)).verdict is Verdict.ALTERED


def _first(anna: Customer) -> Event:
    return Event.objects.filter(customer=anna).earliest("pk")


def test_words_from_one_receipt_do_not_pass_on_another(anna: Customer) -> None:
    yes = document_of(ACTS[Kind.CONSENT_GIVEN](anna))
    no = document_of(ACTS[Kind.OBJECTED](anna))
    for field in set(yes) - {"proof"}:
        if yes[field] != no[field]:
            assert check(written({**yes, field: no[field]})).verdict is Verdict.ALTERED
    assert check(written({**yes, "proof": no["proof"]})).verdict is Verdict.ALTERED


def test_the_same_signature_written_otherwise_is_no_receipt_of_ours(anna: Customer) -> None:
    document = document_of(_first(anna))
    signature = document["proof"]["signature"]
    alike = [f"{signature}==", f"{signature}\n", signature[:-1] + chr(ord(signature[-1]) + 1)]
    for other in alike:
        changed = {**document, "proof": {**document["proof"], "signature": other}}
        assert check(written(changed)).verdict is Verdict.ALTERED


def test_a_field_that_stands_twice_is_found(anna: Customer) -> None:
    got = written(document_of(_first(anna)))
    twice = got.replace('"language"', '"language": "en",\n  "language"', 1)
    assert check(twice).verdict is Verdict.ALTERED


def test_a_code_with_a_wrong_mark_is_altered_and_one_never_given_is_unknown(
    anna: Customer,
) -> None:
    code = receipt_of(_first(anna)).code
    for place in range(len(code)):
        other = code[:place] + ("0" if code[place] != "0" else "1") + code[place + 1 :]
        expected = Verdict.UNKNOWN if place < 32 else Verdict.ALTERED
        assert check(other).verdict is expected, place


GARBAGE = (
    "hej",
    "{}",
    "[]",
    "null",
    "1e999",
    '{"proof": 1}',
    '{"proof": {"signature": 1}}',
    '{"proof": {"signature": "åäö", "key_id": "1"}}',
    '{"proof": {"signature": "", "key_id": []}}',
    "[" * 60_000,
    '{"a":' * 9_000,
    "9" * 9_000,
    "\x00",
    '"\\ud800"',
    '{"proof": {"signature": "AAAA", "key_id": "1"}, "a": "\\ud800"}',
    *(
        '{"proof": {"signature": "'
        + "A" * 86
        + '", "key_id": "1"}, "a": '
        + "[" * deep
        + "]" * deep
        + "}"
        for deep in (100, 900, 950, 980, 5_000)
    ),
    "00000000-0000-0000-0000-000000000000",
    "0" * 40,
    "f" * 40,
    "<script>alert(1)</script>",
    "\u202e{}",
)


@pytest.mark.parametrize("sent", GARBAGE, ids=range(len(GARBAGE)))
def test_what_is_no_receipt_is_unknown(sent: str, anna: Customer) -> None:
    got = answer(sent)
    assert (got.status_code, "Vi känner inte igen kvittot." in text(got)) == (200, True)
    assert answer(sent.encode("utf-8", "surrogatepass")).status_code in (200, 400)


@SEEN
@given(strategies.one_of(strategies.text(), strategies.binary().map(lambda b: b.decode("latin-1"))))
def test_nothing_that_is_sent_is_more_than_unknown(anna: Customer, sent: str) -> None:
    assert check(sent).verdict is Verdict.UNKNOWN


def test_a_receipt_of_somebody_elses_making_is_unknown(anna: Customer, settings: Any) -> None:
    ours = settings.RECEIPT_KEYS
    settings.RECEIPT_KEYS = {"1": b"x" * 32}
    foreign = written(document_of(_first(anna)))
    assert check(foreign).verdict is Verdict.GENUINE  # to whoever made it
    settings.RECEIPT_KEYS = ours
    assert check(foreign).verdict is Verdict.UNKNOWN


def test_a_new_key_recognises_the_receipts_of_the_old_one(anna: Customer, settings: Any) -> None:
    receipt = receipt_of(_first(anna))
    old, code = written(made(receipt)), receipt.code
    settings.RECEIPT_KEYS = {"2": b"n" * 32, **settings.RECEIPT_KEYS}
    assert check(old).verdict is check(code).verdict is Verdict.GENUINE
    new = document_of(_first(anna))
    assert new["proof"]["key_id"] == "2"
    assert check(written(new)).verdict is Verdict.GENUINE


def test_a_receipt_that_the_ledger_no_longer_bears_out_is_not_genuine(
    anna: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    receipt = receipt_of(ACTS[Kind.CONSENT_GIVEN](anna))
    got, code = written(made(receipt)), receipt.code
    with past.the_triggers():  # as only a superuser can
        Event.objects.filter(pk=receipt.event.pk).update(channel="sms")
    assert check(got).verdict is check(code).verdict is Verdict.ALTERED
    assert f"Entry {receipt.event.pk} of the ledger" in caplog.text


def test_a_receipt_is_genuine_after_the_person_is_erased() -> None:
    anna = cast.person(since=date(2010, 1, 7))
    cast.subscription(anna, date(2010, 1, 7), date(2012, 10, 1))
    event = Event.objects.filter(customer=anna).latest("pk")
    receipt = receipt_of(event)
    got, code = written(made(receipt)), receipt.code
    run, _new = open_run(date(2026, 11, 1))
    execute(run)
    assert not Customer.objects.filter(pk=anna.pk).exists()
    assert "Ja, kvittot är äkta." in text(answer(got))
    assert "Ja, koden är äkta." in text(answer(code))


# The page


def test_the_page_says_the_verdict_and_nothing_else(anna: Customer) -> None:
    receipt = receipt_of(ACTS[Kind.CONSENT_GIVEN](anna))
    document = made(receipt)
    altered = written({**document, "language": "en"})
    told = {}
    for verdict, sent in (
        ("genuine", written(document)),
        ("altered", altered),
        ("unknown", altered.replace("-", "+")),
    ):
        page = answer(sent).content.decode()
        told[verdict] = re.sub(r'<p class="answer">.*?</p>|name="csrfmiddlewaretoken".*', "", page)
        about = (
            *receipt.meaning,
            receipt.title,
            receipt.when,
            str(receipt.number),
            "Anna",
            "2026-11",
        )
        for word in (*about, str(event_day(receipt))):
            assert word not in page, word
    assert told["genuine"] == told["altered"] == told["unknown"]


def event_day(receipt: Receipt) -> date:
    return receipt.event.at.date()


def test_genuine_altered_and_unknown_cost_one_question_each(anna: Customer) -> None:
    receipt = receipt_of(_first(anna))
    got = written(made(receipt))
    for sent in (got, got.replace("sv", "en"), "hej", receipt.code, "0" * 40):
        with CaptureQueriesContext(connection) as seen:
            check(sent)
        assert len(seen) == 1


def test_a_look_at_the_address_on_the_paper_checks_nothing(anna: Customer) -> None:
    receipt = receipt_of(_first(anna))
    client = Client()
    with CaptureQueriesContext(connection) as seen:
        page = client.get(f"{PUBLIC}{receipt.code}/")
        client.head(f"{PUBLIC}{receipt.code}/")
    assert len(seen) == 0
    assert receipt.code in page.content.decode()
    assert "äkta." not in text(page)
    assert "Ja, koden är äkta." in text(answer(receipt.code, client))


def test_no_cookie_is_left_with_a_stranger_and_no_form_token_asked() -> None:
    client = Client(enforce_csrf_checks=True)
    assert answer("hej", client).status_code == 200
    assert "sessionid" not in client.cookies


@pytest.mark.parametrize(
    ("sent", "status", "sentence"),
    [
        ({}, 400, "Välj filen, eller klistra in texten eller koden."),
        ({"text": "  "}, 400, "Välj filen, eller klistra in texten eller koden."),
        ({"text": "a" * (LONGEST + 1)}, 400, "Det är för stort"),
        ({"text": "a" * 900_000}, 413, "Det är för stort"),
    ],
)
def test_an_empty_or_huge_question_gets_one_sentence(
    sent: dict[str, str], status: int, sentence: str
) -> None:
    got = Client().post(PUBLIC, sent)
    assert (got.status_code, sentence in text(got)) == (status, True)


def test_a_huge_file_gets_the_same_sentence() -> None:
    for size in (LONGEST + 1, 3_000_000):
        got = answer(b"a" * size)
        assert got.status_code in (400, 413)
        assert "Det är för stort" in text(got)
    assert answer(b"").status_code == 400


def test_many_questions_from_one_place_are_too_many(anna: Customer) -> None:
    got = receipt_of(_first(anna)).code
    client = Client(REMOTE_ADDR="192.0.2.7")
    statuses = [answer(got, client).status_code for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    assert client.get(PUBLIC).status_code == 200
    assert answer(got, Client(REMOTE_ADDR="192.0.2.8")).status_code == 200


def test_the_answer_comes_although_nobody_can_count(anna: Customer, settings: Any) -> None:
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    }
    assert "Ja, koden är äkta." in text(answer(receipt_of(_first(anna)).code))


# Keys


def test_a_house_of_an_earlier_version_draws_the_keys_it_lacks_once(tmp_path: Any) -> None:
    path = tmp_path / "secrets.json"
    first = read_or_create(path)
    path.write_text(json.dumps({k: v for k, v in first.items() if k != "RECEIPT_KEYS"}))
    completed = read_or_create(path)
    assert completed == read_or_create(path)
    assert {**completed, "RECEIPT_KEYS": ""} == {**first, "RECEIPT_KEYS": ""}
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_canonical_form_has_no_second_reading() -> None:
    signed = sign({"b": "å\n", "a": ["ö", {}], "proof": {"created_by": "x"}})
    assert canonical({"b": "å\n", "a": ["ö", {}]}) == '{"a":["ö",{}],"b":"å\\n"}'.encode()
    assert signed["proof"]["key_id"] == ring()[0].name


# What a receipt says stays true when the person changes their mind


def changed(event: Event) -> bool:
    return receipt_of(event).meaning[0].startswith("Det här har ändrats sedan dess")


def test_a_receipt_tells_that_it_was_taken_back_later(anna: Customer) -> None:
    yes = actions.say_yes(anna, H_EMAIL, evidence=WORDS)
    actions.say_no(anna, H_POST)
    assert not changed(yes)
    no = actions.say_no(anna)
    assert changed(yes)
    assert not changed(no)
    assert "Så här sa kvittot då" in made(receipt_of(yes))["description"][0]
    partner = Use("P", "email", "munvard-vast")
    actions.say_yes(anna, partner, evidence="Ja, till munvard-vast.")
    assert changed(no)
    assert changed(yes)


def test_a_limit_and_its_end_tell_of_each_other(anna: Customer) -> None:
    limited = actions.restrict(anna)
    assert not changed(limited)
    lifted = actions.lift_own_restriction(anna)
    assert (changed(limited), changed(lifted)) == (True, False)


@pytest.mark.parametrize("channel", ["email", "phone", "social"])
def test_a_no_by_one_way_is_said_in_a_whole_sentence(channel: str, anna: Customer) -> None:
    event = actions.unsubscribe(anna, channel)
    assert event is not None
    assert receipt_of(event).meaning[0].startswith("Du får ingen reklam ")
