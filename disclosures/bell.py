"""The doorbell: tell a worker that there is work, without ever waiting for the broker.

The work itself is a row in PostgreSQL, so a ring that is not heard costs time, never work: beat
rings again. The connection is the ring's own, with a time-out of its own, since the workers' must
be allowed to wait.
"""

import logging
from typing import Any

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.2


def ring_on_commit(task: str, *arguments: str) -> None:
    """Ring for a task once the transaction is committed; the arguments are ids (H14)."""
    transaction.on_commit(lambda: ring(task, *arguments))


def ring(task: str, *arguments: str) -> bool:
    """Ring for a task now; say whether the broker took it (H06)."""
    options: dict[str, Any] = {
        **current_app.conf.broker_transport_options,
        "socket_connect_timeout": PATIENCE_SECONDS,
        "socket_timeout": PATIENCE_SECONDS,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    try:
        with current_app.connection_for_write(transport_options=options) as connection:
            current_app.send_task(
                task,
                args=arguments,
                connection=connection,
                retry=False,
                ignore_result=True,
            )
    except (OperationalError, OSError) as problem:
        log.warning("Nobody heard the bell for %s%r: %s.", task, arguments, type(problem).__name__)
        return False
    return True
