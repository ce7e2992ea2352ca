"""The file to take along: what one gave or was seen to do, by contract or consent, and no more."""

import csv
import io
import json
import random
from datetime import date, timedelta
from typing import Any

import jsonschema
import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from consent import records
from consent.facts import ask
from consent.models import ProcessingRecord
from consent.purposes import BY_CODE
from customers.actions import change_details
from customers.dates import FAR, today
from customers.models import Customer, SupportCase
from customers.models.channels import Collected, Source
from customers.personal_data import personal_models
from disclosures.actions import relay
from privacy_requests import checks, origins, portability
from privacy_requests.actions import build, open_case
from privacy_requests.extract import collect
from privacy_requests.messages import register_message
from privacy_requests.models import Case, Extract
from privacy_requests.origins import ORIGINS, Origin
from tests import cast
from tests.privacy_requests.doing import archive_of, built, download, signed_in

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/ta-med/"


def taken_along(customer: Customer) -> dict[str, Any]:
    return portability.as_json(collect(customer.pk))


def columns_of(told: dict[str, Any]) -> dict[str, set[str]]:
    return {t["key"]: {c["key"] for c in t["columns"]} for t in told["tables"]}


def built_file(customer: Customer) -> Extract:
    wanted = open_case(customer, Case.Right.PORTABILITY).extract
    assert build(wanted.pk)
    wanted.refresh_from_db()
    return wanted


