"""Write our proposals for the balancing records that are missing."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consent.balancing import propose_missing
from customers.models import User


class Command(BaseCommand):
    help = (
        "Write a proposal for each purpose without a balancing record. It opens nothing until "
        "somebody else has read and approved it in the staff pages."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("owner", help="e-mail of the member of staff who owns the records")

    def handle(self, *args: Any, **options: Any) -> None:
        address = options["owner"].strip().casefold()
        owner = User.objects.filter(email=address, is_staff=True).first()
        if owner is None:
            raise CommandError("Nobody of staff has that address; run manage.py staff first.")
        written = propose_missing(owner)
        self.stdout.write(f"{len(written)} proposals written; they wait for approval.")
