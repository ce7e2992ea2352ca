"""Whatever stands in a person's words is shown in every file and run in none.

One person has the whole corpus in every text column; one archive of each kind is built of it.
"""

import csv
import io
import json
import re
import subprocess
import zipfile
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pikepdf
import pytest
from django.db import DataError, connection, models

from customers.models import Customer
from privacy_requests import archive, portability, reading
from privacy_requests.extract import collect
from privacy_requests.pages import as_pages
from privacy_requests.printing import showable
from privacy_requests.sheets import as_csv
from retention import statements
from retention.rules import algebra, as_due
from tests import cast, past
from tests.dentalclean.test_marker import NIGHT, somebody, text_columns

# A snapshot of its own needs a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)

HTML = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "</dd></table><h1>x</h1>",
    "<link rel=attachment href=file:///etc/passwd>",
    "<!--",
    "{{ 7|add:7 }}{% debug %}",
    "&lt;b&gt;",
)
TYPST = (
    '#read("/etc/passwd")',
    '#import "@preview/x:1.0.0": *',
    '#image("extract.typ")',
    "$ x^2 $",
    "$",
    "@ref <label>",
    "= Rubrik",
    "#set page(width: 1pt)",
    "*_`//\\#[{",
    "#panic()",
    '"); #text',
)
FORMULAS = (
    *("=1+1", "+46701740605", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\N{NO-BREAK SPACE}=1"),
    *("＝1", "＋1", "－1", "＠x", "\ufeff=1", "\u200b=1", "hej\n=1", "hej\r\n=cmd|' /C calc'!A0"),
    *("a\u2028=1", '=HYPERLINK("http://x.example","y")', "|cmd"),
)
SIGNS = (
    "\u202egnp.exe",
    "\u2066x\u2069",
    "\x01\x07\x1b[31m\x7f\x85\x9b",
    "\x0c",
    "(\\) Tj ET",
    "\\u0022, \\",
    '"},"x":{"',
    "漢字\N{PILE OF POO}",
    "e\u0301" * 4,
    "a\u0300\u0301\u0302\u0303",
    "]]>%>",
)
LONG = ("A" * 3000, "Wi" * 600, "https://" + "x" * 900)
CORPUS = (*HTML, *TYPST, *FORMULAS, *SIGNS, *LONG)
STARTS = tuple("=+-@|%＝＋－＠−")


def planted(customer: Customer) -> dict[str, list[str]]:
    """Write as much of the corpus as fits into each text column, each beginning elsewhere."""
    values: dict[str, list[str]] = {}
    due = {"on": NIGHT, **as_due(algebra(NIGHT, [customer.pk]))}
    turn = 0
    with past.the_triggers(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in statements.mapped():
            for column in text_columns(table):
                room = column.max_length or 20_000
                pieces: list[str] = []
                for piece in (*CORPUS[turn:], *CORPUS[:turn]):
                    if len("\n".join([*pieces, piece])) <= room:
                        pieces.append(piece)
                turn = (turn + 7) % len(CORPUS)
                if not pieces or not _take(cursor, table, column, "\n".join(pieces), due):
                    continue
                values[f"{table.model._meta.label_lower}.{column.name}"] = pieces
    return values


def _take(cursor: Any, table: statements.Table, column: Any, text: str, due: Any) -> bool:
    """Write a text into a column of a person's rows; say whether the database takes it."""
    value = json.dumps([text]) if isinstance(column, models.JSONField) else text
    cursor.execute("SAVEPOINT one")
    try:
        cursor.execute(
            f"WITH {statements.DUE} UPDATE {table.name} t "
            f'SET "{column.column}" = %(value)s FROM {table.sources} WHERE {table.tie}',
            {**due, "value": value},
        )
    except Exception:
        cursor.execute("ROLLBACK TO one")
        return False
    return True


class Tags(HTMLParser):
    """Count the elements of a page, and keep its attributes and its words."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: Counter[str] = Counter()
        self.attributes: set[str] = set()
        self.links: set[str] = set()
        self.words: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag] += 1
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in ("href", "src")}

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def files_in(packed: archive.Archive) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(packed.data)) as files:
        return {name: files.read(name) for name in files.namelist()}


@pytest.mark.breaks(*range(1, 18))
def test_the_corpus_in_every_column_is_shown_and_runs_nowhere() -> None:
    anna = somebody("Anna")
    cast.subscription(anna, date(2026, 1, 7))  # or there is nothing to take along
    plain_page = Tags(reading.html(as_pages(collect(anna.pk))).decode())
    values = planted(anna)
    assert len(values) > 20
    assert {piece for pieces in values.values() for piece in pieces} == set(CORPUS)
    content = collect(anna.pk)
    whole, along = files_in(archive.pack(content)), files_in(portability.pack(content))

    told = json.loads(whole["utdrag.json"])
    jsonschema.validate(told, json.loads(archive.SCHEMA.read_text()))
    said = json.dumps(told["tables"], ensure_ascii=False)
    for column, pieces in values.items():
        stored = [p for p in pieces if "\r" not in p]
        assert all(json.dumps(p, ensure_ascii=False)[1:-1] in said for p in stored), column
    assert not re.search(
        "[\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]", whole["utdrag.json"].decode()
    )
    jsonschema.validate(
        json.loads(along["uppgifter.json"]), json.loads(portability.SCHEMA.read_text())
    )

    _the_sheets_are_text(whole)
    _the_sheets_are_text(along)
    _the_page_is_as_without(plain_page, whole["utdrag.html"].decode())
    _the_pdf_only_shows(whole["utdrag.pdf"])
    for name in (*whole, *along):
        assert re.fullmatch(r"[a-z_/.-]+", name)


def _the_sheets_are_text(files: dict[str, bytes]) -> None:
    sheets = [data for name, data in files.items() if name.startswith("csv/")]
    assert sheets
    for data in sheets:
        for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
            for cell in row:
                for line in re.split(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]", cell):
                    bare = re.sub(r"^[\s\0\ufeff\u00ad\u200b-\u200f\u2060]+", "", line)
                    is_number = re.fullmatch(r"-?\d+(\.\d+)?", bare)
                    assert not bare.startswith(STARTS) or is_number, cell


def _the_page_is_as_without(before: Tags, page: str) -> None:
    """The corpus adds words to the page, and neither an element nor an attribute to it."""
    found = Tags(page)
    assert found.elements.keys() == before.elements.keys()
    assert found.attributes == before.attributes
    assert all(re.fullmatch(r"#s\d+", link) for link in found.links)
    assert found.comments == []
    assert "default-src 'none'" in page
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    words = "".join(found.words)
    for piece in (*HTML, *TYPST, '=HYPERLINK("http://x.example","y")', "漢字"):
        assert piece in words


def _the_pdf_only_shows(data: bytes) -> None:
    text = subprocess.run(
        ["pdftotext", "-raw", "-", "-"], input=data, stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    words = re.sub(r"[\s\u200b\u00ad]+", "", text)
    for piece in (*TYPST, "<script>alert(1)</script>", "(\\)TjET", "A" * 400):
        assert re.sub(r"\s+", "", piece) in words, piece
    assert "root:" not in words
    assert "\u202e" not in words
    with pikepdf.open(io.BytesIO(data)) as found:
        assert {"/OpenAction", "/AA", "/AcroForm", "/Names"}.isdisjoint(found.Root.keys())
        assert all("/Annots" not in page for page in found.pages)
        assert all(page.MediaBox == [0, 0, *page.MediaBox.as_list()[2:]] for page in found.pages)
        assert len({str(page.MediaBox) for page in found.pages}) == 1


def test_what_the_database_never_holds_would_not_run_either() -> None:
    """NUL and half a surrogate pair cannot be stored; the files would be whole all the same."""
    with pytest.raises((ValueError, DataError)), connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["a\0b"])
    odd = "a\0b\ud800c"
    assert json.loads(archive.as_text({"a": odd})) == {"a": odd}
    assert as_csv(["a"], [{"a": odd}]).decode("utf-8-sig").endswith('"a\0b?c"\r\n')
    assert showable(odd) == reading.seen(odd).replace("\ud800", "?") == "a?b?c"
