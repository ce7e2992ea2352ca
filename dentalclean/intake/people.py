"""Customers, their accounts and addresses: from staging into the register.

An empty cell says nothing. A value that the person or staff gave later than the file's
`updated_on` stays (REC-04), a restricted person's details stay whatever the file says (RES-02),
and a missing marker never lowers a protected identity (SKY-01).
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection

from consent.models import Event
from customers import contact_points, crypto
from customers.models import Suppression
from customers.models.people import Protection, Restriction
from dentalclean.intake.formats import ADDRESSES, CUSTOMERS, FORMATS, Format

STOCKHOLM = "AT TIME ZONE 'Europe/Stockholm'"
HANGS_ON_A_CUSTOMER = tuple(f for f in FORMATS if ("customer_id", "bigint") in f.worked_out)

# When a no cannot be read, nothing may be opened for the person until it is corrected.
UNREAD_NO = """(SELECT number FROM staged_consents
    WHERE problem IS NOT NULL AND answer IS DISTINCT FROM 'yes' AND number IS NOT NULL)"""

STORED_ONLY = ", ".join(
    f"'{ground.value}'"
    for ground in (
        Restriction.CONTESTED,
        Restriction.UNLAWFUL,
        Restriction.CLAIM,
        Restriction.OBJECTION,
    )
)


@dataclass
class Written:
    """Rows written for one file."""

    new: int = 0
    changed: int = 0


def number_customers(cursor: Any) -> None:
    """Find who is here already, lock them, and give the newcomers their keys."""
    cursor.execute(
        "SELECT count(*) FROM (SELECT c.id FROM customers_customer c JOIN staged_customers s "
        "USING (number) WHERE s.problem IS NULL ORDER BY c.id FOR UPDATE OF c) AS locked"
    )
    cursor.execute(
        """
        UPDATE staged_customers s
           SET is_new = found.id IS NULL,
               customer_id = COALESCE(
                   found.id, nextval(pg_get_serial_sequence('customers_customer', 'id')))
          FROM (SELECT x.line, c.id FROM staged_customers x
                  LEFT JOIN customers_customer c USING (number)
                 WHERE x.problem IS NULL ORDER BY x.line) AS found
         WHERE found.line = s.line
        """
    )
    cursor.execute("CREATE INDEX ON staged_customers (number)")
    cursor.execute("ANALYZE staged_customers")


def find_customers(cursor: Any) -> None:
    """Give every row of the other files its customer, and lock those the file does not list."""
    for form in HANGS_ON_A_CUSTOMER:
        if form is CUSTOMERS:
            continue
        cursor.execute(
            f"""
            UPDATE {form.table} s SET customer_id = p.customer_id
              FROM staged_customers p
             WHERE p.number = s.number AND p.problem IS NULL AND s.problem IS NULL
            """
        )
        cursor.execute(
            f"""
            UPDATE {form.table} s SET customer_id = c.id
              FROM customers_customer c
             WHERE c.number = s.number AND s.customer_id IS NULL AND s.problem IS NULL
               AND (c.given_name <> '' OR c.family_name <> '')
               AND NOT EXISTS (SELECT FROM staged_customers p WHERE p.number = s.number)
            """
        )
        cursor.execute(
            f"SELECT count(*) FROM (SELECT id FROM customers_customer WHERE id IN "
            f"(SELECT customer_id FROM {form.table}) ORDER BY id FOR UPDATE) AS locked"
        )


def _day_of_no(kind: str) -> str:
    """Return the SQL for the day of a no that a contact point in the file carries (ERA-06)."""
    return (
        f"(SELECT p.added_on FROM customers_suppression p "
        f"WHERE p.kind = '{kind}' AND p.digest = s.{kind}_digest)"
    )


# A field of the person: its name, what is stored and what the file says, both as text.
DETAILS = (
    *((name, f"c.{name}", f"s.{name}") for name in ("given_name", "family_name", "email", "phone")),
    *((name, f"c.{name}", f"s.{name}") for name in ("language", "protection")),
    *(
        (name, f"COALESCE(c.{name}::text, '')", f"s.{name}::text")
        for name in ("birth_date", "adult_confirmed_on", "deceased_on")
    ),
    # A file says who is in NIX; who is not, only a wash of ours can say (NIX-01).
    *(
        (name, f"COALESCE(c.{name}::text, '')", f"CASE WHEN s.{name} THEN 'true' END")
        for name in ("nix_phone", "nix_post")
    ),
)
CASTS = dict.fromkeys(
    ("birth_date", "adult_confirmed_on", "deceased_on"), "::date"
) | dict.fromkeys(("nix_phone", "nix_post"), "::boolean")

# `newer`: somebody here has said something later; `closed`: the person's data are only stored.
CUSTOMER_CHANGES = f"""
    CREATE TEMP TABLE customer_changes ON COMMIT DROP AS
    SELECT s.line, c.id AS customer_id, v.field, v.old, v.new,
           c.restriction IN ({STORED_ONLY}) AS closed,
           {{newer}} AS newer
      FROM staged_customers s
      JOIN customers_customer c ON c.id = s.customer_id
     CROSS JOIN LATERAL (VALUES {{values}}) AS v (field, old, new)
     WHERE s.problem IS NULL AND NOT s.is_new AND v.new IS NOT NULL AND v.new <> v.old
