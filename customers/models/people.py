"""Who: the people, their sign-in and what is known of how to reach them."""

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus, StockholmDate, add_years, today
from customers.models.channels import Collected, Source
from customers.personal_data import AtEnd, Category, Clock, PersonalData
from customers.sessions import SessionStore


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Create an account; without a password it signs in by e-mailed code only."""
        user = self.model(email=email.strip().casefold(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A sign-in account, of a customer or of staff."""

    email = models.EmailField(_("e-post för inloggning"), unique=True)
    is_active = models.BooleanField(_("aktivt konto"), default=True)
    is_staff = models.BooleanField(_("personal"), default=False)
    created_at = models.DateTimeField(_("konto skapat"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    personal_data = PersonalData(
        name=_("Inloggning"),
        path="customer",
        columns={Category.ACCOUNT: ("email", "last_login", "created_at", "is_active")},
        impersonal=("password", "is_staff", "is_superuser"),
    )

    class Meta:
        verbose_name = _("konto")
        verbose_name_plural = _("konton")
        constraints = [
            models.CheckConstraint(name="user_email_is_lower", condition=Q(email=Lower("email"))),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class NoGateError(RuntimeError):
    """People were asked for by purpose, and nobody has put the gate in its place."""


class CustomerQuerySet(models.QuerySet["Customer"]):
    # The gate stands in a room above this one and puts itself here at start (consent.apps).
    gate: ClassVar[Callable[..., "CustomerQuerySet"] | None] = None
    # So do the holds (retention.locks): who is only kept, in debt, or their identity number.
    lock: ClassVar[Callable[[date], Q] | None] = None
    debt: ClassVar[Callable[[date], Q] | None] = None
    number_lock: ClassVar[Callable[[date], Q] | None] = None

    def processable(
        self, purpose: str, channel: str, third_party: str = "", on: date | None = None
    ) -> "CustomerQuerySet":
        """Keep the people whose data may be used so on a day, today unless another is given.

        Marketing, segments, recommendations and exports get people in no other way (LAW-01).
        Raises ValueError for what is not in the catalogue, NoGateError where nobody decides.
        """
        gate = type(self).gate
        if gate is None:
            raise NoGateError("Add the app `consent` to INSTALLED_APPS: it decides who this is.")
        return gate(self, purpose, channel, third_party, on or today())

    def locked(self, on: date | None = None) -> "CustomerQuerySet":
        """Keep the people who are only kept: past their time and held, or a shell (ERA-04)."""
        return self._asked(type(self).lock, on)

    def indebted(self, on: date | None = None) -> "CustomerQuerySet":
        """Keep the people whom an unpaid invoice keeps (CLM-01)."""
        return self._asked(type(self).debt, on)

    def number_locked(self, on: date | None = None) -> "CustomerQuerySet":
        """Keep the people whose national identity number is only held (RUL-16)."""
        return self._asked(type(self).number_lock, on)

    def _asked(self, of: Callable[[date], Q] | None, on: date | None) -> "CustomerQuerySet":
        if of is None:
            raise NoGateError("Add the app `retention` to INSTALLED_APPS: it knows the holds.")
        return self.filter(of(on or today()))

    def identified(self) -> "CustomerQuerySet":
        """Keep the people whose contact details are still here."""
        return self.exclude(given_name="", family_name="")


class Restriction(models.TextChoices):
    """Why a person's data may only be stored (RES-01), or less used by their own wish (RES-03)."""

    NONE = "", _("ingen")
    CONTESTED = "a", _("uppgifterna stämmer inte")
    UNLAWFUL = "b", _("behandlingen är otillåten")
    CLAIM = "c", _("behövs för ett rättsligt krav")
    OBJECTION = "d", _("en invändning prövas")
    VOLUNTARY = "v", _("personens egen begränsning")


class Protection(models.TextChoices):
    """Protected identity (SKY-01); a missing marker never lowers it."""

    NONE = "", _("ingen")
    SECRECY = "secrecy", _("sekretessmarkering")
    REGISTRATION = "registration", _("skyddad folkbokföring")


def new_number() -> str:
    """Return a customer number that tells nothing of order or size.

    So long that among a million people one sign-up in a million draws a taken one.
    """
    return f"DC{uuid.uuid4().int % 10**12:012d}"


class Customer(models.Model):
    """A data subject: customer, former customer or prospect."""

    number = models.CharField(_("kundnummer"), max_length=20, unique=True, default=new_number)
    public_id = models.UUIDField(_("publikt id"), unique=True, default=uuid.uuid4, editable=False)
    # Stands for the person in ledger and receipts; meaningless once this row is gone.
    pseudonym = models.UUIDField(_("pseudonym"), unique=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(
        User,
        models.PROTECT,
        related_name="customer",
        null=True,
        blank=True,
        verbose_name=_("konto"),
    )
    given_name = models.CharField(_("förnamn"), max_length=100, blank=True)
    family_name = models.CharField(_("efternamn"), max_length=100, blank=True)
    birth_date = models.DateField(_("födelsedatum"), null=True, blank=True)
    adult_confirmed_on = models.DateField(_("myndig enligt egen uppgift"), null=True, blank=True)
    email = models.EmailField(_("e-post"), blank=True)
    phone = models.CharField(_("mobil"), max_length=20, blank=True)
    # Mail that came back, until a new value is given (RUL-28); written by customers.actions.
    email_returned_on = models.DateField(_("e-posten kom tillbaka"), null=True, blank=True)
    phone_returned_on = models.DateField(_("mobilen gick inte att nå"), null=True, blank=True)
    # The day of the no that the value itself carries (ERA-06); by customers.contact_points.
    email_suppressed_on = models.DateField(_("e-posten spärrad för reklam"), null=True, blank=True)
    phone_suppressed_on = models.DateField(_("mobilen spärrad för reklam"), null=True, blank=True)
    national_id_sealed = models.BinaryField(_("personnummer"), null=True, blank=True)
    national_id_hash = models.BinaryField(
        _("sökvärde för personnummer"), max_length=32, null=True, blank=True, unique=True
    )
    national_id_used_on = models.DateField(_("personnumret använt"), null=True, blank=True)
    language = models.CharField(
        _("språk"), max_length=2, default="sv", choices=[("sv", "Svenska"), ("en", "English")]
    )
    protection = models.CharField(
        _("skyddade personuppgifter"), max_length=12, choices=Protection, blank=True, default=""
    )
    deceased_on = models.DateField(_("avliden"), null=True, blank=True)
    # Unknown until the number or the address they are about has been washed (NIX-01).
    nix_phone = models.BooleanField(_("i NIX-Telefon"), null=True, blank=True)
    nix_post = models.BooleanField(_("i NIX adresserat"), null=True, blank=True)
    # Projections of the consent ledger, kept in the same transaction as its events.
    noticed_on = models.DateField(_("fick första informationen"), null=True, blank=True)
    restriction = models.CharField(
        _("begränsning"), max_length=1, choices=Restriction, blank=True, default=""
    )
    source = models.CharField(_("källa"), max_length=8, choices=Source, default=Source.PERSON)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected, default=Collected.WEB)
    created_at = models.DateTimeField(_("registrerad"), default=timezone.now)
    last_contact_on = models.DateField(_("senaste egna kontakt"))
    # RUL-02: the day the person confirmed that all goes that nothing has to keep.
    erasure_on = models.DateField(_("begärde radering"), null=True, blank=True)
    version = models.PositiveIntegerField(_("version"), default=1)

    objects = CustomerQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Namn och kontaktuppgifter"),
        path="",
        columns={
            Category.IDENTITY: (
                "given_name",
                "family_name",
                "birth_date",
                "adult_confirmed_on",
                "language",
                "protection",
                "deceased_on",
            ),
            Category.CONTACT: (
                "email",
                "phone",
                "nix_phone",
                "nix_post",
                "email_returned_on",
                "phone_returned_on",
                "email_suppressed_on",
                "phone_suppressed_on",
            ),
            Category.ACCOUNT: ("user",),
            Category.NATIONAL_ID: ("national_id_sealed", "national_id_hash", "national_id_used_on"),
            Category.SHELL: (
                "number",
                "noticed_on",
                "restriction",
                "source",
                "collected",
                "created_at",
                "last_contact_on",
                "erasure_on",
            ),
        },
        impersonal=("public_id", "pseudonym", "version"),
        at_end=AtEnd.BLANK,
        returned={
            Category.RETURNED_EMAIL: ("email_returned_on", "email", "email_suppressed_on"),
            Category.RETURNED_PHONE: (
                *("phone_returned_on", "phone", "phone_suppressed_on", "nix_phone"),
            ),
        },
    )

    class Meta:
        verbose_name = _("kund")
        verbose_name_plural = _("kunder")
        permissions = [
            ("view_protected", _("Se skyddade personuppgifter")),
            ("read_messages", _("Läsa text i meddelanden")),
            ("view_locked", _("Se dem som bara sparas")),
            ("view_archive", _("Se bokföringens arkiv")),
        ]
        constraints = [
            models.CheckConstraint(
                name="customer_email_is_lower", condition=Q(email=Lower("email"))
            ),
            models.CheckConstraint(
                name="customer_national_id_whole",
                condition=Q(national_id_sealed__isnull=True, national_id_hash__isnull=True)
                | Q(national_id_sealed__isnull=False, national_id_hash__isnull=False),
            ),
        ]
        indexes = [
            # Exact search by staff and the sign-in lookup.
            models.Index("email", name="customer_email", condition=~Q(email="")),
            models.Index("phone", name="customer_phone", condition=~Q(phone="")),
            # The night finds here what came back (RUL-28).
            models.Index(
                fields=["email_returned_on", "id"],
                name="customer_email_returned",
                condition=Q(email_returned_on__isnull=False),
            ),
            models.Index(
                fields=["phone_returned_on", "id"],
                name="customer_phone_returned",
                condition=Q(phone_returned_on__isnull=False),
            ),
            # Whom a night takes up because they asked to be erased, until their name is gone.
            models.Index(
                fields=["erasure_on", "id"],
                name="customer_erasure",
                condition=Q(erasure_on__isnull=False) & ~Q(given_name="", family_name=""),
            ),
        ]

    def __str__(self) -> str:
        # The admin log stores this, so it says nothing but the number.
        return self.number

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    def age_on(self, day: date) -> int | None:
        """Return full years; a leap-day child turns older on 1 March (CHI-01)."""
        if self.birth_date is None:
            return None
        years = day.year - self.birth_date.year
        birthday = add_years(self.birth_date, years)
        if (self.birth_date.month, self.birth_date.day) == (2, 29) and birthday.day == 28:
            birthday = birthday.replace(month=3, day=1)
        return years if day >= birthday else years - 1


class Session(AbstractBaseSession):
    """A sign-in session that knows whose it is, so that it goes with the person (A09)."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    created_at = models.DateTimeField(_("inloggad"), default=timezone.now)

    personal_data = PersonalData(
        name=_("Inloggade enheter"),
        path="user__customer",
        columns={Category.ACCOUNT: ("created_at", "expire_date")},
        impersonal=("session_key", "session_data"),
    )

    @classmethod
    def get_session_store_class(cls) -> Any:
        return SessionStore


class Address(models.Model):
    """Where post and parcels go."""

    class Kind(models.TextChoices):
        HOME = "home", _("Adress")
        DELIVERY = "delivery", _("Leveransadress")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="addresses", db_index=False)
    kind = models.CharField(_("slag"), max_length=8, choices=Kind, default=Kind.HOME)
    street = models.CharField(_("gata"), max_length=150)
    postcode = models.CharField(_("postnummer"), max_length=10)
    city = models.CharField(_("ort"), max_length=100)
    country = models.CharField(_("land"), max_length=2, default="SE")
    source = models.CharField(_("källa"), max_length=8, choices=Source, default=Source.PERSON)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected, default=Collected.WEB)
    given_on = models.DateField(_("lämnad"))
    returned_on = models.DateField(_("posten kom tillbaka"), null=True, blank=True)
    suppressed_on = models.DateField(_("adressen spärrad för reklam"), null=True, blank=True)

    personal_data = PersonalData(
        name=_("Adress"),
        columns={
            Category.ADDRESS: (
                "kind",
                "street",
                "postcode",
                "city",
                "country",
                "source",
                "collected",
                "given_on",
                "returned_on",
                "suppressed_on",
            )
        },
        returned={Category.RETURNED_HOME: ("returned_on",)},
        tells_of={Category.RETURNED_HOME: "{row}.kind = 'home'"},
    )

    class Meta:
        verbose_name = _("adress")
        verbose_name_plural = _("adresser")
        constraints = [
            models.UniqueConstraint(name="one_address_of_a_kind", fields=["customer", "kind"]),
        ]
        indexes = [
            models.Index(
                fields=["returned_on", "customer"],
                name="address_returned",
                condition=Q(returned_on__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"

    @property
    def line(self) -> str:
        postcode = self.postcode
        if self.country == "SE" and len(postcode) == 5:
            postcode = f"{postcode[:3]} {postcode[3:]}"
        return f"{self.street}, {postcode} {self.city}"


class Change(models.Model):
    """A change of the person's details: what it was, what it became, on whose word (REC-01)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="changes")
    field = models.CharField(_("uppgift"), max_length=30)
    old = models.TextField(_("före"), blank=True)
    new = models.TextField(_("efter"), blank=True)
    source = models.CharField(_("källa"), max_length=8, choices=Source)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(_("ändrad"), default=timezone.now)
    # RUL-24: old values leave after 24 months at the latest.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("at")), months=24),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Ändringar av dina uppgifter"),
        columns={Category.HISTORY: ("field", "old", "new", "source", "collected", "at")},
        impersonal=("actor", "retain_until"),
        clock=Clock.EARLIER,
        tells_of={
            Category.RETURNED_EMAIL: "{row}.field = 'email'",
            Category.RETURNED_PHONE: "{row}.field = 'phone'",
            Category.RETURNED_HOME: "{row}.field IN ('street', 'postcode', 'city')",
        },
    )

    class Meta:
        verbose_name = _("ändring")
        verbose_name_plural = _("ändringar")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(fields=["retain_until", "customer"], name="change_retain_until")]

    def __str__(self) -> str:
        return f"{self.pk}"
