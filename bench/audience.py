"""Everyone a mailing may reach, against a hand-written anti-join over the same tables."""

import os
import re
from pathlib import Path

from django.db import connection, transaction

from bench import house, world
from bench.gate import BALANCED, EIGHTEEN, FRESH, YES
from bench.measure import in_turns, report
from consent.purposes import Use
from consent.rules import audience
from customers.dates import today

GOAL, GOAL_MEMORY = 0.8, 1.0
MOST_MIB = 64
USE = Use("H", "email")

HANDWRITTEN = f"""
    SELECT c.id
      FROM customers_customer c
      JOIN consent_processingrecord r ON r.customer_id = c.id AND r.purpose = 'H'
           AND r.since <= %(on)s AND r.retain_until >= %(on)s AND r.ended_on IS NULL
      JOIN consent_standing s ON s.customer_id = c.id AND s.purpose = 'H' AND s.channel = 'email'
           AND s.third_party = '' AND s.permission IN ('soft', 'consent')
           AND s.opens <= %(on)s AND s.closes >= %(on)s
     WHERE c.noticed_on <= %(on)s AND c.deceased_on IS NULL AND c.restriction = ''
       AND c.email <> '' AND c.email_returned_on IS NULL
       AND (c.email_suppressed_on IS NULL OR {YES} AND s.opens >= c.email_suppressed_on)
       AND COALESCE({EIGHTEEN}, c.adult_confirmed_on) <= %(on)s
       AND CASE WHEN {YES} THEN {FRESH} >= %(on)s
                ELSE {BALANCED} >= %(on)s
                     AND (r.relation_ended_on + interval '12 months')::date >= %(on)s END
       AND NOT EXISTS (SELECT FROM consent_standing no WHERE no.customer_id = c.id
                          AND no.purpose = 'H' AND no.channel = 'email' AND no.declined)
"""


def run(n: int, rounds: int) -> None:
    """Measure, and refuse to print before both sides named the same people."""
    world.build_for_the_gate(n)
    house.use("world")
    if sorted(_ours()) != sorted(_by_hand()):
        raise SystemExit("The two sides named different people.")
    reached, memory = _memory()
    report(
        "audience_memory",
        n,
        ours=MOST_MIB / max(memory, 1),
        reference=1,
        goal=GOAL_MEMORY,
        sentence=f"Streaming {reached:,} people took {memory:.1f} MiB over idle, the program and "
        f"its session in the database; the ratio is {MOST_MIB} MiB over that.",
    )
    pair = in_turns(_count, _count_by_hand, rounds)
    report(
        "audience",
        n,
        ours=n / pair.ours,
        reference=n / pair.reference,
        goal=GOAL,
        sentence=f"{reached:,} of {n:,} people may be sent offers by e-mail: ours "
        f"{pair.ours:.3f} s, hand-written {pair.reference:.3f} s.",
    )


def _ours() -> list[int]:
    return list(audience(USE, today()))


def _by_hand() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(HANDWRITTEN, {"on": today()})
        return [row[0] for row in cursor]


def _count() -> int:
    """Go through the audience as a mailing does, a person at a time."""
    return sum(1 for _person in audience(USE, today()))


def _count_by_hand() -> int:
    """Stream by a server cursor too: holding a million rows at once is another task."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL cursor_tuple_fraction = 1")
        cursor.execute(f"DECLARE people NO SCROLL CURSOR FOR {HANDWRITTEN}", {"on": today()})
        people = 0
        while True:
            cursor.execute("FETCH 5000 FROM people")
            rows = cursor.fetchall()
            if not rows:
                return people
            people += len(rows)


def _memory() -> tuple[int, float]:
    """Go through the audience; return how many, and the most memory over idle in MiB."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pids = [os.getpid(), cursor.fetchone()[0]]
    idle = [_resident(pid) for pid in pids]
    most = idle
    people = 0
    for people, _person in enumerate(audience(USE, today()), start=1):
        if people % 5000 == 1:
            most = [max(pair) for pair in zip(most, map(_resident, pids), strict=True)]
    return people, sum(m - i for m, i in zip(most, idle, strict=True)) / 1024


def _resident(pid: int) -> int:
    """Return the memory of a process that it shares with no file or process, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1])  # type: ignore[index]
