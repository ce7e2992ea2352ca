"""What people said, from staging into the ledger, and the standing it adds up to.

An import can inform, tell of a sale, record a yes with or without proof, and record a no. It never
lifts a no (OBJ-06) and takes the place of no yes that the person gave here or that is newer, which
makes the sum simple: the first no ends it, and before that the last yes, else the last sale, else
the first word stands. `consent.standing.replay` says the same of any
ledger that an import has written; tests/intake/test_ledger.py holds the two together.
"""

from typing import Any

from consent.actions import current_notice
from consent.ledger import let_go
from consent.models import Authority, Event, Standing
from consent.purposes import CATALOGUE
from consent.standing import REFUSALS, applies_to
from customers.dates import FAR, NEVER
from customers.models.channels import Channel, Collected
from dentalclean.intake.formats import CONSENTS, CUSTOMERS
from dentalclean.intake.people import STOCKHOLM, UNREAD_NO, Warned, Written, note_changed

Kind = Event.Kind
Held = Standing.Permission
FAR_DAY, NEVER_DAY = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
NAMED = ", ".join(f"'{purpose.code}'" for purpose in CATALOGUE if purpose.named_third_party)
MARKETING = ", ".join(f"'{purpose.code}'" for purpose in CATALOGUE if purpose.is_marketing)
REFUSED = ", ".join(f"'{kind}'" for kind in REFUSALS)

# A file is our word for a yes, and the person's own for a no, which only the person takes back.
SAID_BY = {
    Kind.NOTICE_SERVED: Authority.SYSTEM,
    Kind.SOFT_OPT_IN: Authority.SYSTEM,
    Kind.UNPROVEN: Authority.STAFF,
    Kind.CONSENT_GIVEN: Authority.STAFF,
    Kind.OBJECTED: Authority.PERSON,
}
SAID_BY_SQL = " ".join(f"WHEN '{kind}' THEN {authority}" for kind, authority in SAID_BY.items())


def read_consents(cursor: Any) -> None:
    """Say what each row becomes in the ledger, and which of them it has already."""
    cursor.execute(
        f"""
        UPDATE staged_consents s
           SET kind = CASE WHEN answer = 'no' THEN '{Kind.OBJECTED}'
                           WHEN COALESCE(evidence, '') = '' THEN '{Kind.UNPROVEN}'
                           ELSE '{Kind.CONSENT_GIVEN}' END,
               at = (given_on + time '12:00') {STOCKHOLM},
               is_new = TRUE
         WHERE problem IS NULL
        """
    )
    cursor.execute(
        """
        UPDATE staged_consents s SET is_new = FALSE
          FROM customers_customer c JOIN consent_event e ON e.subject = c.pseudonym
         WHERE c.id = s.customer_id AND e.kind = s.kind AND e.at = s.at
           AND e.purpose = COALESCE(s.purpose, '') AND e.channel = COALESCE(s.channel, '')
           AND e.third_party = COALESCE(s.third_party, '')
        """
    )


# MFL-02: a sale counts with its order, what was bought, an address from it and the offer of a no.
IS_A_PROVEN_SALE = """(s.soft_opt_in_on IS NOT NULL AND COALESCE(s.soft_opt_in_order, '') <> ''
    AND COALESCE(s.soft_opt_in_goods, '') <> '' AND COALESCE(s.soft_opt_in_offer, '') <> ''
    AND COALESCE(s.email, '') || COALESCE(s.phone, '') <> '')"""
# The ways whose address the row has; both are the empty channel.
GIVEN_AT_THE_SALE = f"""CASE WHEN COALESCE(s.phone, '') = '' THEN '{Channel.EMAIL}'
    WHEN COALESCE(s.email, '') = '' THEN '{Channel.SMS}' ELSE '' END"""
FACTS_OF_THE_SALE = """concat('Köp ', s.soft_opt_in_order, ', ', s.soft_opt_in_on, ': ',
    s.soft_opt_in_goods, E'.\nErbjöds att säga nej: ', s.soft_opt_in_offer)"""

