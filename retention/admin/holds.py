"""What staff see of the holds, and how the data protection officer places and lifts them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.dates import today
from customers.models import User
from customers.personal_data import EVERYTHING, Category
from customers.staff import ReadOnlyInline, TracedAdmin
from retention.holds import HoldError, lift_hold, place_hold
from retention.models import Hold
from retention.staff_forms import HoldForm


class HoldInline(ReadOnlyInline):
    model = Hold
    fields = ("ground", "reason", "placed_at", "review_on", "lifted_at")
    ordering = ("-placed_at",)
    has_own_words = True


@admin.register(Hold)
class HoldAdmin(TracedAdmin):
    """Holds: placed and lifted by the data protection officer, never edited (RUL-35)."""

    form = HoldForm
    list_display = ("number", "ground", "placed_at", "review", "lifted_at")
    list_filter = ("ground",)
    ordering = ("-placed_at",)
    list_select_related = ("customer",)
    actions = ("lift",)
    fields = (
        "customer",
        "ground",
        "reason",
        "covers",
        "owner",
        "placed_at",
        "review_on",
        "lifted_at",
        "reference",
    )

    @admin.display(description=_("kund"))
    def number(self, hold: Hold) -> str:
        """Return the customer number."""
        return hold.customer.number

    @admin.display(description=_("omprövas"))
    def review(self, hold: Hold) -> str:
        """Return the day of review, said when it has passed."""
        if hold.review_on is None:
            return ""
        day = words.day(hold.review_on)
        late = hold.lifted_at is None and hold.review_on < today()
        return gettext("%(day)s, skulle ha omprövats") % {"day": day} if late else day

    @admin.display(description=_("omfattar"))
    def covers(self, hold: Hold) -> str:
        """Return the categories it keeps, in words."""
        if hold.categories & EVERYTHING == EVERYTHING:
            return gettext("Allt")
        return words.listed([str(c.label) for c in Category if hold.categories & c.value])

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let who may place holds place them."""
        return request.user.has_perm("retention.add_hold")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        """Let who may place holds lift them."""
        return request.user.has_perm("retention.change_hold")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a hold needs; show all of it afterwards."""
        return HoldForm.Meta.fields if obj is None else self.fields

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
        )
        obj.pk = placed.pk

    def log_addition(self, request: HttpRequest, obj: Hold, message: Any) -> Any:
        """Note it in the log of the person, which goes with the person (D08)."""
        return self.log_change(request, obj.customer, gettext("Spärr mot radering lagd"))

    def response_add(self, request: HttpRequest, obj: Hold, post_url_continue: Any = None) -> Any:
        """Say what it means and go to the list."""
        messages.success(
            request,
            gettext("Klart. Inget om %(number)s raderas förrän spärren hävs.")
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
            self.log_change(request, hold.customer, gettext("Spärr mot radering hävd"))
            messages.success(
                request,
                gettext("Klart. Spärren för %(number)s är hävd. Nästa natt tar det som väntade.")
                % {"number": number},
            )
        return None
