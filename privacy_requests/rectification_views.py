"""Rätta: what Min sida does not change at once is said here and becomes a case (REC-01, REC-03).

Whoever only wants something added writes a statement, which stands beside the data at once.
"""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from customers.decorators import act, customer_required
from customers.models import Customer
from privacy_requests import supplements, telling_days
from privacy_requests.case_forms import status_of
from privacy_requests.cases import RefusedError
from privacy_requests.messages import register_message
from privacy_requests.models import Case, Statement
from privacy_requests.rectification_forms import RectificationForm, StatementForm


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
    context = {"form": form, "statements": Statement.objects.filter(customer=customer)}
    template = "privacy_requests/rectification.html"
    return render(request, template, context, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@customer_required
def statement(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Let the person add to what stands about them, to be read beside it; twice is once."""
    form = StatementForm(request.POST if request.method == "POST" else None)
    status = status_of(form)
    if form.is_valid():
        given = form.cleaned_data
        try:
            supplements.add_statement(customer, given["about"], given["wording"])
        except RefusedError as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            messages.success(request, _("Klart. Alla hos oss som ser uppgiften ser ditt tillägg."))
            return redirect("privacy_requests:rectification")
    return render(request, "privacy_requests/statement.html", {"form": form}, status=status)


@act("privacy_requests:rectification")
@customer_required
def remove_statement(
    request: HttpRequest, customer: Customer, public_id: uuid.UUID
) -> HttpResponse:
    """Take a statement away because its person wants that; twice is once."""
    supplements.remove_statement(customer, public_id)
    messages.success(request, _("Klart. Tillägget är borta."))
    return redirect("privacy_requests:rectification")
