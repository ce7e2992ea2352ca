"""The recipients of the tests: invented, and right unless a test says otherwise."""

from datetime import date, datetime
from typing import Any

from consent.actions import say_yes
from consent.purposes import Use
from customers.models import Customer
from customers.models.channels import Channel
from customers.personal_data import Category
from disclosures.handing import disclose
from disclosures.models import Agreement, Recipient
from disclosures.models.recipients import ARTICLE_28
from tests import cast

LONG_AGO = date(2020, 1, 1)
MASTER = Category.IDENTITY | Category.CONTACT | Category.ADDRESS


def recipient(name: str = "Pappersbruket", kind: str = "processor", **fields: Any) -> Recipient:
    """Make a recipient, a processor that prints letters unless told otherwise."""
    is_partner = kind == "partner"
    return Recipient.objects.create(
        kind=kind,
        name=name,
        legal_name=fields.pop("legal_name", f"{name} AB"),
        task=fields.pop("task", "trycker och skickar brev åt oss"),
        email=fields.pop("email", f"dataskydd@{name.lower()}.example"),
        purposes=fields.pop("purposes", ["P"] if is_partner else ["A", "A2", "B", "L"]),
        categories=fields.pop("categories", int(MASTER)),
        active_from=fields.pop("active_from", LONG_AGO),
        **fields,
    )


def agreement(of: Recipient, **fields: Any) -> Agreement:
    """Sign an agreement with every point of Article 28(3)."""
    points = {point: fields.pop(point, True) for point in ARTICLE_28}
    return Agreement.objects.create(
        recipient=of,
        reference=fields.pop("reference", "2020-1"),
        valid_from=fields.pop("valid_from", LONG_AGO),
        **points,
        **fields,
    )


def signed(name: str = "Pappersbruket", kind: str = "processor", **fields: Any) -> Recipient:
    """Make a recipient with an agreement."""
    made = recipient(name, kind, **fields)
    agreement(made)
    return made


def customer(name: str = "Anna", **fields: Any) -> Customer:
    """Make somebody who subscribes."""
    person = cast.person(name, **fields)
    cast.subscription(person, person.last_contact_on)
    return person


def partner_yes(person: Customer, partner: Recipient, channel: str = Channel.EMAIL) -> None:
    """Let a person say yes to one partner by one way."""
    say_yes(person, Use("P", channel, partner.name), evidence=cast.SHOWN)


def printed(person: Customer, printer: Recipient, at: datetime | None = None) -> None:
    """Hand a person to the printer."""
    outcome = disclose([person], printer, "A", at=at)
    assert outcome.handed, outcome.left_out
