"""Radera mina uppgifter: what goes and what stays, confirmed with proof of identity, taken back."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from customers.decorators import act, customer_required
from customers.models import Customer
from privacy_requests import cases, erasures, identity
from privacy_requests.erasures import Fate
from privacy_requests.models import Case, Erasure, Extract


@require_safe
@customer_required
def erasure(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show what an erasure takes and what it leaves, or how far one has come."""
    return render(request, "privacy_requests/erasure.html", _context(customer))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
@identity.identity_required
def erasure_confirm(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask once more whoever has just shown who they are, and begin (A20)."""
    context = _context(customer)
    if request.method != "POST":
        if context["state"] != "none":
            return redirect("privacy_requests:erasure")
        return render(request, "privacy_requests/erasure_confirm.html", context)
    proof = identity.proven(request, customer)
    if proof is None:  # it ran out between the check above and here
        return redirect("privacy_requests:erasure_confirm")
    try:
        erasures.confirm(customer, proved_by=proof.method)
    except cases.RefusedError as refused:
        context["refused"] = str(refused)
        return render(request, "privacy_requests/erasure.html", context, status=409)
    messages.success(request, _("Klart. Vi använder inte längre det som ska raderas."))
    return redirect("privacy_requests:erasure")


@act("privacy_requests:erasure")
@customer_required
def erasure_take_back(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Stop an erasure that is not released; twice is once."""
    waiting = _latest(customer)
    if waiting is not None and waiting.taken_back_at is None:
        try:
            cases.take_back(waiting.case_id)
        except cases.RefusedError as refused:
            context = {**_context(customer), "refused": str(refused)}
            return render(request, "privacy_requests/erasure.html", context, status=409)
        messages.success(request, _("Klart. Inget raderas, och dina val gäller som förut."))
    return redirect("privacy_requests:erasure")


def _latest(customer: Customer) -> Erasure | None:
    found = Erasure.objects.filter(case__customer=customer).select_related("case")
    return found.order_by("-confirmed_at").first()


def _context(customer: Customer) -> dict[str, Any]:
    latest = _latest(customer)
    state = "none"
    if latest is not None and latest.taken_back_at is None and latest.done_at is None:
        state = "released" if latest.released_at else "waiting"
    by_fate = {fate.value: [] for fate in Fate}  # type: dict[str, list[erasures.Line]]
    for line in erasures.plan(customer):
        by_fate[line.fate.value].append(line)
    return {
        "state": state,
        "erasure": latest,
        "plan": by_fate,
        "waits_until": identity.waits_until(customer),
        "files": Extract.objects.filter(
            case__customer=customer, status=Extract.Status.READY
        ).exists(),
        "building": Case.objects.unanswered()
        .filter(customer=customer, right__in=(Case.Right.ACCESS, Case.Right.PORTABILITY))
        .exists(),
    }
