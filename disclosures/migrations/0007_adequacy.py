# The countries the EU has found adequate, by decision and dates (TRF-02).
from datetime import date

from django.db import migrations

DECISIONS = (
    ("CH", "all", "2000/518/EG", date(2000, 7, 26), None),
    ("CA", "commercial", "2002/2/EG", date(2001, 12, 20), None),
    ("AR", "all", "2003/490/EG", date(2003, 6, 30), None),
    ("GG", "all", "2003/821/EG", date(2003, 11, 21), None),
    ("IM", "all", "2004/411/EG", date(2004, 4, 28), None),
    ("JE", "all", "2008/393/EG", date(2008, 5, 8), None),
    ("FO", "all", "2010/146/EU", date(2010, 3, 5), None),
    ("AD", "all", "2010/625/EU", date(2010, 10, 19), None),
    ("IL", "all", "2011/61/EU", date(2011, 1, 31), None),
    ("UY", "all", "2012/484/EU", date(2012, 8, 21), None),
    ("NZ", "all", "2013/65/EU", date(2012, 12, 19), None),
    ("JP", "all", "2019/419", date(2019, 1, 23), None),
    ("GB", "all", "2021/1772", date(2021, 6, 28), date(2031, 12, 27)),
    ("KR", "all", "2022/254", date(2021, 12, 17), None),
    ("US", "certified", "2023/1795", date(2023, 7, 10), None),
    ("BR", "all", "26 januari 2026", date(2026, 1, 26), None),
)


def write(apps, schema_editor):
    model = apps.get_model("disclosures", "Adequacy")
    for country, reach, decision, valid_from, valid_until in DECISIONS:
        model.objects.get_or_create(
            country=country,
            reach=reach,
            valid_from=valid_from,
            defaults={"decision": decision, "valid_until": valid_until},
        )


class Migration(migrations.Migration):
    dependencies = [("disclosures", "0006_recipients")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
