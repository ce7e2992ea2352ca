"""Call what a seal counts by its name: entries, sixteen of which are a leaf of its tree now.

Digests are computed with fewer steps too. Seals made before, in development only, do not hold any
more: their rows go here, and whoever keeps such a folder moves it away.
"""

from django.db import migrations, models

WORDS = ("kind", "purpose", "channel", "ground", "collected", "third_party")
LENGTHS = " | ".join(f"(length({word})::bigint << {8 * place})" for place, word in enumerate(WORDS))
DIGEST = (
    "sha256(int8send(id) || timestamptz_send(at) || uuid_send(subject) || "
    "int8send(COALESCE(notice_id, 0)) || "
    f"int8send((authority::bigint << 48) | {LENGTHS}) || "
    rf"replace({' || '.join(WORDS)}, '\', '\\')::bytea || evidence_hash)"
)
UNSEAL = """
    ALTER TABLE consent_seal DISABLE TRIGGER USER;
    DELETE FROM consent_seal;
    ALTER TABLE consent_seal ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0010_soft_is_proven"),
    ]

    operations = [
        migrations.RunSQL(UNSEAL, migrations.RunSQL.noop),
        migrations.RemoveField(model_name="event", name="digest"),
        migrations.AddField(
            model_name="event",
            name="digest",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Func(template=DIGEST, output_field=models.BinaryField()),
                output_field=models.BinaryField(max_length=32),
            ),
        ),
        migrations.RemoveConstraint(model_name="seal", name="seal_covers_entries"),
        migrations.RenameField(model_name="seal", old_name="leaf_count", new_name="entry_count"),
        migrations.AddConstraint(
            model_name="seal",
            constraint=models.CheckConstraint(
                condition=models.Q(("first_event__lte", models.F("last_event")))
                & models.Q(("entry_count__gte", 1)),
                name="seal_covers_entries",
            ),
        ),
    ]
