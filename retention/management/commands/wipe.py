"""Wipe by hand what the nights took."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retention import wiping


class Command(BaseCommand):
    help = "Overwrite in the database's files what the nights took, if that is not done yet."

    def handle(self, *args: Any, **options: Any) -> None:
        run = wiping.waiting()
        if run is None:
            self.stdout.write("Nothing waits to be wiped.")
            return
        wipe = wiping.wipe(run)
        if wipe is None:
            raise CommandError("Another program is wiping; wait for it.")
        if wipe.finished_at is None:
            raise CommandError(f"Not done yet, it waits: {wipe.waits_for}. Run it again later.")
        for name, told in wipe.tables.items():
            if "seconds" in told:
                self.stdout.write(f"{name}: {told['seconds']} s")
        self.stdout.write(f"The night to {run.business_date} is wiped.")
