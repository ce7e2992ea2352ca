"""Generated people with years behind them, written set-based.

A person has an account, an address, two or three changes, one or two subscriptions, ten orders and
ten invoices a few months apart, what was said and stands, now and then a question, a message, a
case. Earlier nights have done their work: nothing is here that should be gone already, except for
a cohort that is a `backlog`, as after an import.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from bench import house
from consent import records
from consent.purposes import BALANCED, Permission, chosen_uses
from customers.dates import FAR, NEVER, today

BATCH = 5000
SAID = "convert_to('Ja på sidan Mina val', 'UTF8')"


@dataclass(frozen=True)
class Cohort:
    """People with something in common: `where` is SQL over the number `i`, first match wins.

    `ended` is SQL over `today`, the last day of the relation; NULL while it lives.
    """

    where: str
    ended: str
    backlog: bool = False


# Filled first and indexed afterwards, in one pass: row by row, a million people take hours.
LARGE = (
    *("customers_invoice", "customers_order", "customers_change", "customers_subscription"),
    *("customers_user", "account_emailaddress", "customers_address", "disclosures_outbox"),
    *("consent_standing", "consent_event"),
)
INDEXES_LATER = f"""
    UPDATE pg_index SET indisready = FALSE, indisvalid = FALSE
     WHERE indrelid::regclass::text IN ({", ".join(f"'{table}'" for table in LARGE)})
