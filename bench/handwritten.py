"""The purge as somebody would write it by hand, knowing these tables and no other: the reference.

It finds the due once, then takes them in batches of 5,000: one statement per kind of data, which
deletes and writes the receipts. Each batch is said outside the database before its commit, and the
night is closed with a digest over its receipts, signed and chained to the night before. It does
exactly what `retention.actions.execute` does to the tables of today; a new table with personal data
it would forget. It plans nothing beforehand, gives no receipts for what is held and sets
nobody aside.
"""

import hashlib
import json
import uuid
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from consent.receipt_keys import canonical, sign
from customers import contact_points
from disclosures import files

BATCH = 5000

FIND_DUE = """
    SELECT customer_id FROM consent_processingrecord
     WHERE ended_on IS NULL AND retain_until < %(on)s
    UNION SELECT customer_id FROM privacy_requests_case
           WHERE closed_on IS NOT NULL AND retain_until < %(on)s
    UNION SELECT customer_id FROM disclosures_outbox
           WHERE customer_id IS NOT NULL AND finished_at IS NOT NULL AND retain_until < %(on)s
    UNION SELECT customer_id FROM customers_accesslog WHERE retain_until < %(on)s
    UNION SELECT customer_id FROM customers_change WHERE retain_until < %(on)s
    UNION SELECT customer_id FROM customers_subscription
           WHERE ended_on IS NOT NULL AND retain_until < %(on)s
    UNION SELECT customer_id FROM customers_order WHERE retain_until < %(on)s
    UNION SELECT customer_id FROM customers_invoice
           WHERE customer_id IS NOT NULL AND retain_until < %(on)s
    UNION SELECT customer_id FROM customers_supportcase
           WHERE closed_on IS NOT NULL AND retain_until < %(on)s
    ORDER BY 1
"""

TAKE = (
    "SELECT id FROM customers_customer WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE",
    """
    CREATE TEMPORARY TABLE batch ON COMMIT DROP AS
    SELECT c.id, c.pseudonym, c.user_id, h.held,
           NOT h.held AND NOT COALESCE(r.details, FALSE) AS details,
           NOT h.held AND NOT COALESCE(r.national_id, FALSE) AS national_id,
           NOT h.held AND NOT COALESCE(r.proof, FALSE) AS proof
      FROM customers_customer c
      CROSS JOIN LATERAL (
           SELECT c.restriction IN ('a', 'b', 'c', 'd') OR EXISTS (
                  SELECT FROM retention_hold h
                   WHERE h.customer_id = c.id AND h.lifted_at IS NULL) AS held) h
      LEFT JOIN LATERAL (
           SELECT BOOL_OR(r.purpose IN ('A', 'B', 'F', 'G', 'H', 'K', 'L2')) AS details,
                  BOOL_OR(r.purpose IN ('A2', 'L2')) AS national_id,
                  BOOL_OR(r.purpose = 'R') AS proof
             FROM consent_processingrecord r
            WHERE r.customer_id = c.id AND r.ended_on IS NULL AND r.retain_until >= %(on)s
           ) r ON TRUE
     WHERE c.id = ANY(%(ids)s)
    """,
    "ANALYZE batch",
)

SAID_NO = """
    SELECT c.email, c.phone, c.family_name, a.street, a.postcode
      FROM batch b JOIN customers_customer c USING (id)
      LEFT JOIN customers_address a ON a.customer_id = b.id
     WHERE b.details AND EXISTS (
           SELECT FROM consent_standing s WHERE s.customer_id = b.id AND s.declined)
"""

SUPPRESS = """
    INSERT INTO customers_suppression AS s (id, kind, digest, added_on)
    SELECT gen_random_uuid(), kind, digest, %s FROM unnest(%s, %s::bytea[]) AS x (kind, digest)
    ON CONFLICT (kind, digest) DO UPDATE SET added_on = EXCLUDED.added_on
     WHERE s.added_on < EXCLUDED.added_on
"""

RECEIPT = "INSERT INTO retention_receipt (subject, run_id, category, rule, row_count, at)"

