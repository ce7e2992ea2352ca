"""Vem har fått dem? Who has a person's data from us, by name (NOT-02, P16)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from customers.dates import today
from customers.decorators import customer_required
from customers.models import Customer
from disclosures import telling


@require_safe
@customer_required
def recipients(request: HttpRequest, customer: Customer) -> HttpResponse:
    """Show who has got what and when, and who would get something."""
    found = telling.of(customer)
    got = [one for one in found if one.handed]
    return render(
        request,
        "disclosures/recipients.html",
        {
            "received": found,
            "names": [one.name for one in got],
            "count": len(got),
            "partners": [one.name for one in got if one.is_partner],
            "would_get": telling.who_would_get(today()),
        },
    )
