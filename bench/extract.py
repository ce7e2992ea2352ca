"""The extract of a typical customer: the whole archive, and its parts beside what is bare.

The rows are read beside one statement with a `json_agg` per table, as one would write it by hand
for the same tables and one person: it gives no owner's key, so nobody asks whose a row is. The PDF
is set beside bare typst with the same words, same standards and no look. People take turns, or the
typesetter would remember the document before.
"""

import json
import statistics
import tempfile
import time
from functools import partial
from itertools import cycle
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from bench import house, world
from bench.measure import in_turns, report, seconds
from bench.typst_alone import bare, compiler
from customers.models import Customer
from privacy_requests import archive, collection
from privacy_requests.actions import build, open_case
from privacy_requests.extract import collect
from privacy_requests.pages import as_pages
from privacy_requests.printing import pdf
from retention import statements

GOAL, GOAL_COLLECTION, GOAL_PDF = 1.0, 1 / 1.4, 1 / 1.3
GOAL_SECONDS = 0.150
TABLES, PEOPLE = 12, 40  # of so many people, and of a twentieth of all where they are few


def run(n: int, rounds: int) -> None:
    """Measure the archive, the collection, the PDF, and how many a worker builds in a minute."""
    world.build(n, ())
    house.use("world")
    people = _typical(min(PEOPLE, n // 20))
    _whole(n, people, rounds)
    _collection(n, people, rounds)
    _paper(n, people, rounds)
    with tempfile.TemporaryDirectory() as folder:
        settings.DATA_DIR = folder
        _a_minute(people)


def _typical(most: int) -> list[Customer]:
    """Return customers with rows in twelve tables at least."""
    found = []
    for customer in Customer.objects.exclude(support_cases=None).order_by("pk")[: 3 * most]:
        with transaction.atomic(), connection.cursor() as cursor:
            filled = sum(bool(rows) for _, rows in collection.read(cursor, customer))
        if filled >= TABLES:
            found.append(customer)
    return found[:most]


def _archive(person: Customer) -> None:
    archive.pack(collect(person.pk))


def _whole(n: int, people: list[Customer], rounds: int) -> None:
    """Build whole archives of one after the other; the first is not counted."""
    _archive(people[0])
    each = [seconds(partial(_archive, person)) for _ in range(rounds) for person in people]
    each.sort()
    p50, p95 = statistics.median(each), each[int(len(each) * 0.95)]
    report(
        "extract",
        n,
        ours=1 / p50,
        reference=1 / GOAL_SECONDS,
        goal=GOAL,
        sentence=f"A whole archive of a customer in {TABLES} tables: p50 {p50 * 1000:.0f} ms, p95 "
        f"{p95 * 1000:.0f} ms, at best {each[0] * 1000:.0f} ms of "
        f"{len(each)}; {GOAL_SECONDS * 1000:.0f} ms is the goal.",
    )


def _collection(n: int, people: list[Customer], rounds: int) -> None:
    by_hand = {person.pk: _by_hand(person) for person in people}

    def ours() -> None:
        for person in people:
            with transaction.atomic(), connection.cursor() as cursor:
                list(collection.read(cursor, person))

    def reference() -> None:
        for person in people:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(by_hand[person.pk])
                cursor.fetchone()

    ours()
    reference()
    pair = in_turns(ours, reference, rounds)
    told = min(seconds(partial(collect, person.pk)) for person in people)
    report(
        "extract_collection",
        n,
        ours=len(people) / pair.ours,
        reference=len(people) / pair.reference,
        goal=GOAL_COLLECTION,
        sentence=f"Every row of a person: ours {pair.ours / len(people) * 1000:.1f} ms with its "
        f"owner asked of each, one json_agg statement by hand "
        f"{pair.reference / len(people) * 1000:.1f} ms, {pair.ours / pair.reference:.2f} times it. "
        f"With last days, purposes, choices and all in words {told * 1000:.1f} ms at best.",
    )


def _by_hand(person: Customer) -> str:
    """Return the statement for one person, their keys written out, over the tables that we read."""
    keys = {
        "due.pseudonym": f"'{person.pseudonym}'",
        "due.user_id": str(person.user_id),
        "due.id": str(person.pk),
    }
    lists = []
    for table in statements.mapped():
        sources = ", ".join((f"{table.name} t", *table.joins))
        lists.append(f"(SELECT json_agg(t) FROM {sources} WHERE {table.tie})")
    statement = f"SELECT {', '.join(lists)}"
    for key, value in keys.items():
        statement = statement.replace(key, value)
    return statement


def _paper(n: int, people: list[Customer], rounds: int) -> None:
    contents = [collect(person.pk) for person in people]
    pages = [(as_pages(content), content.taken_at) for content in contents]
    words = [json.dumps(page) for page, _ in pages]
    alone = compiler()
    our_turn, their_turn = cycle(pages), cycle(words)

    def ours() -> None:
        for _ in people:
            pdf(*next(our_turn))

    def reference() -> None:
        for _ in people:
            bare(alone, next(their_turn))

    ours()
    reference()
    pair = in_turns(ours, reference, rounds)
    report(
        "extract_pdf",
        n,
        ours=len(people) / pair.ours,
        reference=len(people) / pair.reference,
        goal=GOAL_PDF,
        sentence=f"The PDF: ours {pair.ours / len(people) * 1000:.1f} ms through a process with "
        f"limits, bare typst {pair.reference / len(people) * 1000:.1f} ms with the same words, "
        f"{pair.ours / pair.reference:.2f} times it.",
    )


def _a_minute(people: list[Customer]) -> None:
    """Ask for an extract each, then build them as a worker does, with file, answer and mail."""
    asked = [open_case(person).extract.pk for person in people]
    started = time.perf_counter()
    done = sum(build(wanted) for wanted in asked)
    took = time.perf_counter() - started
    size = sum(path.stat().st_size for path in Path(settings.DATA_DIR).rglob("*") if path.is_file())
    print(
        f"A worker builds {done / took * 60:,.0f} extracts a minute, encrypted, flushed and "
        f"answered, {size / max(done, 1) / 1024:.0f} KiB each."
    )
