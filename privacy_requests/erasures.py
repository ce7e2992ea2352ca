"""Erasure: what would go and what stays, confirmed, thought over, done by the nights, answered.

Confirming ends at once what rests on our interest or a yes, so that nothing uses the data any more;
the hold of the case keeps the nights away while the person may still change their mind. When that
time is up the hold is lifted, and the night after takes what nothing else keeps (RUL-02, RUL-34).
What a running contract or a law keeps leaves by itself when that is over.

A request for a file that is open comes first: its hold keeps the rows until it is answered, and the
erasure waits for it (RUL-17, E17). Files that are ready go with the person.
"""

import enum
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.utils import timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent import records
from consent.models import ProcessingRecord
from customers import words
from customers.dates import FAR, stockholm_date, today
from customers.models import Address, Customer, User
from customers.models.channels import Collected
from customers.personal_data import AtEnd, Category, OnErasure, personal_models
from disclosures.actions import UnsafeHeaderError, envelope, queue_answer
from disclosures.recipient_notices import Act, notify
from privacy_requests import actions, answers, cases, identity
from privacy_requests.models import Case, CaseEvent, Erasure, Extract
from privacy_requests.models.erasures import THINK_IT_OVER
from retention import chart
from retention.models import Hold
from retention.rules import CalendarEntry, calendar_if_erased, plan_for

log = logging.getLogger(__name__)


class Fate(enum.Enum):
    """What an erasure does to a kind of data."""

    NOW = "now"
    CONTRACT = "contract"  # ERA-03: when the person is no longer a customer
    HELD = "held"  # ERA-02: by a law or something open
    UNNAMED = "unnamed"  # RUL-02: stays as proof and no longer says of whom


Why = tuple[str, str | Promise]  # the rule and the reason for people


@dataclass(frozen=True)
class Line:
    """One kind of data in the plan; `until` is the last day, None while no end is known."""

    category: Category
    fate: Fate
    rows: int
    until: date | None = None
    rule: str = ""
    why: str | Promise = ""

    @property
    def what(self) -> str:
        """What it is, as a thing in a sentence; of proof only its kind."""
        if self.fate is Fate.UNNAMED:
            return str(self.category.label)
        return chart.thing(self.category, self.rows)


# What keeps a person's details although they asked, with the rule that says so.
CONTRACT = ("ERA-03", gettext_lazy("Du är kund hos oss, och vi behöver det för avtalet."))
DEBT = ("CLM-01", gettext_lazy("En faktura är inte betald."))
QUESTION = ("RUL-01", gettext_lazy("En fråga eller reklamation från dig är inte avslutad."))
BOOKS = ("BFL-01", gettext_lazy("Bokföringslagen kräver det."))
PROOF = ("RUL-02", gettext_lazy("Vi måste kunna visa att vi har gjort rätt, men inte mot vem."))
DECIDED = ("ERA-02", gettext_lazy("Ett beslut hos oss håller kvar det. Fråga oss om skälet."))


def plan(customer: Customer) -> list[Line]:
    """Return what an erasure of today takes, and what stays, why and until when."""
    waiting = Erasure.objects.waiting().filter(case__customer=customer).first()
    own = cases.reference(waiting.case) if waiting else ""
    reason = _reason_that_keeps(customer)
    lines: list[Line] = []
    for entry in calendar_if_erased(customer, released=own):
        if entry.category is not Category.SHELL:
            lines += _lines(entry, reason)
    return lines


def _lines(entry: CalendarEntry, reason: tuple[Fate, date | None, Why]) -> Iterator[Line]:
    now = today()
    kind = entry.category
    if kind.value & UNNAMED:
        yield Line(kind, Fate.UNNAMED, entry.rows, entry.until, *PROOF)
        return
    later = entry.left_on(now)
    if entry.rows > later:
        yield Line(kind, Fate.NOW, entry.rows - later)
    if not later:
        return
    if kind.value & KEPT:
        yield Line(kind, Fate.HELD, later, entry.until, *BOOKS)
    elif entry.held:
        yield Line(kind, Fate.HELD, later, None, *DECIDED)
    else:
        fate, until, why = reason
        yield Line(kind, fate, later, until, *why)


