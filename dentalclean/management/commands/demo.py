"""Fill an embedded house with demo people and staff, and say how to sign in."""

import io
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from dentalclean import demo


class Command(BaseCommand):
    help = "Make the demo people and staff of `make run`; whoever is here already is left alone."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "Demo people belong in an embedded house only; start one with `make run`."
            )
        call_command("publish_policy", stdout=io.StringIO())
        people = list(demo.build())
        widths = [max(len(row[n]) for row in people) for n in (0, 1)]
        for name, email, tells in people:
            self.stdout.write(f"{name:<{widths[0]}}  {email:<{widths[1]}}  {tells}")
        self.stdout.write(
            f"Sign in at {settings.SITE_URL} with one of these addresses; "
            f"the code arrives at {settings.SITE_URL}{reverse('mailbox')}."
        )
