"""What people bought, and the verifications that the bookkeeping act keeps (BFL-01 to BFL-05)."""

import uuid
from datetime import date, timedelta

import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import Case, F, Func, Q, When
from django.db.models.functions import Coalesce, Greatest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.dates import Plus
from customers.models.channels import Collected
from customers.models.people import Customer
from customers.personal_data import Category, Clock, Impersonal, OnErasure, PersonalData
from customers.triggers import not_emptied, stays_until_its_date


class DateRange(Func):
    """Both days included."""

    function = "daterange"
    template = "%(function)s(%(expressions)s, '[]')"


class Product(models.Model):
    code = models.SlugField(_("artikel"), max_length=40, unique=True)
    name = models.CharField(_("namn"), max_length=100)
    # Soft opt-in and NIX exceptions reach goods of the same type only (MFL-02, NIX-03).
    similar_group = models.SlugField(_("varuslag"), max_length=40)

    personal_data = Impersonal(columns=("code", "name", "similar_group"))

    class Meta:
        verbose_name = _("produkt")
        verbose_name_plural = _("produkter")

    def __str__(self) -> str:
        return self.name


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def active(self, on: date) -> "SubscriptionQuerySet":
        """Keep subscriptions that run on that day, the last day included (RUL-13)."""
        return self.filter(started_on__lte=on).filter(
            Q(ended_on__isnull=True) | Q(ended_on__gte=on)
        )


class Subscription(models.Model):
    """A running delivery of one product; `ended_on` is the last day, inclusive (RUL-13)."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="subscriptions", db_index=False
    )
    product = models.ForeignKey(Product, models.PROTECT, verbose_name=_("produkt"))
    started_on = models.DateField(_("började"))
    ended_on = models.DateField(_("sista dag"), null=True, blank=True)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    # Three years after the end, the complaint period of what it delivered (section 9, CLM-02).
    retain_until = models.GeneratedField(
        expression=Plus(F("ended_on"), months=36),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = SubscriptionQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Prenumeration"),
        columns={Category.PURCHASES: ("product", "started_on", "ended_on", "collected")},
        impersonal=("public_id", "retain_until"),
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("prenumeration")
        verbose_name_plural = _("prenumerationer")
        constraints = [
            models.CheckConstraint(
                name="subscription_ends_after_start",
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
            ),
            # Also the index by customer.
            ExclusionConstraint(
                name="one_subscription_at_a_time",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("product", RangeOperators.EQUAL),
                    (DateRange("started_on", "ended_on"), RangeOperators.OVERLAPS),
                ],
            ),
        ]
        indexes = [
            models.Index(fields=["customer"], name="subscription_customer"),
            models.Index(
                fields=["retain_until", "customer"],
                name="subscription_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> "OrderQuerySet":
        """Keep orders that are neither delivered, cancelled nor withdrawn from (RUL-12)."""
        return self.filter(delivered_on=None, cancelled_on=None, withdrawn_on=None)


class Order(models.Model):
    """One delivery ordered; open until it is delivered, cancelled or withdrawn from."""

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    number = models.CharField(_("ordernummer"), max_length=20, unique=True)
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    product = models.ForeignKey(Product, models.PROTECT, verbose_name=_("produkt"))
    quantity = models.PositiveSmallIntegerField(_("antal"), default=1)
    collected = models.CharField(_("kanal"), max_length=8, choices=Collected)
    ordered_on = models.DateField(_("beställd"))
    delivered_on = models.DateField(_("levererad"), null=True, blank=True)
    withdrawn_on = models.DateField(_("ångrad"), null=True, blank=True)
    cancelled_on = models.DateField(_("avbeställd"), null=True, blank=True)
    # CLM-02: complaints can be made for three years from delivery.
    retain_until = models.GeneratedField(
        expression=Plus(
            Coalesce(F("delivered_on"), F("cancelled_on"), F("withdrawn_on")), months=36
        ),
        output_field=models.DateField(null=True),
        db_persist=True,
    )

    objects = OrderQuerySet.as_manager()

    personal_data = PersonalData(
        name=_("Beställningar och leveranser"),
        columns={
            Category.PURCHASES: (
                "number",
                "product",
                "quantity",
                "collected",
                "ordered_on",
                "delivered_on",
                "withdrawn_on",
                "cancelled_on",
            )
        },
        impersonal=("public_id", "retain_until"),
        clock=Clock.OWN,
    )

    class Meta:
        verbose_name = _("beställning")
        verbose_name_plural = _("beställningar")
        constraints = [
            models.CheckConstraint(
                name="order_delivered_after_ordered",
                condition=Q(delivered_on__isnull=True) | Q(delivered_on__gte=F("ordered_on")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["retain_until", "customer"],
                name="order_retain_until",
                condition=Q(retain_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number


class FiscalYear(models.Model):
    """A fiscal year as it was: broken, shortened or extended to at most 18 months (BFL-01)."""

    starts_on = models.DateField(_("börjar"), unique=True)
    ends_on = models.DateField(_("slutar"), unique=True)

    personal_data = Impersonal(columns=("starts_on", "ends_on"))

    class Meta:
        verbose_name = _("räkenskapsår")
        verbose_name_plural = pgettext_lazy("several", "räkenskapsår")
        constraints = [
            models.CheckConstraint(
                name="fiscal_year_at_most_18_months",
                condition=Q(ends_on__gt=F("starts_on"))
                & Q(ends_on__lt=Plus(F("starts_on"), months=18)),
            ),
            ExclusionConstraint(
                name="fiscal_years_do_not_overlap",
                expressions=[(DateRange("starts_on", "ends_on"), RangeOperators.OVERLAPS)],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on}"

    @classmethod
    def gaps(cls, until: date) -> list[tuple[date, date]]:
        """Return the stretches of days, from the first year to a day, that belong to no year."""
        found, after = [], None
        for starts_on, ends_on in cls.objects.order_by("starts_on").values_list(
            "starts_on", "ends_on"
        ):
            if after is not None and starts_on > after:
                found.append((after, starts_on - timedelta(days=1)))
            after = ends_on + timedelta(days=1)
        if after is not None and after <= until:
            found.append((after, until))
        return found


class InvoiceSeries(models.Model):
    """The last number given; its row lock makes the series gap-free."""

    last_number = models.PositiveBigIntegerField(default=0)

    personal_data = Impersonal(columns=("last_number",))

    def __str__(self) -> str:
        return f"{self.last_number}"


class BookkeepingUntil(Func):
    """31 December of the seventh year after the latest of the fiscal years' closing years."""

    template = "make_date(date_part('year', GREATEST(%(expressions)s))::int + 7, 12, 31)"
    output_field = models.DateField()


