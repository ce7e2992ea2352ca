"""Keep a whole house up: PostgreSQL, Valkey, web, worker and beat.

One supervisor per data folder. Each part is on a leash, so kill -9 of the supervisor takes all of
them with it; each holds the lock of the house, so the next start waits until the last one is gone.
A part that dies takes the house with it: it stops in order, says so, and the next start goes on
where it was, since work to do is rows in PostgreSQL. Restarting single parts is for production.
"""

import contextlib
import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dentalclean.embedded import processes, servers
from dentalclean.embedded.places import House, HouseError
from dentalclean.embedded.servers import Part

PATIENCE = 60.0  # seconds for a stage of the start
STOPPED_IN_THIS_ORDER = ("The web server", "The clock", "The worker", "Valkey", "PostgreSQL")
LOG_LIMIT = 5_000_000  # bytes; a longer log is put aside at the next start
NOT_FROM_OUTSIDE = (  # a stray address of another installation must never be filled with demo data
    "DATABASE_URL",
    "BROKER_URL",
    "CACHE_URL",
    "EMAIL_URL",
    "SITE_URL",
    "ALLOWED_HOSTS",
    "SECRET_KEY",
    "FIELD_KEYS",
    "EXTRACT_KEYS",
    "RECEIPT_KEYS",
    "LOOKUP_KEY",
    "SUPPRESSION_KEY",
    "DATABASE_ROLES",
    "STATEMENT_TIMEOUT_MS",
)


class StopRequested(Exception):
    """Someone asked the house to stop."""


@dataclass
class Watched:
    """A part of the house and how to start and stop it."""

    name: str
    log: Path
    start: Callable[[], Part]
    stop: Callable[[Part], object]
    process: Part | None = None

    def died(self) -> bool:
        """Tell whether the part is gone though nobody asked it to go."""
        return self.process is not None and self.process.poll() is not None


