"""Who of staff has looked at a person, when and why (ACC-05)."""

from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus, StockholmDate
from customers.models.people import Customer, User
from customers.personal_data import Category, Clock, OnErasure, PersonalData
from customers.triggers import not_emptied, only_unnamed, stays_until_its_date


class AccessLog(models.Model):
    """One reading of one person by one of staff; the person is told when and why, not by whom."""

    class Reason(models.TextChoices):
        CALLS = "calls", _("Kunden ringer")
        WRITES = "writes", _("Kunden har skrivit")
        CASE = "case", _("Ett ärende handläggs")
        FAULT = "fault", _("Ett fel söks")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="readings", db_index=False)
    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("vem"))
    reason = models.CharField(_("skäl"), max_length=8, choices=Reason)
    words = models.CharField(_("med egna ord"), max_length=200, blank=True)
    at = models.DateTimeField(_("när"), default=timezone.now)
    # Section 9 of the periods: 24 months.
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("at")), months=24),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Vem som har tittat"),
        columns={Category.ACCESS_LOG: ("reason", "words", "at")},
        impersonal=("actor", "retain_until"),
        clock=Clock.OWN,
        on_erasure=OnErasure.UNNAMED,
        words={"words": ""},
    )

    class Meta:
        verbose_name = _("titt")
        verbose_name_plural = _("vem som har tittat")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["retain_until", "customer"], name="access_log_retain_until"),
            models.Index(fields=["customer", "-at"], name="access_log_customer"),
        ]
        triggers = [
            only_unnamed(
                "access_log",
                "words",
                ("id", "customer_id", "actor_id", "reason", "at"),
                "NEW.customer_id",
            ),
            stays_until_its_date("access_log", "ACC-05"),
            not_emptied("access_log"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
