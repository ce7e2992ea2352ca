"""The purge's SQL, composed from the personal-data map: one text per table, two verbs.

The same WHERE serves the plan's SELECT and the night's DELETE or UPDATE, so that what is shown is
what happens. `due` holds the people of a batch: `gone`, the categories nothing keeps any more, and
`held`, those that a hold keeps past their own date; `asked` says that they asked to be erased.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import models

from consent.purposes import CATALOGUE
from customers.models import Session
from customers.personal_data import (
    EVERYTHING,
    RETURNED,
    RETURNED_HELD_BY,
    AtEnd,
    Category,
    Clock,
    OnErasure,
    PersonalData,
    mask,
    personal_models,
)
from retention.schedule import PERIOD

# The people of a batch are few of all there are, so every row is found by an index. The planner
# believes otherwise and would read tables whole, once a batch.
BY_INDEX = "set_config('enable_seqscan', 'off', TRUE)"

DUE = """
    due AS MATERIALIZED (
        SELECT c.id, c.pseudonym, c.user_id, x.gone, x.held,
               (c.erasure_on <= %(on)s) IS TRUE AS asked, c.erasure_on
          FROM unnest(%(ids)s::bigint[], %(gone)s::int[], %(held)s::int[]) AS x (id, gone, held)
          JOIN customers_customer c ON c.id = x.id
    )
"""


@dataclass(frozen=True)
class Table:
    """A model on the map as the purge sees it."""

    model: type[models.Model]
    data: PersonalData
    joins: tuple[str, ...]
    tie: str

    @property
    def name(self) -> str:
        return f'"{self.model._meta.db_table}"'

    @property
    def sources(self) -> str:
        """The tables beside the row's own, the people first."""
        return ", ".join(("due", *self.joins))

    @property
    def has_own_clock(self) -> bool:
        return self.data.clock is not Clock.SCHEDULE

    @property
    def last_day(self) -> str:
        """The column of the row's own last day, its parent's where the map says so."""
        return "j0.retain_until" if self.data.clock_of else "t.retain_until"

    @property
    def on_schedule(self) -> str:
        """The condition under which nothing keeps this person's rows any more."""
        return f"(due.gone & {self.data.mask}) <> 0"

    @property
    def goes_when_asked(self) -> bool:
        """Say whether an erasure takes the rows that are over, before their own day (RUL-02)."""
        return self.data.clock is Clock.OWN and self.data.on_erasure is OnErasure.GOES

    @property
    def own_date(self) -> str:
        """The condition under which a row is past its own last day, or asked away before it."""
        past = f"{self.last_day} < %(on)s"
        if self.goes_when_asked:
            past = f"({past} OR (due.asked AND {self.last_day} IS NOT NULL))"
        return f"({past} AND (due.held & {self.data.mask}) = 0)"

    @property
    def goes(self) -> str:
        """The condition under which a row is at its end."""
        at_its_end = {
            Clock.SCHEDULE: self.on_schedule,
            Clock.OWN: self.own_date,
            Clock.EARLIER: f"({self.on_schedule} OR {self.own_date})",
        }[self.data.clock]
        if not self.data.tells_of:
            return at_its_end
        along = " OR ".join(
            f"((due.gone & {way.value}) <> 0 AND {condition.format(row='t')})"
            for way, condition in self.data.tells_of.items()
        )
        return f"({at_its_end} OR (({along}) AND (due.held & {self.data.mask}) = 0))"

    @property
    def category_gone(self) -> str:
        """The category that a row's receipt is of; that of the way when a value came back."""
        for way in self.data.returned:
            if self.data.at_end is AtEnd.DELETE:
                return (
                    f"CASE WHEN {self.on_schedule} THEN {self.category.value} ELSE {way.value} END"
                )
        return f"{self.category.value}"

    @property
    def goes_wholly(self) -> str:
        """The condition under which a person keeps no row; rows are looked at only if need be.

        OFFSET 0 makes it one look into an index per person: the planner believes that few people
        are left by the other conditions and would read whole tables for each of them.
        """
        rows = f"SELECT FROM {', '.join((f'{self.name} t', *self.joins))} WHERE {self.tie}"
        past_their_date = f"NOT EXISTS ({rows} AND {self.own_date} IS NOT TRUE OFFSET 0)"
        return {
            Clock.SCHEDULE: f"({self.on_schedule} OR NOT EXISTS ({rows} OFFSET 0))",
            Clock.OWN: past_their_date,
            Clock.EARLIER: f"({self.on_schedule} OR {past_their_date})",
        }[self.data.clock]

    @property
    def category(self) -> Category:
        (only,) = self.data.columns
        return only


