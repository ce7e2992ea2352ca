"""Hold the nights to their certificates."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from retention import wiping
from retention.certificates import BrokenCertificateError, verify


class Command(BaseCommand):
    help = "Check every night's certificate: its signature, the one before it, and its receipts."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = verify()
            wiped = wiping.verify()
        except BrokenCertificateError as broken:
            raise CommandError(str(broken)) from broken
        self.stdout.write(
            f"The nights hold: {found.certificates} certificates, "
            f"{found.with_receipts} of them with all their receipts; {wiped} wiped afterwards."
        )