"""
NEWER = f"""(
    (c.source IN ('person', 'staff') AND (c.created_at {STOCKHOLM})::date >= {{updated}})
    OR EXISTS (SELECT FROM customers_change h
        WHERE h.customer_id = c.id AND h.field = v.field AND h.source IN ('person', 'staff')
          AND (h.at {STOCKHOLM})::date >= {{updated}}))"""


def update_customers(cursor: Any) -> None:
    """Bring customers who are here up to the file, each change kept beside."""
    cursor.execute("CREATE TEMP TABLE changed_customers (id bigint) ON COMMIT DROP")
    cursor.execute(
        CUSTOMER_CHANGES.format(
            newer=NEWER.format(updated="COALESCE(s.updated_on, '-infinity')"),
            values=", ".join(f"('{name}', {old}, {new})" for name, old, new in DETAILS),
        )
    )
    picked = ", ".join(f"max(new) FILTER (WHERE field = '{n}') AS {n}" for n, _, _ in DETAILS)
    sets = ", ".join(f"{n} = COALESCE(x.{n}{CASTS.get(n, '')}, c.{n})" for n, _, _ in DETAILS)
    # An account follows the customer's own e-mail address while nobody else has it.
    cursor.execute(
        """
        UPDATE customers_user u SET email = x.new
          FROM customer_changes x JOIN customers_customer c ON c.id = x.customer_id
         WHERE x.field = 'email' AND NOT (x.newer OR x.closed)
           AND u.id = c.user_id AND u.email = x.old AND NOT u.is_staff
           AND NOT EXISTS (SELECT FROM customers_user o WHERE o.email = x.new)
           AND NOT EXISTS (SELECT FROM customers_customer o WHERE o.email = x.new)
           AND NOT EXISTS (SELECT FROM staged_customers o WHERE o.email = x.new
                AND o.problem IS NULL AND o.customer_id <> c.id)
        """
    )
    note_changed(
        cursor,
        f"""
        UPDATE customers_customer c SET {sets}, version = c.version + 1
          FROM (SELECT customer_id, {picked} FROM customer_changes
                 WHERE NOT (newer OR closed) GROUP BY customer_id) AS x
         WHERE c.id = x.customer_id
        """,
    )
    # A new value brings its own no, and nothing of what came back from the old one (RUL-28).
    for kind in ("email", "phone"):
        cursor.execute(
            f"""
            UPDATE customers_customer c
               SET {kind}_returned_on = NULL, {kind}_suppressed_on = {_day_of_no(kind)}
              FROM customer_changes x JOIN staged_customers s ON s.line = x.line
             WHERE c.id = x.customer_id AND x.field = '{kind}' AND NOT (x.newer OR x.closed)
            """
        )
    # Nor is anything known of NIX, unless the file says so.
    cursor.execute(
        """
        UPDATE customers_customer c SET nix_phone = CASE WHEN s.nix_phone THEN TRUE END
          FROM customer_changes x JOIN staged_customers s ON s.line = x.line
         WHERE c.id = x.customer_id AND x.field = 'phone' AND NOT (x.newer OR x.closed)
        """
    )
    _keep_history(cursor, "customer_changes")
    note_changed(
        cursor,
        """
        UPDATE customers_customer c SET last_contact_on = s.last_contact_on
          FROM staged_customers s
         WHERE s.customer_id = c.id AND s.problem IS NULL AND NOT s.is_new
           AND s.last_contact_on > c.last_contact_on
        """,
    )
    _add_national_ids(cursor)


def note_changed(cursor: Any, update: str, params: dict[str, Any] | None = None) -> None:
    """Run an update of customers `c` and remember whom it changed, each once in the count."""
    cursor.execute(
        f"WITH changed AS ({update} RETURNING c.id) "
        "INSERT INTO changed_customers SELECT id FROM changed",
        params,
    )


def count_changed(cursor: Any) -> int:
    """Return how many people who were here have changed."""
    cursor.execute("SELECT count(DISTINCT id) FROM changed_customers")
    return int(cursor.fetchone()[0])


def _keep_history(cursor: Any, table: str) -> None:
    """Write what was and what became; of protected people nothing old is kept (RUL-24)."""
    cursor.execute(
        f"""
        INSERT INTO customers_change (customer_id, field, old, new, source, collected, at)
        SELECT x.customer_id, x.field, x.old, x.new, 'import', 'import', now()
          FROM {table} x JOIN customers_customer c ON c.id = x.customer_id
         WHERE NOT (x.newer OR x.closed) AND c.protection = '' AND x.field <> 'protection'
         ORDER BY x.line
        """
    )
    cursor.execute(
        f"""
        DELETE FROM customers_change h USING {table} x, customers_customer c
         WHERE x.customer_id = h.customer_id AND c.id = h.customer_id AND c.protection <> ''
           AND x.field = 'protection' AND NOT (x.newer OR x.closed)
        """
    )


# RUL-16: thirty days after its last use a number goes, unless a debt is open (L2).
FORGET_STALE_NUMBERS = """
    UPDATE staged_customers s
       SET national_id_sealed = NULL, national_id_hash = NULL, national_id_used_on = NULL
     WHERE s.national_id_used_on + 30 < %(on)s
       AND NOT EXISTS (SELECT FROM staged_invoices i
            WHERE i.customer_id = s.customer_id AND i.problem IS NULL AND i.kind = 'invoice'
              AND i.paid_on IS NULL)
