"""What goes when, and why: the plan of a day, and a person's calendar. Nothing is written here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from consent.purposes import BY_CODE, Purpose
from consent.records import refresh
from customers.dates import FAR, NEVER, today
from customers.models import Customer, Order, Subscription
from customers.personal_data import EVERYTHING, RETURNED, RETURNED_HELD_BY, Category, mask
from retention import statements
from retention.models import Hold
from retention.schedule import PERIOD, Period

BATCH = 5000


@dataclass(frozen=True)
class PlanLine:
    """One category of one person that goes, with how many rows and the rule that says so."""

    customer_id: int
    category: Category
    rows: int

    @property
    def period(self) -> Period:
        return PERIOD[self.category]


def due(on: date, customer_ids: Sequence[int] | None = None) -> list[int]:
    """Return the people the night to `on` would take up, among those given or among all."""
    with connection.cursor() as cursor:
        ids = list(customer_ids) if customer_ids is not None else None
        cursor.execute(statements.due_sql(), {"on": on, "ids": ids})
        return [row[0] for row in cursor]


def algebra(on: date, customer_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (customer, categories nothing keeps, categories held) of each person, as masks."""
    with connection.cursor() as cursor:
        cursor.execute(statements.ALGEBRA, {"on": on, "ids": list(customer_ids)})
        return list(cursor.fetchall())


def held_back(on: date, rows: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return those of a batch who are held, turned round: what only a hold keeps of them.

    In the place of `held` stands all that no hold keeps, see `statements.held_back_sql`.
    """
    held = {row[0]: row[2] for row in rows if row[2]}
    if not held:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statements.UNHELD, {"on": on, "ids": list(held)})
        return [(pk, _held_of(unkept, held[pk]), EVERYTHING & ~held[pk]) for pk, unkept in cursor]


def _held_of(unkept: int, held: int) -> int:
    """Return what of a mask is held; a value that came back is when the others of its kind are."""
    ways = mask(*(way for way, by in RETURNED_HELD_BY.items() if held & by))
    return unkept & (held | ways)


def as_due(rows: Sequence[tuple[int, int, int]]) -> dict[str, Any]:
    """Return the parameters of a batch for the composed statements."""
    return {
        "ids": [row[0] for row in rows],
        "gone": [row[1] for row in rows],
        "held": [row[2] for row in rows],
    }


def vanishing(on: date, rows: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return those of a batch of whom nothing but the shell is left, before or after the night."""
    # A hold over a category of which nothing is left holds nothing, so it keeps no shell either.
    chosen = [row for row in rows if (row[1] | row[2]) & Category.IDENTITY and row[2] != EVERYTHING]
    if not chosen:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statements.vanishing_sql(), {"on": on, **as_due(chosen)})
        found = {row[0] for row in cursor}
    return [row for row in chosen if row[0] in found]


def plan(on: date, customer_ids: Sequence[int] | None = None) -> Iterator[PlanLine]:
    """Yield what the night to `on` would take, by the statement that the night itself runs."""
    people = due(on, customer_ids)
    for start in range(0, len(people), BATCH):
        yield from plan_for(on, people[start : start + BATCH])


def plan_for(on: date, due_people: Sequence[int]) -> Iterator[PlanLine]:
    """Yield what the night to `on` would take of people that `due` returned, in one statement."""
    rows = algebra(on, due_people)
    with connection.cursor() as cursor:
        cursor.execute(statements.plan_sql(), {"on": on, **as_due(rows)})
        found = cursor.fetchall()
    found += [(row[0], Category.SHELL.value, 1) for row in vanishing(on, rows)]
    for customer_id, category, count in found:
        yield PlanLine(customer_id, Category(category), count)


@dataclass
class CalendarEntry:
    """One category in a person's calendar; `last_days` gives rows per last day, FAR for open."""

    category: Category
    last_days: dict[date, int] = field(default_factory=dict)
    purposes: list[Purpose] = field(default_factory=list)
    held: bool = False
    # It has no end because of something open, not because the person is a customer.
    waits: bool = False

    @property
    def period(self) -> Period:
        return PERIOD[self.category]

    @property
    def rows(self) -> int:
        return sum(self.last_days.values())

    @property
    def until(self) -> date | None:
        """The last day of the last row; None as long as no end is known."""
        last = max(self.last_days)
        return None if last >= FAR or self.held else last

    @property
    def goes_on(self) -> date | None:
        """The day whose night takes the last of it."""
        return self.until + timedelta(days=1) if self.until else None

    def left_on(self, day: date) -> int:
        """Return how many rows are still here on a day."""
        if self.held:
            return self.rows
        return sum(n for last, n in self.last_days.items() if last >= day)


# A person's purposes, holds and rows read at once, so that they cannot drift apart.
_BELONGINGS = """
    SELECT 'row' AS what, i.category, i.on_schedule, i.last, i.way, i.back, i.n, '' AS purpose
      FROM ({inventory}) AS i (category, on_schedule, last, way, back, n)
    UNION ALL
    SELECT 'record', NULL, NULL, r.retain_until, NULL, NULL, NULL, r.purpose
      FROM consent_processingrecord r
     WHERE r.customer_id = %(id)s AND r.ended_on IS NULL
    UNION ALL
    SELECT 'hold', h.categories, NULL, NULL, NULL, NULL, NULL, ''
      FROM retention_hold h
     WHERE h.customer_id = %(id)s AND {holding}
"""


