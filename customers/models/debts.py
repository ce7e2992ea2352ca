"""What interrupts the limitation of a debt: it runs three years anew from that day (CLM-01)."""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.models.purchases import Invoice
from customers.personal_data import Category, Clock, OnErasure, PersonalData
from customers.triggers import not_emptied

# It stays with its invoice, and goes in the statement that takes it.
STAYS_WITH_ITS_INVOICE = """
    IF EXISTS (SELECT FROM customers_invoice i WHERE i.id = OLD.invoice_id
                  AND i.retain_until >= (now() AT TIME ZONE 'Europe/Stockholm')::date) THEN
        RAISE EXCEPTION 'An interruption is kept as long as its invoice (CLM-01).';
    END IF;
    RETURN OLD;
"""


class DebtInterruption(models.Model):
    """An acknowledgement, a written claim or a suit; a payment in part is an `Invoice` itself."""

    class Kind(models.TextChoices):
        ACKNOWLEDGED = "admitted", _("Kunden erkände skulden")
        CLAIMED = "claimed", _("Vi krävde betalt skriftligen")
        SUED = "sued", _("Vi gick till domstol eller Kronofogden")

    invoice = models.ForeignKey(
        Invoice, models.PROTECT, related_name="interruptions", verbose_name=_("faktura")
    )
    kind = models.CharField(_("vad som hände"), max_length=8, choices=Kind)
    happened_on = models.DateField(_("dag"))
    words = models.CharField(
        _("vad som visar det"),
        max_length=200,
        help_text=_("Till exempel brevets datum eller målets nummer."),
    )

    personal_data = PersonalData(
        name=_("När preskriptionen av en skuld bröts"),
        path="invoice__customer",
        columns={Category.INVOICES: ("invoice", "kind", "happened_on", "words")},
        clock=Clock.OWN,
        clock_of="invoice",
        on_erasure=OnErasure.KEPT,
    )

    class Meta:
        verbose_name = _("preskriptionsavbrott")
        verbose_name_plural = pgettext_lazy("several", "preskriptionsavbrott")
        triggers = [
            pgtrigger.Protect(name="interruption_as_written", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="interruption_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                func=STAYS_WITH_ITS_INVOICE,
            ),
            not_emptied("interruption"),
        ]

    def __str__(self) -> str:
        return f"{self.pk}"
