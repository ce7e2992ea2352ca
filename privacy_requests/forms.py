"""What people write on the pages of their requests."""

from collections.abc import Iterable

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from consent.purposes import Purpose

LONGEST_REASON = 2000


class ProofCodeForm(forms.Form):
    """A code from a letter or from staff that shows who types it."""

    code = forms.CharField(
        label=_("Kod"),
        help_text=_("Åtta eller tio tecken. Stora och små bokstäver går lika bra."),
        max_length=40,
        error_messages={
            "required": _("Skriv koden från brevet, eller den du fick av oss."),
            "max_length": _("Skriv koden från brevet, eller den du fick av oss."),
        },
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "autocapitalize": "characters",
                "spellcheck": "false",
                "class": "code",
            }
        ),
    )


class ObjectionForm(forms.Form):
    """What a person wants us to stop doing; nothing is ticked, and no reason is asked for."""

    uses = forms.MultipleChoiceField(
        label=_("Vad ska vi sluta med?"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Välj minst en sak som vi ska sluta med."),
            "invalid_choice": _("Välj bland det som står i listan."),
        },
    )
    reason = forms.CharField(
        label=_("Något du vill säga om det"),
        help_text=_("Du behöver inte skriva något. Svaret blir detsamma."),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea,
        error_messages={"max_length": _("Skriv högst 2 000 tecken, eller ring oss.")},
    )

    def offer(self, purposes: Iterable[Purpose]) -> None:
        """Set which purposes can be chosen."""
        self.fields["uses"].choices = [  # type: ignore[attr-defined]
            (
                purpose.code,
                format_html(
                    '<span><b>{}</b><br><span class="second">{}</span></span>',
                    purpose.name,
                    purpose.why,
                ),
            )
            for purpose in purposes
        ]
