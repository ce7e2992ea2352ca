"""Reads bound to a purpose: people come through the gate or not at all (LAW-01, idea 4)."""

from datetime import date

from consent.purposes import Use
from consent.rules import gate
from customers.models.people import CustomerQuerySet


def processable(
    people: CustomerQuerySet, purpose: str, channel: str, third_party: str, on: date
) -> CustomerQuerySet:
    """Keep those of some people whose data may be used so on a day; `Customer.objects` calls it.

    The gate is a query of its own inside, so that the outer one stays a plain one: filtered before
    and after, narrowed by a second purpose, counted, streamed, joined from.
    """
    use = Use(purpose, channel, third_party)
    allowed = gate(use).processable(use, on).order_by()
    return people.filter(pk__in=allowed.values("pk"))