# What may still change on an issued verification: the link to the person, the settlement, the day
# its debt was interrupted, and the fiscal years it answers to; days only move later (BFL-03).
INVOICE_IS_AS_PRINTED = """
    IF (NEW.number, NEW.kind, NEW.issued_on, NEW.due_on, NEW.buyer_number, NEW.buyer_name,
        NEW.buyer_address, NEW.lines, NEW.total_ore, NEW.vat_ore, NEW.refers_to_id)
       IS DISTINCT FROM
       (OLD.number, OLD.kind, OLD.issued_on, OLD.due_on, OLD.buyer_number, OLD.buyer_name,
        OLD.buyer_address, OLD.lines, OLD.total_ore, OLD.vat_ore, OLD.refers_to_id)
       OR (NEW.customer_id IS DISTINCT FROM OLD.customer_id AND NEW.customer_id IS NOT NULL)
       OR NEW.fiscal_year_id < OLD.fiscal_year_id
       OR NEW.linked_year_id < OLD.linked_year_id
       OR (OLD.linked_year_id IS NOT NULL AND NEW.linked_year_id IS NULL)
       OR NEW.interrupted_on < OLD.interrupted_on
    THEN
        RAISE EXCEPTION 'An issued invoice is not changed; issue a credit note (BFL-04).';
    END IF;
    RETURN NEW;
"""


class Invoice(models.Model):
    """A verification as issued: invoice, credit note or payment. Amounts are in öre."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Faktura")
        CREDIT_NOTE = "credit", _("Kreditfaktura")
        PAYMENT = "payment", _("Betalning")

    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    number = models.PositiveBigIntegerField(_("nummer"), unique=True)
    kind = models.CharField(_("slag"), max_length=8, choices=Kind, default=Kind.INVOICE)
    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="invoices", null=True, blank=True
    )
    fiscal_year = models.ForeignKey(
        FiscalYear, models.PROTECT, to_field="ends_on", related_name="+", db_index=False
    )
    linked_year = models.ForeignKey(
        FiscalYear,
        models.PROTECT,
        to_field="ends_on",
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    refers_to = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="referred_by"
    )
    issued_on = models.DateField(_("datum"))
    due_on = models.DateField(_("förfaller"), null=True, blank=True)
    paid_on = models.DateField(_("betald"), null=True, blank=True)
    # CLM-01: the last day from which what is owed runs three years anew (`customers.debts`).
    interrupted_on = models.DateField(_("preskriptionen bröts senast"), null=True, blank=True)
    buyer_number = models.CharField(_("kundnummer på fakturan"), max_length=20)
    buyer_name = models.CharField(_("köpare på fakturan"), max_length=200)
    buyer_address = models.CharField(_("adress på fakturan"), max_length=300)
    lines = models.JSONField(_("rader"), default=list)
    total_ore = models.BigIntegerField(_("belopp i öre"))
    vat_ore = models.BigIntegerField(_("moms i öre"))
    # As bookkeeping, or for as long as it is owed, whichever is longer (section 9).
    retain_until = models.GeneratedField(
        expression=Greatest(
            BookkeepingUntil(F("fiscal_year"), F("linked_year")),
            Case(When(paid_on__isnull=True, then=Plus(F("interrupted_on"), months=36))),
        ),
        output_field=models.DateField(),
        db_persist=True,
    )

    personal_data = PersonalData(
        name=_("Fakturor"),
        columns={
            Category.INVOICES: (
                "number",
                "kind",
                "issued_on",
                "due_on",
                "paid_on",
                "interrupted_on",
                "buyer_number",
                "buyer_name",
                "buyer_address",
                "lines",
                "total_ore",
                "vat_ore",
            )
        },
        impersonal=("public_id", "fiscal_year", "linked_year", "refers_to", "retain_until"),
        clock=Clock.OWN,
        on_erasure=OnErasure.KEPT,
    )

    class Meta:
        verbose_name = _("faktura")
        verbose_name_plural = _("fakturor")
        indexes = [
            models.Index(fields=["retain_until", "customer"], name="invoice_retain_until"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="invoice_is_as_printed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=INVOICE_IS_AS_PRINTED,
            ),
            stays_until_its_date("invoice", "BFL-01"),
            not_emptied("invoice"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    @property
    def runs_from(self) -> date:
        """The day from which what is owed runs three years (CLM-01)."""
        known = [day for day in (self.due_on, self.interrupted_on) if day is not None]
        return max(known, default=self.issued_on)