def _tie(model: type[models.Model], data: PersonalData) -> tuple[tuple[str, ...], str]:
    """Return the joins and the condition that tie a row `t` to a person of `due`."""
    if data.link:
        return (), data.link.format(row="t", person="due")
    if not data.path:
        return (), "t.id = due.id"
    hops: list[tuple[str, Any, str]] = []
    options: Any = model._meta
    for part in data.path.split("__"):
        for step in options.get_field(part).path_infos:
            ((here, there),) = step.join_field.get_joining_fields()
            hops.append((here.column, step.to_opts, there.column))
            options = step.to_opts
    joins: list[tuple[str, str]] = []
    alias = "t"
    while len(hops) > 1:
        (here, to, there), (next_here, next_to, next_there) = hops[0], hops[1]
        if there == next_here:
            # The middle table has the same key on both sides and drops out.
            hops[:2] = [(here, next_to, next_there)]
            continue
        joins.append((f'"{to.db_table}" j{len(joins)}', f"{alias}.{here} = j{len(joins)}.{there}"))
        alias = f"j{len(joins) - 1}"
        hops.pop(0)
    here, _, there = hops[0]
    conditions = [condition for _, condition in joins]
    conditions.append(f"{alias}.{here} = due.{there}")
    return tuple(table for table, _ in joins), " AND ".join(conditions)


@lru_cache(maxsize=1)
def mapped() -> tuple[Table, ...]:
    """Return every table on the map."""
    return tuple(Table(model, data, *_tie(model, data)) for model, data in personal_models())


@lru_cache(maxsize=1)
def tables() -> tuple[Table, ...]:
    """Return every table on the map that a purge touches, rows that merely unlink left out."""
    return tuple(table for table in mapped() if table.data.at_end is not AtEnd.UNLINK)


def deleted() -> Iterator[Table]:
    """Yield the tables whose rows are deleted with their category, the person's shell apart."""
    for table in tables():
        if table.data.at_end is AtEnd.DELETE and Category.SHELL not in table.data.columns:
            yield table


def _blank(column: Any) -> str:
    if column.null:
        return "NULL"
    if isinstance(column, models.BooleanField):
        return "FALSE"
    return "''"


def _blanked(table: Table) -> Iterator[tuple[Category, list[tuple[str, str]]]]:
    for category, names in table.data.columns.items():
        if category is not Category.SHELL:
            yield category, _blanks(table, names)


def _returned(table: Table) -> Iterator[tuple[Category, list[tuple[str, str]]]]:
    for way, names in table.data.returned.items():
        yield way, _blanks(table, names)


def _blanked_and_returned(table: Table) -> Iterator[tuple[Category, list[tuple[str, str]]]]:
    yield from _blanked(table)
    yield from _returned(table)


def _blanks(table: Table, names: Iterable[str]) -> list[tuple[str, str]]:
    columns: list[Any] = [table.model._meta.get_field(name) for name in names]
    return [(f'"{c.column}"', _blank(c)) for c in columns]


def _holds_something(row: str, columns: list[tuple[str, str]]) -> str:
    return "(" + " OR ".join(f"{row}.{c} IS DISTINCT FROM {v}" for c, v in columns) + ")"


def _has_more(table: Table) -> str:
    return " OR ".join(
        f"((due.gone & {category.value}) <> 0 AND {_holds_something('t', columns)})"
        for category, columns in _blanked_and_returned(table)
    )


def _blanking() -> Iterator[Table]:
    return (table for table in tables() if table.data.at_end is AtEnd.BLANK)


def _plan_rows() -> str:
    """Return the rows that would go: person, category, how many; several to a pair."""
    parts = [
        f"SELECT due.id AS person, {t.category_gone} AS category, count(*) AS n "
        f"FROM {t.name} t, {t.sources} WHERE {t.tie} AND {t.goes} GROUP BY 1, 2"
        for t in deleted()
    ]
    for t in _blanking():  # read once for all its categories
        holding = ", ".join(
            f"({category.value}, {_holds_something('t', columns)})"
            for category, columns in _blanked_and_returned(t)
        )
        parts.append(
            f"SELECT due.id, h.category, 1 FROM {t.name} t, {t.sources}, "
            f"LATERAL (VALUES {holding}) AS h (category, something) "
            f"WHERE {t.tie} AND h.something AND (due.gone & h.category) <> 0"
        )
    return "\nUNION ALL ".join(parts)


