"""Everyone a mailing may reach, against a hand-written anti-join over the same tables."""

from django.db import connection

from bench import house, world
from bench.gate import EIGHTEEN
from bench.measure import in_turns, report
from consent.purposes import Use
from consent.rules import audience
from customers.dates import today

GOAL = 1 / 1.5
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
       AND c.email <> ''
       AND COALESCE({EIGHTEEN}, c.adult_confirmed_on) <= %(on)s
       AND (s.permission = 'consent'
            OR (r.relation_ended_on + interval '12 months')::date >= %(on)s)
       AND NOT EXISTS (SELECT FROM consent_standing no WHERE no.customer_id = c.id
                          AND no.purpose = 'H' AND no.channel = 'email' AND no.declined)
"""


def run(n: int, rounds: int) -> None:
    """Measure, and refuse to print before both sides named the same people."""
    world.build(n, ())
    house.use("world")
    reached = _ours()
    if sorted(reached) != sorted(_by_hand()):
        raise SystemExit("The two sides named different people.")
    pair = in_turns(_ours, _by_hand, rounds)
    report(
        "audience",
        n,
        ours=n / pair.ours,
        reference=n / pair.reference,
        goal=round(GOAL, 2),
        sentence=f"{len(reached):,} of {n:,} people may be sent offers by e-mail: ours "
        f"{pair.ours:.3f} s, hand-written {pair.reference:.3f} s.",
    )


def _ours() -> list[int]:
    return list(audience(USE, today()))


def _by_hand() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(HANDWRITTEN, {"on": today()})
        return [row[0] for row in cursor]
