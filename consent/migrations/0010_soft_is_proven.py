"""Refuse a soft opt-in without the sale behind it (MFL-02); what was written before stays."""

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0009_entries_by_time"),
    ]

    operations = [
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=~models.Q(kind="soft") | ~models.Q(evidence_hash=b""),
                name="soft_opt_in_is_proven",
            ),
        ),
    ]
