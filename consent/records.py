"""The projection of facts to processing records: which purposes live for whom, until when.

Written set-based in the same transaction as the fact that changed. No date here is today: a purpose
whose last day has passed is simply due, and the nightly purge ends it.
"""

from collections.abc import Sequence

from django.db import connection

from consent.purposes import CATALOGUE, Objection, Purpose
from customers.dates import FAR, NEVER

# RUL-12: a buyer without subscription starts the windows by the last delivery; whoever had a
# subscription by its end, and a later delivery only keeps A and B open. RET-04: a prospect has
# twelve months from the own last contact. Subscriptions and orders leave by their own date; what
# the records of A and G remember of them (`last_relation`, `last_subscribed`) then still holds. A
# remembers the last one that ended also while another lives: an order that is open for years and
# then cancelled leaves what was delivered before it.
FACTS = """
    SELECT c.id,
           c.given_name = '' AND c.family_name = '' AS is_erased,
           c.deceased_on,
           c.national_id_used_on,
           c.erasure_on - 1 AS at_most,
           c.last_contact_on,
           LEAST(subs.first_day, ord.first_day, c.last_contact_on) AS since,
           subs.last_day AS subscribed_until,
           subs.stretch_from,
           CASE WHEN ord.is_open THEN {far} ELSE ord.last_delivery END AS delivered_until,
           COALESCE(GREATEST(subs.last_ended, ord.last_delivery),
                    NULLIF(NULLIF(a.relation_ended_on, {far}), {never}),
                    NULLIF(NULLIF(a.retain_until, {far}), {never})) AS last_relation,
           NULLIF(NULLIF(g.relation_ended_on, {far}), {never}) AS last_subscribed,
           NULLIF(p.retain_until, {far}) AS proven_until,
           support.until AS question_until,
           debt.until AS debt_until,
           invoices.until AS invoices_until,
           CASE WHEN (c.email = '' OR c.email_returned_on IS NOT NULL)
                 AND (c.phone = '' OR c.phone_returned_on IS NOT NULL)
                 AND home.is_reached IS NOT TRUE
                THEN GREATEST(c.email_returned_on, c.phone_returned_on, home.returned_on)
           END AS unreachable_on,
           choices.*
      FROM customers_customer c
      LEFT JOIN consent_processingrecord a ON a.customer_id = c.id AND a.purpose = 'A'
      LEFT JOIN consent_processingrecord g ON g.customer_id = c.id AND g.purpose = 'G'
      LEFT JOIN consent_processingrecord p ON p.customer_id = c.id AND p.purpose = 'R'
      LEFT JOIN LATERAL (
           SELECT MIN(s.started_on) AS first_day, MAX(COALESCE(s.ended_on, {far})) AS last_day,
                  MAX(s.ended_on) AS last_ended,
                  MAX(s.started_on) FILTER (WHERE NOT EXISTS (
                      SELECT FROM customers_subscription b
                       WHERE b.customer_id = s.customer_id AND b.started_on < s.started_on
                         AND COALESCE(b.ended_on, {far}) >= s.started_on - 1)) AS stretch_from
             FROM customers_subscription s WHERE s.customer_id = c.id) subs ON TRUE
      LEFT JOIN LATERAL (
           SELECT MIN(o.ordered_on) AS first_day,
                  MAX(CASE WHEN o.delivered_on IS NOT NULL
                           THEN GREATEST(o.delivered_on, o.withdrawn_on) END) AS last_delivery,
                  BOOL_OR(COALESCE(o.delivered_on, o.cancelled_on, o.withdrawn_on) IS NULL)
                      AS is_open
             FROM customers_order o WHERE o.customer_id = c.id) ord ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX(COALESCE(q.closed_on, {far})) AS until
             FROM customers_supportcase q WHERE q.customer_id = c.id) support ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX((COALESCE(GREATEST(i.due_on, i.interrupted_on), i.issued_on)
                       + interval '3 years')::date) AS until
             FROM customers_invoice i
            WHERE i.customer_id = c.id AND i.kind = 'invoice' AND i.paid_on IS NULL
              AND i.total_ore > (SELECT COALESCE(SUM(ABS(k.total_ore)), 0)
                    FROM customers_invoice k
                   WHERE k.refers_to_id = i.id AND k.kind IN ('credit', 'payment'))) debt ON TRUE
      LEFT JOIN LATERAL (
           SELECT MAX(i.retain_until) AS until
             FROM customers_invoice i WHERE i.customer_id = c.id) invoices ON TRUE
      LEFT JOIN LATERAL (
           SELECT BOOL_OR(h.returned_on IS NULL) AS is_reached, MAX(h.returned_on) AS returned_on
             FROM customers_address h
            WHERE h.customer_id = c.id AND h.kind = 'home') home ON TRUE
      LEFT JOIN LATERAL (
           SELECT {choices},
                  MAX(st.closes) FILTER (WHERE st.purpose = 'C' AND st.permission = 'consent')
                      AS yes_to_c,
                  MAX(st.since) AS last_choice,
                  BOOL_OR(st.permission = 'consent' AND st.closes = {far}) AS consents,
                  BOOL_OR(st.permission = 'soft' AND st.closes = {far}) AS soft
             FROM consent_standing st WHERE st.customer_id = c.id) choices ON TRUE
     WHERE c.id = ANY(%(ids)s)
"""

