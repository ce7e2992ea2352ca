"""The page beside a customer where staff say that somebody has shown them who they are (DSR-03)."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.models import Customer, User
from privacy_requests.models import ProofCode
from privacy_requests.proof_codes import STAFF_WORKS, confirm_by_staff
from privacy_requests.recording_views import may_record


class CheckForm(forms.Form):
    """What the person showed; nothing of it is copied or written down."""

    how = forms.ChoiceField(
        label=_("Vad visade kunden?"),
        choices=[
            choice for choice in ProofCode.How.choices if choice[0] != ProofCode.How.NONE.value
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Välj vad kunden visade."),
            "invalid_choice": _("Välj bland det som står i listan."),
        },
    )


def may_check(request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may vouch for the person: who may write for them."""
    return may_record(request, person) and person.user_id is not None


def show(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    """Ask what was shown, and show the code that the person types on Min sida, once."""
    form = CheckForm(request.POST or None, label_suffix="")
    if not form.is_valid():
        return admin.form_page(
            request,
            person,
            form,
            title=_("Har %(number)s visat legitimation?") % {"number": person.number},
            answer=_(
                "Se att namn och personnummer stämmer. Kopiera och anteckna inget. Du får en kod "
                "som kunden skriver på Min sida; lämna den bara till den som står framför dig."
            ),
            submit=_("Legitimation kontrollerad"),
        )
    if not isinstance(request.user, User):
        raise PermissionDenied
    code = confirm_by_staff(person, request.user, form.cleaned_data["how"])
    admin.log_change(request, person, gettext("Kontrollerade legitimation"))
    context = {
        **admin.admin_site.each_context(request),
        "title": _("Kod till %(number)s") % {"number": person.number},
        "opts": admin.opts,
        "person": person,
        "code": code,
        "minutes": int(STAFF_WORKS.total_seconds() // 60),
        "back": page_of(person),
    }
    response = TemplateResponse(request, "admin/privacy_requests/identity_code.html", context)
    response["Cache-Control"] = "no-store"
    return response


PAGE = PersonPage(
    path="legitimation",
    name="customers_customer_identity",
    link=_("Legitimation kontrollerad"),
    may=may_check,
    show=show,
)