"""


def forget_stale_numbers(cursor: Any, params: dict[str, Any]) -> int:
    """Leave national identity numbers outside whose time is up already."""
    cursor.execute(FORGET_STALE_NUMBERS, params)
    return int(cursor.rowcount)


NEW_NUMBERS = """
    SELECT c.id, c.pseudonym, s.pseudonym, s.national_id_sealed, s.national_id_hash,
           s.national_id_used_on
      FROM staged_customers s JOIN customers_customer c ON c.id = s.customer_id
     WHERE s.problem IS NULL AND NOT s.is_new AND s.national_id_hash IS NOT NULL
       AND c.national_id_hash IS NULL
"""


def _add_national_ids(cursor: Any) -> None:
    """Seal numbers anew for people who are here: a sealed value opens only in its own row."""
    ring = settings.FIELD_KEYS
    with connection.connection.cursor(name="new_numbers") as found:  # on the server's side: no list
        found.execute(NEW_NUMBERS)
        for customer_id, pseudonym, staged_as, sealed, digest, used_on in found:
            plain = crypto.unseal(bytes(sealed), ring=ring, bound_to=f"national_id:{staged_as}")
            note_changed(
                cursor,
                "UPDATE customers_customer c SET national_id_sealed = %(sealed)s, "
                "national_id_hash = %(digest)s, national_id_used_on = %(used_on)s "
                "WHERE c.id = %(id)s",
                {
                    "sealed": crypto.seal(plain, ring=ring, bound_to=f"national_id:{pseudonym}"),
                    "digest": bytes(digest),
                    "used_on": used_on,
                    "id": customer_id,
                },
            )


# A21: an address that leads to two people opens the account of neither.
SHARED = """
    CREATE TEMP TABLE shared_addresses ON COMMIT DROP AS
    SELECT email FROM (
        SELECT customer_id AS id, email FROM staged_customers
         WHERE problem IS NULL AND is_new AND email IS NOT NULL
        UNION ALL
        SELECT c.id, c.email FROM customers_customer c WHERE c.email <> '') AS everyone
     GROUP BY email HAVING count(*) > 1
