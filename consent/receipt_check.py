"""Is a receipt genuine? Three answers, and nothing else is told."""

import enum
import json
import logging
import re
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consent.models import Event
from consent.receipt_keys import Document, entry_of, is_signed, marks_of

log = logging.getLogger(__name__)

# A receipt takes about 8,000 characters.
LONGEST = 64 * 1024
LONGEST_CODE = 300
_NUMBER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# As written on paper: with the address before it or without, and with any spaces or dashes.
_CODE = re.compile(r"(?:\S*/)?((?:[0-9a-f][\s-]*){40})/?", re.IGNORECASE)


class Verdict(enum.Enum):
    """What we say of a receipt."""

    GENUINE = "genuine"
    ALTERED = "altered"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """The verdict, and whether it was given on a whole receipt or on the code alone."""

    verdict: Verdict
    by_code: bool = False


def check(text: str) -> Answer:
    """Tell whether a receipt, or the code on a printed one, is genuine.

    Always one question to the database, whatever was sent.
    """
    if len(text) <= LONGEST_CODE and (code := _CODE.fullmatch(text.strip())):
        return Answer(_check_code(re.sub(r"[\s-]", "", code[1]).lower()), by_code=True)
    return Answer(_check_document(text))


def _check_code(code: str) -> Verdict:
    number, mark = UUID(code[:32]), code[32:]
    entry = entry_of(number)
    digest = _digests({entry}).get(entry)
    if digest is None:
        return Verdict.UNKNOWN
    return Verdict.GENUINE if mark in marks_of(number, digest) else Verdict.ALTERED


def _check_document(text: str) -> Verdict:
    # The number stands in several places, so whatever was touched, another still tells it is ours.
    entries = {entry_of(UUID(found)) for found in set(_NUMBER.findall(text))}
    digests = _digests(entries)
    document = _read(text)
    if document and is_signed(document):
        entry = entry_of(UUID(document["receipt_id"]))
        named = document["event"]["digest"]
        kept = digests.get(entry)
        if kept is not None and kept.hex() == named:
            return Verdict.GENUINE
        log.error("Entry %s of the ledger is not what a receipt of ours says.", entry)
        return Verdict.ALTERED
    return Verdict.ALTERED if digests else Verdict.UNKNOWN


def _digests(entries: set[int | None]) -> dict[int | None, bytes]:
    asked = [entry or 0 for entry in entries] or [0]
    rows = Event.objects.filter(pk__in=asked).values_list("pk", "digest")
    return {entry: bytes(digest) for entry, digest in rows}


def _read(text: str) -> Document | None:
    """Read a document as strictly as it was written; None when it is no document at all."""
    try:
        found = json.loads(text, object_pairs_hook=_once, parse_constant=_no, parse_float=_no)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name stands twice.")
    return found


def _no(text: str) -> None:
    raise ValueError(f"{text} stands in no receipt.")
