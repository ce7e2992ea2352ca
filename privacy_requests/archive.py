"""The archive a person fetches: a PDF to read, JSON and CSV for machines, and a manifest."""

import hashlib
import io
import json
import re
import unicodedata
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst
from django.conf import settings

from customers.dates import STOCKHOLM
from privacy_requests.document import as_json
from privacy_requests.extract import Content
from privacy_requests.pages import as_pages
from privacy_requests.sheets import as_csv

HERE = Path(__file__).parent
SCHEMA = HERE / "extract.schema.json"
TEMPLATE = HERE / "typst" / "extract.typ"
FONTS = HERE / "typst" / "fonts"

PDF_NAME, JSON_NAME = "utdrag.pdf", "utdrag.json"
SCHEMA_NAME, MANIFEST_NAME = "extract.schema.json", "manifest.json"
LARGEST = 50 * 1024 * 1024  # E12
# What the fonts of the PDF can show; the typesetter refuses, or falls over, on other signs.
SHOWN = re.compile(
    "[\n\\x20-\\x7e\\xa0-\\xac\\xae-\\u024f\\u0370-\\u0377\\u037a-\\u037e\\u0384-\\u038a"
    "\\u038c\\u038e-\\u03a1\\u03a3-\\u04ff\\u1e00-\\u1eff–—‘’“”•…€−]"
)
NOT_SHOWN = "?"
# A word without end may break here, or it would run off the paper.
LONG_WORD = re.compile(r"\S{40}(?=\S{10})")
MAY_BREAK = "\\g<0>\N{ZERO WIDTH SPACE}"


class LayoutError(Exception):
    """The PDF could not be set."""


class TooLargeError(Exception):
    """The archive is larger than a file we hand out may be."""


@dataclass(frozen=True)
class Archive:
    """A ZIP with ASCII names and its digest."""

    data: bytes
    sha256: str


def pack(content: Content) -> Archive:
    """Return everything about a person in one archive."""
    parts = {
        PDF_NAME: pdf(content),
        JSON_NAME: as_text(as_json(content)),
        SCHEMA_NAME: SCHEMA.read_bytes(),
    }
    for copy in content.tables:
        if copy.rows:
            parts[sheet_name(copy.key)] = as_csv([c.key for c in copy.columns], copy.rows)
    return sealed(parts, content)


def as_text(told: dict[str, Any]) -> bytes:
    """Return a document as JSON with its own letters."""
    return json.dumps(told, ensure_ascii=False, indent=1).encode()


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


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    """Return the typesetter with our own fonts and those it brings, so all machines set alike."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[FONTS])
    return typst.Compiler(TEMPLATE, root=settings.BASE_DIR, font_paths=fonts)


def pdf(content: Content) -> bytes:
    """Return the extract as a tagged PDF (PDF/UA-1); raises LayoutError."""
    pages = as_pages(content)
    shown = _showable(pages)
    try:
        made = _compiler().compile(
            format="pdf",
            pdf_standards=["ua-1"],
            sys_inputs={"data": json.dumps(shown)},
            timestamp=content.taken_at.replace(microsecond=0),
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as crash:  # a panic of the typesetter is no Exception
        raise LayoutError("The PDF could not be set.") from crash
    if not isinstance(made, bytes):
        raise LayoutError("The typesetter returned no PDF.")
    return made


def _showable(value: Any) -> Any:
    """Replace what the fonts cannot show, everywhere; the JSON has it as it is."""
    if isinstance(value, str):
        composed = unicodedata.normalize("NFC", value).replace("\N{SOFT HYPHEN}", "")
        plain = composed.replace("\r\n", "\n").replace("\t", " ")
        shown = "".join(sign if SHOWN.fullmatch(sign) else NOT_SHOWN for sign in plain)
        return LONG_WORD.sub(MAY_BREAK, shown)
    if isinstance(value, list | tuple):
        return [_showable(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _showable(entry) for key, entry in value.items()}
    return value
