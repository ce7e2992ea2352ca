"""The gate against one hand-written statement through the same cursor, every condition included."""

import random

from django.db import connection

from bench import house, world
from bench.measure import Pair, in_turns, report
from consent.purposes import Use
from consent.rules import may_process, may_process_many
from customers.dates import today

GOAL_ONE, GOAL_MANY, GOAL_NEIGHBOURS = 0.9, 0.75, 25
ASKED = 1000

FAR, NEVER = "DATE '9000-01-01'", "DATE '0001-01-01'"

BY_EMAIL = Use("H", "email")
BY_POST = Use("H", "post")

# Whoever is born on a leap day comes of age on 1 March.
EIGHTEEN = (
    "GREATEST((c.birth_date + interval '18 years')::date,"
    " ((c.birth_date - 1) + interval '18 years')::date + 1)"
)

# Written from the rules and not from the gate: facts in WHEN, days in GREATEST and LEAST.
OPENS = f"""
    GREATEST(COALESCE(c.noticed_on, {FAR}), COALESCE(r.since, {FAR}),
             COALESCE(s.opens, {FAR}),
             COALESCE({EIGHTEEN}, c.adult_confirmed_on, {FAR}))
"""
# What rests on the person's own yes asks for no balance, and ages; a yes beats NIX for a while.
YES = "s.permission = 'consent'"
BALANCED = """
    (SELECT review_on FROM consent_balancingrecord
      WHERE purpose = 'H' AND approved_by_id IS NOT NULL ORDER BY decided_on DESC, id DESC LIMIT 1)
"""
FRESH = "(GREATEST(s.opens, c.last_contact_on) + interval '24 months')::date"
WASHED = f"""
    LEAST(COALESCE((SELECT taken_on FROM consent_nixsnapshot WHERE register = 'post'
                     ORDER BY taken_on DESC, id DESC LIMIT 1), {NEVER}) + 30,
          CASE WHEN c.nix_post IS NULL
               THEN COALESCE((r.relation_ended_on + interval '12 months')::date, {NEVER}) END)
"""
NAMED_YES = f"CASE WHEN {YES} THEN (s.opens + interval '3 months')::date END"
TABLES = """
      FROM customers_customer c
      LEFT JOIN consent_processingrecord r ON r.customer_id = c.id AND r.purpose = 'H'
      LEFT JOIN consent_standing s ON s.customer_id = c.id AND s.purpose = 'H'
           AND s.third_party = ''
"""
HANDWRITTEN = {
    BY_EMAIL: f"""
    SELECT c.id, {OPENS},
           CASE WHEN c.deceased_on IS NULL AND c.restriction = '' AND c.email <> ''
                     AND c.email_returned_on IS NULL
                     AND (c.email_suppressed_on IS NULL
                          OR {YES} AND s.opens >= c.email_suppressed_on)
                     AND r.retain_until IS NOT NULL AND r.ended_on IS NULL
                     AND s.permission IN ('soft', 'consent') AND NOT s.declined
                THEN LEAST(r.retain_until, s.closes,
                           CASE WHEN {YES} THEN {FRESH} ELSE COALESCE({BALANCED}, {NEVER}) END,
                           CASE WHEN s.permission = 'soft'
                                THEN (r.relation_ended_on + interval '12 months')::date END)
                ELSE {NEVER} END
      {TABLES} AND s.channel = 'email'
    """,
    BY_POST: f"""
    SELECT c.id, {OPENS},
           CASE WHEN c.deceased_on IS NULL AND c.restriction = '' AND c.protection = ''
                     AND a.id IS NOT NULL AND a.returned_on IS NULL
                     AND (a.suppressed_on IS NULL OR {YES} AND s.opens >= a.suppressed_on)
                     AND r.retain_until IS NOT NULL AND r.ended_on IS NULL
                     AND s.permission IN ('opt_out', 'consent') AND NOT s.declined
                THEN LEAST(r.retain_until, s.closes,
                           CASE WHEN {YES} THEN {FRESH} ELSE COALESCE({BALANCED}, {NEVER}) END,
                           GREATEST({WASHED}, {NAMED_YES}),
                           CASE WHEN c.nix_post THEN GREATEST(
                                (r.relation_ended_on + interval '12 months')::date,
                                {NAMED_YES}) END)
                ELSE {NEVER} END
      {TABLES} AND s.channel = 'post'
      LEFT JOIN customers_address a ON a.customer_id = c.id AND a.kind = 'home'
    """,
}
ONE = {use: f"{sql} WHERE c.id = %s" for use, sql in HANDWRITTEN.items()}
MANY = {use: f"{sql} WHERE c.id = ANY(%s)" for use, sql in HANDWRITTEN.items()}


