"""What staff set right on a person's word, and what is kept of it: before, after, source (REC-01).

Contact details go by `consent.facts.correct_details`. An invoice is never written over: what was
wrong is credited, and written anew if there is something left to pay (REC-02).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, TypedDict

from django.db import transaction
from django.utils.translation import gettext as _

from consent import records
from consent.facts import FactError, InvoiceLine, issue_invoice
from consent.onward import tell_of_changes
from customers import rules, words
from customers.actions import StaleError, set_national_id
from customers.dates import add_years, today
from customers.models import Change, Customer, FiscalYear, Invoice, Order, Product, User
from customers.models.channels import Source

OLDEST = 120


class NotCorrectedError(Exception):
    """It cannot stand so; the message is a sentence for whoever wrote it."""


class Word(TypedDict):
    """On whose word and by which way, written down by whom."""

    collected: str
    actor: User


class OrderFacts(TypedDict):
    """What an order says of what was bought and when."""

    product: Product
    quantity: int
    ordered_on: date
    delivered_on: date | None


def _lock(customer: Customer) -> Customer:
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if not locked.name:
        raise StaleError(_("Uppgifterna har raderats, så det finns inget att ändra."))
    return locked


def _keep(customer: Customer, changes: Sequence[tuple[str, Any, Any]], word: Word) -> list[Change]:
    """Write what was and what is beside each other; of a protected person nothing (RUL-24)."""
    rows = [
        Change(
            customer=customer,
            field=name,
            old="" if old is None else str(old),
            new="" if new is None else str(new),
            source=Source.STAFF,
            **word,
        )
        for name, old, new in changes
    ]
    if not customer.protection:
        Change.objects.bulk_create(rows)
    tell_of_changes(customer, rows)
    records.refresh([customer.pk])
    return rows


@transaction.atomic
def correct_birth_date(
    customer: Customer, born: date, *, expected: date | None, word: Word
) -> list[Change]:
    """Set the day a person was born; raises StaleError when it is no longer `expected`."""
    locked = _lock(customer)
    if locked.birth_date != expected:
        raise StaleError(
            _("Uppgiften ändrades av någon annan medan du skrev. Titta och spara igen.")
        )
    if not add_years(today(), -OLDEST) < born <= today():
        raise NotCorrectedError(_("Skriv en födelsedag mellan i dag och 120 år tillbaka."))
    number = rules.national_id(locked)
    if number and rules.born(number) != born:
        raise NotCorrectedError(
            _("Personnumret säger en annan dag. Rätta personnumret om det är det som är fel.")
        )
    before = locked.birth_date
    if before == born:
        return []
    locked.birth_date = born
    locked.save(update_fields=["birth_date"])
    return _keep(locked, [("birth_date", before, born)], word)


@transaction.atomic
def correct_national_id(customer: Customer, number: str, *, word: Word) -> list[Change]:
    """Set the number of a person who has one here, in twelve digits, sealed and hashed (PNR-02).

    Correcting it is not using it: the day it was last used stands (RUL-16). The history keeps it
    masked. A birth date that the old number told follows.
    """
    locked = _lock(customer)
    before = rules.national_id(locked)
    if not before:
        raise NotCorrectedError(_("Vi har inget personnummer här, så det finns inget att rätta."))
    if before == number:
        return []
    changes = [("national_id_sealed", rules.masked_national_id(locked))]
    told_by_number = locked.birth_date == rules.born(before)
    born_before = locked.birth_date
    if told_by_number:
        locked.birth_date = rules.born(number)
    set_national_id(locked, number, used_on=locked.national_id_used_on)
    kept = [(name, old, rules.masked_national_id(locked)) for name, old in changes]
    if born_before != locked.birth_date:
        kept.append(("birth_date", str(born_before or ""), str(locked.birth_date or "")))
    return _keep(locked, kept, word)


@transaction.atomic
def correct_order(order: Order, facts: OrderFacts, *, word: Word) -> list[Change]:
    """Set what was ordered and when it came; raises NotCorrectedError for days that cannot be."""
    locked = _lock(order.customer)
    order = Order.objects.select_for_update(of=("self",)).select_related("product").get(pk=order.pk)
    ordered, delivered = facts["ordered_on"], facts["delivered_on"]
    if ordered > today() or (delivered is not None and delivered > today()):
        raise NotCorrectedError(_("Dagen har inte varit än. Skriv i dag eller en tidigare dag."))
    if delivered is not None and delivered < ordered:
        raise NotCorrectedError(_("En leverans kommer inte före beställningen. Se över dagarna."))
    if delivered is not None and order.cancelled_on is not None:
        raise NotCorrectedError(_("Beställningen är avbeställd, så den har inte levererats."))
    if order.withdrawn_on is not None and order.withdrawn_on < ordered:
        raise NotCorrectedError(_("Beställningen ångrades före den dagen. Se över dagarna."))
    if facts["quantity"] < 1:
        raise NotCorrectedError(_("Skriv hur många som beställdes, minst en."))
    changes = [
        (name, f"{order.number}: {_shown(getattr(order, name))}", f"{order.number}: {_shown(new)}")
        for name, new in facts.items()
        if getattr(order, name) != new
    ]
    if not changes:
        return []
    for name, new in facts.items():
        setattr(order, name, new)
    order.save(update_fields=list(facts))
    return _keep(locked, changes, word)


def _shown(value: object) -> str:
    return "–" if value is None else str(value)


@transaction.atomic
def credit(
    invoice: Invoice, lines: Sequence[InvoiceLine], vat_ore: int, *, word: Word
) -> tuple[Invoice, Invoice | None]:
    """Credit an invoice whole and, with lines, issue a right one to the buyer as known now.

    Raises NotCorrectedError for what is no invoice of somebody here, or credited before (REC-02).
    """
    if invoice.customer is None:
        raise NotCorrectedError(_("Fakturan hör inte till någon längre och kan inte krediteras."))
    locked = _lock(invoice.customer)
    invoice = Invoice.objects.select_for_update(of=("self",)).get(pk=invoice.pk)
    if invoice.kind != Invoice.Kind.INVOICE:
        raise NotCorrectedError(_("Bara en faktura kan krediteras, inte en kreditfaktura."))
    if invoice.referred_by.filter(kind=Invoice.Kind.CREDIT_NOTE).exists():
        raise NotCorrectedError(_("Fakturan är redan krediterad."))
    if not FiscalYear.objects.filter(starts_on__lte=today(), ends_on__gte=today()).exists():
        raise NotCorrectedError(_("I dag hör till inget räkenskapsår. Lägg till det först."))
    if not 0 <= vat_ore <= sum(line["ore"] for line in lines):
        raise NotCorrectedError(_("Momsen kan inte vara högre än beloppet. Se över raderna."))
    minus: list[InvoiceLine] = [
        {"text": line["text"], "quantity": line["quantity"], "ore": -line["ore"]}
        for line in invoice.lines
    ]
    try:
        note = issue_invoice(
            locked,
            today(),
            minus,
            vat_ore=-invoice.vat_ore,
            kind=Invoice.Kind.CREDIT_NOTE,
            refers_to=invoice,
        )
        right = issue_invoice(locked, today(), lines, vat_ore=vat_ore) if lines else None
    except FactError as refused:
        raise NotCorrectedError(_("Fakturan kan inte krediteras så. Se över den.")) from refused
    after = [note, *([right] if right is not None else [])]
    told = "; ".join(f"{one.number}: {words.amount(one.total_ore)}" for one in after)
    _keep(locked, [("invoice", f"{invoice.number}: {words.amount(invoice.total_ore)}", told)], word)
    return note, right
