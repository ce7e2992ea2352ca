"""Holds by decision: who may keep a person's data past its time says why and until when.

A decision is read anew at least every six months. One that nobody has read still holds, and its
owner and the data protection officer are told until somebody has; after ten years it holds no more
whatever they say (RUL-35).
"""

import logging
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from customers.dates import add_months, today
from customers.models import Customer, User
from customers.personal_data import EVERYTHING
from disclosures.actions import queue_mail
from retention.models import Hold, HoldReview

log = logging.getLogger(__name__)

REVIEWED_EVERY = 6  # months
REMINDED_BEFORE, REMINDED_EVERY = timedelta(days=14), timedelta(days=7)


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
    _demand_review(review_on)
    if not 0 < categories <= EVERYTHING:
        raise HoldError("A hold keeps something; name the categories, or leave them out for all.")
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    return Hold.objects.create(
        customer=customer,
        ground=ground,
        reason=reason,
        owner=owner,
        review_on=review_on,
        categories=categories,
    )


def _demand_review(day: date) -> None:
    if day <= today():
        raise HoldError("A hold is reviewed on a later day; give a day after today.")
    if day > add_months(today(), REVIEWED_EVERY):
        raise HoldError("A hold is reviewed within six months; give an earlier day.")


@transaction.atomic
def review_hold(hold: Hold, *, reason: str, by: User, review_on: date) -> HoldReview:
    """Let a hold go on until its next review, for a reason; whoever decides it owns it from then.

    Raises HoldError for one that is over, or that belongs to other work.
    """
    if not reason.strip():
        raise HoldError("A hold goes on for a reason; write it in a sentence.")
    _demand_review(review_on)
    hold = Hold.objects.select_for_update().get(pk=hold.pk)
    if hold.reference:
        raise HoldError(f"This hold belongs to {hold.reference}; close that work instead.")
    if hold.lifted_at is not None or hold.lapses_on < today():
        raise HoldError("This hold is over; place a new one if it is needed.")
    hold.review_on, hold.owner, hold.reminded_on = review_on, by, None
    hold.save(update_fields=["review_on", "owner", "reminded_on"])
    return HoldReview.objects.create(hold=hold, by=by, reason=reason, review_on=review_on)


def lift_lapsed(on: date) -> int:
    """Close the holds that are ten years old; they keep nothing any more (RUL-35)."""
    over = Hold.objects.filter(lifted_at__isnull=True, lapses_on__lt=on)
    count = over.update(lifted_at=timezone.now())
    if count:
        log.warning("%s holds have reached ten years and are lifted", count)
    return count


@transaction.atomic
def remind_owners(on: date) -> int:
    """Mail whoever owns holds that are to be reviewed, once a week; return how many were told."""
    due = Hold.objects.to_review(on + REMINDED_BEFORE).filter(
        Q(reminded_on__isnull=True) | Q(reminded_on__lte=on - REMINDED_EVERY), reference=""
    )
    late = Hold.objects.to_review(on - timedelta(days=1)).count()
    if late:
        log.error("%s holds should have been reviewed and still hold (RUL-35)", late)
    owned: dict[User, list[Hold]] = {}
    for hold in due.select_for_update(of=("self",)).select_related("owner"):
        if hold.owner is not None and hold.owner.is_active:
            owned.setdefault(hold.owner, []).append(hold)
    for owner, holds in owned.items():
        context = {"count": len(holds), "first": holds[0].review_on}
        queue_mail(owner.email, "hold_review", context, language="sv")
    told = [hold.pk for holds in owned.values() for hold in holds]
    Hold.objects.filter(pk__in=told).update(reminded_on=on)
    return len(owned)


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
