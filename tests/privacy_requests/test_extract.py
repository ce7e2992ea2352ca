"""What a register extract says."""

import csv
import hashlib
import io
import json
import re
import threading
from datetime import date
from typing import Any
from unittest.mock import patch

import jsonschema
import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from consent.actions import say_no
from consent.facts import ask
from consent.models import Event
from consent.purposes import Use
from customers.models import Address, Customer
from customers.models.channels import Collected
from customers.personal_data import personal_models
from privacy_requests import archive, collection, extract, portability
from privacy_requests.actions import open_case
from privacy_requests.collection import ForeignRowError
from privacy_requests.extract import collect
from privacy_requests.printing import showable
from privacy_requests.sheets import as_csv
from tests import cast
from tests.privacy_requests.doing import archive_of, built, document_of

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


def test_the_archive_holds_a_pdf_json_its_schema_sheets_and_a_true_manifest(
    anna: Customer,
) -> None:
    ready = built(anna)
    files = archive_of(ready)
    names = files.namelist()
    assert names[:4] == ["utdrag.pdf", "utdrag.html", "utdrag.json", "extract.schema.json"]
    assert all(re.fullmatch(r"csv/[a-z_]+\.[a-z_]+\.csv", name) for name in names[4:-1])
    assert names[-1] == "manifest.json"
    assert len(names) == len(set(names)) > 10
    manifest = json.loads(files.read("manifest.json"))
    for entry in manifest["files"]:
        data = files.read(entry["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert [entry["name"] for entry in manifest["files"]] == names[:-1]
    assert manifest["policy_version"]
    assert manifest["snapshot_at"] == json.loads(files.read("utdrag.json"))["snapshot_at"]


def test_the_json_is_as_its_schema_says(anna: Customer) -> None:
    schema = json.loads(archive.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document_of(anna), schema, cls=jsonschema.Draft202012Validator)


def test_each_table_with_rows_is_a_sheet_with_the_same_columns_and_rows(anna: Customer) -> None:
    files = archive_of(built(anna))
    for table in json.loads(files.read("utdrag.json"))["tables"]:
        name = f"csv/{table['key']}.csv"
        assert (name in files.namelist()) is bool(table["rows"])
        if table["rows"]:
            head, *rows = csv.reader(io.StringIO(files.read(name).decode("utf-8-sig")))
            assert head == [column["key"] for column in table["columns"]]
            assert len(rows) == len(table["rows"])
    phone = csv.DictReader(
        io.StringIO(files.read("csv/customers.customer.csv").decode("utf-8-sig"))
    )
    assert next(phone)["phone"] == f"'{anna.phone}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "=1+1",
            "+46701740605",
            "-2+3",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =1",
            "\N{NO-BREAK SPACE}=1",
        ),
        *("＝1", "＋1", "－1", "＠x", "\ufeff=1", "\u200b=1", "|cmd", "%0A=1", "\0=1", "−1"),
        *("hej\n=1", "hej\r\n=cmd|' /C calc'!A0", "hej\r@x", "a\u2028=1", "a\x85+1", "a\n\n =1"),
    ],
)
def test_no_line_of_a_cell_is_a_formula(text: str) -> None:
    """E05: every line that a sheet could run begins with an apostrophe; what is plain stays."""
    (row,) = list(csv.reader(io.StringIO(as_csv(["a"], [{"a": text}]).decode("utf-8-sig"))))[1:]
    for line in re.split(r"[\n\r\u2028\u2029\x85]", row[0]):
        bare = line.strip("\ufeff\u200b\0 \t\xa0")
        assert not bare.startswith(tuple("=+-@|%＝＋－＠−")), row
    assert row[0].replace("'", "").split()[-1] in text.replace("'", "")


def test_plain_words_and_numbers_stay_as_they_are_in_a_sheet() -> None:
    rows = [{"a": 'Björkgatan 4; "C", a=b', "b": -19800, "c": True, "d": None, "e": ["x"]}]
    written = as_csv(["a", "b", "c", "d", "e"], rows).decode("utf-8-sig")
    (row,) = list(csv.reader(io.StringIO(written)))[1:]
    assert row == ['Björkgatan 4; "C", a=b', "-19800", "true", "", '["x"]']


def test_every_model_on_the_map_is_in_the_extract(anna: Customer) -> None:
    told = {table["key"] for table in document_of(anna)["tables"]}
    assert told == {model._meta.label_lower for model, _ in personal_models()}


def test_it_says_why_from_when_and_until_when(anna: Customer) -> None:
    told = document_of(anna)
    delivery = next(p for p in told["purposes"] if p["code"] == "A")
    assert delivery["article"] == "GDPR 6.1 b"
    assert (delivery["since"], delivery["until"]) == ("2020-03-01", None)
    invoices = next(c for c in told["categories"] if c["name"] == "Fakturor")
    assert invoices["last_day"] == "2033-12-31"