# Numbers are drawn before the entries are written; a seal must wait for both.
EVENTS = f"""
    LOCK TABLE consent_event IN ROW EXCLUSIVE MODE;
    CREATE TEMP TABLE said (
        id bigint DEFAULT nextval(pg_get_serial_sequence('consent_event', 'id')),
        customer_id bigint, subject uuid, at timestamptz, kind text, purpose text, channel text,
        third_party text, collected text, language text, evidence text, authority integer,
        salt bytea DEFAULT uuid_send(gen_random_uuid())
    ) ON COMMIT DROP;
    INSERT INTO said (customer_id, subject, at, kind, purpose, channel, third_party, collected,
           language, evidence, authority)
    SELECT customer_id, subject, at, kind, purpose, channel, third_party, collected, language,
           evidence, CASE kind {SAID_BY_SQL} END
      FROM (
        SELECT c.id AS customer_id, c.pseudonym AS subject,
               (s.noticed_on + time '12:00') {STOCKHOLM} AS at, '{Kind.NOTICE_SERVED}' AS kind,
               '' AS purpose, '' AS channel, '' AS third_party, '{Collected.IMPORT}' AS collected,
               c.language, NULL AS evidence, 0 AS rank, s.line
          FROM staged_customers s JOIN customers_customer c ON c.id = s.customer_id
         WHERE s.problem IS NULL AND s.noticed_on IS NOT NULL AND (s.is_new OR c.noticed_on IS NULL)
           AND s.number NOT IN {UNREAD_NO}
        UNION ALL
        SELECT c.id, c.pseudonym, (s.soft_opt_in_on + time '12:00') {STOCKHOLM},
               '{Kind.SOFT_OPT_IN}', '', {GIVEN_AT_THE_SALE}, '', '{Collected.IMPORT}', c.language,
               {FACTS_OF_THE_SALE}, 1, s.line
          FROM staged_customers s JOIN customers_customer c ON c.id = s.customer_id
         WHERE s.problem IS NULL AND {IS_A_PROVEN_SALE}
           AND s.number NOT IN {UNREAD_NO}
           AND NOT EXISTS (SELECT FROM consent_event e WHERE e.subject = c.pseudonym
               AND e.kind = '{Kind.SOFT_OPT_IN}'
               AND e.at >= (s.soft_opt_in_on + time '12:00') {STOCKHOLM})
        UNION ALL
        SELECT c.id, c.pseudonym, s.at, s.kind, COALESCE(s.purpose, ''), COALESCE(s.channel, ''),
               COALESCE(s.third_party, ''), COALESCE(s.collected, '{Collected.IMPORT}'),
               c.language, s.evidence, CASE s.answer WHEN 'yes' THEN 2 ELSE 3 END, s.line
          FROM staged_consents s JOIN customers_customer c ON c.id = s.customer_id
         WHERE s.problem IS NULL AND s.is_new
           AND (s.answer = 'no' OR s.number NOT IN {UNREAD_NO})
      ) AS rows
     ORDER BY customer_id, at, rank, line
"""

