"""A database that was restored: how it is known, that it serves nobody, and how it is made good.

Outside the database and its backups lie the log of erasures (`retention.erasure`), the noes beside
the seals (`consent.refusals`) and a mark: a number that rises every minute, inside first. A
database that is behind any of them has forgotten something that happened: people would come back,
a no would be disobeyed, old mail would go out again. Until `manage.py restore_gate` has made it
good, the web answers 503 and no task runs (ERA-05, L02, L03, invariant 6).
"""

import json
import logging
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from consent import refusals, seals
from consent.ledger import append
from consent.models import Event, Seal
from consent.purposes import CATALOGUE
from consent.refusals import No
from consent.standing import limits
from customers import contact_points
from customers.dates import stockholm_date
from customers.models import Customer, Session
from customers.personal_data import Category
from disclosures import files
from disclosures.models import Outbox
from retention import erasure, statements
from retention.erasure import Logged
from retention.marks import ErasureBatch, Mark
from retention.rules import as_due, vanishing
from retention.unnaming import nameless, unname

log = logging.getLogger(__name__)

Kind = Event.Kind
LOOK_EVERY = 5.0  # seconds between two looks of a process that serves
AT_A_TIME = 5000
ONLY = 1  # the key of the mark


class RestoredError(Exception):
    """The database was restored and has not been made good."""

    def __str__(self) -> str:
        return (
            f"The database was restored: {self.args[0]}. Run manage.py restore_gate as its owner "
            "before anything serves."
        )


class NotTheOwnerError(Exception):
    """The role may not make a restored database good; the message says what to do."""


# How it is known


def beat() -> None:
    """Raise the mark, inside and then outside; raises RestoredError on a restored database."""
    try:
        demand_whole()
    except RestoredError as why:
        files.write(_shut(), f"{why.args[0]}\n".encode())
        raise
    Mark.objects.get_or_create(pk=ONLY)
    Mark.objects.filter(pk=ONLY).update(number=F("number") + 1, at=timezone.now())
    _mark_outside(Mark.objects.values_list("number", flat=True).get(pk=ONLY))


def demand_whole() -> None:
    """Raise RestoredError if anything that is known outside is missing inside."""
    why = missing()
    if why:
        raise RestoredError(why)


def missing() -> str:
    """Say what this database lacks of what is known outside; "" when nothing is missing."""
    lost = erasure.lost()
    return _behind() or (f"{len(lost)} erased batches are not in it" if lost else "")


def _behind() -> str:
    """Say what is missing as far as a glance tells, whatever there is; see `missing`."""
    outside = marked_outside()
    inside = Mark.objects.filter(pk=ONLY).values_list("number", flat=True).first() or 0
    if inside < outside:
        return f"its mark is {inside}, outside it is {outside}"
    number = (Seal.objects.aggregate(newest=Max("number"))["newest"] or 0) + 1
    while (head := seals.head(number)) is not None:
        newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
        if newest < head.last_event:
            return f"its ledger ends at entry {newest}, seal {number} at {head.last_event}"
        number += 1
    return _shut().read_text().strip() if _shut().exists() else ""


def _shut() -> Path:
    """Return the file by which whoever looks thoroughly tells whoever only glances."""
    return erasure.folder() / "shut"


_looks: dict[str, float] = {}  # when this process last found nothing missing


def demand_open() -> None:
    """Do as `demand_whole` at a glance, at most every few seconds: for whatever serves."""
    looked_at = _looks.get("whole")
    if looked_at is None or time.monotonic() - looked_at > LOOK_EVERY:
        why = _behind()
        if why:
            raise RestoredError(why)
        _looks["whole"] = time.monotonic()


def forget_the_last_look() -> None:
    """Look again the next time, as a process does that has just started."""
    _looks.clear()


def marked_outside() -> int:
    """Return the mark outside, 0 before the first."""
    try:
        return int((erasure.folder() / "mark").read_text())
    except FileNotFoundError:
        return 0


def _mark_outside(number: int) -> None:
    if number > marked_outside():
        files.write(erasure.folder() / "mark", f"{number}\n".encode())


# How it is made good


@dataclass
class Done:
    """What the gate did; counts only, and the numbers of ledger entries."""

    why: str
    restored_to: str
    noes: int = 0
    noes_of_nobody: int = 0
    batches: int = 0
    people_erased: int = 0
    people_gone_wholly: int = 0
    people_unknown: int = 0
    rows_erased: int = 0
    messages_stopped: int = 0
    campaigns_stopped: int = 0
    erasures_to_think_over: int = 0
    sessions_ended: int = 0
    seals_set_aside: int = 0