def run(n: int, rounds: int) -> None:
    """Measure one decision and a thousand, after asking both sides about everybody."""
    world.build(n, ())
    house.use("world")
    everybody = list(range(1, n + 1))
    for use in HANDWRITTEN:
        _agree(everybody, use)
    draw = random.Random(7)  # noqa: S311
    # Short turns and many: one that nothing disturbed is among them.
    asked = [draw.randint(1, n) for _ in range(100)]
    one = in_turns(lambda: _one_by_one(asked), lambda: _one_by_one_by_hand(asked), 10 * rounds)
    near = everybody[-ASKED:]
    scattered = sorted(draw.sample(everybody, min(ASKED, n)))
    beside = in_turns(lambda: _at_once(near), lambda: _at_once_by_hand(near), rounds)
    apart = in_turns(lambda: _at_once(scattered), lambda: _at_once_by_hand(scattered), rounds)
    report(
        "gate_bulk",
        n,
        ours=_rate(scattered, apart.ours),
        reference=_rate(scattered, apart.reference),
        goal=GOAL_MANY,
        sentence=f"The gate for {len(near):,} people in one statement: {_both(near, beside)} "
        f"beside each other, {_both(scattered, apart)} drawn at random.",
    )
    report(
        "gate_neighbours",
        n,
        ours=_rate(near, beside.ours),
        reference=_rate(asked, one.ours),
        goal=GOAL_NEIGHBOURS,
        sentence="A thousand people beside each other against one at a time, both ours.",
    )
    report(
        "gate",
        n,
        ours=_rate(asked, one.ours),
        reference=_rate(asked, one.reference),
        goal=GOAL_ONE,
        sentence=f"The gate for one person among {n:,}: {_both(asked, one)}; a thousand beside "
        f"each other go {one.ours / len(asked) / (beside.ours / len(near)):.0f} times as fast.",
    )


def _rate(people: list[int], seconds: float) -> float:
    return len(HANDWRITTEN) * len(people) / seconds


def _both(people: list[int], pair: Pair) -> str:
    ours, reference = _rate(people, pair.ours), _rate(people, pair.reference)
    return f"ours {ours:,.0f} decisions/s, hand-written {reference:,.0f}"


def _one_by_one(people: list[int]) -> None:
    on = today()
    for use in HANDWRITTEN:
        for person in people:
            may_process(person, use).allowed(on)


def _one_by_one_by_hand(people: list[int]) -> None:
    on = today()
    for sql in ONE.values():
        for person in people:
            with connection.cursor() as cursor:
                cursor.execute(sql, [person])
                _person, opens, closes = cursor.fetchone()
            opens <= on <= closes  # noqa: B015


def _at_once(people: list[int]) -> None:
    on = today()
    for use in HANDWRITTEN:
        for decision in may_process_many(people, use).values():
            decision.allowed(on)


def _at_once_by_hand(people: list[int]) -> None:
    on = today()
    for sql in MANY.values():
        with connection.cursor() as cursor:
            cursor.execute(sql, [people])
            found = {person: (opens, closes) for person, opens, closes in cursor.fetchall()}
        for opens, closes in found.values():
            opens <= on <= closes  # noqa: B015


def _agree(people: list[int], use: Use) -> None:
    """Raise SystemExit when the two sides differ about anybody."""
    with connection.cursor() as cursor:
        cursor.execute(MANY[use], [people])
        found = {person: (opens, closes) for person, opens, closes in cursor}
    differing = [
        person
        for person, decision in may_process_many(people, use).items()
        if (decision.opens, decision.closes) != found[person]
    ]
    if differing:
        raise SystemExit(f"The two sides differ on {use} for {len(differing)} people.")
