"""Call what a seal counts by its name: entries, sixteen of which are a leaf of its tree now."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0010_soft_is_proven"),
    ]

    operations = [
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
