"""When the purge happens: beat rings once a night and every minute, workers share the batches."""

import logging
from datetime import date

from celery import shared_task
from django.conf import settings

from customers.dates import today
from retention import actions, decisions, erasure, forecasts, holds, restore, wiping
from retention.models import Run

log = logging.getLogger(__name__)


@shared_task
def nightly() -> None:
    """Open the run of tonight and of every missed night, and ring for the oldest open one.

    Beat may ring twice, late or not at all for days: a business date is opened once, and the
    reconciler below is the same work.
    """
    actions.open_missed_runs()
    holds.remind_owners(today())
    ring()


@shared_task
def reconcile() -> None:
    """Ring again every minute, so that a lost message or a dead worker loses nothing."""
    restore.beat()
    erasure.settle()
    decisions.plan_stopped_again()
    actions.open_missed_runs()
    ring()
    night = forecasts.missing()
    if night is not None:
        foresee.delay(night.isoformat())
    if wiping.waiting() is not None:
        wipe.apply_async(expires=60)  # the next minute rings again


@shared_task
def purge(business_date: str) -> None:
    """Take part in a run until nothing of it is due, then go on with the next open one.

    Each share goes on as one share: if each rang for all, they would double with every night.
    """
    run = Run.objects.get(business_date=date.fromisoformat(business_date))
    if actions.execute(run).status != Run.Status.RUNNING:
        ring(shares=1)


@shared_task
def foresee(night: str) -> None:
    """Look ahead from a night that is over, for later nights to be held to (RUL-38)."""
    forecasts.write(date.fromisoformat(night))


@shared_task
def wipe() -> None:
    """Wipe in the database's files what the nights took; rung every minute until it is done (F19).

    It may last long and no longer than it is let: a later ring goes on from where it was.
    """
    run = wiping.waiting()
    if run is not None:
        wiping.wipe(run)


def ring(shares: int | None = None) -> None:
    """Ring for the oldest open run: nights are made up for in their order.

    A night that waits for a decision makes the later ones wait too.
    """
    waiting = (Run.Status.RUNNING, Run.Status.STOPPED)
    run = Run.objects.filter(status__in=waiting).order_by("business_date").first()
    if run is not None and run.status == Run.Status.RUNNING:
        for _share in range(shares or settings.PURGE_SHARES):
            purge.delay(run.business_date.isoformat())
