"""The page beside a customer where staff write down what the person has said (D10)."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.dates import today
from customers.models import Customer, User
from customers.staff import may_see_protected
from disclosures.models import Outbox
from privacy_requests.recording import Recorded, Statement, no_since, record
from privacy_requests.recording_forms import ProofForm, StatementForm

TEMPLATE = "admin/privacy_requests/recording.html"


def may_record(request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may write for the person: never for themselves."""
    user: Any = request.user
    return (
        user.has_perm("consent.add_event")
        and may_see_protected(user, person)
        and user.pk != person.user_id
        and user.email != person.email
        and bool(person.name)
        and person.deceased_on is None
    )


def show(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    """Ask what was said, then for the time and the proof; one POST writes it."""
    chosen = StatementForm(request.GET or None, label_suffix="")
    if not chosen.is_valid():
        return admin.form_page(
            request,
            person,
            chosen,
            template=TEMPLATE,
            method="get",
            title=_("Vad har %(number)s sagt?") % {"number": person.number},
            answer=_("Skriv in kundens egna ord. Kunden får veta vad vi har skrivit in."),
            submit=_("Gå vidare"),
        )
    said = chosen.statement
    form = ProofForm(request.POST or None, customer=person, said=said)
    if form.is_valid() and isinstance(request.user, User):
        return _record(admin, request, person, said, form)
    return admin.form_page(
        request,
        person,
        form,
        back=reverse(f"admin:{PAGE.name}", args=[person.pk]),
        template=TEMPLATE,
        title=_("Skriv in för %(number)s") % {"number": person.number},
        answer=_("Kunden ser det så här: %(what)s.") % {"what": said.in_words()},
        script=form.read[1] if form.read else "",
        version=form.read[0].policy_version.version if form.read else "",
        no_since=no_since(person, said),
        submit=_("Skriv in"),
    )


def _record(
    admin: PersonAdmin, request: HttpRequest, person: Customer, said: Statement, form: ProofForm
) -> HttpResponse:
    if not isinstance(request.user, User):
        raise PermissionDenied
    given = form.cleaned_data
    done = record(
        person,
        said,
        at=given["at"],
        evidence=given["evidence"],
        actor=request.user,
        on=today(),
    )
    if done is None:
        messages.info(request, gettext("Det stod redan så. Inget nytt är inskrivet."))
    else:
        admin.log_change(request, person, gettext("Skrev in vad kunden sa"))
        messages.success(request, _receipt(done))
    return redirect(page_of(person))


def _receipt(done: Recorded) -> str:
    if done.overruled_by is not None:
        day = {"day": words.full_day(done.overruled_by.at)}
        return gettext("Inskrivet, men ja:et gäller inte: kunden sa nej %(day)s.") % day
    if done.message is None:
        return gettext("Klart. Kunden får ingen bekräftelse: vi har ingen adress som når fram.")
    if done.message.kind == Outbox.Kind.MAIL:
        return gettext("Klart. Kunden får en bekräftelse med e-post.")
    return gettext("Klart. Kunden får en bekräftelse i brev.")


PAGE = PersonPage(
    path="sagt",
    name="customers_customer_said",
    link=_("Skriv in ett val"),
    may=may_record,
    show=show,
)
