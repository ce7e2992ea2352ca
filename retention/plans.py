"""The plan of a night as a whole: how many people, what of them, and a digest over all of it.

A line is who, what, why and how many rows. The digest is a sum over the lines' hashes, so neither
the order nor the batches matter, and the receipts of a night sum up to the same when it has done
just what its plan said. Nothing is stored but the digest and the counts.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from django.db import connection

from customers.models import Customer
from retention import rules, statements
from retention.models import Forecast, Run

# RUL-38: this many more than forecast, or this share of all people, whichever is greater.
LEEWAY, LEEWAY_PART = 50, 50
FORESIGHT = timedelta(days=7)


@dataclass
class Digest:
    """A sum over hashes of lines; adding two sums is digesting both."""

    lines: int = 0
    high: int = 0
    low: int = 0

    def add(self, lines: int, high: Decimal | int | None, low: Decimal | int | None) -> None:
        self.lines += lines
        self.high += int(high or 0)
        self.low += int(low or 0)

    def hexdigest(self) -> str:
        """Return what stands for all of it."""
        return hashlib.sha256(f"{self.lines}|{self.high}|{self.low}".encode()).hexdigest()


@dataclass
class Plan:
    """What a night would take, or has taken."""

    on: date
    people: int = 0
    digest: Digest = field(default_factory=Digest)
    people_of: Counter[int] = field(default_factory=Counter)
    rows_of: Counter[int] = field(default_factory=Counter)

    @property
    def hash(self) -> str:
        return self.digest.hexdigest()

    def lines(self) -> dict[str, list[int]]:
        """Return people and rows per category, as they are kept."""
        return {
            str(category): [people, self.rows_of[category]]
            for category, people in sorted(self.people_of.items())
        }

    def add(
        self, lines: Iterable[tuple[int, int, int, int, Decimal, Decimal]], people: int
    ) -> None:
        """Take the sums of some people, a row per category."""
        self.people += people
        for category, persons, rows, count, high, low in lines:
            self.people_of[category] += persons
            self.rows_of[category] += rows
            self.digest.add(count, high, low)


def make(on: date) -> Plan:
    """Plan the night to `on` for everybody, in batches that end their own statements."""
    found = Plan(on)
    due = rules.due(on)
    for start in range(0, len(due), rules.BATCH):
        add_people(found, due[start : start + rules.BATCH])
    return found


def add_people(plan: Plan, customer_ids: Sequence[int]) -> None:
    """Add what would go of these people, by the statement that the night itself runs."""
    rows = rules.algebra(plan.on, customer_ids)
    vanishing = rules.vanishing(plan.on, rows)
    with connection.cursor() as cursor:
        cursor.execute(
            statements.plan_sums_sql(),
            {
                "on": plan.on,
                "vanishing": [row[0] for row in vanishing],
                **rules.as_due(rows),
            },
        )
        people, *sums = cursor.fetchall()
    plan.add(((row[0], *row[1:]) for row in sums), people[1])


def done(run: Run, *, held: bool = False) -> Plan:
    """Return what a night has taken, summed up from its receipts as its plan was.

    With `held`, what it says was due for the first time and is held back.
    """
    found = Plan(run.business_date)
    with connection.cursor() as cursor:
        cursor.execute(statements.DONE_SUMS, {"run": run.pk, "held": held})
        people, *sums = cursor.fetchall()
    found.add(((row[0], *row[1:]) for row in sums), people[1])
    return found


# What the forecast of a week ago said


def expected(on: date) -> int:
    """Return how many people a week-old forecast says go since the last night that was done.

    Without a forecast that is nobody (RUL-38). A night that was skipped is made up for by the next.
    """
    done_before = (
        Run.objects.filter(business_date__lt=on, status__in=(Run.Status.DONE, Run.Status.PARTIAL))
        .order_by("-business_date")
        .values_list("business_date", flat=True)
        .first()
    )
    after = done_before or on - timedelta(days=1)
    total = 0
    found = Forecast.objects.filter(span=Forecast.Span.NIGHT, day__gt=after, day__lte=on)
    seen = set()
    for day, made_on, people in found.order_by("day", "-made_on").values_list(
        "day", "made_on", "people"
    ):
        if made_on <= day - FORESIGHT and day not in seen:
            seen.add(day)
            total += people
    return total


def most(expected_people: int) -> int:
    """Return how many people may go without anybody being asked (RUL-38)."""
    return expected_people + max(LEEWAY, Customer.objects.count() // LEEWAY_PART)
