"""What people ask customer service, by any channel (policy P09)."""

import uuid

from django.db import models
from django.db.models import Case, F, Q, When
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus
from customers.models.channels import Collected
from customers.models.people import Customer
from customers.personal_data import Category, Clock, PersonalData


class SupportCase(models.Model):
    """A question or complaint; open it holds the person's details, closed it leaves by its date."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="support_cases")
    subject = models.CharField(_("ämne"), max_length=200)
    body = models.TextField(_("vad du skrev"), blank=True)
    answer = models.TextField(_("vårt svar"), blank=True)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    opened_at = models.DateTimeField(_("kom in"), default=timezone.now)
    closed_on = models.DateField(_("avslutat"), null=True, blank=True)
    # CLM-02: three years from the delivery complained of, set when the complaint is registered.
    complaint_until = models.DateField(_("reklamation till och med"), null=True, blank=True)
    retain_until = models.GeneratedField(
        # GREATEST skips NULL, so an open case is told apart first: it has no last day.
        expression=Case(
            When(
                closed_on__isnull=False,
                then=Greatest(Plus(F("closed_on"), months=12), F("complaint_until")),
            ),
            default=None,
        ),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Frågor till kundservice"),
        columns={
            Category.SUPPORT: (
                "subject",
                "body",
                "answer",
                "collected",
                "opened_at",
                "closed_on",
                "complaint_until",
            )
        },
        impersonal=("public_id", "retain_until"),
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("fråga till kundservice")
        verbose_name_plural = _("frågor till kundservice")
        indexes = [
            models.Index(
                fields=["retain_until", "customer"],
                name="support_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
