"""When extracts are built and deleted: rung when asked for, and by beat for what was missed."""

import uuid

from celery import shared_task
from django.utils import timezone

from privacy_requests import actions, erasures, lifting, waiting


@shared_task(time_limit=50, soft_time_limit=45)
def build(extract_id: str) -> None:
    """Build one extract, unless somebody does or has."""
    actions.build(uuid.UUID(extract_id))


@shared_task
def reconcile() -> None:
    """Ring again for open work, delete what has had its days, sweep what lost its row."""
    actions.reconcile()


@shared_task
def clock() -> None:
    """Ask again who somebody is, give up, warn before the last day, and end what is over."""
    waiting.tick(timezone.now())
    lifting.tick(timezone.now())
    erasures.tick(timezone.now())
