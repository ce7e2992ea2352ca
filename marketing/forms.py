"""What a campaign is asked for, and which audience is looked at."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.purposes import BY_CODE, Use
from marketing.models import CHANNELS, PURPOSES, Campaign

if TYPE_CHECKING:
    ModelForm = forms.ModelForm[Campaign]
else:
    ModelForm = forms.ModelForm


class UseForm(forms.Form):
    """A purpose and a channel that go together."""

    purpose = forms.ChoiceField(label=_("Ändamål"), choices=PURPOSES)
    channel = forms.ChoiceField(label=_("Kanal"), choices=[(c.value, c.label) for c in CHANNELS])

    def clean(self) -> dict[str, Any]:
        """Refuse a pair that the catalogue does not hold."""
        given = super().clean() or {}
        demand_pair(self, given)
        return given

    def use(self) -> Use:
        """Return the use that was chosen."""
        return Use(self.cleaned_data["purpose"], self.cleaned_data["channel"])


class CampaignForm(ModelForm):
    """The words of a campaign, in both languages, and who may get it for which reason."""

    class Meta:
        model = Campaign
        fields = (
            "name",
            "purpose",
            "channel",
            "subject_sv",
            "body_sv",
            "subject_en",
            "body_en",
        )
        help_texts = {
            "name": _("Ser bara vi."),
            "body_sv": _(
                "Samma text till alla. Hur man säger nej och varifrån det kommer står alltid sist."
            ),
        }
        widgets = {
            "body_sv": forms.Textarea(attrs={"rows": 10, "lang": "sv"}),
            "body_en": forms.Textarea(attrs={"rows": 10, "lang": "en"}),
            "subject_sv": forms.TextInput(attrs={"lang": "sv"}),
            "subject_en": forms.TextInput(attrs={"lang": "en"}),
        }

    def clean(self) -> dict[str, Any]:
        """Refuse a pair that the catalogue does not hold, and a heading of more than one line."""
        given = super().clean() or {}
        demand_pair(self, given)
        for name in ("subject_sv", "subject_en"):
            if not str(given.get(name, "")).isprintable():
                self.add_error(name, _("Skriv ämnet på en rad."))
        return given


def demand_pair(form: forms.BaseForm, given: dict[str, Any]) -> None:
    """Add an error when a purpose does not use a channel."""
    purpose, channel = given.get("purpose"), given.get("channel")
    if purpose and channel and channel not in BY_CODE[purpose].channels:
        form.add_error("channel", _("Det ändamålet går inte den vägen. Välj en annan kanal."))
