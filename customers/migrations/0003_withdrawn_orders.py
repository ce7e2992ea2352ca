import django.db.models.functions.comparison
from django.db import migrations, models

import customers.dates


class Migration(migrations.Migration):
    """A generated column is made anew, with its index; PostgreSQL fills it from the row."""

    dependencies = [
        ("customers", "0002_access_log"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="order", name="order_retain_until"),
        migrations.RemoveField(model_name="order", name="retain_until"),
        migrations.AddField(
            model_name="order",
            name="retain_until",
            field=models.GeneratedField(
                db_persist=True,
                expression=customers.dates.Plus(
                    django.db.models.functions.comparison.Coalesce(
                        models.F("delivered_on"),
                        models.F("cancelled_on"),
                        models.F("withdrawn_on"),
                    ),
                    months=36,
                ),
                output_field=models.DateField(null=True),
            ),
        ),
        migrations.AddIndex(
            model_name="order",
            index=models.Index(
                condition=models.Q(("retain_until__isnull", False)),
                fields=["retain_until", "customer"],
                name="order_retain_until",
            ),
        ),
    ]
