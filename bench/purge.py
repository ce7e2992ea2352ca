"""The night's purge against hand-written SQL that does the same deletes and receipts."""

from datetime import timedelta

from django.db import connection

from bench import handwritten, house, world
from bench.measure import report, seconds
from bench.world import Cohort
from customers.dates import today
from retention import actions
from retention.models import Forecast

GOAL = 0.75

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
    "retention_run": "business_date, status, people, counts",
    "customers_suppression": "kind, digest, added_on",
}
# The log of erasures outside the database and its rows are ours; by hand nothing is kept of that.
OURS_ALONE = {"retention_erasurebatch"}


def run(n: int, rounds: int) -> None:
    """Measure, and refuse to print before both sides left the same in every table."""
    world.build(n, COHORTS)
    _foresee(n)
    with connection.cursor() as cursor:
        cursor.execute(handwritten.FIND_DUE, {"on": today()})
        due = len(cursor.fetchall())
    ours: list[float] = []
    reference: list[float] = []
    for turn in range(rounds):
        for side in (ours, reference) if turn % 2 == 0 else (reference, ours):
            house.copy("world", "ours" if side is ours else "reference")
            side.append(seconds(_ours if side is ours else _reference))
        if turn == 0:
            compare("ours", "reference")
    mine, theirs = min(ours), min(reference)
    report(
        "purge",
        n,
        ours=due / mine,
        reference=due / theirs,
        goal=GOAL,
        sentence=f"Purge of {due:,} due among {n:,} people, receipts included: ours "
        f"{due / mine:,.0f} people/s ({mine:.2f} s), hand-written {due / theirs:,.0f} people/s "
        f"({theirs:.2f} s), same end state in every table.",
    )


def _foresee(people: int) -> None:
    """Keep what a night of a week ago said of tonight, or our side would stop and ask."""
    Forecast.objects.create(
        made_on=today() - timedelta(days=7),
        span=Forecast.Span.NIGHT,
        day=today(),
        people=people,
    )


def _ours() -> None:
    actions.execute(actions.open_run(today())[0])


def _reference() -> None:
    handwritten.purge(today())


def compare(one: str, other: str) -> None:
    """Raise SystemExit naming the tables in which two databases differ."""
    digests = []
    for database in (one, other):
        house.use(database)
        tables = set(connection.introspection.table_names()) - OURS_ALONE
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