"""

ACTIVE = Cohort("TRUE", "NULL::date")
FORMER = Cohort("i % 10 IN (1, 6)", "today - 30 - i % 900")


def build(people: int, cohorts: Sequence[Cohort], database: str = "world") -> None:
    """Fill a copy of the empty database with people, and leave it packed and analysed.

    The last world of a name is taken as it is when it was built of the same people on this day.
    """
    statements = [_people(people, (*cohorts, FORMER, ACTIVE)), *GROUNDWORK, *STATEMENTS]
    statements = [_filled(statement) for statement in (*statements, _standings())]
    mark = hashlib.sha256("".join(statements).encode()).hexdigest()
    if house.mark_of(database) == mark:
        return
    house.copy("dentalclean", database)
    with transaction.atomic(), connection.cursor() as cursor:
        _as_they_come(cursor)
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(INDEXES_LATER)
        for statement in statements:
            cursor.execute(statement)
        _set_sequences(cursor)
    with connection.cursor() as cursor:
        for table in LARGE:
            cursor.execute(f"REINDEX TABLE {table}")
        cursor.execute("ANALYZE")
    for start in range(1, people + 1, BATCH):
        with transaction.atomic(), connection.cursor() as cursor:
            _as_they_come(cursor)
            records.refresh(range(start, min(start + BATCH, people + 1)))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE consent_processingrecord r SET ended_on = r.retain_until + 1 "
            "FROM bench_people p WHERE p.id = r.customer_id AND r.retain_until < p.tidy"
        )
        cursor.execute("VACUUM FULL consent_processingrecord")
        cursor.execute("DROP TABLE bench_people")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    house.mark(database, mark)


def _as_they_come(cursor: CursorWrapper) -> None:
    """Ask no foreign key and fire no trigger: the rows are right by construction."""
    cursor.execute("SET LOCAL session_replication_role = replica")
    cursor.execute("SET LOCAL synchronous_commit = off")
    cursor.execute("SET LOCAL work_mem = '256MB'")


def build_for_the_gate(people: int, database: str = "world") -> None:
    """Fill a copy with the same people, and of their lives only what the gate reads for H.

    Standings and records are written in one statement each; the first thousand people's records
    are held to what `consent.records` makes of them.
    """
    house.copy("dentalclean", database)
    reads = {
        *("customers_product", "customers_user", "customers_customer"),
        *("customers_address", "customers_subscription"),
    }
    lives = [s for s in STATEMENTS if s.split()[2] in reads]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        outline = _people(people, (FORMER, ACTIVE))
        for statement in (outline, *GROUNDWORK, *lives, *FOR_THE_GATE):
            cursor.execute(_filled(statement))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_people")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
    before = _windows()
    with transaction.atomic():
        records.refresh(range(1, 1001))
        if _windows() != before:
            raise SystemExit("The records of this world are not those that the facts make.")
        transaction.set_rollback(True)


def _windows() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id, basis, since, retain_until, relation_ended_on, ended_on"
            " FROM consent_processingrecord WHERE purpose = 'H' AND customer_id <= 1000"
            " ORDER BY customer_id"
        )
        return list(cursor.fetchall())


def _filled(statement: str) -> str:
    return (
        statement.replace("{today}", f"DATE '{today()}'")
        .replace("{far}", f"DATE '{FAR.isoformat()}'")
        .replace("{said}", SAID)
    )


def _people(people: int, cohorts: Sequence[Cohort]) -> str:
    """Return the statement that draws everyone's outline.

    `last` is the last day of doing business, `tidy` the day up to which earlier nights have worked.
    """
    ended = " ".join(f"WHEN {c.where} THEN {c.ended}" for c in cohorts)
    backlog = " ".join(f"WHEN {c.where} THEN {c.backlog}" for c in cohorts)
    return f"""
        CREATE UNLOGGED TABLE bench_people AS
        SELECT i AS id, gen_random_uuid() AS pseudonym, ended, backlog,
               COALESCE(ended, today) AS last,
               COALESCE(ended, today) - 2000 - (random() * 300)::int AS began,
               ended + interval '3 years' < today AND NOT backlog AS due_tonight,
               CASE WHEN backlog THEN DATE '{NEVER.isoformat()}'
                    WHEN ended + interval '3 years' < today THEN (ended + interval '2 years')::date
                    ELSE today END AS tidy,
               random() < 0.15 AS said_no, random() < 0.3 AS said_yes,
               random() < 0.1 AS wants_offers,
               random() < 0.2 AS asked, random() < 0.3 AS two_products,
               random() < 0.02 AS had_case,
               -- Nobody who is due: what is held gets receipts of its own, and is tested elsewhere.
               random() < 0.01 AND NOT backlog AND COALESCE(ended + interval '3 years' >= today,
                                                            TRUE) AS held
          FROM (SELECT i, {{today}} AS today FROM generate_series(1, {people}) i) numbers
         CROSS JOIN LATERAL (SELECT (CASE {ended} END)::date AS ended,
                                    (CASE {backlog} END) AS backlog) cohort
    """


# What we have seen to: every interest weighed and approved, NIX copied three days ago.
GROUNDWORK = (
    f"""
    INSERT INTO consent_balancingrecord (purpose, interest, necessity, balance, owner_id,
           approved_by_id, decided_on, review_on)
    SELECT purpose, 'i', 'n', 'b', 1, 2, {{today}} - 100 * k, {{today}} - 100 * k + 700
      FROM unnest(ARRAY{[code for code, _name in BALANCED]}) AS purpose, generate_series(1, 2) k
    """,
    """
    INSERT INTO consent_nixsnapshot (register, taken_on, entries, loaded_at)
    SELECT register, {today} - 3 - 30 * k, 1, now()
      FROM unnest(ARRAY['phone', 'post']) AS register, generate_series(0, 11) k
    """,
)

STATEMENTS = (
    """
    INSERT INTO customers_product (id, code, name, similar_group)
    VALUES (1, 'borsthuvud', 'Borsthuvud', 'munvard'), (2, 'tandkram', 'Tandkräm', 'munvard')
    """,
    """
    INSERT INTO customers_fiscalyear (starts_on, ends_on)
    SELECT make_date(y, 1, 1), make_date(y, 12, 31)
      FROM generate_series(date_part('year', {today})::int - 20,
                           date_part('year', {today})::int) y
    """,
    """
    INSERT INTO customers_user
           (id, password, is_superuser, email, is_active, is_staff, created_at)
    SELECT id, '!' || md5(id::text), FALSE, 'person' || id || '@example.se', TRUE, FALSE, began
      FROM bench_people
    UNION ALL SELECT MAX(id) + 1, '!', FALSE, 'personal@example.se', TRUE, TRUE, {today}
      FROM bench_people
    """,
    """
    INSERT INTO account_emailaddress (user_id, email, verified, "primary")
    SELECT id, 'person' || id || '@example.se', TRUE, TRUE FROM bench_people
    """,
    """
    INSERT INTO customers_customer
           (id, number, public_id, pseudonym, user_id, given_name, family_name, birth_date,
            adult_confirmed_on, email, phone, national_id_sealed, national_id_hash,
            national_id_used_on, language, protection, nix_phone, nix_post, noticed_on,
            restriction, source, collected, created_at, last_contact_on, version,
            email_returned_on, email_suppressed_on, phone_suppressed_on)
    SELECT id, 'DC' || lpad(id::text, 10, '0'), gen_random_uuid(), pseudonym, id,
           'Anna' || id % 400, 'Ek' || id % 3000,
           CASE WHEN id % 2 = 0 THEN began - 7000 - id % 20000 END,
           CASE WHEN id % 20 <> 0 THEN began END, 'person' || id || '@example.se',
           CASE WHEN id % 10 <> 0 THEN '+4670' || lpad(id::text, 7, '0') ELSE '' END,
           CASE WHEN backlog AND id % 3 = 0 THEN sha256(id::text::bytea) END,
           CASE WHEN backlog AND id % 3 = 0 THEN sha256(md5(id::text)::bytea) END,
           CASE WHEN backlog AND id % 3 = 0 THEN last - 5 END,
           'sv', CASE WHEN id % 200 = 0 THEN 'secrecy' ELSE '' END, id % 4 = 0, id % 5 = 0, began,
           CASE WHEN id % 150 = 3 THEN 'v' ELSE '' END, 'person', 'web', began, last, 1,
           CASE WHEN id % 300 = 16 AND ended IS NULL THEN last END,
           CASE WHEN id % 250 = 9 THEN began + 90 END,
           CASE WHEN id % 250 = 11 THEN began + 90 END
      FROM bench_people ORDER BY id
    """,
    """
    INSERT INTO customers_address
           (customer_id, kind, street, postcode, city, country, source, collected, given_on,
            returned_on, suppressed_on)
    SELECT id, 'home', 'Björkgatan ' || id % 90, lpad((10000 + id % 80000)::text, 5, '0'),
           'Linköping', 'SE', 'person', 'web', began,
           CASE WHEN id % 300 = 18 AND ended IS NULL THEN last END,
           CASE WHEN id % 250 = 9 THEN began + 90 END
      FROM bench_people WHERE id % 400 <> 1 ORDER BY id
    """,
    """
    INSERT INTO customers_change (customer_id, field, old, new, source, collected, at)
    SELECT id, CASE k WHEN 0 THEN 'street' WHEN 1 THEN 'phone' ELSE 'email' END,
           'det gamla ' || id, 'det nya ' || id, 'person', 'portal',
           {today} + time '12:00' - make_interval(days => 30 + 100 * k)
      FROM bench_people CROSS JOIN generate_series(0, 2) k WHERE k < 2 OR id % 2 = 0 ORDER BY id, k
    """,
    """
    INSERT INTO customers_subscription
           (public_id, customer_id, product_id, started_on, ended_on, collected)
    SELECT gen_random_uuid(), id, k, began + 90 * (k - 1), ended, 'web'
      FROM bench_people CROSS JOIN generate_series(1, 2) k WHERE k = 1 OR two_products
     ORDER BY id, k
    """,
    """
    INSERT INTO customers_order (public_id, number, customer_id, product_id, quantity, collected,
           ordered_on, delivered_on)
    SELECT gen_random_uuid(), 'O' || id || '-' || k, id, 1, 1, 'web', delivered - 3, delivered
      FROM bench_people CROSS JOIN generate_series(0, 9) k
     CROSS JOIN LATERAL (
           SELECT last - 1 - k * CASE WHEN due_tonight THEN 9 ELSE 90 END AS delivered) d
     WHERE delivered + interval '3 years' >= tidy
     ORDER BY id, k
    """,
    """
    INSERT INTO customers_invoice (public_id, number, kind, customer_id, fiscal_year_id, issued_on,
           due_on, paid_on, buyer_number, buyer_name, buyer_address, lines, total_ore, vat_ore)
    SELECT gen_random_uuid(), row_number() OVER (ORDER BY id, k), 'invoice', id,
           make_date(date_part('year', issued)::int, 12, 31), issued, issued + 30, issued + 20,
           'DC' || lpad(id::text, 10, '0'), 'Anna' || id % 400 || ' Ek' || id % 3000,
           'Björkgatan ' || id % 90 || ', 582 22 Linköping',
           '[{"text": "Borsthuvud", "quantity": 1, "ore": 9900}]', 9900, 1980
      FROM bench_people CROSS JOIN generate_series(0, 9) k
     CROSS JOIN LATERAL (SELECT last - 5 - k * 200 AS issued) d
     WHERE backlog OR date_part('year', issued) + 7 >= date_part('year', {today})
     ORDER BY id, k
    """,
    """
    INSERT INTO customers_supportcase
           (public_id, customer_id, subject, body, answer, collected, opened_at, closed_on)
    SELECT gen_random_uuid(), id, 'Min leverans', repeat('Var är mitt paket? ', 10),
           repeat('Det kommer i morgon. ', 10), 'email', last - 22, last - 20
      FROM bench_people WHERE asked AND last - 20 + interval '1 year' >= tidy ORDER BY id
    """,
    """
    INSERT INTO disclosures_outbox (id, kind, customer_id, purpose, template, recipient, subject,
           body, language, status, attempts, available_at, created_at, finished_at)
    SELECT gen_random_uuid(), 'mail', id, 'B', 'order', 'person' || id || '@example.se',
           'Din beställning', '', 'sv', 'sent', 1, last - 5, last - 5, last - 5
      FROM bench_people WHERE last - 5 + interval '2 years' >= tidy + 1 ORDER BY id
    """,
    """
    INSERT INTO privacy_requests_case (public_id, customer_id, "right", collected, status,
           received_at, received_on, nominal_on, latest_on, target_on, answered_at, closed_on,
           answer, outcome)
    SELECT gen_random_uuid(), id, 'access', 'portal', 'answered', last - 40, last - 40, last - 10,
           last - 10, last - 20, last - 30, last - 30, '', 'granted'
      FROM bench_people WHERE had_case ORDER BY id
    """,
    """
    INSERT INTO privacy_requests_caseevent (case_id, kind, at)
    SELECT c.id, kind, c.answered_at FROM privacy_requests_case c
     CROSS JOIN (VALUES ('received'), ('built'), ('answered')) AS k (kind)
    """,
    """
    INSERT INTO retention_hold (customer_id, ground, reason, reference, categories, placed_at)
    SELECT id, 'manual', 'Tvist', '', 65535, {today} FROM bench_people WHERE held
    """,
    """
    INSERT INTO customers_accesslog (customer_id, actor_id, reason, words, at)
    SELECT id, (SELECT MAX(id) FROM customers_user), 'calls', '', last - CASE WHEN backlog THEN 1
           ELSE 30 END
      FROM bench_people WHERE id % 10 IN (2, 3) AND last - 30 + interval '2 years' >= tidy
     ORDER BY id
    """,
    """
    INSERT INTO django_admin_log (action_time, user_id, content_type_id, object_id, object_repr,
           action_flag, change_message)
    SELECT {today}, (SELECT MAX(id) FROM customers_user), t.id, p.id::text,
           'DC' || lpad(p.id::text, 10, '0'), 2, ''
      FROM bench_people p
      JOIN django_content_type t ON t.app_label = 'customers' AND t.model = 'customer'
     WHERE p.id % 10 IN (0, 2)
    """,
    """
    INSERT INTO consent_event (at, subject, kind, purpose, channel, third_party, ground, notice_id,
           collected, authority, evidence_hash)
    SELECT day + time '12:00', pseudonym, kind, purpose, channel, '', '',
           CASE WHEN kind = 'notice' THEN (SELECT MIN(id) FROM consent_notice
                                            WHERE collected = 'web' AND language = 'sv') END,
           'web', authority,
           CASE WHEN kind IN ('yes', 'soft') THEN sha256('salt' || {said}) ELSE '' END
      FROM bench_people CROSS JOIN LATERAL (VALUES
           (began, 'notice', '', '', 1, TRUE),
           (began, 'soft', '', '', 1, TRUE),
           (began + 30, 'yes', 'E', 'web', 4, said_yes),
           (began + 45, 'yes', 'H', 'email', 4, wants_offers),
           (began + 45, 'yes', 'H', 'post', 4, wants_offers),
           (began + 60, 'no', 'H', 'email', 4, said_no)
           ) AS e (day, kind, purpose, channel, authority, happened)
     WHERE happened ORDER BY id, day
    """,
    """
    INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt)
    SELECT id, convert_from({said}, 'UTF8'), 'salt' FROM consent_event
     WHERE kind IN ('yes', 'soft')
    """,
)

# What _standings and consent.records make of the people, for purpose H alone and much faster.
FOR_THE_GATE = (
    """
    INSERT INTO consent_standing (customer_id, purpose, channel, third_party, permission,
           declined, opens, closes, since, authority, event_id)
    SELECT p.id, 'H', v.channel, '', CASE WHEN yes THEN 'consent' ELSE v.permission END, no,
           CASE WHEN yes THEN began + 45 ELSE began END,
           CASE WHEN no THEN began + 60 ELSE {far} END,
           CASE WHEN no THEN began + 60 WHEN yes THEN began + 45 ELSE began END,
           CASE WHEN no OR yes THEN 4 ELSE 1 END, 0
      FROM bench_people p
     CROSS JOIN (VALUES ('email', 'soft'), ('sms', 'soft'), ('phone', 'opt_out'),
                        ('post', 'opt_out')) AS v (channel, permission)
     CROSS JOIN LATERAL (SELECT wants_offers AND channel IN ('email', 'post') AS yes,
                                said_no AND channel = 'email' AS no) said
     ORDER BY p.id, v.channel
    """,
    """
    INSERT INTO consent_processingrecord
           (customer_id, purpose, basis, since, retain_until, relation_ended_on, ended_on)
    SELECT id, 'H', 'f', began, until, COALESCE(ended, {far}),
           CASE WHEN until < tidy THEN until + 1 END
      FROM bench_people
     CROSS JOIN LATERAL (
           SELECT COALESCE((ended + interval '3 years')::date, {far}) AS until) window_of
     ORDER BY id
    """,
)


def _standings() -> str:
    """Return the statement for what stands after those events."""
    uses = []
    for use in chosen_uses():
        match use.permission:
            case Permission.OPT_OUT:
                uses.append(f"('{use.purpose}', '{use.channel}', 'opt_out', 'notice')")
            case Permission.SOFT_OPT_IN:
                uses.append(f"('{use.purpose}', '{use.channel}', 'soft', 'soft')")
            case _ if use.purpose == "E":
                uses.append("('E', 'web', 'consent', 'yes')")
    return f"""
        INSERT INTO consent_standing (customer_id, purpose, channel, third_party, permission,
               declined, opens, closes, since, authority, event_id)
        SELECT p.id, v.purpose, v.channel, '',
               CASE WHEN y.id IS NULL THEN v.permission ELSE 'consent' END, n.id IS NOT NULL,
               COALESCE(y.at, e.at)::date, COALESCE(n.at::date, {{far}}),
               COALESCE(n.at, y.at, e.at)::date, COALESCE(n.authority, y.authority, e.authority),
               COALESCE(n.id, y.id, e.id)
          FROM bench_people p
          CROSS JOIN (VALUES {", ".join(uses)}) AS v (purpose, channel, permission, kind)
          JOIN consent_event e ON e.subject = p.pseudonym AND e.kind = v.kind
               AND e.purpose IN ('', v.purpose)
          LEFT JOIN consent_event y ON y.subject = p.pseudonym AND y.kind = 'yes'
               AND y.purpose = v.purpose AND y.channel = v.channel
          LEFT JOIN consent_event n ON n.subject = p.pseudonym AND n.kind = 'no'
               AND n.purpose = v.purpose AND n.channel = v.channel
         ORDER BY p.id, v.purpose, v.channel
    """


def _set_sequences(cursor: CursorWrapper) -> None:
    for table in ("customers_product", "customers_user", "customers_customer"):
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
        )
