"""The staff side as a place: its sections, its first page, and what it never shows."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NoReturn

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.dates import today
from customers.locked import shown_rows
from customers.staff import NONE, StaffAdmin
from disclosures.models import Outbox
from privacy_requests import telling_days
from privacy_requests.models import Case
from retention import clocks
from retention.decisions import pause_at
from retention.holds import REMINDED_BEFORE
from retention.models import Hold, Run

# The words of the work, and the models that belong to each.
SECTIONS = (
    (_("Arbete"), ("Customer", "Case", "Extract", "SupportCase")),
    (_("Gallring"), ("Run", "Forecast", "Receipt", "Hold", "SetAside", "Suppression")),
    (
        _("Mottagare"),
        (
            *("Campaign", "Outbox", "Recipient", "Agreement", "Adequacy"),
            *("Disclosure", "RecipientNotice"),
        ),
    ),
    (
        _("Regler"),
        (
            *("PolicyVersion", "Notice", "BalancingRecord", "NixSnapshot"),
            *("Product", "FiscalYear", "Invoice"),
        ),
    ),
    (_("Insyn"), ("AccessLog", "Event", "Standing")),
)
SHOWN = 8


class StaffSite(admin.AdminSite):
    """Django's admin, with our own pages only."""

    site_header = _("Dentalclean personal")
    site_title = _("Dentalclean personal")
    index_title = _("I dag")
    empty_value_display: Any = NONE

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.disable_action("delete_selected")

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take our own pages; those of third parties find people by parts of an address (D03)."""
        if admin_class is not None and issubclass(admin_class, StaffAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def autocomplete_view(self, request: HttpRequest) -> HttpResponse:
        """Refuse; nothing here completes what one types about people."""
        raise Http404

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> NoReturn:
        """Refuse; nobody has a password, one signs in by a code."""
        raise Http404

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> NoReturn:
        """Refuse; see password_change."""
        raise Http404

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return what this person may open, in the sections of the work."""
        if app_label is not None:
            return super().get_app_list(request, app_label)
        found = {
            model["object_name"]: model
            for app in self._build_app_dict(request).values()
            for model in app["models"]
        }
        sections = []
        for number, (name, models) in enumerate(SECTIONS):
            here = [found[model] for model in models if model in found]
            if here:
                sections.append(
                    {"name": name, "app_label": f"section-{number}", "app_url": "", "models": here}
                )
        return sections

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Show what is wrong today and what is next."""
        state = state_of(request)
        return super().index(request, {"state": state, **(extra_context or {})})


@dataclass
class CaseLine:
    """An open case as the first page shows it."""

    case: Case
    days: int
    left: telling_days.Left

    @property
    def next_step(self) -> str:
        """Say what staff do next."""
        return telling_days.next_step(self.case)


@dataclass
class HoldLine:
    """A hold to review as the first page shows it."""

    hold: Hold
    late: bool


@dataclass
class State:
    """What the first page knows; a list is None where the reader may not see it."""

    cases: list[CaseLine] | None = None
    runs: list[Run] | None = None
    dead: list[Outbox] | None = None
    holds: list[HoldLine] | None = None
    wrong: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """Say what is wrong, or that nothing is."""
        return " ".join(self.wrong) or gettext("Allt är i ordning.")


def state_of(request: HttpRequest, on: date | None = None) -> State:
    """Return the state of the day, a few queries, by what the reader may see."""
    day = on or today()
    state = State()
    if request.user.has_perm("privacy_requests.view_case"):
        _add_cases(state, day)
    if request.user.has_perm("retention.view_run"):
        _add_runs(state, day)
    if request.user.has_perm("disclosures.view_outbox"):
        _add_dead(state, request.user)
    if request.user.has_perm("retention.change_hold"):
        _add_holds(state, day)
    return state


def _add_cases(state: State, day: date) -> None:
    opened = Case.objects.filter(closed_on=None).select_related("customer").order_by("latest_on")
    lines = [
        CaseLine(case, (case.latest_on - day).days, telling_days.left(case, day))
        for case in opened[: 10 * SHOWN]
    ]
    counted = [line for line in lines if line.case.stands_since is None]
    late = sum(line.days < 0 for line in counted)
    due = sum(line.days == 0 for line in counted)
    if late:
        text = ngettext("%(n)s ärende är försenat.", "%(n)s ärenden är försenade.", late)
        state.wrong.append(capfirst(text % {"n": words.in_words(late)}))
    if due:
        text = ngettext(
            "%(n)s ärende ska vara klart i dag.", "%(n)s ärenden ska vara klara i dag.", due
        )
        state.wrong.append(capfirst(text % {"n": words.in_words(due)}))
    state.cases = lines[:SHOWN]


def _add_runs(state: State, day: date) -> None:
    state.runs = list(Run.objects.order_by("-business_date")[:SHOWN])
    if clocks.jumped() is not None:
        state.wrong.append(gettext("En klocka har ställts fram, så ingen gallring körs."))
    stopped = Run.objects.filter(status=Run.Status.STOPPED).order_by("business_date").first()
    if stopped is not None:
        text = gettext("Gallringen natten till %(day)s är stoppad och väntar på beslut.")
        state.wrong.append(text % {"day": words.day(stopped.business_date, day)})
    if pause_at(timezone.now()) is not None:
        state.wrong.append(gettext("Gallringen är avstängd."))
    partial = state.runs[0] if state.runs else None
    if partial is not None and partial.status == Run.Status.PARTIAL:
        text = gettext("Gallringen natten till %(day)s tog inte alla.")
        state.wrong.append(text % {"day": words.day(partial.business_date, day)})
    # Yesterday's night is certain to be over; tonight's may still be ahead.
    last = state.runs[0].business_date if state.runs else None
    if last is not None and last < day - timedelta(days=1):
        text = gettext("Ingen gallring har körts sedan natten till %(day)s.")
        state.wrong.append(text % {"day": words.day(last, day)})


def _add_holds(state: State, day: date) -> None:
    """Tell of holds that nobody has reviewed: they still hold until somebody decides (RUL-35)."""
    due = Hold.objects.to_review(day + REMINDED_BEFORE).select_related("customer", "owner")
    lines = [HoldLine(hold, hold.review_on < day) for hold in due[: 10 * SHOWN] if hold.review_on]
    late = sum(line.late for line in lines)
    if late:
        text = ngettext(
            "En spärr mot radering skulle ha omprövats.",
            "%(n)s spärrar mot radering skulle ha omprövats.",
            late,
        )
        state.wrong.append(capfirst(text % {"n": words.in_words(late)}))
    state.holds = lines[:SHOWN]


def _add_dead(state: State, reader: Any) -> None:
    dead = shown_rows(reader, Outbox.objects.filter(status=Outbox.Status.DEAD))
    dead = dead.order_by("-finished_at")
    found = list(dead.select_related("customer")[: 10 * SHOWN])
    if found:
        text = ngettext(
            "%(n)s meddelande kunde inte skickas.",
            "%(n)s meddelanden kunde inte skickas.",
            len(found),
        )
        state.wrong.append(capfirst(text % {"n": words.in_words(len(found))}))
    state.dead = found[:SHOWN]
