"""What a person writes when asking for something, and later in the case."""

import uuid
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from privacy_requests.models import Case
from privacy_requests.models.cases import LONGEST_WORDING

Right = Case.Right
# What each right means, in the words of somebody who asks for it.
MEANING: dict[str, Any] = {
    Right.ACCESS: _("Du får en fil med allt vi har om dig."),
    Right.RECTIFICATION: _("Något står fel, eller något saknas."),
    Right.ERASURE: _("Allt som inte måste stå kvar tas bort."),
    Right.RESTRICTION: _("Vi sparar uppgifterna men låter bli att använda dem."),
    Right.PORTABILITY: _("Du får det du själv har lämnat, i en fil som andra företag kan läsa."),
    Right.OBJECTION: _("Vi slutar direkt med all reklam och allt annat som inte är nödvändigt."),
    Right.WITHDRAWAL: _("Inget du har sagt ja till gäller längre, från samma stund."),
    Right.CREDIT_REVIEW: _("En människa tittar på ett nej till faktura."),
}
TOO_LONG = _("Skriv högst 5 000 tecken, eller ring oss.")


def _choices() -> list[tuple[str, Any]]:
    return [
        (
            right.value,
            format_html(
                '<span><b>{}</b><br><span class="second">{}</span></span>',
                right.label,
                MEANING[right],
            ),
        )
        for right in Right
    ]


def plain(text: str) -> str:
    """Return the words without signs that cannot be read, a line for each line."""
    lines = ("".join(sign for sign in line if sign.isprintable()) for line in text.splitlines())
    return "\n".join(lines).strip()


# What no page of ours can send is a bad request; the rest is a form to fill in again.
STATUS = {
    "max_length": 413,
    "invalid_choice": 400,
    "null_characters_not_allowed": 400,
    "invalid": 400,
}


def status_of(form: forms.Form) -> int:
    """Return the status of a page that shows a form, as it is or with what is wrong (B06)."""
    if not form.is_bound or form.is_valid():
        return 200
    codes = {error.code for errors in form.errors.as_data().values() for error in errors}
    return next((status for code, status in STATUS.items() if code in codes), 422)


class WordsForm(forms.Form):
    """Something a person writes, in plain text."""

    wording = forms.CharField(
        label=_("Skriv till oss"),
        max_length=LONGEST_WORDING,
        widget=forms.Textarea(attrs={"rows": 6}),
        error_messages={
            "required": _("Skriv vad du vill säga."),
            "max_length": TOO_LONG,
        },
    )

    def clean_wording(self) -> str:
        """Return the words as plain text."""
        return plain(self.cleaned_data["wording"])


class RequestForm(WordsForm):
    """What a person asks for, in their own words; no reason and no form is needed (DSR-01)."""

    rights = forms.MultipleChoiceField(
        label=_("Vad vill du?"),
        choices=_choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Välj minst en sak."),
            "invalid_choice": _("Välj bland det som står i listan."),
        },
    )
    # The page's own number, so that sending twice is asking once (B06).
    token = forms.UUIDField(widget=forms.HiddenInput, required=False)

    field_order = ("rights", "wording", "token")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"token": uuid.uuid4(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        wording = self.fields["wording"]
        wording.required = False
        wording.label = _("Med egna ord")
        wording.help_text = _("Skriv om du vill. Du behöver inte säga varför.")