def _reason_that_keeps(customer: Customer) -> tuple[Fate, date | None, Why]:
    """Say what keeps the details of somebody who asked, the last to end of what does."""
    found = ProcessingRecord.objects.filter(
        customer=customer, ended_on__isnull=True, retain_until__gte=today()
    )
    ends = dict(found.values_list("purpose", "retain_until"))
    for code, fate, why in (
        ("A", Fate.CONTRACT, CONTRACT),
        ("L2", Fate.HELD, DEBT),
        ("B", Fate.HELD, QUESTION),
    ):
        if code in ends:
            return fate, None if ends[code] >= FAR else ends[code], why
    return Fate.HELD, None, DECIDED


def _mask(*fates: OnErasure) -> int:
    total = 0
    for _model, data in personal_models():
        if data.on_erasure in fates and data.at_end is AtEnd.DELETE:
            total |= data.mask
    return total


# Receipts of deletion have the pseudonym and nothing else from the start.
UNNAMED = _mask(OnErasure.UNNAMED) | Category.RECEIPTS.value
KEPT = _mask(OnErasure.KEPT)


# Confirmed, and taken back


@transaction.atomic
def confirm(
    customer: Customer,
    *,
    proved_by: str,
    collected: str = Collected.PORTAL,
    actor: User | None = None,
    at: datetime | None = None,
) -> Erasure:
    """Confirm that everything goes that nothing has to keep; twice is once.

    Raises cases.RefusedError for somebody without details, and within seven days of a new e-mail
    address (A18).
    """
    at = at or timezone.now()
    people = Customer.objects.select_for_update(of=("self",)).select_related("user")
    locked = people.get(pk=customer.pk)
    if not locked.name:
        raise cases.RefusedError(_("Uppgifterna är redan raderade."))
    waits = identity.waits_until(locked)
    if waits is not None:
        raise cases.RefusedError(
            _(
                "E-postadressen eller personnumret är nytt. Av säkerhetsskäl kan du radera "
                "från %(day)s."
            )
            % {"day": words.full_day(waits)}
        )
    case = Case.objects.unanswered().filter(customer=locked, right=Case.Right.ERASURE).first()
    if case is None:
        case = cases.register(
            locked, Case.Right.ERASURE, collected=collected, received_at=at, actor=actor
        )
    already = Erasure.objects.filter(case=case).first()
    if already is not None:
        return already
    cases.identify(case.pk, proved_by, actor=actor, at=at)
    case = cases.start(case.pk, actor=actor)
    Hold.objects.create(customer=locked, ground=Hold.Ground.CASE, reference=cases.reference(case))
    locked.erasure_on = stockholm_date(at)
    locked.save(update_fields=["erasure_on"])
    records.refresh([locked.pk])
    erasure = Erasure.objects.create(
        case=case,
        confirmed_at=at,
        proved_by=proved_by,
        confirmed_by=actor,
        until=at + THINK_IT_OVER,
    )
    CaseEvent.objects.create(case=case, kind=CaseEvent.Kind.CONFIRMED, at=at, actor=actor)
    case.refresh_from_db()
    cases.tell(case, "erasure_confirmed", {**cases.about(case), "until": erasure.until})
    return erasure


# Done


def tick(at: datetime) -> None:
    """Release what has been thought over, and answer what the nights have done."""
    for found, step in ((Erasure.objects.over(at), release), (Erasure.objects.released(), finish)):
        for pk in list(found.order_by("until").values_list("pk", flat=True)):
            try:
                step(pk, at)
            except Exception as problem:  # bad data of one person must not stop the others (E10)
                log.error("Erasure %s waits: %s.", pk, type(problem).__name__)


