"""Salt the evidence that is there and compute every digest anew; nothing is sealed yet."""

from django.db import migrations

ANEW = """
    SET CONSTRAINTS ALL IMMEDIATE;
    ALTER TABLE consent_event DISABLE TRIGGER pgtrigger_event_append_only_f8395;
    UPDATE consent_eventdetail SET evidence_salt = uuid_send(gen_random_uuid())
     WHERE evidence <> '';
    UPDATE consent_event e
       SET evidence_hash = sha256(d.evidence_salt || convert_to(d.evidence, 'UTF8'))
      FROM consent_eventdetail d WHERE d.event_id = e.id AND d.evidence <> '';
    UPDATE consent_event
       SET digest = sha256(convert_to(json_build_array(id, at AT TIME ZONE 'UTC', subject, kind,
               purpose, channel, third_party, ground, notice_id, collected, authority,
               encode(evidence_hash, 'hex'))::text, 'UTF8'));
    ALTER TABLE consent_event ENABLE TRIGGER pgtrigger_event_append_only_f8395;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0004_seals"),
    ]

    operations = [
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
    ]