# Invoices and the access log first: their trigger opens a subtransaction per row, which costs more
# the more foreign keys wait to be checked. Details already blank give no receipt.
DELETE = (
    f"""
    WITH gone AS (
        DELETE FROM customers_invoice t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 128, 'BFL-01', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        DELETE FROM customers_accesslog t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 32768, 'ACC-05', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        UPDATE customers_customer c
           SET given_name = '', family_name = '', birth_date = NULL, adult_confirmed_on = NULL,
               language = '', protection = '', deceased_on = NULL, email = '', phone = '',
               nix_phone = NULL, nix_post = NULL, email_returned_on = NULL,
               phone_returned_on = NULL, email_suppressed_on = NULL,
               phone_suppressed_on = NULL, user_id = NULL
          FROM batch b
         WHERE c.id = b.id AND b.details
           AND (c.given_name <> '' OR c.family_name <> '' OR c.birth_date IS NOT NULL
                OR c.adult_confirmed_on IS NOT NULL OR c.language <> '' OR c.protection <> ''
                OR c.deceased_on IS NOT NULL OR c.email <> '' OR c.phone <> ''
                OR c.nix_phone IS NOT NULL OR c.nix_post IS NOT NULL
                OR c.email_returned_on IS NOT NULL
                OR c.phone_returned_on IS NOT NULL OR c.email_suppressed_on IS NOT NULL
                OR c.phone_suppressed_on IS NOT NULL OR c.user_id IS NOT NULL)
        RETURNING b.pseudonym,
               old.given_name <> '' OR old.family_name <> '' OR old.birth_date IS NOT NULL
               OR old.adult_confirmed_on IS NOT NULL OR old.language <> ''
               OR old.protection <> '' OR old.deceased_on IS NOT NULL AS had_identity,
               old.email <> '' OR old.phone <> ''
               OR old.nix_phone IS NOT NULL OR old.nix_post IS NOT NULL
               OR old.email_returned_on IS NOT NULL OR old.phone_returned_on IS NOT NULL
               OR old.email_suppressed_on IS NOT NULL OR old.phone_suppressed_on IS NOT NULL
                   AS had_contact,
               old.user_id AS had_user
    ), groups AS (
        DELETE FROM customers_user_groups t USING batch b
         WHERE t.user_id = b.user_id AND b.details RETURNING b.pseudonym
    ), permissions AS (
        DELETE FROM customers_user_user_permissions t USING batch b
         WHERE t.user_id = b.user_id AND b.details RETURNING b.pseudonym
    ), sessions AS (
        DELETE FROM customers_session t USING batch b
         WHERE t.user_id = b.user_id AND b.details RETURNING b.pseudonym
    ), confirmations AS (
        DELETE FROM account_emailconfirmation t USING account_emailaddress a, batch b
         WHERE t.email_address_id = a.id AND a.user_id = b.user_id AND b.details
        RETURNING b.pseudonym
    ), addresses AS (
        DELETE FROM account_emailaddress t USING batch b
         WHERE t.user_id = b.user_id AND b.details RETURNING b.pseudonym
    ), users AS (
        DELETE FROM customers_user t USING batch b
         WHERE t.id = b.user_id AND b.details RETURNING b.pseudonym
    ), account AS (
        SELECT pseudonym FROM gone WHERE had_user IS NOT NULL
        UNION ALL TABLE groups UNION ALL TABLE permissions UNION ALL TABLE sessions
        UNION ALL TABLE confirmations UNION ALL TABLE addresses UNION ALL TABLE users
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 1, 'RET-02', 1, now() FROM gone WHERE had_identity
    UNION ALL SELECT pseudonym, %(run)s, 2, 'RET-02', 1, now() FROM gone WHERE had_contact
    UNION ALL SELECT pseudonym, %(run)s, 16, 'RET-02', count(*), now() FROM account
               GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        UPDATE customers_customer c
           SET national_id_sealed = NULL, national_id_hash = NULL, national_id_used_on = NULL
          FROM batch b
         WHERE c.id = b.id AND b.national_id
           AND (c.national_id_sealed IS NOT NULL OR c.national_id_hash IS NOT NULL
                OR c.national_id_used_on IS NOT NULL)
        RETURNING b.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 8, 'RUL-16', 1, now() FROM gone
    """,
    f"""
    WITH gone AS (
        DELETE FROM customers_address t USING batch b
         WHERE t.customer_id = b.id AND b.details RETURNING b.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 4, 'RET-02', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        DELETE FROM customers_change t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND (b.details OR t.retain_until < %(on)s)
        RETURNING b.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 32, 'RUL-24', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH subscriptions AS (
        DELETE FROM customers_subscription t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    ), orders AS (
        DELETE FROM customers_order t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 64, 'CLM-02', count(*), now()
      FROM (TABLE subscriptions UNION ALL TABLE orders) AS gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        DELETE FROM customers_supportcase t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 256, 'RUL-23', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH details AS (
        DELETE FROM consent_eventdetail t USING consent_event e, batch b
         WHERE t.event_id = e.id AND e.subject = b.pseudonym AND b.proof RETURNING b.pseudonym
    ), standings AS (
        DELETE FROM consent_standing t USING batch b
         WHERE t.customer_id = b.id AND b.proof RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 512, 'RUL-27', count(*), now()
      FROM (TABLE details UNION ALL TABLE standings) AS gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        DELETE FROM disclosures_outbox t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 1024, 'RUL-26', count(*), now() FROM gone GROUP BY pseudonym
    """,
    f"""
    WITH events AS (
        DELETE FROM privacy_requests_caseevent t USING privacy_requests_case c, batch b
         WHERE t.case_id = c.id AND c.customer_id = b.id AND NOT b.held
           AND c.retain_until < %(on)s
        RETURNING b.pseudonym
    ), cases AS (
        DELETE FROM privacy_requests_case t USING batch b
         WHERE t.customer_id = b.id AND NOT b.held AND t.retain_until < %(on)s
        RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 2048, 'DSR-06', count(*), now()
      FROM (TABLE events UNION ALL TABLE cases) AS gone GROUP BY pseudonym
    """,
    f"""
    WITH gone AS (
        DELETE FROM django_admin_log t USING batch b, django_content_type y
         WHERE t.object_id = b.id::text AND t.content_type_id = y.id
           AND y.app_label = 'customers' AND y.model = 'customer' AND b.details
        RETURNING b.pseudonym
    )
    {RECEIPT}
    SELECT pseudonym, %(run)s, 8192, 'RUL-24', count(*), now() FROM gone GROUP BY pseudonym
    """,
    """
    CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS
    SELECT b.id FROM batch b JOIN customers_customer c USING (id)
     WHERE b.details AND (b.national_id OR c.national_id_sealed IS NULL)
       AND NOT EXISTS (SELECT FROM consent_standing t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM consent_eventdetail t JOIN consent_event e ON e.id = t.event_id
                        WHERE e.subject = b.pseudonym)
       AND NOT EXISTS (SELECT FROM customers_accesslog t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM customers_subscription t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM customers_order t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM customers_invoice t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM customers_supportcase t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM disclosures_outbox t WHERE t.customer_id = b.id)
       AND NOT EXISTS (SELECT FROM privacy_requests_case t WHERE t.customer_id = b.id)
    """,
    "ANALYZE leaving",
    "DELETE FROM consent_processingrecord t USING leaving l WHERE t.customer_id = l.id",
    "DELETE FROM retention_hold t USING leaving l WHERE t.customer_id = l.id",
    f"""
    WITH gone AS (
        DELETE FROM customers_customer c USING leaving l WHERE c.id = l.id RETURNING c.pseudonym
    )
    {RECEIPT} SELECT pseudonym, %(run)s, 16384, 'RUL-01', 1, now() FROM gone
    """,
    """
    UPDATE consent_processingrecord r SET ended_on = %(on)s FROM batch b
     WHERE r.customer_id = b.id AND r.ended_on IS NULL AND r.retain_until < %(on)s
       AND NOT b.held
    """,
)

