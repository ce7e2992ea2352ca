"""Show what a night would take, or make up for a night by hand."""

import argparse
import sys
from collections import Counter
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from rich.console import Console
from rich.progress import Progress
from rich.table import Column, Table

from customers.dates import today
from customers.personal_data import Category
from retention import actions
from retention.models import Run
from retention.rules import due, plan_for
from retention.schedule import PERIOD

STEP = 5000


def day(text: str) -> date:
    """Read a date written 2026-03-15."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f'"{text}" is not a day; write it as 2026-03-15.'
        ) from None


class Command(BaseCommand):
    help = "Run the purge of a night, or show its plan with --dry-run for any day."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--on", type=day, help="the night to this day, 2026-03-15; today if left out"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show the plan and change nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with translation.override("en"):  # operators read English
            self._run(options)

    def _run(self, options: dict[str, Any]) -> None:
        on = options["on"] or today()
        if options["dry_run"]:
            self._show(on)
            return
        try:
            run, _ = actions.open_run(on)
        except actions.RunRefusedError as refusal:
            raise CommandError(str(refusal)) from refusal
        run = actions.execute(run)
        self._refuse_what_is_not_done(run)
        self._print(
            f"The night to {on} is done: {run.people} people.",
            Counter(run.counts),
        )

    def _refuse_what_is_not_done(self, run: Run) -> None:
        """Say in one sentence why the night is not whole."""
        night = f"The night to {run.business_date}"
        refusals = {
            Run.Status.RUNNING: f"{night} is not over: somebody else holds people, or an earlier "
            "night waits for a decision; run it again in a minute.",
            Run.Status.PARTIAL: f"{night} set aside people whose rows the database would not give "
            "up; see the log, mend what holds them, and the next night takes them.",
            Run.Status.STOPPED: f"{night} is stopped: its plan takes {run.planned_people} people, "
            f"{run.expected_people} were forecast and {run.most_people} is the most. The data "
            "protection officer reads the plan and releases it in the admin.",
            Run.Status.SKIPPED: f"{night} is skipped: the purge is turned off.",
        }
        if run.status in refusals:
            raise CommandError(refusals[Run.Status(run.status)])

    def _show(self, on: date) -> None:
        people = due(on)
        rows: Counter[Category] = Counter()
        persons: Counter[Category] = Counter()
        affected = set()
        console = Console(file=sys.stderr)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task(f"The plan for {on}", total=len(people))
            for start in range(0, len(people), STEP):
                batch = people[start : start + STEP]
                for line in plan_for(on, batch):
                    rows[line.category] += line.rows
                    persons[line.category] += 1
                    affected.add(line.customer_id)
                progress.advance(bar, len(batch))
        table = Table(
            "Category",
            "Rule",
            Column("People", justify="right"),
            Column("Rows", justify="right"),
            title=f"What the night to {on} would take",
        )
        for category in sorted(rows):
            table.add_row(
                str(category.label),
                PERIOD[category].rule,
                f"{persons[category]:,}",
                f"{rows[category]:,}",
            )
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        self.stdout.write(f"{len(affected)} people would lose something; nothing has been changed.")

    def _print(self, sentence: str, rows: Counter[str]) -> None:
        if rows:
            table = Table("Rule", Column("Rows", justify="right"))
            for rule, count in sorted(rows.items()):
                table.add_row(rule, f"{count:,}")
            Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        self.stdout.write(sentence)
