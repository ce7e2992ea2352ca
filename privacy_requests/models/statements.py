"""What a person adds to data about them, to be read beside it (Article 16, REC-01)."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import MD5, Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.models import Customer, User
from customers.models.channels import Collected
from customers.personal_data import Category, PersonalData
from privacy_requests.models.cases import MOST_WORDS


class Wrong(models.TextChoices):
    """What somebody finds wrong or wanting and Min sida does not let them change at once."""

    NAME = "name", _("Namnet")
    BIRTH_DATE = "birth_date", _("Födelsedatumet")
    NATIONAL_ID = "national_id", _("Personnumret")
    ORDER = "order", _("En beställning eller leverans")
    INVOICE = "invoice", _("En faktura")
    NOTE = "note", _("Något vi har skrivit om dig")
    MISSING = "missing", _("Något saknas")
    OTHER = "other", _("Något annat")


class Statement(models.Model):
    """A supplementary statement in the person's own words; it goes with what it stands beside."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="statements")
    about = models.CharField(_("gäller"), max_length=12, choices=Wrong)
    wording = models.TextField(_("med egna ord"))
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    written_at = models.DateTimeField(_("skrivet"), default=timezone.now)
    # No constraint: what was written down outlasts the account of whoever did it.
    registered_by = models.ForeignKey(
        User, models.DO_NOTHING, db_constraint=False, null=True, blank=True, related_name="+"
    )

    personal_data = PersonalData(
        name=_("Dina egna tillägg"),
        columns={Category.HISTORY: ("about", "wording", "collected", "written_at")},
        impersonal=("public_id", "registered_by"),
    )

    class Meta:
        verbose_name = _("kundens eget tillägg")
        verbose_name_plural = _("kundens egna tillägg")
        ordering = ["-written_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="statement_says_something",
                condition=~Q(wording="")  # type: ignore[arg-type]
                & LessThanOrEqual(Length("wording"), MOST_WORDS),
            ),
            # Two clicks are one statement (B06).
            models.UniqueConstraint(
                models.F("customer"),
                models.F("about"),
                MD5("wording"),
                name="one_statement_of_the_same_words",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
