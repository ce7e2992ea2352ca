"""What people write on the pages of their requests."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from consent.purposes import Purpose

LONGEST_REASON = 2000


class CodeForm(forms.Form):
    """The code that was mailed before a file is handed out."""

    code = forms.CharField(
        label=_("Kod"),
        help_text=_("Sex siffror, från mejlet vi nyss skickade."),
        max_length=20,
        error_messages={
            "required": _("Skriv koden från mejlet, sex siffror."),
            "max_length": _("Skriv koden från mejlet, sex siffror."),
        },
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Return the digits alone, however they were spaced."""
        code: str = self.cleaned_data["code"]
        return "".join(code.split())

    def refuse(self, sentence: Any) -> None:
        """Say what was wrong with the code."""
        self.add_error("code", sentence)


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
