"""Hold the ledger to its seals."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from consent.models import Event
from consent.verification import BrokenLedgerError, verify


class Command(BaseCommand):
    help = "Compute every entry anew and compare it with the seals outside the database."

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(file=sys.stderr)
        with Progress(console=console, disable=not console.is_terminal) as progress:
            bar = progress.add_task("The ledger", total=Event.objects.count())
            try:
                found = verify(lambda done: progress.update(bar, completed=done))
            except BrokenLedgerError as broken:
                raise CommandError(str(broken)) from broken
        self.stdout.write(
            f"The ledger holds: {found.sealed} entries sealed in {found.seals} seals, "
            f"{found.unsealed} not sealed yet."
        )
        if found.last_digest:
            self.stdout.write(f"The last seal is {found.last_digest}.")