@lru_cache(maxsize=1)
def plan_sql() -> str:
    """Return the statement that says what would go: person, category, rows."""
    return (
        f"WITH {DUE}\nSELECT person, category, sum(n)::int FROM ({_plan_rows()}) AS all_rows "
        "GROUP BY 1, 2 ORDER BY 1, 2"
    )


def _rule_of(category: str) -> str:
    return (
        f"CASE {category} "
        + " ".join(f"WHEN {c.value} THEN '{p.rule}'" for c, p in PERIOD.items())
        + " END"
    )


# Of lines (subject, category, rule, n): people in all, then a row per category with its people,
# rows, lines and the two halves of the sum over their hashes. As a line has no backslash, its bytea
# is its text.
SUMS = """
    SELECT 0 AS category, count(DISTINCT subject), 0, 0, 0::numeric, 0::numeric FROM lines
    UNION ALL
    SELECT category, count(*), sum(n)::bigint, count(*),
           sum(substr(hash, 1, 8)::bigint), sum(substr(hash, 9, 8)::bigint)
      FROM (SELECT category, n,
                   sha256((subject || '|' || category || '|' || rule || '|' || n)::bytea) AS hash
              FROM lines OFFSET 0) AS hashed
     GROUP BY 1 ORDER BY 1
"""

DONE_SUMS = f"""
    WITH lines AS MATERIALIZED (
        SELECT subject, category, rule, sum(row_count) AS n
          FROM retention_receipt WHERE run_id = %(run)s AND (held_by <> '') = %(held)s
         GROUP BY 1, 2, 3
    ) {SUMS}
"""


@lru_cache(maxsize=1)
def plan_sums_sql() -> str:
    """Return the statement that sums the plan of people; %(vanishing)s lose their shell too."""
    return (
        f"WITH {DUE}, lines AS MATERIALIZED (\nSELECT due.pseudonym AS subject, category, "
        f"{_rule_of('category')} AS rule, sum(n) AS n FROM ({_plan_rows()}\nUNION ALL "
        f"SELECT id, {Category.SHELL.value}, 1 FROM unnest(%(vanishing)s::bigint[]) AS v (id)"
        f") AS all_rows JOIN due ON due.id = person GROUP BY 1, 2, 3) {SUMS}"
    )


@lru_cache(maxsize=1)
def inventory_sql() -> str:
    """Return the statement that counts what there is.

    Category, on schedule, own last day, the way whose value it is or tells of, the day that came
    back, rows.
    """
    parts = []
    for t in deleted():
        own = t.last_day if t.has_own_clock else "NULL::date"
        if t.goes_when_asked:
            asked = f"due.asked AND {own} >= due.erasure_on"
            own = f"CASE WHEN {asked} THEN due.erasure_on - 1 ELSE {own} END"
        scheduled = t.data.clock is not Clock.OWN
        way, back = _tells_of(t)
        parts.append(
            f"SELECT {t.category.value} AS category, {scheduled} AS on_schedule, {own} AS last, "
            f"{way} AS way, {back} AS back, count(*) AS n FROM {t.name} t, back, {t.sources} "
            f"WHERE {t.tie} AND back.id = due.id GROUP BY 3, 4, 5"
        )
        parts += [
            f"SELECT {way.value}, TRUE, NULL::date, {way.value}, t.{day}, 1 FROM {t.name} t, "
            f"{t.sources} WHERE {t.tie} AND t.{day} IS NOT NULL"
            for way, (day, *_) in t.data.returned.items()
        ]
    for t in _blanking():
        for category, columns in _blanked(t):
            way, back = "NULL::int", "NULL::date"
            if category is Category.ACCOUNT:
                way, back = f"{Category.RETURNED_EMAIL.value}", "back.account"
            if category is Category.CONTACT:
                way, back = f"{Category.RETURNED_EMAIL.value}", _all_of_it_came_back(t, columns)
            parts.append(
                f"SELECT {category.value}, TRUE, NULL::date, {way}, {back}, 1 "
                f"FROM {t.name} t, back, {t.sources} WHERE {t.tie} AND back.id = due.id "
                f"AND {_holds_something('t', columns)}"
            )
        parts += [
            f"SELECT {way.value}, TRUE, NULL::date, {way.value}, t.{day}, 1 FROM {t.name} t, "
            f"{t.sources} WHERE {t.tie} AND t.{day} IS NOT NULL"
            for way, (day, *_) in t.data.returned.items()
        ]
    parts.append(
        f"SELECT {Category.SHELL.value}, TRUE, NULL::date, NULL::int, NULL::date, 1 FROM due"
    )
    union = "\nUNION ALL ".join(parts)
    return (
        f"WITH {DUE}, {BACK}\nSELECT category, on_schedule, last, way, back, sum(n)::int "
        f"FROM ({union}) AS all_rows GROUP BY 1, 2, 3, 4, 5"
    )


