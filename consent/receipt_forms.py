"""The form of the page that checks receipts."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from consent.receipt_check import LONGEST

TOO_LONG = _("Det är för stort för att vara ett kvitto från oss. Välj filen vi gav dig.")


class CheckForm(forms.Form):
    """A receipt as a file, as text, or the code of a printed one."""

    file = forms.FileField(
        label=_("Filen"),
        help_text=_("Den heter kvitto och slutar på .json."),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".json,.jsonld,application/ld+json"}),
    )
    # A plain field: whatever was pasted is looked at as it is, and never shown again.
    text = forms.Field(
        label=_("Texten i filen, eller koden på papperet"),
        help_text=_("Koden är tio grupper med fyra tecken."),
        required=False,
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocomplete": "off", "autocapitalize": "off"}
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Take one of the two, of a size a receipt can have."""
        cleaned: dict[str, Any] = super().clean() or {}
        file, text = cleaned.get("file"), str(cleaned.get("text") or "")
        if len(text) > LONGEST or (file is not None and file.size > LONGEST):
            raise ValidationError(TOO_LONG)
        if file is not None:
            text = file.read().decode("utf-8-sig", errors="replace")
        if not text.strip():
            raise ValidationError(_("Välj filen, eller klistra in texten eller koden."))
        return {"receipt": text}
