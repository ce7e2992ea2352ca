"""Make somebody staff."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from customers.rules import clean_email
from dentalclean.roles import Role, RoleError, give_role, sync_roles


class Command(BaseCommand):
    """Staff sign in by a code to their e-mail, as customers do."""

    help = "Give a person of staff one role; makes the account when there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for the address and the role."""
        parser.add_argument("email", help="the e-mail address they sign in with")
        parser.add_argument("role", choices=Role.values, help="what they work with")

    def handle(self, *args: Any, **options: Any) -> None:
        """Give the role and say it."""
        try:
            address = clean_email(options["email"])
        except ValidationError as error:
            raise CommandError("Give an e-mail address, such as name@example.se.") from error
        try:
            with transaction.atomic():
                sync_roles()
                give_role(address, Role(options["role"]))
        except RoleError as error:
            raise CommandError(str(error)) from error
        if options["verbosity"]:
            self.stdout.write(f"{address} is staff with the role {options['role']}.")