def environment(house: House, port: int) -> dict[str, str]:
    """Give the environment of every program in the house; it works as the app's role."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in NOT_FROM_OUTSIDE and not name.startswith("CELERY_")
    }
    return {
        **own,
        "DENTALCLEAN_EMBEDDED": "1",
        "DJANGO_SETTINGS_MODULE": "dentalclean.settings",
        "DATA_DIR": str(house.data),
        "PORT": str(port),
        "BIND": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
    }


def owners_environment(house: House, port: int) -> dict[str, str]:
    """Give the environment of what migrates."""
    return {**environment(house, port), "DATABASE_URL": house.owner_url}


class Supervisor:
    """Start the parts in order, watch them, and stop them in the opposite order."""

    def __init__(self, house: House, port: int, say: Callable[[str], None]) -> None:
        self.house = house
        self.port = port
        self.say = say
        self.asked_to_stop = 0
        self.up: list[Watched] = []
        self.keep_open: list[int] = []
        self.environment = environment(house, port)

    def run(self) -> int:
        """Keep the house up until someone asks it to stop. Raises HouseError."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)  # a sleeping supervisor watches nothing
        self.house.make_folders()
        with self._alone(), _terminal_to_ourselves():
            self._check_port()
            self._put_long_logs_aside()
            try:
                self._start()
                self._watch()
            except StopRequested:
                self.say("Stopping.")
            finally:
                self._stop()
                with contextlib.suppress(OSError):
                    self.house.sockets.rmdir()
        self.say(f"Stopped. Your data is kept in {self.house.data}.")
        return 0

    def _ask_to_stop(self, *_: object) -> None:
        self.asked_to_stop += 1

    def _start(self) -> None:
        began = time.monotonic()
        self.say("Starting PostgreSQL and Valkey.")
        with self._preparing() as prepared:  # it gathers files while the servers come up
            self._bring_up(self._database())
            self._bring_up(self._broker())
            self.say("Bringing the database and the demo people up to date.")
            prepared()
        self.say("Starting the web server, a worker and the clock.")
        self._bring_up(self._worker())
        self._bring_up(self._web())
        self._wait_for_web()
        self._bring_up(self._beat())
        self.say(f"Up in {time.monotonic() - began:.1f} seconds.")
        self.say("")
        self.say(f"Open http://127.0.0.1:{self.port}/ in a browser. Stop with Ctrl-C.")
        self.say(self._greeting.read_text().rstrip())

    def _watch(self) -> None:
        while True:
            self._pause(0.2)
            self._see_that_all_live()

    def _see_that_all_live(self) -> None:
        """Say which part has died. Raises HouseError."""
        for part in self.up:
            if part.died():
                raise HouseError(
                    f"{part.name} has died, so everything is stopped. Last it said in {part.log}: "
                    f"{processes.last_line(part.log)}."
                )

    def _stop(self) -> None:
        """Stop web, beat, worker, broker, database; the later ones serve the earlier ones."""
        self.up.sort(key=lambda part: STOPPED_IN_THIS_ORDER.index(part.name))
        while self.up:
            part = self.up.pop(0)
            if part.process is not None:
                part.stop(part.process)

    def _bring_up(self, part: Watched) -> None:
        part.process = part.start()
        self.up.append(part)
        self._pause(0)

    def _pause(self, seconds: float) -> None:
        """Wait a little; notice when someone asks the house to stop."""
        until = time.monotonic() + seconds
        while not self.asked_to_stop and time.monotonic() < until:
            time.sleep(0.05)
        if self.asked_to_stop:
            raise StopRequested

    # Parts

    def _database(self) -> Watched:
        return Watched(
            "PostgreSQL",
            self.house.logs / "postgres.log",
            lambda: servers.start_database(self.house, durable=True, keep_open=self.keep_open),
            servers.stop_database,
        )

    def _broker(self) -> Watched:
        return Watched(
            "Valkey",
            self.house.logs / "valkey.log",
            lambda: servers.start_broker(self.house, durable=True, keep_open=self.keep_open),
            servers.stop_broker,
        )

    def _worker(self) -> Watched:
        # SIGKILL on the supervisor's death: tasks are taken up again, whereas a worker that waits
        # for its task while the database goes would linger
        return self._program(
            "worker",
            "The worker",
            [
                *("celery", "--app=dentalclean", "worker", "--loglevel=INFO", "--concurrency=2"),
                *("--without-gossip", "--without-mingle"),
            ],
            on_parent_death=signal.SIGKILL,
            stop=self._stop_worker,
        )

    def _beat(self) -> Watched:
        return self._program(
            "beat",
            "The clock",
            [
                *("celery", "--app=dentalclean", "beat", "--loglevel=INFO", "--pidfile="),
                f"--schedule={self.house.data / 'beat'}",
            ],
        )

    def _web(self) -> Watched:
        return self._program(
            "web", "The web server", ["gunicorn", "-c", "python:dentalclean.gunicorn"]
        )

    def _program(
        self,
        short: str,
        name: str,
        command: list[str],
        on_parent_death: signal.Signals = signal.SIGTERM,
        stop: Callable[[Part], object] | None = None,
    ) -> Watched:
        """Describe a Python program of the house."""
        log = self.house.logs / f"{short}.log"
        return Watched(
            name,
            log,
            lambda: self._python(command, log, on_parent_death, self.environment),
            stop or (lambda part: processes.stop(part, signal.SIGTERM, 15)),
        )

    def _python(
        self,
        command: list[str],
        log: Path,
        on_parent_death: signal.Signals,
        surroundings: dict[str, str],
    ) -> Part:
        return processes.start(
            [sys.executable, "-m", *command],
            log,
            on_parent_death=on_parent_death,
            environment=surroundings,
            keep_open=self.keep_open,
        )

    def _stop_worker(self, part: Part) -> None:
        """Let running tasks finish for a while; what is cut off is done again after the start."""
        if not processes.ask(part, signal.SIGTERM, 20):
            processes.stop(part, signal.SIGQUIT, 5)

    # Stages

    @property
    def _greeting(self) -> Path:
        return self.house.data / "demo.txt"

    @contextlib.contextmanager
    def _preparing(self) -> Iterator[Callable[[], None]]:
        """Prepare beside the start of the servers; give a function that waits for the end."""
        log = self.house.logs / "prepare.log"
        part = self._python(
            ["dentalclean.embedded.prepare", str(self._greeting)],
            log,
            signal.SIGTERM,
            owners_environment(self.house, self.port),
        )

        def prepared() -> None:
            while part.poll() is None:
                self._pause(0.05)
            if part.returncode != 0:
                raise HouseError(
                    "The database could not be brought up to date: "
                    f"{processes.last_line(log)}. See {log}."
                )

        try:
            yield prepared
        finally:
            processes.stop(part, signal.SIGTERM, 10)

    def _wait_for_web(self) -> None:
        until = time.monotonic() + PATIENCE
        while not self._web_answers():
            self._pause(0.05)
            self._see_that_all_live()
            if time.monotonic() > until:
                raise HouseError(
                    f"The web server did not answer in {PATIENCE:.0f} seconds; see "
                    f"{self.house.logs}."
                )

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(  # nosec B310
                f"http://127.0.0.1:{self.port}/healthz", timeout=10
            ) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def _check_port(self) -> None:
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", self.port))
            except PermissionError:
                raise HouseError(
                    f"Port {self.port} needs root; choose one above 1023, for example: "
                    "PORT=8001 make run"
                ) from None
            except OSError:
                raise HouseError(
                    f"Port {self.port} is taken by another program; choose another, for "
                    f"example: PORT={self.port % 65535 + 1} make run"
                ) from None

    def _put_long_logs_aside(self) -> None:
        for log in self.house.logs.glob("*.log"):
            if log.stat().st_size > LOG_LIMIT:
                log.replace(log.with_suffix(".log.1"))

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of the supervisor, and one that lasts as long as any part does."""
        with _locked(self.house.data / "supervisor.lock") as ours:
            if ours is None:
                raise HouseError(
                    f"Dentalclean is already running with the data in {self.house.data}; stop "
                    "that one with Ctrl-C first."
                )
            until = time.monotonic() + PATIENCE
            while True:
                with _locked(self.house.data / "house.lock") as parts:
                    if parts is not None:
                        self.keep_open = [parts.fileno()]
                        yield
                        return
                if time.monotonic() > until:
                    raise HouseError(
                        f"Parts of the last run still hold {self.house.data / 'house.lock'}; "
                        "end them and start again."
                    )
                time.sleep(0.1)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str] | None]:
    """Hold a lock on a file; give None when someone else does."""
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
        else:
            yield file


@contextlib.contextmanager
def _terminal_to_ourselves() -> Iterator[None]:
    """Let Ctrl-C reach the supervisor and not `make`, which would call a clean stop an error."""
    try:
        theirs = os.tcgetpgrp(0)
        if theirs != os.getpgrp() or os.getpid() in {theirs, os.getsid(0)}:
            raise OSError
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpgrp())
    except OSError:  # no terminal, in the background, or already alone there
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.tcsetpgrp(0, theirs)