"""


def insert_customers(cursor: Any) -> int:
    """Add the newcomers, with an account for whoever has an e-mail address of their own.

    Returns how many; people who were here and had no account get theirs too.
    """
    cursor.execute(SHARED)
    cursor.execute("CREATE UNIQUE INDEX ON shared_addresses (email)")
    cursor.execute("ANALYZE shared_addresses")
    cursor.execute(
        """
        UPDATE staged_customers s
           SET user_id = nextval(pg_get_serial_sequence('customers_user', 'id'))
          FROM (SELECT x.line, COALESCE(c.email, x.email) AS email FROM staged_customers x
                  LEFT JOIN customers_customer c ON c.id = x.customer_id
                 WHERE x.problem IS NULL AND x.email IS NOT NULL
                   AND COALESCE(c.deceased_on, x.deceased_on) IS NULL
                   AND c.user_id IS NULL) AS own
         WHERE own.line = s.line AND own.email <> ''
           AND NOT EXISTS (SELECT FROM shared_addresses a WHERE a.email = own.email)
           AND NOT EXISTS (SELECT FROM customers_user u WHERE u.email = own.email)
        """
    )
    # An unusable password: these accounts sign in by e-mailed code.
    cursor.execute(
        """
        INSERT INTO customers_user (id, password, is_superuser, email, is_active, is_staff,
               created_at)
        SELECT s.user_id, '!' || replace(gen_random_uuid()::text, '-', ''), FALSE,
               COALESCE(c.email, s.email), TRUE, FALSE, now()
          FROM staged_customers s LEFT JOIN customers_customer c ON c.id = s.customer_id
         WHERE s.user_id IS NOT NULL
        """
    )
    note_changed(
        cursor,
        """
        UPDATE customers_customer c SET user_id = s.user_id
          FROM staged_customers s
         WHERE s.customer_id = c.id AND NOT s.is_new AND s.user_id IS NOT NULL
        """,
    )
    # RUL-03: whoever subscribes has confirmed being of age.
    cursor.execute(
        f"""
        INSERT INTO customers_customer (id, number, public_id, pseudonym, user_id, given_name,
               family_name, birth_date, adult_confirmed_on, email, phone, national_id_sealed,
               national_id_hash, national_id_used_on, language, protection, deceased_on, nix_phone,
               nix_post, email_suppressed_on, phone_suppressed_on, noticed_on, restriction, source,
               collected, created_at, last_contact_on, version)
        SELECT s.customer_id, s.number, gen_random_uuid(), s.pseudonym, s.user_id,
               COALESCE(s.given_name, ''), s.family_name, s.birth_date,
               COALESCE(s.adult_confirmed_on, bought.first_day), COALESCE(s.email, ''),
               COALESCE(s.phone, ''), s.national_id_sealed, s.national_id_hash,
               s.national_id_used_on, COALESCE(s.language, 'sv'),
               COALESCE(s.protection, '{Protection.NONE.value}'), s.deceased_on,
               CASE WHEN s.nix_phone THEN TRUE END, CASE WHEN s.nix_post THEN TRUE END,
               {_day_of_no("email")}, {_day_of_no("phone")},
               CASE WHEN s.number NOT IN {UNREAD_NO} THEN s.noticed_on END,
               '{Restriction.NONE.value}', 'import', COALESCE(s.collected, 'import'),
               (s.registered_on + time '12:00') {STOCKHOLM}, s.last_contact_on, 1
          FROM staged_customers s
          LEFT JOIN (SELECT customer_id, MIN(started_on) AS first_day FROM staged_subscriptions
                      WHERE problem IS NULL GROUP BY customer_id) AS bought
            ON bought.customer_id = s.customer_id
         WHERE s.problem IS NULL AND s.is_new
         ORDER BY s.customer_id
        """
    )
    written = int(cursor.rowcount)
    cursor.execute("ANALYZE customers_customer")
    return written


def confirm_adults(cursor: Any) -> None:
    """Take a subscription as the word of being of age, for people who were here before (RUL-03)."""
    note_changed(
        cursor,
        """
        UPDATE customers_customer c SET adult_confirmed_on = bought.first_day
          FROM (SELECT customer_id, MIN(started_on) AS first_day FROM staged_subscriptions
                 WHERE problem IS NULL GROUP BY customer_id) AS bought
         WHERE c.id = bought.customer_id AND c.adult_confirmed_on IS NULL
        """,
    )


ADDRESS_FIELDS = ("street", "postcode", "city", "country")
ADDRESS_CHANGES = f"""
    CREATE TEMP TABLE address_changes ON COMMIT DROP AS
    SELECT s.line, s.row_id, c.id AS customer_id, v.field, v.old, v.new,
           c.restriction IN ({STORED_ONLY}) AS closed,
           ({{newer}} OR a.source IN ('person', 'staff') AND a.given_on >= s.given_on) AS newer
      FROM staged_addresses s
      JOIN customers_address a ON a.id = s.row_id
      JOIN customers_customer c ON c.id = s.customer_id
     CROSS JOIN LATERAL (VALUES {{values}}) AS v (field, old, new)
     WHERE s.problem IS NULL AND v.new <> v.old
