"""Wiping the files after a night against VACUUM FULL, which rewrites whole tables behind a lock.

After both, no e-mail address and no phone number of those the night took may be found in any file
of the database; what is found after the night, and after VACUUM alone, is told beside it.
"""

import re
import threading
import time
from contextlib import suppress
from datetime import timedelta
from types import TracebackType

import psycopg2
from django.conf import settings
from django.db import connection

from bench import house, world
from bench.measure import report, seconds
from bench.purge import COHORTS
from customers.dates import today
from retention import actions, readable, wiping
from retention.models import Forecast, Run

GOAL, GOAL_WAIT = 0.2, 3.0
CONTACT = re.compile(rb"person(\d+)@example|\+4670(\d{7})")
STILL_THERE = """
    SELECT substring(email from '[0-9]+') FROM (
        SELECT email FROM customers_customer UNION SELECT email FROM customers_user
        UNION SELECT email FROM account_emailaddress UNION SELECT recipient FROM disclosures_outbox
    ) AS addresses WHERE email ~ '^person[0-9]'
    UNION SELECT right(phone, 7) FROM customers_customer WHERE phone <> ''
"""


def run(n: int, rounds: int) -> None:
    """Measure, and refuse to print a speed before both sides have left nothing to read."""
    world.build(n, COHORTS)
    house.copy("world", "night")
    taken = _night(n).people
    told = [f"after the night {readable_in_files():,}"]
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")
    told.append(f"after VACUUM {readable_in_files():,}")
    ours, reference, ours_waits, reference_waits = [], [], [], []
    for _ in range(rounds):
        house.copy("night", "ours")
        with Waits() as waits:
            ours.append(seconds(_wipe))
        ours_waits.append(waits.longest)
        demand_nothing("wiping")
        house.copy("night", "reference")
        with Waits() as waits:
            reference.append(seconds(_rewrite))
        reference_waits.append(waits.longest)
        demand_nothing("VACUUM FULL")
    told.append("after wiping 0")
    house.copy("night", "idle")
    with Waits() as waits:
        time.sleep(2)
    for database in ("night", "ours", "reference", "idle"):
        house.drop(database)
    print(f"E-mail addresses and phone numbers in the files of {taken:,} people the night took: "
          f"{', '.join(told)}.")  # fmt: skip
    report(
        "wipe_wait",
        n,
        ours=1 / min(ours_waits),
        reference=1 / min(reference_waits),
        goal=GOAL_WAIT,
        sentence=f"The longest that a reader or writer waited: {min(ours_waits) * 1000:.0f} ms "
        f"while wiping, {min(reference_waits) * 1000:.0f} ms while rewriting, "
        f"{waits.longest * 1000:.0f} ms with nothing going on.",
    )
    report(
        "wipe",
        n,
        ours=taken / min(ours),
        reference=taken / min(reference),
        goal=GOAL,
        sentence=f"Wiped after {taken:,} people among {n:,} in {min(ours):.1f} s "
        f"({min(ours) / taken * 100_000:.0f} s for 100,000); VACUUM FULL takes "
        f"{min(reference):.1f} s and shuts each table meanwhile.",
    )


def _night(n: int) -> Run:
    # What a night of a week ago said of tonight, or it would stop and ask.
    Forecast.objects.create(
        made_on=today() - timedelta(days=7), span=Forecast.Span.NIGHT, day=today(), people=n
    )
    return actions.execute(actions.open_run(today())[0])


def _wipe() -> None:
    run = wiping.waiting()
    if run:
        wiping.wipe(run)
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
    found = wiping.wipe(run) if run else None
    if found is None or found.finished_at is None:
        raise SystemExit(f"The night is not wiped: {found and found.waits_for}.")


def _rewrite() -> None:
    with connection.cursor() as cursor:
        for table in readable.tables():
            cursor.execute(f'VACUUM (FULL) "{table.name}"')


def readable_in_files() -> int:
    """Count the contacts of people who are gone that the database's files still hold."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute(STILL_THERE)
        there = {int(number) for (number,) in cursor.fetchall()}
        cursor.execute("SELECT oid FROM pg_database WHERE datname = current_database()")
        folder = settings.HOUSE.database / "base" / str(cursor.fetchone()[0])
    found = set()
    for file in folder.iterdir():
        with suppress(FileNotFoundError):  # a file that a server removes meanwhile
            for email, phone in CONTACT.findall(file.read_bytes()):
                if int(email or phone) not in there:
                    found.add(email or b"+" + phone)
    return len(found)


def demand_nothing(means: str) -> None:
    """Raise SystemExit when the means have left something to read."""
    found = readable_in_files()
    if found:
        raise SystemExit(f"After {means}, {found:,} contacts can still be read.")


class Waits:
    """The longest that one who reads and writes rows of these tables waits, in seconds."""

    longest = 0.0

    def __enter__(self) -> "Waits":
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()
        return self

    def _live(self) -> None:
        session = psycopg2.connect(**connection.get_connection_params())
        session.autocommit = True
        with session.cursor() as cursor:
            cursor.execute("SELECT min(id) FROM customers_customer WHERE email <> ''")
            (person,) = cursor.fetchone()
            while not self._over.wait(0.005):
                for statement in (
                    "SELECT email FROM customers_customer WHERE id = %s",
                    "UPDATE customers_address SET city = city WHERE customer_id = %s",
                    "UPDATE customers_customer SET version = version + 1 WHERE id = %s",
                    "SELECT count(*) FROM customers_order WHERE customer_id = %s",
                ):
                    self.longest = max(
                        self.longest,
                        seconds(lambda: cursor.execute(statement, [person])),  # noqa: B023
                    )
        session.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
