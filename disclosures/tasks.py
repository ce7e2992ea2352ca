"""When messages leave: rung at every commit that wrote one, and by beat for what was missed."""

from celery import shared_task

from disclosures import actions, notices, recipient_notices


@shared_task
def relay() -> None:
    """Send what waits in the outbox; any number of workers may do so at once."""
    actions.relay()


@shared_task
def first_notices() -> None:
    """Queue the first information for everybody who has not had it."""
    notices.send_first_notices()


@shared_task
def chase() -> None:
    """Tell recipients again of what they have not acknowledged (NOT-01)."""
    recipient_notices.chase()
