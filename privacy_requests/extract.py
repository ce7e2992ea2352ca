"""What a person is told on a request for access: everything on the map, from one snapshot.

`collect` reads the personal-data map in one read-only transaction, so that no two tables tell of
different moments (E15) and no table is forgotten (E02); `collection` asserts whose each row is.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from django.db import connection, models, transaction
from django.utils import translation

from consent.models import Event, Notice, PolicyVersion, ProcessingRecord
from customers.dates import FAR, NEVER, STOCKHOLM
from customers.models import Customer, User
from customers.personal_data import EVERYTHING, Category, column_label
from customers.rules import national_id
from privacy_requests.collection import NATIONAL_ID, Reader, read, readers
from privacy_requests.masking import NOTES, Mask, mask_for
from privacy_requests.models import Case
from privacy_requests.saying import chosen, said
from retention.models import Hold
from retention.rules import calendar


@dataclass(frozen=True)
class Column:
    """A column of a table as people read it."""

    key: str
    label: str
    category: Category
    # What the codes in it mean.
    meanings: dict[str, str]


@dataclass
class TableCopy:
    """All rows of one model that are the person's: as stored, and as said."""

    key: str
    name: str
    columns: list[Column]
    rows: list[dict[str, Any]] = field(default_factory=list)
    said: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Kept:
    """A category of the person's data and its last day; None as long as no end is known."""

    category: Category
    rows: int
    last_day: date | None
    held: bool


class Why(StrEnum):
    """Why something is not handed out (ACC-07)."""

    HASH = "hash"
    OTHERS = "others"


@dataclass(frozen=True)
class Withheld:
    """A column, or what in it is about others, that is not handed out."""

    table: str
    column: str
    label: str
    why: Why


@dataclass
class Content:
    """A person's data at one moment, with all that Article 15 asks for about it."""

    taken_at: datetime
    language: str
    customer: Customer
    policy_version: str
    tables: list[TableCopy]
    records: list[ProcessingRecord]
    kept: list[Kept]
    events: list[Event]
    withheld: list[Withheld]

    @property
    def wordings(self) -> list[Notice]:
        """The wordings the person was shown, each once, in the order they were."""
        found = {event.notice_id: event.notice for event in self.events if event.notice}
        return list(found.values())


