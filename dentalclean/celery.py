"""Celery carries ids from one process to another; PostgreSQL keeps the work itself."""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from celery import Celery, Task
from celery.signals import worker_init, worker_process_init

from dentalclean.embedded.leash import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dentalclean.settings")


class GatedTask(Task):  # type: ignore[type-arg]
    """A task that does nothing while the database lacks what was erased and refused (L02)."""

    # Put in its place when the apps are ready (`dentalclean.apps`).
    gate: ClassVar[Callable[[], None] | None] = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Raise RestoredError instead of working; the work is rows and is rung for again."""
        knock()
        return super().__call__(*args, **kwargs)


def knock() -> None:
    """Raise what the gate raises."""
    if GatedTask.gate is not None:
        GatedTask.gate()


app = Celery("dentalclean", task_cls=GatedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_process_init.connect
def die_with_the_worker(**kwargs: Any) -> None:
    """Let no pool process outlive a worker that was killed."""
    die_with_parent(signal.SIGKILL)


@worker_init.connect
def refuse_a_restored_database(**kwargs: Any) -> None:
    """Let no worker start before the gate is open; Celery would only log another exception."""
    try:
        knock()
    except Exception as why:
        sys.exit(str(why))
