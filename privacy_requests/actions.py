"""What happens to an extract: asked for, held for, built, handed out, fetched, expired.

The work is a row (`Extract`), taken under a lease like a message of the outbox: killed anywhere, it
is built again, and a file that no row knows is swept. The person is told in the transaction that
makes the file theirs.
"""

import logging
import time
import uuid
from datetime import datetime, timedelta
from typing import BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone, translation

from customers import words
from customers.dates import stockholm_date, today
from customers.models import Customer, User
from customers.models.channels import Collected
from disclosures.bell import ring, ring_on_commit
from privacy_requests import answers, archive, cases, extract, portability, vault
from privacy_requests.models import Case, CaseEvent, Extract
from retention.models import Hold

log = logging.getLogger(__name__)

BUILD = "privacy_requests.tasks.build"
RECONCILE = "privacy_requests.tasks.reconcile"
LEASE = timedelta(seconds=60)  # above the time limit of the task
MOST_ATTEMPTS = 5
# The rights that are answered with a file: what packs it, its page and the mail that it is ready.
FILES = {
    Case.Right.ACCESS: (archive.pack, "privacy_requests:extract", "extract_ready"),
    Case.Right.PORTABILITY: (portability.pack, "privacy_requests:portability", "portable_ready"),
}
FIRST_PAUSE = timedelta(seconds=30)
# A file whose row is not written yet must not be taken for an orphan.
ORPHAN_AFTER = timedelta(minutes=10)


@transaction.atomic
def open_case(
    customer: Customer,
    right: str = Case.Right.ACCESS,
    *,
    collected: str = Collected.PORTAL,
    received_at: datetime | None = None,
    actor: User | None = None,
    wording: str = "",
    message_id: uuid.UUID | None = None,
) -> Case:
    """Register a request for a file, or return the open one of the same kind (RUL-20).

    The person's rows are held from the purge until it is answered (RUL-17).
    """
    Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
    case = cases.waiting_for(customer, right)
    if case is not None:
        cases.fold(case, wording, timezone.now(), actor)
        _try_again(case)
        return case
    case = cases.register(
        customer,
        right,
        collected=collected,
        received_at=received_at,
        actor=actor,
        wording=wording,
        message_id=message_id,
    )
    Hold.objects.create(customer=customer, ground=Hold.Ground.CASE, reference=cases.reference(case))
    wanted = Extract.objects.create(case=case)
    ring_on_commit(BUILD, str(wanted.pk))
    return case


def _try_again(case: Case) -> None:
    """Let a build that was given up start over when the person asks once more."""
    failed = Extract.objects.filter(case=case, status=Extract.Status.FAILED)
    again = failed.update(
        status=Extract.Status.QUEUED, attempts=0, available_at=timezone.now(), lease=None
    )
    if again:
        ring_on_commit(BUILD, str(case.extract.pk))


# Building


@transaction.atomic
def take(extract_id: uuid.UUID, at: datetime) -> Extract | None:
    """Take an extract that waits under a lease of our own; None when somebody has it."""
    wanted = (
        Extract.objects.waiting(at)
        .filter(pk=extract_id)
        .select_related("case")
        .select_for_update(skip_locked=True, of=("self",))
        .first()
    )
    if wanted is None:
        return None
    wanted.attempts += 1
    wanted.lease = uuid.uuid4()
    wanted.available_at = at + LEASE
    wanted.save(update_fields=["attempts", "lease", "available_at"])
    if wanted.attempts == 1:
        CaseEvent.objects.create(case=wanted.case, kind=CaseEvent.Kind.STARTED, at=at)
        Case.objects.filter(pk=wanted.case_id, status=Case.Status.RECEIVED).update(
            status=Case.Status.WORKING
        )
    return wanted


@transaction.atomic
def take_back(case_id: int, *, actor: User | None = None) -> Case:
    """End a case its person takes back, and build nothing more for it."""
    case = cases.take_back(case_id, actor=actor)
    Extract.objects.filter(
        case=case, status__in=(Extract.Status.QUEUED, Extract.Status.FAILED)
    ).update(status=Extract.Status.GONE, gone_at=timezone.now(), lease=None)
    return case


def build(extract_id: uuid.UUID) -> bool:
    """Build one extract if nobody else does; say whether it is ready and ours."""
    wanted = take(extract_id, timezone.now())
    if wanted is None:
        return False
    if wanted.attempts > MOST_ATTEMPTS:
        _give_up(wanted)
        return False
    name = ""
    try:
        content = extract.collect(wanted.case.customer_id)
        pack, _page, _template = FILES[Case.Right(wanted.case.right)]
        packed = pack(content)
        name = vault.store(packed.data, wanted.pk)
        is_ours = _hand_out(wanted, name, packed, content.taken_at)
    except Exception as problem:  # bad data of one person must not stop the others (E10)
        log.warning(
            "Extract %s was not built at try %s: %s.",
            wanted.pk,
            wanted.attempts,
            type(problem).__name__,
        )
        vault.remove(name)
        _put_off(wanted)
        return False
    if not is_ours:
        vault.remove(name)
        log.warning("Extract %s was taken over by another worker meanwhile.", wanted.pk)
    return is_ours


