"""A night's certificate: what went by which rule, what was left and why, signed and chained.

It names nobody. The digest in it is that of the night's receipts, so a receipt that is changed,
added or gone before its time shows; and each certificate holds the digest of the one before it, so
a night that is taken away shows too.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from consent.models import PolicyVersion
from consent.purposes import catalogue_hash
from consent.receipt_keys import Document, canonical, is_signed, sign
from customers.dates import add_months, today
from customers.personal_data import Category
from retention import plans, statements
from retention.models import Release, Run
from retention.plans import Plan
from retention.schedule import PERIOD, SCHEDULE

KIND = "retention run certificate"
RECEIPTS_KEPT = 60  # months (ERA-08)


class BrokenCertificateError(Exception):
    """A certificate does not hold; the message is one sentence that names the night."""


def per_rule(done: Plan) -> dict[str, int]:
    """Return the rows a night has taken by each rule."""
    found: Counter[str] = Counter()
    for category, rows in done.rows_of.items():
        found[PERIOD[Category(category)].rule] += rows
    return dict(sorted(found.items()))


def write(run: Run, done: Plan, swept: dict[str, int]) -> Document:
    """Return the signed certificate of a night that closes now."""
    held_back = plans.done(run, held=True)
    before, finished_at = _before(run), run.finished_at or timezone.now()
    version = PolicyVersion.objects.order_by("-effective_on", "-pk").first()
    return sign(
        {
            "kind": KIND,
            "night": run.business_date.isoformat(),
            "status": str(run.status),
            "started_at": run.started_at.astimezone(UTC).isoformat(),
            "finished_at": finished_at.astimezone(UTC).isoformat(),
            "seconds": round((finished_at - (run.began_at or finished_at)).total_seconds()),
            "plan": {
                "digest": run.plan_hash,
                "people": run.planned_people,
                "times_planned": run.plans,
                "forecast_a_week_before": run.expected_people,
                "most_without_asking": run.most_people,
                "released": Release.objects.filter(run=run, plan_hash=run.plan_hash).exists(),
            },
            "done": {
                "digest": done.hash,
                "people": done.people,
                "as_planned": done.hash == run.plan_hash,
                "by_rule": list(_by_rule(done)),
                "belonging_to_nobody": {table: rows for table, rows in swept.items() if rows},
            },
            "held_back": {"digest": held_back.hash, "people": held_back.people},
            "left": _left(run),
            "set_aside": run.set_aside,
            "schedule": schedule_hash(),
            "catalogue": catalogue_hash(),
            "policy_version": str(version.version) if version else "",
            "certificate_before": digest_of(before) if before else "",
            "proof": {},
        }
    )


def _by_rule(done: Plan) -> Iterator[dict[str, Any]]:
    for category, rows in sorted(done.rows_of.items()):
        period = PERIOD[Category(category)]
        yield {
            "category": period.category.name,
            "rule": period.rule,
            "clause": period.clause,
            "people": done.people_of[category],
            "rows": rows,
        }


def _left(run: Run) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(statements.left_sql(), {"on": run.business_date, "ids": None})
        return dict(cursor.fetchall())


def _before(run: Run) -> Document | None:
    """Return the certificate that was closed last, whatever its night."""
    closed = Run.objects.filter(certificate__isnull=False).exclude(pk=run.pk)
    last = closed.order_by("-finished_at", "-pk").first()
    return last.certificate if last else None


def digest_of(certificate: Document) -> str:
    """Return what the next certificate is chained to."""
    return hashlib.sha256(canonical(certificate)).hexdigest()


def schedule_hash() -> str:
    """Return a hash of the rules and clauses by category, which a certificate tells by name."""
    lines = [f"{period.category.value}|{period.rule}|{period.clause}" for period in SCHEDULE]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class Found:
    """What verifying looked at."""

    certificates: int
    with_receipts: int


def verify() -> Found:
    """Hold every certificate to its signature, its chain and its receipts.

    Raises BrokenCertificateError at the first that does not hold. Receipts are gone after five
    years, the certificate stays.
    """
    looked_at, with_receipts, digests = 0, 0, {""}
    closed = Run.objects.filter(~Q(status=Run.Status.RUNNING) & ~Q(status=Run.Status.STOPPED))
    for run in closed.order_by("finished_at", "pk").iterator():
        if run.certificate is None:
            if looked_at:
                raise BrokenCertificateError(f"The night to {run} has lost its certificate.")
            continue  # closed before there were certificates
        demand_signed(run)
        if run.certificate["certificate_before"] not in digests:
            raise BrokenCertificateError(
                f"The certificate before that of the night to {run} is missing or another."
            )
        digests = {*digests - {""}, digest_of(run.certificate)}
        looked_at += 1
        if run.finished_at and add_months(run.business_date, RECEIPTS_KEPT) > today():
            demand_receipts(run)
            with_receipts += 1
    return Found(looked_at, with_receipts)


def demand_signed(run: Run) -> None:
    """Refuse a certificate that is not ours, or that tells of another night or other numbers."""
    certificate = run.certificate
    if certificate is None or not is_signed(certificate):
        raise BrokenCertificateError(f"The certificate of the night to {run} is not signed by us.")
    told = (certificate["night"], certificate["status"], certificate["done"]["people"])
    if told != (run.business_date.isoformat(), run.status, run.people):
        raise BrokenCertificateError(f"The night to {run} differs from its certificate.")


def demand_receipts(run: Run) -> None:
    """Refuse receipts that are not those the certificate was written for."""
    told = run.certificate or {"done": {"digest": ""}}
    held_back = told.get("held_back")
    if plans.done(run).hash != told["done"]["digest"] or (
        held_back is not None and plans.done(run, held=True).hash != held_back["digest"]
    ):
        raise BrokenCertificateError(
            f"The receipts of the night to {run} are not those of its certificate."
        )
