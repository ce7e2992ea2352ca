"""Make a restored database good again, and let it serve."""

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Column, Table

from retention import restore


class Command(BaseCommand):
    help = (
        "After a restore: erase again and say no again what was erased and refused since the "
        "backup, stop old mail, and open the gate. Run it as the owner, before anything serves."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = restore.make_good()
        except restore.NotTheOwnerError as refusal:
            raise CommandError(str(refusal)) from refusal
        if done is None:
            self.stdout.write("Nothing is missing in this database; the gate is open.")
            return
        table = Table("What", Column("How many", justify="right"))
        for name, value in asdict(done).items():
            table.add_row(name.replace("_", " "), str(value))
        Console(file=self.stdout).print(table)  # type: ignore[arg-type]
        self.stdout.write("The database is made good and may serve.")