"""


def write_addresses(cursor: Any) -> Written:
    """Add addresses and bring those that are here up to the file."""
    cursor.execute(
        """
        UPDATE staged_addresses s SET row_id = a.id FROM customers_address a
         WHERE a.customer_id = s.customer_id AND a.kind = s.kind AND s.problem IS NULL
        """
    )
    cursor.execute(
        ADDRESS_CHANGES.format(
            newer=NEWER.format(updated="s.given_on"),
            values=", ".join(f"('{name}', a.{name}, s.{name})" for name in ADDRESS_FIELDS),
        )
    )
    # An address changes as a whole or stays: half of each would lead nowhere.
    cursor.execute(
        """
        UPDATE address_changes x SET newer = TRUE
         WHERE EXISTS (SELECT FROM address_changes o WHERE o.row_id = x.row_id AND o.newer)
        """
    )
    sets = ", ".join(f"{name} = s.{name}" for name in ADDRESS_FIELDS)
    cursor.execute(
        f"""
        UPDATE customers_address a
           SET {sets}, source = 'import', collected = COALESCE(s.collected, 'import'),
               given_on = s.given_on, returned_on = NULL, suppressed_on = NULL
          FROM staged_addresses s
         WHERE a.id = s.row_id AND s.problem IS NULL
           AND EXISTS (SELECT FROM address_changes x
                WHERE x.row_id = a.id AND NOT (x.newer OR x.closed))
        """
    )
    written = Written(changed=cursor.rowcount)
    _keep_history(cursor, "address_changes")
    cursor.execute(
        """
        INSERT INTO customers_address (customer_id, kind, street, postcode, city, country, source,
               collected, given_on)
        SELECT customer_id, kind, street, postcode, city, country, 'import',
               COALESCE(collected, 'import'), given_on
          FROM staged_addresses WHERE problem IS NULL AND row_id IS NULL
        """
    )
    written.new = cursor.rowcount
    cursor.execute(UNWASHED_HOMES)
    _mark_suppressed_addresses()
    return written


# Homes are compared with NIX by address and family name; a new one has not been (NIX-01). The new
# version tells a wash that runs at this moment.
UNWASHED_HOMES = """
    UPDATE customers_customer c
       SET nix_post = NULL,
           version = c.version + (NOT EXISTS (SELECT FROM customer_changes x
               WHERE x.customer_id = c.id AND NOT (x.newer OR x.closed)))::int
      FROM (SELECT customer_id FROM staged_addresses
             WHERE problem IS NULL AND row_id IS NULL AND kind = 'home'
            UNION
            SELECT x.customer_id FROM address_changes x JOIN customers_address a ON a.id = x.row_id
             WHERE a.kind = 'home' AND NOT (x.newer OR x.closed)
            UNION
            SELECT customer_id FROM customer_changes
             WHERE field = 'family_name' AND NOT (newer OR closed)) AS moved
     WHERE c.id = moved.customer_id AND c.nix_post IS NOT TRUE
       AND NOT EXISTS (SELECT FROM staged_customers s WHERE s.customer_id = c.id AND s.is_new)
