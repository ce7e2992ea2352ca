"""What staff see of purchases: subscriptions, orders and invoices, with what they rest on."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.dates import today
from customers.locked import SEES_ARCHIVE, is_archived
from customers.models import (
    Customer,
    DebtInterruption,
    FiscalYear,
    Invoice,
    Order,
    Product,
    Subscription,
)
from customers.staff import ReadOnlyInline, StaffAdmin, TracedAdmin, shown


class SubscriptionInline(ReadOnlyInline):
    model = Subscription
    fields = ("product", "started_on", "ended_on", "collected", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the products along."""
        return super().get_queryset(request).select_related("product").order_by("-started_on")


class OrderInline(ReadOnlyInline):
    model = Order
    fields = ("number", "product", "quantity", "ordered_on", "delivered_on", "last_day")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Fetch the products along."""
        return super().get_queryset(request).select_related("product").order_by("-ordered_on")


class InvoiceInline(ReadOnlyInline):
    model = Invoice
    fk_name = "customer"
    fields = ("number", "kind", "issued_on", "due_on", "paid_on", "amount", "last_day")
    ordering = ("-number",)

    @admin.display(description=_("belopp"))
    def amount(self, invoice: Invoice) -> str:
        """Return the total in kronor."""
        return words.amount(invoice.total_ore)


class DebtInterruptionInline(ReadOnlyInline):
    """What has started the limitation of a debt anew; written on the person's page (CLM-01)."""

    model = DebtInterruption
    fields = ("happened_on", "kind", "words")
    ordering = ("-happened_on",)
    has_own_words = True


@admin.register(Invoice)
class InvoiceAdmin(TracedAdmin):
    list_display = ("number", "kind", "issued_on", "due_on", "paid_on", "amount", "last_day")
    list_filter = ("kind",)
    search_fields = ("number",)
    search_help_text = _("Hela fakturanumret.")
    ordering = ("-number",)
    fields = (
        "number",
        "kind",
        "customer",
        "buyer_number",
        "buyer",
        "buyer_home",
        "issued_on",
        "due_on",
        "paid_on",
        "interrupted_on",
        "amount",
        "last_day",
    )
    inlines = (DebtInterruptionInline,)
    buyer = shown(_("köpare på fakturan"), lambda invoice: invoice.buyer_name)
    buyer_home = shown(_("adress på fakturan"), lambda invoice: invoice.buyer_address)

    def hides(self, request: HttpRequest, person: Customer) -> bool:
        """Show the archive of the bookkeeping to finance, whoever else is hidden (RUL-36)."""
        return not request.user.has_perm(SEES_ARCHIVE) and is_archived(person)

    @admin.display(description=_("belopp"))
    def amount(self, invoice: Invoice) -> str:
        """Return the total in kronor."""
        return words.amount(invoice.total_ore)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the whole number or not at all; the archive by its number alone (RUL-36)."""
        term = search_term.strip()
        if not term:
            archived = Customer.objects.locked().filter(pk=OuterRef("customer"))
            return queryset.filter(~Exists(archived), customer__isnull=False), False
        is_number = term.isascii() and term.isdigit() and len(term) < 19
        return (queryset.filter(number=int(term)) if is_number else queryset.none()), False


@admin.register(Product)
class ProductAdmin(StaffAdmin):
    list_display = ("code", "name", "similar_group")
    ordering = ("code",)


@admin.register(FiscalYear)
class FiscalYearAdmin(StaffAdmin):
    list_display = ("starts_on", "ends_on")
    ordering = ("-starts_on",)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Tell finance of days that belong to no year: nothing can be booked on them (BFL-01)."""
        for first, last in FiscalYear.gaps(today()):
            messages.warning(
                request,
                gettext(
                    "%(first)s till %(last)s hör till inget räkenskapsår. Ingen faktura kan "
                    "skrivas för de dagarna; lägg till det år som saknas."
                )
                % {"first": words.full_day(first), "last": words.full_day(last)},
            )
        return super().changelist_view(request, extra_context)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; invoices answer to the year as it was (BFL-01)."""
        return False
