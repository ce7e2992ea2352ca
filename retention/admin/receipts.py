"""What staff see of deletions that were done, and of whom not to reach; both name nobody."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.models import Suppression
from customers.personal_data import Category
from customers.staff import ReadOnlyAdmin
from retention.models import Receipt


class KindFilter(admin.SimpleListFilter):
    """What the receipts are of, as staff call it."""

    title = _("vad")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return every kind of data."""
        return [(str(category.value), category.for_staff) for category in Category]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Receipt]) -> QuerySet[Receipt]:
        """Keep the receipts of the kind that was chosen."""
        chosen = self.value()
        if chosen is None or not chosen.isdecimal():
            return queryset
        return queryset.filter(category=int(chosen))


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Receipts name nobody; lists do not join to people."""

    list_display = ("day", "what", "says", "rule", "row_count", "short")
    list_filter = (KindFilter, "held_by")
    list_select_related = ("run",)
    ordering = ("-pk",)
    fields = (
        *("at", "pseudonym", "what", "says", "rule", "row_count", "night", "follows"),
        "last_day",
    )

    @admin.display(description=_("vad"), ordering="category")
    def what(self, receipt: Receipt) -> str:
        """Return the category as staff call it."""
        return str(Category(receipt.category).for_staff)

    @admin.display(description=_("vad kvittot säger"))
    def says(self, receipt: Receipt) -> str:
        """Tell a deletion from what is held, and the second receipt from a first (ERA-04)."""
        if receipt.held_by:
            return gettext("Spärrat: %(ground)s") % {"ground": receipt.get_held_by_display()}
        return gettext("Raderat när spärren hävdes") if receipt.follows_id else gettext("Raderat")

    @admin.display(description=_("när"), ordering="at")
    def day(self, receipt: Receipt) -> str:
        """Return the day alone; the page of the receipt has the time."""
        return words.full_day(receipt.at)

    @admin.display(description=_("natten till"))
    def night(self, receipt: Receipt) -> str:
        """Link to the night that wrote it; an erasure on request has none."""
        if receipt.run is None:
            return str(self.get_empty_value_display())
        where = reverse("admin:retention_run_change", args=[receipt.run_id])
        return format_html('<a href="{}">{}</a>', where, words.full_day(receipt.run.business_date))

    @admin.display(description=_("pseudonym"))
    def short(self, receipt: Receipt) -> str:
        """Return enough of the pseudonym to see which receipts belong together."""
        return str(receipt.customer_id)[:8]

    @admin.display(description=_("pseudonym"))
    def pseudonym(self, receipt: Receipt) -> str:
        """Return what stands for the person."""
        return str(receipt.customer_id)


@admin.register(Suppression)
class SuppressionAdmin(ReadOnlyAdmin):
    """The list keeps hashes; nobody can read an address out of it."""

    list_display = ("kind", "added_on")
    list_filter = ("kind",)
    ordering = ("-added_on", "pk")
    fields = ("kind", "added_on")
