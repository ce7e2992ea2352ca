"""What shows who somebody is: one-time codes on paper or from staff, and changes of e-mail."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus, StockholmDate
from customers.models import Customer, User
from customers.personal_data import Category, Clock, PersonalData

# How long the address before can take a change back (A18).
REVERT_WITHIN = timedelta(days=7)


class ProvedBy(models.TextChoices):
    """A way to show who one is that is stronger than reading a mailbox."""

    EID = "eid", _("e-legitimation")
    LETTER = "letter", _("kod i brev")
    STAFF = "staff", _("legitimation visad för oss")


class ProofCodeQuerySet(models.QuerySet["ProofCode"]):
    def live(self, at: datetime) -> "ProofCodeQuerySet":
        """Keep the codes that still work."""
        return self.filter(ended_at__isnull=True, valid_until__gt=at)


class ProofCode(models.Model):
    """A one-time code that shows who types it; nothing of an identity document is kept (DSR-03)."""

    class Way(models.TextChoices):
        LETTER = "letter", _("i brev till folkbokförd eller egen adress")
        STAFF = "staff", _("av oss, mot legitimation")

    class How(models.TextChoices):
        NONE = "", _("inte aktuellt")
        DOCUMENT = "document", _("id-handling visad på plats")
        EID = "eid", _("e-legitimation visad på plats")

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="proof_codes", db_index=False
    )
    way = models.CharField(_("hur koden lämnades"), max_length=8, choices=Way)
    # By the password hasher, so that the table alone is no use to anybody (A12).
    digest = models.CharField(max_length=128)
    made_at = models.DateTimeField(_("skapad"), default=timezone.now)
    valid_until = models.DateTimeField(_("gäller till"))
    tries = models.PositiveSmallIntegerField(_("felaktiga försök"), default=0)
    # Used, replaced or spent by wrong tries.
    ended_at = models.DateTimeField(_("förbrukad"), null=True, blank=True)
    used_at = models.DateTimeField(_("använd"), null=True, blank=True)
    actor = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    how = models.CharField(_("vad som visades"), max_length=8, choices=How, blank=True, default="")
    # As long as letters of a month are counted; who checked whom stands in the access log.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("made_at")), months=1),
        output_field=models.DateField(),
        db_persist=True,
    )

    objects = ProofCodeQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Koder som visar att det är du"),
        columns={
            Category.ACCOUNT: (
                "way",
                "made_at",
                "valid_until",
                "tries",
                "ended_at",
                "used_at",
                "how",
            )
        },
        impersonal=("digest", "actor", "retain_until"),
        clock=Clock.EARLIER,
    )

    class Meta:
        verbose_name = _("kod mot legitimation")
        verbose_name_plural = _("koder mot legitimation")
        constraints = [
            # Never two letters that both open; a second click finds the first (B06).
            models.UniqueConstraint(
                name="one_live_proof_code_per_way",
                fields=["customer", "way"],
                condition=Q(ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="proof_code_used_is_ended",
                condition=Q(used_at__isnull=True) | Q(ended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="proof_code_of_staff_says_how",
                condition=Q(way="letter", how="") | (Q(way="staff") & ~Q(how="")),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-made_at"], name="proof_code_customer"),
            models.Index(fields=["retain_until", "customer"], name="proof_code_retain_until"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class EmailChangeQuerySet(models.QuerySet["EmailChange"]):
    def pending(self) -> "EmailChangeQuerySet":
        """Keep the changes that wait for the code from the new address."""
        return self.filter(changed_at__isnull=True, ended_at__isnull=True)


class EmailChange(models.Model):
    """A change of e-mail on Min sida: asked for, confirmed from the new address, taken back (A18).

    It keeps the address before for as long as its owner can take the change back.
    """

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="email_changes", db_index=False
    )
    old = models.EmailField(_("före"), blank=True)
    new = models.EmailField(_("efter"))
    # By the password hasher, also of a code that was sent to nobody (A01, A12).
    digest = models.CharField(max_length=128)
    tries = models.PositiveSmallIntegerField(_("felaktiga försök"), default=0)
    proved_by = models.CharField(_("visat med"), max_length=8, choices=ProvedBy)
    asked_at = models.DateTimeField(_("begärd"), default=timezone.now)
    valid_until = models.DateTimeField(_("koden gäller till"))
    changed_at = models.DateTimeField(_("bytt"), null=True, blank=True)
    # Replaced by another address, or spent by wrong tries.
    ended_at = models.DateTimeField(_("avbruten"), null=True, blank=True)
    reverted_at = models.DateTimeField(_("återtagen"), null=True, blank=True)
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("asked_at")), months=1),
        output_field=models.DateField(),
        db_persist=True,
    )

    objects = EmailChangeQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Byten av e-postadress"),
        columns={
            Category.ACCOUNT: (
                "old",
                "new",
                "tries",
                "proved_by",
                "asked_at",
                "valid_until",
                "changed_at",
                "ended_at",
                "reverted_at",
            )
        },
        impersonal=("digest", "retain_until"),
        clock=Clock.EARLIER,
    )

    class Meta:
        verbose_name = _("byte av e-postadress")
        verbose_name_plural = _("byten av e-postadress")
        constraints = [
            models.UniqueConstraint(
                name="one_email_change_at_a_time",
                fields=["customer"],
                condition=Q(changed_at__isnull=True, ended_at__isnull=True),
            ),
            models.CheckConstraint(
                name="email_change_reverted_after_it_was_made",
                condition=Q(reverted_at__isnull=True) | Q(changed_at__isnull=False),
            ),
        ]
        indexes = [
            # The wait after a change looks here.
            models.Index(fields=["customer", "changed_at"], name="email_change_customer"),
            models.Index(fields=["retain_until", "customer"], name="email_change_retain_until"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
