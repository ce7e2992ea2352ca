"""What staff see of cases: whose turn it is and by when; cases are worked by their own acts."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.models import Customer
from customers.staff import ReadOnlyInline, TracedAdmin
from privacy_requests.models import Case, CaseEvent, Extract


class CaseInline(ReadOnlyInline):
    model = Case
    fields = ("right", "collected", "status", "received_on", "latest_on", "closed_on")
    ordering = ("-received_at",)


class CaseEventInline(ReadOnlyInline):
    model = CaseEvent
    fields = ("at", "kind")


@admin.register(Case)
class CaseAdmin(TracedAdmin):
    list_display = ("number", "right", "collected", "status", "latest_on", "closed_on")
    list_filter = ("status", "right", "collected")
    list_select_related = ("customer",)
    ordering = ("closed_on", "latest_on")
    inlines = (CaseEventInline,)
    fields = (
        "customer",
        "right",
        "collected",
        "status",
        "received_at",
        "received_on",
        "target_on",
        "nominal_on",
        "latest_on",
        "answered_at",
        "answer",
        "closed_on",
        "last_day",
    )

    @admin.display(description=_("kund"))
    def number(self, case: Case) -> str:
        """Return the customer number."""
        return case.customer.number


@admin.register(Extract)
class ExtractAdmin(TracedAdmin):
    """The files built for people: what became of them, never what is in them."""

    list_display = ("number", "status", "attempts", "ready_at", "expires_on", "downloads")
    list_filter = ("status",)
    ordering = ("-snapshot_at", "pk")
    fields = (
        "case",
        "status",
        "attempts",
        "snapshot_at",
        "ready_at",
        "expires_on",
        "downloads",
        "gone_at",
        "weight",
    )

    def person_of(self, row: Extract) -> Customer:
        """Return whose file it is."""
        return row.case.customer

    def get_queryset(self, request: HttpRequest) -> QuerySet[Extract]:
        """Fetch the cases and people along."""
        return super().get_queryset(request).select_related("case__customer")

    @admin.display(description=_("kund"))
    def number(self, extract: Extract) -> str:
        """Return the customer number."""
        return extract.case.customer.number

    @admin.display(description=_("storlek"))
    def weight(self, extract: Extract) -> str:
        """Return how large the file is, in words."""
        return words.file_size(extract.size)
