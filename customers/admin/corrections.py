"""What staff set right about a person: details on their word, and mail that came back.

What follows from these acts belongs to the rooms above, so the pages are given the act.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.actions import OF_THE_ADDRESS, StaleError
from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.models import Address, Customer, Suppression, User
from customers.models.channels import Source
from customers.personal_data import column_label
from customers.staff import may_see_protected
from customers.staff_forms import DetailsForm, ReturnedForm

# Where it is kept that something came back.
RETURNED: dict[str, tuple[type[Model], str]] = {
    Suppression.Kind.EMAIL: (Customer, "email_returned_on"),
    Suppression.Kind.PHONE: (Customer, "phone_returned_on"),
    Suppression.Kind.ADDRESS: (Address, "returned_on"),
}


def may_correct(request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may change what stands about the person."""
    return request.user.has_perm("customers.change_customer") and may_see_protected(
        request.user, person
    )


def details_page(correct: Callable[..., Any]) -> PersonPage:
    """Return the page that corrects details by an act like `actions.change_details`."""
    return PersonPage(
        path="uppgifter",
        name="customers_customer_details",
        link=_("Ändra kontaktuppgifter"),
        may=may_correct,
        show=partial(_correct, correct),
    )


def returned_page(note: Callable[..., bool]) -> PersonPage:
    """Return the page that notes what came back by an act like `actions.mark_returned`."""
    return PersonPage(
        path="kom-tillbaka",
        name="customers_customer_returned",
        link=_("Något kom tillbaka"),
        may=may_correct,
        show=partial(_note_returned, note),
    )


def _correct(
    correct: Callable[..., Any], admin: PersonAdmin, request: HttpRequest, person: Customer
) -> HttpResponse:
    """Correct a person's details on their word; what was is kept beside it (REC-01)."""
    form = DetailsForm(request.POST or None, customer=person)
    if form.is_valid():
        try:
            changes = correct(
                person,
                form.values,
                source=Source.STAFF,
                collected=form.cleaned_data["collected"],
                actor=request.user if isinstance(request.user, User) else None,
                expected_version=form.cleaned_data["version"],
            )
        except StaleError as error:
            person.refresh_from_db()
            form = DetailsForm({**request.POST.dict(), "version": person.version}, customer=person)
            form.add_error(None, str(error))
        else:
            _tell(admin, request, person, [change.field for change in changes])
            return redirect(page_of(person))
    return admin.form_page(
        request,
        person,
        form,
        title=_("Ändra uppgifter för %(number)s") % {"number": person.number},
        answer=_("Det som stod förut sparas bredvid, med dag och källa."),
        submit=_("Ändra uppgifterna"),
    )


def _tell(admin: PersonAdmin, request: HttpRequest, person: Customer, fields: list[str]) -> None:
    if not fields:
        messages.info(request, gettext("Inget var annorlunda, så inget är ändrat."))
        return
    labels = [
        column_label(Address if name in OF_THE_ADDRESS else Customer, name) for name in fields
    ]
    admin.log_change(request, person, [{"changed": {"fields": labels}}])
    text = ngettext(
        "Klart. En uppgift är ändrad.", "Klart. %(n)s uppgifter är ändrade.", len(fields)
    )
    messages.success(request, text % {"n": words.in_words(len(fields))})


def _note_returned(
    note: Callable[..., bool], admin: PersonAdmin, request: HttpRequest, person: Customer
) -> HttpResponse:
    """Note that a letter, a mail or a call did not reach the person (RUL-28)."""
    form = ReturnedForm(request.POST or None, customer=person)
    if form.is_valid():
        kind, on = form.cleaned_data["kind"], form.cleaned_data["on"]
        if note(person, kind, on):
            model, column = RETURNED[kind]
            label = column_label(model, column)
            admin.log_change(request, person, [{"changed": {"fields": [label]}}])
            messages.success(
                request, gettext("Klart. Vi skickar ingen reklam dit förrän vi får en ny.")
            )
        else:
            messages.info(request, gettext("Det är antecknat sedan tidigare."))
        return redirect(page_of(person))
    return admin.form_page(
        request,
        person,
        form,
        title=_("Vad kom tillbaka från %(number)s?") % {"number": person.number},
        answer=_("Reklam den vägen slutar direkt. Nödvändiga brev får försökas igen."),
        submit=_("Anteckna"),
    )