@dataclass(frozen=True)
class _Row:
    """Rows of a kind that go on one day; `way` and `came_back` when a value that did is theirs."""

    category: int
    on_schedule: bool
    own_date: date | None
    way: int
    came_back: date | None
    count: int


@dataclass
class _Belongings:
    """What was found of a person: rows, live purposes with their last day, a mask of holds."""

    rows: list[_Row] = field(default_factory=list)
    records: list[tuple[Purpose, date]] = field(default_factory=list)
    held: int = 0

    def keepers(self) -> dict[Category, list[Purpose]]:
        """Return the live purposes that keep or use each category."""
        found: dict[Category, list[Purpose]] = {}
        for purpose, last_day in self.records:
            if last_day > NEVER:
                for category in dict.fromkeys((*purpose.keeps, *purpose.uses)):
                    found.setdefault(category, []).append(purpose)
        return found

    def returned_kept_until(self) -> date:
        """Return the last day on which something keeps what came back all the same (RUL-28)."""
        keepers = statements.KEEP_RETURNED
        return max((last for p, last in self.records if p.code in keepers), default=date.min)

    def kept_until(self) -> dict[Category, date]:
        """Return the last day on which a purpose keeps each category."""
        found: dict[Category, date] = {}
        for purpose, last_day in self.records:
            for category in purpose.keeps:
                found[category] = max(found.get(category, last_day), last_day)
        return found


def _belongings(customer: Customer) -> _Belongings:
    found = _Belongings()
    sql = _BELONGINGS.format(inventory=statements.inventory_sql(), holding=statements.HOLDING)
    this: dict[str, int | list[int] | date] = {
        "id": customer.pk,
        "ids": [customer.pk],
        "gone": [0],
        "held": [0],
        "on": today(),
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, this)
        for what, category, on_schedule, last, way, back, count, purpose in cursor:
            if what == "record":
                found.records.append((BY_CODE[purpose], last))
            elif what == "hold":
                found.held |= category
            else:
                found.rows.append(_Row(category, on_schedule, last, way, back, count))
    if _holds_all(customer):
        found.held = EVERYTHING
    return found


def _holds_all(customer: Customer) -> bool:
    """Say whether a restriction holds all of a person; an erasure asked for leaves c (RUL-18)."""
    grounds = ("a", "b", "c", "d") if customer.erasure_on is None else ("c",)
    return customer.restriction in grounds


def calendar(customer: Customer) -> list[CalendarEntry]:
    """Return what we have of a person, by category, with the last day of every row."""
    found = _belongings(customer)
    kept, keepers = found.kept_until(), found.keepers()
    entries: dict[Category, CalendarEntry] = {}
    for row in found.rows:
        category = Category(row.category)
        of = RETURNED.get(category, category)
        entry = entries.setdefault(category, CalendarEntry(category))
        last = row.own_date or FAR
        if row.came_back and not found.held & RETURNED_HELD_BY[Category(row.way)]:
            last = min(last, max(row.came_back, found.returned_kept_until()))
        if row.on_schedule:
            last = min(last, kept.get(of, FAR if category is Category.SHELL else date.min))
        entry.last_days[last] = entry.last_days.get(last, 0) + row.count
        entry.purposes = keepers.get(of, [])
        entry.held = bool(found.held & RETURNED_HELD_BY.get(category, category.value))
    shell = entries.pop(Category.SHELL, None)
    if shell is not None:
        last_of_all = max((max(e.last_days) for e in entries.values()), default=date.min)
        shell.last_days = {last_of_all: shell.rows}
        shell.held = found.held == EVERYTHING or any(e.held for e in entries.values())
        entries[Category.SHELL] = shell
    if not any(purpose.code == "A" and last >= FAR for purpose, last in found.records):
        for entry in entries.values():
            entry.waits = max(entry.last_days) >= FAR
    return sorted(entries.values(), key=lambda e: e.category.value)


def calendar_if_erased(customer: Customer, *, released: str = "") -> list[CalendarEntry]:
    """Return the calendar as it would be if the person asked today that all goes (RUL-02).

    As in `calendar_if_ended` all of it is taken back; `released` is the reference of a hold that
    holds nothing then.
    """
    with transaction.atomic():
        locked = Customer.objects.select_for_update().get(pk=customer.pk)
        if released:
            holds = Hold.objects.filter(customer=locked, reference=released)
            holds.filter(lifted_at__isnull=True).update(lifted_at=timezone.now())
        locked.erasure_on = locked.erasure_on or today()
        locked.save(update_fields=["erasure_on"])
        refresh([locked.pk])
        entries = calendar(locked)
        transaction.set_rollback(True)
    return entries


def calendar_if_ended(customer: Customer, on: date) -> list[CalendarEntry]:
    """Return the calendar as it would be if the relation ended that day; nothing is kept of it.

    The real facts are changed, the real projection runs, and all of it is taken back: what the
    person is shown cannot differ from what would happen.
    """
    with transaction.atomic():
        # The person first, as the purge does, so that the two never wait for each other (I04).
        Customer.objects.select_for_update().only("pk").get(pk=customer.pk)
        running = Subscription.objects.filter(customer=customer)
        running.filter(Q(ended_on__isnull=True) | Q(ended_on__gt=on)).update(
            ended_on=Greatest(F("started_on"), Value(on))
        )
        Order.objects.open().filter(customer=customer).update(
            delivered_on=Greatest(F("ordered_on"), Value(on))
        )
        refresh([customer.pk])
        entries = calendar(customer)
        transaction.set_rollback(True)
    return entries
