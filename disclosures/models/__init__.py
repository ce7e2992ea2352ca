"""To whom: what leaves us, as rows written in the transaction that decided it."""

from disclosures.models.disclosures import Disclosure, RecipientNotice
from disclosures.models.outbox import KEEP_DEAD, NO_WORDS, Outbox
from disclosures.models.recipients import Adequacy, Agreement, Recipient, SubProcessor

__all__ = [
    "KEEP_DEAD",
    "NO_WORDS",
    "Adequacy",
    "Agreement",
    "Disclosure",
    "Outbox",
    "Recipient",
    "RecipientNotice",
    "SubProcessor",
]
