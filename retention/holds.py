"""Holds by decision: who may keep a person's data past its time says why and until when."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from customers.dates import today
from customers.models import Customer, User
from customers.personal_data import EVERYTHING
from retention.models import Hold


class HoldError(ValueError):
    """The hold cannot be placed or lifted; the message says what to do."""


@transaction.atomic
def place_hold(
    customer: Customer,
    *,
    ground: str,
    reason: str,
    owner: User,
    review_on: date,
    categories: int = EVERYTHING,
) -> Hold:
    """Keep a person's data until the hold is lifted (RUL-35); raises HoldError.

    The person's row is locked, so a night that is at work on it has ended before the hold is there.
    """
    if not reason.strip():
        raise HoldError("A hold needs a reason; write it in a sentence.")
    if review_on <= today():
        raise HoldError("A hold is reviewed on a later day; give a day after today.")
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    return Hold.objects.create(
        customer=customer,
        ground=ground,
        reason=reason,
        owner=owner,
        review_on=review_on,
        categories=categories,
    )


@transaction.atomic
def lift_hold(hold: Hold) -> Hold:
    """Lift a hold; the next night takes what it put off.

    Raises HoldError for a hold that belongs to other work and is lifted by it.
    """
    Customer.objects.select_for_update().only("pk").get(pk=hold.customer_id)
    hold.refresh_from_db()
    if hold.reference:
        raise HoldError(f"This hold belongs to {hold.reference}; close that work instead.")
    if hold.lifted_at is None:
        hold.lifted_at = timezone.now()
        hold.save(update_fields=["lifted_at"])
    return hold
