"""Which day a person wants to look at."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from customers.words import full_day, read_day

STAYS, ENDS = "kund", "slutar"


class DayForm(forms.Form):
    """A day to come, as people write it; without an end date also what to count on."""

    dag = forms.CharField(
        label=_("Visa en annan dag"),
        help_text=_("Till exempel 15 mars 2029."),
        max_length=40,
        required=True,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Skriv dagen som 2029-03-15 eller 15 mars 2029.")},
    )
    som = forms.ChoiceField(
        label=_("Räkna med att jag"),
        choices=[(STAYS, _("är kvar som kund")), (ENDS, _("slutar i dag"))],
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("Välj om du är kvar som kund eller slutar i dag.")},
    )

    def __init__(self, data: Any, *, today: date, open_ended: bool, **kwargs: Any) -> None:
        super().__init__({"som": STAYS, **data.dict()} if data else None, **kwargs)
        self.today = today
        if not open_ended:
            del self.fields["som"]

    def clean_dag(self) -> date:
        """Read the day; one that has been is refused, for what was there then is gone."""
        try:
            day = read_day(self.cleaned_data["dag"])
        except ValueError as problem:
            sentence = self.fields["dag"].error_messages["required"]
            raise ValidationError(sentence) from problem
        if day < self.today:
            raise ValidationError(
                _("Välj %(today)s eller en senare dag. Vi kan bara visa det som ligger framåt.")
                % {"today": full_day(self.today)}
            )
        return day

    def clean_som(self) -> str:
        """Count on the relation going on when nothing is said."""
        return self.cleaned_data["som"] or STAYS
