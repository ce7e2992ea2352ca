"""What staff do not see: people and rows that are only kept, for whoever has no right to them.

Those who decide about holds see what is held; finance sees the archive of the bookkeeping, and
whoever owes us money (ERA-04, RUL-36).
"""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from customers.dates import today
from customers.models import Customer, Invoice
from customers.personal_data import Clock, PersonalData, declaration

SEES_LOCKED = "customers.view_locked"
SEES_ARCHIVE = "customers.view_archive"


def hidden_people(user: Any) -> QuerySet[Customer]:
    """Return the people whom somebody of staff must not see."""
    if user.has_perm(SEES_LOCKED):
        return Customer.objects.none()
    hidden = Customer.objects.locked()
    if user.has_perm(SEES_ARCHIVE):
        return hidden.exclude(pk__in=Customer.objects.indebted().values("pk"))
    return hidden


def is_hidden(user: Any, person: Customer) -> bool:
    """Say whether a person must not be seen by somebody of staff."""
    return hidden_people(user).filter(pk=person.pk).exists()


def is_archived(person: Customer) -> bool:
    """Say whether a person's invoices are the archive's, for finance alone (RUL-36)."""
    return Customer.objects.locked().filter(pk=person.pk).exists()


def hides_national_id(user: Any, person: Customer) -> bool:
    """Say whether only a hold keeps the number, and who asks has no right to that (RUL-16)."""
    if user.has_perm(SEES_LOCKED):
        return False
    return Customer.objects.number_locked().filter(pk=person.pk).exists()


def shown_rows(user: Any, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out rows of hidden people and, of others, what is past its own last day and held."""
    model = rows.model
    sees_all = user.has_perm(SEES_ARCHIVE if model is Invoice else SEES_LOCKED)
    data = declaration(model)
    if sees_all or not isinstance(data, PersonalData):
        return rows
    if data.clock is not Clock.SCHEDULE:
        column = f"{data.clock_of}__retain_until" if data.clock_of else "retain_until"
        rows = rows.filter(Q(**{f"{column}__gte": today()}) | Q(**{f"{column}__isnull": True}))
    if not _leads_to_the_person(model, data):
        return rows
    if model is Invoice:
        # What no longer leads to anybody is the archive's too (RUL-36).
        rows = rows.filter(customer__isnull=False)
    hidden = Customer.objects.locked() if model is Invoice else hidden_people(user)
    return rows.filter(~Exists(hidden.filter(pk=OuterRef(data.path or "pk"))))


def _leads_to_the_person(model: Any, data: PersonalData) -> bool:
    """Say whether a list of the rows joins to people; ledger and receipts never do."""
    if data.link:
        return False
    field = model._meta.get_field(data.path.split("__")[0]) if data.path else None
    return field is None or getattr(field, "db_constraint", True)
