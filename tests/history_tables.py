"""Generated histories in the database, set-wise: what became known until a night, by COPY.

What people said and what stands is worked out by the ledger's own replay, once per script; records
are the product's. Keys are those of the histories, so that each row is found again.
"""

import io
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

from consent import records
from consent.models import Event, Notice, Standing
from consent.purposes import Use
from consent.standing import State, replay, stops
from customers.dates import FAR, NEVER
from customers.debts import reckon_interruptions
from customers.models import Customer, InvoiceSeries
from tests.histories import FISCAL_YEARS, KEYS, STOCKHOLM, Act, Life, Row
from tests.oracles import retention as law

# Tables that get rows of somebody whose details are gone: what is booked, looked up and held.
OF_A_SHELL = ("customers_accesslog", "disclosures_outbox")
SYMBOLIC = date(2000, 1, 1)
EVIDENCE = "Ja på sidan Mina val"
PROVEN = ("yes", "soft")  # what is written with the words behind it
KEY_OF = {"customers_session": "session_key", "consent_eventdetail": "event_id"}
BATCH = 5000
STANDING = "consent_standing"


# The columns of a person that go with each category, as what says that something is there.
COLUMNS = {
    "identity": (
        "given_name <> ''",
        "family_name <> ''",
        "birth_date IS NOT NULL",
        "adult_confirmed_on IS NOT NULL",
        "protection <> ''",
        "deceased_on IS NOT NULL",
        "language <> ''",
    ),
    "email": ("email <> ''", "email_returned_on IS NOT NULL"),
    "phone": ("phone <> ''", "phone_returned_on IS NOT NULL", "nix_phone IS NOT NULL"),
    "contact": ("nix_post IS NOT NULL",),
    "account": ("user_id IS NOT NULL",),
    "number": ("national_id_sealed IS NOT NULL", "national_id_used_on IS NOT NULL"),
}


