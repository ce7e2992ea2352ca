"""What people decide about the nights: a stopped one goes on, the purge is turned off and on."""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from customers.models import User
from retention.models import Pause, Release, Run

log = logging.getLogger(__name__)

ASK_AGAIN = timedelta(hours=1)
LONGEST_PAUSE = timedelta(days=31)


class ReleaseError(ValueError):
    """The night cannot be released; the message says why and what to do."""


class PauseError(ValueError):
    """The purge cannot be turned off or on; the message says why and what to do."""


@transaction.atomic
def release_run(run: Run, *, plan_hash: str, reason: str, by: User) -> Release:
    """Let the plan that somebody has read be done, that and no other; raises ReleaseError."""
    if not reason.strip():
        raise ReleaseError("A release needs a reason; write it in a sentence.")
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.status != Run.Status.STOPPED:
        raise ReleaseError("This night is not stopped; there is nothing to release.")
    if run.plan_hash != plan_hash:
        raise ReleaseError("The plan has changed since it was read; read it again.")
    release, _is_new = Release.objects.get_or_create(
        run=run,
        plan_hash=plan_hash,
        defaults={"people": run.planned_people, "reason": reason, "by": by},
    )
    Run.objects.filter(pk=run.pk).update(status=Run.Status.RUNNING)
    log.warning("Run %s is released: %s people", run.pk, run.planned_people)
    return release


def plan_stopped_again(now: datetime | None = None) -> None:
    """Let a stopped night be planned anew once an hour: what made it large may have been mended."""
    before = (now or timezone.now()) - ASK_AGAIN
    stopped = Run.objects.filter(status=Run.Status.STOPPED, planned_at__lt=before)
    first = stopped.order_by("business_date").first()
    if first is not None:
        Run.objects.filter(pk=first.pk, status=Run.Status.STOPPED).update(status=Run.Status.RUNNING)


# Turned off


def pause_at(moment: datetime) -> Pause | None:
    """Return the pause that is on, None when the purge is."""
    return (
        Pause.objects.filter(since__lte=moment, until__gt=moment, ended_at__isnull=True)
        .order_by("-until")
        .first()
    )


def turn_off(*, until: datetime, reason: str, by: User) -> Pause:
    """Turn the purge off, at most for a month at a time; raises PauseError."""
    now = timezone.now()
    if not reason.strip():
        raise PauseError("Turning the purge off needs a reason; write it in a sentence.")
    if not now < until <= now + LONGEST_PAUSE:
        raise PauseError("Give an end from now on, at most a month ahead.")
    if pause_at(now) is not None:
        raise PauseError("The purge is turned off already; turn it on first to change the end.")
    log.error("The purge is turned off until %s", until.isoformat(timespec="minutes"))
    return Pause.objects.create(since=now, until=until, reason=reason, by=by)


@transaction.atomic
def turn_on(*, by: User) -> list[Pause]:
    """Turn the purge on again: the next ring makes up for what was skipped; raises PauseError."""
    now = timezone.now()
    pauses = list(Pause.objects.select_for_update().filter(until__gt=now, ended_at__isnull=True))
    if not pauses:
        raise PauseError("The purge is not turned off.")
    for pause in pauses:
        pause.ended_at, pause.ended_by = now, by
        pause.save(update_fields=["ended_at", "ended_by"])
    log.warning("The purge is turned on")
    return pauses
