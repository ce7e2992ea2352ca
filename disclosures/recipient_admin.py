"""What the data protection officer sees to: recipients, agreements, and notices to them."""

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.dates import today
from customers.models import Customer, User
from customers.personal_data import Category
from customers.staff import StaffAdmin, TracedAdmin
from disclosures.agreements import FLAWS, NoAgreementError, cover
from disclosures.models import (
    Adequacy,
    Agreement,
    Disclosure,
    Recipient,
    RecipientNotice,
    SubProcessor,
)
from disclosures.models.recipients import ARTICLE_28
from disclosures.recipient_forms import (
    AgreementForm,
    ClosingForm,
    RecipientForm,
    SubProcessorForm,
)
from disclosures.recipient_notices import ClosedError, acknowledge, give_up

if TYPE_CHECKING:
    TabularInline = admin.TabularInline[Any, Any]
else:
    TabularInline = admin.TabularInline

# Said ahead, while there is time to sign anew.
SOON = timedelta(days=60)


def kinds(categories: int) -> str:
    """Say a mask of kinds of data; none means all they have."""
    found = [str(c.label) for c in Category if categories & c.value]
    return words.listed(found) if found else gettext("Allt de har fått")


@admin.register(Recipient)
class RecipientAdmin(StaffAdmin):
    """Who may get data; a name is never changed, people have said yes and no by it."""

    form = RecipientForm
    list_display = ("name", "kind", "task", "country", "state")
    list_filter = ("kind",)
    fields = (
        *("kind", "name", "legal_name", "task", "email", "country", "is_certified"),
        *("purposes", "kinds", "active_from", "active_until"),
    )

    @admin.display(description=_("läge"))
    def state(self, recipient: Recipient) -> str:
        """Say whether they may get anything today, and why not."""
        try:
            covered = cover(recipient, today())
        except NoAgreementError as refused:
            return " ".join(str(FLAWS[flaw]) for flaw in refused.flaws)
        ends = covered.agreement.valid_until if covered.agreement else None
        if ends is not None and ends <= today() + SOON:
            return gettext("Avtalet går ut %(day)s.") % {"day": words.day(ends)}
        return gettext("Får ta emot uppgifter")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Keep what people know them by."""
        return () if obj is None else ("kind", "name")


class SubProcessorInline(TabularInline):
    """Whom they let in on the data."""

    model = SubProcessor
    form = SubProcessorForm
    extra = 1


@admin.register(Agreement)
class AgreementAdmin(StaffAdmin):
    """What was signed, point by point."""

    form = AgreementForm
    list_display = ("with_whom", "reference", "valid_from", "valid_until", "holds")
    list_select_related = ("recipient",)
    inlines = (SubProcessorInline,)
    fieldsets = (
        (None, {"fields": ("recipient", "reference", "valid_from", "valid_until")}),
        (_("Artikel 28.3"), {"fields": ARTICLE_28}),
        (
            _("Utanför EU och EES"),
            {
                "fields": (
                    *("countries", "safeguard", "scc_module"),
                    *("transfer_assessment", "assessed_on"),
                )
            },
        ),
    )

    @admin.display(description=_("mottagare"))
    def with_whom(self, agreement: Agreement) -> str:
        """Return who signed it."""
        return str(agreement.recipient)

    @admin.display(description=_("saknas"))
    def holds(self, agreement: Agreement) -> str:
        """Return the points it lacks, where it needs them."""
        if agreement.recipient.kind != Recipient.Kind.PROCESSOR:
            return ""
        return words.listed(
            [str(Agreement._meta.get_field(p).verbose_name) for p in agreement.missing]  # type: ignore[union-attr]
        )


@admin.register(Adequacy)
class AdequacyAdmin(StaffAdmin):
    """The EU's decisions, as rows with dates (TRF-02)."""

    list_display = ("country", "reach", "decision", "valid_from", "valid_until")
    list_filter = ("reach",)
    fields = ("country", "reach", "decision", "valid_from", "valid_until")


class ByPseudonym(TracedAdmin):
    """Rows that know their person by pseudonym, and outlive them."""

    def person_of(self, row: Any) -> Customer | None:
        """Return the person, None when they are gone."""
        return Customer.objects.filter(pseudonym=row.customer_id).first()

    @admin.display(description=_("kund"))
    def person(self, row: Any) -> str:
        """Link to the person by the customer number."""
        customer = self.person_of(row)
        if customer is None:
            return gettext("Raderad")
        where = reverse("admin:customers_customer_change", args=[customer.pk])
        return format_html('<a href="{}">{}</a>', where, customer.number)

    @admin.display(description=_("uppgifter"))
    def what(self, row: Any) -> str:
        """Return the kinds of data."""
        return kinds(row.categories)

    @admin.display(description=_("mottagare"))
    def whom(self, row: Any) -> str:
        """Return who got it."""
        return str(row.recipient)


