"""Who is told of an act as it happens: a room above puts itself here at start (NOT-01).

Corrections, restrictions and refusals are decided in this room, and whoever has got the data from
us is known in a later one. Both are called in the transaction of the act, so that neither stands
without the other.
"""

from collections.abc import Callable, Sequence

from consent.models import Event
from consent.standing import REFUSALS
from customers.models import Change, Customer

TOLD = {Event.Kind.RESTRICTED, Event.Kind.UNRESTRICTED, *REFUSALS}


class NobodyToTellError(RuntimeError):
    """An act concerns the recipients of the data, and nobody has said who they are."""


class Onward:
    """What is called with a person and what was done."""

    entry: Callable[[Customer, Event], None] | None = None
    changes: Callable[[Customer, Sequence[Change]], None] | None = None


def tell_of_entry(customer: Customer, entry: Event) -> None:
    """Tell of an entry of the ledger; raises NobodyToTellError."""
    if Onward.entry is None:
        raise NobodyToTellError("Add the app `disclosures` to INSTALLED_APPS: it knows them.")
    Onward.entry(customer, entry)


def tell_of_changes(customer: Customer, changes: Sequence[Change]) -> None:
    """Tell of details that were corrected; raises NobodyToTellError."""
    if Onward.changes is None:
        raise NobodyToTellError("Add the app `disclosures` to INSTALLED_APPS: it knows them.")
    Onward.changes(customer, changes)
