"""How staff read about people: nothing to delete, no search by parts, a trace of each reading.

Every room builds its admin pages on these classes, so that what holds for one list holds for all.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import BadRequest
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from customers import locked, words
from customers.actions import record_reading
from customers.models import Customer, User

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    TabularInline = admin.TabularInline[Any, Any]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline

MISSING = _("Har vi inte")
NONE = _("Saknas")
PROTECTED = _("Skyddad")

# In the session of who reads: why, for each person, asked once (D01).
REASONS = "reasons"


def may_see_protected(user: Any, customer: Customer) -> bool:
    """Say whether somebody of staff may see this person's details (SKY-01, D11)."""
    return not customer.protection or user.has_perm("customers.view_protected")


def shown(label: Any, value: Callable[[Any], Any]) -> Callable[[Any, Any], str]:
    """Return a read-only field of a person that is hidden with a protected identity."""

    @admin.display(description=label)
    def show(self: Any, row: Any) -> str:
        if getattr(row, "is_hidden", False):
            return str(PROTECTED)
        return str(value(row) or MISSING)

    return show


def yes_or_no(label: Any, column: str) -> Callable[[Any, Any], str]:
    """Return a read-only field that says a truth in a word instead of a coloured sign."""
    words = {True: _("Ja"), False: _("Nej"), None: _("Vet inte än")}

    @admin.display(description=label)
    def show(self: Any, row: Any) -> str:
        return str(words[getattr(row, column)])

    return show


class SaysLastDay:
    """Rows that have a day of their own say it in words."""

    @admin.display(description=_("sparas till och med"))
    def last_day(self, row: Any) -> str:
        """Return the last day a row is kept."""
        return words.full_day(row.retain_until) if row.retain_until else str(_("Inget slut än"))


class StaffAdmin(SaysLastDay, ModelAdmin):
    """A list that answers no question about what it does not show (D03)."""

    view_on_site = False
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by = ()
    list_per_page = 50
    empty_value_display = NONE

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the exact values of the filters beside the list and nothing else."""
        name, _, kind = lookup.partition("__")
        return name in self.list_filter and kind in ("", "exact", "isnull")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Head the list with what it lists; PostgreSQL would choke on a NUL in a filter (B11)."""
        if any("\0" in value for values in request.GET.lists() for value in values[1]):
            raise BadRequest("An address of a list holds no NUL.")
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Head the page with what it shows, and offer one way to save."""
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}
        if context.get("original") is not None:
            context["title"] = self.heading_of(context["original"])
            context["subtitle"] = None
        return super().render_change_form(request, context, *args, **kw)

    def heading_of(self, row: Any) -> str:
        """Return the heading of one row's page."""
        return f"{capfirst(self.opts.verbose_name)} {row}"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What staff may end is ended by an act, never by deleting a row (D07)."""
        return False


class ReadOnlyAdmin(StaffAdmin):
    """What can be read and nothing else, whatever the rights of who asks."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse; the program writes these rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; see has_add_permission."""
        return False


class ReadOnlyInline(SaysLastDay, TabularInline):
    """Rows of a person on the person's page."""

    template = "admin/rows.html"
    extra = 0
    max_num = 0
    can_delete = False
    # Left out where the person's identity is protected from who reads.
    has_own_words = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out what is past its time and only held (ERA-04)."""
        return locked.shown_rows(request.user, super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show every column as text."""
        return self.fields or ()

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; facts come in by their own acts."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; see has_add_permission."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse; see has_add_permission."""
        return False


class TracedAdmin(ReadOnlyAdmin):
    """Pages about a person: a reason first, then a row in the access log, then the page (D01, D02).

    The row and the page are one transaction: what cannot be logged is not shown.
    """

    def person_of(self, row: Any) -> Customer | None:
        """Return the person a row is about, None when the person is gone."""
        found: Customer | None = row.customer
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave out people who are only kept, and what of others is (ERA-04)."""
        return locked.shown_rows(request.user, super().get_queryset(request))

    def hides(self, request: HttpRequest, person: Customer) -> bool:
        """Say whether who asks must not see anything about a person."""
        return locked.is_hidden(request.user, person)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the row, marked when the person's details are hidden from who asks."""
        row: Any = super().get_object(request, object_id, from_field)
        person = self.person_of(row) if row is not None else None
        if person is not None and self.hides(request, person):
            return None
        if person is not None:
            row.is_hidden = not may_see_protected(request.user, person)
        return row

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show one row."""
        return self.traced(
            request,
            object_id,
            lambda: super(TracedAdmin, self).change_view(
                request, object_id, form_url, extra_context
            ),
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what staff have done to one row."""
        return self.traced(
            request,
            object_id,
            lambda: super(TracedAdmin, self).history_view(request, object_id, extra_context),
        )

    def traced(
        self, request: HttpRequest, object_id: str, page: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Return the page once a reason is given and the reading is logged."""
        row = self.get_object(request, unquote(object_id))
        person = self.person_of(row) if row is not None else None
        if person is None or not self.has_view_or_change_permission(request, row):
            return page()
        given = reason_given(request, person)
        if given is None:
            where = reverse("admin:customers_customer_reason", args=[person.pk])
            return redirect(f"{where}?{urlencode({'next': request.path})}")
        with transaction.atomic():
            trace(request, person, given)
            response = page()
            if isinstance(response, TemplateResponse):
                response.render()
        return response


def reason_given(request: HttpRequest, person: Customer) -> dict[str, str] | None:
    """Return why this person is read in this session, None when it has not been said."""
    found: dict[str, str] | None = request.session.get(REASONS, {}).get(str(person.pk))
    return found


def give_reason(request: HttpRequest, person: Customer, reason: str, words: str) -> None:
    """Remember for the session why a person is read."""
    reasons = request.session.get(REASONS, {})
    reasons[str(person.pk)] = {"reason": reason, "words": words}
    request.session[REASONS] = reasons


def trace(request: HttpRequest, person: Customer, given: dict[str, str]) -> None:
    """Write the row of the access log."""
    if isinstance(request.user, User):
        record_reading(person, request.user, given["reason"], given["words"])
