"""What happens to a case: written down, asked about, extended, decided, answered, taken back.

Each verb locks the case, changes it, adds an event and writes to the person, in one transaction.
The database refuses what does not follow (`models.cases`); here the refusal is said in a sentence.
"""

import logging
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from consent import records
from customers import words
from customers.dates import stockholm_date
from customers.models import Customer, User
from customers.models.channels import Collected
from disclosures.actions import UnsafeHeaderError, queue_letter, queue_mail
from privacy_requests import answers, rules
from privacy_requests.models import Case, CaseEvent, Erasure
from privacy_requests.models.cases import MOST_WORDS, TRANSITIONS
from retention.models import Hold

log = logging.getLogger(__name__)

Kind, Status, Outcome = CaseEvent.Kind, Case.Status, Case.Outcome
# A no in whole or in part waits for a second person (DSR-02).
NEEDS_TWO = (Outcome.PARTLY, Outcome.REFUSED)


class RefusedError(Exception):
    """A case does not let this happen to it; the message is one sentence for whoever asked."""


class ClosedError(RefusedError):
    """The case is answered or ended already."""


# Writing it down


def register(
    customer: Customer,
    right: str,
    *,
    collected: str,
    received_at: datetime | None = None,
    actor: User | None = None,
    wording: str = "",
    message_id: uuid.UUID | None = None,
) -> Case:
    """Write down a request with its clock, for somebody who is locked (TIM-02, DSR-06)."""
    received_at = received_at or timezone.now()
    received_on = stockholm_date(received_at)
    deadline = rules.dsr_deadline(received_on)
    case = Case.objects.create(
        customer=customer,
        right=right,
        collected=collected,
        wording=wording,
        message_id=message_id or uuid.uuid4(),
        registered_by=actor,
        received_at=received_at,
        received_on=received_on,
        nominal_on=deadline.nominal,
        latest_on=deadline.legal_latest,
        target_on=deadline.internal_target,
    )
    _event(case, Kind.RECEIVED, received_at, actor)
    return case


def fold(case: Case, wording: str, at: datetime, actor: User | None = None) -> bool:
    """Add what a person wrote to the open case of the same kind; False when it says nothing new.

    The first receipt goes on counting (RUL-20).
    """
    if not wording or wording == case.wording or case.events.filter(words=wording).exists():
        return False
    together = f"{case.wording}\n\n{wording}".strip()
    if len(together) <= MOST_WORDS:
        case.wording = together
        case.save(update_fields=["wording"])
    _event(case, Kind.ADDED, at, actor, words=wording)
    return True


def waiting_for(customer: Customer, right: str) -> Case | None:
    """Lock and return the open case of a kind, if it still is open once it is ours (RUL-20)."""
    found = Case.objects.unanswered().select_for_update(of=("self",))
    return found.filter(customer=customer, right=right).first()


def add_words(case_id: int, wording: str, *, actor: User | None = None) -> Case:
    """Add to an open case what its person says later; raises ClosedError."""
    with transaction.atomic():
        case = locked(case_id)
        fold(case, wording, timezone.now(), actor)
        return case


def locked(case_id: int) -> Case:
    """Lock an open case for a verb, its person first as everywhere (I04); raises ClosedError."""
    Customer.objects.select_for_update(of=("self",)).only("pk").filter(cases=case_id).first()
    case = (
        Case.objects.select_related("customer__user")
        .select_for_update(of=("self",))
        .get(pk=case_id)
    )
    if not case.is_open:
        raise ClosedError(
            _("Ärendet avslutades %(day)s. Skriv in en ny begäran om det behövs.")
            % {"day": words.full_day(case.closed_on or case.received_on)}
        )
    return case


def start(case_id: int, *, actor: User | None = None) -> Case:
    """Begin to work on a case."""
    with transaction.atomic():
        case = locked(case_id)
        if case.status == Status.RECEIVED:
            _go(case, Status.WORKING)
            _event(case, Kind.STARTED, timezone.now(), actor)
        return case


# Who asks


@transaction.atomic
def ask_identity(case_id: int, *, actor: User, at: datetime | None = None) -> Case:
    """Ask once who it is; within three working days the clock stands meanwhile (RUL-33).

    Raises RefusedError when it was asked before or is known.
    """
    case, at = locked(case_id), at or timezone.now()
    if case.identity_method:
        raise RefusedError(_("Vi vet redan vem det är. Svara på begäran."))
    if case.asked_on is not None:
        raise RefusedError(
            _("Vi frågade redan %(day)s. Man frågar en gång i varje ärende.")
            % {"day": words.full_day(case.asked_on)}
        )
    day = stockholm_date(at)
    case.asked_on = day
    if rules.is_asked_in_time(case.received_on, day):
        case.stands_since = day
    _go(case, Status.IDENTIFYING, "asked_on", "stands_since")
    _event(case, Kind.ASKED, at, actor)
    tell(case, "case_identity", about(case))
    return case


