"""What is known of the wiping of the data files, and a function that clears up after it.

An interrupted REINDEX CONCURRENTLY leaves an index that nobody reads and everybody writes, with
words in it. Only the owner may drop it, so the owner's function does, for whoever wipes.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

DROP_UNFINISHED = r"""
CREATE FUNCTION retention_drop_unfinished_indexes() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $body$
DECLARE
    unfinished regclass;
BEGIN
    FOR unfinished IN
        SELECT c.oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
         WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'
           AND c.relnamespace = 'public'::regnamespace AND pg_has_role(c.relowner, 'USAGE')
    LOOP
        EXECUTE format('DROP INDEX %s', unfinished);
    END LOOP;
END $body$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("retention", "0008_holds_reviewed"),
    ]

    operations = [
        migrations.CreateModel(
            name="Wipe",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "began_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="började"),
                ),
                ("horizon", models.PositiveBigIntegerField()),
                ("tables", models.JSONField(default=dict, verbose_name="tabeller")),
                (
                    "waits_for",
                    models.CharField(blank=True, max_length=120, verbose_name="väntar på"),
                ),
                (
                    "finished_at",
                    models.DateTimeField(blank=True, null=True, verbose_name="slutade"),
                ),
                (
                    "certificate",
                    models.JSONField(blank=True, null=True, verbose_name="intyg"),
                ),
                (
                    "run",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="wipe",
                        to="retention.run",
                    ),
                ),
            ],
            options={
                "verbose_name": "överskrivning",
                "verbose_name_plural": "överskrivningar",
            },
        ),
        migrations.RunSQL(DROP_UNFINISHED, "DROP FUNCTION retention_drop_unfinished_indexes()"),
    ]
