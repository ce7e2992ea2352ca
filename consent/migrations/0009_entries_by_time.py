"""Find a person's entries by time: a yes asks whether a later no is written already."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0008_words_stay"),
        ("customers", "0004_contact_points"),
    ]

    operations = [
        migrations.AlterField(
            model_name="event",
            name="customer",
            field=models.ForeignKey(
                db_column="subject",
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="events",
                to="customers.customer",
                to_field="pseudonym",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["customer", "at"], name="entries_of_a_person"),
        ),
    ]
