"""The people of the tests, made through the public actions."""

from datetime import date, datetime, time
from typing import Any

from django.utils import timezone

from consent import records
from consent.actions import serve_notice
from consent.models import Event
from consent.soft_opt_in import Sale, record_soft_opt_in
from customers.dates import STOCKHOLM, stockholm_date
from customers.models import (
    Address,
    Customer,
    FiscalYear,
    Invoice,
    InvoiceSeries,
    Order,
    Product,
    Subscription,
    User,
)
from customers.models.channels import Channel, Collected

# The words of a yes on Min sida, which are its evidence.
SHOWN = "Dentalclean AB får mejla erbjudanden till dig."


def noon(day: date) -> datetime:
    """Return noon in Stockholm on a day."""
    return datetime.combine(day, time(12), tzinfo=STOCKHOLM)


def product(code: str = "borsthuvud") -> Product:
    found, _ = Product.objects.get_or_create(
        code=code, defaults={"name": code.capitalize(), "similar_group": "munvard"}
    )
    return found


def person(given_name: str = "Anna", *, since: date = date(2020, 3, 1), **fields: Any) -> Customer:
    """Make a grown-up with account, address and first notice, told of advertising at the sale."""
    email = fields.pop("email", f"{given_name.lower()}@example.se")
    notice = fields.pop("notice", True)
    account = fields.pop("account", True)
    customer = Customer.objects.create(
        given_name=given_name,
        family_name=fields.pop("family_name", "Ek"),
        email=email,
        phone=fields.pop("phone", "+46701740635"),
        adult_confirmed_on=fields.pop("adult_confirmed_on", since),
        last_contact_on=fields.pop("last_contact_on", since),
        # The copies of NIX that tests/groundwork.py lays in were asked about everybody.
        nix_phone=fields.pop("nix_phone", False),
        nix_post=fields.pop("nix_post", False),
        created_at=noon(since),
        user=User.objects.create_user(email) if account and email else None,
        **fields,
    )
    Address.objects.create(
        customer=customer, street="Björkgatan 4", postcode="58222", city="Linköping", given_on=since
    )
    records.refresh([customer.pk])
    if notice:
        # Whoever comes today has been told by now, also before noon.
        at = min(noon(since), timezone.now())
        serve_notice(customer, collected=Collected.WEB, at=at)
        if email or customer.phone:
            told_at_a_sale(customer, at=at)
    return customer


def told_at_a_sale(customer: Customer, *, at: datetime | None = None) -> Event:
    """Let somebody buy, give the addresses we have, and be offered to have no advertising."""
    given = [way for way, address in ways(customer) if address]
    day = stockholm_date(at or timezone.now())
    sale = Sale(f"W{customer.pk}-{day}", day, "Borsthuvud (munvard)", tuple(given), True)
    return record_soft_opt_in(customer, sale, collected=Collected.WEB, at=at)


def ways(customer: Customer) -> list[tuple[Channel, str]]:
    """Return the ways that advertising after a sale may take, each with its address."""
    return [(Channel.EMAIL, customer.email), (Channel.SMS, customer.phone)]


def subscription(
    customer: Customer, started_on: date, ended_on: date | None = None
) -> Subscription:
    found = Subscription.objects.create(
        customer=customer,
        product=product(),
        started_on=started_on,
        ended_on=ended_on,
        collected=Collected.WEB,
    )
    records.refresh([customer.pk])
    return found


def order(customer: Customer, ordered_on: date, delivered_on: date | None = None) -> Order:
    found = Order.objects.create(
        number=f"O{Order.objects.count() + 1:06d}",
        customer=customer,
        product=product(),
        ordered_on=ordered_on,
        delivered_on=delivered_on,
        collected=Collected.WEB,
    )
    records.refresh([customer.pk])
    return found


def invoice(customer: Customer, issued_on: date, *, paid: bool = True, **fields: Any) -> Invoice:
    year, _ = FiscalYear.objects.get_or_create(
        starts_on=date(issued_on.year, 1, 1), ends_on=date(issued_on.year, 12, 31)
    )
    series, _ = InvoiceSeries.objects.get_or_create(pk=1)
    series.last_number += 1
    series.save()
    found = Invoice.objects.create(
        number=series.last_number,
        customer=customer,
        fiscal_year=year,
        issued_on=issued_on,
        due_on=fields.pop("due_on", issued_on),
        paid_on=issued_on if paid else None,
        buyer_number=customer.number,
        buyer_name=customer.name,
        buyer_address="Björkgatan 4, 582 22 Linköping",
        lines=[{"text": "Borsthuvud", "quantity": 1, "ore": 9900}],
        total_ore=9900,
        vat_ore=1980,
    )
    records.refresh([customer.pk])
    return found
