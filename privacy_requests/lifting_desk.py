"""Where the data protection officer lets a restriction of the law end: told first, then lifted.

Nothing here shortens the five working days; the rule and the database hold them (RES-05).
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers import words
from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.models import Customer, User
from customers.models.people import Restriction
from customers.staff import may_see_protected
from privacy_requests import lifting

LIFTS = "privacy_requests.lift_restriction"
TELL, LIFT = "tell", "lift"
TEMPLATE = "admin/privacy_requests/lifting.html"


class LiftingForm(forms.Form):
    """Which restriction, what is done with it, and why; the person reads the reason."""

    ground = forms.ChoiceField(label=_("Vilken begränsning"), widget=forms.RadioSelect)
    do = forms.ChoiceField(
        label=_("Vad ska göras"),
        choices=[(TELL, _("Skriv till kunden att den upphör")), (LIFT, _("Häv den nu"))],
        widget=forms.RadioSelect,
    )
    why = forms.CharField(
        label=_("Varför upphör den"),
        help_text=_("Krävs när du skriver till kunden. Kunden läser det."),
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        super().__init__(data, label_suffix="")
        ground: Any = self.fields["ground"]
        ground.choices = [
            (value, capfirst(Restriction(value).label)) for value in lifting.limits_by_law(customer)
        ]

    def clean(self) -> dict[str, Any]:
        """Ask for the reason that the person is told."""
        given = self.cleaned_data
        if given.get("do") == TELL and not given.get("why", "").strip():
            self.add_error("why", _("Skriv varför. Kunden får läsa det."))
        return given


def may_lift(request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may end a restriction that the law has set for the person."""
    user: Any = request.user
    return (
        user.has_perm(LIFTS)
        and may_see_protected(user, person)
        and user.pk != person.user_id
        and user.email != person.email
        and bool(lifting.limits_by_law(person))
    )


def state_of(person: Customer, ground: str) -> str:
    """Say where a restriction is on its way to its end."""
    if ground == Restriction.CONTESTED and lifting.is_contested(person):
        return gettext("Kundens begäran om rättelse är inte besvarad än.")
    notice = lifting.notice_of(person, ground)
    if notice is None:
        return gettext("Kunden har inte fått veta att den upphör.")
    first_day = lifting.liftable_from(notice)
    if first_day is None:
        return gettext("Beskedet till kunden är på väg ut.")
    said = gettext("Kunden fick veta det %(told)s. Den upphör %(day)s, av sig själv.")
    told = notice.finished_at or notice.created_at
    return said % {"told": words.full_day(told), "day": words.full_day(first_day)}


def show(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    """Show each restriction and do one thing to one of them; too early is said with 409."""
    form = LiftingForm(request.POST or None, customer=person)
    status = 422 if form.is_bound else 200
    if form.is_valid() and isinstance(request.user, User):
        refused = _do(person, form, request.user)
        if not refused:
            admin.log_change(request, person, _logged(form))
            messages.success(request, _done(form))
            return redirect(page_of(person))
        form.add_error(None, refused)
        status = 409
    answer = admin.form_page(
        request,
        person,
        form,
        template=TEMPLATE,
        title=_("Ska begränsningen för %(number)s upphöra?") % {"number": person.number},
        answer=_("Kunden får veta det först. Tidigast den femte arbetsdagen därefter hävs den."),
        submit=_("Gör det"),
        states=[
            (Restriction(ground).label, state_of(person, ground))
            for ground in lifting.limits_by_law(person)
        ],
    )
    answer.status_code = status
    return answer


def _do(person: Customer, form: LiftingForm, actor: User) -> str:
    """Tell or lift; return why not, in a sentence."""
    given = form.cleaned_data
    ground = given["ground"]
    if given["do"] == TELL:
        if lifting.announce(person, ground, given["why"].strip()) is not None:
            return ""
        if lifting.notice_of(person, ground) is None and not (
            ground == Restriction.CONTESTED and lifting.is_contested(person)
        ):
            return gettext("Kunden har ingen adress som når fram, så begränsningen står kvar.")
        return state_of(person, ground)
    try:
        lifting.lift(person, ground, timezone.now(), actor)
    except lifting.NotToldError:
        return gettext("Det går inte än. %(state)s") % {"state": state_of(person, ground)}
    return ""


def _done(form: LiftingForm) -> str:
    if form.cleaned_data["do"] == TELL:
        return gettext("Klart. Kunden får besked, och begränsningen hävs när dagen kommer.")
    return gettext("Klart. Begränsningen är hävd.")


def _logged(form: LiftingForm) -> str:
    if form.cleaned_data["do"] == TELL:
        return gettext("Skrev att en begränsning upphör")
    return gettext("Hävde en begränsning")


PAGE = PersonPage(
    path="begransning",
    name="customers_customer_lifting",
    link=_("Låt begränsningen upphöra"),
    may=may_lift,
    show=show,
)