def collect(customer_id: int) -> Content:
    """Copy everything about one person from one snapshot; raises Customer.DoesNotExist."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT now()")
        (taken_at,) = cursor.fetchone()
        customer = Customer.objects.select_related("user").get(pk=customer_id)
        language = "en" if customer.language == "en" else "sv"
        with translation.override(language):
            withheld: list[Withheld] = []
            tables = _copies(cursor, customer, withheld)
            records = ProcessingRecord.objects.filter(customer=customer).order_by("pk")
            events = Event.objects.filter(customer=customer).select_related("notice")
            policy = PolicyVersion.objects.order_by("-effective_on", "-pk").first()
            return Content(
                taken_at=taken_at,
                language=language,
                customer=customer,
                policy_version=policy.version if policy else "",
                tables=tables,
                records=list(records),
                kept=_kept(customer, tables),
                events=list(events),
                withheld=withheld,
            )


def _copies(cursor: Any, customer: Customer, withheld: list[Withheld]) -> list[TableCopy]:
    found = list(read(cursor, customer))
    related, mask = _related(found), mask_for(customer)
    return [_copy(reader, rows, customer, related, mask, withheld) for reader, rows in found]


@lru_cache(maxsize=2)
def _columns(language: str) -> list[list[Column]]:
    """Return the columns of every table as people read them in a language, made once."""
    with translation.override(language):
        return [
            [_column(reader.model, category, column) for category, column in reader.columns]
            for reader in readers()
        ]


def _column(model: type[models.Model], category: Category, column: Any) -> Column:
    meanings = {str(code): chosen(str(label)) for code, label in column.flatchoices if code != ""}
    return Column(column.name, column_label(model, column.name), category, meanings)


Related = dict[tuple[Any, Any], Any]


def _related(found: list[tuple[Reader, list[list[Any]]]]) -> Related:
    """Return the objects that relations point at, by model and key; accounts are only named."""
    wanted: dict[tuple[type[models.Model], str], set[Any]] = {}
    for reader, rows in found:
        for n, (_category, column) in enumerate(reader.columns):
            if column.is_relation and column.related_model is not User:
                keys = {row[n] for row in rows if row[n] is not None}
                target = column.target_field.name
                wanted.setdefault((column.related_model, target), set()).update(keys)
    return {
        (model, key): thing
        for (model, target), keys in wanted.items()
        if keys
        for key, thing in model._base_manager.in_bulk(keys, field_name=target).items()
    }


def _copy(
    reader: Reader,
    rows: list[list[Any]],
    customer: Customer,
    related: Related,
    mask: Mask,
    withheld: list[Withheld],
) -> TableCopy:
    columns = _columns(translation.get_language())[readers().index(reader)]
    copy = TableCopy(key=reader.key, name=str(reader.name), columns=columns)
    if rows:
        withheld += [
            Withheld(reader.key, column.name, column_label(reader.model, column.name), Why.HASH)
            for column in reader.sealed
        ]
    notes = NOTES.get(reader.key, frozenset())
    for n, (_category, column) in enumerate(reader.columns):
        if column.name in notes:
            masked = [mask.over(row[n]) if row[n] else row[n] for row in rows]
            if masked != [row[n] for row in rows]:
                withheld.append(Withheld(reader.key, column.name, columns[n].label, Why.OTHERS))
                for row, value in zip(rows, masked, strict=True):
                    row[n] = value
    for row in rows:
        values = [
            (column.name, _value(column, raw, customer, related))
            for (_category, column), raw in zip(reader.columns, row, strict=True)
        ]
        copy.rows.append({key: value.plain for key, value in values})
        copy.said.append({key: value.said for key, value in values})
    return copy


@dataclass(frozen=True)
class _Said:
    plain: Any
    said: str


NOTHING = _Said(None, "")


def _value(column: Any, raw: Any, customer: Customer, related: Related) -> _Said:
    if column.name == NATIONAL_ID:
        number = national_id(customer)
        return _Said(number or None, f"{number[:8]}-{number[8:]}" if number else "")
    if raw is None:
        return NOTHING
    if column.is_relation:
        if column.related_model is User:
            return _Said(True, said(column, True))
        thing = related[column.related_model, raw]
        words = thing.text if isinstance(thing, Notice) else str(thing)
        return _Said(words, words)
    return _Said(_plain(raw), said(column, raw))


def _plain(raw: Any) -> Any:
    """Return a value as JSON can hold it; a day that has no end is null."""
    if isinstance(raw, datetime):
        return raw.astimezone(STOCKHOLM).isoformat()
    if isinstance(raw, date):
        return raw.isoformat() if NEVER < raw < FAR else None
    if isinstance(raw, uuid.UUID):
        return str(raw)
    return raw


def _kept(customer: Customer, tables: list[TableCopy]) -> list[Kept]:
    """Return the last day of each category we hold, this request's own hold left out."""
    rows: Counter[Category] = Counter()
    for copy in tables:
        for row in copy.rows:
            rows.update({c.category for c in copy.columns if row[c.key] not in (None, "", False)})
    held = 0
    for hold in Hold.objects.filter(customer=customer, lifted_at=None).exclude(
        ground=Hold.Ground.CASE, reference__in=_own_references(customer)
    ):
        held |= hold.categories
    if customer.restriction in ("a", "b", "c", "d"):
        held = EVERYTHING
    last_days = {entry.category: max(entry.last_days) for entry in calendar(customer)}
    return [
        Kept(
            category,
            rows[category],
            last if (last := last_days.get(category, FAR)) < FAR else None,
            bool(held & category.value),
        )
        for category in Category
        if rows[category]
    ]


def _own_references(customer: Customer) -> list[str]:
    answered_by_a_file = (Case.Right.ACCESS, Case.Right.PORTABILITY)
    asked = Case.objects.filter(customer=customer, right__in=answered_by_a_file)
    return [f"case:{pk}" for pk in asked.values_list("pk", flat=True)]


def filled(copy: TableCopy) -> Iterator[Column]:
    """Yield the columns in which at least one row says something."""
    for column in copy.columns:
        if any(row[column.key] for row in copy.said):
            yield column
