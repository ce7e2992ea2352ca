"""Publish the current wording of the policy, once."""

from datetime import date
from typing import Any

from django.core.management.base import BaseCommand

from consent import wording
from consent.actions import publish_policy
from consent.models import PolicyVersion


class Command(BaseCommand):
    help = "Publish the policy version of consent/wording.py with its notices; twice is harmless."

    def handle(self, *args: Any, **options: Any) -> None:
        if PolicyVersion.objects.filter(version=wording.VERSION).exists():
            self.stdout.write(f"Policy version {wording.VERSION} is already published.")
            return
        publish_policy(wording.VERSION, date.fromisoformat(wording.EFFECTIVE_ON), wording.texts())
        self.stdout.write(f"Policy version {wording.VERSION} is published.")
