"""The projection of facts to processing records: which purposes live for whom, until when.

Written set-based in the same transaction as the fact that changed. No date here is today: a purpose
whose last day has passed is simply due, and the nightly purge ends it.
"""

from collections.abc import Sequence

from django.db import connection

from consent.purposes import CATALOGUE, Objection
from customers.dates import FAR, NEVER

# RUL-12: a buyer without subscription starts the windows by the last delivery; whoever had a
# subscription by its end, and a later delivery only keeps A and B open. RET-04: a prospect has
# twelve months from the own last contact.
FACTS = """
    SELECT c.id,
           c.deceased_on,
           c.national_id_used_on,
           c.last_contact_on,
           LEAST(subs.first_day, ord.first_day, c.last_contact_on) AS since,
           subs.last_day AS subscribed_until,
           CASE WHEN ord.is_open THEN {far} ELSE ord.last_delivery END AS delivered_until,
           support.until AS question_until,
           debt.until AS debt_until,
           invoices.until AS invoices_until,
           choices.*
      FROM customers_customer c
      LEFT JOIN LATERAL (
           SELECT MIN(s.started_on) AS first_day, MAX(COALESCE(s.ended_on, {far})) AS last_day
             FROM customers_subscription s WHERE s.customer_id = c.id) subs ON TRUE
      LEFT JOIN LATERAL (
           SELECT MIN(o.ordered_on) AS first_day,
                  MAX(GREATEST(o.delivered_on, o.withdrawn_on)) AS last_delivery,
                  BOOL_OR(o.delivered_on IS NULL AND o.cancelled_on IS NULL) AS is_open
             FROM customers_order o WHERE o.customer_id = c.id) ord ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX(COALESCE(q.closed_on, {far})) AS until
             FROM customers_supportcase q WHERE q.customer_id = c.id) support ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX((i.due_on + interval '3 years')::date) AS until
             FROM customers_invoice i
            WHERE i.customer_id = c.id AND i.kind = 'invoice' AND i.paid_on IS NULL) debt ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX(i.retain_until) AS until
             FROM customers_invoice i WHERE i.customer_id = c.id) invoices ON TRUE
      LEFT JOIN LATERAL (
           SELECT {choices},
                  MAX(st.since) AS last_choice,
                  BOOL_OR(st.permission = 'consent' AND st.closes = {far}) AS consents,
                  BOOL_OR(st.permission = 'soft' AND st.closes = {far}) AS soft
             FROM consent_standing st WHERE st.customer_id = c.id) choices ON TRUE
     WHERE c.id = ANY(%(ids)s)
"""

# The day the relation ended, the day the windows start, and the ceiling (RUL-11, RUL-12).
SPANS = """
    SELECT facts.*,
           GREATEST(subscribed_until, delivered_until) AS relation_until,
           COALESCE(subscribed_until, delivered_until) AS window_start,
           CASE WHEN COALESCE(subscribed_until, delivered_until) IS NULL
                THEN (last_contact_on + interval '12 months')::date
                WHEN COALESCE(subscribed_until, delivered_until) = {far} THEN {far}
                ELSE (COALESCE(subscribed_until, delivered_until) + interval '3 years')::date
           END AS window_until
      FROM facts
"""

# The last day of each purpose. NULL: no fact speaks for it (any more). LEAST and GREATEST skip
# NULL, so a purpose that asks for a yes says so itself.
LAST_DAYS = {
    "A": "relation_until",
    "A2": "(national_id_used_on + interval '30 days')::date",
    "B": "GREATEST(relation_until, question_until)",
    "C": "LEAST(relation_until, deceased_on, until_c)",
    "D": "LEAST(relation_until, until_d)",
    "E": "CASE WHEN until_e IS NOT NULL THEN LEAST(window_until, deceased_on, until_e) END",
    "F": "LEAST(window_until, deceased_on, until_f)",
    "G": "CASE WHEN subscribed_until IS NOT NULL"
    " THEN LEAST(subscribed_until, deceased_on, until_g) END",
    "H": "LEAST(window_until, deceased_on, until_h)",
    "I": "LEAST(window_until, deceased_on, until_i)",
    "J": "LEAST(relation_until, until_j)",
    "K": "relation_until",
    "L": "invoices_until",
    "L2": "debt_until",
    "P": "CASE WHEN until_p IS NOT NULL THEN LEAST(window_until, deceased_on, until_p) END",
    "R": "CASE WHEN relation_until = {far} THEN {far} ELSE (GREATEST("
    "relation_until, last_choice, last_contact_on, CASE WHEN consents THEN window_until END,"
    " CASE WHEN soft THEN (window_start + interval '12 months')::date END)"
    " + interval '5 years')::date END",
}

# A record is made when its purpose begins and kept for good: a purpose that lost its facts is shut
# (NEVER) so that the night ends it, and one that ended stays as it ended.
REFRESH = """
    WITH facts AS ({facts}), spans AS ({spans}), days AS (
        SELECT s.id, v.purpose, v.basis, s.since, v.until,
               COALESCE(s.window_start, s.last_contact_on) AS relation_ended_on
          FROM spans s CROSS JOIN LATERAL (VALUES {last_days}) AS v (purpose, basis, until)
    )
    INSERT INTO consent_processingrecord AS r
           (customer_id, purpose, basis, since, retain_until, relation_ended_on)
    SELECT d.id, d.purpose, d.basis, d.since, COALESCE(d.until, {never}), d.relation_ended_on
      FROM days d
      LEFT JOIN consent_processingrecord old ON old.customer_id = d.id AND old.purpose = d.purpose
     WHERE (old.id IS NULL AND d.until >= d.since)
        OR (old.id IS NOT NULL AND (d.until IS NOT NULL OR old.ended_on IS NULL))
     ORDER BY d.id, d.purpose
    ON CONFLICT (customer_id, purpose) DO UPDATE
       SET since = LEAST(r.since, EXCLUDED.since),
           basis = EXCLUDED.basis,
           retain_until = EXCLUDED.retain_until,
           relation_ended_on = EXCLUDED.relation_ended_on,
           ended_on = CASE WHEN r.retain_until = EXCLUDED.retain_until THEN r.ended_on END
     WHERE (r.since, r.basis, r.retain_until, r.relation_ended_on) IS DISTINCT FROM
           (LEAST(r.since, EXCLUDED.since), EXCLUDED.basis, EXCLUDED.retain_until,
            EXCLUDED.relation_ended_on)
"""


def _sql() -> str:
    far, never = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
    choices = ", ".join(
        f"MAX(st.closes) FILTER (WHERE st.purpose = '{p.code}') AS until_{p.code.lower()}"
        for p in CATALOGUE
        if p.objection is not Objection.NO_EFFECT
    )
    last_days = ", ".join(
        f"('{p.code}', '{p.basis.value}', {LAST_DAYS[p.code].format(far=far)})" for p in CATALOGUE
    )
    return REFRESH.format(
        facts=FACTS.format(far=far, choices=choices),
        spans=SPANS.format(far=far),
        last_days=last_days,
        never=never,
    )


REFRESH_SQL = _sql()


def refresh(customer_ids: Sequence[int]) -> int:
    """Bring the processing records of these people up to their facts; return the rows written.

    Must run in the transaction that changed the facts; people without change write nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(REFRESH_SQL, {"ids": list(customer_ids)})
        return int(cursor.rowcount)
