"""What a person writes when something about them is wrong or incomplete (REC-01)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy_requests.case_forms import WordsForm
from privacy_requests.models import Wrong
from privacy_requests.models.cases import LONGEST_WORDING
from privacy_requests.recording import WAYS

CHOOSE = {
    "required": _("Välj vad som är fel."),
    "invalid_choice": _("Välj bland det som står i listan."),
}


class RectificationForm(WordsForm):
    """Which field it is about, and what should stand there."""

    what = forms.ChoiceField(
        label=_("Vad är fel?"),
        choices=Wrong.choices,
        widget=forms.RadioSelect,
        error_messages=CHOOSE,
    )

    field_order = ("what", "wording")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].label = _("Vad ska det stå i stället?")
        self.fields["wording"].help_text = _("Skriv också vilken beställning eller faktura.")

    @property
    def said(self) -> str:
        """The field and the person's words about it, as they go into the case."""
        label = Wrong(self.cleaned_data["what"]).label
        return f"{label}: {self.cleaned_data['wording']}"[:LONGEST_WORDING]


class StatementForm(WordsForm):
    """What a person wants to be read beside what stands about them (Article 16)."""

    about = forms.ChoiceField(
        label=_("Vad gäller det?"),
        choices=Wrong.choices,
        error_messages={**CHOOSE, "required": _("Välj vad det gäller.")},
    )

    field_order: tuple[str, ...] = ("about", "wording")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].label = _("Det du vill lägga till")
        self.fields["wording"].help_text = _("Det står bredvid uppgiften, med dina egna ord.")


class StatementForStaffForm(StatementForm):
    """A statement that staff write down for somebody, in that person's words."""

    collected = forms.ChoiceField(
        label=_("På vilket sätt"), choices=[(way.value, way.label) for way in WAYS]
    )

    field_order = ("about", "wording", "collected")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["wording"].label = _("Kundens egna ord")
        self.fields["wording"].help_text = _("Det står bredvid uppgiften för alla som läser den.")
