"""What PostgreSQL believes of the tables, made true before a night is planned.

A statement over thousands of people is planned from what was last noted of each table. Right after
a large import or a restore nothing is noted, or that the table is empty, and a plan for nobody
takes minutes over thousands. Autovacuum mends it sooner or later; the night does not wait for it.
"""

import logging

from django.db import OperationalError, connection, models, transaction
from psycopg2.errors import LockNotAvailable

from consent.models import Event, ProcessingRecord
from customers.models import Customer
from retention import statements
from retention.models import Hold, Receipt

log = logging.getLogger(__name__)

# A smaller table is read whole in no time, whatever is believed of it.
SMALLEST = 16  # pages
# Autovacuum waits for a tenth of the rows; what it has not come to is believed no longer than this.
CHANGED_PART = 5
PATIENCE = "5s"  # autovacuum gives way after one second; a wipe of the last night does not

# The size is measured and cannot lie; counters come some seconds late. Whoever is noted without
# anything on the key has never been looked at while there were rows.
STALE = """
    SELECT c.oid::regclass::text
      FROM pg_class c
     CROSS JOIN LATERAL (SELECT pg_relation_size(c.oid)
                                / current_setting('block_size')::int AS pages) now
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%(tables)s)
       AND now.pages >= %(smallest)s
       AND (c.reltuples <= 0
            OR now.pages > 2 * c.relpages
            OR pg_stat_get_mod_since_analyze(c.oid) > c.reltuples / %(part)s
            OR NOT EXISTS (
               SELECT FROM pg_stats s JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
                 JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                WHERE s.schemaname = current_schema() AND s.tablename = c.relname
                  AND s.attname = a.attname))
     ORDER BY 1
"""


def of_the_night() -> frozenset[type[models.Model]]:
    """Return the models whose tables a night reads or writes."""
    others: set[type[models.Model]] = {Customer, ProcessingRecord, Event, Hold, Receipt}
    return frozenset(others | {table.model for table in statements.mapped()})


def stale() -> list[str]:
    """Return the tables of the night, quoted, of which too little is known to plan with."""
    with connection.cursor() as cursor:
        cursor.execute(
            STALE,
            {
                "tables": sorted(model._meta.db_table for model in of_the_night()),
                "smallest": SMALLEST,
                "part": CHANGED_PART,
            },
        )
        return [table for (table,) in cursor.fetchall()]


def refresh() -> list[str]:
    """Look anew at the tables that are not as they are believed to be; return which.

    One that somebody else keeps locked is left as it is: a slow night is better than none.
    """
    looked_at = [table for table in stale() if _look_at(table)]
    if looked_at:
        log.info("The planner knew too little of %s tables: %s", len(looked_at), looked_at)
    return looked_at


def _look_at(table: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, TRUE)", [PATIENCE])
            cursor.execute(f"ANALYZE {table}")
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise
        log.warning("The night is planned with old estimates of %s: it is locked", table)
        return False
    return True
