"""A whole house of its own for a test: started, asked, hurt and stopped as a person would."""

import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg2

from dentalclean.embedded.places import House

ROOT = Path(__file__).resolve().parent.parent


class RunningHouse:
    """`python -m dentalclean.embedded run` on a data folder, to be asked and hurt."""

    def __init__(self, data: Path) -> None:
        self.house = House(data)
        self.port = free_port()
        self.said: list[str] = []
        self.process: subprocess.Popen[str] | None = None

    def environment(self) -> dict[str, str]:
        """Give the environment of a person's shell, without what the tests put there."""
        ours = ("DENTALCLEAN_", "PYTEST_", "DJANGO_SETTINGS", "DATA_DIR", "CELERY_")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return plain | {"DATA_DIR": str(self.house.data), "PORT": str(self.port)}

    def start(self, patience: float = 90) -> "RunningHouse":
        """Start the house and wait until it says where to look."""
        self.said = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dentalclean.embedded", "run"],
            cwd=ROOT,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()
        wait_until(lambda: self.says("Stop with Ctrl-C") or self.ended(), patience)
        assert not self.ended(), self.said
        return self

    def says(self, words: str) -> bool:
        """Tell whether the house has said these words since its start."""
        return any(words in line for line in list(self.said))

    def ended(self) -> bool:
        """Tell whether the supervisor is gone."""
        return self.process is None or self.process.poll() is not None

    def again(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run the program once more beside the running one, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "dentalclean.embedded", *(arguments or ("run",))],
            cwd=ROOT,
            env=self.environment() | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run a statement in the house's database."""
        session = psycopg2.connect(
            host=str(self.house.sockets), user="dentalclean", dbname="dentalclean"
        )
        try:
            with session, session.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            session.close()

    def parts(self) -> dict[str, psutil.Process]:
        """Give the leading process of each part, children of the supervisor."""
        assert self.process is not None
        marks = {
            "database": "/postgres",
            "broker": "valkey-server",
            "worker": " worker ",
            "clock": " beat ",
            "web": "dentalclean.gunicorn",
        }
        found = {}
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                words = f"{' '.join(child.cmdline())} "
                found |= {name: child for name, mark in marks.items() if mark in words}
        return found

    def kill(self, part: str) -> None:
        """End one part with kill -9."""
        self.parts()[part].kill()

    def everything(self) -> list[psutil.Process]:
        """Give the supervisor and every process below it."""
        assert self.process is not None
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask the house to stop and give its exit code."""
        assert self.process is not None
        if not self.ended():
            self.process.send_signal(how)
        code = self.process.wait(90)
        self._listener.join(10)
        return code

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.said.append(line.rstrip())


class OneHouseAtATime:
    """Hold a lock that keeps the tests of whole houses from running side by side."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "one-house.lock"

    def __enter__(self) -> None:
        self.file = self.path.open("a")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        self.file.close()


def free_port() -> int:
    """Find a port nobody uses."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


def wait_until(happened: Callable[[], object], patience: float) -> None:
    """Wait for something to become true; fail when it does not."""
    until = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < until, "It did not happen in time."
        time.sleep(0.05)


def gone(processes: list[psutil.Process]) -> bool:
    """Tell whether all of these processes have ended."""
    return not any(_runs(process) for process in processes)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended between the two questions
        return False
