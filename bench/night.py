"""One worker's night in a process of its own: it waits to be told, works, and says how it went."""

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from django.db import connection

from bench import handwritten, house
from bench.measure import seconds
from customers.dates import today
from retention import actions, estimates

OURS, BY_HAND = "ours", "hand"
PROGRAM = "import django; django.setup(); from bench import night; night.work()"
EVERY = 0.05  # seconds between two looks at the memory


class Memory:
    """The most memory this process has beside its files, watched by a thread of its own."""

    def __enter__(self) -> "Memory":
        self.looks = [resident()]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(EVERY):
            self.looks.append(resident())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
        self.looks.append(resident())

    @property
    def idle(self) -> float:
        return self.looks[0]

    @property
    def halves(self) -> tuple[float, float]:
        """The most in the first half of the time and in the second."""
        middle = (len(self.looks) + 1) // 2
        return max(self.looks[:middle]), max(self.looks[middle:])


def resident() -> float:
    """Return the memory that this process shares with no file and nobody, in MiB."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


class Worker:
    """A process that has connected and waits for the word."""

    def __init__(self, side: str, database: str, number: int = 0, of: int = 1) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, side, database, str(number), str(of)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ,
        )
        self.told = cast(IO[str], self.process.stdin)
        if cast(IO[str], self.process.stdout).readline() != "ready\n":
            raise SystemExit("A worker of the bench did not start.")

    def go(self) -> None:
        """Give the word."""
        self.told.write("go\n")
        self.told.flush()

    def work(self) -> dict[str, Any]:
        """Give the word and wait."""
        self.go()
        return self.done()

    def done(self) -> dict[str, Any]:
        """Wait until the night is over; return what the worker says of it."""
        out, _ = self.process.communicate()
        if self.process.returncode != 0:
            raise SystemExit("A worker of the bench has failed.")
        said: dict[str, Any] = json.loads(out.splitlines()[-1])
        return said


def work() -> None:
    """Do one worker's part of the night to today, when a line on stdin says so; print a JSON line.

    It holds seconds, and the memory idle, at most in the first half and at most in the second.
    """
    side, database, number, of = sys.argv[1:]
    house.use(database)
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    with Memory() as memory:
        took = seconds(ours if side == OURS else lambda: by_hand(int(number), int(of)))
    connection.close()
    print(json.dumps({"seconds": took, "idle": memory.idle, "most": memory.halves}))


def plan() -> None:
    """Look at the tables and plan the night, as it does before it deletes anything (RUL-38)."""
    estimates.refresh()
    actions.begin(actions.open_run(today())[0])


def ours() -> None:
    """Take part in the night as every worker of ours does."""
    actions.execute(actions.open_run(today())[0])


def by_hand(number: int = 0, of: int = 1) -> None:
    """Do a worker's part of the hand-written night."""
    handwritten.purge(today(), number, of)
