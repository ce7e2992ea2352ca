"""When the purge happens: beat rings once a night, workers share the batches."""

from datetime import date

from celery import shared_task

from customers.dates import today
from retention import actions
from retention.models import Run


@shared_task
def nightly() -> None:
    """Open the run of tonight and of every missed night, and ring for work on each."""
    for day in actions.missed_dates(today()):
        run, _ = actions.open_run(day)
        purge.delay(run.business_date.isoformat())


@shared_task
def purge(business_date: str) -> None:
    """Take part in a run until nothing of it is due."""
    run = Run.objects.get(business_date=date.fromisoformat(business_date))
    actions.execute(run)


@shared_task
def reconcile() -> None:
    """Ring again for runs that are open, so that a lost message or worker loses nothing."""
    for run in Run.objects.exclude(status=Run.Status.DONE).order_by("business_date"):
        purge.delay(run.business_date.isoformat())
