"""Rätta: what Min sida does not change at once is said here and becomes a case (REC-01, REC-03)."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.decorators import customer_required
from customers.models import Customer
from privacy_requests import telling_days
from privacy_requests.messages import register_message
from privacy_requests.models import Case
from privacy_requests.rectification_forms import RectificationForm


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def rectification(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask what is wrong and register it; the same words twice are said once (B06)."""
    form = RectificationForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        (case,) = register_message(customer, [Case.Right.RECTIFICATION], form.said)
        said = _("Vi har fått det. Medan vi tittar på det sparar vi bara uppgifterna.")
        messages.success(request, f"{said} {telling_days.sentence(case)}")
        return redirect("privacy_requests:case", case.public_id)
    status = 422 if form.is_bound else 200
    return render(request, "privacy_requests/rectification.html", {"form": form}, status=status)
