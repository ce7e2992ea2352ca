"""What staff see of deletions that were done, and of whom not to reach; both name nobody."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from customers.models import Suppression
from customers.staff import ReadOnlyAdmin
from retention.models import Receipt


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Receipts name nobody; lists do not join to people."""

    list_display = ("at", "pseudonym", "category", "rule", "row_count", "run")
    list_filter = ("category",)
    list_select_related = ("run",)
    ordering = ("-pk",)
    fields = ("at", "pseudonym", "category", "rule", "row_count", "run", "last_day")

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