# The days on which what was sent to the people of `due` came back, and that of their account.
BACK = """
    back AS MATERIALIZED (
        SELECT due.id, c.email_returned_on AS email, c.phone_returned_on AS phone,
               (SELECT a.returned_on FROM customers_address a
                 WHERE a.customer_id = due.id AND a.kind = 'home') AS home,
               CASE WHEN u.email = c.email THEN c.email_returned_on END AS account
          FROM due
          JOIN customers_customer c USING (id)
          LEFT JOIN customers_user u ON u.id = c.user_id
    )
"""


def _tells_of(table: Table) -> tuple[str, str]:
    """Return which way a row goes along with, and the day that way came back."""
    if table.data.columns.keys() == {Category.ACCOUNT}:
        return f"{Category.RETURNED_EMAIL.value}", "back.account"
    if not table.data.tells_of:
        return "NULL::int", "NULL::date"
    conditions = {way: sql.format(row="t") for way, sql in table.data.tells_of.items()}
    days = dict(zip(RETURNED, ("email", "phone", "home"), strict=True))
    way = " ".join(f"WHEN {sql} THEN {way.value}" for way, sql in conditions.items())
    back = " ".join(f"WHEN {sql} THEN back.{days[way]}" for way, sql in conditions.items())
    return f"CASE {way} END", f"CASE {back} END"


def _all_of_it_came_back(table: Table, columns: list[tuple[str, str]]) -> str:
    """Return the day on which the last of some columns came back; NULL while others are there."""
    left = dict(columns)
    some, days = [], []
    for names in table.data.returned.values():
        of_the_way = _blanks(table, names)
        for name, _ in of_the_way:
            left.pop(name, None)
        some.append(f"(t.{names[0]} IS NULL AND {_holds_something('t', of_the_way)})")
        days.append(f"t.{names[0]}")
    some.append(_holds_something("t", list(left.items())))
    return f"CASE WHEN NOT ({' OR '.join(some)}) THEN GREATEST({', '.join(days)}) END"


# A hold keeps something on this day.
HOLDING = "h.lifted_at IS NULL AND h.lapses_on >= %(on)s"


# The receipts that say of the people of `due` what is held, while it is. Looked up once and before
# any receipt is written: asked per receipt, each would wade through those of its own batch.
SAID_HELD = """
    said AS MATERIALIZED (
        SELECT f.subject, f.category, max(f.id) AS id
          FROM due JOIN retention_receipt f ON f.subject = due.pseudonym
         WHERE f.held_by <> '' AND NOT EXISTS (
               SELECT FROM retention_receipt g WHERE g.subject = f.subject
                  AND g.category = f.category AND g.id > f.id AND g.held_by = '')
         GROUP BY 1, 2
    )
"""


@lru_cache(maxsize=1)
def held_back_sql() -> str:
    """Return the statement that gives receipts of what would have gone and is held, once each.

    In `due`, `gone` is what only a hold keeps and `held` everything that no hold keeps, so that the
    rows of the plan are those that are held back.
    """
    restriction = "'restriction'"
    return (
        f"WITH {DUE}, {SAID_HELD}, lines AS MATERIALIZED (SELECT person, category, sum(n) AS n "
        f"FROM ({_plan_rows()}) AS all_rows GROUP BY 1, 2)\n"
        "INSERT INTO retention_receipt (subject, run_id, category, rule, row_count, at, held_by) "
        f"SELECT due.pseudonym, %(run)s, lines.category, {_rule_of('lines.category')}, lines.n, "
        "now(), COALESCE((SELECT min(h.ground) FROM retention_hold h WHERE h.customer_id = due.id "
        f"AND h.categories & {_held_as('lines.category')} <> 0 AND {HOLDING}), {restriction}) "
        "FROM lines JOIN due ON due.id = lines.person LEFT JOIN said "
        "ON said.subject = due.pseudonym AND said.category = lines.category "
        "WHERE said.id IS NULL ORDER BY 1, 3"
    )