def make_good() -> Done | None:
    """Replay what the database lacks and open the gate; None when nothing is missing.

    One transaction, and what follows it is done again if it was cut off: the batches that are
    replayed get their rows, the noes their numbers, so that nothing is replayed twice. Raises
    NotTheOwnerError.
    """
    why = missing()
    if not why:
        return None
    _demand_owner()
    at = timezone.now()
    with transaction.atomic():
        done = Done(why, _restored_to())
        _numbers_of_their_own()
        _replay_noes(done)
        for batch in _lost_batches():
            _replay_erasure(batch, done)
        _stop_old_mail(at, done)
        _think_again(at, done)
        done.sessions_ended, _ = Session.objects.all().delete()
    name = f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    newest = Seal.objects.aggregate(newest=Max("number"))["newest"] or 0
    done.seals_set_aside = seals.move_aside(newest, f"restored-{name}")
    report = json.dumps({"at": at.isoformat(), **asdict(done)}, indent=2)
    files.write(erasure.folder() / f"restored-{name}.json", report.encode())
    _open()
    log.warning("The database was made good after a restore: %s", asdict(done))
    return done


def _demand_owner() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_sequence_privilege(pg_get_serial_sequence(%s, 'id'), 'UPDATE')",
            [Event._meta.db_table],
        )
        if not cursor.fetchone()[0]:
            raise NotTheOwnerError("Run restore_gate with the owner's address in DATABASE_URL.")


def _restored_to() -> str:
    found = Mark.objects.filter(pk=ONLY).values_list("at", flat=True).first()
    return found.isoformat() if found else ""


def _numbers_of_their_own() -> None:
    """Let no new entry of the ledger take the number of one that is lost: receipts name them."""
    head = seals.head(seals.last_number())
    if head is not None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), "
                "GREATEST(%s, (SELECT max(id) FROM consent_event)))",
                [Event._meta.db_table, head.last_event],
            )


def _replay_noes(done: Done) -> None:
    """Say every no again that was said since the backup (L03)."""
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    lost = list(refusals.after(newest))
    for no in lost:
        if no.kind == Kind.UNRESTRICTED or (no.kind == Kind.RESTRICTED and _is_lifted(no, lost)):
            continue
        customer = Customer.objects.filter(pseudonym=no.subject).first()
        if customer is None:
            done.noes_of_nobody += 1
        else:
            _say_again(customer, no)
            done.noes += 1


def _is_lifted(no: No, lost: list[No]) -> bool:
    """Say whether a limit was lifted after it was set, by whose word it falls to (RES-03)."""
    since = [
        Event(kind=n.kind, ground=n.ground, authority=n.authority)
        for n in lost
        if n.pseudonym == no.pseudonym and n.number >= no.number
    ]
    return no.ground not in limits(since)


def _say_again(customer: Customer, no: No) -> None:
    """Write a no down anew; a yes it took back may be lost as well, so it is an objection."""
    append(
        customer,
        Kind.OBJECTED if no.kind == Kind.CONSENT_WITHDRAWN else no.kind,
        purpose=no.purpose,
        channel=no.channel,
        third_party=no.third_party,
        ground=no.ground,
        collected=no.collected,
        authority=no.authority,
        evidence=f"Post {no.number} i liggaren före återställningen.",
        at=no.said_at,
    )
    if not no.purpose and not no.channel and no.kind != Kind.RESTRICTED:
        contact_points.suppress({customer.pk: stockholm_date(no.said_at)})


def _lost_batches() -> Iterable[Logged]:
    """Return what was erased since the backup, in its order.

    A file that is still begun counts unless the database has come further since: then its
    transaction would be in it, and is not.
    """
    found = [erasure.read(batch) for batch in erasure.lost()]
    reached = Mark.objects.filter(pk=ONLY).values_list("at", flat=True).first()
    begun = map(erasure.read, erasure.unknown(erasure.batches(erasure.BEGUN)))
    found += [b for b in begun if reached is None or b.at + erasure.LONGEST > reached]
    return sorted(found, key=lambda batch: batch.at)


