"""Has time passed, or has a clock been put forward? Nothing is deleted while that is unclear.

A night that was missed and a clock that jumped look alike on the clock. Three witnesses tell them
apart: the time since the computer started, which cannot be set; the database's clock; and, after a
restart, how long ago any computer of ours was last seen. Up to a week without any of them is a
stop, and its nights are made up for under the forecasts stored before it; longer waits for somebody
to say that the clock is right. Drift is counted from the first sight after each start, so many
small steps are one large one (J02, RUL-38).
"""

import logging
import time
import uuid
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from retention.models import Heartbeat, Run

log = logging.getLogger(__name__)

JUMP = timedelta(hours=36)
LONGEST_STOP = timedelta(days=7)
FORGOTTEN = timedelta(days=90)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_THIS_PROCESS = str(uuid.uuid4())


def boot() -> str:
    """Return what names this start of this computer, or of this process where nothing does."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return _THIS_PROCESS


def since_start() -> float:
    """Return the seconds since the computer started, sleep included where it is known."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def database_clock() -> datetime:
    """Return the moment by the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def jumped() -> timedelta | None:
    """Return how far a clock seems to have been put forward; None when the clocks are to trust."""
    now = timezone.now()
    apart = abs(now - database_clock())
    if apart > JUMP:
        return apart
    mine = Heartbeat.objects.filter(pk=boot()).first()
    if mine is not None:
        drift = timedelta(seconds=now.timestamp() - since_start() - mine.offset)
        return drift if drift > JUMP else None
    seen = (
        Heartbeat.objects.aggregate(last=Max("seen_at"))["last"]
        or Run.objects.aggregate(last=Max("started_at"))["last"]
    )
    return now - seen if seen is not None and now - seen > LONGEST_STOP else None


def beat() -> timedelta | None:
    """Note that the clock was seen; return how far it jumped, and note nothing, when it did."""
    gap = jumped()
    if gap is not None:
        log.error("The clock has jumped %d hours; no night is run.", gap.total_seconds() // 3600)
        return gap
    now = timezone.now()
    offset = now.timestamp() - since_start()
    _mine, is_new = Heartbeat.objects.get_or_create(
        pk=boot(), defaults={"seen_at": now, "offset": offset}
    )
    if is_new:
        Heartbeat.objects.filter(seen_at__lt=now - FORGOTTEN).delete()
    else:
        Heartbeat.objects.filter(pk=boot(), seen_at__lt=now).update(seen_at=now)
    return None


def trust() -> Heartbeat:
    """Take the clocks as they are now: everything is counted from here on."""
    now = timezone.now()
    offset = now.timestamp() - since_start()
    with transaction.atomic():
        Heartbeat.objects.all().delete()
        return Heartbeat.objects.create(pk=boot(), seen_at=now, offset=offset)
