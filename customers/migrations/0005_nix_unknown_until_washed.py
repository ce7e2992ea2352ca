"""Ask anew about whoever is not known to be in NIX: an older no may never have been asked (NIX-01)."""

from django.db import migrations, models

REGISTERS = ("nix_phone", "nix_post")


class Migration(migrations.Migration):
    dependencies = [("customers", "0004_contact_points")]

    operations = [
        migrations.AlterField(
            "customer",
            "nix_phone",
            models.BooleanField("i NIX-Telefon", null=True, blank=True),
        ),
        migrations.AlterField(
            "customer",
            "nix_post",
            models.BooleanField("i NIX adresserat", null=True, blank=True),
        ),
        *(
            migrations.RunSQL(
                f"UPDATE customers_customer SET {name} = NULL WHERE NOT {name}",
                f"UPDATE customers_customer SET {name} = FALSE WHERE {name} IS NULL",
            )
            for name in REGISTERS
        ),
    ]