def _replay_erasure(batch: Logged, done: Done) -> None:
    """Erase again what a batch erased, whatever the restored facts say of it."""
    known = dict(
        Customer.objects.filter(pseudonym__in=[p.pseudonym for p in batch.people]).values_list(
            "pseudonym", "pk"
        )
    )
    done.batches += 1
    done.people_unknown += len(batch.people) - len(known)
    here = [p for p in batch.people if p.pseudonym in known]
    rows = [(known[p.pseudonym], p.categories, 0) for p in here]
    wholly = {known[p.pseudonym] for p in here if p.is_wholly}
    on_request = {known[p.pseudonym] for p in here if p.was_asked}
    for start in range(0, len(rows), AT_A_TIME):
        part = rows[start : start + AT_A_TIME]
        with connection.cursor() as cursor:
            _end_what_keeps(cursor, batch, part)
            asked = {row[0] for row in part} & on_request
            cursor.execute(
                "UPDATE customers_customer SET erasure_on = COALESCE(erasure_on, %s) "
                "WHERE id = ANY(%s)",
                [batch.on, list(asked)],
            )
            params: dict[str, Any] = {"on": batch.on, "run": None}
            cursor.execute(statements.purge_sql(), {**params, **as_due(part)})
            done.rows_erased += sum(count for _category, _rule, count in cursor)
            leaving = vanishing(batch.on, [row for row in part if row[0] in wholly])
            if leaving:
                cursor.execute(statements.vanish_sql(), {**params, **as_due(leaving)})
        unname(batch.on, nameless(part, asked, leaving))
        done.people_erased += len(part)
        done.people_gone_wholly += len(leaving)
    ErasureBatch.objects.create(pk=batch.id, at=batch.at)


def _end_what_keeps(cursor: Any, batch: Logged, rows: list[tuple[int, int, int]]) -> None:
    """End the purposes and lift the holds that were over when the batch erased what they keep."""
    masks = ", ".join(f"('{p.code}', {p.mask})" for p in CATALOGUE)
    gone = {"on": batch.on, "ids": [row[0] for row in rows], "gone": [row[1] for row in rows]}
    cursor.execute(
        "UPDATE consent_processingrecord r SET ended_on = %(on)s "
        f"FROM (VALUES {masks}) AS kept (purpose, mask), "
        "unnest(%(ids)s::bigint[], %(gone)s::int[]) AS x (id, gone) "
        "WHERE r.customer_id = x.id AND kept.purpose = r.purpose AND r.ended_on IS NULL "
        # The account went with an e-mail that came back, and ended no purpose (RUL-28).
        f"AND kept.mask & x.gone & CASE WHEN x.gone & {Category.RETURNED_EMAIL.value} <> 0 "
        f"THEN ~{Category.ACCOUNT.value} ELSE ~0 END <> 0",
        gone,
    )
    cursor.execute(
        "UPDATE retention_hold h SET lifted_at = now() "
        "FROM unnest(%(ids)s::bigint[], %(gone)s::int[]) AS x (id, gone) "
        "WHERE h.customer_id = x.id AND h.categories & x.gone <> 0 AND h.lifted_at IS NULL",
        gone,
    )


def _stop_old_mail(at: datetime, done: Done) -> None:
    """Stop whatever waits: all of it is older than the restore, and may have left long ago (L03).

    The campaigns that were running, too; they belong to a room above this one.
    """
    done.messages_stopped = Outbox.objects.filter(status=Outbox.Status.QUEUED).stop(at)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE marketing_campaign SET status = 'stopped', finished_at = %s, "
            "leased_until = NULL WHERE status = 'running'",
            [at],
        )
        done.campaigns_stopped = cursor.rowcount


def _think_again(at: datetime, done: Done) -> None:
    """Let the time to change one's mind begin anew: somebody may have, and that is lost (A20).

    Erasures belong to a room above this one.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE privacy_requests_erasure SET until = %s WHERE taken_back_at IS NULL "
            "AND released_at IS NULL",
            [at + timedelta(hours=72)],
        )
        done.erasures_to_think_over = cursor.rowcount


def _open() -> None:
    """Let the mark inside be the higher one again, and settle what is left of the log."""
    Mark.objects.update_or_create(
        pk=ONLY, defaults={"number": marked_outside() + 1, "at": timezone.now()}
    )
    _mark_outside(Mark.objects.values_list("number", flat=True).get(pk=ONLY))
    _shut().unlink(missing_ok=True)
    for batch in list(erasure.batches(erasure.BEGUN)):
        if ErasureBatch.objects.filter(pk=batch, is_void=False).exists():
            erasure.confirm(batch)
    erasure.settle()
    forget_the_last_look()
