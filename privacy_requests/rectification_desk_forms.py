"""What staff fill in to set something right; the acts say what cannot stand (REC-01, REC-02)."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from consent.facts import InvoiceLine
from customers import rules
from customers.models import Customer, Invoice, Order, Product
from customers.models.channels import Collected

DAY = {"invalid": _("Skriv en dag, till exempel 2026-11-24.")}


def day_field(label: Any, **more: Any) -> Any:
    """Return a field for a day."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, widget=widget, error_messages=DAY, **more)


class OnTheirWordForm(forms.Form):
    """By which way the person said it."""

    collected = forms.ChoiceField(
        label=_("Hur fick vi veta det"),
        choices=[
            (way.value, way.label)
            for way in (Collected.PHONE, Collected.EMAIL, Collected.POST, Collected.SOCIAL)
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.order_fields([name for name in self.fields if name != "collected"])


class BirthDateForm(OnTheirWordForm):
    """The right birth date, and the one that stood when the page was opened."""

    born = day_field(_("Rätt födelsedag"))
    before = forms.DateField(widget=forms.HiddenInput, required=False)


class NationalIdForm(OnTheirWordForm):
    """The right number, with its check digit (PNR-02)."""

    number = forms.CharField(
        label=_("Rätt personnummer"),
        max_length=13,
        help_text=_("Tolv siffror, till exempel 19900602-2397. Det visas aldrig här igen."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
    )

    def clean_number(self) -> str:
        """Return twelve digits."""
        return rules.clean_national_id(self.cleaned_data["number"])


class WhichOrderForm(forms.Form):
    """Which of the person's orders it is about."""

    order = forms.ModelChoiceField(
        label=_("Vilken beställning"), queryset=Order.objects.none(), empty_label=None
    )

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        super().__init__(data, label_suffix="")
        field: Any = self.fields["order"]
        field.queryset = Order.objects.filter(customer=customer).order_by("-ordered_on", "-pk")


class OrderForm(OnTheirWordForm):
    """What was ordered and when it came."""

    product = forms.ModelChoiceField(
        label=_("Vara"), queryset=Product.objects.order_by("name"), empty_label=None
    )
    quantity = forms.IntegerField(label=_("Antal"), min_value=1, max_value=1000)
    ordered_on = day_field(_("Beställd"))
    delivered_on = day_field(
        _("Levererad"), required=False, help_text=_("Tomt om den inte har kommit fram.")
    )


class WhichInvoiceForm(forms.Form):
    """Which of the person's invoices it is about."""

    invoice = forms.ModelChoiceField(
        label=_("Vilken faktura"), queryset=Invoice.objects.none(), empty_label=None
    )

    def __init__(self, data: Any = None, *, customer: Customer) -> None:
        super().__init__(data, label_suffix="")
        field: Any = self.fields["invoice"]
        credited = Invoice.objects.filter(kind=Invoice.Kind.CREDIT_NOTE, customer=customer)
        field.queryset = (
            Invoice.objects.filter(customer=customer, kind=Invoice.Kind.INVOICE)
            .exclude(pk__in=credited.filter(refers_to__isnull=False).values("refers_to"))
            .order_by("-number")
        )


class CreditForm(OnTheirWordForm):
    """Whether a right invoice takes the place of the credited one, and what it says."""

    anew = forms.BooleanField(
        label=_("Skriv en ny faktura med namn och adress som de står nu"), required=False
    )

    def __init__(self, *args: Any, invoice: Invoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = invoice.lines
        for number, line in enumerate(self.lines):
            self.fields[f"quantity_{number}"] = forms.IntegerField(
                label=_("%(text)s: antal på den nya fakturan") % {"text": line["text"]},
                min_value=0,
                max_value=1000,
                initial=line["quantity"],
                required=False,
            )
            self.fields[f"amount_{number}"] = forms.DecimalField(
                label=_("%(text)s: belopp med moms, kronor") % {"text": line["text"]},
                min_value=0,
                max_value=1_000_000,
                decimal_places=2,
                initial=Decimal(line["ore"]) / 100,
                required=False,
            )
        self.fields["vat"] = forms.DecimalField(
            label=_("Moms på den nya fakturan, kronor"),
            min_value=0,
            max_value=1_000_000,
            decimal_places=2,
            initial=Decimal(invoice.vat_ore) / 100,
            required=False,
        )
        self.order_fields(["anew"])
        self.order_fields([name for name in self.fields if name != "collected"])

    def clean(self) -> dict[str, Any]:
        """Ask for at least one line where a new invoice is wanted."""
        given = self.cleaned_data
        if given.get("anew") and not self.errors and not self.right_lines:
            raise ValidationError(_("Skriv minst en rad på den nya fakturan, eller ingen ny alls."))
        return given

    @property
    def right_lines(self) -> list[InvoiceLine]:
        """The lines of the new invoice; those with nothing left are not on it."""
        given = self.cleaned_data
        if not given["anew"]:
            return []
        return [
            {
                "text": line["text"],
                "quantity": given[f"quantity_{number}"],
                "ore": int((given[f"amount_{number}"] or 0) * 100),
            }
            for number, line in enumerate(self.lines)
            if given[f"quantity_{number}"]
        ]

    @property
    def vat_ore(self) -> int:
        """The VAT of the new invoice in öre."""
        return int((self.cleaned_data["vat"] or 0) * 100) if self.right_lines else 0


def initial_of(order: Order) -> dict[str, Any]:
    """Return an order as its form shows it."""
    return {
        "product": order.product_id,
        "quantity": order.quantity,
        "ordered_on": order.ordered_on,
        "delivered_on": order.delivered_on,
    }
