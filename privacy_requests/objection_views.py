"""Saying no to a use of one's data, and limiting all of them: granted where it is asked for."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from consent.actions import has_limited
from customers.decorators import act, customer_required
from customers.models import Customer
from customers.models.people import Restriction
from privacy_requests.forms import ObjectionForm
from privacy_requests.objections import (
    OBJECTABLE,
    OPTIONAL,
    lift_limit,
    limit,
    object_to,
    refused,
)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def objection(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Ask what to stop doing, and stop (OBJ-04)."""
    before = refused(customer)
    left = [purpose for purpose in OBJECTABLE if purpose.code not in before]
    form = ObjectionForm(request.POST if request.method == "POST" else None)
    # What another tab has refused meanwhile may still be posted; it is refused once.
    form.offer(OBJECTABLE)
    if form.is_valid():
        object_to(customer, form.cleaned_data["uses"], form.cleaned_data["reason"])
        messages.success(request, _("Klart. Vi har slutat med det du sa nej till."))
        return redirect("privacy_requests:cases")
    form.offer(left)
    context = {
        "form": form,
        "left": left,
        "refused": [purpose.name for purpose in OBJECTABLE if purpose.code in before],
    }
    status = 422 if form.is_bound else 200
    return render(request, "privacy_requests/objection.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def restriction(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Say what a limitation means, and set the person's own (RES-03)."""
    if request.method == "POST":
        if limit(customer):
            messages.success(
                request, _("Klart. Vi använder dina uppgifter bara till det nödvändiga från nu.")
            )
        return redirect("privacy_requests:restriction")
    context = {
        "restriction": customer.restriction,
        "is_own": customer.restriction == Restriction.VOLUNTARY,
        "is_own_beneath": bool(customer.restriction) and has_limited(customer),
        "ground": customer.get_restriction_display(),
        "paused": [purpose.name for purpose in OPTIONAL],
    }
    return render(request, "privacy_requests/restriction.html", context)


@act("privacy_requests:restriction")
@customer_required
def lift_restriction(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Lift the person's own limitation, as easily as it was set."""
    if lift_limit(customer):
        customer.refresh_from_db(fields=["restriction"])
        messages.success(
            request,
            _("Klart. Din egen begränsning är hävd. Den andra gäller fortfarande.")
            if customer.restriction
            else _("Klart. Begränsningen är hävd, och dina val gäller igen."),
        )
    return redirect("privacy_requests:restriction")
