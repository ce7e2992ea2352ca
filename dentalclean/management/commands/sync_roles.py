"""Write the table of staff rights to the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dentalclean.roles import MAY, sync_roles


class Command(BaseCommand):
    """Runs after every migrate; twice changes nothing."""

    help = "Make the groups of staff hold the rights the table in dentalclean/roles.py gives them."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the groups and say how many."""
        try:
            sync_roles()
        except LookupError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write(f"{len(MAY)} roles are as the table says.")
