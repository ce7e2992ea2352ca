"""What staff write about a person: why they read, and the details they correct."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.actions import OF_THE_ADDRESS, OF_THE_PERSON
from customers.dates import today
from customers.models import AccessLog, Address, Customer, Suppression
from customers.models.channels import Collected

LANGUAGES = [("sv", "Svenska"), ("en", "English")]


class ReasonForm(forms.Form):
    """Why somebody of staff reads about a person; asked once per person and session (D01)."""

    reason = forms.ChoiceField(
        label=_("Varför"), choices=AccessLog.Reason.choices, widget=forms.RadioSelect
    )
    words = forms.CharField(
        label=_("Med egna ord"),
        required=False,
        max_length=200,
        help_text=_("Kunden kan få läsa det. Skriv vad ärendet gäller, inte vem du är."),
    )

    def clean_words(self) -> str:
        """Return one line of text."""
        return rules.clean_line(self.cleaned_data["words"], 200)

    def clean(self) -> dict[str, Any]:
        """Ask for words where the choice says too little."""
        given = self.cleaned_data
        if given.get("reason") == AccessLog.Reason.FAULT and not given.get("words"):
            self.add_error("words", _("Skriv vilket fel du söker."))
        return given


class DetailsForm(forms.Form):
    """The details that staff may correct on a person's word."""

    given_name = forms.CharField(label=_("Förnamn"), max_length=100)
    family_name = forms.CharField(label=_("Efternamn"), max_length=100)
    email = forms.CharField(
        label=_("E-post"),
        max_length=254,
        required=False,
        # Or staff could take over a sign-in (D12).
        help_text=_("Inloggningen följer inte med. Den byter bara kunden själv, på Min sida."),
    )
    phone = forms.CharField(label=_("Mobil"), max_length=40, required=False)
    street = forms.CharField(label=_("Gata"), max_length=150, required=False)
    postcode = forms.CharField(label=_("Postnummer"), max_length=12, required=False)
    city = forms.CharField(label=_("Ort"), max_length=100, required=False)
    language = forms.ChoiceField(label=_("Språk"), choices=LANGUAGES)
    collected = forms.ChoiceField(
        label=_("Hur fick vi veta det"),
        choices=[
            (choice.value, choice.label)
            for choice in (Collected.PHONE, Collected.EMAIL, Collected.POST, Collected.SOCIAL)
        ],
    )
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        self.address = customer.addresses.filter(kind=Address.Kind.HOME).first()
        initial = {name: getattr(customer, name) for name in OF_THE_PERSON}
        initial["phone"] = rules.shown_phone(customer.phone)
        for name in OF_THE_ADDRESS:
            initial[name] = getattr(self.address, name, "")
        super().__init__(data, initial={**initial, "version": customer.version}, label_suffix="")

    def clean_given_name(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["given_name"], 100)

    def clean_family_name(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["family_name"], 100)

    def clean_email(self) -> str:
        """Return an address or nothing."""
        text = self.cleaned_data["email"]
        return rules.clean_email(text) if text else ""

    def clean_phone(self) -> str:
        """Return a number in international form or nothing."""
        return rules.clean_phone(self.cleaned_data["phone"])

    def clean_street(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["street"], 150)

    def clean_postcode(self) -> str:
        """Return five digits or nothing."""
        text = self.cleaned_data["postcode"]
        return rules.clean_postcode(text) if text else ""

    def clean_city(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["city"], 100)

    def clean(self) -> dict[str, Any]:
        """Refuse half an address."""
        given = self.cleaned_data
        lines = [given.get(name) for name in OF_THE_ADDRESS]
        if not any(name in self.errors for name in OF_THE_ADDRESS):
            wanted = self.address is not None or any(lines)
            if wanted and not all(lines):
                raise ValidationError(_("Skriv hela adressen: gata, postnummer och ort."))
        return given

    @property
    def values(self) -> dict[str, str]:
        """The details as `customers.actions.change_details` takes them."""
        names = [*OF_THE_PERSON, *(OF_THE_ADDRESS if self.cleaned_data["street"] else ())]
        return {name: self.cleaned_data[name] for name in names}


class ReturnedForm(forms.Form):
    """What came back to us, and when (RUL-28)."""

    kind = forms.ChoiceField(label=_("Vad kom tillbaka"), widget=forms.RadioSelect)
    on = forms.DateField(label=_("Vilken dag"), widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        super().__init__(data, initial={"on": today()}, label_suffix="")
        self.home = customer.addresses.filter(kind=Address.Kind.HOME).first()
        ways = (
            (Suppression.Kind.ADDRESS, _("Ett brev till adressen"), self.home is not None),
            (Suppression.Kind.EMAIL, _("Ett mejl"), bool(customer.email)),
            (Suppression.Kind.PHONE, _("Ett sms eller samtal till mobilen"), bool(customer.phone)),
        )
        kind: Any = self.fields["kind"]
        kind.choices = [(value, words) for value, words, known in ways if known]

    def clean_on(self) -> date:
        """Return a day that has come."""
        on: date = self.cleaned_data["on"]
        if on > today():
            raise ValidationError(_("Dagen har inte kommit än. Skriv i dag eller en tidigare dag."))
        return on

    def clean(self) -> dict[str, Any]:
        """Refuse a letter that was sent to where the person lived before."""
        given = self.cleaned_data
        home = self.home if given.get("kind") == Suppression.Kind.ADDRESS else None
        if home is not None and given.get("on", date.max) < home.given_on:
            words = _("Adressen är nyare än så. Skriv en dag efter att vi fick den.")
            self.add_error("on", words)
        return given
