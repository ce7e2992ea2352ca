"""Facts that start or end a purpose: who came, what was bought, billed and asked.

Each act locks the person, changes the fact and brings the processing records along, in one
transaction, so that no purpose outlives the fact it rests on.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypedDict

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from consent import records
from consent.actions import NO_TO_ALL, TOLD_IN_SHORT
from consent.models import Event
from consent.onward import tell_of_changes
from customers import contact_points
from customers.actions import change_details, mark_returned, set_national_id
from customers.dates import add_years, stockholm_date, today
from customers.debts import open_debts, reckon_interruptions
from customers.models import (
    Address,
    Change,
    Customer,
    DebtInterruption,
    FiscalYear,
    Invoice,
    InvoiceSeries,
    Order,
    Product,
    Subscription,
    SupportCase,
    Suppression,
    User,
)
from customers.models.channels import Collected, Source


class FactError(ValueError):
    """The fact cannot be; the message says what to do."""


class AddressLine(TypedDict):
    street: str
    postcode: str
    city: str


class InvoiceLine(TypedDict):
    """A line of an invoice; `ore` is the amount with VAT."""

    text: str
    quantity: int
    ore: int


ERASED = "The person's details have been erased; register them anew."


def _lock(customer: Customer) -> Customer:
    """Make the purge wait or pass by: whoever changes a fact has the person's row first.

    Raises FactError when a night has just taken all of the person.
    """
    locked = Customer.objects.select_for_update().filter(pk=customer.pk).first()
    if locked is None:
        raise FactError(ERASED)
    return locked


def _lock_known(customer: Customer) -> None:
    """Lock the person; nobody comes back into a row that a night has just emptied (F10)."""
    if not _lock(customer).name:
        raise FactError(ERASED)


def _not_to_come(day: date, what: str) -> None:
    if day > today():
        raise FactError(f"{what} cannot lie in the future; give a day up to and including today.")


def _not_before(order: Order, day: date) -> None:
    if day < order.ordered_on:
        raise FactError(f"The order was placed on {order.ordered_on}; give that day or a later.")


@transaction.atomic
def register_customer(
    *,
    given_name: str,
    family_name: str,
    email: str = "",
    phone: str = "",
    address: AddressLine | None = None,
    collected: str = Collected.WEB,
    source: str = Source.PERSON,
    on: date | None = None,
    with_account: bool = True,
    **fields: Any,
) -> Customer:
    """Register a person the first time they are in contact, as a prospect until they buy."""
    day = on or today()
    _not_to_come(day, "The day of contact")
    email = email.strip().casefold()
    taken = bool(email) and User.objects.filter(email=email).exists()
    user = User.objects.create_user(email) if with_account and email and not taken else None
    customer = Customer(
        given_name=given_name,
        family_name=family_name,
        email=email,
        phone=phone,
        user=user,
        collected=collected,
        source=source,
        last_contact_on=day,
        **fields,
    )
    homes = [
        Address(source=source, collected=collected, given_on=day, **line)
        for line in ([address] if address is not None else [])
    ]
    # A way that carries a no brings it along, whoever writes it down anew (OBJ-06, F16).
    contact_points.mark_suppressed(customer, homes)
    customer.save(force_insert=True)
    for home in homes:
        home.customer = customer
        home.save(force_insert=True)
    records.refresh([customer.pk])
    return customer


@transaction.atomic
def correct_details(customer: Customer, values: dict[str, str], **whose: Any) -> list[Change]:
    """Change a person's details by `customers.actions.change_details`, and what follows from it.

    A new address can begin anew what ended when nothing reached the person (RET-05). A new way to
    somebody who has said no to all advertising carries that no from now on, in any row (OBJ-06).
    """
    changes = change_details(customer, values, **whose)
    said_no = _last_no_to_all(customer) if changes else None
    if said_no is not None:
        contact_points.suppress({customer.pk: stockholm_date(said_no)})
    records.refresh([customer.pk])
    if changes:
        tell_of_changes(customer, changes)
    return changes


def _last_no_to_all(customer: Customer) -> datetime | None:
    """Return when the person last said no to all advertising by every way."""
    found = Event.objects.filter(
        customer=customer, kind__in=NO_TO_ALL, purpose="", channel="", third_party=""
    )
    last: datetime | None = found.aggregate(last=Max("at"))["last"]
    return last


@transaction.atomic
def mail_returned(customer: Customer, kind: str, on: date, *, value: str = "") -> bool:
    """Record that what we sent by a way came back; whom nothing reaches any more is let go.

    See `customers.actions.mark_returned` (RUL-28, RET-05). First information that was among it has
    not been given (INF-02).
    """
    marked = mark_returned(customer, kind, on, value=value)
    if marked:
        records.refresh([customer.pk])
    _not_told_by(customer, kind, on)
    return marked


# What has not come back in that time has arrived; a return after it is about something else.
COMES_BACK_WITHIN = timedelta(days=60)
WRITTEN_BY: dict[str, str] = {
    Suppression.Kind.EMAIL: Collected.EMAIL,
    Suppression.Kind.ADDRESS: Collected.POST,
}


def _not_told_by(customer: Customer, kind: str, on: date) -> None:
    """Take the first information as given by the notices that are left, if any came back (INF-02).

    Also when the address has been replaced since: it was to the old one that we told. What was
    written before the day that counts came back earlier, or that day would not count.
    """
    locked = _lock(customer)
    if locked.noticed_on is None or kind not in WRITTEN_BY:
        return
    home = locked.addresses.filter(kind=Address.Kind.HOME).first()
    returns = [
        (Collected.EMAIL, locked.email_returned_on),
        (Collected.POST, home.returned_on if home else None),
        (WRITTEN_BY[kind], on),
    ]
    notices = Event.objects.filter(customer=customer, kind=Event.Kind.NOTICE_SERVED)
    given: list[date] = []
    came_back = False
    for notice in notices.exclude(collected__in=TOLD_IN_SHORT):
        day = stockholm_date(notice.at)
        if any(
            notice.collected == way and back and back - COMES_BACK_WITHIN <= day <= back
            for way, back in returns
        ):
            came_back = True
        elif day >= locked.noticed_on or notice.collected not in WRITTEN_BY.values():
            given.append(day)
    if came_back:
        customer.noticed_on = min(given, default=None)
        customer.save(update_fields=["noticed_on"])


@transaction.atomic
def subscribe(
    customer: Customer, product: Product, started_on: date, *, collected: str = Collected.WEB
) -> Subscription:
    """Start a subscription; by starting it the person confirms being of age (RUL-03)."""
    _lock_known(customer)
    subscription = Subscription.objects.create(
        customer=customer, product=product, started_on=started_on, collected=collected
    )
    if customer.adult_confirmed_on is None:
        customer.adult_confirmed_on = min(started_on, today())
        customer.save(update_fields=["adult_confirmed_on"])
    records.refresh([customer.pk])
    return subscription


@transaction.atomic
def end_subscription(subscription: Subscription, on: date) -> Subscription:
    """End a subscription; `on` is its last day, inclusive (RUL-13)."""
    _lock(subscription.customer)
    if on < subscription.started_on:
        raise FactError("A subscription cannot end before it starts; give a later day.")
    subscription.ended_on = on
    subscription.save(update_fields=["ended_on"])
    records.refresh([subscription.customer_id])
    return subscription


@transaction.atomic
def place_order(
    customer: Customer,
    product: Product,
    number: str,
    ordered_on: date,
    *,
    quantity: int = 1,
    collected: str = Collected.WEB,
) -> Order:
    """Take an order; the person is in relation until it is delivered or cancelled (RUL-12)."""
    _lock_known(customer)
    _not_to_come(ordered_on, "The day of an order")
    order = Order.objects.create(
        number=number,
        customer=customer,
        product=product,
        quantity=quantity,
        ordered_on=ordered_on,
        collected=collected,
    )
    records.refresh([customer.pk])
    return order


@transaction.atomic
def deliver(order: Order, on: date) -> Order:
    """Record that an order has reached the person; complaints run from here (CLM-02)."""
    _lock(order.customer)
    _not_to_come(on, "The day of a delivery")
    _not_before(order, on)
    if order.cancelled_on is not None:
        raise FactError("A cancelled order is not delivered; take a new order instead.")
    order.delivered_on = on
    order.save(update_fields=["delivered_on"])
    records.refresh([order.customer_id])
    return order


@transaction.atomic
def cancel(order: Order, on: date) -> Order:
    """Cancel an order before delivery; it starts no window (RUL-12)."""
    _lock(order.customer)
    if order.delivered_on is not None:
        raise FactError("A delivered order cannot be cancelled; record a withdrawal instead.")
    _not_to_come(on, "The day of a cancellation")
    _not_before(order, on)
    order.cancelled_on = on
    order.save(update_fields=["cancelled_on"])
    records.refresh([order.customer_id])
    return order


@transaction.atomic
def issue_invoice(
    customer: Customer,
    issued_on: date,
    lines: Sequence[InvoiceLine],
    *,
    due_on: date | None = None,
    vat_ore: int = 0,
    kind: str = Invoice.Kind.INVOICE,
    refers_to: Invoice | None = None,
) -> Invoice:
    """Issue a verification with the next number, the buyer as known now (BFL-04).

    A verification that refers to another moves both to the later of their last days (BFL-03,
    RUL-19); what it refers to refers to nothing itself, so that nothing leaves before what refers
    to it. Raises FactError then, and when no fiscal year covers the day.
    """
    _lock(customer)
    if refers_to is not None:
        refers_to.refresh_from_db(fields=["linked_year", "customer"])
        if refers_to.refers_to_id is not None or refers_to.customer_id != customer.pk:
            raise FactError("Refer to an invoice of this person that refers to none itself.")
    year = FiscalYear.objects.filter(starts_on__lte=issued_on, ends_on__gte=issued_on).first()
    if year is None:
        raise FactError(f"No fiscal year covers {issued_on}; enter it under fiscal years first.")
    series, _ = InvoiceSeries.objects.select_for_update().get_or_create(pk=1)
    series.last_number += 1
    series.save(update_fields=["last_number"])
    address = customer.addresses.filter(kind=Address.Kind.HOME).first()
    invoice = Invoice.objects.create(
        number=series.last_number,
        kind=kind,
        customer=customer,
        fiscal_year=year,
        linked_year_id=refers_to.fiscal_year_id if refers_to else None,
        refers_to=refers_to,
        issued_on=issued_on,
        due_on=due_on,
        buyer_number=customer.number,
        buyer_name=customer.name,
        buyer_address=address.line if address else "",
        lines=list(lines),
        total_ore=sum(line["ore"] for line in lines),
        vat_ore=vat_ore,
    )
    if refers_to is not None and year.ends_on > (refers_to.linked_year_id or date.min):
        refers_to.linked_year = year
        refers_to.save(update_fields=["linked_year"])
    if refers_to is not None:
        reckon_interruptions([refers_to.pk])
        refers_to.refresh_from_db(fields=["interrupted_on", "paid_on", "retain_until"])
    records.refresh([customer.pk])
    return invoice


@transaction.atomic
def interrupt_debt(invoice: Invoice, kind: str, on: date, words: str) -> DebtInterruption:
    """Record what starts the limitation of a debt anew: three years from that day (CLM-01).

    `kind` is one of DebtInterruption.Kind, `words` say what shows it. A payment in part needs
    nothing but itself. Raises FactError for a debt that is paid, or time-barred before the day.
    """
    customer = invoice.customer
    if customer is None:
        raise FactError("The invoice belongs to nobody any more.")
    _lock(customer)
    invoice.refresh_from_db()
    _not_to_come(on, "The day of an interruption")
    if on < invoice.issued_on:
        raise FactError(f"The invoice was issued on {invoice.issued_on}; give that day or a later.")
    if not open_debts(customer).filter(pk=invoice.pk).exists():
        raise FactError("Nothing is owed of it; give an invoice that is not settled.")
    if on > add_years(invoice.runs_from, 3):
        raise FactError("The debt was time-barred before that day; nothing starts it anew.")
    found = DebtInterruption.objects.create(invoice=invoice, kind=kind, happened_on=on, words=words)
    reckon_interruptions([invoice.pk])
    invoice.refresh_from_db(fields=["interrupted_on", "retain_until"])
    records.refresh([customer.pk])
    return found


@transaction.atomic
def settle(invoice: Invoice, on: date) -> Invoice:
    """Record that an invoice is paid; an open debt no longer holds the person (CLM-01)."""
    if invoice.customer is not None:
        _lock(invoice.customer)
    invoice.paid_on = on
    invoice.save(update_fields=["paid_on"])
    if invoice.customer_id is not None:
        records.refresh([invoice.customer_id])
    return invoice


@transaction.atomic
def use_national_id(customer: Customer, number: str) -> None:
    """Keep a national identity number for a credit decision, thirty days from now (RUL-16)."""
    _lock_known(customer)
    set_national_id(customer, number)
    records.refresh([customer.pk])


@transaction.atomic
def ask(
    customer: Customer, subject: str, body: str = "", *, collected: str = Collected.PORTAL
) -> SupportCase:
    """Register a question; open, it holds the person's details (RUL-01)."""
    _lock_known(customer)
    case = SupportCase.objects.create(
        customer=customer, subject=subject, body=body, collected=collected, opened_at=timezone.now()
    )
    customer.last_contact_on = max(customer.last_contact_on, today())
    customer.save(update_fields=["last_contact_on"])
    records.refresh([customer.pk])
    return case


@transaction.atomic
def close_question(case: SupportCase, answer: str, on: date | None = None) -> SupportCase:
    """Answer and close a question; its own twelve months start."""
    _lock(case.customer)
    case.answer = answer
    case.closed_on = on or today()
    case.save(update_fields=["answer", "closed_on"])
    records.refresh([case.customer_id])
    return case
