"""Write the page of periods, or hold it to the program."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retention import document


class Command(BaseCommand):
    help = "Check that docs/retention.md tells the periods the program obeys, or --write it."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--write", action="store_true", help="write the page anew")

    def handle(self, *args: Any, **options: Any) -> None:
        page = document.path()
        if options["write"]:
            page.write_text(document.text(), encoding="utf-8")
            self.stdout.write(f"Written: {document.WHERE}.")
            return
        if not page.is_file() or page.read_text(encoding="utf-8") != document.text():
            raise CommandError(
                f"{document.WHERE} is not what the program obeys; "
                "run manage.py retention_schedule --write and read what changed."
            )
        self.stdout.write(f"{document.WHERE} tells what the program obeys.")
