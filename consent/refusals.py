"""The noes of the ledger outside the database, beside the seals, to be said again after a restore.

    000000000042.noes = one line of JSON per refusal and limit that seal 42 covers

A pseudonym, a kind, a use, a moment: nothing of a person. Written before the seal of the same
number, so that no seal is without it. A yes is not kept: one that is lost is asked for again, while
a no that is lost would be disobeyed (L03).
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.db import connection

from consent import seals
from consent.models import Event
from consent.standing import REFUSALS

Kind = Event.Kind
KEPT = (*REFUSALS, Kind.RESTRICTED, Kind.UNRESTRICTED)
AT_ONCE = 4096
LINES = f"""
    SELECT MAX(number), string_agg(row_to_json(entry)::text || E'\\n', '' ORDER BY number)
      FROM (SELECT id AS number, subject AS pseudonym, at, kind, purpose, channel, third_party,
                   ground, collected, authority
              FROM consent_event
             WHERE id > %s AND id <= %s AND kind IN ({", ".join(f"'{kind}'" for kind in KEPT)})
             ORDER BY id LIMIT {AT_ONCE}) AS entry
"""


@dataclass(frozen=True)
class No:
    """One entry of the ledger that refuses or limits, without its evidence."""

    number: int
    pseudonym: str
    at: str
    kind: str
    purpose: str
    channel: str
    third_party: str
    ground: str
    collected: str
    authority: int

    @property
    def subject(self) -> UUID:
        return UUID(self.pseudonym)

    @property
    def said_at(self) -> datetime:
        return datetime.fromisoformat(self.at)


def write(seal: int, after: int, until: int) -> None:
    """Put the noes among the entries of a seal on the disk."""
    seals.write_whole(path(seal), _chunks(after, until))


def _chunks(after: int, until: int) -> Iterator[bytes]:
    """Yield lines in the order of the ledger, composed by the database."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute(LINES, [after, until])
            after, lines = cursor.fetchone()
            if lines is None:
                return
            yield lines.encode()


def after(event: int) -> Iterator[No]:
    """Yield the noes with a higher number than an entry's, in the order of the ledger."""
    for number in sorted(_numbers()):
        head = seals.head(number)
        if head is None or head.last_event > event:
            for line in path(number).read_text().splitlines():
                no = No(**json.loads(line))
                if no.number > event:
                    yield no


def _numbers() -> Iterator[int]:
    for found in path(0).parent.glob("*.noes"):
        yield int(found.stem)


def path(seal: int) -> Path:
    """Return where the noes of a seal lie."""
    return seals.path(seal).with_suffix(".noes")