@lru_cache(maxsize=1)
def purge_sql() -> str:
    """Return the statement that takes it all away and writes a receipt per person and category."""
    ctes, parts = [DUE, SAID_HELD], []
    for n, t in enumerate(deleted()):
        ctes.append(
            f"d{n} AS (DELETE FROM {t.name} t USING {t.sources} "
            f"WHERE {t.tie} AND {t.goes} RETURNING due.id AS person, {t.category_gone} AS category)"
        )
        parts.append(f"SELECT person, category FROM d{n}")
    for n, t in enumerate(_blanking()):
        goes_with: dict[tuple[str, str], int] = {}
        flags = []
        for category, columns in _blanked_and_returned(t):
            for column in columns:
                goes_with[column] = goes_with.get(column, 0) | category.value
            flags.append(
                f"((due.gone & {category.value}) <> 0 AND {_holds_something('old', columns)}) "
                f"AS c{category.value}"
            )
            parts.append(
                f"SELECT person, {category.value} AS category FROM b{n} WHERE c{category.value}"
            )
        sets = [
            f"{column} = CASE WHEN (due.gone & {by}) <> 0 THEN {blank} ELSE t.{column} END"
            for (column, blank), by in goes_with.items()
        ]
        ctes.append(
            f"b{n} AS (UPDATE {t.name} t SET {', '.join(sets)} FROM {t.sources} "
            f"WHERE {t.tie} AND ({_has_more(t)}) RETURNING due.id AS person, {', '.join(flags)})"
        )
    union = "\nUNION ALL ".join(parts)
    joined = ",\n".join(ctes)
    return (
        f"WITH {joined},\ncounts AS (SELECT person, category, count(*) AS n "
        f"FROM ({union}) AS all_rows GROUP BY 1, 2)\n"
        "INSERT INTO retention_receipt "
        "(subject, run_id, category, rule, row_count, at, follows_id) "
        f"SELECT due.pseudonym, %(run)s, counts.category, {_rule_of('counts.category')}, "
        "counts.n, now(), said.id FROM counts JOIN due ON due.id = counts.person LEFT JOIN said "
        "ON said.subject = due.pseudonym AND said.category = counts.category "
        "RETURNING category, rule, row_count"
    )


def _held_as(category: str) -> str:
    """Return the categories under whose hold another is: a value that came back is of its kind."""
    whens = " ".join(f"WHEN {way.value} THEN {by}" for way, by in RETURNED_HELD_BY.items())
    return f"CASE {category} {whens} ELSE {category} END"


# RUL-28: what a running relation, an open question or a debt keeps although it came back. No
# advertising does.
KEEP_RETURNED = tuple(p.code for p in CATALOGUE if p.mask & Category.CONTACT and not p.is_marketing)
WAYS = mask(*RETURNED)


def _kept_by() -> str:
    masks = ", ".join(
        f"('{p.code}', {p.mask | (WAYS if p.code in KEEP_RETURNED else 0)})" for p in CATALOGUE
    )
    return f"(VALUES {masks}) AS kept (purpose, mask)"


def _came_back(live: str, held: str) -> str:
    """Return the mask of what leaves because it came back, of `c`, with the account of an e-mail.

    Only while the others of its kind stay: else it goes with them.
    """
    email, phone, home = (way.value for way in RETURNED)
    contact, account = Category.CONTACT.value, Category.ACCOUNT.value

    def leaves(way: int, of: int) -> str:
        by = RETURNED_HELD_BY[Category(way)]
        return f"{live} & {way | of} = {of} AND {held} & {by} = 0"

    dead_email = f"c.email_returned_on < %(on)s AND {leaves(email, contact)}"
    return (
        f"(CASE WHEN {dead_email} THEN {email} | CASE WHEN EXISTS ("
        "SELECT FROM customers_user u WHERE u.id = c.user_id AND u.email = c.email) "
        f"THEN {account} ELSE 0 END ELSE 0 END "
        f"| CASE WHEN c.phone_returned_on < %(on)s AND {leaves(phone, contact)} "
        f"THEN {phone} ELSE 0 END "
        f"| CASE WHEN {leaves(home, Category.ADDRESS.value)} AND EXISTS ("
        "SELECT FROM customers_address a WHERE a.customer_id = c.id AND a.kind = 'home' "
        f"AND a.returned_on < %(on)s) THEN {home} ELSE 0 END)"
    )


