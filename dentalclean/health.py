"""Is the house alive, and does everything in it work?"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from celery import current_app
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from consent import seals
from consent.models import Event
from customers.dates import today
from dentalclean.database_roles import too_strong
from disclosures.models import Outbox
from privacy_requests.models import Case
from retention import backups, clocks, wiping
from retention.decisions import pause_at
from retention.models import Run
from retention.restore import RestoredError, demand_whole

log = logging.getLogger(__name__)

NIGHT_IS_LATE = timedelta(hours=26)
WIPE_IS_LATE = timedelta(hours=6)  # after the night is over
MESSAGE_IS_LATE = timedelta(minutes=15)
SEAL_IS_LATE = timedelta(minutes=15)
STARTED = timezone.now()


@require_safe
@never_cache
def alive(request: HttpRequest) -> HttpResponse:
    """Answer without touching anything outside this process."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def deep(request: HttpRequest) -> JsonResponse:
    """Try each part; 503 when one of them fails or is late. Tells states, never contents."""
    parts = {name: _state(name, probe) for name, probe in PROBES.items()}
    healthy = all(state == "ok" for state in parts.values())
    return JsonResponse({"healthy": healthy, "parts": parts}, status=200 if healthy else 503)


def _state(name: str, probe: Callable[[], None]) -> str:
    try:
        probe()
    except Late as late:
        log.warning("Health probe %s: %s.", name, late.state)
        return late.state
    except RestoredError:
        log.warning("The database was restored and not made good; run manage.py restore_gate.")
        return "restored"
    except TooStrong:
        log.warning("The program works as the owner or a superuser; see docs/running.md.")
        return "too strong"
    except (DatabaseError, OperationalError, RedisError, OSError) as problem:
        log.warning("Health probe %s failed: %s.", name, type(problem).__name__)
        return "failing"
    return "ok"


def _database() -> None:
    """Write to the log of the database, which no table sees."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, 'healthz', '')")


class TooStrong(Exception):
    """Say that the program could change what is only ever added to."""


def _rights() -> None:
    """Demand that the program works as a role that cannot change the ledger (I11)."""
    if too_strong():
        raise TooStrong


def _broker() -> None:
    with current_app.connection_for_write(connect_timeout=2) as broker:
        broker.ensure_connection(max_retries=1, timeout=2)


def _cache() -> None:
    cache.set("health", 1, timeout=10)


class Late(Exception):
    """Say that work which should be done by now is not; the state says what stands in its way."""

    def __init__(self, state: str = "late") -> None:
        super().__init__(state)
        self.state = state


def _purge(now: datetime | None = None) -> None:
    """Demand that a night was done whole within the last 26 hours, once there are nights (RUL-06).

    One that waits for a decision, one that set people aside and a purge that is turned off are told
    as such (RUL-38, F14).
    """
    moment = now or timezone.now()
    if Run.objects.filter(status=Run.Status.STOPPED).exists():
        raise Late("stopped")
    if pause_at(moment) is not None:
        raise Late("off")
    done = Run.objects.filter(status__in=(Run.Status.DONE, Run.Status.PARTIAL))
    since = (
        done.aggregate(last=Max("finished_at"))["last"]
        or Run.objects.aggregate(first=Min("started_at"))["first"]
    )
    if since is not None and moment - since > NIGHT_IS_LATE:
        raise Late
    last = done.order_by("-business_date").first()
    if last is not None and last.status == Run.Status.PARTIAL:
        raise Late("partial")


def _wipe(now: datetime | None = None) -> None:
    """Demand that what the night took was soon wiped in the database's files too (F19)."""
    run = wiping.waiting()
    if run is None or run.finished_at is None:
        return
    if (now or timezone.now()) - run.finished_at > WIPE_IS_LATE:
        raise Late


def _backups() -> None:
    """Demand that no backup is older than people are told; where they lie may be unset (L04)."""
    if backups.too_old():
        raise Late("too old")


def _clock() -> None:
    """Demand that no clock has been put forward (J02)."""
    if clocks.jumped() is not None:
        raise Late("jumped")


def _outbox(now: datetime | None = None) -> None:
    """Demand that no message waits long after it could have left."""
    if Outbox.objects.waiting((now or timezone.now()) - MESSAGE_IS_LATE).exists():
        raise Late


def _seals(now: datetime | None = None) -> None:
    """Demand that the ledger was sealed lately, once it has entries and this process has run."""
    since = max(STARTED, seals.looked_at() or STARTED)
    if (now or timezone.now()) - since > SEAL_IS_LATE and Event.objects.exists():
        raise Late


def _cases() -> None:
    """Demand that no request waits past its last day by law (E16)."""
    if Case.objects.late(today()).exists():
        raise Late


def _restore() -> None:
    """Demand that nothing is missing that is known outside the database (L02)."""
    demand_whole()


PROBES: dict[str, Callable[[], None]] = {
    "database": _database,
    "rights": _rights,
    "broker": _broker,
    "cache": _cache,
    "clock": _clock,
    "purge": _purge,
    "wipe": _wipe,
    "backups": _backups,
    "outbox": _outbox,
    "seals": _seals,
    "cases": _cases,
    "restore": _restore,
}
