"""One case on Min sida: asked for in one's own words, followed, added to, taken back."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from customers import words
from customers.decorators import act, customer_required
from customers.models import Customer
from privacy_requests import actions, cases, identity, telling_days
from privacy_requests.case_forms import RequestForm, WordsForm, status_of
from privacy_requests.messages import register_message
from privacy_requests.models import Case, CaseEvent

HIDDEN = (CaseEvent.Kind.ESCALATED, CaseEvent.Kind.DECIDED, CaseEvent.Kind.SENT_BACK)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def new(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask what the person wants and write it down; twice is once (B06, DSR-05)."""
    wanted = {"rights": request.GET.getlist("rights")}
    form = RequestForm(request.POST if request.method == "POST" else None, initial=wanted)
    if form.is_valid():
        given = form.cleaned_data
        try:
            found = register_message(
                customer,
                given["rights"],
                given["wording"],
                token=given["token"],
                identity=_shown(request, customer),
            )
        except cases.RefusedError as refused:
            form.add_error(None, str(refused))
            return render(request, "privacy_requests/new.html", {"form": form}, status=409)
        messages.success(request, _receipt(found))
        if len(found) == 1:
            return redirect("privacy_requests:case", found[0].public_id)
        return redirect("privacy_requests:cases")
    return render(request, "privacy_requests/new.html", {"form": form}, status=status_of(form))


def _shown(request: HttpRequest, customer: Customer) -> str:
    """Return how this session has shown who it is, if it has (DSR-03)."""
    proof = identity.proven(request, customer)
    return Case.Identity(proof.method.value) if proof is not None else ""


def _receipt(found: list[Case]) -> str:
    waiting = [case for case in found if case.is_open]
    if not waiting:
        return _("Klart. Det du bad om är gjort.")
    said = ngettext("Vi har fått det.", "Vi har fått allt.", len(waiting))
    return f"{said} {telling_days.sentence(min(waiting, key=lambda case: case.latest_on))}"


@require_safe
@customer_required
def case(request: HttpRequest, customer: Customer, public_id: uuid.UUID) -> HttpResponse:
    """Show one case with what has happened and its answer."""
    return _page(request, _own(customer, public_id))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def more(request: HttpRequest, customer: Customer, public_id: uuid.UUID) -> HttpResponse:
    """Add what the person wants to say to an open case."""
    found = _own(customer, public_id)
    form = WordsForm(request.POST or None)
    if not form.is_valid():
        if request.method != "POST":
            return redirect("privacy_requests:case", found.public_id)
        return _page(request, found, form, status=status_of(form))
    try:
        cases.add_words(found.pk, form.cleaned_data["wording"])
    except cases.ClosedError as closed:
        return _page(request, found, refused=str(closed), status=409)
    messages.success(request, _("Klart. Det står i ärendet nu."))
    return redirect("privacy_requests:case", found.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
@identity.identity_required
def identify(request: HttpRequest, customer: Customer, public_id: uuid.UUID) -> HttpResponse:
    """Let the case know that its person has just shown who they are; its clock goes on."""
    found = _own(customer, public_id)
    shown = _shown(request, customer)
    if not shown:  # it grew old in this very moment
        return redirect("privacy_requests:identify")
    if found.status == Case.Status.IDENTIFYING:
        try:
            cases.identify(found.pk, shown)
        except cases.ClosedError as closed:
            return _page(request, found, refused=str(closed), status=409)
        messages.success(request, _("Tack. Nu vet vi att det är du, och går vidare."))
    return redirect("privacy_requests:case", found.public_id)


@act("privacy_requests:cases")
@customer_required
def take_back(request: HttpRequest, customer: Customer, public_id: uuid.UUID) -> HttpResponse:
    """End a case because its person does not want it any more; twice is once."""
    found = _own(customer, public_id)
    if found.status != Case.Status.TAKEN_BACK:
        try:
            actions.take_back(found.pk)
        except cases.ClosedError as closed:
            return _page(request, found, refused=str(closed), status=409)
        messages.success(request, _("Klart. Vi gör inget mer med det."))
    return redirect("privacy_requests:case", found.public_id)


def _own(customer: Customer, public_id: uuid.UUID) -> Case:
    return get_object_or_404(Case, public_id=public_id, customer=customer)


def _page(
    request: HttpRequest,
    found: Case,
    form: WordsForm | None = None,
    *,
    refused: str = "",
    status: int = 200,
) -> HttpResponse:
    found.refresh_from_db()
    events = found.events.exclude(kind__in=HIDDEN)
    context: dict[str, Any] = {
        "case": found,
        "form": form or WordsForm(),
        "refused": refused,
        "days": telling_days.sentence(found) if found.is_open else "",
        "moved": telling_days.moved(found),
        "events": [(event.at, event.get_kind_display(), event.words) for event in events],
        "amount": words.amount(found.fee_ore) if found.fee_told_on and found.is_open else "",
    }
    return render(request, "privacy_requests/case.html", context, status=status)
