"""How the ledger is sealed: every few minutes, without a writer waiting for more than a moment."""

from collections.abc import Iterator
from datetime import datetime
from itertools import zip_longest

from django.db import connection, transaction
from django.utils import timezone

from consent import refusals, seals
from consent.models import Event, Seal
from consent.seals import ENTRIES_AT_ONCE, ENTRY, NOTHING, BrokenSealError, Head

LOCK_TIMEOUT = "500ms"
# A digest of another length is nobody's; it is sealed as zeros, and verifying names the entry.
ENTRIES = """
    SELECT string_agg(int8send(id) || CASE length(digest) WHEN 32 THEN digest
                          ELSE decode(repeat('00', 32), 'hex') END, ''::bytea ORDER BY id)
      FROM (SELECT id, digest FROM consent_event WHERE id > %s AND id <= %s
             ORDER BY id LIMIT %s) AS entries
"""
# All that was ever shown, up to a wording: words put between two others would read alike.
WORDINGS = """
    SELECT COALESCE(max(id), 0), encode(sha256(COALESCE(string_agg(sha256(convert_to(
               jsonb_build_array(id, policy_version_id, collected, language, text)::text, 'UTF8')),
               ''::bytea ORDER BY id), ''::bytea)), 'hex')
      FROM consent_notice WHERE id <= %s
"""
NO_LIMIT = 2**63 - 1


def seal() -> list[Seal]:
    """Seal what is new in the ledger; return the seals written, none when nothing is new.

    A file is on the disk before its row is committed; one without a row, left by a crash between
    the two, is taken up first. Raises OperationalError when an entry has been under way for too
    long to wait for, and BrokenSealError when such a file and the ledger disagree.
    """
    boundary = _boundary()
    with transaction.atomic():
        _lock(Seal, "SHARE ROW EXCLUSIVE")  # one at a time; reading goes on
        last = Seal.objects.order_by("-number").first()
        written = []
        while (new := _next(last, boundary)) is not None:
            written.append(new)
            last = new
    seals.note_look()
    return written


def _boundary() -> int:
    """Return the highest number below which no entry can appear any more.

    Numbers are drawn under the table's lock and committed out of order: waiting once until no
    writer is at work makes the highest one a boundary.
    """
    with transaction.atomic():
        _lock(Event, "SHARE")
        newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first()
    return newest or 0


def _lock(model: type[Event] | type[Seal], mode: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(f'LOCK TABLE "{model._meta.db_table}" IN {mode} MODE')


def _next(last: Seal | None, boundary: int) -> Seal | None:
    """Write the seal after the last one, or take up its file; None when there is nothing to it."""
    number, previous = (last.number + 1, bytes(last.digest)) if last else (1, NOTHING)
    after = last.last_event if last else 0
    head = seals.head(number)
    if head is not None:
        _demand_agreement(head, previous, after)
    elif after < boundary:
        refusals.write(number, after, boundary)
        last_notice, shown = wordings()
        head = seals.write(
            _chunks(after, boundary),
            number=number,
            previous=previous,
            sealed_at=timezone.now(),
            last_notice=last_notice,
            wordings=shown,
        )
    else:
        return None
    return Seal.objects.create(
        number=head.number,
        first_event=head.first_event,
        last_event=head.last_event,
        entry_count=head.entry_count,
        root=bytes.fromhex(head.root),
        previous=previous,
        digest=head.digest,
        sealed_at=datetime.fromisoformat(head.sealed_at),
    )


def _chunks(after: int, until: int) -> Iterator[bytes]:
    """Yield numbers and digests in order, packed by the database: a row each would cost more."""
    with connection.cursor() as cursor:
        while after < until:
            cursor.execute(ENTRIES, [after, until, ENTRIES_AT_ONCE])
            (packed,) = cursor.fetchone()
            if packed is None:
                return
            chunk = bytes(packed)
            yield chunk
            after = ENTRY.unpack_from(chunk, len(chunk) - ENTRY.size)[0]


def wordings(until: int = NO_LIMIT) -> tuple[int, str]:
    """Return the number of the newest wording up to one, and the hash over all up to it (G04)."""
    with connection.cursor() as cursor:
        cursor.execute(WORDINGS, [until])
        newest, shown = cursor.fetchone()
    return newest, shown


def _demand_agreement(head: Head, previous: bytes, after: int) -> None:
    """Refuse a file without a row whose entries are not the ledger's."""
    seals.demand_root(head)
    chunks = zip_longest(seals.chunks(head), _chunks(after, head.last_event))
    if head.previous != previous.hex() or any(kept != found for kept, found in chunks):
        raise BrokenSealError(
            f"Seal {head.number} outside the database does not match the ledger; "
            "run manage.py verify_ledger."
        )
