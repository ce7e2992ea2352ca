import uuid

from django.db import migrations, models


RENAME = "ALTER TABLE {0} RENAME TO {1}"


class Migration(migrations.Migration):
    """The suppression list comes here from retention with its rows; retention.0004 lets go of it."""

    dependencies = [
        ("customers", "0003_withdrawn_orders"),
        ("retention", "0003_holds_need_no_settling"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    RENAME.format("retention_suppression", "customers_suppression"),
                    RENAME.format("customers_suppression", "retention_suppression"),
                ),
            ],
            state_operations=[
                migrations.CreateModel(
                    name="Suppression",
                    fields=[
                        (
                            "id",
                            models.UUIDField(
                                default=uuid.uuid4,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[("email", "e-post"), ("phone", "telefon")],
                                max_length=5,
                                verbose_name="slag",
                            ),
                        ),
                        ("digest", models.BinaryField(max_length=32)),
                        ("added_on", models.DateField(verbose_name="tillagd")),
                    ],
                    options={
                        "verbose_name": "spärrad adress",
                        "verbose_name_plural": "spärrade adresser",
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("kind", "digest"), name="one_suppression"
                            )
                        ],
                    },
                ),
            ],
        ),
        migrations.AlterField(
            model_name="suppression",
            name="kind",
            field=models.CharField(
                choices=[("email", "e-post"), ("phone", "telefon"), ("address", "adress")],
                max_length=8,
                verbose_name="slag",
            ),
        ),
        migrations.AddField(
            model_name="address",
            name="returned_on",
            field=models.DateField(blank=True, null=True, verbose_name="posten kom tillbaka"),
        ),
        migrations.AddField(
            model_name="address",
            name="suppressed_on",
            field=models.DateField(
                blank=True, null=True, verbose_name="adressen spärrad för reklam"
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="email_returned_on",
            field=models.DateField(blank=True, null=True, verbose_name="e-posten kom tillbaka"),
        ),
        migrations.AddField(
            model_name="customer",
            name="email_suppressed_on",
            field=models.DateField(
                blank=True, null=True, verbose_name="e-posten spärrad för reklam"
            ),
        ),
        migrations.AddField(
            model_name="customer",
            name="phone_returned_on",
            field=models.DateField(blank=True, null=True, verbose_name="mobilen gick inte att nå"),
        ),
        migrations.AddField(
            model_name="customer",
            name="phone_suppressed_on",
            field=models.DateField(
                blank=True, null=True, verbose_name="mobilen spärrad för reklam"
            ),
        ),
    ]
