from django.db import migrations


class Migration(migrations.Migration):
    """The suppression list has moved to customers with its rows (customers.0004)."""

    dependencies = [
        ("customers", "0004_contact_points"),
        ("retention", "0003_holds_need_no_settling"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel(name="Suppression")],
        ),
    ]
