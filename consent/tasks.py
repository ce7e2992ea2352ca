"""When the ledger is sealed: beat rings every few minutes, and a night is sealed like a day."""

import logging

from celery import shared_task
from django.db import OperationalError

from consent import sealing

log = logging.getLogger(__name__)


@shared_task
def seal() -> None:
    """Seal what is new; an entry that is under way for long is waited for until the next ring."""
    try:
        sealing.seal()
    except OperationalError as busy:
        log.warning("The ledger is not sealed this time: %s.", type(busy.__cause__).__name__)
