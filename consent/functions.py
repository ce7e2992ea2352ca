"""The two functions the database keeps for us, so that it plans them once and not at every act.

They hold no rule that is not written here: `install` writes them anew after each migrate when their
text has changed, and a check refuses a program and a database that do not fit.
"""

import hashlib
from collections.abc import Iterable

from django.db import connection

from consent.models import Authority, Event, Standing
from consent.purposes import CATALOGUE
from consent.records import REFRESH_SQL
from consent.standing import OPENING, REFUSALS
from customers.dates import FAR, NEVER

Kind = Event.Kind
Held = Standing.Permission
FAR_DAY, NEVER_DAY = f"DATE '{FAR.isoformat()}'", f"DATE '{NEVER.isoformat()}'"
NAMED = tuple(purpose.code for purpose in CATALOGUE if purpose.named_third_party)
MARKETING = tuple(purpose.code for purpose in CATALOGUE if purpose.is_marketing)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"'{word}'" for word in words)


REFRESH = f"""
CREATE OR REPLACE FUNCTION consent_refresh(of_customer bigint) RETURNS bigint
LANGUAGE plpgsql AS $body$
DECLARE
    written bigint;
BEGIN
    {REFRESH_SQL.replace("ANY(%(ids)s)", "of_customer")};
    GET DIAGNOSTICS written = ROW_COUNT;
    RETURN written;
END $body$
"""