# What a batch takes is on the disk outside the database before it commits.
SAY_OUTSIDE = """
    SELECT b.pseudonym, 16384 * (l.id IS NOT NULL)::int
           + 8247 * b.details::int + 8 * b.national_id::int + 512 * b.proof::int
      FROM batch b LEFT JOIN leaving l USING (id)
     WHERE NOT b.held
"""
NOTE = "INSERT INTO retention_erasurebatch (id, at, is_void) VALUES (%s, %s, FALSE)"

SWEEP = (
    "DELETE FROM retention_receipt WHERE retain_until < %(on)s",
    "DELETE FROM disclosures_outbox WHERE retain_until < %(on)s AND customer_id IS NULL",
    "DELETE FROM customers_invoice WHERE retain_until < %(on)s AND customer_id IS NULL",
    "DELETE FROM customers_session WHERE expire_date < now()",
)

# A sum over hashes of lines: who, what, why, how many rows.
DIGEST = """
    SELECT category, count(*), sum(n)::bigint, count(*),
           sum(substr(hash, 1, 8)::bigint), sum(substr(hash, 9, 8)::bigint)
      FROM (SELECT category, n,
                   sha256((subject || '|' || category || '|' || rule || '|' || n)::bytea) AS hash
              FROM (SELECT subject, category, rule, sum(row_count) AS n FROM retention_receipt
                     WHERE run_id = %(run)s GROUP BY 1, 2, 3) AS lines OFFSET 0) AS hashed
     GROUP BY 1
"""
COUNTS = """
    SELECT COUNT(DISTINCT subject),
           COALESCE((SELECT jsonb_object_agg(rule, n) FROM (
                SELECT rule, SUM(row_count) AS n FROM retention_receipt
                 WHERE run_id = %(run)s GROUP BY rule) AS per_rule), '{}')
      FROM retention_receipt WHERE run_id = %(run)s
"""
BEFORE = """
    SELECT certificate FROM retention_run WHERE certificate IS NOT NULL
     ORDER BY finished_at DESC, id DESC LIMIT 1
"""
CLOSE = """
    UPDATE retention_run SET status = 'done', finished_at = now(), people = %(people)s,
           counts = %(counts)s, certificate = %(certificate)s
     WHERE id = %(run)s
"""


