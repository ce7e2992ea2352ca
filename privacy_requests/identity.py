"""The code before a file: whoever sits at a signed-in screen must also read the person's mail.

The session holds a keyed digest of the code, for which extract it is, until when and how many
tries were made; one code opens one download.
"""

import enum
import secrets
import time
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from customers.models import Change, Customer, User
from customers.models.channels import Collected, Source
from disclosures.actions import queue_mail
from disclosures.models import Outbox
from privacy_requests.models import Extract

KEY = "extract_code"
MINUTES = 10
MOST_TRIES = 5
MOST_CODES_AN_HOUR = 5
# Who changed the address on Min sida may be a stranger; the owner has this long to say so (A18).
NEW_ADDRESS_WAITS = timedelta(days=7)


class TooManyCodesError(Exception):
    """So many codes were asked for that the person must wait."""


class Verdict(enum.Enum):
    """What a code is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"  # none was sent, or its time or its tries are over


def _digest(wanted: Extract, code: str) -> str:
    return salted_hmac(KEY, f"{wanted.pk}:{code}", algorithm="sha256").hexdigest()


def send_code(request: HttpRequest, user: User, customer: Customer, wanted: Extract) -> None:
    """Mail a new code for one extract to an address of the person; raises TooManyCodesError."""
    since = timezone.now() - timedelta(hours=1)
    sent = Outbox.objects.filter(customer=customer, template=KEY, created_at__gt=since).count()
    if sent >= MOST_CODES_AN_HOUR:
        raise TooManyCodesError
    to = code_address(customer, user)
    code = f"{secrets.randbelow(10**6):06d}"
    request.session[KEY] = {
        "extract": str(wanted.pk),
        "digest": _digest(wanted, code),
        "until": time.time() + MINUTES * 60,
        "tries": 0,
    }
    queue_mail(to, KEY, {"code": code, "minutes": MINUTES}, customer=customer)


def code_address(customer: Customer, user: User) -> str:
    """Return where codes go: the sign-in address, or the one before it while it is new (K09)."""
    recent = Change.objects.filter(
        customer=customer,
        field="email",
        source=Source.PERSON,
        collected=Collected.PORTAL,
        at__gt=timezone.now() - NEW_ADDRESS_WAITS,
    )
    first = recent.exclude(old="").order_by("at", "pk").first()
    return first.old if first else user.email


def is_sent(request: HttpRequest, wanted: Extract) -> bool:
    """Say whether a code for this extract still works."""
    return _live(request, wanted) is not None


def _live(request: HttpRequest, wanted: Extract) -> dict[str, Any] | None:
    sent: dict[str, Any] | None = request.session.get(KEY)
    if sent is None or sent["extract"] != str(wanted.pk):
        return None
    return sent if time.time() <= sent["until"] and sent["tries"] < MOST_TRIES else None


@transaction.atomic
def check(request: HttpRequest, wanted: Extract, code: str) -> Verdict:
    """Judge a code and count the try; a right one is used up.

    Tries for one extract wait for each other, and each counts from what the last one left (A04).
    """
    Extract.objects.select_for_update(of=("self",)).get(pk=wanted.pk)
    left = type(request.session)(request.session.session_key).get(KEY)
    if left is None:
        request.session.pop(KEY, None)
    else:
        request.session[KEY] = left
    sent = _live(request, wanted)
    if sent is None:
        request.session.pop(KEY, None)
        return Verdict.SPENT
    if constant_time_compare(sent["digest"], _digest(wanted, code)):
        del request.session[KEY]
        verdict = Verdict.RIGHT
    else:
        request.session[KEY] = {**sent, "tries": sent["tries"] + 1}
        verdict = Verdict.WRONG if is_sent(request, wanted) else Verdict.SPENT
    request.session.save()
    return verdict


def masked(email: str) -> str:
    """Return an address that its owner recognises: a•••@example.se."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
