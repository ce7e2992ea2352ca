"""What staff see of the nights and of what is to come, and what they decide about them."""

from contextlib import suppress
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.models import User
from customers.personal_data import Category
from customers.staff import ReadOnlyAdmin, TracedAdmin
from retention.clocks import jumped, trust
from retention.decisions import (
    PauseError,
    ReleaseError,
    pause_at,
    release_run,
    turn_off,
    turn_on,
)
from retention.models import Forecast, Pause, Run, SetAside
from retention.night_words import expected_plan, in_people, night_context, planned
from retention.staff_forms import ReasonForm, ReleaseForm, TurnOffForm


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    """The nights, what was decided about them, and their certificates."""

    list_display = ("business_date", "status", "took_until", "people", "rows")
    list_filter = ("status",)
    change_list_template = "retention/runs.html"
    change_form_template = "retention/run.html"
    fields = ("business_date", "status", "started_at", "finished_at", "people")

    @admin.display(description=_("slutade"), ordering="finished_at")
    def took_until(self, run: Run) -> str | None:
        """Return when the night was over, short enough for a phone."""
        return words.moment(run.finished_at) if run.finished_at else None

    @admin.display(description=_("rader"))
    def rows(self, run: Run) -> str:
        """Return how much the night took."""
        return words.figures(sum(run.counts.values()))

    def get_urls(self) -> list[URLPattern]:
        """Add the acts and the file."""
        wrap = self.admin_site.admin_view
        pages = (
            ("stang-av/", self.turn_off_view, "turn_off"),
            ("sla-pa/", self.turn_on_view, "turn_on"),
            ("klockan/", self.clock_view, "clock"),
            ("<int:pk>/slapp/", self.release_view, "release"),
            ("<int:pk>/intyg.json", self.certificate_view, "certificate"),
        )
        own = [path(at, wrap(view), name=f"retention_run_{name}") for at, view, name in pages]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Say whether the purge is on, above the nights, and offer what can be decided."""
        pause = pause_at(timezone.now())
        context = {
            "answer": _state(pause),
            "may_turn_off": pause is None and request.user.has_perm("retention.add_pause"),
            "may_turn_on": pause is not None and request.user.has_perm("retention.add_pause"),
            "may_trust": jumped() is not None and request.user.has_perm("retention.release_run"),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a night: what it was to take, what it took, what it left, and who decided."""
        run = self.get_object(request, object_id)
        context: dict[str, Any] = {}
        if run is not None and self.has_view_permission(request, run):
            context = {
                **night_context(run),
                "may_release": run.status == Run.Status.STOPPED
                and request.user.has_perm("retention.release_run"),
            }
        return super().change_view(
            request, object_id, form_url, {**context, **(extra_context or {})}
        )

    def certificate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the signed certificate as a file."""
        _demand(request, "retention.view_run")
        run = get_object_or_404(Run, pk=pk)
        if run.certificate is None:
            raise Http404
        response = JsonResponse(
            run.certificate, json_dumps_params={"ensure_ascii": False, "indent": 2}
        )
        response["Content-Disposition"] = (
            f'attachment; filename="gallring-{run.business_date}.json"'
        )
        return response

    def release_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for a reason beside the plan, then release that very plan (RUL-38)."""
        _demand(request, "retention.release_run")
        run = get_object_or_404(Run, pk=pk)
        if run.status != Run.Status.STOPPED:
            messages.info(request, gettext("Den här natten väntar inte på något beslut."))
            return redirect("admin:retention_run_change", pk)
        form = ReleaseForm(request.POST or None, initial={"plan_hash": run.plan_hash})
        if request.method == "POST" and form.is_valid():
            try:
                release_run(run, by=_staff(request), **form.cleaned_data)
            except ReleaseError:
                messages.warning(
                    request, gettext("Planen har ändrats sedan du läste den. Läs den nya först.")
                )
                return redirect("admin:retention_run_release", pk)
            self.log_change(request, run, gettext("Stoppad natt frisläppt"))
            messages.success(request, gettext("Klart. Natten tar planen inom en minut."))
            return redirect("admin:retention_run_change", pk)
        answer = gettext(
            "Planen tar %(people)s. För en vecka sedan väntades %(expected)s, och fler än "
            "%(most)s tas inte utan att någon har läst planen. Ändras planen innan den är gjord "
            "frågar vi igen."
        ) % {
            "people": in_people(run.planned_people),
            "expected": words.figures(run.expected_people),
            "most": words.figures(run.most_people),
        }
        back = reverse("admin:retention_run_change", args=[pk])
        return self._form(
            request,
            gettext("Släpp natten"),
            answer,
            form,
            back,
            plan=expected_plan(run),
            planned=list(planned(run)),
        )

    def turn_off_view(self, request: HttpRequest) -> HttpResponse:
        """Turn the purge off, with an end and a reason."""
        _demand(request, "retention.add_pause")
        form = TurnOffForm(request.POST or None)
        back = reverse("admin:retention_run_changelist")
        if request.method == "POST" and form.is_valid():
            try:
                pause = turn_off(by=_staff(request), **form.cleaned_data)
            except PauseError:
                messages.warning(request, gettext("Gallringen är redan avstängd."))
                return redirect(back)
            self.log_addition(request, pause, gettext("Gallringen avstängd"))
            messages.success(request, gettext("Klart. Ingen natt raderar något så länge."))
            return redirect(back)
        answer = gettext(
            "Nätterna hoppas över tills gallringen är på igen; då tas det som väntade. Under tiden "
            "sparar vi längre än vi har lovat."
        )
        return self._form(request, gettext("Stäng av gallringen"), answer, form, back)

    def turn_on_view(self, request: HttpRequest) -> HttpResponse:
        """Turn the purge on again."""
        _demand(request, "retention.add_pause")
        if request.method == "POST":
            with suppress(PauseError):
                for pause in turn_on(by=_staff(request)):
                    self.log_change(request, pause, gettext("Gallringen påslagen"))
            messages.success(request, gettext("Klart. Det som väntade tas inom en minut."))
        return redirect("admin:retention_run_changelist")

    def clock_view(self, request: HttpRequest) -> HttpResponse:
        """Say, with a reason, that the clocks are right although one was put forward."""
        _demand(request, "retention.release_run")
        back = reverse("admin:retention_run_changelist")
        form = ReasonForm(request.POST or None)
        gap = jumped()
        if gap is None:
            messages.info(request, gettext("Klockorna stämmer."))
            return redirect(back)
        if request.method == "POST" and form.is_valid():
            self.log_addition(request, trust(), form.cleaned_data["reason"])
            messages.success(request, gettext("Klart. Nätterna körs från den tid klockan visar."))
            return redirect(back)
        answer = gettext(
            "Klockan visar %(now)s, %(hours)s timmar mer än väntat. Kontrollera den mot en annan "
            "klocka innan du svarar: en natt på fel dag raderar för tidigt."
        ) % {
            "now": words.moment(timezone.now()),
            "hours": words.figures(int(gap.total_seconds() // 3600)),
        }
        return self._form(request, gettext("Klockan stämmer"), answer, form, back)

    def _form(
        self, request: HttpRequest, title: str, answer: str, form: Any, back: str, **more: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "answer": answer,
            "form": form,
            "submit": title,
            "back": back,
            **more,
        }
        return TemplateResponse(request, "retention/decision.html", context)


def _demand(request: HttpRequest, right: str) -> None:
    if not request.user.has_perm(right):
        raise PermissionDenied


def _staff(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _state(pause: Pause | None) -> str:
    """Say in a sentence whether the purge is on."""
    if jumped() is not None:
        return gettext("En klocka har ställts fram. Ingen natt körs förrän det är utrett.")
    if pause is not None:
        return gettext("Gallringen är avstängd till %(when)s: %(reason)s") % {
            "when": words.moment(pause.until),
            "reason": pause.reason,
        }
    return gettext("Gallringen är på. Den körs varje natt kl. 02.30.")


@admin.register(Forecast)
class ForecastAdmin(ReadOnlyAdmin):
    """What the nights to come will take, as the latest night saw it."""

    list_display = ("day", "span", "people", "of_what")
    list_filter = ("span",)
    ordering = ("-span", "day")
    list_per_page = 200
    fields = ("made_on", "day", "span", "people", "of_what")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Forecast]:
        """Show the latest look ahead only."""
        found: QuerySet[Forecast] = super().get_queryset(request)
        latest = Forecast.objects.order_by("-made_on").values("made_on")[:1]
        return found.filter(made_on=Subquery(latest))

    @admin.display(description=_("varav"))
    def of_what(self, forecast: Forecast) -> str:
        """Return people per category."""
        numbers = sorted(forecast.per_category.items(), key=lambda item: int(item[0]))
        said = [f"{Category(int(c)).for_staff} {words.figures(people)}" for c, people in numbers]
        return "; ".join(said) or gettext("Inget")


@admin.register(SetAside)
class SetAsideAdmin(TracedAdmin):
    """People whose rows the database would not give up; tried again every night (F14)."""

    list_display = ("number", "cause", "attempts", "since", "tried_on")
    ordering = ("-tried_on",)
    list_select_related = ("customer",)
    fields = ("customer", "cause", "attempts", "since", "tried_on")

    @admin.display(description=_("kund"))
    def number(self, row: SetAside) -> str:
        """Return the customer number."""
        return row.customer.number
