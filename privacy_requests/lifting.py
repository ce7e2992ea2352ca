"""The end of a restriction that the law sets: told first, lifted five working days later (RES-05).

What contests the accuracy of something restricts by itself while it is looked into (REC-03), and
ends by itself once that is settled. The database refuses an end that was not told in time.
"""

from contextlib import suppress
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from consent import actions as ledger
from consent.ledger import append
from consent.models import Authority, Event
from consent.standing import limits_of
from customers.dates import stockholm_date
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.models.people import Restriction
from disclosures.actions import UnsafeHeaderError, queue_letter, queue_mail
from disclosures.models import Outbox
from privacy_requests.models import Case
from privacy_requests.rules import Eves, working_days_after

WORKING_DAYS = 5
POST_TAKES = timedelta(days=7)
BY_LAW = (Restriction.CONTESTED, Restriction.UNLAWFUL, Restriction.CLAIM, Restriction.OBJECTION)
Kind = Event.Kind


class NotToldError(Exception):
    """The notice is not there, or not old enough; the restriction stands."""


def contest(
    customer: Customer, wording: str, *, collected: str, actor: User | None = None
) -> Event | None:
    """Restrict while it is looked into whether something is right (RES-01a); once is enough.

    What was told of an end before this is about what was settled then, so it begins anew.
    """
    if Restriction.CONTESTED in limits_of(customer) and not notice_of(customer, "a"):
        return None
    return ledger.restrict(
        customer, Restriction.CONTESTED, collected=collected, evidence=wording, actor=actor
    )


def template_of(ground: str) -> str:
    """Return the notice that a restriction on a ground is about to end."""
    return f"restriction_ends_{ground}"


def notice_of(customer: Customer, ground: str) -> Outbox | None:
    """Return the latest notice that the restriction now in force will end."""
    began = Event.objects.filter(customer=customer, kind=Kind.RESTRICTED, ground=ground)
    latest = began.order_by("-at").first()
    if latest is None:
        return None
    dead = (Outbox.Status.DEAD, Outbox.Status.STOPPED)
    told = Outbox.objects.filter(
        customer=customer, template=template_of(ground), created_at__gte=latest.at
    ).exclude(status__in=dead)
    found = told.order_by("-created_at").first()
    return None if found is None or _came_back(customer, found) else found


def _came_back(customer: Customer, notice: Outbox) -> bool:
    returned = customer.email_returned_on
    if notice.kind == Outbox.Kind.LETTER or returned is None or notice.finished_at is None:
        return False
    return returned >= stockholm_date(notice.finished_at)


def liftable_from(notice: Outbox) -> date | None:
    """Return the first day the restriction may end; None until the notice has left (RUL-32)."""
    if notice.status != Outbox.Status.SENT or notice.finished_at is None:
        return None
    delivered = stockholm_date(notice.finished_at)
    if notice.kind == Outbox.Kind.LETTER:
        delivered += POST_TAKES
    return working_days_after(delivered, WORKING_DAYS, Eves.FREE)


def is_contested(customer: Customer) -> bool:
    """Say whether it is still looked into whether what stands about the person is right."""
    contested = Case.objects.unanswered().filter(right=Case.Right.RECTIFICATION)
    return contested.filter(customer=customer).exists()


def limits_by_law(customer: Customer) -> list[str]:
    """Return the grounds of law on which the person's data is restricted now (RES-01)."""
    return [ground for ground in limits_of(customer) if ground in BY_LAW]


@transaction.atomic
def announce(customer: Customer, ground: str, why: str = "") -> Outbox | None:
    """Write that a restriction will end, and why; None when it is told already or cannot be.

    What is contested is not told to end before it is answered (REC-03).
    """
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    if ground not in limits_by_law(locked) or notice_of(locked, ground):
        return None
    if ground == Restriction.CONTESTED and is_contested(locked):
        return None
    page = settings.SITE_URL + reverse("privacy_requests:restriction")
    about = {"url": page, "why": why}
    template = template_of(ground)
    if locked.email_returned_on is None:
        to = locked.email or (locked.user.email if locked.user else "")
        with suppress(UnsafeHeaderError):
            return queue_mail(to, template, about, locked)
    if locked.addresses.filter(kind="home").exists():
        return queue_letter(locked, template, about)
    return None


@transaction.atomic
def lift(customer: Customer, ground: str, at: datetime, actor: User | None = None) -> Event:
    """End a restriction that the person was told of in time; raises NotToldError."""
    locked = Customer.objects.select_for_update().get(pk=customer.pk)
    notice = notice_of(locked, ground)
    first_day = liftable_from(notice) if notice else None
    anew = ground == Restriction.CONTESTED and is_contested(locked)
    if (
        first_day is None
        or stockholm_date(at) < first_day
        or ground not in limits_of(locked)
        or anew
    ):
        raise NotToldError(f"The notice of ground {ground} is not five working days old.")
    return append(
        locked,
        Kind.UNRESTRICTED,
        ground=ground,
        collected=Collected.PORTAL,
        authority=Authority.LAW,
        actor=actor,
        at=at,
    )


def tick(at: datetime) -> None:
    """Announce what was contested and is settled, and lift what was told in time.

    The other grounds are announced by the data protection officer. May be run again at any time.
    """
    cases = Case.objects.filter(
        right=Case.Right.RECTIFICATION, customer__restriction=Restriction.CONTESTED
    )
    waiting = set(cases.unanswered().values_list("customer_id", flat=True))
    settled = set(cases.values_list("customer_id", flat=True)) - waiting
    for customer in Customer.objects.filter(pk__in=settled).order_by("pk"):
        announce(customer, Restriction.CONTESTED)
    for ground in BY_LAW:
        told = Outbox.objects.filter(
            template=template_of(ground), status=Outbox.Status.SENT, customer__isnull=False
        )
        people = Customer.objects.filter(restriction__in=BY_LAW, pk__in=told.values("customer"))
        for customer in people.order_by("pk"):
            with suppress(NotToldError):
                lift(customer, ground, at)