def test_this_requests_own_hold_hides_no_last_day(anna: Customer) -> None:
    open_case(anna)
    told = document_of(anna)
    assert {c["name"]: c["last_day"] for c in told["categories"]}["Fakturor"] == "2033-12-31"


def test_it_names_recipients_sources_rights_and_where_to_complain(anna: Customer) -> None:
    told = document_of(anna)
    assert told["recipients"] == []
    assert "Ingen." in told["recipients_note"]
    assert {"what": "Adress", "from": "Dig", "how": "På webben", "on": "2020-03-01"} in told[
        "sources"
    ]
    assert "Integritetsskyddsmyndigheten" in told["complaint"]
    assert told["automated_decisions"] == []
    assert len(told["rights"]) >= 6


def test_choices_come_with_the_words_the_person_was_shown(anna: Customer) -> None:
    told = document_of(anna)
    yes = next(choice for choice in told["choices"] if choice["what"] == "Sa ja")
    event = Event.objects.get(customer=anna, kind=Event.Kind.CONSENT_GIVEN)
    assert event.notice is not None
    assert yes["wording"] == event.notice.text
    assert yes["about"] == "Enkäter, Sms"


def test_the_own_national_id_is_shown_in_full_and_no_hash_ever(anna: Customer) -> None:
    told = document_of(anna)
    assert told["tables"][0]["rows"][0]["national_id_sealed"] == "199006022397"
    anna.refresh_from_db()
    written = json.dumps(told)
    assert "national_id_hash" not in json.dumps(told["tables"])
    assert bytes(anna.national_id_hash or b"").hex() not in written
    assert [w["column"] for w in told["withheld"]] == ["national_id_hash"]


def test_nothing_of_another_person_is_in_it(anna: Customer) -> None:
    bjorn = cast.person("Björn", family_name="Törnkvist", phone="+46701740699")
    cast.invoice(bjorn, date(2026, 3, 5))
    written = json.dumps(document_of(anna), ensure_ascii=False)
    for word in ("Björn ", "Törnkvist", bjorn.number, "+46701740699"):
        assert word not in written.replace("Björkgatan", "")


def test_a_row_of_somebody_else_stops_the_whole_work(anna: Customer) -> None:
    bjorn = cast.person("Björn")
    careless = re.sub(r" WHERE t\.customer_id = %\(id\)s\)", " WHERE TRUE)", collection.statement())
    assert bjorn
    assert careless != collection.statement()
    with patch.object(collection, "statement", lambda: careless), pytest.raises(ForeignRowError):
        collect(anna.pk)


def test_all_tables_tell_of_one_moment(anna: Customer) -> None:
    read = collection.read

    def read_then_move(cursor: Any, customer: Customer) -> Any:
        yield from read(cursor, customer)

        def move() -> None:
            Address.objects.filter(customer=anna).update(street="Nygatan 1")
            say_no(anna, Use("H", "email"))
            connections.close_all()

        mover = threading.Thread(target=move)
        mover.start()
        mover.join()

    with patch.object(extract, "read", read_then_move):
        content = collect(anna.pk)
    written = json.dumps([table.rows for table in content.tables], ensure_ascii=False)
    assert "Nygatan 1" not in written
    events = next(copy.rows for copy in content.tables if copy.key == "consent.event")
    assert len(content.events) == len(events) < Event.objects.filter(customer=anna).count()


def test_signs_no_font_has_are_kept_in_the_json(anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(family_name="漢字\N{PILE OF POO} #let x = 1 \\[*")
    ready = built(anna)
    files = archive_of(ready)
    assert "漢字" in files.read("utdrag.json").decode()
    assert files.read("utdrag.pdf").startswith(b"%PDF")


def test_a_word_without_end_stays_on_the_paper(anna: Customer) -> None:
    shown = showable(["A" * 200, "https://exempel.se/kort"])
    assert max(len(part) for part in shown[0].split("\u200b")) < 60
    assert shown[0].replace("\u200b", "") == "A" * 200
    assert shown[1] == "https://exempel.se/kort"


def test_it_says_so_when_only_something_open_keeps_the_data() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 1, 31))
    ask(anna, subject="Fel storlek", body="Går det att byta?", collected=Collected.EMAIL)
    told = document_of(anna)
    answers = next(p for p in told["purposes"] if p["code"] == "B")
    assert (answers["until"], answers["until_words"]) == (
        None,
        "tills det som är öppet är avslutat",
    )


def test_the_schemas_are_published_for_whoever_is_handed_a_file(client: Client) -> None:
    for name, path in (("extract", archive.SCHEMA), ("portability", portability.SCHEMA)):
        answer = client.get(reverse(f"privacy_requests:{name}_schema"))
        assert answer["Content-Type"] == "application/schema+json"
        assert answer.content == path.read_bytes()
