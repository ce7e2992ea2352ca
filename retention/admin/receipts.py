"""What staff see of deletions that were done, and of whom not to reach; both name nobody."""

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.models import Suppression
from customers.staff import ReadOnlyAdmin
from retention.models import Receipt


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Receipts name nobody; lists do not join to people."""

    list_display = ("at", "pseudonym", "category", "says", "rule", "row_count", "run")
    list_filter = ("category", "held_by")
    list_select_related = ("run",)
    ordering = ("-pk",)
    fields = (
        *("at", "pseudonym", "category", "says", "rule", "row_count", "run", "follows"),
        "last_day",
    )

    @admin.display(description=_("vad kvittot säger"))
    def says(self, receipt: Receipt) -> str:
        """Tell a deletion from what is held, and the second receipt from a first (ERA-04)."""
        if receipt.held_by:
            return gettext("Spärrat: %(ground)s") % {"ground": receipt.get_held_by_display()}
        return gettext("Raderat när spärren hävdes") if receipt.follows_id else gettext("Raderat")

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