class World:
    """People, brought from night to night."""

    def __init__(self, lives: Sequence[Life]) -> None:
        self.lives = list(lives)
        self.alive = {life.person: life for life in lives}
        self.ever: set[Any] = set()
        self.erased: set[int] = set()
        # Who has something of each kind, of what is kept in the person's own row and as standings.
        self.left: dict[str, set[Any]] = {name: set() for name in (*COLUMNS, STANDING)}
        # What has been written of each table and is still there, as far as we know.
        self.written: dict[str, dict[Any, tuple[Life, Row]]] = defaultdict(dict)
        self.invoices: dict[int, Row] = {}
        self.referring: dict[int, list[Row]] = defaultdict(list)
        self.interruptions: dict[int, list[Row]] = defaultdict(list)
        self.until = date.min
        self._entry = KEYS

    def lay(self) -> None:
        """Write what people stand on: products, fiscal years, somebody of staff."""
        with transaction.atomic(), connection.cursor() as cursor:
            _without_asking(cursor)
            cursor.execute(
                "INSERT INTO customers_product (id, code, name, similar_group) VALUES "
                "(1, 'borsthuvud', 'Borsthuvud', 'munvard'), (2, 'tandkram', 'Tandkräm', 'munvard')"
            )
            cursor.executemany(
                "INSERT INTO customers_fiscalyear (starts_on, ends_on) VALUES (%s, %s)",
                FISCAL_YEARS,
            )
            cursor.execute(
                "INSERT INTO customers_user (id, password, is_superuser, email, is_active, "
                "is_staff, created_at) VALUES (%s, '!', FALSE, 'p@example.se', TRUE, TRUE, now())",
                [KEYS - 1],
            )
        self.customer_type = ContentType.objects.get_for_model(Customer).pk
        notice = Notice.objects.filter(collected="web", language="sv").order_by("pk").first()
        assert notice is not None
        self.notice = notice.pk

    def bring_to(self, night: date) -> None:
        """Write what became known after the last night and until this one."""
        new: dict[str, list[tuple[Life, Row]]] = defaultdict(list)
        changed: dict[tuple[str, tuple[str, ...]], list[list[Any]]] = defaultdict(list)
        for life in self.alive.values():
            for row in life.rows:
                written = self.written[row.table]
                if row.key in written:
                    names = self._changed(life, row, night)
                    if names:
                        known = row.known(night)
                        values = [row.key, *(known[name] for name in names)]
                        if "national_id_used_on" in names:
                            self.left["number"].add(life.person)
                        changed[row.table, names].append(values)
                elif self.until < row.born <= night and self._may_come(life, row, new):
                    new[row.table].append((life, row))
        with transaction.atomic(), connection.cursor() as cursor:
            _without_asking(cursor)
            for (table, names), values in changed.items():
                _update(cursor, table, names, values)
            for table, rows in new.items():
                self._insert(cursor, table, rows, night)
            reckon_interruptions(sorted(self.written["customers_invoice"]))
            self._say(cursor, night)
        self.until = night
        people = sorted(self.alive)
        for start in range(0, len(people), BATCH):
            records.refresh(people[start : start + BATCH])

    def _may_come(self, life: Life, row: Row, new: dict[str, list[tuple[Life, Row]]]) -> bool:
        referred = row.columns.get("refers_to_id") or row.columns.get("invoice_id")
        if referred is not None:
            is_new = any(r.key == referred for _, r in new["customers_invoice"][-9:])
            return is_new or referred in self.written["customers_invoice"]
        if life.person not in self.erased or row.table in OF_A_SHELL:
            return True
        return row.table == "retention_hold" and row.columns["ground"] == "manual"

    def _changed(self, life: Life, row: Row, night: date) -> tuple[str, ...]:
        """Return what becomes known of a row; what cannot any more never will."""
        names: set[str] = set()
        for day, values in row.later:
            if self.until < day <= night:
                if row.table == "customers_customer":
                    for name in [n for n in values if life.person not in self.has(n)]:
                        del values[name]
                names |= values.keys()
        return tuple(sorted(names))

    def has(self, column: str) -> Container[int]:
        """Return the people of whom a column can still become known."""
        if column == "restriction":
            return self.alive
        way = column.partition("_")[0]
        return self.left[way if way in ("email", "phone") else "identity"]

    def _insert(self, cursor: Any, table: str, rows: list[tuple[Life, Row]], night: date) -> None:
        if table == "customers_invoice":
            rows.sort(key=lambda pair: (pair[1].columns["issued_on"], pair[1].key))
            series, _ = InvoiceSeries.objects.get_or_create(pk=1)
            for _, row in rows:
                series.last_number += 1
                row.columns["number"] = series.last_number
                self.invoices[row.key] = row
                if row.columns["refers_to_id"] is not None:
                    self.referring[row.columns["refers_to_id"]].append(row)
            series.save()
        if table == "customers_debtinterruption":
            for _, row in rows:
                self.interruptions[row.columns["invoice_id"]].append(row)
        if table == "customers_customer":
            for _, row in rows:
                self._begin(row, night)
        if table == "django_admin_log":
            for _, row in rows:
                row.columns["content_type_id"] = self.customer_type
        names = [KEY_OF.get(table, "id"), *rows[0][1].columns]
        copy(cursor, table, names, ([r.key, *r.known(night).values()] for _, r in rows))
        self.written[table].update({row.key: (life, row) for life, row in rows})
        self.ever.update(row.key for _, row in rows)

    def _begin(self, row: Row, night: date) -> None:
        known = row.known(night)
        self.left["identity"].add(row.key)
        for name, columns in {
            "email": ("email",),
            "phone": ("phone", "nix_phone"),
            "contact": ("nix_post",),
            "account": ("user_id",),
            "number": ("national_id_used_on",),
        }.items():
            if any(known[column] not in (None, "") for column in columns):
                self.left[name].add(row.key)

    # The ledger

    def _say(self, cursor: Any, night: date) -> None:
        events: list[list[Any]] = []
        details: list[list[Any]] = []
        people: list[Life] = []
        for life in self.alive.values():
            told, before = life.has_said(night), len(life.entries)
            if told == before or life.person in self.erased:
                continue
            people.append(life)
            if _replayed(life.script[:told]):
                self.left[STANDING].add(life.person)
            for act, day in zip(life.script[before:told], life.said_on[before:told], strict=True):
                self._entry += 1
                events.append(self._event(life, act, day))
                life.entries.append(self._entry)
                if act.kind in PROVEN:
                    details.append([self._entry, EVIDENCE, b"salt"])
                    said = Row("consent_eventdetail", self._entry, day, {})
                    self.written["consent_eventdetail"][self._entry] = (life, said)
        cursor.execute(
            "DELETE FROM consent_standing WHERE customer_id = ANY(%s)",
            [[life.person for life in people]],
        )
        columns = (
            *("id", "at", "subject", "kind", "purpose", "channel", "third_party", "ground"),
            *("notice_id", "collected", "authority", "evidence_hash"),
        )
        copy(cursor, "consent_event", columns, events)
        copy(cursor, "consent_eventdetail", ("event_id", "evidence", "evidence_salt"), details)
        columns = (
            *("customer_id", "purpose", "channel", "third_party", "permission", "declined"),
            *("opens", "closes", "since", "authority", "event_id"),
        )
        copy(cursor, "consent_standing", columns, _standings(people))
        _update(cursor, "consent_eventdetail", ("retain_until",), _last_days(people))

    def _event(self, life: Life, act: Act, day: date) -> list[Any]:
        # Just after midnight: in UTC it is the day before.
        at = datetime.combine(day, time(0, 10), tzinfo=STOCKHOLM)
        at = at.astimezone(UTC) + timedelta(minutes=len(life.entries))
        words = [act.kind, act.purpose, act.channel, act.third_party, ""]
        notice = self.notice if act.kind == "notice" else None
        hashed = b"\x01" * 32 if act.kind in PROVEN else b""
        return [self._entry, at, life.pseudonym, *words, notice, "web", act.authority, hashed]

    # What a night has left

    def look(self) -> dict[str, set[Any]]:
        """Return the keys that are left of each table, people who have standings among them."""
        left: dict[str, set[Any]] = {}
        with connection.cursor() as cursor:
            for table in self.written:
                key = KEY_OF.get(table, "id")
                cursor.execute(f'SELECT "{key}" FROM "{table}"')
                left[table] = {
                    row[0] if table != "disclosures_outbox" else str(row[0]) for row in cursor
                } & set(self.written[table])
            cursor.execute("SELECT DISTINCT customer_id FROM consent_standing")
            left[STANDING] = {row[0] for row in cursor}
            for name, columns in COLUMNS.items():
                cursor.execute(f"SELECT id FROM customers_customer WHERE {' OR '.join(columns)}")
                left[name] = {row[0] for row in cursor}
        return left

    def forget(self, left: dict[str, set[Any]]) -> None:
        """Take what a night has left as what there is."""
        for key, (_, row) in self.written["customers_address"].items():
            if key not in left["customers_address"]:
                # What became known of an address that had left, never did.
                row.later = [known for known in row.later if known[0] <= self.until]
        for table, rows in self.written.items():
            self.written[table] = {key: rows[key] for key in left[table]}
        self.left = {name: left[name] for name in self.left}
        there = left["customers_customer"]
        self.alive = {
            person: life
            for person, life in self.alive.items()
            if person in there or person not in self.ever
        }
        self.erased = there - left["identity"]