@transaction.atomic
def identify(
    case_id: int, method: str, *, actor: User | None = None, at: datetime | None = None
) -> Case:
    """Note how we know who asks, and let the clock go on from where it stood (TIM-04)."""
    case, at = locked(case_id), at or timezone.now()
    if case.identity_method and case.status != Status.IDENTIFYING:
        return case
    before = case.latest_on
    case.identity_method = method
    if case.stands_since is not None:
        suspension = rules.dsr_identity_suspension(
            case.received_on, case.stands_since, stockholm_date(at)
        )
        case.suspended_days, case.stands_since = suspension.suspended_days, None
        _set_days(case)
    fields = ("identity_method", "suspended_days", "stands_since", *DAYS)
    if case.status == Status.IDENTIFYING:
        _go(case, Status.WORKING, *fields)
    else:
        case.save(update_fields=fields)
    _event(case, Kind.IDENTIFIED, at, actor, before_on=before, after_on=case.latest_on)
    return case


@transaction.atomic
def remind_of_identity(case_id: int, at: datetime) -> bool:
    """Ask a second time who it is, once (TIM-04)."""
    case = locked(case_id)
    if case.status != Status.IDENTIFYING or case.reminded_on is not None:
        return False
    case.reminded_on = stockholm_date(at)
    case.save(update_fields=["reminded_on"])
    _event(case, Kind.REMINDED, at)
    tell(case, "case_identity_again", about(case))
    return True


@transaction.atomic
def give_up_on_identity(case_id: int, at: datetime) -> bool:
    """End a case whose person never said who they are, in writing, with where to complain."""
    case = locked(case_id)
    if case.status != Status.IDENTIFYING:
        return False
    said = answers.render(case, answers.NOT_IDENTIFIED)
    case.stands_since = None
    _close(case, Status.NOT_IDENTIFIED, at, said, Kind.NOT_IDENTIFIED)
    send_answer(case)
    return True


# More time


@transaction.atomic
def extend(case_id: int, reason: str, why: str, *, actor: User, at: datetime | None = None) -> Case:
    """Give an answer three months from receipt and tell the person why (TIM-03).

    Raises RefusedError after the first month, a second time, or without a reason of the law.
    """
    case, at = locked(case_id), at or timezone.now()
    if reason not in Case.Extension.values or not why.strip():
        raise RefusedError(_("Välj ett av lagens skäl och skriv varför det behövs mer tid."))
    day = stockholm_date(at)
    try:
        rules.extend(case.received_on, day, extended_before=case.extended_on is not None)
    except rules.TooLateError as late:
        raise RefusedError(
            _("Ärendet är redan förlängt en gång. Svara senast %(day)s.")
            % {"day": words.full_day(case.latest_on)}
            if case.extended_on is not None
            else _("Första månaden är slut, så det går inte att förlänga. Svara nu.")
        ) from late
    before = case.latest_on
    case.extended_on, case.extension_reason = day, reason
    _set_days(case)
    case.save(update_fields=["extended_on", "extension_reason", *DAYS])
    _event(case, Kind.EXTENDED, at, actor, words=why, before_on=before, after_on=case.latest_on)
    tell(case, "case_extended", {**about(case), "before": before, "why": why})
    return case


# Deciding


@transaction.atomic
def decide(
    case_id: int,
    outcome: str,
    *,
    reasons: str = "",
    rule: str = "",
    fee_ore: int = 0,
    actor: User,
    at: datetime | None = None,
) -> Case:
    """Propose a no, a partial yes or a fee, with reasons; somebody else approves it (DSR-02)."""
    case, at = locked(case_id), at or timezone.now()
    _demand_identified(case)
    if outcome not in Outcome.values:
        raise RefusedError(_("Välj vad svaret blir."))
    _demand_engine(case, outcome)
    if not reasons.strip() or not rule.strip():
        raise RefusedError(_("Skriv skälen och vilken regel de vilar på. Kunden får läsa dem."))
    case.outcome, case.reasons, case.rule = outcome, reasons, rule
    case.fee_ore, case.fee_told_on = fee_ore, None
    case.decided_by, case.decided_at, case.approved_by, case.approved_at = actor, at, None, None
    fields = ("outcome", "reasons", "rule", "fee_ore", "fee_told_on", *DECISION)
    if case.status == Status.RECEIVED:
        _go(case, Status.WORKING, *fields)
    else:
        case.save(update_fields=fields)
    _event(case, Kind.DECIDED, at, actor)
    return case


