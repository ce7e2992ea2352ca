"""Let the database compute digests in a generated column, and demand the proof of every yes.

Digests are of another kind from here on. Seals made before, in development only, do not hold any
more: their rows go here, and whoever keeps such a folder moves it away.
"""

import pgtrigger.migrations
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models

WORDS = ("kind", "purpose", "channel", "ground", "collected", "third_party")
DIGEST = (
    "sha256(int8send(id) || timestamptz_send(at) || uuid_send(subject) || "
    "int8send(COALESCE(notice_id, 0)) || int2send(authority) || "
    "int4send(octet_length(evidence_hash)) || evidence_hash || replace("
    + " || ".join(f"length({word})::text || ':' || {word}" for word in WORDS)
    + r", '\', '\\')::bytea)"
)
UNSEAL = """
    ALTER TABLE consent_seal DISABLE TRIGGER USER;
    DELETE FROM consent_seal;
    ALTER TABLE consent_seal ENABLE TRIGGER USER;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_digests_with_evidence"),
    ]

    operations = [
        migrations.RunSQL(UNSEAL, migrations.RunSQL.noop),
        pgtrigger.migrations.RemoveTrigger(model_name="event", name="event_digest"),
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
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("notice", "fick information"),
                    ("soft", "fick veta att reklam kan komma, vid köp"),
                    ("yes", "sa ja"),
                    ("withdrawn", "tog tillbaka sitt ja"),
                    ("no", "sa nej"),
                    ("unsubscribed", "stoppade reklam med en länk"),
                    ("objection", "invände mot en användning"),
                    ("unproven", "äldre ja utan bevis"),
                    ("restricted", "begränsade användningen"),
                    ("unrestricted", "begränsningen hävdes"),
                ],
                max_length=12,
                verbose_name="vad",
            ),
        ),
        # What was written before stays as it was written.
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=~models.Q(kind="yes")
                | models.Q(authority__in=[2, 4]) & ~models.Q(evidence_hash=b""),
                name="yes_is_proven",
            ),
        ),
    ]
