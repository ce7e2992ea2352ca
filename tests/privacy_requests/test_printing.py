"""The extract on paper and on screen: tagged, nothing hidden, and set by a process with nothing."""

import io
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.conf import settings as project
from django.db import models
from django.utils import timezone

from consent.facts import use_national_id
from customers.models import AccessLog, Customer, User
from customers.personal_data import personal_models
from privacy_requests import archive, printing
from privacy_requests.actions import build, open_case
from privacy_requests.extract import collect
from privacy_requests.masking import NOTES
from privacy_requests.models import Extract
from privacy_requests.origins import ORIGINS
from privacy_requests.pages import as_pages
from privacy_requests.printing import LayoutError, Typesetter, pdf, typesetter
from retention.models import Hold
from tests import cast
from tests.privacy_requests.doing import document_of

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
MOMENT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def files_of(customer: Customer) -> dict[str, bytes]:
    packed = archive.pack(collect(customer.pk))
    with zipfile.ZipFile(io.BytesIO(packed.data)) as files:
        return {name: files.read(name) for name in files.namelist()}


def opened(customer: Customer) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(files_of(customer)[archive.PDF_NAME]))


def kinds(element: Any) -> Iterator[tuple[str, Any]]:
    """Yield every element of a structure tree by its kind."""
    if isinstance(element, pikepdf.Array):
        for child in element.as_list():
            yield from kinds(child)
    elif isinstance(element, pikepdf.Dictionary):
        if "/S" in element:
            yield str(element.S), element
        if "/K" in element:
            yield from kinds(element.K)


def test_the_pdf_says_that_it_is_accessible_and_made_to_last(anna: Customer) -> None:
    """PDF/UA-1 and PDF/A-3a at once: the identifiers, and what each of them rests on."""
    with opened(anna) as found:
        assert found.Root.MarkInfo.Marked
        assert found.Root.Lang == "sv"
        assert found.Root.ViewerPreferences.DisplayDocTitle
        assert found.Root.OutputIntents[0].S == "/GTS_PDFA1"
        with found.open_metadata() as about:
            assert about["pdfuaid:part"] == "1"
            assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("3", "A")
            assert about["dc:title"] == "Allt vi har om dig"
            assert about["dc:language"] == {"sv"}
        for page in found.pages:
            assert page.Tabs == "/S"
            for font in page.Resources.Font.values():
                for below in font.get("/DescendantFonts", [font]):
                    about_font = below.FontDescriptor
                    assert {"/FontFile2", "/FontFile3"} & set(about_font.keys())
                assert "/ToUnicode" in font


def test_a_screen_reader_finds_headings_tables_and_the_words_of_the_picture(anna: Customer) -> None:
    with opened(anna) as found:
        elements = list(kinds(found.Root.StructTreeRoot.K))
    names = {name for name, _ in elements}
    assert {"/H1", "/H2", "/H3", "/P", "/Table", "/TR", "/TH", "/TD", "/L", "/LI"} <= names
    assert [str(element.Alt) for name, element in elements if name == "/Figure"] == ["Dentalclean"]
    assert [name for name, _ in elements if name == "/H1"] == ["/H1"]
    heads = [element for name, element in elements if name == "/TH"]
    assert all("/Scope /Column" in str(head.A.unparse()) for head in heads)


