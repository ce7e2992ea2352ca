"""The ledger against hand-written inserts: one act with its commit, many entries with their seal.

An act of ours is the whole of it: the person locked, the entry with its digest, the evidence in a
row of its own, what then stands, and the processing records where a last day moves. The reference
writes the same entry, words and standing by hand, in one statement with a commit, and decides
nothing; beside it stands one bare entry with a commit, in a table of the same columns and indexes.
Of many entries one in ten is a no, which is kept beside its seal too.
All begin when the pages they touch have been written since the last checkpoint, or the first touch
of each would be what is measured.
"""

import io
import secrets
import time
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count, cycle
from pathlib import Path

from django.conf import settings
from django.db import OperationalError, connection, transaction

from bench import house, world
from bench.measure import Pair, in_turns, report
from consent.actions import say_no, say_yes
from consent.purposes import Use
from consent.sealing import seal
from consent.verification import verify
from customers.models import Customer
from customers.models.channels import Collected

GOAL_ONE, GOAL_MANY = 0.6, 0.5
PEOPLE = 200
PER_PERSON = 5
WRITERS = 8
USE = Use("H", "email")
EVIDENCE = "Ja i telefon, manus 3"
COLUMNS = "at, subject, kind, purpose, channel, third_party, ground, collected, authority"
BARE = f"""
    INSERT INTO bare ({COLUMNS})
    VALUES (now(), %s, 'no', 'H', 'email', '', '', 'phone', 4)
"""
# As one would write it who knows that the row stands already and what becomes of it.
BY_HAND = """
    WITH entry AS (
        INSERT INTO consent_event (at, subject, kind, purpose, channel, third_party, ground,
                                   collected, authority, evidence_hash)
        VALUES (now(), %(subject)s, 'no', 'H', 'email', '', '', 'phone', 4,
                sha256(%(salt)s || convert_to(%(words)s, 'UTF8')))
        RETURNING id
    ), words AS (
        INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt)
        SELECT id, %(words)s, %(salt)s FROM entry
    )
    INSERT INTO consent_standing AS s (customer_id, purpose, channel, third_party, permission,
                                       declined, opens, closes, since, authority, event_id)
    SELECT %(customer)s, 'H', 'email', '', 'none', TRUE, DATE '9000-01-01', DATE '0001-01-01',
           current_date, 4, id FROM entry
        ON CONFLICT (customer_id, purpose, channel, third_party) DO UPDATE
       SET declined = NOT s.declined, closes = EXCLUDED.closes, since = EXCLUDED.since,
           authority = EXCLUDED.authority, event_id = EXCLUDED.event_id
"""


def run(n: int, rounds: int) -> None:
    """Measure both, then demand that every entry holds."""
    world.build(n, ())
    house.use("world")
    settings.SEALS_DIR = Path(settings.DATA_DIR) / f"seals-{n}"
    _prepare()
    people = list(Customer.objects.order_by("pk")[:PEOPLE])
    one, bare = _acts(people, rounds)
    report(
        "ledger",
        n,
        ours=PEOPLE / one.ours,
        reference=PEOPLE / one.reference,
        goal=GOAL_ONE,
        sentence=f"One act in the ledger: ours {PEOPLE / one.ours:,.0f} a second with evidence, "
        f"standing and records; the same rows by hand {PEOPLE / one.reference:,.0f}; a bare entry "
        f"{PEOPLE / bare.reference:,.0f}, of which ours is {bare.reference / bare.ours:.2f}.",
    )
    rows = n * PER_PERSON
    many = _bulk([str(person.pseudonym) for person in people], rows, rounds)
    report(
        "ledger_bulk",
        n,
        ours=rows / many.ours,
        reference=rows / many.reference,
        goal=GOAL_MANY,
        sentence=f"{rows:,} entries at once: ours {rows / many.ours:,.0f} a second with digest "
        f"and seal; plain COPY {rows / many.reference:,.0f}.",
    )
    _many_writers(people)
    found = verify(_quietly)
    print(f"Afterwards {found.sealed:,} entries in {found.seals} seals hold.")


def _prepare() -> None:
    """Make the table of bare entries, and seal what the world has."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (LIKE consent_event INCLUDING ALL EXCLUDING GENERATED)")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE consent_event")
    seal()


def _acts(people: list[Customer], rounds: int) -> tuple[Pair, Pair]:
    turn = count()

    def ours() -> None:
        says_yes = next(turn) % 2
        for person in people:
            if says_yes:
                say_yes(person, USE, collected=Collected.PHONE, evidence=EVIDENCE)
            else:
                say_no(person, USE, collected=Collected.PHONE, evidence=EVIDENCE)

    def by_hand() -> None:
        for person in people:
            values = {
                "customer": person.pk,
                "subject": person.pseudonym,
                "words": EVIDENCE,
                "salt": secrets.token_bytes(16),
            }
            with connection.cursor() as cursor:  # outside a transaction: commits by itself
                cursor.execute(BY_HAND, values)

    def bare() -> None:
        for person in people:
            with connection.cursor() as cursor:
                cursor.execute(BARE, [person.pseudonym])

    for warm_up in (ours, by_hand, bare):
        warm_up()
    return in_turns(ours, by_hand, rounds), in_turns(ours, bare, rounds)


def _bulk(subjects: list[str], rows: int, rounds: int) -> Pair:
    seal()
    subject, kind = cycle(subjects), cycle(["unproven"] * 9 + ["no"])
    said = "\t".join(("H", "email", "", "", "phone", "1"))
    text = "".join(
        f"2026-11-24 12:00:00+01\t{next(subject)}\t{next(kind)}\t{said}\n" for _ in range(rows)
    )

    def copy(table: str) -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.copy_expert(f"COPY {table} ({COLUMNS}) FROM STDIN", io.StringIO(text))

    def ours() -> None:
        copy("consent_event")
        seal()

    return in_turns(ours, lambda: copy("bare"), rounds)


def _many_writers(people: list[Customer]) -> None:
    """Let eight write at once while the ledger is sealed again and again."""

    def write(mine: list[Customer]) -> None:
        try:
            for person in mine:
                say_no(person, USE, collected=Collected.PHONE, evidence=EVIDENCE)
                say_yes(person, USE, collected=Collected.PHONE, evidence=EVIDENCE)
        finally:
            connection.close()

    seals, busy = 0, 0
    started = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        writers = [pool.submit(write, people[place::WRITERS]) for place in range(WRITERS)]
        while wait(writers, timeout=0.02).not_done:
            try:
                seals += len(seal())
            except OperationalError:  # an entry under way for half a second: the next look takes it
                busy += 1
    for writer in writers:
        writer.result()
    taken = time.perf_counter() - started
    seals += len(seal())
    print(
        f"{WRITERS} at once write {2 * len(people) / taken:,.0f} acts a second, sealed {seals} "
        f"times meanwhile ({busy} put off)."
    )


def _quietly(done: int) -> None:
    """Draw no progress bar."""
