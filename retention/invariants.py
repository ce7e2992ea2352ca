"""What must never be seen in the database: 17 questions, each of which answers with no row.

Asked after every night and by `manage.py check_invariants`, and by the tests after each test that
leaves people behind. An answer is a key (a number, a pseudonym, a table), never what a row says of
a person. The statements name tables, not models: they look into every room, whoever made the rows.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import time
from typing import Any

import pgtrigger
from django.apps import apps
from django.conf import settings
from django.db import connection, models

from consent.functions import FAR_DAY
from consent.models import Event
from consent.purposes import CATALOGUE
from consent.standing import OPENING, REFUSALS
from customers.personal_data import Category, personal_models
from retention import statements
from retention.models import Hold, Run
from retention.restore import missing

FIRST_KEYS = 5
# Rows and files are written one after the other; younger ones are not judged yet.
STILL_BEING_MADE = 60 * 60  # seconds
WORDS_FROM = 200  # columns of that many letters and more can hold anything


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold; `query` returns the keys of what does not."""

    number: int
    name: str
    rules: tuple[str, ...]
    query: str


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold: how many rows, and the keys of the first."""

    invariant: Invariant
    count: int
    keys: tuple[str, ...]

    def __str__(self) -> str:
        rules = ", ".join(self.invariant.rules)
        first = ", ".join(self.keys)
        return (
            f"{self.invariant.number} {self.invariant.name} ({rules}): {self.count}, first {first}"
        )


STOCKHOLM_TODAY = "(now() AT TIME ZONE 'Europe/Stockholm')::date"
# The night that has had a whole later night to mend what it left: what was due before it is late.
A_NIGHT_AGO = f"""(SELECT max(business_date) - 1 FROM {Run._meta.db_table}
                    WHERE status = '{Run.Status.DONE}')"""
# RUL-34: what an act of today makes due, the night after it takes. A row that was written after the
# last night had been closed has not had that night yet, whatever days it tells of.
BY_THAT_NIGHT = f"""(SELECT min(age(xmin)) FROM {Run._meta.db_table}
                      WHERE status = '{Run.Status.DONE}')"""
LET_GO_SINCE = f"""(EXISTS (
              SELECT FROM {Event._meta.db_table} e
               WHERE e.subject = c.pseudonym AND e.kind = '{Event.Kind.UNRESTRICTED}'
                 AND (e.at AT TIME ZONE 'Europe/Stockholm')::date >= {A_NIGHT_AGO})
           OR EXISTS (
              SELECT FROM {Hold._meta.db_table} h
               WHERE h.customer_id = c.id
                 AND (h.lifted_at AT TIME ZONE 'Europe/Stockholm')::date >= {A_NIGHT_AGO}))"""
HELD = f"""(c.restriction IN ('a', 'b', 'c', 'd') OR {LET_GO_SINCE} OR EXISTS (
              SELECT FROM {Hold._meta.db_table} h
               WHERE h.customer_id = c.id AND h.lifted_at IS NULL
                 AND h.lapses_on >= {A_NIGHT_AGO}))"""
MARKETING = "({})".format(", ".join(f"'{p.code}'" for p in CATALOGUE if p.is_marketing))
OPENED_BY = "({})".format(", ".join(f"'{kind.value}'" for kind in OPENING))
NOES = "({})".format(", ".join(f"'{kind.value}'" for kind in REFUSALS))

# Numbers are given one after the other, and the fiscal years they belong to follow each other: a
# number that is missing after one whose own year is still kept was kept as well. The trigger that
# holds an invoice to what was printed must be awake, whatever a session says of itself.
INVOICES = f"""
    SELECT 'number ' || missing
      FROM (SELECT i.number + 1 AS missing, i.issued_on, i.fiscal_year_id,
                   lead(i.number) OVER given AS next, lead(i.issued_on) OVER given AS next_issued,
                   s.last_number
              FROM customers_invoice i CROSS JOIN customers_invoiceseries s
            WINDOW given AS (ORDER BY i.number)) numbers
     WHERE missing < COALESCE(next, last_number + 1)
       AND (next_issued IS NULL OR next_issued >= issued_on)
       AND make_date(date_part('year', fiscal_year_id)::int + 7, 12, 31) >= {STOCKHOLM_TODAY}
    UNION ALL
    SELECT 'trigger ' || tgname FROM pg_trigger
     WHERE tgrelid = 'customers_invoice'::regclass AND tgname LIKE 'pgtrigger%%'
       AND tgenabled <> 'A'
