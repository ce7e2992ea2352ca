"""The night's purge against hand-written SQL that does the same deletes, receipts and chain."""

from datetime import timedelta

from django.db import connection

from bench import handwritten, house, world
from bench.effort import effort
from bench.measure import report, seconds
from bench.night import OURS, Worker, by_hand, ours, plan
from bench.watch import LongestTransaction
from bench.world import Cohort
from customers.dates import today
from retention.models import Forecast

GOAL, GOAL_LONGEST, GOAL_MEMORY = 0.75, 0.5, 1.0
MOST_MIB = 16

# One in five is due, scattered among the others and as a first night after an import finds them:
# two of three have been gone three years and leave their invoices, one has been gone nine and
# leaves nothing.
COHORTS = (
    Cohort("i % 15 IN (2, 7)", "today - 1200 - i % 60", backlog=True),
    Cohort("i % 15 = 12", "today - 3400 - i % 60", backlog=True),
)

# Compared whole, but for the keys and moments of rows that the two sides wrote themselves.
WRITTEN = {
    "retention_receipt": "subject, category, rule, row_count",
    "retention_run": "business_date, status, people, counts, certificate -> 'done' ->> 'digest'",
    "customers_suppression": "kind, digest, added_on",
}
# A row for every batch, and the two sides make batches of different size.
OF_BATCHES = {"retention_erasurebatch"}


def run(n: int, rounds: int) -> None:
    """Measure, and refuse to print before both sides left the same in every table."""
    due = build(n)
    took: dict[str, list[float]] = {"ours": [], "reference": []}
    cost: dict[str, list[float]] = {"ours": [], "reference": []}
    longest = {"ours": 0.0, "reference": 0.0}
    acts = {"ours": ours, "reference": by_hand}
    planning: list[float] = []
    for turn in range(rounds):
        for side in ("ours", "reference") if turn % 2 == 0 else ("reference", "ours"):
            house.copy("world", side)
            if side == "ours":
                # The hand-written night plans nothing, so ours is timed from where it deletes.
                planning.append(seconds(plan))
            with LongestTransaction() as held:
                took[side].append(seconds(lambda: cost[side].append(effort(acts[side]))))  # noqa: B023
            longest[side] = min(longest[side] or held.seconds, held.seconds)
        if turn == 0:
            compare("ours", "reference")
    house.drop("reference")
    _report_memory(n)
    report(
        "purge_longest",
        n,
        ours=1 / longest["ours"],
        reference=1 / longest["reference"],
        goal=GOAL_LONGEST,
        sentence="The longest transaction that held rows: ours "
        f"{longest['ours']:.2f} s, hand-written {longest['reference']:.2f} s.",
    )
    mine, theirs = min(cost["ours"]), min(cost["reference"])
    report(
        "purge_effort",
        n,
        ours=due / mine,
        reference=due / theirs,
        goal=GOAL,
        sentence="The same in processor time, the program and its session in the database: ours "
        f"{mine:.2f} s, hand-written {theirs:.2f} s.",
    )
    mine, theirs = min(took["ours"]), min(took["reference"])
    report(
        "purge",
        n,
        ours=due / mine,
        reference=due / theirs,
        goal=GOAL,
        sentence=f"Purge of {due:,} due among {n:,} people, with receipts and chain: ours "
        f"{due / mine:,.0f} people/s ({mine:.2f} s), hand-written {due / theirs:,.0f} people/s "
        f"({theirs:.2f} s), same end state in every table. Ours was planned before that in "
        f"{min(planning):.2f} s, which the hand-written night is not: with it "
        f"{due / (mine + min(planning)):,.0f} people/s.",
    )


def build(n: int) -> int:
    """Make the world of a purge, turn to it, and return how many are due."""
    world.build(n, COHORTS)
    house.use("world")
    # What a night of a week ago said of tonight, or our side would stop and ask.
    Forecast.objects.get_or_create(
        made_on=today() - timedelta(days=7),
        span=Forecast.Span.NIGHT,
        day=today(),
        defaults={"people": n},
    )
    with connection.cursor() as cursor:
        cursor.execute(handwritten.FIND_DUE, {"on": today()})
        return len(cursor.fetchall())


def _report_memory(n: int) -> None:
    """Do the night once more in a process of its own, as a worker does."""
    house.copy("world", "ours")
    said = Worker(OURS, "ours").work()
    over = max(said["most"]) - said["idle"]
    grown = said["most"][1] - said["most"][0]
    report(
        "purge_memory",
        n,
        ours=MOST_MIB / max(over, 1),
        reference=1,
        goal=GOAL_MEMORY,
        sentence=f"A worker took {over:.1f} MiB over its idle {said['idle']:.0f} MiB, in the "
        f"second half of the night {grown:+.1f} MiB; the ratio is {MOST_MIB} MiB over that.",
    )


def compare(one: str, other: str) -> None:
    """Raise SystemExit naming the tables in which two databases differ."""
    digests = []
    for database in (one, other):
        house.use(database)
        tables = set(connection.introspection.table_names()) - OF_BATCHES
        digests.append({table: _digest(table) for table in sorted(tables)})
    differing = [table for table, digest in digests[0].items() if digests[1][table] != digest]
    if differing:
        raise SystemExit(f"The two sides left different rows in: {', '.join(differing)}.")


def _digest(table: str) -> tuple[int, int]:
    columns = f"ROW({WRITTEN[table]})" if table in WRITTEN else "t.*"
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT COUNT(*), SUM(hashtextextended(({columns})::text, 0)) FROM "{table}" t'
        )
        count, total = cursor.fetchone()
    return count, int(total or 0)