# Grounds a to d of a restriction hold all of it, and of those only a claim when the person asks to
# be erased (RUL-18).
RESTRICTED = "(c.restriction = 'c' OR (c.restriction IN ('a', 'b', 'd') AND c.erasure_on IS NULL))"

# Field algebra: everything that no live purpose keeps goes, unless a hold keeps it (idea 5).
# Asked anew under the person's lock.
ALGEBRA = f"""
    SELECT c.id,
           {EVERYTHING & ~Category.SHELL.value} & ~live.mask & ~held.mask
               | {_came_back("live.mask", "held.mask")} AS gone,
           held.mask AS held
      FROM customers_customer c
      CROSS JOIN LATERAL (
           SELECT COALESCE(bit_or(kept.mask)::int, 0) AS mask
             FROM consent_processingrecord r JOIN {_kept_by()} ON kept.purpose = r.purpose
            WHERE r.customer_id = c.id AND r.ended_on IS NULL
              AND r.retain_until >= %(on)s) live
      CROSS JOIN LATERAL (
           SELECT CASE WHEN {RESTRICTED} THEN {EVERYTHING}
                       ELSE COALESCE(bit_or(h.categories)::int, 0) END AS mask
             FROM retention_hold h
            WHERE h.customer_id = c.id AND {HOLDING}) held
     WHERE c.id = ANY(%(ids)s)
     ORDER BY c.id
"""

# What would go of these people if no hold kept it.
UNHELD = f"""
    SELECT c.id, {EVERYTHING & ~Category.SHELL.value} & ~live.mask | {_came_back("live.mask", "0")}
      FROM customers_customer c
     CROSS JOIN LATERAL (
           SELECT COALESCE(bit_or(kept.mask)::int, 0) AS mask
             FROM consent_processingrecord r JOIN {_kept_by()} ON kept.purpose = r.purpose
            WHERE r.customer_id = c.id AND r.ended_on IS NULL
              AND r.retain_until >= %(on)s) live
     WHERE c.id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Source:
    """Where people fall due, to be walked in the order of its index: (day, customer)."""

    name: str
    rows: str  # FROM and WHERE
    day: str
    customer: str
    row: str = "t"  # what falls due

    def people(self, where: str = "TRUE") -> str:
        return f"SELECT {self.customer} FROM {self.rows} AND {where}"

    @property
    def next_batch(self) -> str:
        """The next people after (day, customer), each once per day."""
        return (
            f"SELECT DISTINCT {self.day} AS day, {self.customer} AS customer FROM {self.rows} "
            f"AND {self.day} >= %(day)s AND ({self.day}, {self.customer}) > (%(day)s, %(after)s) "
            "ORDER BY 1, 2 LIMIT %(size)s"
        )


def own_days() -> Iterator[tuple[str, str, str, Category]]:
    """Yield tables whose rows have a last day of their own: name, rows, column of the person, what.

    The rows are FROM and WHERE, those of somebody alone.
    """
    for table in tables():
        if not table.has_own_clock or table.data.clock_of:
            continue
        if "__" in table.data.path:
            people = ", ".join((f"{table.name} t", *table.joins, "customers_customer due"))
            yield table.name, f"{people} WHERE {table.tie}", "due.id", table.category
        else:
            column = table.model._meta.get_field(table.data.path).column  # type: ignore[union-attr]
            rows = f"{table.name} t WHERE t.{column} IS NOT NULL"
            yield table.name, rows, f"t.{column}", table.category


@lru_cache(maxsize=1)
def sources() -> tuple[Source, ...]:
    """Return every way to fall due: a purpose that is over, a row's own date."""
    found = [
        Source(
            "records",
            "consent_processingrecord r WHERE r.ended_on IS NULL AND r.retain_until < %(on)s",
            "r.retain_until",
            "r.customer_id",
            row="r",
        ),
    ]
    found.append(
        Source(
            "erasures",
            "customers_customer c WHERE c.erasure_on IS NOT NULL AND c.erasure_on <= %(on)s "
            "AND NOT (c.given_name = '' AND c.family_name = '')",
            "c.erasure_on",
            "c.id",
            row="c",
        )
    )
    found += [
        Source(name, f"{rows} AND t.retain_until < %(on)s", "t.retain_until", customer)
        for name, rows, customer, _category in own_days()
    ]
    return (*found, *_returns())


