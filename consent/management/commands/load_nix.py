"""Wash the register against a copy of NIX."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.groundwork import Register
from consent.nix import NixError, load_nix


class Command(BaseCommand):
    help = (
        "Mark everybody whose number or address is in NIX and unmark the others. The file has one "
        'number a line, or one "name;street;postcode".'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("register", choices=Register.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("--taken-on", type=date.fromisoformat, required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open(encoding="utf-8") as lines:
                wash = load_nix(options["register"], options["taken_on"], lines)
        except (OSError, UnicodeDecodeError) as problem:
            raise CommandError(f"The file cannot be read: {problem}.") from problem
        except NixError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(
            f"{wash.entries:,} entries read, {wash.marked:,} people marked, "
            f"{wash.cleared:,} let go."
        )
