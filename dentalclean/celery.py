"""Celery carries ids from one process to another; PostgreSQL keeps the work itself."""

import os
import signal
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from dentalclean.embedded.leash import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")

app = Celery("dentalclean")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def die_with_the_worker(**kwargs: Any) -> None:
    """Let no pool process outlive a worker that was killed."""
    die_with_parent(signal.SIGKILL)
