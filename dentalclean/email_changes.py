"""A change of e-mail on Min sida: asked for, confirmed at the new address, taken back (A18, K09).

Whoever can change the address can sign in as the person from then on. So it takes proof of who one
is, a code that reaches the new address, and a week in which the old address can take it back.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from customers.models import Customer, Session
from dentalclean.actions import AddressTakenError, belongs_to_another, change_email
from disclosures.actions import queue_mail
from privacy_requests.identity import Proof
from privacy_requests.models import EmailChange
from privacy_requests.models.proofs import REVERT_WITHIN
from privacy_requests.proof_codes import Verdict

SALT = "dentalclean.email_changes"
CODE, TAKEN = "email_code", "email_taken"
CODE_WORKS = timedelta(minutes=30)
MOST_TRIES = 5
# Two clicks are one wish (B06).
ONE_WISH = timedelta(minutes=1)


class NoSuchChangeError(Exception):
    """The link is not one of ours, or what it speaks of is gone."""


class TooLateError(Exception):
    """The week in which the change could be taken back is over."""


class AlreadyRevertedError(Exception):
    """The change has been taken back before."""


@transaction.atomic
def ask_change(customer: Customer, email: str, proof: Proof) -> EmailChange:
    """Mail a code to a new address and wait for it; nothing is changed yet.

    An address that is somebody else's gets a word to its owner and no code, and whoever asked is
    told the same as ever (A01, A21).
    """
    locked = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    now = timezone.now()
    waiting = EmailChange.objects.pending().filter(customer=locked).first()
    if waiting is not None:
        if waiting.new == email and now - waiting.asked_at < ONE_WISH and not waiting.tries:
            return waiting
        waiting.ended_at = now
        waiting.save(update_fields=["ended_at"])
    code = f"{secrets.randbelow(10**6):06d}"
    is_free = locked.user is None or not belongs_to_another(email, locked.user)
    change = EmailChange.objects.create(
        customer=locked,
        old=locked.email,
        new=email,
        # Also of a code that nobody gets: the time it takes would tell (A01).
        digest=make_password(code),
        proved_by=proof.method,
        asked_at=now,
        valid_until=now + CODE_WORKS,
    )
    words = {"code": code, "minutes": int(CODE_WORKS.total_seconds() // 60)}
    if is_free:
        queue_mail(email, CODE, words, customer=locked)
    else:
        owner = Customer.objects.filter(user__email=email).first()
        queue_mail(email, TAKEN, {}, customer=owner)
    return change


@transaction.atomic
def confirm(change_id: int, customer: Customer, code: str, session_key: str | None) -> Verdict:
    """Change the address when the code is right, and count the try when it is not.

    Every other session ends, and the old address is told with a link that takes it back. Tries
    wait for each other. Raises AddressTakenError when somebody else took the address meanwhile.
    """
    locked = Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    now = timezone.now()
    change = EmailChange.objects.pending().filter(pk=change_id, customer=locked).first()
    if change is None or change.valid_until < now or change.old != locked.email:
        return Verdict.SPENT
    if not check_password(code, change.digest):
        change.tries += 1
        change.ended_at = now if change.tries >= MOST_TRIES else None
        change.save(update_fields=["tries", "ended_at"])
        return Verdict.WRONG if change.ended_at is None else Verdict.SPENT
    change.changed_at = now
    change.save(update_fields=["changed_at"])
    change_email(customer, change.new, session_key=session_key, revert_link=link(change))
    return Verdict.RIGHT


def link(change: EmailChange) -> str:
    """Return the address at which the owner of the old address takes a change back."""
    token = signing.dumps(change.pk, salt=SALT)
    return settings.SITE_URL + reverse("revert_email", args=[token])


def find(token: str) -> EmailChange:
    """Return the change that a link speaks of; raises NoSuchChangeError, TooLateError."""
    try:
        # A day more than the week, which the row itself tells.
        pk = signing.loads(token, salt=SALT, max_age=REVERT_WITHIN + timedelta(days=1))
    except signing.SignatureExpired as late:
        raise TooLateError from late
    except signing.BadSignature as forged:
        raise NoSuchChangeError from forged
    made = EmailChange.objects.exclude(changed_at=None).select_related("customer__user")
    change = made.filter(pk=pk).exclude(customer__given_name="", customer__family_name="").first()
    if change is None or change.changed_at is None:
        raise NoSuchChangeError
    if timezone.now() > change.changed_at + REVERT_WITHIN:
        raise TooLateError
    return change


@transaction.atomic
def revert(change: EmailChange) -> None:
    """Put the old address back, take later changes back with it, and end every session.

    The wait on extract and erasure begins anew. Raises AlreadyRevertedError and AddressTakenError.
    """
    customer = Customer.objects.select_for_update(no_key=True).get(pk=change.customer_id)
    change.refresh_from_db()
    if change.reverted_at is not None:
        raise AlreadyRevertedError
    now = timezone.now()
    if customer.user is not None and belongs_to_another(change.old, customer.user):
        raise AddressTakenError
    # Whoever changed it once may have changed it again, and has a link of their own by now.
    EmailChange.objects.filter(
        customer=customer, changed_at__gte=change.changed_at, reverted_at=None
    ).update(reverted_at=now)
    EmailChange.objects.pending().filter(customer=customer).update(ended_at=now)
    change_email(customer, change.old)
    Session.objects.filter(user=customer.user_id).delete()
