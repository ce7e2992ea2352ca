"""What comes in: a message with one or several rights becomes a case for each (DSR-01, DSR-05)."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from consent import actions as ledger
from consent.models import Standing
from consent.purposes import Use
from customers.dates import stockholm_date, today
from customers.models import Customer, User
from customers.models.channels import Collected
from privacy_requests import answers, cases, lifting
from privacy_requests.actions import FILES, open_case
from privacy_requests.models import Case
from privacy_requests.models.cases import LONGEST_WORDING
from privacy_requests.objections import OBJECTABLE, object_to

Right = Case.Right


@transaction.atomic
def register_message(
    customer: Customer,
    rights: Collection[str],
    wording: str = "",
    *,
    received_at: datetime | None = None,
    collected: str = Collected.PORTAL,
    actor: User | None = None,
    token: uuid.UUID | None = None,
    identity: str = "",
) -> list[Case]:
    """Write down what a message asks for: a case per right, all from the same receipt.

    A right that is open already takes the new words in (RUL-20). The same message twice, known by
    its token, is one message (B06). Objections and withdrawals are executed at once. Raises
    cases.RefusedError for no right, an unknown one, too many words or a day that has not come.
    """
    now = timezone.now()
    received_at = received_at or now
    unknown = set(rights) - set(Right.values)
    if unknown or not rights:
        raise cases.RefusedError(_("Välj bland det som står i listan."))
    if len(wording) > LONGEST_WORDING:
        raise cases.RefusedError(_("Skriv högst 5 000 tecken, eller ring oss."))
    if stockholm_date(received_at) > stockholm_date(now):
        raise cases.RefusedError(_("Dagen har inte varit än. Skriv när det kom in."))
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    # Tied to the person: a token that somebody else has used means nothing here.
    message_id = uuid.uuid5(customer.public_id, str(token or uuid.uuid4()))
    seen = {case.right: case for case in Case.objects.filter(message_id=message_id)}
    found = []
    with translation.override("en" if customer.language == "en" else "sv"):
        for right in (right for right in Right.values if right in rights):
            case = seen.get(right) or _one(
                customer, right, wording, received_at, collected, actor, message_id
            )
            if identity and case.is_open and not case.identity_method:
                cases.identify(case.pk, identity, actor=actor)
            found.append(case)
    for case in found:
        case.refresh_from_db()
    if any(case.is_open and case.right not in seen for case in found):
        first = min((case for case in found if case.is_open), key=lambda case: case.latest_on)
        cases.tell(first, "case_received", cases.about(first))
    return found


def _one(
    customer: Customer,
    right: str,
    wording: str,
    received_at: datetime,
    collected: str,
    actor: User | None,
    message_id: uuid.UUID,
) -> Case:
    if right in FILES:
        return open_case(
            customer,
            right,
            wording=wording,
            received_at=received_at,
            message_id=message_id,
            collected=collected,
            actor=actor,
        )
    if right == Right.OBJECTION:
        codes = [purpose.code for purpose in OBJECTABLE]
        done = object_to(
            customer, codes, wording, collected=collected, actor=actor, message_id=message_id
        )
        if done is not None:
            return done
    if right == Right.WITHDRAWAL:
        return _withdraw(customer, wording, received_at, collected, actor, message_id)
    waiting = cases.waiting_for(customer, right)
    if waiting is not None:
        cases.fold(waiting, wording, timezone.now(), actor)
        return waiting
    if right == Right.RESTRICTION and not ledger.has_limited(customer):
        # At once what needs no ground; whether the law gives more is for a human (RES-01, RES-03).
        ledger.restrict(customer, collected=collected, evidence=wording, actor=actor)
    case = cases.register(
        customer,
        right,
        wording=wording,
        received_at=received_at,
        message_id=message_id,
        collected=collected,
        actor=actor,
    )
    if right == Right.RECTIFICATION:
        lifting.contest(customer, wording, collected=collected, actor=actor)
    if right == Right.OBJECTION:
        # All of it was refused before; the answer is the same yes.
        cases.answer(case, timezone.now(), answers.render(case, Case.Outcome.GRANTED))
        cases.send_answer(case)
        return case
    return cases.start(case.pk, actor=actor)


def _withdraw(
    customer: Customer,
    wording: str,
    received_at: datetime,
    collected: str,
    actor: User | None,
    message_id: uuid.UUID,
) -> Case:
    """Take back every yes of the person at once; the case is for the record (CON-03)."""
    case = cases.register(
        customer,
        Right.WITHDRAWAL,
        collected=collected,
        wording=wording,
        received_at=received_at,
        message_id=message_id,
        actor=actor,
    )
    said = wording or case.get_right_display()
    given = Standing.objects.filter(
        customer=customer, permission=Standing.Permission.CONSENT, declined=False
    )
    for purpose, channel, third in given.values_list("purpose", "channel", "third_party"):
        use = Use(purpose, channel, third)
        ledger.say_no(customer, use, collected=collected, evidence=said, actor=actor)
    cases.answer(case, timezone.now(), answers.render(case, Case.Outcome.GRANTED))
    cases.send_answer(case)
    return case


@transaction.atomic
def answer_stranger(
    email: str, *, received_at: datetime, collected: str, actor: User, language: str = "sv"
) -> Case:
    """Answer somebody of whom nothing is held that nothing is, keeping the case log alone (ACC-11).

    The row the case hangs on has a number and no word about the person; the address stands in the
    message until it has left.
    """
    nobody = Customer.objects.create(language=language, last_contact_on=today())
    case = cases.register(
        nobody, Right.ACCESS, collected=collected, received_at=received_at, actor=actor
    )
    cases.identify(case.pk, Case.Identity.NONE, actor=actor)
    case.refresh_from_db()
    at = timezone.now()
    cases.answer(case, at, answers.render(case, Case.Outcome.NO_DATA), outcome="no_data")
    cases.send_answer(case, to=email)
    return case