"""

# A standing that was declined rests on a refusal or came in with the register; one that is open
# has no later refusal of its very use. The words of a yes or a sale have a last day if, and only
# if, nothing rests on them (RUL-27). The whole replay is `manage.py verify_ledger` and the tests.
STANDINGS = f"""
    SELECT 'standing ' || s.id
      FROM consent_standing s
      JOIN customers_customer c ON c.id = s.customer_id
      LEFT JOIN consent_event e ON e.id = s.event_id
     WHERE e.id IS NULL OR e.subject <> c.pseudonym
        OR NOT s.declined AND EXISTS (
           SELECT FROM consent_event n
            WHERE n.subject = c.pseudonym AND n.id > s.event_id AND n.kind IN {NOES}
              AND n.purpose = s.purpose AND n.channel = s.channel
              AND n.third_party = s.third_party)
    UNION ALL
    SELECT 'words ' || d.event_id
      FROM consent_eventdetail d
      JOIN consent_event e ON e.id = d.event_id
      JOIN customers_customer c ON c.pseudonym = e.subject
     WHERE e.kind IN {OPENED_BY}
       AND (d.retain_until < {FAR_DAY})
           = EXISTS (SELECT FROM consent_standing s
                      WHERE s.customer_id = c.id AND s.event_id = d.event_id)
    UNION ALL
    SELECT 'seal ' || x.number
      FROM (SELECT number, previous, last_event, lag(digest) OVER told AS before,
                   lag(last_event) OVER told AS until, first_event
              FROM consent_seal WINDOW told AS (ORDER BY number)) x
     WHERE x.number > 1 AND (x.before IS NULL OR x.previous <> x.before OR x.first_event <= x.until)
    UNION ALL
    SELECT 'seal ' || x.number
      FROM (SELECT number, last_event FROM consent_seal ORDER BY number DESC LIMIT 1) x
     WHERE NOT EXISTS (SELECT FROM consent_event e WHERE e.id = x.last_event)
"""

RECEIPTS = f"""
    SELECT 'run ' || r.id
      FROM retention_run r
     WHERE r.status = '{Run.Status.DONE}' AND r.finished_at > now() - interval '5 years'
       AND r.people <> (SELECT count(DISTINCT subject) FROM retention_receipt p
                         WHERE p.run_id = r.id AND p.held_by = '')
    UNION ALL
    SELECT 'gone without receipt ' || e.subject
      FROM (SELECT DISTINCT subject FROM consent_event
             WHERE at > now() - interval '5 years') e
     WHERE NOT EXISTS (SELECT FROM customers_customer c WHERE c.pseudonym = e.subject)
       AND NOT EXISTS (SELECT FROM retention_receipt p
                        WHERE p.subject = e.subject AND p.category = {Category.SHELL.value})
    UNION ALL
    SELECT 'receipt without deletion ' || c.pseudonym
      FROM customers_customer c
      JOIN retention_receipt p ON p.subject = c.pseudonym
     WHERE p.held_by = '' AND (p.category = {Category.SHELL.value}
        OR p.category = {Category.IDENTITY.value} AND (c.given_name, c.family_name) <> ('', ''))
"""

FILES = f"""
    SELECT 'extract without file ' || x.id
      FROM privacy_requests_extract x
     WHERE x.status = 'ready' AND NOT x.file_name = ANY (%(files)s::text[])
       AND x.expires_on >= {STOCKHOLM_TODAY}
    UNION ALL
    SELECT 'file without extract ' || name
      FROM unnest(%(old_files)s::text[]) AS name
     WHERE NOT EXISTS (SELECT FROM privacy_requests_extract x WHERE x.file_name = name)
    UNION ALL
    SELECT 'extract past its days ' || x.id
      FROM privacy_requests_extract x
     WHERE x.status = 'ready' AND x.expires_on < {STOCKHOLM_TODAY} - 1
"""

CASES = f"""
    SELECT 'case ' || id FROM privacy_requests_case
     WHERE closed_on IS NULL AND (latest_on < received_on
        OR stands_since IS NULL AND latest_on < {STOCKHOLM_TODAY})
    UNION ALL
    SELECT 'person ' || customer_id FROM privacy_requests_case
     WHERE closed_on IS NULL GROUP BY customer_id, "right" HAVING count(*) > 1
"""

OUTBOX = """
    SELECT 'message ' || id FROM disclosures_outbox
     WHERE status = 'queued' AND batch IS NULL AND available_at < now() - interval '10 minutes'
    UNION ALL
    SELECT 'twice of batch ' || batch FROM disclosures_outbox
     WHERE status = 'sent' AND batch IS NOT NULL
     GROUP BY batch, customer_id HAVING count(*) > 1
