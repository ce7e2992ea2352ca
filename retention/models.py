"""How long: holds, the nightly runs and the receipts of deletion."""

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from customers.dates import Plus, StockholmDate
from customers.models import Customer, User
from customers.personal_data import EVERYTHING, AtEnd, Category, Clock, Impersonal, PersonalData
from customers.triggers import not_emptied, stays_until_its_date


class Hold(models.Model):
    """A reason to keep a person's data past its time, with an owner and a review date (ERA-02)."""

    class Ground(models.TextChoices):
        CASE = "case", _("ett öppet ärende (RUL-17)")
        COMPLAINT = "complaint", _("en reklamation (CLM-02)")
        DISPUTE = "dispute", _("en tvist (CLM-03)")
        MANUAL = "manual", _("ett beslut (RUL-35)")

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="holds")
    ground = models.CharField(_("grund"), max_length=10, choices=Ground)
    reason = models.CharField(_("skäl"), max_length=300, blank=True)
    # The work the hold belongs to, such as "case:17"; whoever placed it lifts it by this.
    reference = models.CharField(max_length=40, blank=True)
    categories = models.PositiveIntegerField(_("omfattar"), default=EVERYTHING)
    owner = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    placed_at = models.DateTimeField(_("lagd"), default=timezone.now)
    review_on = models.DateField(_("omprövas"), null=True, blank=True)
    lifted_at = models.DateTimeField(_("hävd"), null=True, blank=True)

    personal_data = PersonalData(
        name=_("Skäl att spara längre"),
        columns={Category.SHELL: ("ground", "reason", "placed_at", "review_on", "lifted_at")},
        impersonal=("reference", "categories", "owner"),
    )

    class Meta:
        verbose_name = _("spärr mot radering")
        verbose_name_plural = _("spärrar mot radering")
        constraints = [
            models.UniqueConstraint(
                name="one_live_hold_per_reference",
                fields=["customer", "reference"],
                condition=Q(lifted_at__isnull=True) & ~Q(reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class Run(models.Model):
    """One night's purge; there is one per business date."""

    class Status(models.TextChoices):
        RUNNING = "running", _("pågår")
        DONE = "done", _("klar")
        FAILED = "failed", _("avbruten")

    business_date = models.DateField(_("natten till"), unique=True)
    status = models.CharField(_("läge"), max_length=8, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField(_("började"), default=timezone.now)
    finished_at = models.DateTimeField(_("slutade"), null=True, blank=True)
    people = models.PositiveIntegerField(_("personer"), default=0)
    # Rows per rule id, filled when the run closes.
    counts = models.JSONField(_("raderat per regel"), default=dict)

    personal_data = Impersonal(
        columns=("business_date", "status", "started_at", "finished_at", "people", "counts")
    )

    class Meta:
        verbose_name = _("gallringskörning")
        verbose_name_plural = _("gallringskörningar")
        ordering = ["-business_date"]

    def __str__(self) -> str:
        return f"{self.business_date}"


class Receipt(models.Model):
    """Proof that a category of a person is gone: a pseudonym, a rule and a count (ERA-08)."""

    customer = models.ForeignKey(
        Customer,
        models.DO_NOTHING,
        to_field="pseudonym",
        db_column="subject",
        db_constraint=False,
        related_name="receipts",
    )
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="receipts")
    category = models.PositiveIntegerField(_("vad"), choices=Category)
    rule = models.CharField(_("regel"), max_length=12)
    row_count = models.PositiveIntegerField(_("antal"))
    at = models.DateTimeField(_("när"), default=timezone.now)
    retain_until = models.GeneratedField(
        expression=Plus(StockholmDate(F("at")), months=60),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Raderingskvitton"),
        columns={Category.RECEIPTS: ("category", "rule", "row_count", "at")},
        impersonal=("run", "retain_until"),
        at_end=AtEnd.UNLINK,
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("raderingskvitto")
        verbose_name_plural = _("raderingskvitton")
        indexes = [models.Index(fields=["retain_until"], name="receipt_retain_until")]
        triggers = [
            pgtrigger.Protect(name="receipt_is_as_written", operation=pgtrigger.Update),
            stays_until_its_date("receipt", "ERA-08"),
            not_emptied("receipt"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
