"""Load the CSV files of a folder into the register, whole or not at all (docs/import.md)."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from customers.dates import today
from dentalclean.intake.actions import Result, load
from dentalclean.intake.reading import UnreadableError

SOME_REFUSED, NOTHING_LOADED = 1, 2


class Command(BaseCommand):
    help = (
        "Load customers.csv and the files beside it; see docs/import.md. "
        "Exit code 1: some rows were refused; 2: nothing was loaded."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="the folder of the CSV files")
        parser.add_argument(
            "--report",
            type=Path,
            metavar="DIR",
            help="where the report of refused rows goes; DATA_DIR/imports if left out",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        reports = options["report"] or settings.DATA_DIR / "imports"
        try:
            result = self._load(Path(options["folder"]), Path(reports))
        except UnreadableError as error:
            raise CommandError(str(error), returncode=NOTHING_LOADED) from error
        except KeyboardInterrupt as stop:
            raise CommandError(
                "The import was stopped, so nothing was loaded; run it again from the start.",
                returncode=NOTHING_LOADED,
            ) from stop
        self._print(result)
        if result.refused:
            raise CommandError(
                f"{_rows(result.refused)} refused, the others are loaded; see {result.report}.",
                returncode=SOME_REFUSED,
            )

    def _load(self, folder: Path, reports: Path) -> Result:
        console = Console(file=sys.stderr)
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("Starting", total=None)

            def tell(words: str, done: int, total: int) -> None:
                bar.update(task, description=words, completed=done, total=total or None)

            return load(folder, reports, today(), tell)

    def _print(self, result: Result) -> None:
        self.stdout.write(
            f"{'':<14}{'rows':>10}{'new':>10}{'changed':>10}{'same':>10}{'refused':>10}"
        )
        for name, count in result.counts.items():
            numbers = (count.rows, count.new, count.changed, count.unchanged, count.refused)
            self.stdout.write(f"{name:<14}" + "".join(f"{number:>10}" for number in numbers))
        self.stdout.write(f"{_rows(result.written)} written.")
        if result.warnings:
            self.stdout.write(f"Warnings ({result.warnings}) are in {result.report}.")


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"
