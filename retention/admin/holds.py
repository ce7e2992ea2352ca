"""What staff see of the holds, and how the data protection officer places and lifts them."""

from typing import Any

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
from customers.actions import record_reading
from customers.dates import FAR, today
from customers.models import AccessLog, Customer, User
from customers.personal_data import EVERYTHING, KINDS
from customers.staff import ReadOnlyInline, TracedAdmin
from retention.holds import HoldError, lift_hold, place_hold, review_hold
from retention.models import Hold, HoldReview
from retention.staff_forms import HoldForm, ReviewForm


class HoldInline(ReadOnlyInline):
    model = Hold
    fields = ("ground", "reason", "placed_at", "review_on", "lifted_at")
    ordering = ("-placed_at",)
    has_own_words = True


class HoldReviewInline(ReadOnlyInline):
    model = HoldReview
    fields = ("at", "reason", "review_on")


@admin.register(Hold)
class HoldAdmin(TracedAdmin):
    """Holds: placed, reviewed and lifted by the data protection officer, never edited (RUL-35)."""

    form = HoldForm
    change_form_template = "retention/hold.html"
    list_display = ("number", "ground", "placed", "review", "lifted")
    list_filter = ("ground",)
    ordering = ("-placed_at",)
    list_select_related = ("customer",)
    actions = ("lift",)
    fields = (
        *("person", "ground", "reason", "covers", "answers_for_it", "placed_at", "review"),
        *("lapses", "lifted_at", "work"),
    )

    @admin.display(description=_("kund"))
    def number(self, hold: Hold) -> str:
        """Return the customer number."""
        return hold.customer.number

    @admin.display(description=_("lagd"), ordering="placed_at")
    def placed(self, hold: Hold) -> str:
        """Return the day alone; the page of the hold has the time."""
        return words.day(hold.placed_at)

    @admin.display(description=_("hävd"), ordering="lifted_at")
    def lifted(self, hold: Hold) -> str | None:
        """Return the day alone, so that the list fits a page."""
        return words.day(hold.lifted_at) if hold.lifted_at else None

    @admin.display(description=_("kund"))
    def person(self, hold: Hold) -> str:
        """Link to the person by the customer number."""
        where = reverse("admin:customers_customer_change", args=[hold.customer_id])
        return format_html('<a href="{}">{}</a>', where, hold.customer.number)

    @admin.display(description=_("ansvarig"))
    def answers_for_it(self, hold: Hold) -> str:
        """Return who of staff owns it; the work it belongs to owns the others."""
        return hold.owner.email if hold.owner else str(self.get_empty_value_display())

    @admin.display(description=_("hör till"))
    def work(self, hold: Hold) -> str:
        """Return the work that lifts it, in words."""
        what, _colon, number = hold.reference.partition(":")
        if what == "case":
            return gettext("Ärende %(number)s") % {"number": number}
        return hold.reference or str(self.get_empty_value_display())

    @admin.display(description=_("omprövas"))
    def review(self, hold: Hold) -> str:
        """Return the day of review, said when it has passed."""
        if hold.review_on is None:
            return ""
        day = words.day(hold.review_on)
        late = hold.lifted_at is None and hold.review_on < today()
        return gettext("%(day)s, skulle ha omprövats") % {"day": day} if late else day

    @admin.display(description=_("gäller längst till och med"))
    def lapses(self, hold: Hold) -> str:
        """Return the last day of a decision; a case ends its own."""
        if hold.lapses_on >= FAR:
            return gettext("Ärendet är avslutat")
        return words.full_day(hold.lapses_on)

    @admin.display(description=_("omfattar"))
    def covers(self, hold: Hold) -> str:
        """Return the categories it keeps, in words."""
        if hold.categories & EVERYTHING == EVERYTHING:
            return gettext("Allt")
        return words.listed([str(c.for_staff) for c in KINDS if hold.categories & c.value])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let who may place holds place them."""
        return request.user.has_perm("retention.add_hold")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Let who may place holds lift them."""
        return request.user.has_perm("retention.change_hold")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a hold needs; show all of it afterwards."""
        return HoldForm.Meta.fields if obj is None else self.fields

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Show the reviews of a hold that is there."""
        return [] if obj is None else [HoldReviewInline]

    def get_urls(self) -> list[URLPattern]:
        """Add the page that reviews."""
        review = self.admin_site.admin_view(self.review_view)
        own = path("<int:pk>/omprova/", review, name="retention_hold_review")
        return [own, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Offer to review what can be reviewed to who may."""
        hold = context.get("original")
        context["may_review"] = hold is not None and self._may_review(request, hold)
        return super().render_change_form(request, context, *args, **kw)

    def _may_review(self, request: HttpRequest, hold: Hold) -> bool:
        is_over = hold.lifted_at is not None or hold.lapses_on < today()
        return self.has_lift_permission(request) and not hold.reference and not is_over

    def review_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why a hold is still needed and until when, after it has been read (RUL-35)."""
        if not self.has_lift_permission(request):
            raise PermissionDenied
        hold = self.get_object(request, str(pk))
        if hold is None:
            raise Http404
        if not self._may_review(request, hold):
            raise PermissionDenied
        return self.traced(request, str(pk), lambda: self._review(request, hold))

    def _review(self, request: HttpRequest, hold: Hold) -> HttpResponse:
        form = ReviewForm(request.POST or None)
        back = reverse("admin:retention_hold_change", args=[hold.pk])
        if form.is_valid() and isinstance(request.user, User):
            review_hold(hold, by=request.user, **form.cleaned_data)
            self.log_change(request, hold.customer, gettext("Spärr mot radering omprövad"))
            messages.success(
                request, gettext("Klart. Spärren gäller vidare, och du ansvarar för den.")
            )
            return redirect(back)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Ompröva spärren för %(number)s") % {"number": hold.customer.number},
            "answer": gettext(
                "Spärren gäller %(ground)s: %(reason)s Behövs den inte längre häver du den i "
                "listan, så raderas det som väntade nästa natt."
            )
            % {
                "ground": hold.get_ground_display(),
                "reason": hold.reason if hold.reason.endswith(".") else f"{hold.reason}.",
            },
            "form": form,
            "submit": gettext("Låt spärren gälla"),
            "back": back,
        }
        return TemplateResponse(request, "retention/decision.html", context)

    def save_model(self, request: HttpRequest, obj: Hold, form: Any, change: bool) -> None:
        """Place the hold by its own act."""
        if not isinstance(request.user, User) or obj.review_on is None:
            return
        placed = place_hold(
            obj.customer,
            ground=obj.ground,
            reason=obj.reason,
            owner=request.user,
            review_on=obj.review_on,
            categories=obj.categories,
        )
        obj.pk = placed.pk

    def log_addition(self, request: HttpRequest, obj: Hold, message: Any) -> Any:
        """Note it about the person; see `_note`."""
        return self._note(request, obj.customer, gettext("Spärr mot radering lagd"))

    def _note(self, request: HttpRequest, person: Customer, what: str) -> Any:
        """Note in the log of the person what was done, with a trace for the person (ACC-05, D08).

        The words of a hold may be for a court: they stay with the hold and not in the trace.
        """
        if isinstance(request.user, User):
            record_reading(person, request.user, AccessLog.Reason.CASE)
        return self.log_change(request, person, what)

    def response_add(self, request: HttpRequest, obj: Hold, post_url_continue: Any = None) -> Any:
        """Say what it means and go to the list."""
        messages.success(
            request,
            gettext("Klart. Det spärren omfattar om %(number)s raderas inte förrän den hävs.")
            % {"number": obj.customer.number},
        )
        return self.response_post_save_add(request, obj)

    @admin.action(description=_("Häv spärren"), permissions=["lift"])
    def lift(self, request: HttpRequest, queryset: QuerySet[Hold]) -> HttpResponse | None:
        """Lift the holds that are chosen."""
        for hold in queryset.filter(lifted_at=None).select_related("customer"):
            number = hold.customer.number
            try:
                lift_hold(hold)
            except HoldError:
                messages.warning(
                    request,
                    gettext("Spärren för %(number)s hör till ett ärende och hävs när det avslutas.")
                    % {"number": number},
                )
                continue
            self._note(request, hold.customer, gettext("Spärr mot radering hävd"))
            messages.success(
                request,
                gettext("Klart. Spärren för %(number)s är hävd. Nästa natt tar det som väntade.")
                % {"number": number},
            )
        return None
