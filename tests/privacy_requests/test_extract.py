"""The register extract: asked for, built from one snapshot, fetched, gone."""

import hashlib
import io
import json
import logging
import os
import re
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jsonschema
import pikepdf
import pytest
from django.conf import settings as project
from django.core import mail
from django.db import connection, connections, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.actions import say_no, say_yes
from consent.facts import ask
from consent.models import Event
from consent.purposes import Use
from customers.actions import set_national_id
from customers.models import Address, Customer
from customers.models.channels import Collected
from customers.personal_data import personal_models
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests import actions, archive, extract, identity, vault
from privacy_requests.actions import MOST_ATTEMPTS, build, fetch, open_case, reconcile
from privacy_requests.extract import ForeignRowError, collect
from privacy_requests.models import Case, CaseEvent, Extract
from retention import statements
from retention.actions import execute, open_run
from retention.models import Hold
from tests import cast

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

WORDS = re.compile(rb"[0-9]{6}")


@pytest.fixture(autouse=True)
def _empty_vault() -> Iterator[None]:
    yield
    for path in vault.folder().glob("*"):
        path.unlink()


@pytest.fixture
def anna() -> Customer:
    anna = cast.person(since=date(2020, 3, 1), birth_date=date(1990, 6, 2))
    cast.subscription(anna, date(2020, 3, 1))
    cast.order(anna, date(2026, 3, 1), date(2026, 3, 4))
    cast.invoice(anna, date(2026, 3, 4))
    set_national_id(anna, "199006022397")
    say_no(anna, Use("H", "post"))
    say_yes(anna, Use("C", "sms"))
    return anna


def built(customer: Customer) -> Extract:
    wanted = open_case(customer).extract
    assert build(wanted.pk)
    wanted.refresh_from_db()
    return wanted


def archive_of(ready: Extract) -> zipfile.ZipFile:
    plain = b"".join(vault.decrypted(vault.path_of(ready.file_name).open("rb"), ready.pk))
    assert hashlib.sha256(plain).hexdigest() == ready.sha256
    return zipfile.ZipFile(io.BytesIO(plain))


def document_of(customer: Customer) -> dict[str, Any]:
    packed = archive.pack(collect(customer.pk))
    found: dict[str, Any] = json.loads(
        zipfile.ZipFile(io.BytesIO(packed.data)).read(archive.JSON_NAME)
    )
    return found


