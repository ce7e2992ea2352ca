"""The log of erasures outside the database and its backups (ERA-05, ERA-08, L02).

One file per transaction that erased people: who (a pseudonym), what (categories as a mask), by
which rules, when. It is on the disk before the transaction commits, as a seal is, under a name that
says `begun`; afterwards it is called `done`. The other order could forget an erasure: a crash right
after the commit would leave no word of it outside, and the next restore would bring the people
back. This order can only say too much, after a crash right before the commit, and that is cleared
up: whoever finds a file that is still `begun` writes the batch's row in its place, which waits for
a transaction that is under way and makes one that is lost impossible (`settle`).
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from disclosures import files
from retention.marks import ErasureBatch
from retention.schedule import PERIOD

BEGUN, DONE = ".begun", ".done"
# Backups are kept for 35 days at most; a file has nothing to say to a backup younger than itself.
LONGEST = timedelta(minutes=10)  # far above the longest transaction of a purge
KEEP_FILES, KEEP_ROWS = timedelta(days=60), timedelta(days=90)

NOTE = """
    WITH batch AS (INSERT INTO retention_erasurebatch (id, at, is_void) VALUES (%s, %s, FALSE))
    SELECT id, pseudonym, erasure_on IS NOT NULL FROM customers_customer WHERE id = ANY(%s)
"""
# What the last number of a line says: nothing is left of the person; they asked for it.
WHOLLY, ASKED = 1, 2


@dataclass(frozen=True)
class Erased:
    """What was erased of one person; `is_wholly` when nothing was left of them."""

    pseudonym: uuid.UUID
    categories: int
    is_wholly: bool
    was_asked: bool


@dataclass
class BatchLog:
    """The file of one transaction while it is being written."""

    on: date
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    at: datetime = field(default_factory=timezone.now)
    pseudonyms: dict[int, uuid.UUID] = field(default_factory=dict)
    # Those who asked to be erased (RUL-02).
    asked: set[int] = field(default_factory=set)
    is_written: bool = False

    def note(self, customer_ids: Sequence[int]) -> None:
        """Write the batch's row and learn the pseudonyms, while the people are still there."""
        with connection.cursor() as cursor:
            cursor.execute(NOTE, [self.id, self.at, list(customer_ids)])
            found = cursor.fetchall()
        self.pseudonyms = {person: pseudonym for person, pseudonym, _ in found}
        self.asked = {person for person, _, has_asked in found if has_asked}

    def write(self, gone: Iterable[tuple[int, int]], wholly: Iterable[int]) -> None:
        """Put the file on the disk, as the last thing before the commit.

        `gone` gives (customer, categories), `wholly` the customers of whom nothing is left.
        """
        left = set(wholly)
        lines = [
            f"{self.pseudonyms[person]} {categories} "
            f"{WHOLLY * (person in left) | ASKED * (person in self.asked)}"
            for person, categories in gone
            if categories
        ]
        if lines:
            head = {"at": self.at.isoformat(), "on": self.on.isoformat(), "rules": RULES}
            text = "\n".join([json.dumps(head), *lines]) + "\n"
            files.write(folder() / f"{self.id}{BEGUN}", text.encode())
            self.is_written = True


RULES = {str(category.value): period.rule for category, period in PERIOD.items()}


@contextmanager
def logged(on: date) -> Iterator[BatchLog]:
    """Log what the transaction inside erases; around it, so that it ends after the commit.

    A transaction that fails leaves a file that is begun: only the database knows its outcome.
    """
    batch = BatchLog(on)
    yield batch
    if batch.is_written:
        confirm(batch.id)


def settle() -> None:
    """Clear up what crashes left, and forget what no backup is old enough to need.

    Never on a database that was restored: there a missing row means that the erasure is lost.
    """
    for path in sorted(folder().glob(f"*{BEGUN}")):
        batch = uuid.UUID(path.stem)
        _, is_new = _claim(batch)
        if is_new:
            path.unlink(missing_ok=True)
        elif ErasureBatch.objects.filter(pk=batch, is_void=False).exists():
            confirm(batch)
        else:
            path.unlink(missing_ok=True)
    now = timezone.now()
    # What is half-written stays so when whoever wrote it was killed.
    for ending, kept in ((DONE, KEEP_FILES), (files.PARTIAL, LONGEST)):
        for path in folder().glob(f"*{ending}"):
            if path.stat().st_mtime < (now - kept).timestamp():
                path.unlink(missing_ok=True)
    ErasureBatch.objects.filter(at__lt=now - KEEP_ROWS).delete()


def _claim(batch: uuid.UUID) -> tuple[ErasureBatch, bool]:
    """Take the place of a batch's row, after whoever is writing it has ended."""
    return ErasureBatch.objects.get_or_create(pk=batch, defaults={"is_void": True})


def confirm(batch: uuid.UUID) -> None:
    """Give a file the name that says its transaction is committed."""
    begun = folder() / f"{batch}{BEGUN}"
    if begun.exists():
        begun.replace(begun.with_suffix(DONE))


@dataclass(frozen=True)
class Logged:
    """A file of the log as it is read back."""

    id: uuid.UUID
    at: datetime
    on: date
    rules: dict[int, str]
    people: tuple[Erased, ...]


def batches(*endings: str) -> Iterator[uuid.UUID]:
    """Yield the batches that have a file, those that are done unless told otherwise."""
    for ending in endings or (DONE,):
        for path in folder().glob(f"*{ending}"):
            yield uuid.UUID(path.stem)


def read(batch: uuid.UUID) -> Logged:
    """Read the file of a batch."""
    path = folder() / f"{batch}{DONE}"
    if not path.exists():
        path = path.with_suffix(BEGUN)
    first, *lines = path.read_text().splitlines()
    head: dict[str, Any] = json.loads(first)
    people = (line.split() for line in lines)
    return Logged(
        id=batch,
        at=datetime.fromisoformat(head["at"]),
        on=date.fromisoformat(head["on"]),
        rules={int(category): rule for category, rule in head["rules"].items()},
        people=tuple(
            Erased(uuid.UUID(p), int(c), bool(int(how) & WHOLLY), bool(int(how) & ASKED))
            for p, c, how in people
        ),
    )


def lost() -> list[uuid.UUID]:
    """Return the batches that are done and that this database knows nothing of."""
    return unknown(batches())


def unknown(found: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Return those of some batches that have no row."""
    ids = list(found)
    if not ids:
        return []
    known = set(ErasureBatch.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return [batch for batch in ids if batch not in known]


def folder() -> Path:
    """Return the folder of the log; it belongs on storage that no backup of the database is on."""
    return Path(settings.ERASURES_DIR)
