"""Refuse to lift what the law restricts before its notice is five working days old (RES-05)."""

from django.db import migrations

# Swedish working days, the eves free, as `privacy_requests.rules` counts them (RUL-32).
WORKING_DAY = """
CREATE FUNCTION privacy_working_day(day date) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    y int := date_part('year', day);
    a int := y % 19;
    b int := y / 100;
    c int := y % 100;
    h int := (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    l int := (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    m int := h + l - 7 * ((a + 11 * h + 22 * l) / 451) + 114;
    easter date := make_date(y, m / 31, m % 31 + 1);
BEGIN
    RETURN date_part('isodow', day) < 6
       AND to_char(day, 'MMDD') NOT IN
           ('0101', '0106', '0501', '0606', '1224', '1225', '1226', '1231')
       AND day - easter NOT IN (-2, 1, 39)
       AND NOT (date_part('isodow', day) = 5 AND to_char(day, 'MMDD') BETWEEN '0619' AND '0625');
END $body$;
"""

LIFT_FROM = """
CREATE FUNCTION privacy_lift_from(delivered date) RETURNS date
LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    day date := delivered;
    passed int := 0;
BEGIN
    WHILE passed < 5 LOOP
        day := day + 1;
        IF privacy_working_day(day) THEN
            passed := passed + 1;
        END IF;
    END LOOP;
    RETURN day;
END $body$;
"""

# A letter is taken to arrive within a week. An entry without a ground lifts all that the law set,
# so each of those needs its notice, written after the restriction it is about.
IS_TOLD = """
CREATE FUNCTION privacy_lifting_is_told() RETURNS trigger
LANGUAGE plpgsql AS $body$
DECLARE
    person record;
    day date := (LEAST(NEW.at, now()) AT TIME ZONE 'Europe/Stockholm')::date;
BEGIN
    SELECT id, restriction, email_returned_on INTO person
      FROM customers_customer WHERE pseudonym = NEW.subject;
    IF NOT FOUND OR person.restriction NOT IN ('a', 'b', 'c', 'd') THEN
        RETURN NEW;
    END IF;
    IF EXISTS (
        SELECT FROM (
            SELECT e.ground, max(e.at) AS since
              FROM consent_event e
             WHERE e.subject = NEW.subject AND e.kind = 'restricted'
               AND e.ground IN ('a', 'b', 'c', 'd') AND NEW.ground IN ('', e.ground)
             GROUP BY e.ground
        ) r
        WHERE NOT EXISTS (
            SELECT FROM disclosures_outbox o, LATERAL (
                SELECT (o.finished_at AT TIME ZONE 'Europe/Stockholm')::date AS sent_on
            ) s
             WHERE o.customer_id = person.id
               AND o.template = 'restriction_ends_' || r.ground
               AND o.status = 'sent'
               AND o.created_at >= r.since
               AND (o.kind = 'letter' OR person.email_returned_on IS NULL
                    OR person.email_returned_on < s.sent_on)
               AND privacy_lift_from(s.sent_on + CASE o.kind WHEN 'letter' THEN 7 ELSE 0 END) <= day
        )
    ) THEN
        RAISE EXCEPTION
            'A restriction is lifted on the fifth working day after its notice, not before (RES-05).';
    END IF;
    RETURN NEW;
END $body$;

CREATE TRIGGER lifting_is_told BEFORE INSERT ON consent_event FOR EACH ROW
WHEN (NEW.kind = 'unrestricted' AND NEW.authority <> 4)
EXECUTE FUNCTION privacy_lifting_is_told();
ALTER TABLE consent_event ENABLE ALWAYS TRIGGER lifting_is_told;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("privacy_requests", "0006_proofs"),
        ("consent", "0011_blocks_of_entries"),
        ("customers", "0007_due_by_index"),
        ("disclosures", "0005_due_by_index"),
    ]

    operations = [
        migrations.RunSQL(WORKING_DAY, "DROP FUNCTION privacy_working_day(date)"),
        migrations.RunSQL(LIFT_FROM, "DROP FUNCTION privacy_lift_from(date)"),
        migrations.RunSQL(
            IS_TOLD,
            "DROP TRIGGER lifting_is_told ON consent_event;DROP FUNCTION privacy_lifting_is_told()",
        ),
    ]