def _without_asking(cursor: Any) -> None:
    """Ask no foreign key in this transaction: the rows are right by construction."""
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET LOCAL session_replication_role = replica")


def copy(cursor: Any, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write rows by COPY."""
    text = io.StringIO("".join("\t".join(map(_cell, row)) + "\n" for row in rows))
    columns = ", ".join(f'"{name}"' for name in names)
    cursor.copy_expert(f'COPY "{table}" ({columns}) FROM STDIN', text)


def _cell(value: Any) -> str:
    match value:
        case None:
            return r"\N"
        case bytes():
            return r"\\x" + value.hex()
        case _:
            return str(value).replace("\\", "\\\\")


def _update(cursor: Any, table: str, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Change rows in one statement, by way of a table of the new values."""
    key = KEY_OF.get(table, "id")
    columns = ", ".join(f'"{name}"' for name in (key, *names))
    cursor.execute(f'CREATE TEMP TABLE new_values AS SELECT {columns} FROM "{table}" LIMIT 0')
    copy(cursor, "new_values", [key, *names], rows)
    sets = ", ".join(f'"{name}" = n."{name}"' for name in names)
    cursor.execute(f'UPDATE "{table}" t SET {sets} FROM new_values n WHERE t."{key}" = n."{key}"')
    cursor.execute("DROP TABLE new_values")


@cache
def _replayed(script: tuple[Act, ...]) -> tuple[tuple[Use, State], ...]:
    """Return what stands after a script whose acts came a day apart."""
    return tuple(replay(_told(script)).items())


def _told(script: tuple[Act, ...]) -> list[Event]:
    return [
        Event(
            pk=n,
            kind=act.kind,
            purpose=act.purpose,
            channel=act.channel,
            third_party=act.third_party,
            authority=act.authority,
            at=datetime.combine(SYMBOLIC + timedelta(days=n), time(12), tzinfo=UTC),
        )
        for n, act in enumerate(script)
    ]


@cache
def _stopped(script: tuple[Act, ...]) -> dict[int, int]:
    """Return which act of a script ended which, by their places."""
    return {n: (day - SYMBOLIC).days for n, day in stops(_told(script)).items()}


def _last_days(people: Iterable[Life]) -> Iterator[list[Any]]:
    for life in people:
        for n, by in _stopped(life.script[: len(life.entries)]).items():
            yield [life.entries[n], law.years_after(life.said_on[by], 5)]


def _standings(people: Iterable[Life]) -> Iterator[list[Any]]:
    for life in people:
        said = len(life.entries)

        def real(day: date, life: Life = life) -> date:
            return day if day in (FAR, NEVER) else life.said_on[(day - SYMBOLIC).days]

        for use, state in _replayed(life.script[:said]):
            yield [
                life.person,
                use.purpose,
                str(use.channel),
                use.third_party,
                str(Standing.Permission(state.permission).value),
                state.declined,
                real(state.opens),
                real(state.closes),
                real(state.since),
                int(state.authority),
                life.entries[(state.since - SYMBOLIC).days],
            ]