def signed_in(client: Client, customer: Customer) -> Client:
    assert customer.user is not None
    client.force_login(customer.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


def code_in_mail() -> str:
    relay()
    (code,) = re.findall(r"^\d{6}$", str(mail.outbox[-1].body), re.MULTILINE)
    return str(code)


def download(client: Client, ready: Extract) -> Any:
    """Ask for a code and fetch with it; return the answer with the file read."""
    client.post(reverse("privacy_requests:extract_code", args=[ready.pk]))
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    answer: Any = client.post(page, {"code": code_in_mail()})
    answer.file = answer.getvalue()
    return answer


# Asking


def test_asking_opens_a_case_with_its_days_and_holds_the_rows(anna: Customer) -> None:
    case = open_case(anna, received_at=cast.noon(date(2026, 1, 31)))
    assert (case.nominal_on, case.latest_on) == (date(2026, 2, 28), date(2026, 3, 2))
    assert case.target_on == date(2026, 2, 27)
    hold = Hold.objects.get(customer=anna)
    assert (hold.ground, hold.reference, hold.lifted_at) == ("case", f"case:{case.pk}", None)
    assert list(case.events.values_list("kind", flat=True)) == ["received"]


def test_asking_again_joins_the_open_case(anna: Customer) -> None:
    assert open_case(anna) == open_case(anna)
    assert Extract.objects.count() == 1


def test_two_requests_at_once_become_one_case(anna: Customer) -> None:
    found: list[int] = []

    def ask() -> None:
        try:
            found.append(open_case(anna).pk)
        finally:
            connections.close_all()

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 4
    assert Case.objects.count() == len(set(found)) == 1


def test_no_row_of_an_open_case_is_purged_and_the_night_after_the_answer_takes_it() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    case = open_case(anna)
    execute(open_run(date(2026, 11, 1))[0])
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    assert build(case.extract.pk)
    execute(open_run(date(2026, 11, 2))[0])
    assert Customer.objects.get(pk=anna.pk).name == ""
    # The answer is proof, and stays its five years.
    assert Case.objects.filter(pk=case.pk).exists()


# What is in it


def test_the_archive_holds_a_pdf_json_its_schema_and_a_true_manifest(anna: Customer) -> None:
    ready = built(anna)
    files = archive_of(ready)
    names = ["utdrag.pdf", "utdrag.json", "extract.schema.json", "manifest.json"]
    assert files.namelist() == names
    assert all(name.isascii() for name in names)
    manifest = json.loads(files.read("manifest.json"))
    for entry in manifest["files"]:
        data = files.read(entry["name"])
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
    assert [entry["name"] for entry in manifest["files"]] == names[:3]
    assert manifest["policy_version"]
    assert manifest["snapshot_at"] == json.loads(files.read("utdrag.json"))["snapshot_at"]


def test_the_pdf_is_tagged_swedish_and_says_nothing_of_us_but_our_name(anna: Customer) -> None:
    with pikepdf.open(io.BytesIO(archive_of(built(anna)).read("utdrag.pdf"))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.Lang == "sv"
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        with pdf.open_metadata() as about:
            assert about["pdfuaid:part"] == "1"
            assert about["dc:title"] == "Allt vi har om dig"
            assert about["dc:creator"] == [project.CONTROLLER["name"]]
        assert str(project.BASE_DIR) not in str(pdf.docinfo)


def test_the_json_is_as_its_schema_says(anna: Customer) -> None:
    schema = json.loads(archive.SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(document_of(anna), schema, cls=jsonschema.Draft202012Validator)


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
    assert "tom" in told["recipients_note"]
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
    readers = tuple(
        extract._Reader(r.model, r.name, r.columns, r.sql.replace(r.sql, all_rows(r)), r.person_key)
        if r.model is Address
        else r
        for r in extract._readers()
    )
    assert bjorn
    with patch.object(extract, "_readers", lambda: readers), pytest.raises(ForeignRowError):
        collect(anna.pk)


def all_rows(reader: Any) -> str:
    """Return the reader's statement as if somebody had forgotten whose rows to read."""
    return re.sub(r" WHERE t\.\S+ = due\.\S+ ", " WHERE TRUE OR due.id = 0 ", reader.sql)


def test_all_tables_tell_of_one_moment(anna: Customer) -> None:
    read = extract._copy
    moved: list[bool] = []

    def move_then_read(cursor: Any, reader: Any, *rest: Any) -> Any:
        copy = read(cursor, reader, *rest)
        if not moved:
            moved.append(True)

            def move() -> None:
                Address.objects.filter(customer=anna).update(street="Nygatan 1")
                Customer.objects.filter(pk=anna.pk).update(family_name="Ny")
                connections.close_all()

            mover = threading.Thread(target=move)
            mover.start()
            mover.join()
        return copy

    with patch.object(extract, "_copy", move_then_read):
        written = json.dumps([table.rows for table in collect(anna.pk).tables], ensure_ascii=False)
    assert "Björkgatan 4" in written
    assert "Nygatan 1" not in written


def test_signs_no_font_has_are_kept_in_the_json(anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(family_name="漢字\N{PILE OF POO} #let x = 1 \\[*")
    ready = built(anna)
    files = archive_of(ready)
    assert "漢字" in files.read("utdrag.json").decode()
    assert files.read("utdrag.pdf").startswith(b"%PDF")


def test_a_word_without_end_stays_on_the_paper(anna: Customer) -> None:
    shown = archive._showable(["A" * 200, "https://exempel.se/kort"])
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


# The file


def test_the_file_is_encrypted_and_only_ours(anna: Customer) -> None:
    ready = built(anna)
    path = vault.path_of(ready.file_name)
    sealed = path.read_bytes()
    assert b"utdrag" not in sealed
    assert b"PK\x03\x04" not in sealed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert anna.number not in path.name


@pytest.mark.parametrize(
    "damage",
    [
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[: len(sealed) // 2],
        lambda sealed: sealed[:-20] + bytes(20),
        lambda sealed: b"",
    ],
)
def test_a_file_that_was_touched_does_not_open(
    anna: Customer, damage: Callable[[bytes], bytes]
) -> None:
    ready = built(anna)
    path = vault.path_of(ready.file_name)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(vault.DamagedFileError):
        archive_of(ready)


def test_a_file_opens_for_its_own_extract_only(anna: Customer) -> None:
    ready = built(anna)
    other = Extract()
    with pytest.raises(vault.DamagedFileError):
        list(vault.decrypted(vault.path_of(ready.file_name).open("rb"), other.pk))


def test_a_large_archive_goes_in_chunks_and_none_can_be_cut_off(tmp_path: Path) -> None:
    key = Extract().pk
    plain = bytes(range(256)) * (3 * vault.CHUNK_BYTES // 256) + b"end"
    name = vault.store(plain, key)
    assert b"".join(vault.decrypted(vault.path_of(name).open("rb"), key)) == plain
    path = vault.path_of(name)
    path.write_bytes(path.read_bytes()[: -(len(b"end") + 16 + 4)])
    with pytest.raises(vault.DamagedFileError):
        list(vault.decrypted(path.open("rb"), key))


# Being told


def test_the_person_is_told_by_a_mail_that_says_nothing_about_them(anna: Customer) -> None:
    built(anna)
    relay()
    (told,) = mail.outbox
    words = f"{told.subject}\n{told.body}"
    assert told.to == [anna.email]
    assert project.SITE_URL + reverse("privacy_requests:extract") in words
    for secret in ("Anna", "Ek", anna.number, "1990", anna.email, "Björkgatan", "Linköping"):
        assert secret not in words
    assert not told.attachments


def test_the_case_is_answered_when_the_file_is_ready_and_the_hold_is_lifted(
    anna: Customer,
) -> None:
    ready = built(anna)
    case = ready.case
    assert case.status == Case.Status.ANSWERED
    assert case.closed_on == timezone.localdate()
    assert not Hold.objects.filter(customer=anna, lifted_at=None).exists()
    kinds = list(case.events.values_list("kind", flat=True))
    assert kinds == ["received", "started", "built", "answered"]


def test_somebody_without_mail_gets_a_letter() -> None:
    anna = cast.person(email="", account=False)
    built(anna)
    assert Outbox.objects.get().kind == Outbox.Kind.LETTER


# Fetching, through the door


def test_from_asking_to_the_file(client: Client, anna: Customer) -> None:
    signed_in(client, anna)
    page = reverse("privacy_requests:extract")
    assert client.get(page).context["state"] == "none"
    assert client.post(page).status_code == 302
    waiting = client.get(page)
    assert (waiting.context["state"], waiting["Refresh"]) == ("building", "5")
    ready = Extract.objects.get()
    assert build(ready.pk)
    shown = client.get(page)
    assert shown.context["state"] == "ready"
    assert "Refresh" not in shown
    answer = download(client, ready)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    fetched = answer.file
    assert len(fetched) == int(answer["Content-Length"])
    assert zipfile.ZipFile(io.BytesIO(fetched)).testzip() is None
    ready.refresh_from_db()
    assert ready.downloads == 1
    assert ready.case.events.filter(kind=CaseEvent.Kind.DOWNLOADED).count() == 1


def test_no_code_no_file(client: Client, anna: Customer) -> None:
    ready = built(anna)
    signed_in(client, anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert client.get(page).status_code == 302
    assert client.post(page, {"code": "123456"}).status_code == 422
    ready.refresh_from_db()
    assert ready.downloads == 0


def test_a_code_opens_one_download_and_is_spent_by_five_wrong_tries(
    client: Client, anna: Customer
) -> None:
    ready = built(anna)
    signed_in(client, anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    client.post(reverse("privacy_requests:extract_code", args=[ready.pk]))
    code = code_in_mail()
    right: Any = client.post(page, {"code": f"{code[:3]} {code[3:]}"})
    assert zipfile.ZipFile(io.BytesIO(right.getvalue())).testzip() is None
    assert client.post(page, {"code": code}).status_code == 422
    client.post(reverse("privacy_requests:extract_code", args=[ready.pk]))
    code = code_in_mail()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(identity.MOST_TRIES):
        assert client.post(page, {"code": wrong}).status_code == 422
    assert client.post(page, {"code": code}).status_code == 422
    ready.refresh_from_db()
    assert ready.downloads == 1


def test_codes_are_not_mailed_without_end(client: Client, anna: Customer) -> None:
    ready = built(anna)
    signed_in(client, anna)
    ask = reverse("privacy_requests:extract_code", args=[ready.pk])
    answers = [client.post(ask).status_code for _ in range(identity.MOST_CODES_AN_HOUR + 1)]
    assert answers == [302] * identity.MOST_CODES_AN_HOUR + [429]


def test_somebody_elses_file_does_not_exist(client: Client, anna: Customer) -> None:
    ready = built(anna)
    signed_in(client, cast.person("Björn"))
    for name in ("extract_code", "extract_download"):
        page = reverse(f"privacy_requests:{name}", args=[ready.pk])
        assert client.post(page, {"code": "123456"}).status_code == 404
    with pytest.raises(Extract.DoesNotExist):
        fetch(ready.pk, Customer.objects.get(given_name="Björn"))


def test_a_stranger_is_asked_to_sign_in(client: Client, anna: Customer) -> None:
    ready = built(anna)
    for page in (
        reverse("privacy_requests:cases"),
        reverse("privacy_requests:extract"),
        reverse("privacy_requests:extract_download", args=[ready.pk]),
    ):
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


def test_the_last_download_deletes_the_file(client: Client, anna: Customer, settings: Any) -> None:
    settings.EXTRACT_DOWNLOADS = 2
    ready = built(anna)
    signed_in(client, anna)
    assert download(client, ready).status_code == 200
    last = download(client, ready)
    assert zipfile.ZipFile(io.BytesIO(last.file)).testzip() is None
    ready.refresh_from_db()
    assert (ready.status, ready.file_name) == (Extract.Status.GONE, "")
    assert list(vault.folder().iterdir()) == []
    gone = client.get(reverse("privacy_requests:extract_download", args=[ready.pk]))
    assert gone.status_code == 410
    assert "raderad" in gone.content.decode()


def test_downloads_at_once_are_all_counted(anna: Customer, settings: Any) -> None:
    settings.EXTRACT_DOWNLOADS = 3
    ready = built(anna)
    outcomes: list[str] = []

    def hurry() -> None:
        try:
            _, file = fetch(ready.pk, anna)
            outcomes.append("file" if b"".join(vault.decrypted(file, ready.pk)) else "nothing")
        except actions.GoneError:
            outcomes.append("gone")
        finally:
            connections.close_all()

    people = [threading.Thread(target=hurry) for _ in range(6)]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert sorted(outcomes) == ["file"] * 3 + ["gone"] * 3


def test_the_file_goes_after_its_last_day(client: Client, anna: Customer) -> None:
    ready = built(anna)
    assert ready.expires_on == timezone.localdate() + timedelta(days=project.EXTRACT_DAYS)
    Extract.objects.update(expires_on=timezone.localdate())
    reconcile()
    assert len(list(vault.folder().iterdir())) == 1
    Extract.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    signed_in(client, anna)
    page = reverse("privacy_requests:extract_download", args=[ready.pk])
    assert client.get(page).status_code == 410
    reconcile()
    assert list(vault.folder().iterdir()) == []
    ready.refresh_from_db()
    assert ready.status == Extract.Status.GONE
    assert ready.case.events.filter(kind=CaseEvent.Kind.EXPIRED).count() == 1


def test_a_new_extract_replaces_the_old_file(anna: Customer) -> None:
    old, new = built(anna), built(anna)
    assert old != new
    old.refresh_from_db()
    assert old.status == Extract.Status.GONE
    assert [path.name for path in vault.folder().iterdir()] == [new.file_name]


def test_my_cases_say_when_we_answer_and_how_it_went(client: Client, anna: Customer) -> None:
    signed_in(client, anna)
    page = reverse("privacy_requests:cases")
    assert "Du har inga ärenden." in client.get(page).content.decode()
    case = open_case(anna)
    shown = client.get(page).content.decode()
    assert "Vi svarar senast" in shown
    assert f"Nummer {case.pk}" in shown
    build(case.extract.pk)
    assert "klart att hämta" in client.get(page).content.decode()
    Extract.objects.update(expires_on=timezone.localdate() - timedelta(days=1))
    reconcile()
    assert "Filen hämtades aldrig" in client.get(page).content.decode()


def test_my_cases_ask_few_questions(
    client: Client, anna: Customer, django_assert_max_num_queries: Any
) -> None:
    signed_in(client, anna)
    for _ in range(3):
        built(anna)
    for name in ("cases", "extract"):
        with django_assert_max_num_queries(10):
            client.get(reverse(f"privacy_requests:{name}"))


# When something breaks


def test_a_build_that_fails_is_tried_again_and_then_left_for_a_human(
    anna: Customer, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    bjorn = cast.person("Björn")
    wanted = open_case(anna).extract
    pack = archive.pack

    def poisoned(content: Any) -> Any:
        if content.customer == anna:
            raise ValueError(f"bad data of {anna.name}")
        return pack(content)

    with patch.object(archive, "pack", poisoned), caplog.at_level(logging.DEBUG):
        for _ in range(MOST_ATTEMPTS):
            Extract.objects.filter(pk=wanted.pk).update(available_at=timezone.now())
            assert not build(wanted.pk)
        assert build(open_case(bjorn).extract.pk)
    wanted.refresh_from_db()
    assert (wanted.status, wanted.attempts) == (Extract.Status.FAILED, MOST_ATTEMPTS)
    case = wanted.case
    assert case.closed_on is None
    assert case.events.filter(kind=CaseEvent.Kind.FAILED).count() == 1
    assert anna.name not in caplog.text
    assert Hold.objects.filter(customer=anna, lifted_at=None).exists()
    page = signed_in(client, anna).get(reverse("privacy_requests:extract"))
    assert "En människa" in page.content.decode()
    assert "Refresh" not in page
    # Asking once more starts it over.
    client.post(reverse("privacy_requests:extract"))
    assert build(wanted.pk)


def test_a_case_past_its_day_is_seen(anna: Customer) -> None:
    case = open_case(anna, received_at=cast.noon(date(2026, 1, 31)))
    assert list(Case.objects.late(date(2026, 3, 2))) == []
    assert list(Case.objects.late(date(2026, 3, 3))) == [case]
    assert list(Case.objects.past_target(date(2026, 2, 28))) == [case]


def test_a_worker_that_lost_its_lease_hands_out_nothing(anna: Customer) -> None:
    wanted = open_case(anna).extract
    store = vault.store

    def overtaken(plain: bytes, key: Any) -> str:
        Extract.objects.filter(pk=wanted.pk).update(available_at=timezone.now())
        with patch.object(vault, "store", store):
            assert build(wanted.pk)
        return store(plain, key)

    with patch.object(vault, "store", overtaken):
        assert not build(wanted.pk)
    wanted.refresh_from_db()
    assert [path.name for path in vault.folder().iterdir()] == [wanted.file_name]
    assert wanted.case.events.filter(kind=CaseEvent.Kind.ANSWERED).count() == 1
    assert Outbox.objects.filter(template="extract_ready").count() == 1


def test_a_second_worker_leaves_a_leased_extract_alone(anna: Customer) -> None:
    wanted = open_case(anna).extract
    assert actions.take(wanted.pk, timezone.now()) is not None
    assert not build(wanted.pk)


def test_files_no_row_knows_are_swept_and_a_lost_file_is_built_again(anna: Customer) -> None:
    ready = built(anna)
    orphan = vault.path_of(vault.store(b"left by a crash", ready.pk))
    partial = vault.folder() / "half.part"
    partial.write_bytes(b"half")
    assert actions.sweep() == 0, "they may belong to a build that goes on"
    long_ago = timezone.now().timestamp() - actions.ORPHAN_AFTER.total_seconds() - 1
    for path in (orphan, partial):
        os.utime(path, (long_ago, long_ago))
    assert actions.sweep() == 2
    vault.remove(ready.file_name)
    assert actions.sweep() == 1
    assert build(ready.pk)
    ready.refresh_from_db()
    assert vault.path_of(ready.file_name).exists()
    assert Case.objects.filter(closed_on=None).count() == 0


def test_a_full_disk_leaves_no_half_file(anna: Customer) -> None:
    wanted = open_case(anna).extract
    with patch.object(os, "fsync", side_effect=OSError(28, "No space left")):
        assert not build(wanted.pk)
    assert list(vault.folder().iterdir()) == []
    wanted.refresh_from_db()
    assert wanted.status == Extract.Status.QUEUED


def test_the_collection_only_reads(anna: Customer) -> None:
    def write(*_: Any) -> None:
        Address.objects.all().delete()

    with patch.object(extract, "_kept", write), pytest.raises(Exception, match="read-only"):
        collect(anna.pk)


def test_a_snapshot_is_never_taken_inside_another_transaction(anna: Customer) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        collect(anna.pk)
    assert connection.get_autocommit()
    assert statements.mapped()
