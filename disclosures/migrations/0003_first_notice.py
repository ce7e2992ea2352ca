import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_digests_with_evidence"),
        ("disclosures", "0002_outbox_lease"),
    ]

    operations = [
        migrations.AddField(
            model_name="outbox",
            name="notice",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="consent.notice",
            ),
        ),
        migrations.AddConstraint(
            model_name="outbox",
            constraint=models.UniqueConstraint(
                condition=models.Q(("notice__isnull", False), ("status", "queued")),
                fields=("customer",),
                name="one_first_notice_on_its_way",
            ),
        ),
    ]