# The uses an event speaks of, from the catalogue by way of `applies_to`.
USES = """
    CREATE TEMP TABLE spoken_uses (kind text, purpose text, channel text, named boolean,
        use_purpose text, use_channel text, by_name boolean) ON COMMIT DROP
"""
SPOKEN = """
    CREATE TEMP TABLE spoken ON COMMIT DROP AS
    SELECT s.customer_id, u.use_purpose AS purpose, u.use_channel AS channel,
           CASE WHEN u.by_name THEN s.third_party ELSE '' END AS third_party, s.id, s.kind
      FROM said s
      JOIN spoken_uses u ON u.kind = s.kind AND u.purpose = s.purpose AND u.channel = s.channel
       AND u.named = (s.third_party <> '')
"""
# What `consent.standing.is_overruled` says: no file opens what a no to everything spoke of.
OVERRULED = f"""
    DELETE FROM spoken USING said s
     WHERE spoken.id = s.id AND s.kind = '{Kind.CONSENT_GIVEN}' AND EXISTS (
           SELECT FROM consent_event r
            WHERE r.subject = s.subject AND r.id < s.id AND r.kind IN ({REFUSED})
              AND (r.purpose = spoken.purpose
                   OR (r.purpose = '' AND spoken.purpose IN ({MARKETING})))
              AND r.channel IN ('', spoken.channel) AND r.third_party IN ('', spoken.third_party)
              AND (r.at > s.at OR NOT EXISTS (
                   SELECT FROM consent_standing o
                    WHERE o.customer_id = spoken.customer_id AND o.purpose = spoken.purpose
                      AND o.channel = spoken.channel AND o.third_party = spoken.third_party
                      AND o.permission <> '{Held.NONE}')))
"""
# RUL-30: a total no reaches every partner named before it.
REACHED = f"""
    INSERT INTO spoken
    SELECT DISTINCT s.customer_id, n.purpose, n.channel, n.third_party, s.id, s.kind
      FROM said s
      JOIN (SELECT customer_id, purpose, channel, third_party, id FROM spoken
             WHERE purpose IN ({NAMED})
            UNION ALL
            SELECT customer_id, purpose, channel, third_party, 0 FROM consent_standing
             WHERE purpose IN ({NAMED}) AND customer_id IN (SELECT customer_id FROM said)) AS n
        ON n.customer_id = s.customer_id AND n.id < s.id
     WHERE s.kind = '{Kind.OBJECTED}' AND s.third_party = ''
       AND s.purpose IN ('', n.purpose) AND s.channel IN ('', n.channel)
"""
STAND = f"""
    CREATE TEMP TABLE stand ON COMMIT DROP AS
    WITH refused AS (
        SELECT customer_id, purpose, channel, third_party, MIN(id) AS id
          FROM spoken WHERE kind = '{Kind.OBJECTED}' GROUP BY 1, 2, 3, 4
    ), words AS (
        SELECT w.customer_id, w.purpose, w.channel, w.third_party, MIN(r.id) AS refused,
               MAX(w.id) FILTER (WHERE w.kind = '{Kind.CONSENT_GIVEN}'
                                   AND w.id < COALESCE(r.id, w.id + 1)) AS yes,
               MAX(w.id) FILTER (WHERE w.kind = '{Kind.SOFT_OPT_IN}'
                                   AND w.id < COALESCE(r.id, w.id + 1)) AS sale,
               MIN(w.id) FILTER (WHERE w.kind = '{Kind.NOTICE_SERVED}'
                                   AND w.id < COALESCE(r.id, w.id + 1)) AS notice,
               MIN(w.id) FILTER (WHERE w.kind <> '{Kind.OBJECTED}'
                                   AND w.id < COALESCE(r.id, w.id + 1)) AS first
          FROM spoken w
          LEFT JOIN refused r USING (customer_id, purpose, channel, third_party)
         GROUP BY 1, 2, 3, 4
    ), chosen AS (
        SELECT w.customer_id, w.purpose, w.channel, w.third_party, w.refused, old.id IS NOT NULL
               AS stored, old.permission, old.opens, old.closes, old.since, old.authority,
               old.event_id,
               COALESCE(
                   CASE WHEN old.permission = '{Held.CONSENT}' AND (old.authority, old.opens)
                             > ({Authority.STAFF}, (y.at {STOCKHOLM})::date)
                        THEN NULL ELSE w.yes END,
                   CASE WHEN old.permission IS DISTINCT FROM '{Held.CONSENT}' THEN w.sale END,
                   CASE WHEN COALESCE(old.permission, '{Held.NONE}') = '{Held.NONE}'
                        THEN w.notice END,
                   CASE WHEN old.id IS NULL THEN w.first END) AS word
          FROM words w
          LEFT JOIN consent_standing old USING (customer_id, purpose, channel, third_party)
          LEFT JOIN said y ON y.id = w.yes
         WHERE old.declined IS NOT TRUE
    ), before AS (
        SELECT c.customer_id, c.purpose, c.channel, c.third_party, c.refused,
               c.stored, c.stored OR c.word IS NOT NULL AS stands,
               CASE s.kind WHEN '{Kind.CONSENT_GIVEN}' THEN '{Held.CONSENT}'
                           WHEN '{Kind.SOFT_OPT_IN}' THEN '{Held.SOFT}'
                           WHEN '{Kind.NOTICE_SERVED}' THEN '{Held.OPT_OUT}'
                           WHEN '{Kind.UNPROVEN}' THEN '{Held.NONE}'
                           ELSE c.permission END AS permission,
               CASE WHEN s.kind = '{Kind.UNPROVEN}' THEN {FAR_DAY}
                    WHEN s.id IS NOT NULL THEN d.day ELSE c.opens END AS opens,
               CASE WHEN s.kind = '{Kind.UNPROVEN}' THEN {NEVER_DAY}
                    WHEN s.id IS NOT NULL THEN {FAR_DAY} ELSE c.closes END AS closes,
               COALESCE(d.day, c.since) AS since, COALESCE(s.authority, c.authority) AS authority,
               COALESCE(s.id, c.event_id) AS event_id
          FROM chosen c
          LEFT JOIN said s ON s.id = c.word
          LEFT JOIN LATERAL (SELECT (s.at {STOCKHOLM})::date AS day) AS d ON TRUE
    )
    SELECT b.customer_id, b.purpose, b.channel, b.third_party, b.stored,
           COALESCE(b.permission, '{Held.NONE}') AS permission,
           n.id IS NOT NULL AS declined,
           COALESCE(b.opens, {FAR_DAY}) AS opens,
           CASE WHEN n.id IS NULL THEN b.closes
                WHEN b.stands AND b.closes = {FAR_DAY} THEN (n.at {STOCKHOLM})::date
                ELSE {NEVER_DAY} END AS closes,
           COALESCE((n.at {STOCKHOLM})::date, b.since) AS since,
           COALESCE(n.authority, b.authority) AS authority,
           COALESCE(n.id, b.event_id) AS event_id
      FROM before b
      LEFT JOIN said n ON n.id = b.refused
     ORDER BY b.customer_id, b.purpose, b.channel
"""
STANDING = "permission, declined, opens, closes, since, authority, event_id"
CHANGE_STANDINGS = f"""
    UPDATE consent_standing st
       SET ({STANDING}) = (x.permission, x.declined, x.opens, x.closes, x.since, x.authority,
                           x.event_id)
      FROM stand x
     WHERE x.stored
       AND (st.customer_id, st.purpose, st.channel, st.third_party)
           = (x.customer_id, x.purpose, x.channel, x.third_party)
       AND (st.permission, st.declined, st.opens, st.closes, st.since, st.authority)
           IS DISTINCT FROM
           (x.permission, x.declined, x.opens, x.closes, x.since, x.authority)
"""
ADD_STANDINGS = f"""
    INSERT INTO consent_standing (customer_id, purpose, channel, third_party, {STANDING})
    SELECT customer_id, purpose, channel, third_party, {STANDING} FROM stand WHERE NOT stored
"""


