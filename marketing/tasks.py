"""When a campaign is sent: rung at its start, and by beat for what a dead worker left."""

from uuid import UUID

from celery import shared_task

from marketing import actions


@shared_task
def fill(campaign_id: str) -> None:
    """Write the messages of one campaign."""
    actions.fill(UUID(campaign_id))


@shared_task
def reconcile() -> None:
    """Ring again for what is not filled, close what has been sent."""
    actions.reconcile()