@admin.register(Disclosure)
class DisclosureAdmin(ByPseudonym):
    """What left us; nobody writes it by hand."""

    list_display = ("at", "whom", "purpose", "what")
    list_filter = ("purpose",)
    list_select_related = ("recipient",)
    fields = (
        *("person", "whom", "at", "purpose", "basis", "channel", "what", "country"),
        *("safeguard", "last_day"),
    )


class StateFilter(admin.SimpleListFilter):
    """What waits for an answer, and what the officer has been told of."""

    title = _("läge")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Offer the states."""
        return [
            ("open", _("väntar på svar")),
            ("late", _("påmind utan svar")),
            ("done", _("klart")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the notices in the state that was chosen."""
        return {
            "open": queryset.filter(closed_at__isnull=True),
            "late": queryset.filter(closed_at__isnull=True, escalated_at__isnull=False),
            "done": queryset.filter(closed_at__isnull=False),
        }.get(self.value() or "", queryset)


@admin.register(RecipientNotice)
class RecipientNoticeAdmin(ByPseudonym):
    """What recipients are told, and the page that closes it."""

    change_form_template = "admin/disclosures/notice.html"
    list_display = ("created_at", "whom", "act", "state", "attempts")
    list_filter = (StateFilter, "act")
    list_select_related = ("recipient",)
    fields = (
        *("person", "whom", "act", "what", "channel", "created_at", "sent_at", "attempts"),
        *("next_chase_on", "escalated_at", "outcome", "closed_at", "reason", "by_whom"),
        "last_day",
    )

    @admin.display(description=_("läge"))
    def state(self, notice: RecipientNotice) -> str:
        """Say where it stands."""
        if notice.closed_at is not None:
            return notice.get_outcome_display()
        return gettext("väntar på svar") if notice.sent_at else gettext("skickas")

    @admin.display(description=_("avslutat av"))
    def by_whom(self, notice: RecipientNotice) -> str:
        """Return who closed it, by the account, which may be gone."""
        if notice.closed_by_id is None:
            return str(self.get_empty_value_display())
        found = User.objects.filter(pk=notice.closed_by_id).values_list("email", flat=True)
        return found.first() or gettext("Kontot finns inte längre")

    def has_close_permission(self, request: HttpRequest) -> bool:
        """Let who may close notices close them."""
        return request.user.has_perm("disclosures.change_recipientnotice")

    def get_urls(self) -> list[URLPattern]:
        """Add the page that closes one."""
        close = self.admin_site.admin_view(self.close_view)
        own = path("<uuid:pk>/avsluta/", close, name="disclosures_recipientnotice_close")
        return [own, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Offer to close what is open to who may."""
        notice = context.get("original")
        is_open = notice is not None and notice.closed_at is None
        context["may_close"] = is_open and self.has_close_permission(request)
        return super().render_change_form(request, context, *args, **kw)

    def close_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Ask how it was acknowledged, or why it cannot be told."""
        if not self.has_close_permission(request):
            raise PermissionDenied
        notice = self.get_object(request, str(pk))
        if notice is None:
            raise Http404
        return self.traced(request, str(pk), lambda: self._close(request, notice))

    def _close(self, request: HttpRequest, notice: RecipientNotice) -> HttpResponse:
        back = reverse("admin:disclosures_recipientnotice_change", args=[notice.pk])
        form = ClosingForm(request.POST or None)
        if form.is_valid() and isinstance(request.user, User):
            outcome, reason = form.cleaned_data["outcome"], form.cleaned_data["reason"]
            try:
                if outcome == RecipientNotice.Outcome.ACKNOWLEDGED:
                    acknowledge(notice.pk, reason, actor=request.user)
                else:
                    give_up(notice.pk, outcome, reason, actor=request.user)
            except ClosedError as refused:
                messages.error(request, str(refused))
            else:
                messages.success(request, gettext("Klart. Vi påminner inte mer om det här."))
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Avsluta beskedet till %(who)s") % {"who": notice.recipient},
            "answer": gettext("%(who)s fick veta det %(day)s: %(act)s. Beskedet har nummer %(n)s.")
            % {
                "who": notice.recipient,
                "day": words.day(notice.created_at),
                "act": notice.get_act_display(),
                "n": notice.pk,
            },
            "form": form,
            "submit": gettext("Avsluta"),
            "back": back,
        }
        return TemplateResponse(request, "retention/decision.html", context)
