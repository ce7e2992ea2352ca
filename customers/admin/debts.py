"""Finance writes down what starts the limitation of a debt anew (CLM-01)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.debt_forms import InterruptionForm
from customers.models import Customer, DebtInterruption
from customers.personal_data import column_label


def interruption_page(interrupt: Callable[..., Any]) -> PersonPage:
    """Return the page of an act `interrupt(invoice, kind, on, words)`."""
    return PersonPage(
        "skuld",
        "customers_customer_debt",
        _("Skulden lever vidare"),
        lambda request, _person: request.user.has_perm("customers.add_debtinterruption"),
        partial(_write_down, interrupt),
    )


def _write_down(
    interrupt: Callable[..., Any], admin: PersonAdmin, request: HttpRequest, person: Customer
) -> HttpResponse:
    form = InterruptionForm(request.POST or None, customer=person)
    if form.is_valid():
        given = form.cleaned_data
        invoice = given["invoice"]
        interrupt(invoice, given["kind"], given["on"], given["words"])
        label = column_label(DebtInterruption, "kind")
        admin.log_change(request, person, [{"added": {"name": label, "object": str(invoice)}}])
        text = gettext("Klart. Faktura %(number)s sparas som skuld till och med %(day)s.")
        until = words.full_day(form.runs_until(invoice, given["on"]))
        messages.success(request, text % {"number": invoice.number, "day": until})
        return redirect(page_of(person))
    return admin.form_page(
        request,
        person,
        form,
        title=_("Vad har hänt med skulden för %(number)s?") % {"number": person.number},
        answer=_("Tre nya år räknas från den dagen. En delbetalning behöver inte antecknas."),
        submit=_("Anteckna"),
    )
