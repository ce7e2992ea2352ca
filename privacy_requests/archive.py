"""The archive a person fetches: PDF and HTML to read, JSON and CSV for machines, a manifest."""

import hashlib
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from customers.dates import STOCKHOLM
from privacy_requests.document import as_json
from privacy_requests.extract import Content
from privacy_requests.pages import as_pages
from privacy_requests.printing import pdf
from privacy_requests.reading import html
from privacy_requests.sheets import as_csv

HERE = Path(__file__).parent
SCHEMA = HERE / "extract.schema.json"

PDF_NAME, HTML_NAME, JSON_NAME = "utdrag.pdf", "utdrag.html", "utdrag.json"
SCHEMA_NAME, MANIFEST_NAME = "extract.schema.json", "manifest.json"
LARGEST = 50 * 1024 * 1024  # E12
# Signs that are not seen or turn the text around: in JSON they are written as what they are.
UNSEEN = re.compile("[\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class TooLargeError(Exception):
    """The archive is larger than a file we hand out may be."""


@dataclass(frozen=True)
class Archive:
    """A ZIP with ASCII names and its digest."""

    data: bytes
    sha256: str


def pack(content: Content) -> Archive:
    """Return everything about a person in one archive."""
    pages = as_pages(content)
    parts = {
        PDF_NAME: pdf(pages, content.taken_at),
        HTML_NAME: html(pages),
        JSON_NAME: as_text(as_json(content)),
        SCHEMA_NAME: SCHEMA.read_bytes(),
    }
    for copy in content.tables:
        if copy.rows:
            parts[sheet_name(copy.key)] = as_csv([c.key for c in copy.columns], copy.rows)
    return sealed(parts, content)


def as_text(told: dict[str, Any]) -> bytes:
    """Return a document as JSON with its own letters, all of them seen."""
    written = json.dumps(told, ensure_ascii=False, indent=1)
    seen = UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", written)
    return seen.encode(errors="backslashreplace")  # half a pair stays the half that it is


def sheet_name(table: str) -> str:
    """Return where the rows of a table lie in an archive."""
    return f"csv/{table}.csv"


def sealed(parts: dict[str, bytes], content: Content) -> Archive:
    """Return files in one archive with a manifest of their digests; raises TooLargeError (E12)."""
    moment = content.taken_at.astimezone(STOCKHOLM)
    manifest = {
        "snapshot_at": moment.isoformat(),
        "policy_version": content.policy_version,
        "files": [
            {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in parts.items()
        ],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, MANIFEST_NAME: json.dumps(manifest, indent=1).encode()}.items():
            entry = zipfile.ZipInfo(name, moment.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    whole = packed.getvalue()
    if len(whole) > LARGEST:
        raise TooLargeError(f"The archive has {len(whole)} bytes.")
    return Archive(whole, hashlib.sha256(whole).hexdigest())