# The day the relation ended, the day the windows start, and the ceiling (RUL-11, RUL-12). When all
# that was sent by every way has come back there is nobody left to send to (RET-05, RUL-28).
SPANS = """
    SELECT ended.*,
           LEAST(CASE WHEN window_start IS NULL THEN (last_contact_on + interval '12 months')::date
                      WHEN window_start = {far} THEN {far}
                      ELSE (window_start + interval '3 years')::date
                 END,
                 CASE WHEN unreachable_on IS NOT NULL
                      THEN GREATEST(unreachable_on, relation_until)
                 END) AS window_until
      FROM (SELECT facts.*,
                   COALESCE(GREATEST(subscribed_until, delivered_until), last_relation)
                       AS relation_until,
                   COALESCE(subscribed_until, last_subscribed, delivered_until, last_relation)
                       AS window_start
              FROM facts) AS ended
"""

# The last day of each purpose. NULL: no fact speaks for it (any more). LEAST and GREATEST skip
# NULL, so a purpose that asks for a yes or for a relation says so itself. Proof stays as long as
# the person is known: a no would be forgotten before whoever said it (OBJ-06).
LAST_DAYS = {
    "A": "relation_until",
    "A2": "(national_id_used_on + interval '30 days')::date",
    "B": "GREATEST(relation_until, question_until)",
    # RUL-10: former customers only by their own yes, to the ceiling as every yes.
    "C": "CASE WHEN relation_until IS NOT NULL THEN LEAST(GREATEST(relation_until,"
    " CASE WHEN yes_to_c IS NOT NULL THEN LEAST(window_until, yes_to_c) END),"
    " deceased_on, until_c) END",
    "D": "CASE WHEN relation_until IS NOT NULL THEN LEAST(relation_until, until_d) END",
    "E": "CASE WHEN until_e IS NOT NULL THEN LEAST(window_until, deceased_on, until_e) END",
    "F": "LEAST(window_until, deceased_on, until_f)",
    "G": "CASE WHEN subscribed_until IS NOT NULL"
    " THEN LEAST(subscribed_until, deceased_on, until_g) END",
    "H": "LEAST(window_until, deceased_on, until_h)",
    "I": "LEAST(window_until, deceased_on, until_i)",
    "J": "CASE WHEN relation_until IS NOT NULL THEN LEAST(relation_until, until_j) END",
    "K": "relation_until",
    "L": "invoices_until",
    "L2": "debt_until",
    "P": "CASE WHEN until_p IS NOT NULL THEN LEAST(window_until, deceased_on, until_p) END",
    "R": "CASE WHEN relation_until = {far} THEN {far} ELSE GREATEST((GREATEST("
    "relation_until, last_choice, last_contact_on,"
    " CASE WHEN consents AND NOT is_erased THEN window_until END,"
    " CASE WHEN soft THEN (window_start + interval '12 months')::date END)"
    " + interval '5 years')::date, CASE WHEN is_erased THEN proven_until END,"
    " question_until, debt_until) END",
}

# RUL-02: whoever asked to be erased ends what rests on an interest of ours or on their own yes, and
# the proof of it when nothing else is left to prove. Contract, claims and bookkeeping go on.
ERASED = (
    "CASE WHEN at_most IS NULL OR ({last}) IS NULL THEN {last} ELSE LEAST({last}, {at_most}) END"
)
PROVEN_AT_MOST = "GREATEST(at_most, relation_until, question_until, debt_until)"

