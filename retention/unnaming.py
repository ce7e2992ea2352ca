"""Whoever was erased on request: what must stay as proof no longer says of whom (RUL-02).

The row of the person stays as an empty shell, under the pseudonym that the receipts and the ledger
know, until the last proof has had its time. Its customer number is replaced by one that nobody has
seen, the free words in what stays go, what was not sent is stopped, and invoices are let go of:
finance finds them by their own number and nobody by the person (RUL-36).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from customers.models.people import new_number
from customers.personal_data import Category
from disclosures.models import Outbox
from retention import statements
from retention.models import Hold, HoldReview
from retention.rules import as_due

Row = tuple[int, int, int]


def nameless(rows: Sequence[Row], asked: set[int], leaving: Sequence[Row]) -> list[Row]:
    """Return those of a batch who asked to be erased, lost their name now and leave a shell."""
    gone = {row[0] for row in leaving}
    return [
        row
        for row in rows
        if row[0] in asked and row[0] not in gone and row[1] & Category.IDENTITY.value
    ]


def unname(on: date, rows: Sequence[Row]) -> None:
    """Take from what stays of these people whatever says who they were; after their names went."""
    if not rows:
        return
    ids = [row[0] for row in rows]
    Outbox.objects.filter(customer_id__in=ids, status=Outbox.Status.QUEUED).stop(timezone.now())
    params: dict[str, Any] = {
        "on": on,
        **as_due(rows),
        "numbers": [new_number() for _ in ids],
    }
    with connection.cursor() as cursor:
        for statement in statements.unnaming_sql():
            cursor.execute(statement, params)
    over = Hold.objects.filter(customer_id__in=ids, lifted_at__isnull=False)
    HoldReview.objects.filter(hold__in=over).delete()
    over.delete()
