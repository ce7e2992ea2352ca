"""What time does to cases: questions asked again and given up, and warnings before the last day.

Everything here may be run again, at any time and by several workers: each step is taken once.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from customers.dates import stockholm_date
from disclosures.actions import queue_mail
from privacy_requests import cases
from privacy_requests.models import Case, CaseEvent
from privacy_requests.rules import (
    WARN_WORKING_DAYS_BEFORE,
    Deadline,
    identity_given_up_on,
    identity_reminder_on,
)

LATE = 0


def tick(at: datetime) -> None:
    """Do what the day asks of open cases (TIM-04, TIM-08)."""
    day = stockholm_date(at)
    unknown = Case.objects.filter(status=Case.Status.IDENTIFYING).order_by("pk")
    for case in unknown:
        if case.asked_on is None:
            continue
        try:
            if identity_given_up_on(case.asked_on) <= day:
                cases.give_up_on_identity(case.pk, at)
            elif identity_reminder_on(case.asked_on) <= day:
                cases.remind_of_identity(case.pk, at)
        except cases.ClosedError:
            continue  # somebody was faster
    for case in Case.objects.running().order_by("latest_on", "pk"):
        _escalate(case.pk, at)


@dataclass(frozen=True)
class Step:
    """One of the days on which somebody is told that an answer is not out."""

    days: int
    on: date
    mark: str


def warnings_of(case: Case) -> Iterator[Step]:
    """Yield when the data protection officer is told of a case: T-10, T-5, T-1 and late."""
    deadline = Deadline(case.nominal_on, case.latest_on, case.target_on)
    until = f"{case.nominal_on:%y%m%d}"  # after an extension they are given anew
    for days, on in zip(WARN_WORKING_DAYS_BEFORE, deadline.warnings(), strict=True):
        yield Step(days, on, f"{days}-{until}")
    yield Step(LATE, date.fromordinal(case.latest_on.toordinal() + 1), f"{LATE}-{until}")


@transaction.atomic
def _escalate(case_id: int, at: datetime) -> None:
    """Tell the data protection officer of the latest step that is due, once per step."""
    found = Case.objects.running().select_for_update(of=("self",), skip_locked=True)
    case = found.filter(pk=case_id).first()
    if case is None:
        return
    given = set(case.events.exclude(step="").values_list("step", flat=True))
    due = [w for w in warnings_of(case) if w.on <= stockholm_date(at)]
    new = [w for w in due if w.mark not in given]
    if not new:
        return
    CaseEvent.objects.bulk_create(
        CaseEvent(case=case, kind=CaseEvent.Kind.ESCALATED, at=at, step=w.mark) for w in new
    )
    most = min(new, key=lambda w: w.days)
    queue_mail(
        settings.CONTROLLER["email"],
        "case_due",
        {
            "number": case.pk,
            "days": most.days,
            "late": most.days == LATE,
            "latest": case.latest_on,
            "target": case.target_on,
            "url": settings.SITE_URL
            + reverse("admin:privacy_requests_case_change", args=[case.pk]),
        },
        language="sv",
    )