"""

# Written down later than said, a no may be older than what was sent in between; what the person
# did alone is written down as it is said.
# A no waits for the one mail that is under way, and the mail server may take its time over that.
ADVERTISING = f"""
    SELECT 'message ' || o.id
      FROM disclosures_outbox o
      JOIN customers_customer c ON c.id = o.customer_id
     WHERE o.status = 'sent' AND o.purpose IN {MARKETING} AND EXISTS (
           SELECT FROM consent_event n
             LEFT JOIN consent_eventdetail d ON d.event_id = n.id
            WHERE n.subject = c.pseudonym AND n.kind IN {NOES} AND n.third_party = ''
              AND n.collected = 'portal' AND d.actor_id IS NULL
              AND n.purpose IN ('', o.purpose)
              AND n.channel IN ('', CASE o.kind WHEN 'mail' THEN 'email' ELSE 'post' END)
              AND n.at < o.finished_at - interval '1 minute'
              AND NOT EXISTS (
                  SELECT FROM consent_event y
                   WHERE y.subject = c.pseudonym AND y.kind = 'yes' AND y.id > n.id
                     AND y.purpose = o.purpose AND y.at <= o.finished_at))
"""

READINGS = """
    SELECT 'reading ' || id FROM customers_accesslog WHERE reason = ''
    UNION ALL
    SELECT 'change ' || g.id
      FROM django_admin_log g
      JOIN django_content_type t ON t.id = g.content_type_id
     WHERE t.app_label = 'customers' AND t.model = 'customer'
       AND g.action_time > now() - interval '12 months'
       AND EXISTS (SELECT FROM customers_customer c WHERE c.id::text = g.object_id)
       AND NOT EXISTS (SELECT FROM customers_accesslog a
                        WHERE a.actor_id = g.user_id AND a.customer_id::text = g.object_id
                          AND a.at BETWEEN g.action_time - interval '1 day'
                                       AND g.action_time + interval '1 minute')
"""

SESSIONS = """
    SELECT 'account ' || u.id
      FROM customers_session s
      JOIN customers_user u ON u.id = s.user_id
      LEFT JOIN customers_customer c ON c.user_id = u.id
     WHERE s.expire_date > now()
       AND (NOT u.is_active OR (c.given_name, c.family_name) = ('', '')
            OR c.id IS NULL AND NOT u.is_staff)
"""

NIGHTS = f"""
    SELECT 'night ' || day::date
      FROM (SELECT min(started_at AT TIME ZONE 'Europe/Stockholm')::date AS first
              FROM retention_run) known
     CROSS JOIN generate_series(known.first, {STOCKHOLM_TODAY} - 1, interval '1 day') AS day
     WHERE NOT EXISTS (SELECT FROM retention_run r WHERE r.business_date = day::date)
    UNION ALL
    SELECT 'night ' || business_date FROM retention_run
     GROUP BY business_date HAVING count(*) > 1
"""

RIGHTS = """
    SELECT t.name || ' ' || t.verb
      FROM unnest(%(kept)s::text[], %(verbs)s::text[]) AS t (name, verb)
     WHERE has_table_privilege(%(app)s::text, to_regclass(t.name), t.verb)
    UNION ALL
    SELECT rolname FROM pg_roles WHERE rolname = %(app)s::text AND (rolsuper OR rolbypassrls)
    UNION ALL
    SELECT 'trigger ' || t.tgname
      FROM pg_trigger t JOIN unnest(%(triggers)s::text[]) AS kept (name) ON kept.name = t.tgname
     WHERE t.tgenabled <> 'A'
"""

ON_THE_MAP = """
    SELECT c.relname || '.' || a.attname
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm', 'f')
       AND c.relname <> 'django_migrations'
       AND NOT c.relname || '.' || a.attname = ANY (%(columns)s::text[])
"""

# Until recipients have rows of their own, what leaves us is messages: none waits that speaks to
# somebody who is erased, or advertises to somebody whose data may only be stored.
NOT_OUT_YET = f"""
    SELECT 'message ' || o.id
      FROM disclosures_outbox o
      JOIN customers_customer c ON c.id = o.customer_id
     WHERE o.status = 'queued' AND o.created_at < now() - interval '1 day'
       AND ((c.given_name, c.family_name) = ('', '')
            OR c.restriction IN ('a', 'b', 'c', 'd') AND o.purpose IN {MARKETING})
