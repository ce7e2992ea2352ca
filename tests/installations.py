"""An installation of a test's own, part by part as in production: each can be killed and restarted.

A database that waits for the disk, a broker with its file, a worker with two processes and the
clock. Nobody supervises them but the test.
"""

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from celery import Celery

from dentalclean.embedded import processes, servers
from dentalclean.embedded.places import SUPERUSER, House, HouseError
from dentalclean.embedded.servers import Part
from dentalclean.embedded.supervisor import environment, owners_environment
from tests.houses import gone, wait_until

# Batches small enough for a night of some hundred people to have several.
WORKER = """
import sys, django
django.setup()
from retention import actions
actions.FIRST_BATCH = actions.SMALLEST_BATCH = actions.LARGEST_BATCH = 50
from dentalclean.celery import app
app.worker_main(["worker", "--loglevel=INFO", "--concurrency=2", "--without-gossip",
                 "--without-mingle"])
"""
PATIENCE = 60.0


class Installation:
    """Parts by name, and what a test asks of them."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.environment = environment(self.house, 0)
        self.parts: dict[str, Part] = {}
        self.started_again = 0
        self._session: Any = None

    def start(self) -> "Installation":
        """Start everything, on an empty database with the policy published."""
        self.house.make_folders()
        self.start_part("database")
        self.manage("migrate", owner=True)
        self.manage("publish_policy")
        for name in ("broker", "worker", "clock"):
            self.start_part(name)
        return self

    def start_part(self, name: str) -> None:
        """Start a part and wait until it is of use."""
        starts: dict[str, Callable[[], Part]] = {
            "database": partial(self._patiently, servers.start_database),
            "broker": partial(servers.start_broker, self.house, durable=True),
            "worker": partial(self._program, "worker", ["-c", WORKER]),
            "clock": partial(
                self._program,
                "clock",
                [
                    *("-m", "celery", "--app=dentalclean", "beat", "--pidfile="),
                    f"--schedule={self.house.data / 'beat'}",
                ],
            ),
        }
        self.parts[name] = starts[name]()
        if name == "worker":
            log = self.log("worker")
            wait_until(lambda: " ready." in log.read_text(), PATIENCE)

    def _patiently(self, start: Callable[..., Part]) -> Part:
        """Start the database again; sessions of the killed one may still be leaving."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return start(self.house, durable=True)
            except HouseError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)

    def log(self, name: str) -> Path:
        """Give the log of a program since its last start."""
        return self.house.logs / f"{name}-{self.started_again}.log"

    def _program(self, name: str, arguments: list[str]) -> Part:
        self.started_again += 1
        return processes.start(
            [sys.executable, *arguments],
            self.log(name),
            on_parent_death=signal.SIGKILL,
            environment=self.environment,
        )

    def kill(self, name: str) -> None:
        """End a part with kill -9 and wait until all of it is gone.

        "child" is what works below the worker, whose leader starts others by itself.
        """
        leader = psutil.Process(self.parts["worker" if name == "child" else name].pid)
        below = leader.children(recursive=True)
        if name == "child":
            for process in below:
                process.kill()
            wait_until(lambda: gone(below), PATIENCE)
            return
        leader.kill()
        self.parts[name].wait()
        if name == "database":
            self._session = None
        wait_until(lambda: gone(below), PATIENCE)

    def stop(self) -> None:
        """Stop everything that runs."""
        if self._session is not None:
            self._session.close()
        for name in ("clock", "worker"):
            if name in self.parts:
                processes.stop(self.parts[name], signal.SIGTERM, 10)
        if "broker" in self.parts:
            servers.stop_broker(self.parts["broker"])
        if "database" in self.parts:
            servers.stop_database(self.parts["database"])
        shutil.rmtree(self.house.sockets, ignore_errors=True)

    # Asking

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in the database as its superuser."""
        if self._session is None:
            self._session = psycopg2.connect(
                host=str(self.house.sockets), user=SUPERUSER, dbname="dentalclean"
            )
            self._session.autocommit = True
        with self._session.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall()) if cursor.description else []

    def manage(self, *arguments: str, owner: bool = False) -> None:
        """Run one of Django's commands to its end, and demand that it succeeds."""
        own = owners_environment(self.house, 0) if owner else self.environment
        done = subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            env=own,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def ring(self, task: str) -> None:
        """Ring for a task as the clock does, without waiting for its minute."""
        # Not as the current app, which the tests that come after would send their tasks to.
        app = Celery(broker=self.house.broker_url(), set_as_current=False)
        app.send_task(task, ignore_result=True)
        app.close()