def test_the_pdf_says_nothing_of_us_but_our_name_and_does_nothing(anna: Customer) -> None:
    with opened(anna) as found:
        assert set(found.docinfo.keys()) <= {
            *("/Title", "/Author", "/Creator", "/CreationDate", "/ModDate")
        }
        assert found.docinfo["/Author"] == project.CONTROLLER["name"]
        assert {"/OpenAction", "/AA", "/AcroForm", "/Names"}.isdisjoint(found.Root.keys())
        assert all("/Annots" not in page and "/AA" not in page for page in found.pages)
        plain = io.BytesIO()
        found.save(plain, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    for place in (str(project.BASE_DIR), str(Path.home()), "typesetting"):
        assert place.encode() not in plain.getvalue()


def test_the_same_snapshot_makes_the_same_bytes(anna: Customer) -> None:
    content = collect(anna.pk)
    assert archive.pack(content) == archive.pack(content)


@pytest.mark.breaks(15)
def test_what_is_about_others_is_in_no_layer_of_any_file(anna: Customer) -> None:
    """E03, E14: colleagues and others in our notes; the person's own addresses stay readable."""
    staff = User.objects.create_user("cecilia.cederlund@dentalclean.example", is_staff=True)
    Hold.objects.create(
        customer=anna,
        ground=Hold.Ground.DISPUTE,
        reason="Cecilia Cederlund talade med Eva, 19811228-9874, 070-174 06 99, eva@example.com. "
        f"Anna nås på {anna.email} och 070-174 06 35.",
        review_on=date(2027, 1, 7),
    )
    AccessLog.objects.create(customer=anna, actor=staff, reason="calls", words="Bad Cederlund läsa")
    files = files_of(anna)
    said = "".join(data.decode("utf-8-sig") for name, data in files.items() if name[-3:] != "pdf")
    with pikepdf.open(io.BytesIO(files[archive.PDF_NAME])) as found:
        plain = io.BytesIO()
        found.save(plain, stream_decode_level=pikepdf.StreamDecodeLevel.generalized)
    words = as_pages(collect(anna.pk))
    for secret in ("Cecilia", "Cederlund", "cederlund", "-9874", "174 06 99", "eva@example.com"):
        assert secret not in said
        assert secret not in str(words)
        assert secret.encode() not in plain.getvalue()
    assert f"Anna nås på {anna.email} och 070-174 06 35." in said
    left_out = {(w["table"], w["column"]) for w in document_of(anna)["withheld"]}
    assert {("retention.hold", "reason"), ("customers.accesslog", "words")} <= left_out


def test_what_is_worked_out_and_what_a_check_of_credit_means_is_told(anna: Customer) -> None:
    use_national_id(anna, "199006022397")
    told = document_of(anna)
    assert [p["code"] for p in told["profiling"]] == ["F", "I"]
    assert "Det får vi göra nu" in told["profiling"][0]["done"]
    assert "fakturapartner" in told["automated_decisions_note"]
    invoices = next(p for p in told["purposes"] if p["code"] == "L")
    assert invoices["categories"] == ["Fakturor"]
    assert "fakturapartner" not in document_of(cast.person("Bo"))["automated_decisions_note"]


# The process that sets type (E11)


@pytest.fixture
def own() -> Iterator[Typesetter]:
    made = Typesetter()
    yield made
    made.end()


def heavy(folder: Path, times: int) -> Path:
    """Write a template that works for a while."""
    template = folder / "heavy.typ"
    template.write_text(
        '#set document(title: "x")\n#set text(lang: "sv")\n'
        f"#for i in range({times}) {{ let a = range(2000).map(x => x * i).sum() }}\n= x\n"
    )
    return template


def test_who_sets_too_long_is_ended_and_the_next_document_is_set(
    own: Typesetter, anna: Customer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(printing, "TEMPLATE", heavy(tmp_path, 1_000_000))
        patched.setattr(printing, "WALL_SECONDS", 0.7)
        started = time.monotonic()
        with pytest.raises(LayoutError):
            own.set("{}", MOMENT)
        assert time.monotonic() - started < 5
        assert own.pid is None
        patched.setattr(printing, "WALL_SECONDS", 30)
        patched.setattr(printing, "CPU_SECONDS", 1)
        with pytest.raises(LayoutError):
            own.set("{}", MOMENT)
    own.end()
    assert pdf(as_pages(collect(anna.pk)), MOMENT).startswith(b"%PDF")


def test_who_wants_too_much_memory_is_refused(
    own: Typesetter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "MOST_BYTES", 50 * 1024**2)
    with pytest.raises(LayoutError):
        own.set("{}", MOMENT)


def test_the_process_that_sets_type_has_nothing_of_ours(anna: Customer) -> None:
    pdf(as_pages(collect(anna.pk)), MOMENT)
    process = Path(f"/proc/{typesetter.pid}")
    assert (process / "environ").read_bytes() == b""
    assert "settings" not in (process / "cmdline").read_text()
    open_files = {str(link.readlink()) for link in (process / "fd").iterdir()}
    assert not [name for name in open_files if name.startswith(("socket:", str(project.DATA_DIR)))]


def test_a_typesetter_that_dies_in_the_middle_is_replaced_at_the_next_try(anna: Customer) -> None:
    wanted = open_case(anna).extract
    pdf(as_pages(collect(anna.pk)), MOMENT)
    process = typesetter._process
    assert process is not None
    process.kill()
    process.wait()
    with pytest.MonkeyPatch.context() as patched:
        # It dies after it was seen alive.
        patched.setattr(process, "poll", lambda: None)
        assert not build(wanted.pk)
    Extract.objects.filter(pk=wanted.pk).update(available_at=timezone.now())
    assert build(wanted.pk)


# Running text that is ours and no note: it went to the person, or tells of their earlier data.
THEIRS = {
    *{"customers.change.old", "customers.invoice.buyer_name", "customers.invoice.buyer_address"},
    *{"customers.supportcase.answer", "disclosures.outbox.subject", "disclosures.outbox.body"},
    *{"disclosures.outbox.recipient", "privacy_requests.case.answer"},
    *("privacy_requests.erasure.answer_to", "privacy_requests.erasure.stays"),
}


def test_every_running_text_of_ours_is_masked_or_known_to_the_person() -> None:
    running = {
        f"{model._meta.label_lower}.{name}"
        for model, data in personal_models()
        for names in data.columns.values()
        for name in names
        for column in [model._meta.get_field(name)]
        if isinstance(column, models.CharField | models.TextField)
        and not column.choices
        and (column.max_length or 999) >= 100
        and not ORIGINS[model._meta.label_lower].of(name)
    }
    masked = {f"{table}.{name}" for table, names in NOTES.items() for name in names}
    fields_of_the_log = {"admin.logentry.change_message"}
    assert running - masked - THEIRS == fields_of_the_log
    assert masked <= running
