"""Ask whether everything that must hold holds."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retention.invariants import broken, invariants


class Command(BaseCommand):
    help = "Ask the database the 17 questions that must have no answer; exit code 1 if one has."

    def handle(self, *args: Any, **options: Any) -> None:
        found = broken()
        if found:
            raise CommandError("\n".join(f"{fault}." for fault in found))
        self.stdout.write(f"All {len(invariants())} invariants hold.")
