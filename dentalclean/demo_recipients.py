"""Invented recipients for a first look around, what they have got and what they were told."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from consent.actions import say_yes
from consent.facts import correct_details
from consent.purposes import Use
from customers.dates import add_years, today
from customers.models import Customer, User
from customers.models.channels import Channel, Collected
from customers.personal_data import Category
from disclosures.handing import disclose
from disclosures.models import Agreement, Disclosure, Recipient, RecipientNotice
from disclosures.models.recipients import ARTICLE_28
from disclosures.recipient_notices import acknowledge

REACHED = int(Category.IDENTITY | Category.ADDRESS)
RECIPIENTS = (
    ("processor", "Brevtryck", "tryckeri", ["A", "B", "K"], REACHED),
    (
        *("processor", "Paketbud", "pakettransport", ["A"]),
        REACHED | Category.CONTACT,
    ),
    (
        *("controller", "Fakturahuset", "fakturaservice"),
        ["A", "A2"],
        REACHED | Category.NATIONAL_ID,
    ),
    (
        *("partner", "Tandklubben", "kundklubb", ["P"]),
        int(Category.IDENTITY | Category.CONTACT),
    ),
)
PARTNER = Use("P", Channel.EMAIL, "Tandklubben")
YES = "Ja, Tandklubben får mitt namn och min e-post och får mejla mig om sin kundklubb."


@transaction.atomic
def lay_in() -> None:
    """Write the recipients and their agreements, each once."""
    for number, (kind, name, task, purposes, categories) in enumerate(RECIPIENTS, start=1):
        recipient, is_new = Recipient.objects.get_or_create(
            name=name,
            defaults={
                "kind": kind,
                "legal_name": f"{name} i Exempelstad AB",
                "task": task,
                "email": f"dataskydd{number}@example.com",
                "purposes": purposes,
                "categories": int(categories),
                "active_from": add_years(today(), -4),
            },
        )
        if is_new:
            Agreement.objects.create(
                recipient=recipient,
                reference=f"Avtal {number}",
                valid_from=add_years(today(), -4),
                valid_until=add_years(today(), 1),
                **dict.fromkeys(ARTICLE_28, True),
            )


@transaction.atomic
def hand_over(numbers: list[str], officer: User) -> None:
    """Hand some people over, let the first correct her name, and let one recipient answer."""
    people = list(Customer.objects.filter(number__in=numbers).order_by("number"))
    if not people or Disclosure.objects.filter(customer__in=people).exists():
        return
    named = {recipient.name: recipient for recipient in Recipient.objects.all()}
    last_week = timezone.now() - timedelta(days=9)
    for name in ("Paketbud", "Brevtryck"):
        disclose(people, named[name], "A", at=last_week)
    disclose(people[:1], named["Fakturahuset"], "A2")
    first = people[0]
    say_yes(first, PARTNER, evidence=YES, collected=Collected.SLIP)
    disclose([first], named["Tandklubben"], "P", channel=Channel.EMAIL)
    correct_details(first, {"street": "Björkgatan 4 B"})
    notice = RecipientNotice.objects.filter(recipient=named["Brevtryck"]).first()
    if notice is not None:
        acknowledge(notice.pk, "De svarade på mejlet samma dag.", actor=officer)
