"""What a person may take along: given by them or seen in their use, by contract or a yes (POR-01).

Chosen from the same copy as the extract, so that snapshot, owner and map are the extract's. A
column is left out when it is ours (`origins`), when no live purpose on contract or consent keeps
or uses its category, or when the value came from a register.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _

from consent.models import ProcessingRecord
from consent.purposes import BY_CODE, Basis
from customers.dates import STOCKHOLM, stockholm_date
from customers.models.channels import Source
from customers.personal_data import Category
from customers.words import controller
from privacy_requests import archive
from privacy_requests.extract import Column, Content, TableCopy
from privacy_requests.origins import ORIGINS, Origin
from privacy_requests.saying import ARTICLE, BASIS
from privacy_requests.sheets import as_csv

FORMAT = "dentalclean-portability-1"
SCHEMA = Path(__file__).parent / "portability.schema.json"
JSON_NAME, SCHEMA_NAME = "uppgifter.json", "portability.schema.json"
BASES = (Basis.CONTRACT.value, Basis.CONSENT.value)
PERSON, CHANGE = "customers.customer", "customers.change"


@dataclass(frozen=True)
class Portable:
    """The part of a table that its person may take along."""

    copy: TableCopy
    origin: Origin
    columns: list[Column]
    rows: list[dict[str, Any]]


def portable(content: Content) -> list[Portable]:
    """Return the tables to take along, each with the columns and rows that the right reaches."""
    open_by = purposes_of(content)
    from_register = _told_by_a_register(content)
    found = []
    for copy in content.tables:
        origin = ORIGINS[copy.key]
        columns = [c for c in copy.columns if origin.of(c.key) and open_by.get(c.category)]
        if copy.key == PERSON:
            columns = [c for c in columns if c.key not in from_register]
        rows = [
            {c.key: row[c.key] for c in columns}
            for row in copy.rows
            if copy.key == PERSON or row.get("source") != Source.REGISTER
        ]
        if columns and rows:
            found.append(Portable(copy, origin, columns, rows))
    return found


def purposes_of(content: Content) -> Mapping[Category, list[str]]:
    """Return by which live purposes on contract or consent each category is here."""
    found: dict[Category, list[str]] = {}
    for record in live(content.records, stockholm_date(content.taken_at)):
        purpose = BY_CODE[record.purpose]
        for category in {*purpose.keeps, *purpose.uses}:
            found.setdefault(category, []).append(record.purpose)
    return found


def live(records: list[ProcessingRecord], on: date) -> list[ProcessingRecord]:
    """Keep the records on contract or consent that hold on a day."""
    return [
        record
        for record in records
        if record.basis in BASES
        and record.ended_on is None
        and record.since <= on <= record.retain_until
    ]


def _told_by_a_register(content: Content) -> set[str]:
    """Return the person's own columns whose value a register brought, not they themselves."""
    changes = next(copy.rows for copy in content.tables if copy.key == CHANGE)
    # The rows come oldest first, so the last word on a field stands.
    latest = {row["field"]: row["source"] for row in changes}
    (person,) = next(copy.rows for copy in content.tables if copy.key == PERSON)
    return {
        column
        for column in ORIGINS[PERSON].provided
        if latest.get(column, person["source"]) == Source.REGISTER
    }


def as_json(content: Content) -> dict[str, Any]:
    """Return what a person takes along as data, by `portability.schema.json`."""
    with translation.override(content.language):
        open_by = purposes_of(content)
        return {
            "format": FORMAT,
            "language": content.language,
            "snapshot_at": content.taken_at.astimezone(STOCKHOLM).isoformat(),
            "controller": controller(),
            "purposes": [
                {
                    "code": record.purpose,
                    "name": str(BY_CODE[record.purpose].name),
                    "basis": str(BASIS[record.basis]),
                    "article": f"GDPR {ARTICLE[record.basis]}",
                }
                for record in live(content.records, stockholm_date(content.taken_at))
            ],
            "left_out": left_out(),
            "tables": [
                {
                    "key": part.copy.key,
                    "name": part.copy.name,
                    "columns": [
                        {
                            "key": column.key,
                            "label": column.label,
                            "origin": part.origin.of(column.key),
                            "purposes": sorted(open_by[column.category]),
                            "meanings": column.meanings,
                        }
                        for column in part.columns
                    ],
                    "rows": part.rows,
                }
                for part in portable(content)
            ],
        }


def left_out() -> str:
    """Say what is not in the file, and where it is."""
    return _(
        "Här finns det du själv har lämnat och det vi har sett när du har handlat eller loggat in, "
        "så länge det vilar på vårt avtal eller på ditt ja. Det vi har räknat ut, det andra har "
        "berättat och det en lag eller vårt eget intresse kräver står inte här. Det får du om du "
        "tar ut allt."
    )


def pack(content: Content) -> archive.Archive:
    """Return what a person takes along in one archive: JSON, its schema, and CSV per table."""
    parts = {
        JSON_NAME: archive.as_text(as_json(content)),
        SCHEMA_NAME: SCHEMA.read_bytes(),
    }
    for part in portable(content):
        sheet = as_csv([column.key for column in part.columns], part.rows)
        parts[archive.sheet_name(part.copy.key)] = sheet
    return archive.sealed(parts, content)