"""

PROTECTED = """
    SELECT 'message ' || o.id
      FROM customers_customer c
      JOIN customers_address a ON a.customer_id = c.id AND a.street <> ''
      JOIN disclosures_outbox o ON o.customer_id = c.id
     WHERE c.protection <> '' AND o.status = 'queued'
       AND (o.kind = 'letter' OR position(a.street IN o.body) > 0)
    UNION ALL
    SELECT 'log ' || g.id
      FROM customers_customer c
      JOIN customers_address a ON a.customer_id = c.id AND a.street <> ''
      JOIN django_admin_log g ON g.object_id = c.id::text
     WHERE c.protection <> ''
       AND position(a.street IN g.change_message || g.object_repr) > 0
    UNION ALL
    SELECT 'reading ' || l.id
      FROM customers_customer c
      JOIN customers_address a ON a.customer_id = c.id AND a.street <> ''
      JOIN customers_accesslog l ON l.customer_id = c.id
     WHERE c.protection <> '' AND position(a.street IN l.words) > 0
"""

# What is known outside the database is missing in it; `retention.restore` keeps it from serving.
RESTORED = "SELECT 'this database' WHERE %(restored)s"


@lru_cache(maxsize=1)
def _overdue() -> str:
    """People with something past every clock that the next whole night left, and nobody holds."""
    found = " UNION ".join(
        source.people(f"age({source.row}.xmin) >= {BY_THAT_NIGHT}")
        for source in statements.sources()
    )
    return f"""
        SELECT 'person ' || c.id
          FROM (SELECT DISTINCT customer_id FROM ({found}) AS any_way (customer_id)) late
          JOIN customers_customer c ON c.id = late.customer_id
         WHERE NOT {HELD}
    """.replace("%(on)s", A_NIGHT_AGO)


@lru_cache(maxsize=1)
def _left_of_the_erased() -> str:
    """Rows of people without a name in categories that nothing keeps, and rows of nobody."""
    algebra = statements.ALGEBRA.replace(
        "c.id = ANY(%(ids)s)",
        f"(c.given_name, c.family_name) = ('', '') AND {A_NIGHT_AGO} IS NOT NULL "
        f"AND NOT {LET_GO_SINCE}",
    ).replace("%(on)s", A_NIGHT_AGO)
    rows = [
        f"SELECT '{t.model._meta.label_lower} ' || t.{t.model._meta.pk.column} "
        f"FROM {t.name} t, {t.sources} WHERE {t.tie} AND {t.on_schedule}"
        for t in statements.deleted()
        if t.data.clock.value == "schedule"
    ]
    categories = (Category.CONTACT, Category.ACCOUNT, Category.NATIONAL_ID)
    contact, account, national_id = (c.value for c in categories)
    rows += [
        (
            f"SELECT 'customers.customer ' || t.id FROM customers_customer t JOIN due USING (id) "
            f"WHERE due.gone & {contact} <> 0 AND (t.email, t.phone) <> ('', '') "
            f"OR due.gone & {account} <> 0 AND t.user_id IS NOT NULL "
            f"OR due.gone & {national_id} <> 0 AND t.national_id_sealed IS NOT NULL"
        ),
        (
            "SELECT 'consent.eventdetail ' || d.event_id FROM consent_eventdetail d "
            "JOIN consent_event e ON e.id = d.event_id WHERE NOT EXISTS "
            "(SELECT FROM customers_customer c WHERE c.pseudonym = e.subject)"
        ),
        (
            "SELECT 'customers.user ' || u.id FROM customers_user u WHERE NOT u.is_staff "
            "AND u.created_at < now() - interval '1 day' "
            "AND NOT EXISTS (SELECT FROM customers_customer c WHERE c.user_id = u.id)"
        ),
        (
            "SELECT 'disclosures.outbox ' || o.id FROM disclosures_outbox o "
            "WHERE o.status IN ('sent', 'stopped') AND (o.recipient, o.subject, o.body) "
            "<> ('', '', '')"
        ),
    ]
    return (
        "WITH due AS MATERIALIZED (SELECT x.id, c.pseudonym, c.user_id, x.gone, x.held "
        f"FROM ({algebra}) AS x JOIN customers_customer c USING (id)) "
        + " UNION ALL ".join(f"({query})" for query in rows)
    )


@lru_cache(maxsize=1)
def _identity_numbers() -> str:
    """National identity numbers written out where anything can be written."""
    looks = r"\m(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])[-+ ]?\d{4}\M"
    parts = []
    for model, data in personal_models():
        declared = [model._meta.get_field(n) for names in data.columns.values() for n in names]
        columns = [
            f'"{f.column}"'
            for f in declared
            if isinstance(f, models.TextField)
            or (isinstance(f, models.CharField) and (f.max_length or 0) >= WORDS_FROM)
        ]
        if columns:
            text = " || ' ' || ".join(f"COALESCE({column}, '')" for column in columns)
            parts.append(
                f"SELECT '{model._meta.label_lower} ' || {model._meta.pk.column} "
                f"FROM \"{model._meta.db_table}\" WHERE {text} ~ '{looks}'"
            )
    return " UNION ALL ".join(parts)


@lru_cache(maxsize=1)
def invariants() -> tuple[Invariant, ...]:
    """Return the 17, in their order."""
    return (
        Invariant(1, "invoice missing or not guarded", ("BFL-01", "BFL-04"), INVOICES),
        Invariant(2, "standing without its entry, or broken chain", ("CON-01",), STANDINGS),
        Invariant(3, "past every clock and still here", ("RET-02", "RET-06"), _overdue()),
        Invariant(4, "left of somebody erased", ("ERA-05",), _left_of_the_erased()),
        Invariant(5, "deletion and receipt do not match", ("ERA-08",), RECEIPTS),
        Invariant(6, "restored without its erasures", ("ERA-05", "L02"), RESTORED),
        Invariant(7, "extract and file do not match", ("RUL-05", "E13"), FILES),
        Invariant(8, "case late, or twice", ("TIM-02", "RUL-20"), CASES),
        Invariant(9, "message stuck, or sent twice", ("H01", "K02"), OUTBOX),
        Invariant(10, "advertising after a no", ("OBJ-01", "CON-03"), ADVERTISING),
        Invariant(11, "person read without a reason", ("ACC-05",), READINGS),
        Invariant(12, "session of an account that is gone", ("A09",), SESSIONS),
        Invariant(13, "night missing, or twice", ("RET-06",), NIGHTS),
        Invariant(14, "program may change what is only added to", ("I11",), RIGHTS),
        Invariant(
            15,
            "column not on the map, or identity number written out",
            ("P02", "RUL-16"),
            f"{ON_THE_MAP} UNION ALL {_identity_numbers()}",
        ),
        Invariant(16, "recipient not told", ("NOT-01",), NOT_OUT_YET),
        Invariant(17, "address of a protected person", ("SKY-01",), PROTECTED),
    )


def question(only: frozenset[int] | None = None) -> str:
    """Return the statement that asks for all of them, or some, at once: number and key."""
    return " UNION ALL ".join(
        f"SELECT {i.number}, key FROM ({i.query}) AS found (key)"
        for i in invariants()
        if only is None or i.number in only
    )


def broken(only: frozenset[int] | None = None) -> list[Broken]:
    """Return the invariants that do not hold, from one look at the database; writes nothing."""
    keys: dict[int, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(question(only), parameters())
        for number, key in cursor:
            keys.setdefault(number, []).append(key)
    return [
        Broken(i, len(keys[i.number]), tuple(sorted(keys[i.number])[:FIRST_KEYS]))
        for i in invariants()
        if i.number in keys
    ]


def parameters() -> dict[str, Any]:
    """Return what the statement asks of the world outside the database."""
    return {**known_to_the_program(), **extract_files(), "restored": bool(missing())}


def extract_files() -> dict[str, list[str]]:
    """Name the files of the extracts; half-written ones have another ending."""
    folder = Path(settings.DATA_DIR) / "extracts"
    found = [f for f in folder.iterdir() if not f.suffix] if folder.is_dir() else []
    settled = time() - STILL_BEING_MADE
    return {
        "files": [f.name for f in found],
        "old_files": [f.name for f in found if f.stat().st_mtime < settled],
    }


@lru_cache(maxsize=1)
def known_to_the_program() -> dict[str, Any]:
    """Tell the database what the models say: columns, and what is protected by which trigger."""
    every = list(apps.get_models(include_auto_created=True))
    protected = [
        (model, trigger) for model in every for trigger in getattr(model._meta, "triggers", ())
    ]
    refused = [
        (model._meta.db_table, str(operation))
        for model, trigger in protected
        if isinstance(trigger, pgtrigger.Protect)
        for operation in trigger.operation or ()
    ]
    return {
        "columns": [f"{m._meta.db_table}.{f.column}" for m in every for f in m._meta.local_fields],
        "app": settings.DATABASE_ROLES["app"],
        "kept": [table for table, _ in refused],
        "verbs": [verb for _, verb in refused],
        "triggers": [trigger.get_pgid(model) for model, trigger in protected],
    }
