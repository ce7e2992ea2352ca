"""Where staff set right what a person cannot: birth date, number, orders, invoices, own words.

Customer service corrects what it knows from the person; finance credits invoices (REC-01, REC-02).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from consent import corrections
from consent.corrections import NotCorrectedError, OrderFacts, Word
from customers import words
from customers.actions import StaleError
from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.locked import hides_national_id
from customers.models import Customer, Invoice, Order, User
from customers.staff import may_see_protected
from privacy_requests.cases import RefusedError
from privacy_requests.rectification_desk_forms import (
    BirthDateForm,
    CreditForm,
    NationalIdForm,
    OrderForm,
    WhichInvoiceForm,
    WhichOrderForm,
    initial_of,
)
from privacy_requests.rectification_forms import StatementForStaffForm
from privacy_requests.supplements import add_statement

CORRECTS, CREDITS = "customers.change_customer", "customers.add_invoice"
REFUSALS = (StaleError, NotCorrectedError, RefusedError)
TEMPLATE = "admin/privacy_requests/rectification.html"


def _may(right: str, request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may set it right for the person: never for themselves."""
    user: Any = request.user
    return (
        user.has_perm(right)
        and may_see_protected(user, person)
        and user.pk != person.user_id
        and user.email != person.email
        and bool(person.name)
    )


def _may_correct_number(request: HttpRequest, person: Customer) -> bool:
    may = _may(CORRECTS, request, person) and person.national_id_sealed is not None
    return may and not hides_national_id(request.user, person)


def _word(request: HttpRequest, form: Any) -> Word:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return {"collected": form.cleaned_data["collected"], "actor": request.user}


def _act(
    admin: PersonAdmin,
    request: HttpRequest,
    person: Customer,
    form: Any,
    do: Callable[[], Any],
    done: Any,
    log: Any,
    **page: Any,
) -> HttpResponse:
    """Do it once the form holds; what cannot stand is said on the page with 409."""
    status = 200
    if form.is_bound and form.is_valid():
        try:
            changed = do()
        except REFUSALS as refused:
            form.add_error(None, str(refused))
            status = 409
        else:
            if changed:
                admin.log_change(request, person, str(log))
                messages.success(request, done)
            else:
                messages.info(request, gettext("Inget var annorlunda, så inget är ändrat."))
            return redirect(page_of(person))
    elif form.is_bound:
        status = 422
    answer = admin.form_page(request, person, form, template=TEMPLATE, **page)
    answer.status_code = status
    return answer


def _birth_date(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    initial = {"born": person.birth_date, "before": person.birth_date}
    form = BirthDateForm(request.POST or None, initial=initial)
    return _act(
        admin,
        request,
        person,
        form,
        lambda: corrections.correct_birth_date(
            person,
            form.cleaned_data["born"],
            expected=form.cleaned_data["before"],
            word=_word(request, form),
        ),
        _("Klart. Födelsedagen är rättad."),
        _("Rättade födelsedagen"),
        title=_("När är %(number)s född?") % {"number": person.number},
        answer=_("Det som stod förut sparas bredvid, med dag och källa."),
        submit=_("Rätta"),
    )


def _number(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    form = NationalIdForm(request.POST or None)
    return _act(
        admin,
        request,
        person,
        form,
        lambda: corrections.correct_national_id(
            person, form.cleaned_data["number"], word=_word(request, form)
        ),
        _("Klart. Personnumret är rättat."),
        _("Rättade personnumret"),
        title=_("Rätta personnumret för %(number)s") % {"number": person.number},
        answer=_("Numret sparas krypterat. Historiken visar det bara maskerat."),
        submit=_("Rätta"),
    )


def _order(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    which = WhichOrderForm(request.GET or None, customer=person)
    if not which.is_valid():
        return _choose(admin, request, person, which, _("Vilken beställning är fel?"))
    order: Order = which.cleaned_data["order"]
    form = OrderForm(request.POST or None, initial=initial_of(order))

    def correct() -> Any:
        given = form.cleaned_data
        facts: OrderFacts = {
            "product": given["product"],
            "quantity": given["quantity"],
            "ordered_on": given["ordered_on"],
            "delivered_on": given["delivered_on"],
        }
        return corrections.correct_order(order, facts, word=_word(request, form))

    return _act(
        admin,
        request,
        person,
        form,
        correct,
        _("Klart. Beställningen är rättad."),
        _("Rättade en beställning"),
        title=_("Rätta beställning %(number)s") % {"number": order.number},
        answer=_("Det som stod förut sparas bredvid. Adressen ändras bland kontaktuppgifterna."),
        submit=_("Rätta"),
    )


def _credit(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    which = WhichInvoiceForm(request.GET or None, customer=person)
    if not which.is_valid():
        return _choose(admin, request, person, which, _("Vilken faktura är fel?"))
    invoice: Invoice = which.cleaned_data["invoice"]
    form = CreditForm(request.POST or None, invoice=invoice)
    return _act(
        admin,
        request,
        person,
        form,
        lambda: corrections.credit(
            invoice, form.right_lines, form.vat_ore, word=_word(request, form)
        ),
        _("Klart. Fakturan är krediterad."),
        _("Krediterade en faktura"),
        title=_("Kreditera faktura %(number)s") % {"number": invoice.number},
        answer=_(
            "Fakturan på %(amount)s ändras inte. En kreditfaktura med nästa nummer visar på den."
        )
        % {"amount": words.amount(invoice.total_ore)},
        submit=_("Kreditera"),
    )


def _choose(
    admin: PersonAdmin, request: HttpRequest, person: Customer, form: Any, title: Any
) -> HttpResponse:
    return admin.form_page(
        request,
        person,
        form,
        template=TEMPLATE,
        method="get",
        title=title,
        answer=_("Välj vilken det gäller."),
        submit=_("Gå vidare"),
    )


def _statement(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    form = StatementForStaffForm(request.POST or None, label_suffix="")

    def add() -> Any:
        given = form.cleaned_data
        word = _word(request, form)
        return add_statement(person, given["about"], given["wording"], **word)

    return _act(
        admin,
        request,
        person,
        form,
        add,
        _("Klart. Tillägget står bredvid uppgiften."),
        _("Skrev in ett tillägg"),
        title=_("Vad vill %(number)s lägga till?") % {"number": person.number},
        answer=_("Tillägget är kundens eget. Det visas bredvid uppgiften och följer med i utdrag."),
        submit=_("Lägg till"),
    )


BIRTH_DATE = PersonPage(
    path="fodelsedag",
    name="customers_customer_born",
    link=_("Rätta födelsedagen"),
    may=partial(_may, CORRECTS),
    show=_birth_date,
)
NUMBER = PersonPage(
    path="personnummer",
    name="customers_customer_number",
    link=_("Rätta personnumret"),
    may=_may_correct_number,
    show=_number,
)
ORDER = PersonPage(
    path="bestallning",
    name="customers_customer_order",
    link=_("Rätta en beställning"),
    may=partial(_may, CORRECTS),
    show=_order,
)
CREDIT = PersonPage(
    path="kreditera",
    name="customers_customer_credit",
    link=_("Kreditera en faktura"),
    may=partial(_may, CREDITS),
    show=_credit,
)
STATEMENT = PersonPage(
    path="tillagg",
    name="customers_customer_statement",
    link=_("Skriv in ett tillägg"),
    may=partial(_may, CORRECTS),
    show=_statement,
)
PAGES = (BIRTH_DATE, NUMBER, ORDER, CREDIT, STATEMENT)
