"""What staff see of cases: whose turn it is and by when; cases are worked by their own acts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
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
from customers.staff import ReadOnlyInline, TracedAdmin
from privacy_requests import answers, cases, desk, rectification_desk, telling_days
from privacy_requests.desk_forms import AnswerForm, StrangerForm
from privacy_requests.models import Case, CaseEvent, Extract, Statement


class CaseInline(ReadOnlyInline):
    model = Case
    fields = ("right", "collected", "status", "received_on", "latest_on", "closed_on")
    ordering = ("-received_at",)


class StatementInline(ReadOnlyInline):
    """What the person has added to what stands about them, in their own words (REC-01)."""

    model = Statement
    fields = ("about", "wording", "written_at", "collected")
    has_own_words = True


class CaseEventInline(ReadOnlyInline):
    model = CaseEvent
    fields = ("at", "kind", "words", "who")

    @admin.display(description=_("av"))
    def who(self, event: CaseEvent) -> str:
        """Return who of staff did it; the account may be gone."""
        found = User.objects.filter(pk=event.actor_id or 0).values_list("email", flat=True).first()
        return found or ""


@admin.register(Case)
class CaseAdmin(TracedAdmin):
    """The queue by last day, and a page for each thing that is done to a case."""

    change_form_template = "admin/privacy_requests/case.html"
    change_list_template = "admin/privacy_requests/cases.html"
    list_display = ("number", "right", "collected", "received_on", "last", "step")
    list_filter = ("status", "right", "collected")
    list_select_related = ("customer",)
    ordering = (F("closed_on").desc(nulls_first=True), "latest_on", "pk")
    inlines = (CaseEventInline,)
    fields = (
        "customer",
        "right",
        "collected",
        "wording",
        "status",
        "received_at",
        "received_on",
        "identity_method",
        "asked_on",
        "suspended_days",
        "target_on",
        "nominal_on",
        "latest_on",
        "extended_on",
        "extension_reason",
        "outcome",
        "reasons",
        "rule",
        "answered_at",
        "answer",
        "closed_on",
        "last_day",
    )

    @admin.display(description=_("kund"))
    def number(self, case: Case) -> str:
        """Return the customer number."""
        return case.customer.number

    @admin.display(description=_("sista dag"))
    def last(self, case: Case) -> str:
        """Return the last day in colour and in words."""
        if case.closed_on is not None:
            return words.day(case.closed_on)
        left = telling_days.left(case, today())
        return format_html(
            '<span class="{}">{}</span> <span class="second">{}</span>',
            left.tone,
            left.words,
            words.day(case.latest_on),
        )

    @admin.display(description=_("nästa steg"))
    def step(self, case: Case) -> str:
        """Return what staff do next."""
        return telling_days.next_step(case)

    def get_urls(self) -> list[URLPattern]:
        """Add a page for each act."""
        act = self.admin_site.admin_view(self.act_view)
        stranger = self.admin_site.admin_view(self.stranger_view)
        return [
            path("<int:pk>/gor/<slug:act>/", act, name="privacy_requests_case_act"),
            path("okand/", stranger, name="privacy_requests_case_stranger"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kw: Any) -> Any:
        """Say where the case is in time, and offer what can be done with it."""
        case = context.get("original")
        if case is not None:
            context["acts"] = [act for act in desk.ACTS if act.is_open_to(request.user, case)]
            context["days"] = telling_days.sentence(case) if case.is_open else ""
            context["moved"] = telling_days.moved(case)
            context["step"] = telling_days.next_step(case)
            context["corrections"] = self._corrections(request, case)
        return super().render_change_form(request, context, *args, **kw)

    def _corrections(self, request: HttpRequest, case: Case) -> list[tuple[str, str]]:
        """Return where what the case says is wrong is set right, for who may do it there."""
        if case.right != Case.Right.RECTIFICATION or not case.is_open or case.is_hidden:  # type: ignore[attr-defined]
            return []
        person = case.customer
        return [
            (reverse(f"admin:{page.name}", args=[person.pk]), page.link)
            for page in rectification_desk.PAGES
            if page.may(request, person)
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer to answer somebody who is in no register."""
        more = {"answers_strangers": request.user.has_perm(desk.ANSWERS)}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def stranger_view(self, request: HttpRequest) -> HttpResponse:
        """Answer somebody of whom nothing is held that nothing is (ACC-11)."""
        if not request.user.has_perm(desk.ANSWERS) or not isinstance(request.user, User):
            raise PermissionDenied
        form = StrangerForm(request.POST or None)
        if form.is_valid():
            given = form.cleaned_data
            desk.answer_unknown(given, form.received_at, request.user)
            messages.success(request, gettext("Klart. Svaret är på väg. Vi sparar ingen adress."))
            return redirect("admin:privacy_requests_case_changelist")
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Svara någon som inte finns hos oss"),
            "answer": _("Skriv adressen som hen skrev från. Finns den hos oss säger sidan till."),
            "form": form,
            "submit": _("Svara att vi inget har"),
            "back": reverse("admin:privacy_requests_case_changelist"),
        }
        status = 422 if form.is_bound else 200
        return TemplateResponse(request, "admin/form.html", context, status=status)

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Do one thing to a case; what it does not allow is said in a sentence."""
        case = self.get_object(request, str(pk))
        wanted = desk.BY_PATH.get(act)
        if case is None or wanted is None:
            raise Http404
        if not request.user.has_perm(wanted.right) or case.is_hidden:
            raise PermissionDenied
        return self.traced(request, str(pk), lambda: self._act(request, case, wanted))

    def _act(self, request: HttpRequest, case: Case, act: desk.Act) -> HttpResponse:
        about = {"case": case} if act.form is AnswerForm else {"label_suffix": ""}
        form = act.form(request.POST if request.method == "POST" else None, **about)
        back = reverse("admin:privacy_requests_case_change", args=[case.pk])
        status = 200
        if form.is_valid() and isinstance(request.user, User):
            try:
                if not act.is_open_to(request.user, case):
                    cases.locked(case.pk) if not case.is_open else None
                    raise cases.RefusedError(gettext("Det går inte att göra i ärendet nu."))
                act.do(case, form, request.user)
            except cases.RefusedError as refused:
                form.add_error(None, str(refused))
                status = 409
            else:
                self.log_change(request, case.customer, f"{act.link}: {case.pk}")
                messages.success(request, act.done)
                return redirect(back)
        elif form.is_bound:
            status = 422
        is_proposed = case.decided_by_id is not None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "person": case.customer,
            "title": f"{act.link}: {case.get_right_display()}",
            "answer": act.answer,
            "form": form,
            "submit": act.link,
            "back": back,
            "case": case,
            "previews": desk.previews_of(act, case),
            "fee": words.amount(case.fee_ore) if case.fee_ore else "",
            "proposal": answers.render(case, case.outcome) if is_proposed else "",
        }
        return TemplateResponse(request, "admin/privacy_requests/act.html", context, status=status)


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