@transaction.atomic
def _hand_out(wanted: Extract, name: str, packed: archive.Archive, snapshot_at: datetime) -> bool:
    """Make the file the person's, answer the case and tell them, if the lease is still ours."""
    # The person first, as whoever asks, erases or purges does (I04).
    Customer.objects.select_for_update().only("pk").get(pk=wanted.case.customer_id)
    mine = _still_ours(wanted).select_related("case__customer__user")
    found = mine.select_for_update(of=("self",)).first()
    if found is None:
        return False
    now = timezone.now()
    found.status = Extract.Status.READY
    found.lease = None
    found.file_name = name
    found.size = len(packed.data)
    found.sha256 = packed.sha256
    found.snapshot_at = snapshot_at
    found.ready_at = now
    found.expires_on = stockholm_date(now) + timedelta(days=settings.EXTRACT_DAYS)
    found.save()
    case = found.case
    CaseEvent.objects.create(case=case, kind=CaseEvent.Kind.BUILT, at=now)
    if case.closed_on is None:
        cases.answer(case, now, answers.render(case, Case.Outcome.GRANTED))
    older = Extract.objects.filter(
        case__customer_id=case.customer_id, case__right=case.right, status=Extract.Status.READY
    ).exclude(pk=found.pk)
    for replaced in older.select_for_update():
        take_away(replaced, now)
    _tell(found)
    return True


def _tell(ready: Extract) -> None:
    """Tell the person that it is ready, with a link and no word about them (K05)."""
    customer = ready.case.customer
    language = "en" if customer.language == "en" else "sv"
    with translation.override(language):
        last_day = words.full_day(ready.expires_on or today())
    _pack, page, template = FILES[Case.Right(ready.case.right)]
    cases.tell(
        ready.case, template, {"url": settings.SITE_URL + reverse(page), "last_day": last_day}
    )


def _put_off(wanted: Extract) -> None:
    if wanted.attempts >= MOST_ATTEMPTS:
        _give_up(wanted)
        return
    pause = FIRST_PAUSE * 2 ** (wanted.attempts - 1)
    _still_ours(wanted).update(lease=None, available_at=timezone.now() + pause)


@transaction.atomic
def _give_up(wanted: Extract) -> None:
    """Leave an extract for a human; its case stays open and its clock runs on (E10)."""
    if _still_ours(wanted).update(status=Extract.Status.FAILED, lease=None):
        CaseEvent.objects.create(case_id=wanted.case_id, kind=CaseEvent.Kind.FAILED)
        log.error("Extract %s could not be built; case %s waits.", wanted.pk, wanted.case_id)


def _still_ours(wanted: Extract) -> QuerySet[Extract]:
    return Extract.objects.filter(pk=wanted.pk, lease=wanted.lease, status=Extract.Status.QUEUED)


# Fetching


class GoneError(Exception):
    """The file is deleted: its days or its downloads are over."""


class NotReadyError(Exception):
    """The file is not here to be fetched yet."""


@transaction.atomic
def fetch(extract_id: uuid.UUID, customer: Customer) -> tuple[Extract, BinaryIO]:
    """Count a download and open the file; the last one deletes it (RUL-05).

    Raises Extract.DoesNotExist for somebody else's, GoneError and NotReadyError.
    """
    wanted = Extract.objects.select_for_update(of=("self",)).get(
        pk=extract_id, case__customer=customer
    )
    now = timezone.now()
    if wanted.status == Extract.Status.GONE or (
        wanted.expires_on is not None and wanted.expires_on < stockholm_date(now)
    ):
        raise GoneError
    if wanted.status != Extract.Status.READY:
        raise NotReadyError
    try:
        file = vault.path_of(wanted.file_name).open("rb")
    except FileNotFoundError as missing:
        # The sweeper has it built again.
        raise NotReadyError from missing
    wanted.downloads += 1
    wanted.save(update_fields=["downloads"])
    # No actor: the person's account goes before the case does.
    CaseEvent.objects.create(case_id=wanted.case_id, kind=CaseEvent.Kind.DOWNLOADED, at=now)
    if wanted.downloads >= settings.EXTRACT_DOWNLOADS:
        # What is open stays readable to whoever has it open.
        take_away(wanted, now)
    return wanted, file


def take_away(ready: Extract, at: datetime) -> None:
    """Take away a file that is locked: the row now, the file when that is certain."""
    name = ready.file_name
    ready.status = Extract.Status.GONE
    ready.gone_at = at
    ready.file_name = ""
    ready.save(update_fields=["status", "gone_at", "file_name"])
    CaseEvent.objects.create(case_id=ready.case_id, kind=CaseEvent.Kind.EXPIRED, at=at)
    transaction.on_commit(lambda: vault.remove(name))


# Keeping order


def reconcile() -> None:
    """Delete what has had its time, sweep, and ring for what waits (H09)."""
    expire()
    sweep()
    for waiting in Extract.objects.waiting(timezone.now()).order_by("available_at"):
        ring(BUILD, str(waiting.pk))


def expire() -> int:
    """Delete the files whose days are over; return how many."""
    done = 0
    for ready in Extract.objects.past_their_days(today()):
        with transaction.atomic():
            held = Extract.objects.select_for_update(skip_locked=True, of=("self",))
            current = held.past_their_days(today()).filter(pk=ready.pk).first()
            if current is not None:
                take_away(current, timezone.now())
                done += 1
    return done


def sweep() -> int:
    """Bring rows and files together: delete files no row knows, build anew what lost its file."""
    swept = 0
    names = set(Extract.objects.exclude(file_name="").values_list("file_name", flat=True))
    here = list(vault.folder().iterdir()) if vault.folder().is_dir() else []
    for path in here:
        old = time.time() - path.stat().st_mtime > ORPHAN_AFTER.total_seconds()
        if path.name not in names and old:
            path.unlink(missing_ok=True)
            swept += 1
    lost = names - {path.name for path in here}
    for name in lost:
        again = Extract.objects.filter(status=Extract.Status.READY, file_name=name).update(
            status=Extract.Status.QUEUED, attempts=0, available_at=timezone.now(), file_name=""
        )
        if again:
            log.error("The file of an extract was missing; it is built again.")
            swept += again
    if swept:
        log.warning("Swept %s extracts.", swept)
    return swept