def purge(on: date, worker: int = 0, workers: int = 1) -> int:
    """Do the night to `on`, or a worker's part of it; return the number of people it took up.

    With several workers each takes every so many batches, and somebody closes the night after them.
    """
    with connection.cursor() as cursor:
        params = {"on": on, "run": open_run(cursor, on)}
        cursor.execute(FIND_DUE, params)
        due = [row[0] for row in cursor]
        for start in range(BATCH * worker, len(due), BATCH * workers):
            with logged() as outside, transaction.atomic():
                _purge_batch(cursor, {**params, "ids": due[start : start + BATCH]})
                outside.say(cursor)
    if workers == 1:
        close(on)
    return len(due)


def open_run(cursor: CursorWrapper, on: date) -> int:
    """Return the night's row."""
    cursor.execute(
        "INSERT INTO retention_run (business_date, status, started_at, people, counts) "
        "VALUES (%s, 'running', now(), 0, '{}') ON CONFLICT (business_date) DO UPDATE "
        "SET status = 'running' RETURNING id",
        [on],
    )
    run: int = cursor.fetchone()[0]
    return run


def close(on: date) -> None:
    """Sweep what belongs to nobody, and sign what the night has done."""
    with transaction.atomic(), connection.cursor() as cursor:
        params: dict[str, Any] = {"on": on, "run": open_run(cursor, on)}
        for statement in SWEEP:
            cursor.execute(statement, params)
        cursor.execute(DIGEST, params)
        per_category = sorted(cursor.fetchall())
        sums = [sum(int(line[k]) for line in per_category) for k in (3, 4, 5)]
        cursor.execute(COUNTS, params)
        people, counts = cursor.fetchone()
        cursor.execute(BEFORE)
        before = cursor.fetchone()
        certificate = sign(
            {
                "night": on.isoformat(),
                "done": {
                    "digest": hashlib.sha256("|".join(map(str, sums)).encode()).hexdigest(),
                    "people": people,
                    "by_category": [list(map(int, line[:3])) for line in per_category],
                },
                "certificate_before": hashlib.sha256(canonical(before[0])).hexdigest()
                if before
                else "",
                "proof": {},
            }
        )
        params |= {
            "people": people,
            "counts": json.dumps(counts) if isinstance(counts, dict) else counts,
            "certificate": json.dumps(certificate),
        }
        cursor.execute(CLOSE, params)


class logged:  # noqa: N801
    """The file outside the database that says what a transaction erased, named when it is done."""

    def __enter__(self) -> "logged":
        self.id, self.at = uuid.uuid4(), datetime.now(UTC)
        self.begun = Path(settings.ERASURES_DIR) / f"{self.id}.begun"
        return self

    def say(self, cursor: CursorWrapper) -> None:
        """Write the batch's row and its file, the file last."""
        cursor.execute(NOTE, [self.id, self.at])
        cursor.execute(SAY_OUTSIDE)
        lines = "".join(f"{pseudonym} {mask}\n" for pseudonym, mask in cursor)
        files.write(self.begun, f"{self.at.isoformat()}\n{lines}".encode())

    def __exit__(self, *failure: object) -> None:
        if self.begun.exists() and failure[0] is None:
            self.begun.replace(self.begun.with_suffix(".done"))


def _purge_batch(cursor: CursorWrapper, params: dict[str, Any]) -> None:
    for statement in TAKE:
        cursor.execute(statement, params)
    cursor.execute(SAID_NO)
    found = {
        (kind, contact_points.digest(kind, value))
        for email, phone, name, street, postcode in cursor
        for kind, value in (
            ("email", email),
            ("phone", phone),
            ("address", street and contact_points.postal(name, street, postcode)),
        )
        if value
    }
    if found:
        kinds, digests = zip(*sorted(found), strict=True)
        cursor.execute(SUPPRESS, [params["on"], list(kinds), list(digests)])
    for statement in DELETE:
        cursor.execute(statement, params)