# What `consent.standing.after` says, for all the uses of an entry at once. Each statement in here
# sees what was committed while the first one waited for the person; a transaction that sees one
# moment only would not, and is turned away.
APPEND = f"""
CREATE OR REPLACE FUNCTION consent_append(
    of_customer bigint, at_moment timestamptz, on_day date, of_kind text, of_purpose text,
    by_channel text, to_party text, on_ground text, worded bigint, worded_as_in_force boolean,
    collected_by text, with_authority integer, with_evidence text, with_salt bytea,
    with_hash bytea, by_actor bigint, use_purposes text[], use_channels text[], use_parties text[],
    refused boolean, reaches_partners boolean
) RETURNS TABLE (entry bigint, written_as text, notice bigint)
LANGUAGE plpgsql SET plan_cache_mode TO force_generic_plan AS $body$
DECLARE
    person record;
    opens_now boolean := of_kind IN
        ('{Kind.NOTICE_SERVED}', '{Kind.SOFT_OPT_IN}', '{Kind.CONSENT_GIVEN}');
    one_use boolean := cardinality(use_purposes) = 1;
    stands boolean;
    until_day date;
    moves boolean;
    overruled boolean := FALSE;
    left_entries bigint[];
    left_since date[];
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE feature_not_supported
            USING MESSAGE = 'Acts are written under READ COMMITTED only.';
    END IF;
    SELECT pseudonym, language, restriction INTO person
      FROM customers_customer WHERE id = of_customer FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;

    -- CON-02: the wording in force, where the act does not bring one.
    IF worded_as_in_force THEN
        SELECT n.id INTO worded
          FROM consent_notice n JOIN consent_policyversion v ON v.id = n.policy_version_id
         WHERE n.collected = collected_by
           AND n.language = COALESCE(NULLIF(person.language, ''), 'sv')
         ORDER BY v.effective_on > on_day, abs(v.effective_on - on_day), v.id DESC LIMIT 1;
        IF NOT FOUND THEN
            RAISE no_data_found USING MESSAGE = 'There is no wording in force.';
        END IF;
    END IF;

    IF of_kind = '{Kind.CONSENT_GIVEN}' AND with_authority = {Authority.PERSON.value}
       AND worded IS NULL THEN
        RAISE no_data_found USING MESSAGE = 'A yes of the person needs the wording behind it.';
    END IF;

    -- CON-03: a no to what the person had said yes to takes the yes back.
    IF of_kind = '{Kind.OBJECTED}' AND by_channel <> '' AND EXISTS (
        SELECT FROM consent_standing y
         WHERE y.customer_id = of_customer AND y.purpose = of_purpose AND y.channel = by_channel
           AND y.third_party = to_party AND y.permission = '{Held.CONSENT}' AND NOT y.declined)
    THEN
        of_kind := '{Kind.CONSENT_WITHDRAWN}';
    END IF;

    -- What `consent.standing.is_overruled` says.
    IF of_kind = '{Kind.CONSENT_GIVEN}' THEN
        overruled := EXISTS (
            SELECT FROM consent_event r
             WHERE r.subject = person.pseudonym AND r.kind IN ({_listed(REFUSALS)})
               AND (r.purpose = of_purpose
                    OR (r.purpose = '' AND of_purpose IN ({_listed(MARKETING)})))
               AND r.channel IN ('', by_channel) AND r.third_party IN ('', to_party)
               AND r.at > (CASE WHEN with_authority < {Authority.PERSON.value} AND NOT EXISTS (
                        SELECT FROM consent_standing y
                         WHERE y.customer_id = of_customer AND y.purpose = of_purpose
                           AND y.channel = by_channel AND y.third_party = to_party
                           AND y.permission <> '{Held.NONE}')
                    THEN '-infinity' ELSE at_moment END));
    END IF;

    INSERT INTO consent_event (at, subject, kind, purpose, channel, third_party, ground, notice_id,
                               collected, authority, evidence_hash)
    VALUES (at_moment, person.pseudonym, of_kind, of_purpose, by_channel, to_party, on_ground,
            worded, collected_by, with_authority, with_hash)
    RETURNING id INTO entry;
    -- RUL-30: a no that names no company reaches every one that had a yes.
    IF reaches_partners THEN
        SELECT use_purposes || array_agg(s.purpose), use_channels || array_agg(s.channel),
               use_parties || array_agg(s.third_party)
          INTO use_purposes, use_channels, use_parties
          FROM consent_standing s
         WHERE s.customer_id = of_customer AND s.purpose IN ({_listed(NAMED)})
           AND of_purpose IN ('', s.purpose) AND by_channel IN ('', s.channel);
    END IF;

    WITH written AS (
        INSERT INTO consent_standing AS s (customer_id, purpose, channel, third_party, permission,
                                           declined, opens, closes, since, authority, event_id)
        SELECT of_customer, u.purpose, u.channel, u.third_party,
               CASE of_kind WHEN '{Kind.NOTICE_SERVED}' THEN '{Held.OPT_OUT}'
                            WHEN '{Kind.SOFT_OPT_IN}' THEN '{Held.SOFT}'
                            WHEN '{Kind.CONSENT_GIVEN}' THEN '{Held.CONSENT}'
                            ELSE '{Held.NONE}' END,
               refused,
               CASE WHEN opens_now THEN on_day ELSE {FAR_DAY} END,
               CASE WHEN opens_now THEN {FAR_DAY} ELSE {NEVER_DAY} END,
               on_day, with_authority, entry
          FROM unnest(use_purposes, use_channels, use_parties) AS u (purpose, channel, third_party)
         WHERE NOT overruled
            ON CONFLICT (customer_id, purpose, channel, third_party) DO UPDATE
           SET permission = CASE WHEN refused THEN s.permission ELSE EXCLUDED.permission END,
               declined = refused,
               opens = CASE WHEN refused THEN s.opens ELSE EXCLUDED.opens END,
               -- The day itself still counts for storage (RUL-34); the refusal acts at once.
               closes = CASE WHEN NOT refused THEN EXCLUDED.closes
                             WHEN s.closes = {FAR_DAY} THEN on_day ELSE {NEVER_DAY} END,
               since = EXCLUDED.since, authority = EXCLUDED.authority, event_id = EXCLUDED.event_id
         WHERE CASE of_kind
               -- A yes without proof counts as none (CON-02); what needs no yes opens all the same.
               WHEN '{Kind.NOTICE_SERVED}' THEN s.permission = '{Held.NONE}' AND NOT s.declined
               WHEN '{Kind.UNPROVEN}' THEN FALSE
               WHEN '{Kind.SOFT_OPT_IN}' THEN s.permission <> '{Held.CONSENT}' AND NOT s.declined
               -- A refusal falls only to the person's own yes (OBJ-06), and that yes to none that
               -- others tell of or that is older.
               WHEN '{Kind.CONSENT_GIVEN}'
               THEN CASE WHEN s.declined THEN with_authority = {Authority.PERSON.value}
                         ELSE s.permission <> '{Held.CONSENT}'
                              OR (with_authority, on_day) >= (s.authority, s.opens) END
               ELSE NOT s.declined END
           AND (refused OR (s.permission, s.declined, s.opens, s.closes, s.since, s.authority)
                IS DISTINCT FROM (EXCLUDED.permission, EXCLUDED.declined, EXCLUDED.opens,
                                  EXCLUDED.closes, EXCLUDED.since, EXCLUDED.authority))
        RETURNING old.closes AS was, new.closes AS becomes, old.event_id AS rested_on,
                  old.since AS rested_since,
                  old.permission = '{Held.OPT_OUT}' AND NOT old.declined AS by_notice
    )
    SELECT COUNT(*) > 0, BOOL_OR(was IS DISTINCT FROM becomes), MAX(GREATEST(was, becomes)),
           array_agg(rested_on) FILTER (WHERE NOT by_notice),
           array_agg(rested_since) FILTER (WHERE NOT by_notice)
      INTO stands, moves, until_day, left_entries, left_since FROM written;

    -- RUL-27: the words go five years after nothing rests on them any more (`standing.stops`).
    IF with_evidence <> '' OR by_actor IS NOT NULL THEN
        INSERT INTO consent_eventdetail (event_id, evidence, evidence_salt, actor_id, retain_until)
        VALUES (entry, with_evidence, with_salt, by_actor,
                CASE WHEN stands OR of_kind NOT IN ({_listed(OPENING)}) THEN {FAR_DAY}
                     ELSE (on_day + interval '5 years')::date END);
    END IF;
    IF left_entries IS NOT NULL THEN
        UPDATE consent_eventdetail d
           SET retain_until = (GREATEST(on_day, l.since) + interval '5 years')::date
          FROM unnest(left_entries, left_since) AS l (entry, since)
         WHERE d.event_id = l.entry
           AND NOT EXISTS (
               SELECT FROM consent_standing s
                WHERE s.customer_id = of_customer AND s.event_id = d.event_id);
    END IF;

    -- In relation, the records last as long as the last channel of a purpose is open, and nothing
    -- else of a standing moves them. After it a word counts by its day and by what it allows too.
    IF moves AND one_use THEN
        moves := NOT EXISTS (
            SELECT FROM consent_standing o
             WHERE o.customer_id = of_customer AND o.purpose = use_purposes[1]
               AND o.closes >= until_day
               AND (o.channel, o.third_party) <> (use_channels[1], use_parties[1]));
    END IF;
    IF stands AND (moves OR NOT EXISTS (
        SELECT FROM consent_processingrecord
         WHERE customer_id = of_customer AND purpose = 'A' AND retain_until = {FAR_DAY}))
    THEN
        PERFORM consent_refresh(of_customer);
    END IF;
    written_as := of_kind;
    notice := worded;
    RETURN NEXT;
END $body$
"""

FUNCTIONS = {"consent_refresh": REFRESH, "consent_append": APPEND}


def fingerprint(text: str) -> str:
    """Name a text, as a function's comment does."""
    return hashlib.sha256(text.encode()).hexdigest()


def outdated() -> list[str]:
    """Return the functions that the database has not, or has with another text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname, obj_description(oid, 'pg_proc') FROM pg_proc WHERE proname = ANY(%s)",
            [list(FUNCTIONS)],
        )
        found = dict(cursor.fetchall())
    return [name for name, text in FUNCTIONS.items() if found.get(name) != fingerprint(text)]


def install(**kwargs: object) -> None:
    """Write the functions that are outdated; runs after each migrate."""
    with connection.cursor() as cursor:
        for name in outdated():
            cursor.execute(f"DROP FUNCTION IF EXISTS {name}")
            cursor.execute(FUNCTIONS[name])
            cursor.execute(f"COMMENT ON FUNCTION {name} IS '{fingerprint(FUNCTIONS[name])}'")
