"""Processor time of an act: what it costs whatever else the computer does."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection


def effort(act: Callable[[], Any]) -> float:
    """Return the processor seconds of this process and of its session in the database."""
    connection.ensure_connection()
    session = connection.connection.info.backend_pid
    before = time.process_time() + _of(session)
    act()
    return time.process_time() + _of(session) - before


def _of(process: int) -> float:
    """Return the seconds a process of Linux has had so far."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
