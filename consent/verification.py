"""Is the ledger what was sealed? The seals outside the database are the truth it is held to."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from django.db import connection, transaction

from consent import seals
from consent.models import DIGEST_SQL, Event, Seal
from consent.sealing import wordings
from consent.seals import NOTHING, BrokenSealError, Head
from consent.standing import KEPT_YEARS, stops
from customers.dates import add_years, today

ENTRIES_AT_ONCE = 4096

# Digests are computed anew from the columns. Evidence that left with its person leaves the hash;
# of somebody who still has a name here, it is there too, unless its own time was up (RUL-27).
ENTRIES = f"""
    SELECT id, {DIGEST_SQL}, digest,
           d.event_id IS NULL OR e.evidence_hash = CASE WHEN d.evidence = '' THEN ''::bytea
               ELSE sha256(d.evidence_salt || convert_to(d.evidence, 'UTF8')) END,
           d.event_id IS NOT NULL OR e.evidence_hash = ''::bytea OR NOT EXISTS (
               SELECT FROM customers_customer c
                WHERE c.pseudonym = e.subject AND c.given_name || c.family_name <> '')
      FROM consent_event e
      LEFT JOIN consent_eventdetail d ON d.event_id = e.id
     ORDER BY e.id
"""

CHANGED_WORDING = """
    SELECT id FROM consent_notice
     WHERE content_hash <> encode(sha256(convert_to(text, 'UTF8')), 'hex') ORDER BY id LIMIT 1
"""


@dataclass(frozen=True)
class Verified:
    """How much of the ledger holds."""

    seals: int
    sealed: int
    unsealed: int
    last_digest: str


@dataclass(frozen=True)
class Entry:
    """An entry as it is in the database now."""

    number: int
    computed: bytes
    digest: bytes
    evidence_holds: bool
    evidence_is_there: bool


class BrokenLedgerError(Exception):
    """The ledger is not what was sealed; the message is one sentence that names the first fault."""


Progress = Callable[[int], None]


@transaction.atomic
def verify(progress: Progress) -> Verified:
    """Compare the whole ledger with its seals in constant memory; tells entries done as it goes.

    Raises BrokenLedgerError at the first entry or seal that does not hold.
    """
    _demand_wordings()
    try:
        with closing(_entries(progress)) as entries:  # its cursor must not outlive the transaction
            return _verify(entries)
    except BrokenSealError as broken:
        raise BrokenLedgerError(str(broken)) from broken


def _demand_wordings() -> None:
    """Refuse a wording that is not what it was published as: a yes to it would be to other words.

    Raises BrokenLedgerError for the first one (G04).
    """
    with connection.cursor() as cursor:
        cursor.execute(CHANGED_WORDING)
        changed = cursor.fetchone()
    if changed is not None:
        raise BrokenLedgerError(f"Wording {changed[0]} was changed after it was published.")


def _verify(entries: Iterator[Entry]) -> Verified:
    # The files first: whatever they speak of was committed before the entries are read.
    newest = seals.last_number()
    entry = next(entries, None)
    sealed, previous = 0, None
    for number in range(1, newest + 1):
        head = _head(number, previous, newest)
        _demand_same_wordings(head, previous)
        for kept, digest in seals.entries(head):
            if entry is None or entry.number > kept:
                raise BrokenLedgerError(
                    f"Entry {kept} is missing: seal {number} covers it and the ledger has it not."
                )
            if entry.number < kept:
                raise _put_in(entry, head)
            if entry.computed != digest:
                raise BrokenLedgerError(f"Entry {kept} was changed after seal {number}.")
            _demand_consistency(entry)
            sealed += 1
            entry = next(entries, None)
        previous = head
    _demand_no_seal_after(newest)
    unsealed = 0
    while entry is not None:
        if previous is not None and entry.number <= previous.last_event:
            raise _put_in(entry, previous)
        _demand_consistency(entry)
        unsealed += 1
        entry = next(entries, None)
    return Verified(newest, sealed, unsealed, previous.digest.hex() if previous else "")


def _entries(progress: Progress) -> Generator[Entry, None, None]:
    """Yield the ledger by number from one snapshot, through a cursor on the server."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(ENTRIES)
        done = 0
        while rows := cursor.fetchmany(ENTRIES_AT_ONCE):
            over = _over([row[0] for row in rows if not row[4]])
            for number, computed, digest, holds, is_there in rows:
                there = is_there or number in over
                yield Entry(number, bytes(computed), bytes(digest), holds, there)
            done += len(rows)
            progress(done)


def _over(numbers: Sequence[int]) -> set[int]:
    """Return those of some entries whose words were to leave, by a replay of what was said."""
    subjects = Event.objects.filter(pk__in=numbers).values("customer_id")
    said = Event.objects.filter(customer_id__in=subjects).order_by("customer_id", "pk")
    over: set[int] = set()
    if numbers:
        for _, events in groupby(said.iterator(), attrgetter("customer_id")):
            stopped = stops(events)
            over |= {n for n, day in stopped.items() if add_years(day, KEPT_YEARS) < today()}
    return over & set(numbers)


def _head(number: int, previous: Head | None, newest: int) -> Head:
    """Return a seal after holding it to the one before it and to its row."""
    head = seals.head(number)
    if head is None:
        raise BrokenLedgerError(f"Seal {number} is missing outside the database.")
    chained_to = previous.digest if previous else NOTHING
    after = previous.last_event if previous else 0
    if head.previous != chained_to.hex() or head.first_event <= after:
        raise BrokenLedgerError(f"Seal {number} is not chained to the seal before it.")
    seals.demand_root(head)
    row = Seal.objects.filter(number=number).first()
    if row is None:
        if number == newest:  # written and not committed yet; the entries are held to it
            return head
        raise BrokenLedgerError(f"Seal {number} is missing in the database.")
    told = (row.first_event, row.last_event, row.entry_count, bytes(row.root).hex())
    kept = (head.first_event, head.last_event, head.entry_count, head.root)
    chain = (bytes(row.previous), bytes(row.digest), row.sealed_at.isoformat())
    if told != kept or chain != (chained_to, head.digest, head.sealed_at):
        raise BrokenLedgerError(f"Seal {number} in the database is not the one outside it.")
    return head


def _demand_same_wordings(head: Head, previous: Head | None) -> None:
    """Refuse wordings that are not those of the time, be their own hash made to fit (G04)."""
    told = (head.last_notice, head.wordings)
    if previous is not None and told == (previous.last_notice, previous.wordings):
        return
    if wordings(head.last_notice) != told:
        raise BrokenLedgerError(f"A wording is not what it was at seal {head.number}.")


def _demand_no_seal_after(newest: int) -> None:
    """Refuse a row whose file is gone; one written since the start has its file."""
    for number in Seal.objects.filter(number__gt=newest).values_list("number", flat=True)[:1]:
        if seals.head(number) is None:
            raise BrokenLedgerError(f"Seal {number} is missing outside the database.")


def _demand_consistency(entry: Entry) -> None:
    if entry.computed != entry.digest:
        raise BrokenLedgerError(f"Entry {entry.number} does not match its own digest.")
    if not entry.evidence_holds:
        raise BrokenLedgerError(f"The evidence of entry {entry.number} was changed.")
    if not entry.evidence_is_there:
        raise BrokenLedgerError(f"The evidence of entry {entry.number} is missing.")


def _put_in(entry: Entry, head: Head) -> BrokenLedgerError:
    return BrokenLedgerError(f"Entry {entry.number} was put in after seal {head.number}.")