@transaction.atomic
def approve(case_id: int, *, actor: User, at: datetime | None = None) -> Case:
    """Approve what another proposed: a no is answered at once, a fee is told first (DSR-02)."""
    case, at = locked(case_id), at or timezone.now()
    if case.decided_by_id is None:
        raise RefusedError(_("Här finns inget förslag att godkänna."))
    if case.decided_by_id == actor.pk:
        raise RefusedError(_("Någon annan än den som skrev förslaget måste godkänna det."))
    case.approved_by, case.approved_at = actor, at
    case.save(update_fields=["approved_by", "approved_at"])
    _event(case, Kind.APPROVED, at, actor)
    if case.fee_ore and case.fee_told_on is None:
        case.fee_told_on = stockholm_date(at)
        case.save(update_fields=["fee_told_on"])
        _event(case, Kind.FEE_TOLD, at, actor)
        fee = {"amount": words.amount(case.fee_ore), "reasons": case.reasons, "rule": case.rule}
        tell(case, "case_fee", {**about(case), **fee})
        return case
    answer(case, at, answers.render(case, case.outcome), outcome=case.outcome, actor=actor)
    send_answer(case)
    return case


@transaction.atomic
def send_back(case_id: int, why: str, *, actor: User, at: datetime | None = None) -> Case:
    """Return a proposal to who wrote it, with a word on what is missing."""
    case, at = locked(case_id), at or timezone.now()
    if case.decided_by_id is None:
        raise RefusedError(_("Här finns inget förslag att skicka tillbaka."))
    case.outcome, case.fee_ore, case.fee_told_on = "", 0, None
    case.decided_by, case.decided_at, case.approved_by, case.approved_at = None, None, None, None
    case.save(update_fields=["outcome", "fee_ore", "fee_told_on", *DECISION])
    _event(case, Kind.SENT_BACK, at, actor, words=why)
    return case


@transaction.atomic
def grant(
    case_id: int,
    *,
    outcome: str = Outcome.GRANTED,
    words_of_ours: str = "",
    actor: User | None = None,
    at: datetime | None = None,
) -> Case:
    """Answer yes, or that we have nothing, from the template; sending is part of it (ACC-11)."""
    case, at = locked(case_id), at or timezone.now()
    if outcome in NEEDS_TWO:
        raise RefusedError(_("Ett nej, helt eller delvis, måste godkännas av en person till."))
    if case.fee_ore and case.fee_told_on is None:
        raise RefusedError(_("Avgiften måste godkännas och meddelas först."))
    _demand_identified(case)
    _demand_engine(case, outcome)
    if case.right == Case.Right.CREDIT_REVIEW:
        if actor is None or not words_of_ours.strip():
            raise RefusedError(_("Skriv vad som vägde in i beslutet och varför det nu blir ja."))
        if case.decided_by_id is None:
            case.decided_by, case.decided_at = actor, at
    said = answers.render(case, outcome, more=words_of_ours)
    answer(case, at, said, outcome=outcome, actor=actor)
    send_answer(case)
    return case


def answer(
    case: Case,
    at: datetime,
    said: str = "",
    *,
    outcome: str = Outcome.GRANTED,
    actor: User | None = None,
    by_engine: bool = False,
) -> None:
    """Close a case that is answered and lift its hold; in the caller's transaction.

    A yes to erasure comes from the engine that has erased (`by_engine`); raises RefusedError.
    """
    if by_engine:
        case.carried_out_at = at
    else:
        _demand_engine(case, outcome)
        _demand_unconfirmed(case)
    case.outcome = outcome
    _close(case, Status.ANSWERED, at, said, Kind.ANSWERED, actor)


@transaction.atomic
def take_back(case_id: int, *, actor: User | None = None, at: datetime | None = None) -> Case:
    """End a case because its person takes the request back; they are told it was heard."""
    # The person before the case, as the purge does (I04).
    customer = Customer.objects.select_for_update().get(cases=case_id)
    case, at = locked(case_id), at or timezone.now()
    _let_live(case, customer, at)
    case.stands_since, case.outcome, case.fee_ore, case.fee_told_on = None, "", 0, None
    _close(case, Status.TAKEN_BACK, at, "", Kind.TAKEN_BACK, actor)
    tell(case, "case_taken_back", about(case))
    return case


