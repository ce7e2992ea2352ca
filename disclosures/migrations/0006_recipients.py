# The recipients, their agreements, what they got and what they are told (PRO-01, NOT-01).

import customers.dates
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0011_blocks_of_entries"),
        ("customers", "0008_debts"),
        ("disclosures", "0005_due_by_index"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Adequacy",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "country",
                    models.CharField(
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z]{2}\\Z", "Skriv landet som två stora bokstäver: SE, US."
                            )
                        ],
                        verbose_name="land",
                    ),
                ),
                (
                    "reach",
                    models.CharField(
                        choices=[
                            ("all", "alla mottagare"),
                            ("commercial", "företag"),
                            ("certified", "företag som är certifierade enligt DPF"),
                        ],
                        default="all",
                        max_length=10,
                        verbose_name="gäller",
                    ),
                ),
                ("decision", models.CharField(max_length=40, verbose_name="beslut")),
                ("valid_from", models.DateField(verbose_name="från och med")),
                (
                    "valid_until",
                    models.DateField(blank=True, null=True, verbose_name="till och med"),
                ),
            ],
            options={
                "verbose_name": "godkänt land",
                "verbose_name_plural": "godkända länder",
                "ordering": ["country", "valid_from"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("valid_until__isnull", True),
                            ("valid_until__gte", models.F("valid_from")),
                            _connector="OR",
                        ),
                        name="adequacy_dates_in_order",
                    ),
                    models.UniqueConstraint(
                        fields=("country", "reach", "valid_from"), name="one_adequacy_per_start"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Recipient",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("processor", "arbetar åt oss (personuppgiftsbiträde)"),
                            ("partner", "gör egen reklam (samarbetspartner)"),
                            ("controller", "ansvarar själv för uppgifterna"),
                            ("authority", "myndighet"),
                        ],
                        max_length=10,
                        verbose_name="slag",
                    ),
                ),
                (
                    "legal_name",
                    models.CharField(max_length=200, unique=True, verbose_name="juridiskt namn"),
                ),
                ("name", models.CharField(max_length=40, unique=True, verbose_name="namn")),
                ("task", models.CharField(max_length=200, verbose_name="gör")),
                ("email", models.EmailField(max_length=254, verbose_name="kontakt för dataskydd")),
                (
                    "country",
                    models.CharField(
                        default="SE",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z]{2}\\Z", "Skriv landet som två stora bokstäver: SE, US."
                            )
                        ],
                        verbose_name="land",
                    ),
                ),
                (
                    "is_certified",
                    models.BooleanField(default=False, verbose_name="certifierad enligt DPF"),
                ),
                (
                    "purposes",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("A", "Leverera det du köpt"),
                                ("A2", "Pröva köp mot faktura"),
                                ("B", "Svara på dina frågor"),
                                ("C", "Enkäter"),
                                ("D", "Statistik som inte pekar ut någon"),
                                ("E", "Hur du använder webbplatsen"),
                                ("F", "Rabatter för din grupp"),
                                ("G", "Nyheter medan du är kund"),
                                ("H", "Erbjudanden från oss"),
                                ("I", "Tips efter dina köp"),
                                ("J", "Göra webbplatsen bättre"),
                                ("K", "Viktiga besked"),
                                ("L", "Bokföring"),
                                ("L2", "Obetalda fakturor"),
                                ("P", "Lämna ut till ett annat företag"),
                                ("R", "Kunna visa att vi gjort rätt"),
                            ],
                            max_length=2,
                        ),
                        size=None,
                        verbose_name="får uppgifter för",
                    ),
                ),
                (
                    "categories",
                    models.PositiveIntegerField(verbose_name="får högst dessa uppgifter"),
                ),
                ("active_from", models.DateField(verbose_name="från och med")),
                (
                    "active_until",
                    models.DateField(blank=True, null=True, verbose_name="till och med"),
                ),
            ],
            options={
                "verbose_name": "mottagare",
                "verbose_name_plural": "mottagare",
                "ordering": ["name"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("active_until__isnull", True),
                            ("active_until__gte", models.F("active_from")),
                            _connector="OR",
                        ),
                        name="recipient_dates_in_order",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                        name="recipient_country_is_iso",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "partner"), ("purposes", ["P"])),
                            models.Q(
                                models.Q(("kind", "partner"), _negated=True),
                                models.Q(("purposes__contains", ["P"]), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="partners_get_for_p",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "partner"), _negated=True),
                            ("categories__in", [3, 5, 7]),
                            _connector="OR",
                        ),
                        name="partners_get_how_to_reach",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Agreement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("reference", models.CharField(max_length=100, verbose_name="var avtalet finns")),
                ("valid_from", models.DateField(verbose_name="från och med")),
                (
                    "valid_until",
                    models.DateField(blank=True, null=True, verbose_name="till och med"),
                ),
                (
                    "instructions",
                    models.BooleanField(verbose_name="följer bara våra skriftliga instruktioner"),
                ),
                ("confidentiality", models.BooleanField(verbose_name="tystnadsplikt")),
                ("security", models.BooleanField(verbose_name="säkerhet enligt artikel 32")),
                (
                    "sub_processing",
                    models.BooleanField(verbose_name="underbiträden bara med vårt tillstånd"),
                ),
                (
                    "rights",
                    models.BooleanField(
                        verbose_name="hjälper oss när någon använder sina rättigheter"
                    ),
                ),
                ("breaches", models.BooleanField(verbose_name="anmäler incidenter till oss")),
                (
                    "deletion",
                    models.BooleanField(
                        verbose_name="raderar eller lämnar tillbaka när avtalet slutar"
                    ),
                ),
                ("audits", models.BooleanField(verbose_name="vi får granska dem")),
                (
                    "transfers",
                    models.BooleanField(
                        verbose_name="för inte ut uppgifter ur EU och EES utan oss"
                    ),
                ),
                (
                    "countries",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            max_length=2,
                            validators=[
                                django.core.validators.RegexValidator(
                                    "\\A[A-Z]{2}\\Z",
                                    "Skriv landet som två stora bokstäver: SE, US.",
                                )
                            ],
                        ),
                        blank=True,
                        default=list,
                        size=None,
                        verbose_name="andra länder där uppgifterna finns",
                    ),
                ),
                (
                    "safeguard",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "behövs inte"),
                            ("adequacy", "EU har godkänt landet"),
                            ("scc", "EU:s standardavtal"),
                        ],
                        default="",
                        max_length=8,
                        verbose_name="skydd utanför EU och EES",
                    ),
                ),
                (
                    "scc_module",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        choices=[
                            (1, "1: ansvarig till ansvarig"),
                            (2, "2: ansvarig till biträde"),
                            (3, "3: biträde till biträde"),
                            (4, "4: biträde till ansvarig"),
                        ],
                        null=True,
                        verbose_name="modul",
                    ),
                ),
                (
                    "transfer_assessment",
                    models.TextField(blank=True, verbose_name="bedömning av överföringen"),
                ),
                ("assessed_on", models.DateField(blank=True, null=True, verbose_name="bedömd")),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="agreements",
                        to="disclosures.recipient",
                        verbose_name="mottagare",
                    ),
                ),
            ],
            options={
                "verbose_name": "avtal",
                "verbose_name_plural": "avtal",
                "ordering": ["recipient", "-valid_from"],
            },
        ),
        migrations.CreateModel(
            name="RecipientNotice",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "reference",
                    models.CharField(blank=True, max_length=20, verbose_name="kundnummer"),
                ),
                (
                    "act",
                    models.CharField(
                        choices=[
                            ("rectified", "rättade"),
                            ("erased", "raderade"),
                            ("restricted", "begränsade"),
                            ("lifted", "begränsningen hävd"),
                            ("declined", "nej till reklam"),
                        ],
                        max_length=10,
                        verbose_name="vad vi gjorde",
                    ),
                ),
                (
                    "categories",
                    models.PositiveIntegerField(default=0, verbose_name="slags uppgifter"),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-post"),
                            ("sms", "Sms"),
                            ("phone", "Telefon"),
                            ("post", "Post"),
                            ("social", "Sociala medier"),
                            ("push", "Notiser i appen"),
                            ("web", "Webben"),
                            ("portal", "Min sida"),
                            ("internal", "Hos oss"),
                        ],
                        max_length=8,
                        verbose_name="kanal",
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="skrivet"),
                ),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="skickat")),
                ("attempts", models.PositiveSmallIntegerField(default=1, verbose_name="utskick")),
                ("next_chase_on", models.DateField(blank=True, null=True, verbose_name="påminns")),
                (
                    "escalated_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="till dataskyddsombudet"
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("done", "bekräftat"),
                            ("impossible", "gick inte att säga till"),
                            ("too_much", "orimligt svårt att säga till"),
                        ],
                        max_length=10,
                        verbose_name="utfall",
                    ),
                ),
                (
                    "closed_at",
                    models.DateTimeField(
                        blank=True, null=True, verbose_name="bekräftat eller avslutat"
                    ),
                ),
                (
                    "reason",
                    models.TextField(blank=True, verbose_name="hur vi vet, eller varför inte"),
                ),
                (
                    "retain_until",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.dates.Plus(
                            customers.dates.StockholmDate(models.F("closed_at")), months=36
                        ),
                        output_field=models.DateField(null=True),
                    ),
                ),
                (
                    "closed_by",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="vem",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_column="subject",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="recipient_notices",
                        to="customers.customer",
                        to_field="pseudonym",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="disclosures.outbox",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notices",
                        to="disclosures.recipient",
                        verbose_name="mottagare",
                    ),
                ),
            ],
            options={
                "verbose_name": "besked till mottagare",
                "verbose_name_plural": "besked till mottagare",
                "ordering": ["-created_at", "pk"],
            },
        ),
        migrations.CreateModel(
            name="SubProcessor",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("legal_name", models.CharField(max_length=200, verbose_name="juridiskt namn")),
                ("task", models.CharField(max_length=200, verbose_name="gör")),
                (
                    "country",
                    models.CharField(
                        default="SE",
                        max_length=2,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z]{2}\\Z", "Skriv landet som två stora bokstäver: SE, US."
                            )
                        ],
                        verbose_name="land",
                    ),
                ),
                (
                    "is_certified",
                    models.BooleanField(default=False, verbose_name="certifierad enligt DPF"),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sub_processors",
                        to="disclosures.agreement",
                    ),
                ),
            ],
            options={
                "verbose_name": "underbiträde",
                "verbose_name_plural": "underbiträden",
            },
        ),
        migrations.CreateModel(
            name="Disclosure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="när")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("A", "Leverera det du köpt"),
                            ("A2", "Pröva köp mot faktura"),
                            ("B", "Svara på dina frågor"),
                            ("C", "Enkäter"),
                            ("D", "Statistik som inte pekar ut någon"),
                            ("E", "Hur du använder webbplatsen"),
                            ("F", "Rabatter för din grupp"),
                            ("G", "Nyheter medan du är kund"),
                            ("H", "Erbjudanden från oss"),
                            ("I", "Tips efter dina köp"),
                            ("J", "Göra webbplatsen bättre"),
                            ("K", "Viktiga besked"),
                            ("L", "Bokföring"),
                            ("L2", "Obetalda fakturor"),
                            ("P", "Lämna ut till ett annat företag"),
                            ("R", "Kunna visa att vi gjort rätt"),
                        ],
                        max_length=2,
                        verbose_name="ändamål",
                    ),
                ),
                (
                    "basis",
                    models.CharField(
                        choices=[
                            ("c", "CONTRACT"),
                            ("l", "LEGAL_OBLIGATION"),
                            ("f", "LEGITIMATE_INTEREST"),
                            ("s", "CONSENT"),
                        ],
                        max_length=1,
                        verbose_name="rättslig grund",
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("email", "E-post"),
                            ("sms", "Sms"),
                            ("phone", "Telefon"),
                            ("post", "Post"),
                            ("social", "Sociala medier"),
                            ("push", "Notiser i appen"),
                            ("web", "Webben"),
                            ("portal", "Min sida"),
                            ("internal", "Hos oss"),
                        ],
                        max_length=8,
                        verbose_name="kanal",
                    ),
                ),
                ("categories", models.PositiveIntegerField(verbose_name="slags uppgifter")),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=30),
                        size=None,
                        verbose_name="uppgifter",
                    ),
                ),
                ("country", models.CharField(max_length=2, verbose_name="land")),
                (
                    "safeguard",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("", "behövs inte"),
                            ("adequacy", "EU har godkänt landet"),
                            ("scc", "EU:s standardavtal"),
                        ],
                        max_length=8,
                        verbose_name="skydd utanför EU och EES",
                    ),
                ),
                (
                    "retain_until",
                    models.GeneratedField(
                        db_persist=True,
                        expression=customers.dates.Plus(
                            customers.dates.StockholmDate(models.F("at")), months=36
                        ),
                        output_field=models.DateField(),
                    ),
                ),
                (
                    "agreement",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="disclosures.agreement",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_column="subject",
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="disclosures",
                        to="customers.customer",
                        to_field="pseudonym",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="consent.event",
                    ),
                ),
                (
                    "recipient",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="disclosures",
                        to="disclosures.recipient",
                        verbose_name="mottagare",
                    ),
                ),
            ],
            options={
                "verbose_name": "utlämnande",
                "verbose_name_plural": "utlämnanden",
                "ordering": ["-at", "-pk"],
                "indexes": [
                    models.Index(fields=["customer", "recipient"], name="disclosures_of_a_person"),
                    models.Index(fields=["retain_until"], name="disclosure_retain_until"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("purpose", "A2"),
                            models.Q(("fields__contains", ["national_id"]), _negated=True),
                            _connector="OR",
                        ),
                        name="identity_number_for_credit_only",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("purpose", "P"), _negated=True),
                            models.Q(("basis", "s"), ("event__isnull", False)),
                            _connector="OR",
                        ),
                        name="partner_disclosure_has_its_yes",
                    ),
                ],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="disclosure",
            trigger=pgtrigger.compiler.Trigger(
                name="disclosure_is_as_written",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="e4bc5a0e3f20d30cb4c18793483e35fed504c387",
                    operation="UPDATE",
                    pgid="pgtrigger_disclosure_is_as_written_28664",
                    table="disclosures_disclosure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="disclosure",
            trigger=pgtrigger.compiler.Trigger(
                name="disclosure_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF OLD.retain_until >= (now() AT TIME ZONE 'Europe/Stockholm')::date THEN\n                RAISE EXCEPTION 'Row % is kept to and including % (RUL-21).',\n                    OLD.id, OLD.retain_until;\n            END IF;\n            RETURN OLD;\n        ",
                    hash="38e75a70815738548aeb28b37a46afc74925d426",
                    operation="DELETE",
                    pgid="pgtrigger_disclosure_stays_b694b",
                    table="disclosures_disclosure",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="disclosure",
            trigger=pgtrigger.compiler.Trigger(
                name="disclosure_not_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'This table is never emptied.';",
                    hash="aba90ba0c631717f337ef3b5dc1d7c8126bac314",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_disclosure_not_emptied_f84d5",
                    table="disclosures_disclosure",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("valid_until__isnull", True),
                    ("valid_until__gte", models.F("valid_from")),
                    _connector="OR",
                ),
                name="agreement_dates_in_order",
            ),
        ),
        migrations.AddConstraint(
            model_name="agreement",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("safeguard", "scc"), _negated=True),
                    models.Q(
                        ("assessed_on__isnull", False),
                        ("scc_module__isnull", False),
                        models.Q(("transfer_assessment", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="clauses_are_assessed",
            ),
        ),
        migrations.AddIndex(
            model_name="recipientnotice",
            index=models.Index(fields=["customer", "created_at"], name="notices_of_a_person"),
        ),
        migrations.AddIndex(
            model_name="recipientnotice",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", True)),
                fields=["next_chase_on"],
                name="recipient_notice_open",
            ),
        ),
        migrations.AddIndex(
            model_name="recipientnotice",
            index=models.Index(fields=["message"], name="recipient_notice_message"),
        ),
        migrations.AddIndex(
            model_name="recipientnotice",
            index=models.Index(fields=["retain_until"], name="recipient_notice_retain_until"),
        ),
        migrations.AddConstraint(
            model_name="recipientnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("closed_at__isnull", True),
                        ("closed_by__isnull", True),
                        ("outcome", ""),
                        ("reason", ""),
                    ),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        models.Q(("outcome", ""), _negated=True),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="recipient_notice_closed_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="recipientnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(("closed_at__isnull", True), ("reference", ""), _connector="OR"),
                name="recipient_notice_forgets_whom",
            ),
        ),
        migrations.AddConstraint(
            model_name="recipientnotice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("next_chase_on__isnull", False)),
                    models.Q(("closed_at__isnull", False), ("next_chase_on__isnull", True)),
                    _connector="OR",
                ),
                name="recipient_notice_is_chased",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recipientnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="recipient_notice_stays",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="\n            IF OLD.retain_until >= (now() AT TIME ZONE 'Europe/Stockholm')::date THEN\n                RAISE EXCEPTION 'Row % is kept to and including % (RUL-21).',\n                    OLD.id, OLD.retain_until;\n            END IF;\n            RETURN OLD;\n        ",
                    hash="ee9d301914a14deb5f1e30795e40a94381881c09",
                    operation="DELETE",
                    pgid="pgtrigger_recipient_notice_stays_54965",
                    table="disclosures_recipientnotice",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="recipientnotice",
            trigger=pgtrigger.compiler.Trigger(
                name="recipient_notice_not_emptied",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'This table is never emptied.';",
                    hash="82868387cdd9613032a9e51d1e2fbebaf44e4309",
                    level="STATEMENT",
                    operation="TRUNCATE",
                    pgid="pgtrigger_recipient_notice_not_emptied_f666d",
                    table="disclosures_recipientnotice",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="subprocessor",
            constraint=models.UniqueConstraint(
                fields=("agreement", "legal_name"), name="one_sub_processor_of_a_name"
            ),
        ),
    ]
