"""When messages leave: rung at every commit that wrote one, and by beat for what was missed."""

from celery import shared_task

from disclosures import actions


@shared_task
def relay() -> None:
    """Send what waits in the outbox; any number of workers may do so at once."""
    actions.relay()