def _returns() -> Iterator[Source]:
    """Yield the ways that came back of whom nothing keeps them all the same (RUL-28)."""
    keepers = ", ".join(f"'{code}'" for code in KEEP_RETURNED)
    for table in tables():
        customer = "t.customer_id" if table.data.path else "t.id"
        for way, (day, *_) in table.data.returned.items():
            yield Source(
                way.name.lower(),
                f"{table.name} t WHERE t.{day} < %(on)s AND NOT EXISTS ("
                f"SELECT FROM consent_processingrecord k WHERE k.customer_id = {customer} "
                f"AND k.purpose IN ({keepers}) AND k.ended_on IS NULL "
                "AND k.retain_until >= %(on)s)",
                f"t.{day}",
                customer,
            )


@lru_cache(maxsize=1)
def due_sql() -> str:
    """Return the people among %(ids)s, or all when that is NULL, who fall due before %(on)s."""
    union = " UNION ".join(
        source.people(f"(%(ids)s::bigint[] IS NULL OR {source.customer} = ANY(%(ids)s))")
        for source in sources()
    )
    return f"SELECT DISTINCT customer_id FROM ({union}) AS found (customer_id) ORDER BY 1"


@lru_cache(maxsize=1)
def vanishing_sql() -> str:
    """Return the people among %(ids)s of whom nothing but the shell is left, before or after."""
    conditions = [t.goes_wholly for t in deleted()]
    for t in _blanking():
        kept = " OR ".join(
            f"((due.gone & {category.value}) = 0 AND {_holds_something('t', columns)})"
            for category, columns in _blanked(t)
        )
        conditions.append(
            f"NOT EXISTS (SELECT FROM {t.name} t WHERE {t.tie} AND ({kept}) OFFSET 0)"
        )
    return f"WITH {DUE} SELECT due.id FROM due WHERE {' AND '.join(conditions)}"


@lru_cache(maxsize=1)
def vanish_sql() -> str:
    """Return the statement that removes the shells of %(ids)s and writes their receipts."""
    ctes = [
        f"d{n} AS (DELETE FROM {t.name} t USING {t.sources} WHERE {t.tie})"
        for n, t in enumerate(
            t
            for t in tables()
            if t.data.at_end is AtEnd.DELETE and Category.SHELL in t.data.columns
        )
    ]
    joined = ",\n".join([DUE, *ctes])
    shell = Category.SHELL.value
    return (
        f"WITH {joined},\ngone AS (DELETE FROM customers_customer c USING due WHERE c.id = due.id "
        "RETURNING c.pseudonym)\n"
        "INSERT INTO retention_receipt (subject, run_id, category, rule, row_count, at) "
        f"SELECT pseudonym, %(run)s, {shell}, '{PERIOD[Category.SHELL].rule}', 1, now() FROM gone "
        "RETURNING category, rule, row_count"
    )


