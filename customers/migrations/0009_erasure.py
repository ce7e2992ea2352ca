import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("customers", "0008_debts"),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name="accesslog",
            name="access_log_is_as_written",
        ),
        migrations.AddField(
            model_name="customer",
            name="erasure_on",
            field=models.DateField(blank=True, null=True, verbose_name="begärde radering"),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(
                    ("erasure_on__isnull", False),
                    models.Q(("family_name", ""), ("given_name", ""), _negated=True),
                ),
                fields=["erasure_on", "id"],
                name="customer_erasure",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accesslog",
            trigger=pgtrigger.compiler.Trigger(
                name="access_log_is_as_written",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF (NEW.id, NEW.customer_id, NEW.actor_id, NEW.reason, NEW.at) IS DISTINCT FROM (OLD.id, OLD.customer_id, OLD.actor_id, OLD.reason, OLD.at) OR NEW.words <> ''\n               OR NOT EXISTS (SELECT FROM customers_customer c WHERE c.id = NEW.customer_id\n                                 AND c.given_name = '' AND c.family_name = '') THEN\n                RAISE EXCEPTION 'Row % is as it was written.', OLD.id;\n            END IF;\n            RETURN NEW;\n        ",
                    hash="803b18dccbaf651f0b959313fd8f90ee28049e35",
                    operation="UPDATE",
                    pgid="pgtrigger_access_log_is_as_written_3e371",
                    table="customers_accesslog",
                    when="BEFORE",
                ),
            ),
        ),
    ]