def _let_live(case: Case, customer: Customer, at: datetime) -> None:
    """Undo an erasure that waits, wholly; raises RefusedError when its time is up (A20)."""
    erasure = Erasure.objects.select_for_update().filter(case=case).first()
    if erasure is None:
        return
    if erasure.released_at is not None:
        raise RefusedError(_("Tiden att ångra sig är slut, och raderingen går inte att stoppa."))
    erasure.taken_back_at = at
    erasure.save(update_fields=["taken_back_at"])
    customer.erasure_on = None
    customer.save(update_fields=["erasure_on"])
    records.refresh([customer.pk])


def _close(
    case: Case, status: str, at: datetime, said: str, kind: str, actor: User | None = None
) -> None:
    case.answered_at, case.answer, case.closed_on = at, said, stockholm_date(at)
    fields = ("outcome", "reasons", "rule", "stands_since", "answered_at", "answer", "closed_on")
    _go(case, status, *fields, "carried_out_at", "fee_ore", "fee_told_on", *DECISION)
    _event(case, kind, at, actor)
    Hold.objects.filter(
        customer_id=case.customer_id, reference=reference(case), lifted_at__isnull=True
    ).update(lifted_at=at)


# What all of them need

DAYS = ("nominal_on", "latest_on", "target_on")
DECISION = ("decided_by", "decided_at", "approved_by", "approved_at")


def reference(case: Case) -> str:
    """Return what the hold of a case is found by."""
    return f"case:{case.pk}"


def _set_days(case: Case) -> None:
    """Count the days anew from the receipt and all that has moved them."""
    months = 3 if case.extended_on is not None else 1
    deadline = rules.deadline_of(
        case.received_on, months=months, suspended_days=case.suspended_days
    )
    case.nominal_on, case.latest_on = deadline.nominal, deadline.legal_latest
    case.target_on = deadline.internal_target


def _go(case: Case, status: str, *fields: str) -> None:
    if status != case.status and status not in TRANSITIONS[case.status]:
        raise RefusedError(
            _("Ett ärende som är ”%(now)s” kan inte bli ”%(then)s”.")
            % {"now": case.get_status_display(), "then": Status(status).label}
        )
    case.status = status
    case.save(update_fields=["status", *fields])


def _event(
    case: Case, kind: str, at: datetime, actor: User | None = None, **more: Any
) -> CaseEvent:
    return CaseEvent.objects.create(case=case, kind=kind, at=at, actor=actor, **more)


def _demand_identified(case: Case) -> None:
    if case.status == Status.IDENTIFYING:
        raise RefusedError(_("Vi väntar på att få veta vem det är. Skriv in det först."))


def _demand_engine(case: Case, outcome: str) -> None:
    if outcome in answers.by_engine(case.right):
        raise RefusedError(
            _("Ett ja till radering går iväg när raderingen är gjord, aldrig för hand.")
        )


def _demand_unconfirmed(case: Case) -> None:
    if Erasure.objects.filter(case=case, taken_back_at__isnull=True).exists():
        raise RefusedError(_("Raderingen är bekräftad. Svaret går när den är gjord."))


def about(case: Case) -> dict[str, Any]:
    """Return what every mail about a case needs, with no word about the person (K05)."""
    page = reverse("privacy_requests:case", args=[case.public_id])
    return {
        "number": case.pk,
        "latest": case.latest_on,
        "url": settings.SITE_URL + page,
        "signs_in": case.customer.user_id is not None,
    }


def send_answer(case: Case, to: str = "") -> None:
    """Send the answer: a link for whoever can sign in, the words themselves for others (DSR-04)."""
    tell(case, "case_answered", {**about(case), "answer": case.answer}, to=to)


def tell(
    case: Case,
    template: str,
    about: Mapping[str, Any],
    language: str | None = None,
    to: str = "",
) -> str | Promise:
    """Write to the person about a case: by mail, or else by letter; return the way, or nothing."""
    customer = case.customer
    to = to or customer.email or (customer.user.email if customer.user else "")
    with suppress(UnsafeHeaderError):
        queue_mail(to, template, {**about, "by_letter": False}, customer, language=language)
        return Collected.EMAIL.label
    if customer.addresses.filter(kind="home").exists():
        queue_letter(customer, template, {**about, "by_letter": True, "signs_in": False})
        return Collected.POST.label
    log.warning("Case %s is answered, but there is no address that can be told.", case.pk)
    return ""