@lru_cache(maxsize=1)
def unnaming_sql() -> tuple[str, ...]:
    """Return the statements after which nothing says whom the people of `due` were (RUL-02).

    Their rows that are proof stay on the empty shell, under its pseudonym and a %(numbers)s that
    nobody has seen; invoices belong to nobody and are found by their own number (RUL-36).
    """
    found = [
        f"WITH {DUE} UPDATE {t.name} t SET customer_id = NULL FROM {t.sources} WHERE {t.tie} "
        f"AND (due.held & {t.data.mask}) = 0"
        for t in tables()
        if t.data.on_erasure is OnErasure.KEPT and not t.data.clock_of
    ]
    # The children of a row while it still has its words: their triggers ask for nothing else.
    for t in tables():
        if t.data.words:
            columns = [
                (t.model._meta.get_field(name).column, left)  # type: ignore[union-attr]
                for name, left in t.data.words.items()
            ]
            sets = ", ".join(
                f"\"{c}\" = CASE WHEN t.\"{c}\" = '' THEN '' ELSE '{left}' END"
                for c, left in columns
            )
            some = " OR ".join(f"t.\"{c}\" NOT IN ('', '{left}')" for c, left in columns)
            found.append(
                f"WITH {DUE} UPDATE {t.name} t SET {sets} FROM {t.sources} "
                f"WHERE {t.tie} AND ({some})"
            )
    found.append(
        f"WITH {DUE} UPDATE customers_customer c SET number = x.number, "
        "public_id = gen_random_uuid() "
        "FROM due JOIN unnest(%(ids)s::bigint[], %(numbers)s::text[]) AS x (id, number) "
        "ON x.id = due.id WHERE c.id = due.id"
    )
    return tuple(found)


@lru_cache(maxsize=1)
def ownerless_sql() -> tuple[tuple[str, str], ...]:
    """Return table and statement for rows past their date that belong to nobody (any more).

    Each takes %(most)s rows at once, and none that others of these still refer to.
    """
    statements, parts = [], set()
    for table in mapped():
        # Rows that live by a parent's date leave before a parent without owner.
        parent: Any = table.data.clock_of and table.model._meta.get_field(table.data.clock_of)
        if parent and parent.related_model._meta.get_field("customer").null:
            name, parents = table.model._meta.db_table, parent.related_model._meta.db_table
            parts.add(table.model)
            over = (
                f'EXISTS (SELECT FROM "{parents}" p WHERE p.id = t.{parent.column} '
                "AND p.customer_id IS NULL AND p.retain_until < %(on)s)"
            )
            statements.append((name, _some(name, over)))
    for model, data in personal_models():
        if data.clock is Clock.SCHEDULE or data.link or data.clock_of:
            continue
        column: Any = model._meta.get_field(data.path.split("__")[0])
        if data.at_end is AtEnd.UNLINK or column.null:
            name, target = model._meta.db_table, column.target_field.column
            over = "t.retain_until < %(on)s"
            if data.at_end is not AtEnd.UNLINK:
                over += (
                    f" AND (t.{column.column} IS NULL OR NOT EXISTS (SELECT FROM "
                    f"customers_customer c WHERE c.{target} = t.{column.column}))"
                )
            elif data.while_named:
                over += (
                    f" AND NOT EXISTS (SELECT FROM customers_customer c WHERE c.{target} = "
                    f"t.{column.column} AND (c.given_name <> '' OR c.family_name <> ''))"
                )
            over += "".join(_no_longer_referred_to(model, {model, *parts}))
            statements.append((name, _some(name, over)))
    sessions = Session._meta.db_table
    return (*statements, (sessions, _some(sessions, "t.expire_date < %(now)s")))


def _no_longer_referred_to(model: type[models.Model], by: set[Any]) -> Iterator[str]:
    for relation in model._meta.related_objects:
        field: Any = relation.field
        if relation.related_model in by and field.db_constraint:
            table = relation.related_model._meta.db_table
            yield f' AND NOT EXISTS (SELECT FROM "{table}" r WHERE r.{field.column} = t.id)'


def _some(table: str, condition: str) -> str:
    return (
        f'DELETE FROM "{table}" WHERE ctid = ANY(ARRAY(SELECT t.ctid FROM "{table}" t '
        f"WHERE {condition} LIMIT %(most)s))"
    )


@lru_cache(maxsize=1)
def left_sql() -> str:
    """Return why people who are due before %(on)s were left: reason and number of people."""
    return f"""
        SELECT reason, count(*) FROM (
            SELECT CASE WHEN {RESTRICTED} THEN 'restriction'
                        WHEN h.ground IS NOT NULL THEN 'hold: ' || h.ground
                        WHEN s.id IS NOT NULL THEN 'set aside'
                        ELSE 'due anew' END AS reason
              FROM ({due_sql()}) AS due (id)
              JOIN customers_customer c USING (id)
              LEFT JOIN retention_setaside s ON s.customer_id = c.id
              LEFT JOIN LATERAL (SELECT min(ground) AS ground FROM retention_hold h
                   WHERE h.customer_id = c.id AND {HOLDING}) h ON TRUE) AS people
         GROUP BY 1 ORDER BY 1
    """
