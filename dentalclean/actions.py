"""What happens to a person's details that touches the sign-in too, and how a change is undone."""

from datetime import timedelta

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.facts import correct_details
from customers.models import Change, Customer, Session, User
from customers.models.channels import Collected, Source
from disclosures.actions import queue_mail

# How long after a change of one's own it is offered back.
UNDO_WITHIN = timedelta(hours=1)
# The columns of one change are written within the same moment.
ONE_MOMENT = timedelta(seconds=1)


class AddressTakenError(Exception):
    """The e-mail address cannot be used from here; why is told to nobody (A01, A21)."""


class NothingToUndoError(Exception):
    """There is no change of the person's own that is recent enough."""


@transaction.atomic
def change_own_details(
    customer: Customer, values: dict[str, str], *, expected_version: int | None = None
) -> list[Change]:
    """Change details by the person's own hand, which is a contact of theirs (RET-04).

    Raises StaleError.
    """
    return correct_details(customer, values, expected_version=expected_version)


@transaction.atomic
def change_email(
    customer: Customer,
    email: str,
    *,
    expected_version: int | None = None,
    session_key: str | None = None,
    revert_link: str = "",
) -> list[Change]:
    """Change the address of a person and of their sign-in, and tell both addresses (A18, K09).

    Other sessions end, and so do codes on their way to the old address, which is told how to take
    it back where that can be done by a link. Raises AddressTakenError and StaleError.
    """
    old, user = customer.email, customer.user
    if user is not None and belongs_to_another(email, user):
        raise AddressTakenError
    changes = change_own_details(customer, {"email": email}, expected_version=expected_version)
    if not changes or user is None:
        return changes
    try:
        with transaction.atomic():
            User.objects.filter(pk=user.pk).update(email=email)
    except IntegrityError as taken:
        raise AddressTakenError from taken
    user.email = email
    EmailAddress.objects.filter(user=user).delete()
    Session.objects.filter(user=user).exclude(session_key=session_key).delete()
    for to in dict.fromkeys(address for address in (old, email) if address):
        words = {"is_old": to == old, "revert_link": revert_link if to == old else ""}
        queue_mail(to, "email_changed", words, customer=customer)
    return changes


def belongs_to_another(email: str, user: User) -> bool:
    """Say whether an address signs somebody else in (A21)."""
    return (
        User.objects.filter(email=email).exclude(pk=user.pk).exists()
        or EmailAddress.objects.filter(email__iexact=email).exclude(user=user).exists()
    )


def last_change(customer: Customer, columns: tuple[str, ...]) -> list[Change]:
    """Return the person's own latest change of some columns, when it is recent enough to undo."""
    recent = Change.objects.filter(
        customer=customer,
        field__in=columns,
        source=Source.PERSON,
        collected=Collected.PORTAL,
        at__gt=timezone.now() - UNDO_WITHIN,
    )
    found = list(recent.order_by("-at"))
    return [change for change in found if found[0].at - change.at < ONE_MOMENT]


@transaction.atomic
def undo(customer: Customer, columns: tuple[str, ...]) -> list[Change]:
    """Put back what the person's own latest change replaced; raises NothingToUndoError.

    The sign-in address is taken back by the link that went to the old one (email_changes).
    """
    changes = last_change(customer, columns)
    if not changes or changes[0].field == "email":
        raise NothingToUndoError
    return change_own_details(customer, {change.field: change.old for change in changes})
