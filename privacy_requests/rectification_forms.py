"""What a person writes when something about them is wrong (REC-01)."""

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from privacy_requests.case_forms import WordsForm
from privacy_requests.models.cases import LONGEST_WORDING


class Wrong(TextChoices):
    """What Min sida does not let the person change at once."""

    NAME = "name", _("Namnet")
    BIRTH_DATE = "birth_date", _("Födelsedatumet")
    NATIONAL_ID = "national_id", _("Personnumret")
    ORDER = "order", _("En beställning eller leverans")
    INVOICE = "invoice", _("En faktura")
    NOTE = "note", _("Något vi har skrivit om dig")
    MISSING = "missing", _("Något saknas")
    OTHER = "other", _("Något annat")


class RectificationForm(WordsForm):
    """Which field it is about, and what should stand there."""

    what = forms.ChoiceField(
        label=_("Vad är fel?"),
        choices=Wrong.choices,
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Välj vad som är fel."),
            "invalid_choice": _("Välj bland det som står i listan."),
        },
    )

    field_order = ("what", "wording")

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["wording"].label = _("Vad ska det stå i stället?")
        self.fields["wording"].help_text = _("Skriv också vilken beställning eller faktura.")

    @property
    def said(self) -> str:
        """The field and the person's words about it, as they go into the case."""
        label = Wrong(self.cleaned_data["what"]).label
        return f"{label}: {self.cleaned_data['wording']}"[:LONGEST_WORDING]