@transaction.atomic
def release(erasure_id: int, at: datetime) -> bool:
    """Let the nights at a person whose time to change their mind is up; say whether it was now.

    Not while a file is built for them: what they asked for first is answered first (E17).
    """
    customer = _lock(erasure_id)
    erasure = Erasure.objects.over(at).select_for_update(of=("self",)).filter(pk=erasure_id).first()
    if erasure is None:
        return False
    own = Hold.objects.filter(
        customer=customer, reference=cases.reference(erasure.case), lifted_at__isnull=True
    )
    files = Case.objects.unanswered().filter(customer=customer, right__in=actions.FILES)
    if files.exists():
        return False
    own.update(lifted_at=at)
    # Those who got data of theirs, by the number they know them under while we still know it.
    notify(customer, Act.ERASED)
    erasure.released_at = at
    erasure.answer_to = _where(customer)
    erasure.language = "en" if customer.language == "en" else "sv"
    with translation.override(erasure.language):
        # Told now, for the night lets go of the invoices (ERA-04, RUL-36).
        books = [line for line in plan(customer) if line.category.value & KEPT]
        erasure.stays = " ".join(_why(line) for line in books if line.fate is Fate.HELD)
    erasure.save(update_fields=["released_at", "answer_to", "stays", "language"])
    CaseEvent.objects.create(case=erasure.case, kind=CaseEvent.Kind.RELEASED, at=at)
    return True


@transaction.atomic
def finish(erasure_id: int, at: datetime) -> bool:
    """Answer an erasure when nothing is left that a night would take; say whether it was now."""
    customer = _lock(erasure_id)
    erasure = (
        Erasure.objects.released().select_for_update(of=("self",)).filter(pk=erasure_id).first()
    )
    if erasure is None or any(plan_for(today(), [customer.pk])):
        return False
    case = cases.locked(erasure.case_id)
    if not customer.name:
        for ready in Extract.objects.filter(
            case__customer=customer, status=Extract.Status.READY
        ).select_for_update(of=("self",)):
            actions.take_away(ready, at)
    with translation.override(erasure.language):
        stays = [line for line in plan(customer) if line.fate in (Fate.CONTRACT, Fate.HELD)]
        reasons = [_why(line) for line in stays]
        rules = [line.rule for line in stays]
        if not customer.name and erasure.stays:
            reasons, rules = [erasure.stays, *reasons], [BOOKS[0], *rules]
        outcome = Case.Outcome.PARTLY if reasons else Case.Outcome.GRANTED
        if reasons:
            case.reasons, case.rule = " ".join(reasons), ", ".join(dict.fromkeys(rules))
        said = answers.render(case, outcome, language=erasure.language)
    cases.answer(case, at, said, outcome=outcome, by_engine=True)
    if customer.name:
        cases.send_answer(case)
    else:
        _tell(case, erasure)
    erasure.done_at, erasure.answer_to, erasure.stays = at, "", ""
    erasure.save(update_fields=["done_at", "answer_to", "stays"])
    return True


def _tell(case: Case, erasure: Erasure) -> None:
    """Send the answer to whoever has no details here any more."""
    to = erasure.answer_to
    about = {**cases.about(case), "answer": case.answer, "by_letter": "\n" in to}
    try:
        queue_answer(to, "case_answered", about, erasure.language)
    except UnsafeHeaderError:
        log.warning("Case %s is answered, but there is no address that can be told.", case.pk)


def in_words(line: Line) -> str:
    """Say of one kind of data what stays and until when, with its reason and rule."""
    what = line.what[:1].upper() + line.what[1:]
    if line.fate is Fate.NOW:
        return f"{what}."
    return f"{_why(line)} ({line.rule})"


def _why(line: Line) -> str:
    what = line.what[:1].upper() + line.what[1:]
    if line.until is None:
        said = _("%(what)s: står kvar tills skälet är borta.") % {"what": what}
    else:
        said = _("%(what)s: står kvar till och med %(day)s.") % {
            "what": what,
            "day": words.full_day(line.until),
        }
    return f"{said} {line.why}"


def _lock(erasure_id: int) -> Customer:
    """Lock the person first, as the purge does, so that none waits for the other (I04)."""
    people = Customer.objects.select_for_update(of=("self",)).select_related("user")
    return people.get(cases__erasure=erasure_id)


def _where(customer: Customer) -> str:
    """Return where the answer goes when the details are gone: an address or an envelope."""
    email = customer.email or (customer.user.email if customer.user else "")
    home = customer.addresses.filter(kind=Address.Kind.HOME).first()
    if email or home is None:
        return email
    return envelope(customer, home)
