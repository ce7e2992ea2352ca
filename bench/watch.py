"""How long others have had to wait at most: transactions that have written, seen from beside."""

import threading
from types import TracebackType

import psycopg2
from django.db import connection

EVERY = 0.02  # seconds between two looks

# A transaction that only reads stands in nobody's way; one that has written holds its rows.
WRITING = """
    SELECT pid, backend_xid::text, extract(epoch FROM clock_timestamp() - xact_start)::float
      FROM pg_stat_activity WHERE datname = %s AND backend_xid IS NOT NULL
"""


class LongestTransaction:
    """The longest time in seconds that a transaction of this database has held what it wrote.

    Counted from the first look that found it writing, so at most two looks too little.
    """

    seconds = 0.0

    def __enter__(self) -> "LongestTransaction":
        self._over = threading.Event()
        self._database = connection.settings_dict["NAME"]
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        session = psycopg2.connect(**{**connection.get_connection_params(), "dbname": "postgres"})
        session.autocommit = True
        first_seen: dict[tuple[int, str], float] = {}
        with session.cursor() as cursor:
            while not self._over.wait(EVERY):
                cursor.execute(WRITING, [self._database])
                for pid, number, age in cursor.fetchall():
                    began = first_seen.setdefault((pid, number), max(age - EVERY, 0))
                    self.seconds = max(self.seconds, age - began)
        session.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
