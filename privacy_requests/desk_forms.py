"""What staff fill in to work a case, and to write down a request for somebody."""

import uuid
from datetime import date, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.dates import STOCKHOLM, today
from customers.models import Customer, User
from customers.staff_forms import LANGUAGES
from privacy_requests.answers import REFUSALS, by_hand
from privacy_requests.case_forms import TOO_LONG, WordsForm, plain
from privacy_requests.models import Case
from privacy_requests.models.cases import LONGEST_WORDING
from privacy_requests.recording import WAYS

LONG = {"max_length": TOO_LONG}


def _text(label: Any, help_text: Any = "", *, required: bool = True, rows: int = 4) -> Any:
    return forms.CharField(
        label=label,
        help_text=help_text,
        required=required,
        max_length=LONGEST_WORDING,
        widget=forms.Textarea(attrs={"rows": rows}),
        error_messages=LONG,
    )


class PlainForm(forms.Form):
    """Nothing to fill in; the button is the act."""


class ReceivedForm(forms.Form):
    """The day something reached us; the month counts from it (TIM-01)."""

    received_on = forms.DateField(
        label=_("Kom in"),
        help_text=_("Den dag det nådde oss, också en helg. Månaden räknas från den dagen."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Skriv en dag, till exempel 2026-11-24.")},
    )

    def clean_received_on(self) -> date:
        """Refuse a day that has not come."""
        day: date = self.cleaned_data["received_on"]
        if day > today():
            raise ValidationError(_("Dagen har inte varit än. Skriv när det kom in."))
        if day.year < today().year - 5:
            raise ValidationError(_("Dagen ligger för långt tillbaka. Skriv när det kom in."))
        return day

    @property
    def received_at(self) -> datetime | None:
        """The moment it came, at noon of a day that is past."""
        day: date = self.cleaned_data["received_on"]
        if day == today():
            return None
        return datetime(day.year, day.month, day.day, 12, tzinfo=STOCKHOLM)


class RegisterForm(ReceivedForm):
    """What a person has asked for, by whatever way and in whatever words (DSR-01)."""

    rights = forms.MultipleChoiceField(
        label=_("Vad vill kunden"),
        choices=Case.Right.choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Ett brev kan gälla flera saker. Varje sak blir ett ärende."),
        error_messages={"required": _("Välj minst en sak.")},
    )
    collected = forms.ChoiceField(
        label=_("På vilket sätt"), choices=[(way.value, way.label) for way in WAYS]
    )
    wording = _text(_("Kundens egna ord"), _("Skriv av det kunden skrev eller sa."), rows=6)
    token = forms.UUIDField(widget=forms.HiddenInput, required=False)

    field_order = ("rights", "collected", "received_on", "wording", "token")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"initial": {"token": uuid.uuid4(), "received_on": today()}, "label_suffix": ""}
        super().__init__(*args, **kwargs)

    def clean_wording(self) -> str:
        """Return the words as plain text."""
        return plain(self.cleaned_data["wording"])


class StrangerForm(ReceivedForm):
    """Where the answer goes that nothing is held; the address goes when it has left (ACC-11)."""

    email = forms.CharField(label=_("E-postadress som svaret ska till"), max_length=254)
    collected = forms.ChoiceField(
        label=_("På vilket sätt"), choices=[(way.value, way.label) for way in WAYS]
    )
    language = forms.ChoiceField(label=_("Svarets språk"), choices=LANGUAGES)

    field_order = ("email", "collected", "received_on", "language")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"initial": {"received_on": today()}, "label_suffix": ""}
        super().__init__(*args, **kwargs)

    def clean_email(self) -> str:
        """Return an address that is nobody's here."""
        address = rules.clean_email(self.cleaned_data["email"])
        by_account = User.objects.filter(email=address, customer__isnull=False)
        if Customer.objects.filter(email=address).exists() or by_account.exists():
            raise ValidationError(
                _("Adressen finns hos oss. Sök fram kunden och skriv in begäran där.")
            )
        return address


class IdentityForm(forms.Form):
    """How it was shown who asks; no copy of a document is kept (DSR-03)."""

    method = forms.ChoiceField(
        label=_("Så vet vi vem det är"),
        choices=[
            (way.value, way.label)
            for way in (
                Case.Identity.LETTER,
                Case.Identity.EID,
                Case.Identity.STAFF,
                Case.Identity.NONE,
            )
        ],
        widget=forms.RadioSelect,
    )


class ExtendForm(forms.Form):
    """Why an answer takes longer; the person reads it (TIM-03)."""

    reason = forms.ChoiceField(
        label=_("Lagens skäl"), choices=Case.Extension.choices, widget=forms.RadioSelect
    )
    why = _text(_("Varför behövs mer tid"), _("Kunden får läsa det."))


class AnswerForm(forms.Form):
    """What becomes of a request; a no and a fee go to a second person (DSR-02)."""

    outcome = forms.ChoiceField(label=_("Svaret blir"), widget=forms.RadioSelect)
    more = _text(_("Något att lägga till"), _("Står i svaret när det blir ja."), required=False)
    reasons = _text(
        _("Skälen"), _("Krävs för nej, delvis ja och avgift. Kunden läser dem."), required=False
    )
    rule = forms.CharField(
        label=_("Regeln"),
        help_text=_("Till exempel artikel 17.3 b i dataskyddsförordningen."),
        required=False,
        max_length=60,
    )
    fee = forms.IntegerField(
        label=_("Avgift i kronor"),
        help_text=_("Nästan alltid tomt. Bara när en begäran är uppenbart orimlig."),
        required=False,
        min_value=0,
        max_value=10_000,
    )

    def __init__(self, *args: Any, case: Case, **kwargs: Any) -> None:
        kwargs["label_suffix"] = ""
        super().__init__(*args, **kwargs)
        may = set(by_hand(case.right))
        if case.right == Case.Right.CREDIT_REVIEW:
            self.fields["factors"] = _text(
                _("Vad som vägde in"),
                _("Vilka uppgifter, åt vilket håll, hur mycket, och vad som hade ändrat svaret."),
            )
            self.order_fields(["outcome", "factors"])
        self.fields["outcome"].choices = [  # type: ignore[attr-defined]
            (value, label) for value, label in Case.Outcome.choices if value in may
        ]

    @property
    def needs_two(self) -> bool:
        """Whether a second person has to approve it."""
        given = self.cleaned_data
        return given["outcome"] in REFUSALS or bool(given["fee"])

    def _with_factors(self, said: str) -> str:
        """Put what weighed in before what is said, where a credit decision is reviewed (ADM-03)."""
        return f"{self.cleaned_data.get('factors', '')}\n\n{said}".strip()

    @property
    def explained(self) -> str:
        """What is added to a yes."""
        return self._with_factors(self.cleaned_data["more"])

    @property
    def why(self) -> str:
        """The reasons of a no or a fee."""
        return self._with_factors(self.cleaned_data["reasons"])

    def clean(self) -> dict[str, Any]:
        """Ask for reasons and a rule where somebody gets less than they asked for."""
        given = self.cleaned_data
        if self.errors or not self.needs_two:
            return given
        if not given["reasons"].strip():
            self.add_error("reasons", _("Skriv skälen. Kunden får läsa dem."))
        if not given["rule"].strip():
            self.add_error("rule", _("Skriv vilken regel skälen vilar på."))
        return given


class SendBackForm(WordsForm):
    """What is missing in a proposal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].label = _("Vad saknas i förslaget")