def test_the_file_is_as_its_schema_says_and_has_a_sheet_per_table(anna: Customer) -> None:
    files = archive_of(built_file(anna))
    schema = json.loads(files.read("portability.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    told = json.loads(files.read("uppgifter.json"))
    jsonschema.validate(told, schema, cls=jsonschema.Draft202012Validator)
    for table in told["tables"]:
        sheet = files.read(f"csv/{table['key']}.csv").decode("utf-8-sig")
        head, *rows = csv.reader(io.StringIO(sheet))
        assert head == [column["key"] for column in table["columns"]]
        assert len(rows) == len(table["rows"])
        assert all(row.keys() == set(head) for row in table["rows"])
    listed = {entry["name"] for entry in json.loads(files.read("manifest.json"))["files"]}
    assert listed == set(files.namelist()) - {"manifest.json"}


def test_it_holds_what_one_gave_and_what_was_seen_and_says_which(anna: Customer) -> None:
    ask(anna, subject="Byta storlek", body="Går det?", collected=Collected.EMAIL)
    SupportCase.objects.update(answer="Ja, det går.")
    told = taken_along(anna)
    found = columns_of(told)
    assert found["customers.address"] == {
        *("kind", "street", "postcode", "city", "country", "collected", "given_on")
    }
    assert {"given_name", "email", "birth_date"} <= found["customers.customer"]
    assert "body" in found["customers.supportcase"]
    written = json.dumps(told, ensure_ascii=False)
    assert "Ja, det går." not in written
    orders = next(t for t in told["tables"] if t["key"] == "customers.order")
    origin = {c["key"]: c["origin"] for c in orders["columns"]}
    assert (origin["ordered_on"], origin["delivered_on"]) == ("provided", "observed")
    assert {p["article"] for p in told["purposes"]} <= {"GDPR 6.1 a", "GDPR 6.1 b"}


def test_nothing_derived_decided_or_kept_by_law_is_in_it(anna: Customer) -> None:
    found = columns_of(taken_along(anna))
    for table in (
        *("consent.standing", "consent.processingrecord", "customers.invoice"),
        *("disclosures.outbox", "retention.receipt", "customers.accesslog", "consent.event"),
    ):
        assert table not in found
    ours = {"nix_phone", "restriction", "protection", "email_suppressed_on", "number", "user"}
    assert not ours & found["customers.customer"]
    # For credit only, by our own interest.
    assert "national_id_sealed" not in found["customers.customer"]


@pytest.mark.breaks(1, 2, 4, 6, 7)
@pytest.mark.parametrize("basis", ["c", "s", "f", "l"])
def test_each_category_follows_the_basis_of_the_purposes_that_live(
    basis: str, anna: Customer
) -> None:
    """Every provided or observed column, under each basis: taken along or not."""
    ProcessingRecord.objects.filter(customer=anna).delete()
    ProcessingRecord.objects.create(
        customer=anna, purpose="B", basis="c", since=date(2020, 3, 1), retain_until=FAR
    )
    ProcessingRecord.objects.filter(customer=anna).update(basis=basis)
    content = collect(anna.pk)
    reached = {*BY_CODE["B"].keeps, *BY_CODE["B"].uses} if basis in "cs" else set()
    for part in portability.portable(content):
        assert {column.category for column in part.columns} <= reached
    taken = {(p.copy.key, c.key) for p in portability.portable(content) for c in p.columns}
    for model, data in personal_models():
        key = model._meta.label_lower
        rows = next(copy.rows for copy in content.tables if copy.key == key)
        for category, names in data.columns.items():
            for name in names:
                is_theirs = ORIGINS[key].of(name) != "" and name != "national_id_hash"
                expected = bool(rows) and is_theirs and category in reached
                assert ((key, name) in taken) is expected, (key, name)
    records.refresh([anna.pk])


def test_who_has_left_takes_along_nothing_that_only_our_interest_keeps() -> None:
    former = cast.person("Bo", since=date(2023, 1, 7))
    cast.subscription(former, date(2023, 1, 7), today() - timedelta(days=90))
    kept = ProcessingRecord.objects.filter(customer=former, ended_on=None)
    assert kept.filter(basis="f", retain_until__gte=today()).exists()
    assert taken_along(former)["tables"] == []
    assert taken_along(former)["left_out"]


def test_what_a_register_told_us_is_not_the_persons_to_take(anna: Customer) -> None:
    change_details(anna, {"family_name": "Ny"}, source=Source.REGISTER)
    change_details(anna, {"street": "Nygatan 1"}, source=Source.REGISTER)
    told = taken_along(anna)
    assert "customers.address" not in columns_of(told)
    assert "family_name" not in columns_of(told)["customers.customer"]
    written = json.dumps(told, ensure_ascii=False)
    assert "Nygatan" not in written
    change_details(anna, {"family_name": "Egen", "street": "Egengatan 2"})
    written = json.dumps(taken_along(anna), ensure_ascii=False)
    assert '"Egen"' in written
    assert "Egengatan 2" in written


def test_it_is_asked_for_fetched_and_told_of_like_the_extract(
    client: Client, anna: Customer
) -> None:
    extract = built(anna)
    signed_in(client, anna)
    assert client.get(PAGE).context["state"] == "none"
    assert client.post(PAGE).status_code == 302
    assert client.post(PAGE).status_code == 302
    ready = Extract.objects.get(case__right="portability")
    assert client.get(PAGE)["Refresh"] == "5"
    assert build(ready.pk)
    shown = client.get(PAGE)
    assert shown.context["state"] == "ready"
    assert "Hämta filen" in shown.content.decode()
    ready.refresh_from_db()
    fetch_url = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert client.post(fetch_url)["Location"] == "/visa-att-det-ar-du/"
    answer = download(client, ready)
    assert answer.status_code == 200
    assert "att-ta-med" in answer["Content-Disposition"]
    relay()
    assert any(PAGE in sent.body for sent in mail.outbox)
    # The extract beside it stays what it was.
    extract.refresh_from_db()
    assert extract.status == Extract.Status.READY
    assert client.get("/ta-ut-allt/").context["extract"]["title"] == "Allt vi har om dig"
    case = Case.objects.get(right="portability")
    assert (case.status, case.outcome) == ("answered", "granted")


def test_who_asks_in_their_own_words_gets_the_same_file(anna: Customer) -> None:
    (case,) = register_message(anna, ["portability"], "Jag vill byta till en annan.")
    assert build(case.extract.pk)
    case.refresh_from_db()
    assert case.status == Case.Status.ANSWERED
    assert register_message(anna, ["portability"], "Igen.")[0].pk != case.pk


def test_no_file_has_a_row_of_anybody_else() -> None:
    """Random people who share streets and products, each with words of their own in every table."""
    chance = random.Random(20261124)
    people = {}
    for n in range(25):
        word = f"ord{n:03d}ord"
        person = cast.person(
            word.title(), family_name=word, email=f"{word}@example.se", since=date(2024, 1, 7)
        )
        cast.subscription(person, date(2024, 1, 7))
        for _ in range(chance.randint(0, 3)):
            cast.order(person, date(2026, 3, chance.randint(1, 28)))
        ask(person, subject=word, body=word, collected=Collected.EMAIL)
        change_details(person, {"street": f"{word}gatan {n}"})
        people[word] = person
    for word, person in people.items():
        written = json.dumps(taken_along(person)).casefold()
        found = {other for other in people if other in written}
        assert found == {word}


def test_every_column_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_origins(None) == []
    without = {**ORIGINS, "customers.address": Origin(provided=("street", "colour"))}
    monkeypatch.setattr(origins, "ORIGINS", without)
    said = [f"{found.msg} {found.hint}" for found in checks.check_origins(None)]
    assert '"postcode"' in said[0]
    assert "customers.address" in said[0]
    assert "colour" in said[1]
