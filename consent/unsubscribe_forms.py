"""What people type from a letter."""

from django import forms
from django.utils.translation import gettext_lazy as _

from consent.unsubscribe import NoSuchLinkError, find_by_code
from customers.models import Customer


class LetterCodeForm(forms.Form):
    """The code at the end of an advertisement on paper."""

    code = forms.CharField(
        label=_("Kod"),
        help_text=_("Tolv tecken, längst ner i brevet."),
        max_length=40,
        error_messages={
            "required": _("Skriv koden som står längst ner i brevet, tolv tecken."),
            "max_length": _("Skriv koden som står längst ner i brevet, tolv tecken."),
        },
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    found: Customer

    def clean_code(self) -> str:
        """Find who the code belongs to."""
        code: str = self.cleaned_data["code"]
        try:
            self.found = find_by_code(code)
        except NoSuchLinkError:
            raise forms.ValidationError(
                _(
                    "Koden stämmer inte. Skriv den precis som den står i brevet, tolv tecken. Har "
                    "vi redan raderat dig gäller koden inte, och då får du ingen reklam."
                )
            ) from None
        return code
