"""A real Celery worker and a real broker for a test, to be killed in the middle of things."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import connection

from dentalclean.embedded import processes, servers
from dentalclean.embedded.places import House
from dentalclean.embedded.servers import Part
from tests.houses import wait_until


def environment() -> dict[str, str]:
    """Give a process of its own what puts it on this test's database."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "dentalclean.settings_test",
        "DENTALCLEAN_TEST_DATABASE": connection.settings_dict["NAME"],
        "PYTHONUNBUFFERED": "1",
    }


def died_of(program: str) -> int:
    """Run a program that ends itself in the middle of something; return the signal it died of.

    A process of its own and no fork: a browser's threads would come along into that.
    """
    prepared = f"import django; django.setup()\n{program}"
    return -subprocess.run(
        [sys.executable, "-c", prepared], env=environment(), check=False, timeout=60
    ).returncode


class Worker:
    """A worker on this test's database and broker; it can be started more than once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.part: Part | None = None

    def start(self, processes_below: int = 1) -> "Worker":
        """Start the worker and wait until it takes tasks."""
        log = self.folder / "worker.log"
        log.unlink(missing_ok=True)
        self.part = processes.start(
            [
                *(sys.executable, "-m", "celery", "--app=dentalclean", "worker"),
                *("--loglevel=INFO", f"--concurrency={processes_below}"),
                *("--without-gossip", "--without-mingle"),
            ],
            log,
            on_parent_death=signal.SIGKILL,
            environment=environment(),
        )
        wait_until(lambda: " ready." in log.read_text() or self.part_ended(), 60)
        assert not self.part_ended(), log.read_text()
        return self

    def part_ended(self) -> bool:
        """Tell whether the worker is gone."""
        return self.part is None or self.part.poll() is not None

    def log(self) -> str:
        """Give what the worker has logged since its start."""
        return (self.folder / "worker.log").read_text()

    def kill(self) -> None:
        """End the worker with kill -9; its processes go with it."""
        assert self.part is not None
        self.part.kill()
        self.part.wait()

    def stop(self) -> None:
        """Stop the worker, politely first."""
        if self.part is not None:
            processes.stop(self.part, signal.SIGTERM, 10)


class Broker:
    """A Valkey of the test's own, with an append-only file as in production."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.part: Part | None = None

    def start(self) -> "Broker":
        """Start it, with what it had written before."""
        self.part = servers.start_broker(self.house, durable=True)
        return self

    def kill(self) -> None:
        """End it with kill -9."""
        assert self.part is not None
        self.part.kill()
        self.part.wait()

    def stop(self) -> None:
        """Stop it."""
        if self.part is not None:
            servers.stop_broker(self.part)


@pytest.fixture
def worker(transactional_db: None, tmp_path: Path) -> Iterator[Worker]:
    """Give a worker that has not been started; committed rows are what it sees."""
    _forget_connections()
    given = Worker(tmp_path)
    yield given
    given.stop()
    with current_app.connection_for_write() as line:
        line.default_channel.client.flushdb()
    _forget_connections()


@pytest.fixture
def own_broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """Give a running broker of the test's own, also to its worker: ask for it before `worker`."""
    with tempfile.TemporaryDirectory(prefix="dentalclean-broker-") as folder:
        house = House(Path(folder))
        house.make_folders()
        monkeypatch.setenv("CELERY_BROKER_URL", house.broker_url())
        _forget_connections()
        broker = Broker(house).start()
        yield broker
        broker.stop()
        _forget_connections()
        house.sockets.rmdir()


def _forget_connections() -> None:
    """Let the next task find the broker that is set now."""
    app: Any = current_app._get_current_object()
    app._pool = None
    app.amqp._producer_pool = None
