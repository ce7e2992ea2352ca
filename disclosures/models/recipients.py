"""Recipients: who may get data from us, by which agreement and in which country."""

from datetime import date

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from consent.purposes import CODES
from customers.personal_data import Category, Impersonal

# Article 28(3), point by point, as PRO-01 lists it; the fields of Agreement by these names.
ARTICLE_28 = (
    *("instructions", "confidentiality", "security", "sub_processing", "rights"),
    *("breaches", "deletion", "audits", "transfers"),
)
ISO_COUNTRY = RegexValidator(r"\A[A-Z]{2}\Z", _("Skriv landet som två stora bokstäver: SE, US."))


def _in_force(on: date, since: str, until: str) -> Q:
    return Q(**{f"{since}__lte": on}) & (
        Q(**{f"{until}__isnull": True}) | Q(**{f"{until}__gte": on})
    )


class RecipientQuerySet(models.QuerySet["Recipient"]):
    def active(self, on: date) -> "RecipientQuerySet":
        """Keep those we work with on a day."""
        return self.filter(_in_force(on, "active_from", "active_until"))


class Recipient(models.Model):
    """Somebody outside who may get data from us; what they are is said outright (PRO-01)."""

    class Kind(models.TextChoices):
        PROCESSOR = "processor", _("arbetar åt oss (personuppgiftsbiträde)")
        PARTNER = "partner", _("gör egen reklam (samarbetspartner)")
        CONTROLLER = "controller", _("ansvarar själv för uppgifterna")
        AUTHORITY = "authority", _("myndighet")

    kind = models.CharField(_("slag"), max_length=10, choices=Kind)
    legal_name = models.CharField(_("juridiskt namn"), max_length=200, unique=True)
    # By this name people say yes and no to a partner (PAR-01), and it is never changed after that.
    name = models.CharField(_("namn"), max_length=40, unique=True)
    # What they do for us, as the person is told of it.
    task = models.CharField(_("gör"), max_length=200)
    email = models.EmailField(_("kontakt för dataskydd"))
    country = models.CharField(_("land"), max_length=2, default="SE", validators=[ISO_COUNTRY])
    # US: on the list of the Data Privacy Framework (TRF-02).
    is_certified = models.BooleanField(_("certifierad enligt DPF"), default=False)
    purposes = ArrayField(
        models.CharField(max_length=2, choices=CODES), verbose_name=_("får uppgifter för")
    )
    # A mask of customers.personal_data.Category: the most they may ever get.
    categories = models.PositiveIntegerField(_("får högst dessa uppgifter"))
    active_from = models.DateField(_("från och med"))
    active_until = models.DateField(_("till och med"), null=True, blank=True)

    objects = RecipientQuerySet.as_manager()

    personal_data = Impersonal(
        columns=(
            *("kind", "legal_name", "name", "task", "email", "country", "is_certified"),
            *("purposes", "categories", "active_from", "active_until"),
        )
    )

    class Meta:
        verbose_name = _("mottagare")
        verbose_name_plural = _("mottagare")
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="recipient_dates_in_order",
                condition=Q(active_until__isnull=True) | Q(active_until__gte=F("active_from")),
            ),
            models.CheckConstraint(
                name="recipient_country_is_iso", condition=Q(country__regex=r"^[A-Z]{2}$")
            ),
            # Marketing of their own is a partner's only purpose, and nobody else's (PAR-01).
            models.CheckConstraint(
                name="partners_get_for_p",
                condition=Q(kind="partner", purposes=["P"])
                | (~Q(kind="partner") & ~Q(purposes__contains=["P"])),
            ),
            # PAR-02: name and how to reach, never more.
            models.CheckConstraint(
                name="partners_get_how_to_reach",
                condition=~Q(kind="partner")
                | Q(
                    categories__in=[
                        Category.IDENTITY | more
                        for more in (
                            *(Category.CONTACT, Category.ADDRESS),
                            Category.CONTACT | Category.ADDRESS,
                        )
                    ]
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def may_get(self) -> list[Category]:
        """Return the categories they may get at most."""
        return [category for category in Category if self.categories & category.value]


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def in_force(self, on: date) -> "AgreementQuerySet":
        """Keep those signed and not ended on a day; `rules.flaws` says whether they suffice."""
        return self.filter(_in_force(on, "valid_from", "valid_until"))


class Agreement(models.Model):
    """What a recipient has signed: every point of Article 28(3), countries and safeguard."""

    class Safeguard(models.TextChoices):
        NONE = "", _("behövs inte")
        ADEQUACY = "adequacy", _("EU har godkänt landet")
        SCC = "scc", _("EU:s standardavtal")

    class Module(models.IntegerChoices):
        """The modules of the clauses in decision 2021/914."""

        CONTROLLER_CONTROLLER = 1, _("1: ansvarig till ansvarig")
        CONTROLLER_PROCESSOR = 2, _("2: ansvarig till biträde")
        PROCESSOR_PROCESSOR = 3, _("3: biträde till biträde")
        PROCESSOR_CONTROLLER = 4, _("4: biträde till ansvarig")

    recipient = models.ForeignKey(
        Recipient, models.PROTECT, related_name="agreements", verbose_name=_("mottagare")
    )
    reference = models.CharField(_("var avtalet finns"), max_length=100)
    valid_from = models.DateField(_("från och med"))
    valid_until = models.DateField(_("till och med"), null=True, blank=True)
    instructions = models.BooleanField(_("följer bara våra skriftliga instruktioner"))
    confidentiality = models.BooleanField(_("tystnadsplikt"))
    security = models.BooleanField(_("säkerhet enligt artikel 32"))
    sub_processing = models.BooleanField(_("underbiträden bara med vårt tillstånd"))
    rights = models.BooleanField(_("hjälper oss när någon använder sina rättigheter"))
    breaches = models.BooleanField(_("anmäler incidenter till oss"))
    deletion = models.BooleanField(_("raderar eller lämnar tillbaka när avtalet slutar"))
    audits = models.BooleanField(_("vi får granska dem"))
    transfers = models.BooleanField(_("för inte ut uppgifter ur EU och EES utan oss"))
    # Where the recipient itself handles the data, its own country apart.
    countries = ArrayField(
        models.CharField(max_length=2, validators=[ISO_COUNTRY]),
        verbose_name=_("andra länder där uppgifterna finns"),
        default=list,
        blank=True,
    )
    safeguard = models.CharField(
        _("skydd utanför EU och EES"), max_length=8, choices=Safeguard, blank=True, default=""
    )
    scc_module = models.PositiveSmallIntegerField(_("modul"), choices=Module, null=True, blank=True)
    transfer_assessment = models.TextField(_("bedömning av överföringen"), blank=True)
    assessed_on = models.DateField(_("bedömd"), null=True, blank=True)

    objects = AgreementQuerySet.as_manager()

    personal_data = Impersonal(
        columns=(
            *("recipient", "reference", "valid_from", "valid_until", *ARTICLE_28),
            *("countries", "safeguard", "scc_module", "transfer_assessment", "assessed_on"),
        )
    )

    class Meta:
        verbose_name = _("avtal")
        verbose_name_plural = _("avtal")
        ordering = ["recipient", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="agreement_dates_in_order",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
            # TRF-01: the clauses count with their module, an assessment and its day.
            models.CheckConstraint(
                name="clauses_are_assessed",
                condition=~Q(safeguard="scc")
                | (
                    Q(scc_module__isnull=False, assessed_on__isnull=False)
                    & ~Q(transfer_assessment="")
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} {self.reference}"

    @property
    def missing(self) -> list[str]:
        """Return the points of Article 28(3) it does not hold."""
        return [point for point in ARTICLE_28 if not getattr(self, point)]


class SubProcessor(models.Model):
    """Who a processor in turn has let in on the data."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="sub_processors")
    legal_name = models.CharField(_("juridiskt namn"), max_length=200)
    task = models.CharField(_("gör"), max_length=200)
    country = models.CharField(_("land"), max_length=2, default="SE", validators=[ISO_COUNTRY])
    is_certified = models.BooleanField(_("certifierad enligt DPF"), default=False)

    personal_data = Impersonal(
        columns=("agreement", "legal_name", "task", "country", "is_certified")
    )

    class Meta:
        verbose_name = _("underbiträde")
        verbose_name_plural = _("underbiträden")
        constraints = [
            models.UniqueConstraint(
                name="one_sub_processor_of_a_name", fields=["agreement", "legal_name"]
            )
        ]

    def __str__(self) -> str:
        return self.legal_name


class Adequacy(models.Model):
    """A country that the EU has found to protect data as it does, from when until when (TRF-02)."""

    class Reach(models.TextChoices):
        ALL = "all", _("alla mottagare")
        COMMERCIAL = "commercial", _("företag")
        CERTIFIED = "certified", _("företag som är certifierade enligt DPF")

    country = models.CharField(_("land"), max_length=2, validators=[ISO_COUNTRY])
    reach = models.CharField(_("gäller"), max_length=10, choices=Reach, default=Reach.ALL)
    decision = models.CharField(_("beslut"), max_length=40)
    valid_from = models.DateField(_("från och med"))
    valid_until = models.DateField(_("till och med"), null=True, blank=True)

    personal_data = Impersonal(
        columns=("country", "reach", "decision", "valid_from", "valid_until")
    )

    class Meta:
        verbose_name = _("godkänt land")
        verbose_name_plural = _("godkända länder")
        ordering = ["country", "valid_from"]
        constraints = [
            models.CheckConstraint(
                name="adequacy_dates_in_order",
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
            ),
            models.UniqueConstraint(
                name="one_adequacy_per_start", fields=["country", "reach", "valid_from"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.valid_from}"

    def covers(self, on: date, *, kind: str, is_certified: bool) -> bool:
        """Say whether a recipient of a kind in the country is covered on a day."""
        if on < self.valid_from or (self.valid_until is not None and on > self.valid_until):
            return False
        if self.reach == Adequacy.Reach.CERTIFIED:
            return is_certified
        return self.reach == Adequacy.Reach.ALL or kind != Recipient.Kind.AUTHORITY
