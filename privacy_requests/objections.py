"""What happens when a person objects to a use of their data, or limits all of them themselves.

Both are granted as they are asked for, whatever the reason: the ledger has the act, a case has the
question and the answer, and a message confirms it, in one transaction (OBJ-04, RES-03, DSR-06).
"""

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from consent import actions
from consent.models import Standing
from consent.purposes import CATALOGUE, Objection, chosen_uses
from customers import words
from customers.dates import stockholm_date
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.models.people import Restriction
from privacy_requests.cases import answer, fold, register, tell, waiting_for
from privacy_requests.models import Case

# What is not necessary: an own limitation pauses all of it, an objection ends some of it.
OPTIONAL = tuple(purpose for purpose in CATALOGUE if purpose.objection is not Objection.NO_EFFECT)
# A company is refused by its name, where the yes to it stands.
OBJECTABLE = tuple(purpose for purpose in OPTIONAL if not purpose.named_third_party)


def refused(customer: Customer) -> set[str]:
    """Return the purposes that the person has said no to by every channel."""
    found = Standing.objects.filter(customer=customer, declined=True)
    declined = set(found.values_list("purpose", "channel"))
    left = {use.purpose for use in chosen_uses() if (use.purpose, use.channel) not in declined}
    return {purpose.code for purpose in OBJECTABLE} - left


@transaction.atomic
def object_to(
    customer: Customer,
    codes: Collection[str],
    reason: str = "",
    *,
    collected: str = Collected.PORTAL,
    actor: User | None = None,
    at: datetime | None = None,
    confirm: bool = True,
    message_id: uuid.UUID | None = None,
) -> Case | None:
    """Grant an objection to some purposes and answer it; None when all are refused already (B06).

    Without `confirm` the message is left to who writes it down for the person. Raises ActError for
    a purpose that an objection does not reach.
    """
    _lock(customer)
    at, new = at or timezone.now(), set(codes) - refused(customer)
    if not new:
        return None
    named = {purpose.code: str(purpose.name) for purpose in OBJECTABLE}
    for code in sorted(new):
        said = f"{named.get(code, code)}. {reason}".strip()
        actions.object_to_use(
            customer, code, collected=collected, evidence=said, actor=actor, at=at
        )
    case = _case(
        customer,
        Case.Right.OBJECTION,
        at,
        collected,
        actor=actor,
        wording=reason,
        message_id=message_id,
    )
    answer(
        case,
        at,
        _(
            "Vi har slutat med det du sa nej till: %(uses)s. Det gäller på alla sätt sedan "
            "%(moment)s, tills du själv ändrar dig. Uppgifter som vi bara hade för det raderas "
            "%(night)s."
        )
        % {
            "uses": words.listed(
                [_("”%(name)s”") % {"name": named[code]} for code in named if code in new]
            ),
            "moment": f"{words.full_day(at)} {words.clock(at)}",
            "night": words.night(stockholm_date(at)),
        },
    )
    if confirm:
        _confirm(case, "objection_granted", "privacy_requests:cases")
    return case


@transaction.atomic
def limit(
    customer: Customer,
    *,
    collected: str = Collected.PORTAL,
    evidence: str = "",
    actor: User | None = None,
    at: datetime | None = None,
    confirm: bool = True,
) -> Case | None:
    """Pause all that is not necessary, as the person asks; None when they have asked already.

    A limitation on a ground of law is stronger and stays as it is; the person's own lasts beneath
    it and is what is left when that one is lifted (RES-01, RES-03).
    """
    by_law = _lock(customer) not in (Restriction.NONE, Restriction.VOLUNTARY)
    if actions.has_limited(customer):
        return None
    at = at or timezone.now()
    actions.restrict(customer, collected=collected, evidence=evidence, actor=actor, at=at)
    case = _case(customer, Case.Right.RESTRICTION, at, collected, actor=actor, wording=evidence)
    said = (
        _(
            "Användningen är redan begränsad, och så förblir den. När den begränsningen upphör "
            "använder vi dina uppgifter bara till det du har köpt, dina frågor och det lagen "
            "kräver, för det bad du om %(moment)s. Det gäller tills du själv häver det."
        )
        if by_law
        else _(
            "Sedan %(moment)s använder vi dina uppgifter bara till det du har köpt, dina frågor "
            "och det lagen kräver. Det gäller tills du själv häver begränsningen."
        )
    )
    answer(case, at, said % {"moment": f"{words.full_day(at)} {words.clock(at)}"})
    if confirm:
        _confirm(case, "restriction_granted", "privacy_requests:restriction")
    return case


@transaction.atomic
def lift_limit(customer: Customer) -> bool:
    """Lift the person's own limitation; say whether there was one (RUL-18)."""
    _lock(customer)
    if not actions.has_limited(customer):
        return False
    actions.lift_own_restriction(customer)
    return True


def _lock(customer: Customer) -> str:
    """Lock the person against acts in other tabs and return what limits the use of their data."""
    locked = Customer.objects.select_for_update().only("pk", "restriction").get(pk=customer.pk)
    return locked.restriction


def _case(customer: Customer, right: str, at: datetime, collected: str, **more: Any) -> Case:
    """Return the open case of this kind, or a new one (RUL-20)."""
    waiting = waiting_for(customer, right)
    if waiting is None:
        return register(customer, right, collected=collected, received_at=at, **more)
    fold(waiting, more["wording"], at, more["actor"])
    return waiting


def _confirm(case: Case, template: str, page: str) -> None:
    """Write that it is done, in the language it was asked in, with a link and no more (K05)."""
    about = {"url": settings.SITE_URL + reverse(page)}
    tell(case, template, about, language=translation.get_language())
