"""What staff write to keep a person's data past its time, and to decide about the nights."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.dates import STOCKHOLM, add_months, today
from customers.models import Customer
from customers.personal_data import EVERYTHING, KINDS, Category
from retention.decisions import LONGEST_PAUSE
from retention.holds import REVIEWED_EVERY
from retention.models import Hold

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Hold]
else:
    ModelForm = forms.ModelForm


# What a hold by hand may be about; a case places and lifts its own.
BY_HAND = (
    Hold.Ground.DISPUTE,
    Hold.Ground.COMPLAINT,
    Hold.Ground.DEBT,
    Hold.Ground.BOOKS,
    Hold.Ground.MANUAL,
)


def clean_review(day: date) -> date:
    """Refuse a day that is not ahead, or further off than a review may be (RUL-35)."""
    if day <= today():
        raise forms.ValidationError(_("Skriv en dag efter i dag."))
    if day > add_months(today(), REVIEWED_EVERY):
        raise forms.ValidationError(_("Skriv en dag inom sex månader."))
    return day


class HoldForm(ModelForm):
    """A hold by decision (RUL-35)."""

    number = forms.CharField(label=_("Kundnummer"), max_length=20)
    reason = forms.CharField(
        label=_("Skäl"), max_length=300, help_text=_("Kunden kan få läsa skälet.")
    )
    kinds = forms.TypedMultipleChoiceField(
        label=_("Omfattar"),
        coerce=int,
        required=False,
        choices=[(c.value, c.for_staff) for c in KINDS if c is not Category.SHELL],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Välj det som behövs. Väljer du inget sparas allt om personen."),
    )
    review_on = forms.DateField(label=_("Omprövas"), help_text=_("Senast om sex månader."))

    class Meta:
        model = Hold
        fields = ("number", "ground", "kinds", "reason", "review_on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        ground: Any = self.fields.get("ground")
        if ground is not None:
            ground.choices = [(g.value, g.label) for g in BY_HAND]

    def clean_number(self) -> str:
        """Find the person by the whole number."""
        number: str = self.cleaned_data["number"].strip().upper()
        customer = Customer.objects.filter(number=number).first()
        if customer is None:
            raise forms.ValidationError(_("Det finns ingen kund med det numret. Skriv hela."))
        self.instance.customer = customer
        return number

    def clean_reason(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["reason"], 300)

    def clean_kinds(self) -> list[int]:
        """Remember the categories on the hold, all of them when none is chosen."""
        kinds: list[int] = self.cleaned_data["kinds"]
        self.instance.categories = sum(kinds) if kinds else EVERYTHING
        return kinds

    def clean_review_on(self) -> date:
        """Refuse a day that is not ahead, or too far off."""
        return clean_review(self.cleaned_data["review_on"])


class ReasonForm(forms.Form):
    """Why something is decided, in a sentence."""

    reason = forms.CharField(
        label=_("Skäl"), max_length=300, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def clean_reason(self) -> str:
        """Return one line."""
        return rules.clean_line(self.cleaned_data["reason"], 300)


class ReviewForm(ReasonForm):
    """Why a hold is still needed, and when that is asked again."""

    review_on = forms.DateField(
        label=_("Omprövas nästa gång"), help_text=_("Senast om sex månader.")
    )

    def clean_review_on(self) -> date:
        """Refuse a day that is not ahead, or too far off."""
        return clean_review(self.cleaned_data["review_on"])


class ReleaseForm(ReasonForm):
    """A reason, and which plan was read."""

    plan_hash = forms.CharField(max_length=64, widget=forms.HiddenInput)


class TurnOffForm(ReasonForm):
    """A reason, and the last day."""

    until = forms.DateField(
        label=_("Till och med"), help_text=_("Högst 30 dagar fram. Skriv som 2026-03-15.")
    )
    field_order = ("until", "reason")

    def clean_until(self) -> datetime:
        """Return the end of the day."""
        day: date = self.cleaned_data["until"]
        if not today() <= day < today() + LONGEST_PAUSE:
            raise forms.ValidationError(_("Skriv en dag från i dag, högst 30 dagar fram."))
        return datetime.combine(day + timedelta(days=1), time(0), tzinfo=STOCKHOLM)
