"""Celery carries ids from one process to another; PostgreSQL keeps the work itself."""

import ctypes
import os
import signal
import sys
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")

PR_SET_PDEATHSIG = 1

app = Celery("dentalclean")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def die_with_the_worker(**kwargs: Any) -> None:
    """Let no pool process outlive a worker that was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