"""

# Whose address or family name this import wrote.
WROTE_HOME = """
    SELECT a.id, c.family_name, a.street, a.postcode
      FROM customers_address a JOIN customers_customer c ON c.id = a.customer_id
     WHERE c.id IN (SELECT customer_id FROM staged_addresses WHERE problem IS NULL
                    UNION SELECT customer_id FROM customer_changes WHERE field = 'family_name')
"""


def _mark_suppressed_addresses() -> None:
    """Put the day of the no beside addresses that carry one; hashed here, the key being ours."""
    if not Suppression.objects.filter(kind=Suppression.Kind.ADDRESS).exists():
        return
    with connection.connection.cursor(name="wrote_home") as found:  # on the server's side: no list
        found.execute(WROTE_HOME)
        while rows := found.fetchmany(contact_points.AT_A_TIME):
            homes = {key: contact_points.postal(*parts) for key, *parts in rows}
            days = contact_points.suppressed(
                (Suppression.Kind.ADDRESS, home) for home in homes.values()
            )
            marked = [
                (key, day)
                for key, home in homes.items()
                if (day := days.get((Suppression.Kind.ADDRESS, home)))
            ]
            if marked:
                with connection.cursor() as cursor:
                    cursor.execute(MARK_ADDRESSES, [*map(list, zip(*marked, strict=True))])


# The latest no to all advertising of everybody whom these files said or changed something of.
REFUSALS = f"""
    SELECT c.id, MAX((e.at {STOCKHOLM})::date)
      FROM consent_event e JOIN customers_customer c ON c.pseudonym = e.subject
     WHERE e.kind IN ('{Event.Kind.OBJECTED}', '{Event.Kind.UNSUBSCRIBED}')
       AND e.purpose = '' AND e.channel = '' AND e.third_party = ''
       AND c.id IN (SELECT customer_id FROM said UNION SELECT id FROM changed_customers
                    UNION SELECT customer_id FROM staged_addresses WHERE problem IS NULL)
     GROUP BY c.id
"""


def suppress_refusals() -> None:
    """List the ways to everybody who has said no to all advertising (OBJ-06)."""
    with connection.connection.cursor(name="refusals") as found:  # on the server's side: no list
        found.execute(REFUSALS)
        while rows := found.fetchmany(contact_points.AT_A_TIME):
            contact_points.suppress(dict(rows))


# A new family name at an address that is suppressed takes nothing back (OBJ-06).
MARK_ADDRESSES = """
    UPDATE customers_address a SET suppressed_on = GREATEST(a.suppressed_on, x.day)
      FROM unnest(%s::bigint[], %s::date[]) AS x (id, day) WHERE a.id = x.id
"""


@dataclass(frozen=True)
class Warned:
    """Something an operator should know about a row that was loaded; `sql` selects its line."""

    form: Format
    column: str
    reason: str
    sql: str


KEPT = "Somebody has given a newer value here, so the file's is not used (REC-04)."
CLOSED = "The person's data are restricted, so nothing was changed; change it by hand."
WARNINGS = (
    Warned(
        CUSTOMERS,
        "email",
        "The e-mail address is also another person's, so it opens no account; ask both.",
        """SELECT s.line, NULL FROM staged_customers s
             JOIN customers_customer c ON c.id = s.customer_id
            WHERE s.problem IS NULL AND c.user_id IS NULL AND s.email = c.email
              AND c.deceased_on IS NULL""",
    ),
    *(
        Warned(
            form,
            "",
            reason,
            f"SELECT DISTINCT line, field FROM {table} WHERE {which}",
        )
        for form, table in ((CUSTOMERS, "customer_changes"), (ADDRESSES, "address_changes"))
        for reason, which in ((CLOSED, "closed"), (KEPT, "newer AND NOT closed"))
    ),
)