def write_events(cursor: Any) -> Written:
    """Append what the files say to the ledger, in the order it was said, and count the consents."""
    cursor.execute(EVENTS)
    cursor.execute("ANALYZE said")
    for language in ("sv", "en"):
        notice = current_notice(Collected.IMPORT, language)
        cursor.execute(
            f"""
            INSERT INTO consent_event (id, at, subject, kind, purpose, channel, third_party, ground,
                   notice_id, collected, authority, evidence_hash)
            SELECT id, at, subject, kind, purpose, channel, third_party, '',
                   CASE kind WHEN '{Kind.NOTICE_SERVED}' THEN %s::bigint END, collected, authority,
                   CASE WHEN evidence <> '' THEN sha256(salt || convert_to(evidence, 'UTF8'))
                        ELSE '' END
              FROM said WHERE language = %s ORDER BY id
            """,
            [notice.pk, language],
        )
    cursor.execute(
        """
        INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt)
        SELECT id, evidence, salt FROM said WHERE evidence <> ''
        """
    )
    note_changed(
        cursor,
        f"""
        UPDATE customers_customer c SET noticed_on = (s.at {STOCKHOLM})::date
          FROM said s
         WHERE s.customer_id = c.id AND s.kind = '{Kind.NOTICE_SERVED}' AND c.noticed_on IS NULL
        """,
    )
    cursor.execute("SELECT count(*) FROM said WHERE purpose <> '' OR kind = %s", [Kind.OBJECTED])
    return Written(new=int(cursor.fetchone()[0]))


def write_standings(cursor: Any) -> None:
    """Bring every standing up to the ledger."""
    cursor.execute(USES)
    cursor.execute("SELECT DISTINCT kind, purpose, channel, third_party <> '' FROM said")
    for kind, purpose, channel, named in cursor.fetchall():
        event = Event(
            kind=kind, purpose=purpose, channel=channel, third_party="named" if named else ""
        )
        for use in applies_to(event):
            cursor.execute(
                "INSERT INTO spoken_uses VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [kind, purpose, channel, named, use.purpose, use.channel, bool(use.third_party)],
            )
    cursor.execute("ANALYZE spoken_uses")
    cursor.execute(SPOKEN)
    cursor.execute(OVERRULED)
    cursor.execute(REACHED)
    cursor.execute("ANALYZE spoken")
    cursor.execute(STAND)
    cursor.execute(CHANGE_STANDINGS)
    cursor.execute(ADD_STANDINGS)
    cursor.execute("SELECT DISTINCT customer_id FROM said WHERE kind <> %s", [Kind.NOTICE_SERVED])
    let_go([row[0] for row in cursor.fetchall()])


WARNINGS = (
    Warned(
        CUSTOMERS,
        "soft_opt_in_on",
        "Without its order, goods, offer of a no and an e-mail or phone the sale opens nothing "
        "(MFL-02).",
        f"""SELECT line, NULL FROM staged_customers s
             WHERE problem IS NULL AND soft_opt_in_on IS NOT NULL AND NOT {IS_A_PROVEN_SALE}""",
    ),
    Warned(
        CONSENTS,
        "evidence",
        "Without evidence the yes is kept as unproven and opens nothing (CON-02).",
        f"""SELECT line, NULL FROM staged_consents
             WHERE problem IS NULL AND kind = '{Kind.UNPROVEN}'""",
    ),
    Warned(
        CONSENTS,
        "number",
        "A no of this person was refused, so nothing is opened for advertising; correct that row.",
        f"""SELECT line, NULL FROM staged_consents
             WHERE problem IS NULL AND answer = 'yes' AND number IN {UNREAD_NO}""",
    ),
)