# A record is made for every purpose that facts speak for, be it over already, so that a night takes
# the person up; and it is kept for good: a purpose that lost its facts is shut (NEVER) so that the
# night ends it, and one that ended stays as it ended. G needs a live subscription (RUL-12), so it
# begins anew with each unbroken stretch of them. Whoever was never in a relation has no end of one:
# no window that counts from there opens (MFL-06, NIX-03). What ended advertising to somebody whose
# details are gone (a death, mail that came back) went with them, and opens nothing by its absence;
# nor does it make their proof last longer.
REFRESH = """
    WITH facts AS ({facts}), spans AS ({spans}), days AS (
        SELECT s.id, s.is_erased, v.purpose, v.basis, v.until,
               CASE v.purpose WHEN 'G' THEN COALESCE(s.stretch_from, s.since) ELSE s.since END
                   AS since,
               COALESCE(CASE v.purpose WHEN 'A' THEN s.last_relation ELSE s.window_start END,
                        {never}) AS relation_ended_on
          FROM spans s CROSS JOIN LATERAL (VALUES {last_days}) AS v (purpose, basis, until)
    )
    INSERT INTO consent_processingrecord AS r
           (customer_id, purpose, basis, since, retain_until, relation_ended_on)
    SELECT d.id, d.purpose, d.basis, d.since, COALESCE(d.until, {never}), d.relation_ended_on
      FROM days d
      LEFT JOIN consent_processingrecord old ON old.customer_id = d.id AND old.purpose = d.purpose
     WHERE (d.until IS NOT NULL OR (old.id IS NOT NULL AND old.ended_on IS NULL))
       AND NOT (d.is_erased AND old.ended_on IS NOT NULL AND d.purpose IN ({advertising}))
     ORDER BY d.id, d.purpose
    ON CONFLICT (customer_id, purpose) DO UPDATE
       SET since = {since},
           basis = EXCLUDED.basis,
           retain_until = EXCLUDED.retain_until,
           relation_ended_on = EXCLUDED.relation_ended_on,
           ended_on = CASE WHEN r.retain_until = EXCLUDED.retain_until THEN r.ended_on END
     WHERE (r.since, r.basis, r.retain_until, r.relation_ended_on) IS DISTINCT FROM
           ({since}, EXCLUDED.basis, EXCLUDED.retain_until,
            EXCLUDED.relation_ended_on)
"""


SINCE = "CASE r.purpose WHEN 'G' THEN EXCLUDED.since ELSE LEAST(r.since, EXCLUDED.since) END"


def _sql() -> str:
    far, never = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
    choices = ", ".join(
        f"MAX(st.closes) FILTER (WHERE st.purpose = '{p.code}') AS until_{p.code.lower()}"
        for p in CATALOGUE
        if p.objection is not Objection.NO_EFFECT
    )
    last_days = ", ".join(
        f"('{p.code}', '{p.basis.value}', {_last_day(p).format(far=far)})" for p in CATALOGUE
    )
    return REFRESH.format(
        facts=FACTS.format(far=far, never=never, choices=choices),
        spans=SPANS.format(far=far),
        last_days=last_days,
        never=never,
        since=SINCE,
        advertising=", ".join(f"'{p.code}'" for p in CATALOGUE if p.is_marketing),
    )


def _last_day(purpose: Purpose) -> str:
    """Return the last day of a purpose, with what an erasure that was asked for leaves of it."""
    last = LAST_DAYS[purpose.code]
    if purpose.code == "R":
        return ERASED.format(last=last, at_most=PROVEN_AT_MOST)
    if purpose.objection is Objection.NO_EFFECT and not purpose.is_balanced:
        return last
    return ERASED.format(last=last, at_most="at_most")


REFRESH_SQL = _sql()


def refresh(customer_ids: Sequence[int]) -> int:
    """Bring the processing records of these people up to their facts; return the rows written.

    Must run in the transaction that changed the facts; people without change write nothing. For one
    person the database keeps the plan, which is most of the price (`consent.functions`).
    """
    ids = list(customer_ids)
    with connection.cursor() as cursor:
        if len(ids) == 1:
            cursor.execute("SELECT consent_refresh(%s)", ids)
            return int(cursor.fetchone()[0])
        cursor.execute(REFRESH_SQL, {"ids": ids})
        return int(cursor.rowcount)
