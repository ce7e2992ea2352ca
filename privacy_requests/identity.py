"""Strong identity: that the person at the screen is the person, as a fact of the session that ages.

A sign-in by e-mailed code shows who reads a mailbox, and a mailbox can be somebody else's by now.
Fetching an extract, erasing and changing the address ask for more (A18-A20): an e-identification,
a code by letter or a check by staff. The session keeps how, at what level and when; no number.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from customers.models import Change, Customer
from customers.models.channels import Source
from privacy_requests.models import EmailChange, ProvedBy

KEY, NEXT = "identity_proof", "identity_next"
# How long a proof is good for an act.
FRESH = timedelta(minutes=10)
# Whoever changed the address may be a stranger; the owner has this long to say so (A18, K09).
NEW_ADDRESS_WAITS = timedelta(days=7)
# What a stranger would have changed to pass for the person.
SHOWS_WHO = ("email", "national_id_sealed")

P = ParamSpec("P")
Guarded = Callable[Concatenate[HttpRequest, Customer, P], HttpResponseBase]


@dataclass(frozen=True)
class Proof:
    """How somebody showed who they are, how strongly and when."""

    method: ProvedBy
    level: str
    at: datetime

    @property
    def until(self) -> datetime:
        """Return the moment from which it has to be shown anew."""
        return self.at + FRESH


def prove(request: HttpRequest, customer: Customer, method: ProvedBy, level: str = "") -> None:
    """Keep in the session that the person has shown who they are; its key changes (A08)."""
    request.session.cycle_key()
    request.session[KEY] = {
        "customer": customer.pk,
        "method": method.value,
        "level": level,
        "at": int(time.time()),
    }


def proven(request: HttpRequest, customer: Customer) -> Proof | None:
    """Return the proof of this session when it is of this person and still fresh."""
    kept: dict[str, Any] | None = request.session.get(KEY)
    if kept is None or kept["customer"] != customer.pk:
        return None
    proof = Proof(
        ProvedBy(kept["method"]), kept["level"], datetime.fromtimestamp(kept["at"], tz=UTC)
    )
    return proof if proof.at <= timezone.now() < proof.until else None


def identity_required(view: Guarded[P]) -> Guarded[P]:
    """Send whoever has not just shown who they are to the page where one does, and back here.

    What was posted is not kept: the person comes back to the page and acts there.
    """

    @wraps(view)
    def guarded(
        request: HttpRequest, customer: Customer, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponseBase:
        if proven(request, customer) is None:
            request.session[NEXT] = request.path
            return redirect("privacy_requests:identify")
        return view(request, customer, *args, **kwargs)

    return guarded


def way_back(request: HttpRequest) -> str:
    """Return where the person was going; kept by us and never taken from an address (A15)."""
    wanted = str(request.session.get(NEXT, ""))
    return wanted if url_has_allowed_host_and_scheme(wanted, None) else "/mina-arenden/"


def waits_until(customer: Customer) -> datetime | None:
    """Return until when extract and erasure wait after a change of e-mail, None when they do not.

    By whose hand it was changed makes no difference: customer service can be talked round too. So
    it can about the identity number, by which an e-identification is known to be the person's.
    """
    since = timezone.now() - NEW_ADDRESS_WAITS
    own = EmailChange.objects.filter(customer=customer, changed_at__gt=since)
    noted = Change.objects.filter(
        customer=customer,
        field__in=SHOWS_WHO,
        source__in=(Source.PERSON, Source.STAFF),
        at__gt=since,
    )
    moments: list[datetime] = []
    for changed_at, reverted_at in own.values_list("changed_at", "reverted_at"):
        moments += [at for at in (changed_at, reverted_at) if at]
    moments += noted.values_list("at", flat=True)
    return max(moments) + NEW_ADDRESS_WAITS if moments else None


def masked(email: str) -> str:
    """Return an address that its owner recognises: a•••@example.se."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
