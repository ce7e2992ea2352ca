"""What staff do with a case, a page for each act; all through the verbs Min sida uses."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from customers.admin.pages import PersonAdmin, PersonPage, page_of
from customers.models import Customer, User
from customers.staff import may_see_protected
from privacy_requests import actions, answers, cases, erasures, telling_days
from privacy_requests.case_forms import WordsForm
from privacy_requests.desk_forms import (
    AnswerForm,
    ExtendForm,
    IdentityForm,
    PlainForm,
    RegisterForm,
    SendBackForm,
)
from privacy_requests.messages import answer_stranger, register_message
from privacy_requests.models import Case, Erasure

ANSWERS, APPROVES = "privacy_requests.answer_case", "privacy_requests.approve_case"
Status = Case.Status


@dataclass(frozen=True)
class Act:
    """A page that does one thing to a case: its address, words, form, who may and when."""

    path: str
    link: Any
    answer: Any
    form: Callable[..., Any]
    do: Callable[[Case, Any, User], Any]
    done: Any
    right: str = ANSWERS
    when: Callable[[Case], bool] = lambda _case: True

    def is_open_to(self, user: Any, case: Case) -> bool:
        """Say whether somebody may do it now: never in a case of their own."""
        mine = case.customer.user_id == user.pk or case.customer.email == user.email
        return case.is_open and user.has_perm(self.right) and not mine and self.when(case)


def _answer(case: Case, form: AnswerForm, actor: User) -> None:
    given = form.cleaned_data
    if form.needs_two:
        cases.decide(
            case.pk,
            given["outcome"],
            reasons=form.why,
            rule=given["rule"],
            fee_ore=(given["fee"] or 0) * 100,
            actor=actor,
        )
    else:
        said = form.explained
        cases.grant(case.pk, outcome=given["outcome"], words_of_ours=said, actor=actor)


def _is_proposed(case: Case) -> bool:
    return case.decided_by_id is not None and case.approved_by_id is None


def _waits_for_word(case: Case) -> bool:
    """Say whether an erasure waits to be confirmed, of whoever has shown who they are."""
    return (
        case.right == Case.Right.ERASURE
        and case.identity_method in PROVED
        and not Erasure.objects.filter(case=case).exists()
    )


PROVED = (Case.Identity.EID, Case.Identity.LETTER, Case.Identity.STAFF)

ACTS = (
    Act(
        "radera",
        _("Bekräfta raderingen"),
        _("Kunden får ett besked och har 72 timmar på sig att ångra sig. Sedan raderar natten."),
        PlainForm,
        lambda case, _form, actor: erasures.confirm(
            case.customer,
            proved_by=case.identity_method,
            collected=case.collected,
            actor=actor,
        ),
        _("Klart. Kunden har fått besked, och uppgifterna används inte längre."),
        when=_waits_for_word,
    ),
    Act(
        "svara",
        _("Svara"),
        _("Ett ja går iväg direkt. Ett nej, helt eller delvis, godkänns av dataskyddsombudet."),
        AnswerForm,
        _answer,
        _("Klart. Ett ja är skickat; ett nej väntar på att godkännas."),
        when=lambda case: case.status != Status.IDENTIFYING and not _is_proposed(case),
    ),
    Act(
        "godkann",
        _("Godkänn förslaget"),
        _("Kunden får svaret direkt, med skälen och var man klagar."),
        PlainForm,
        lambda case, _form, actor: cases.approve(case.pk, actor=actor),
        _("Klart. Kunden har fått besked."),
        right=APPROVES,
        when=_is_proposed,
    ),
    Act(
        "skicka-tillbaka",
        _("Skicka tillbaka förslaget"),
        _("Den som skrev förslaget får göra om det."),
        SendBackForm,
        lambda case, form, actor: cases.send_back(
            case.pk, form.cleaned_data["wording"], actor=actor
        ),
        _("Klart. Förslaget är borttaget."),
        right=APPROVES,
        when=_is_proposed,
    ),
    Act(
        "fraga",
        _("Fråga vem det är"),
        _("Fråga bara när du tvivlar. Inom tre arbetsdagar står klockan still tills vi vet."),
        PlainForm,
        lambda case, _form, actor: cases.ask_identity(case.pk, actor=actor),
        _("Klart. Kunden har fått frågan."),
        when=lambda case: not case.identity_method and case.asked_on is None,
    ),
    Act(
        "identitet",
        _("Vi vet vem det är"),
        _("Skriv hur det visades. Spara ingen kopia av legitimationen."),
        IdentityForm,
        lambda case, form, actor: cases.identify(case.pk, form.cleaned_data["method"], actor=actor),
        _("Klart. Klockan går igen."),
        when=lambda case: not case.identity_method,
    ),
    Act(
        "forlang",
        _("Förläng"),
        _("Kunden får veta den nya dagen och varför. Det går en gång, inom första månaden."),
        ExtendForm,
        lambda case, form, actor: cases.extend(
            case.pk, form.cleaned_data["reason"], form.cleaned_data["why"], actor=actor
        ),
        _("Klart. Kunden har fått den nya dagen."),
        when=lambda case: case.extended_on is None,
    ),
    Act(
        "mer",
        _("Skriv in mer"),
        _("Det kunden har sagt eller skrivit sedan sist."),
        WordsForm,
        lambda case, form, actor: cases.add_words(
            case.pk, form.cleaned_data["wording"], actor=actor
        ),
        _("Klart. Det står i ärendet."),
    ),
    Act(
        "ta-tillbaka",
        _("Kunden tar tillbaka det"),
        _("Bara när kunden själv har sagt det. Kunden får ett besked."),
        PlainForm,
        lambda case, _form, actor: actions.take_back(case.pk, actor=actor),
        _("Klart. Ärendet är avslutat."),
    ),
)
BY_PATH = {act.path: act for act in ACTS}


def previews_of(act: Act, case: Case) -> list[tuple[str, str]]:
    """Return what an act does to a case, to be read before it is done: labels and words."""
    if act.form is AnswerForm:
        return previews(case)
    return list(fates(case)) if act.path == "radera" else []


def previews(case: Case) -> list[tuple[str, str]]:
    """Return each answer the case can get, as the person would read it."""
    labels = dict(Case.Outcome.choices)
    return [
        (str(labels[outcome]), answers.render(case, outcome))
        for outcome in answers.by_hand(case.right)
    ]


def fates(case: Case) -> Iterator[tuple[str, str]]:
    """Yield what an erasure of today would do, fate by fate."""
    lines = erasures.plan(case.customer)
    for fate, label in FATES.items():
        told = [erasures.in_words(line) for line in lines if line.fate is fate]
        if told:
            yield str(label), "\n".join(told)


FATES: dict[erasures.Fate, str | Promise] = {
    erasures.Fate.NOW: _("Raderas natten efter 72 timmar"),
    erasures.Fate.CONTRACT: _("Raderas när kunden slutar"),
    erasures.Fate.HELD: _("Står kvar en tid"),
    erasures.Fate.UNNAMED: _("Står kvar utan namn"),
}


def answer_unknown(given: Mapping[str, Any], received_at: datetime | None, actor: User) -> Case:
    """Answer who wrote and is not here, in the language and on the way they used (ACC-11)."""
    return answer_stranger(
        given["email"],
        received_at=received_at or timezone.now(),
        collected=given["collected"],
        actor=actor,
        language=given["language"],
    )


# Writing a request down for somebody


def may_register(request: HttpRequest, person: Customer) -> bool:
    """Say whether this one of staff may write requests for the person: never for themselves."""
    user: Any = request.user
    return (
        user.has_perm(ANSWERS)
        and may_see_protected(user, person)
        and user.pk != person.user_id
        and user.email != person.email
    )


def register(admin: PersonAdmin, request: HttpRequest, person: Customer) -> HttpResponse:
    """Write down what a person has asked for, in their own words."""
    form = RegisterForm(request.POST or None)
    if form.is_valid() and isinstance(request.user, User):
        given = form.cleaned_data
        try:
            found = register_message(
                person,
                given["rights"],
                given["wording"],
                received_at=form.received_at,
                collected=given["collected"],
                actor=request.user,
                token=given["token"] or uuid.uuid4(),
            )
        except cases.RefusedError as refused:
            form.add_error(None, str(refused))
        else:
            admin.log_change(request, person, gettext("Skrev in en begäran"))
            for case in found:
                said = telling_days.sentence(case) if case.is_open else gettext("Klart direkt.")
                messages.success(request, f"{case.get_right_display()}: {said}")
            return redirect(page_of(person))
    return admin.form_page(
        request,
        person,
        form,
        title=_("Vad ber %(number)s om?") % {"number": person.number},
        answer=_("Alla ord och alla sätt räknas. Inget formulär och inget skäl krävs."),
        submit=_("Skriv in"),
    )


REGISTER = PersonPage(
    path="begaran",
    name="customers_customer_request",
    link=_("Skriv in en begäran"),
    may=may_register,
    show=register,
)
