"""What people write on the pages of their requests."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


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
