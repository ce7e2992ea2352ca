"""What the data protection officer writes about recipients, and how a notice was answered."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.purposes import CODES
from customers import rules
from customers.personal_data import Category
from disclosures.agreements import COUNTRIES
from disclosures.handing import FIELDS
from disclosures.models import Agreement, Recipient, RecipientNotice, SubProcessor

if TYPE_CHECKING:
    RecipientModelForm = forms.ModelForm[Recipient]
    AgreementModelForm = forms.ModelForm[Agreement]
    SubProcessorModelForm = forms.ModelForm[SubProcessor]
else:
    RecipientModelForm = AgreementModelForm = SubProcessorModelForm = forms.ModelForm

PARTNERS_KINDS = (Category.IDENTITY, Category.CONTACT, Category.ADDRESS)


def clean_country(country: str) -> str:
    """Return a country we know; raises ValidationError."""
    code = country.strip().upper()
    if code not in COUNTRIES:
        raise forms.ValidationError(_("Skriv landet som två bokstäver, till exempel SE."))
    return code


class RecipientForm(RecipientModelForm):
    """Who they are and the most they may get."""

    purposes = forms.MultipleChoiceField(
        label=_("Får uppgifter för"), choices=CODES, widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.TypedMultipleChoiceField(
        label=_("Får högst dessa uppgifter"),
        coerce=int,
        choices=[(category.value, category.label) for category in FIELDS],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Personnummer lämnas bara ut när ett köp mot faktura prövas."),
    )

    class Meta:
        model = Recipient
        fields = (
            *("kind", "name", "legal_name", "task", "email", "country", "is_certified"),
            *("purposes", "active_from", "active_until"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["kinds"] = [c.value for c in self.instance.may_get()]

    def clean_country(self) -> str:
        """Return a country we know."""
        return clean_country(self.cleaned_data["country"])

    def clean(self) -> dict[str, Any] | None:
        """Hold a partner to its own purpose and to how people are reached (PAR-01, PAR-02)."""
        found = super().clean() or self.cleaned_data
        kinds = found.get("kinds") or []
        self.instance.categories = sum(kinds)
        kind = found.get("kind") or self.instance.kind
        if kind == Recipient.Kind.PARTNER:
            if found.get("purposes", ["P"]) != ["P"]:
                self.add_error("purposes", _("En samarbetspartner får uppgifter bara för P."))
            if kinds and (set(kinds) - set(PARTNERS_KINDS) or Category.IDENTITY not in kinds):
                self.add_error("kinds", _("Välj namn, och det som behövs för att nå personen."))
            elif kinds == [Category.IDENTITY]:
                self.add_error("kinds", _("Välj också hur personen nås."))
        elif "P" in found.get("purposes", []):
            self.add_error("purposes", _("P är bara för samarbetspartner."))
        return found


class AgreementForm(AgreementModelForm):
    """What was signed; a point that is not ticked is missing in the agreement."""

    countries = forms.CharField(
        label=_("Andra länder där uppgifterna finns"),
        required=False,
        help_text=_("Två bokstäver var, med komma emellan: NO, US."),
    )

    class Meta:
        model = Agreement
        exclude = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["countries"] = ", ".join(self.instance.countries)

    def clean_countries(self) -> list[str]:
        """Return the countries, each known."""
        written = self.cleaned_data["countries"].replace(",", " ").split()
        return sorted({clean_country(country) for country in written})

    def clean(self) -> dict[str, Any] | None:
        """Ask for what standard clauses are nothing without (TRF-01)."""
        found = super().clean() or self.cleaned_data
        if found.get("safeguard") == Agreement.Safeguard.SCC:
            for name in ("scc_module", "transfer_assessment", "assessed_on"):
                if not found.get(name):
                    self.add_error(name, _("Standardavtalet gäller bara med en bedömning."))
        return found


class SubProcessorForm(SubProcessorModelForm):
    """Who is let in on the data in turn."""

    class Meta:
        model = SubProcessor
        fields = ("legal_name", "task", "country", "is_certified")

    def clean_country(self) -> str:
        """Return a country we know."""
        return clean_country(self.cleaned_data["country"])


class ClosingForm(forms.Form):
    """How we know that a recipient has done it, or why they cannot be told (NOT-01)."""

    outcome = forms.ChoiceField(
        label=_("Vad har hänt?"),
        choices=[
            (RecipientNotice.Outcome.ACKNOWLEDGED.value, _("Mottagaren har bekräftat")),
            (RecipientNotice.Outcome.IMPOSSIBLE.value, _("Det går inte att säga till dem")),
            (RecipientNotice.Outcome.DISPROPORTIONATE.value, _("Det är orimligt svårt")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Hur vet vi det, eller varför går det inte?"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Kunden kan få läsa det. Skriv inget om personen."),
    )

    def clean_reason(self) -> str:
        """Return one line."""
        return rules.clean_line(" ".join(self.cleaned_data["reason"].split()), 500)
