"""What finance writes about a debt."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from customers import rules
from customers.dates import add_years, today
from customers.debts import open_debts
from customers.models import Customer, DebtInterruption, Invoice


class InterruptionForm(forms.Form):
    """What started the limitation anew, of which invoice, and what shows it (CLM-01)."""

    invoice = forms.ModelChoiceField(
        label=_("Faktura"), queryset=Invoice.objects.none(), empty_label=None
    )
    kind = forms.ChoiceField(
        label=_("Vad hände"), choices=DebtInterruption.Kind.choices, widget=forms.RadioSelect
    )
    on = forms.DateField(label=_("Vilken dag"), widget=forms.DateInput(attrs={"type": "date"}))
    words = forms.CharField(
        label=_("Vad som visar det"),
        max_length=200,
        help_text=_("Till exempel brevets datum eller målets nummer."),
    )

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        super().__init__(data, initial={"on": today()}, label_suffix="")
        field: Any = self.fields["invoice"]
        field.queryset = open_debts(customer)

    def clean_words(self) -> str:
        """Return one line of text."""
        return rules.clean_line(self.cleaned_data["words"], 200)

    def clean(self) -> dict[str, Any]:
        """Refuse a day that cannot count: before the invoice, ahead, or after the three years."""
        given = self.cleaned_data
        invoice, on = given.get("invoice"), given.get("on")
        if invoice is not None and on is not None:
            if not invoice.issued_on <= on <= today():
                self.add_error("on", _("Skriv en dag från fakturans dag till och med i dag."))
            elif on > add_years(invoice.runs_from, 3):
                self.add_error("on", _("Skulden var redan preskriberad den dagen."))
        return given

    @staticmethod
    def runs_until(invoice: Invoice, on: date) -> date:
        """Return the last day of the debt once this is written down."""
        return add_years(max(invoice.runs_from, on), 3)
