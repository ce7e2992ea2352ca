"""How long the portal lets people wait while a night is worked, against an idle night.

The real web server answers real requests of people who have signed in and whom nothing of the night
is about: they open their pages, one after another, as fast as they are answered.
"""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client

from bench import house
from bench.measure import report
from bench.night import OURS, Worker
from bench.purge import build
from customers.models import User

GOAL = 0.5
PAGES = ("/", "/mina-val/", "/mina-uppgifter/", "/hur-lange/")
PEOPLE = 40
IDLE_SECONDS = 20.0
BETWEEN = 0.05  # seconds that somebody looks at a page
WAITS = 60.0  # seconds a web server may take to start


@dataclass
class Visits:
    """Seconds of every answer until told to stop."""

    port: int
    cookies: list[str]
    seconds: list[float] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)

    def go(self) -> None:
        """Open page after page; raises SystemExit when one is refused."""
        while not self.is_over.wait(BETWEEN):
            self.seconds.append(self.visit(len(self.seconds)))

    def visit(self, number: int) -> float:
        """Return how long one page took."""
        path = PAGES[number % len(PAGES)]
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        started = time.perf_counter()
        line.request("GET", path, headers={"Cookie": self.cookies[number % len(self.cookies)]})
        answer = line.getresponse()
        answer.read()
        took = time.perf_counter() - started
        line.close()
        if answer.status != http.client.OK:
            raise SystemExit(f"The portal answered {answer.status} to {path}.")
        return took


def p99(answers: list[float]) -> float:
    """Return what 99 answers in 100 took at most."""
    return sorted(answers)[int(len(answers) * 0.99)]


def run(n: int, rounds: int) -> None:
    """Measure the same pages in an idle database and during a night in it."""
    build(n)
    call_command("collectstatic", interactive=False, verbosity=0)
    idle: list[float] = []
    during: list[float] = []
    for _turn in range(rounds):
        house.copy("world", "portal")
        cookies = _sign_in(n)
        connection.close()
        with _web_server() as port:
            for number in range(4 * len(PAGES)):  # templates and plans are made on first use
                Visits(port, cookies).visit(number)
            idle += _visit(Visits(port, cookies), lambda: time.sleep(min(n / 1000, IDLE_SECONDS)))
            during += _visit(Visits(port, cookies), Worker(OURS, "portal").work)
    house.drop("portal")
    report(
        "portal_during_purge",
        n,
        ours=1 / p99(during),
        reference=1 / p99(idle),
        goal=GOAL,
        sentence=f"Of {len(during):,} pages opened during a night, 99 in 100 took at most "
        f"{1000 * p99(during):.0f} ms; of {len(idle):,} without one {1000 * p99(idle):.0f} ms.",
    )


def _visit(visits: Visits, act: Callable[[], object]) -> list[float]:
    """Open pages while something happens; return how long each took."""
    visitor = threading.Thread(target=visits.go)
    visitor.start()
    try:
        act()
    finally:
        visits.is_over.set()
        visitor.join()
    return visits.seconds


def _sign_in(n: int) -> list[str]:
    """Return the cookies of people who are customers and stay so."""
    everybody = list(range(30, n + 1, 30))
    cookies = []
    for user in User.objects.filter(pk__in=everybody[:: max(len(everybody) // PEOPLE, 1)]):
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME]
        cookies.append(f"{settings.SESSION_COOKIE_NAME}={cookie.value}")
    return cookies


@contextmanager
def _web_server() -> Iterator[int]:
    """Serve the database `portal` as `make run` does, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", "python:dentalclean.gunicorn"],
        env={
            **os.environ,
            "DATABASE_URL": os.environ["DATABASE_URL"].replace("/dentalclean?", "/portal?"),
            "PORT": str(port),
            "BIND": "127.0.0.1",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + WAITS
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The web server of the bench did not start.")
