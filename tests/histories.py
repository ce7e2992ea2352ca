"""Generated histories: people with years behind them, as rows that become known day by day.

Drawn from a seed, with a liking for the days just before and after the nights of the test. Nothing
here says how long anything is kept; the law is tests/oracles/retention.py, and how the rows come
into the database tests/history_tables.py.
"""

import itertools
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

# A new year, a leap day, both nights in which clocks are set, the day after a February.
NIGHTS = (
    date(2014, 1, 1),
    date(2016, 2, 29),
    date(2020, 3, 29),
    date(2023, 3, 1),
    date(2026, 10, 25),
)
FIRST, LAST = date(2006, 1, 1), NIGHTS[-1]
# Shortened, broken and extended to eighteen months, as a company's years may be (BFL 3 kap.).
FISCAL_YEARS = (
    *((date(year, 1, 1), date(year, 12, 31)) for year in range(2005, 2010)),
    (date(2010, 1, 1), date(2010, 6, 30)),
    *((date(year, 7, 1), date(year + 1, 6, 30)) for year in range(2010, 2015)),
    (date(2015, 7, 1), date(2016, 12, 31)),
    *((date(year, 1, 1), date(year, 12, 31)) for year in range(2017, 2028)),
)
STOCKHOLM = ZoneInfo("Europe/Stockholm")
KEYS = 50_000_000  # numbers of rows that no other test has
EVERYTHING = 131071
HELD = (EVERYTHING, EVERYTHING, 1, 2, 4, 1 | 2 | 4, 32, 64, 128, 256, 512, 1024, 2048, 32768)
MARKETING_WORDS = (
    ("C", "email"),
    ("C", "post"),
    ("D", "internal"),
    ("E", "web"),
    ("F", "internal"),
    ("G", "email"),
    ("G", "push"),
    ("H", "email"),
    ("H", "email"),
    ("H", "sms"),
    ("H", "phone"),
    ("H", "post"),
    ("I", "portal"),
    ("J", "web"),
    ("P", "email"),
)
PARTNER = "munvard-vast"


@dataclass(slots=True)
class Row:
    """A row of a table from the day it is known; `later` is what becomes known of it."""

    table: str
    key: Any
    born: date
    columns: dict[str, Any]
    later: list[tuple[date, dict[str, Any]]] = field(default_factory=list)
    parent: Any = None  # the row of another table that it belongs to

    def known(self, on: date) -> dict[str, Any]:
        """Return the columns as they are known on a day."""
        found = self.columns
        for day, values in self.later:
            if day <= on:
                found = found | values
        return found


@dataclass(frozen=True)
class Act:
    """Something told or said: a kind of the ledger, what it speaks of, and whose word it is."""

    kind: str
    purpose: str = ""
    channel: str = ""
    third_party: str = ""
    authority: int = 4


@dataclass(slots=True)
class Life:
    """One person's history."""

    person: int
    since: date
    rows: list[Row]
    script: tuple[Act, ...]
    # The days of the script's acts, in order, and the numbers of the entries once they are written.
    said_on: list[date]
    entries: list[int] = field(default_factory=list)
    pseudonym: str = ""

    @property
    def customer(self) -> Row:
        return self.rows[0]

    def of(self, table: str) -> list[Row]:
        return [row for row in self.rows if row.table == table]

    def has_said(self, on: date) -> int:
        """Return how many of the acts have happened by a day."""
        return sum(1 for day in self.said_on if day <= on)


def fiscal_year(day: date) -> date:
    """Return the last day of the fiscal year that holds a day."""
    return next(end for start, end in FISCAL_YEARS if start <= day <= end)


def scripts(rng: Random, number: int) -> list[tuple[Act, ...]]:
    """Draw what people are told and say, in what order."""
    return [tuple(_script(rng)) for _ in range(number)]


def _script(rng: Random) -> Iterator[Act]:
    if rng.random() < 0.9:
        yield Act("notice", authority=1)
        if rng.random() < 0.6:
            yield Act("soft", authority=1)
    if rng.random() < 0.3:
        return
    for _ in range(rng.randint(1, 5)):
        purpose, channel = rng.choice(MARKETING_WORDS)
        party = PARTNER if purpose == "P" else ""
        chance = rng.random()
        if chance < 0.4:
            yield Act("yes", purpose, channel, party)
        elif chance < 0.48:
            yield Act("yes", purpose, channel, party, authority=2)
        elif chance < 0.75:
            yield Act("no", purpose, channel, party)
        elif chance < 0.85:
            yield Act("no")
        elif chance < 0.92:
            yield Act("unsubscribed", channel=rng.choice(("email", "sms")))
        else:
            yield Act("objection", purpose)


class Pen:
    """Draws lives from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.scripts = scripts(self.rng, 500)
        self.seed = seed
        self._keys: Callable[[], int] = itertools.count(KEYS + seed * 10_000_000).__next__

    def lives(self, number: int) -> list[Life]:
        return [self.life() for _ in range(number)]

    # Days

    def day(self, low: date, high: date, *years: int) -> date:
        """Draw a day in between, often one from which so many years end around a night."""
        if high <= low:
            return low
        if years and self.rng.random() < 0.45:
            night, span = self.rng.choice(NIGHTS), self.rng.choice(years)
            aimed = date(night.year - span, night.month, min(night.day, 28)) + timedelta(
                days=self.rng.randint(-2, 2) + max(0, night.day - 28)
            )
            if low <= aimed <= high:
                return aimed
        return date.fromordinal(self.rng.randint(low.toordinal(), high.toordinal()))

    def moment(self, day: date) -> datetime:
        """Draw a moment of a day in Stockholm, often one that is another day in UTC."""
        at = self.rng.choice((time(0, 30), time(1, 30), time(12), time(23, 30)))
        return datetime.combine(day, at, tzinfo=STOCKHOLM).astimezone(UTC)

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    # A life

    def life(self) -> Life:
        """Draw one person's history."""
        since = self.day(FIRST, LAST, 0, 1, 2, 3, 4)
        person = self._keys()
        self.person, self.since, self.rows = person, since, []
        pseudonym = self.uuid()
        customer = self._customer(pseudonym)
        self._purchases()
        self._invoices()
        self._questions(customer)
        self._around()
        self._debts()
        script = self.rng.choice(self.scripts)
        said_on = self._days_of(script)
        if script and script[0].kind == "notice":
            customer.columns["noticed_on"] = said_on[0]
        self._ends(customer)
        customer.later.sort(key=lambda known: known[0])
        return Life(person, since, self.rows, script, said_on, pseudonym=pseudonym)

    def row(
        self, table: str, born: date, key: Any = None, parent: Any = None, **columns: Any
    ) -> Row:
        key = self._keys() if key is None else key
        found = Row(table, key, born, columns, parent=parent)
        self.rows.append(found)
        return found

    def _days_of(self, script: tuple[Act, ...]) -> list[date]:
        days = [
            self.since
            if act.kind in ("notice", "soft") and self.maybe(0.8)
            else self.day(self.since, LAST, 3, 5)
            for act in script
        ]
        return sorted(days)

    def _customer(self, pseudonym: str) -> Row:
        n, since = self.person, self.since
        with_email = self.maybe(0.9)
        with_phone = self.maybe(0.7)
        with_home = self.maybe(0.85) or not (with_email or with_phone)
        with_account = with_email and self.maybe(0.7)
        customer = self.row(
            "customers_customer",
            since,
            n,
            number=f"H{n}",
            public_id=self.uuid(),
            pseudonym=pseudonym,
            user_id=n if with_account else None,
            given_name=f"Anna{n}",
            family_name=f"Ek{n}",
            birth_date=self.day(date(1930, 1, 1), date(2012, 1, 1)) if self.maybe(0.5) else None,
            adult_confirmed_on=since if self.maybe(0.5) else None,
            email=f"h{n}@example.se" if with_email else "",
            phone=f"+4670{n}" if with_phone else "",
            email_returned_on=None,
            phone_returned_on=None,
            national_id_sealed=None,
            national_id_hash=None,
            national_id_used_on=None,
            language="sv",
            protection="secrecy" if self.maybe(0.02) else "",
            deceased_on=None,
            nix_phone=self.rng.choice((None, True, False)),
            nix_post=self.rng.choice((None, True, False)),
            noticed_on=None,
            restriction="",
            source="person",
            collected="web",
            created_at=self.moment(since),
            last_contact_on=since,
            version=1,
        )
        if with_account:
            self._account()
        if with_home:
            home = self.row(
                "customers_address",
                since,
                customer_id=n,
                kind="home",
                street=f"Björkgatan {n}",
                postcode="58222",
                city="Linköping",
                country="SE",
                source="person",
                collected="web",
                given_on=since,
                returned_on=None,
            )
            if self.maybe(0.1):
                self._comes_back(home, "returned_on", {"street": "Ny gata 2"})
        if self.maybe(0.12):
            for way, has_it in (("email", with_email), ("phone", with_phone)):
                if has_it and self.maybe(0.8):
                    self._comes_back(customer, f"{way}_returned_on", {way: f"ny{n}"})
        if self.maybe(0.08):
            self._nobody_is_reached(customer)
        self._credit(customer)
        return customer

    def _account(self) -> None:
        n, since = self.person, self.since
        self.row(
            "customers_user",
            since,
            n,
            password="!",
            is_superuser=False,
            email=f"h{n}@example.se",
            is_active=True,
            is_staff=False,
            created_at=self.moment(since),
        )
        self.row(
            "account_emailaddress",
            since,
            user_id=n,
            email=f"h{n}@example.se",
            verified=True,
            primary=True,
        )
        if self.maybe(0.3):
            self.row(
                "customers_session",
                since,
                f"session{n}",
                session_data="",
                expire_date=datetime(2100, 1, 1, tzinfo=UTC),
                user_id=n,
                created_at=self.moment(since),
            )

    def _comes_back(self, row: Row, column: str, anew: dict[str, Any]) -> None:
        day = self.day(self.since, LAST)
        row.later.append((day, {column: day}))
        if self.maybe(0.3):
            row.later.append((self.day(day, LAST), {column: None, **anew}))

    def _nobody_is_reached(self, customer: Row) -> None:
        """Let everything that is sent to a person come back within a month (RET-05)."""
        day = self.day(self.since, LAST, 0)
        ways = [f"{w}_returned_on" for w in ("email", "phone") if customer.columns[w]]
        customer.later = [(day, dict.fromkeys(ways, day))] if ways else []
        for home in self.rows:
            if home.table == "customers_address":
                home.later = [(day, {"returned_on": day})]

    def _credit(self, customer: Row) -> None:
        for _ in range(self.rng.choice((0, 0, 0, 0, 1, 2))):
            day = self.day(self.since, LAST, 0)
            if self.maybe(0.4):  # thirty days end around a night
                night = self.rng.choice(NIGHTS)
                day = max(self.since, night - timedelta(days=30 + self.rng.randint(-2, 2)))
            sealed = f"\\x{self.rng.getrandbits(64):016x}"
            number = {"national_id_sealed": sealed, "national_id_hash": sealed}
            customer.later.append((day, {**number, "national_id_used_on": day}))
        uses = sorted(
            (known for known in customer.later if "national_id_used_on" in known[1]),
            key=lambda known: known[0],
        )
        customer.later = [known for known in customer.later if known not in uses] + uses

    def _purchases(self) -> None:
        kind = self.rng.random()
        if kind < 0.15:
            return
        if kind < 0.8:
            for product in (1, 2) if self.maybe(0.2) else (1,):
                self._subscriptions(product)
        for _ in range(self.rng.choice((0, 1, 1, 2, 3) if kind < 0.8 else (1, 1, 2, 3))):
            self._order()

    def _subscriptions(self, product: int) -> None:
        start = self.day(self.since, min(LAST, self.since + timedelta(days=400)))
        for _ in range(self.rng.choice((1, 1, 2, 3))):
            ended = None
            if self.maybe(0.85):
                ended = self.day(start, LAST, 0, 1, 3, 3, 3, 5, 8)
            found = self.row(
                "customers_subscription",
                start,
                public_id=self.uuid(),
                customer_id=self.person,
                product_id=product,
                started_on=start,
                ended_on=None,
                collected="web",
            )
            if ended is None:
                return
            found.later.append((ended, {"ended_on": ended}))
            start = self.day(ended + timedelta(days=1), ended + timedelta(days=1800))
            if start > LAST:
                return

    def _order(self) -> None:
        ordered = self.day(self.since, LAST)
        found = self.row(
            "customers_order",
            ordered,
            public_id=self.uuid(),
            number=f"H{self._keys()}",
            customer_id=self.person,
            product_id=self.rng.choice((1, 2)),
            quantity=1,
            collected="web",
            ordered_on=ordered,
            delivered_on=None,
            withdrawn_on=None,
            cancelled_on=None,
        )
        chance = self.rng.random()
        day = self.day(ordered, min(LAST, ordered + timedelta(days=40)))
        if self.maybe(0.5):
            day = self.day(ordered, LAST, 3, 3, 5)
        if chance < 0.8:
            found.later.append((day, {"delivered_on": day}))
            if chance < 0.1:
                later = self.day(day, min(LAST, day + timedelta(days=30)))
                found.later.append((later, {"withdrawn_on": later}))
        elif chance < 0.88:
            found.later.append((day, {"cancelled_on": day}))
        elif chance < 0.94:
            found.later.append((day, {"withdrawn_on": day}))

    # What is left of the money

    def _invoices(self) -> None:
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 3))):
            issued = self.day(self.since, LAST, 3, 6, 7, 8)
            due = issued + timedelta(days=30) if self.maybe(0.7) else None
            invoice = self._verification("invoice", issued, 9900, due_on=due)
            for _ in range(self.rng.choice((0, 0, 0, 1, 1, 2))):
                self._referring(invoice)
            if self.maybe(0.7):
                paid = self.day(issued, min(LAST, issued + timedelta(days=400)))
                invoice.later.append((paid, {"paid_on": paid}))
            invoice.later.sort(key=lambda known: known[0])

    def _verification(self, kind: str, issued: date, ore: int, **more: Any) -> Row:
        columns = {
            "public_id": self.uuid(),
            "number": None,  # given when it is written, in the order of their days
            "kind": kind,
            "customer_id": self.person,
            "fiscal_year_id": fiscal_year(issued),
            "linked_year_id": None,
            "refers_to_id": None,
            "issued_on": issued,
            "due_on": None,
            "paid_on": None,
            "buyer_number": f"H{self.person}",
            "buyer_name": f"Anna{self.person}",
            "buyer_address": "Björkgatan 4",
            "lines": "[]",
            "total_ore": ore,
            "vat_ore": 0,
        }
        return self.row("customers_invoice", issued, **{**columns, **more})

    def _referring(self, invoice: Row, paid_on: date | None = None, ore: int = 0) -> None:
        issued = invoice.columns["issued_on"]
        day = paid_on or self.day(issued, min(LAST, issued + timedelta(days=700)), 3, 7)
        found = self._verification(
            "payment" if paid_on else self.rng.choice(("credit", "payment")),
            day,
            ore or self.rng.choice((-9900, -9900, -4000, 4000, 9900)),
            refers_to_id=invoice.key,
            linked_year_id=invoice.columns["fiscal_year_id"],
        )
        found.parent = invoice.key
        links = [known for known in invoice.later if "linked_year_id" in known[1]]
        others = [known for known in invoice.later if known not in links]
        linked = max(
            (
                found.columns["fiscal_year_id"],
                *(v["linked_year_id"] for on, v in links if on <= day),
            )
        )
        invoice.later = others + [
            (on, {"linked_year_id": max(v["linked_year_id"], linked)} if on >= day else v)
            for on, v in links
        ]
        invoice.later.append((day, {"linked_year_id": linked}))
        invoice.later.sort(key=lambda known: known[0])

    def _debts(self) -> None:
        """Let what is owed be interrupted, by dice of its own so that the rest falls as before."""
        dice, self.rng = self.rng, Random(self.person)
        for invoice in [row for row in self.rows if row.columns.get("kind") == "invoice"]:
            if self.maybe(0.18):
                self._pursued(invoice)
            elif self.maybe(0.1):
                self._interruption(invoice)
            elif self.maybe(0.2):
                invoice.columns["due_on"] = invoice.columns["issued_on"] + timedelta(days=365)
        self.rng = dice

    def _pursued(self, invoice: Row) -> None:
        """Let it be interrupted again and again, mostly in time; unless it is paid it is owed."""
        day = invoice.columns["issued_on"]
        if self.maybe(0.8):
            invoice.later = [known for known in invoice.later if "paid_on" not in known[1]]
        for _ in range(self.rng.choice((1, 1, 2, 3, 5, 6))):
            day = self.day(day + timedelta(days=500), day + timedelta(days=1150), 3)
            if day > LAST:
                return
            if self.maybe(0.4):
                self._referring(invoice, day, 100 if self.maybe(0.8) else 9900)
            else:
                self._interruption(invoice, day)

    def _interruption(self, invoice: Row, on: date | None = None) -> None:
        """Let a debt be admitted, claimed or sued for, often just before or after three years."""
        issued = invoice.columns["issued_on"]
        day = on or self.day(issued, min(LAST, issued + timedelta(days=1300)), 3)
        found = self.row(
            "customers_debtinterruption",
            day,
            invoice_id=invoice.key,
            kind=self.rng.choice(("admitted", "claimed", "sued")),
            happened_on=day,
            words="Kravbrev",
        )
        found.parent = invoice.key

    # What they asked, and what was done around them

    def _questions(self, customer: Row) -> None:
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            opened = self.day(self.since, LAST)
            found = self.row(
                "customers_supportcase",
                opened,
                public_id=self.uuid(),
                customer_id=self.person,
                subject="Hur byter jag huvud?",
                body="Hur byter jag huvud?",
                answer="",
                collected="email",
                opened_at=self.moment(opened),
                closed_on=None,
                complaint_until=None,
            )
            if self.maybe(0.25):  # three years from a delivery of the year before
                delivered = self.day(opened - timedelta(days=360), opened)
                found.columns["complaint_until"] = _three_years_from(delivered)
                found.parent = delivered
            if self.maybe(0.85):
                closed = self.day(opened, min(LAST, opened + timedelta(days=1200)), 1, 1, 0)
                found.later.append((closed, {"closed_on": closed}))
            customer.later.append((opened, {"last_contact_on": opened}))

    def _around(self) -> None:
        n = self.person
        for _ in range(self.rng.choice((0, 1, 1, 2))):
            day = self.day(self.since, LAST, 2, 2)
            self.row(
                "customers_change",
                day,
                customer_id=n,
                field="phone",
                old="1",
                new="2",
                source="person",
                collected="portal",
                at=self.moment(day),
            )
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            day = self.day(self.since, LAST, 2, 2)
            self.row(
                "customers_accesslog",
                day,
                customer_id=n,
                actor_id=KEYS - 1,
                reason="calls",
                words="",
                at=self.moment(day),
            )
        for _ in range(self.rng.choice((0, 0, 1, 2))):
            day = self.day(self.since, LAST, 2, 2)
            self.row(
                "disclosures_outbox",
                day,
                self.uuid(),
                kind="mail",
                customer_id=n,
                purpose="B",
                template="order",
                recipient="",
                subject="",
                body="",
                language="sv",
                status=self.rng.choice(("sent", "sent", "dead", "stopped")),
                attempts=1,
                available_at=self.moment(day),
                created_at=self.moment(day),
                finished_at=self.moment(day),
            )
        if self.since.year < LAST.year - 1 and self.maybe(0.1):
            self.row(
                "django_admin_log",
                self.since,
                action_time=self.moment(self.since),
                user_id=KEYS - 1,
                content_type_id=None,
                object_id=str(n),
                object_repr=f"H{n}",
                action_flag=2,
                change_message="",
            )
        if self.maybe(0.15):
            self._case()
        if self.maybe(0.1):
            self._hold(self.day(self.since, LAST), self.rng.choice(HELD))

    def _case(self) -> None:
        received = self.day(self.since, LAST)
        closed = self.day(received, min(LAST, received + timedelta(days=30)), 5)
        case = self.row(
            "privacy_requests_case",
            received,
            public_id=self.uuid(),
            customer_id=self.person,
            right="access",
            collected="portal",
            status="received",
            received_at=self.moment(received),
            received_on=received,
            nominal_on=received + timedelta(days=30),
            latest_on=date(2099, 1, 1),
            target_on=received + timedelta(days=30),
            answered_at=None,
            answer="",
            outcome="",
            closed_on=None,
        )
        self.row(
            "privacy_requests_caseevent",
            received,
            parent=case.key,
            case_id=case.key,
            kind="received",
            at=self.moment(received),
        )
        hold = self._hold(received, EVERYTHING, "case", f"case:{case.key}")
        hold.later = []
        if self.maybe(0.9):
            at = self.moment(closed)
            done = {"closed_on": closed, "answered_at": at, "status": "answered"}
            done["outcome"] = "granted"
            case.later.append((closed, done))
            hold.later.append((closed, {"lifted_at": at}))

    def _hold(self, placed: date, mask: int, ground: str = "manual", reference: str = "") -> Row:
        hold = self.row(
            "retention_hold",
            placed,
            customer_id=self.person,
            ground=ground,
            reason="Tvist",
            reference=reference,
            categories=mask,
            placed_at=self.moment(placed),
            lifted_at=None,
        )
        if self.maybe(0.7):
            lifted = self.day(placed, LAST)
            hold.later.append((lifted, {"lifted_at": self.moment(lifted)}))
        return hold

    def _ends(self, customer: Row) -> None:
        if self.maybe(0.1):
            died = self.day(self.since, LAST, 0)
            heard = min(LAST, died + timedelta(days=self.rng.randint(0, 40)))
            customer.later.append((heard, {"deceased_on": died}))
        if self.maybe(0.1):
            ground = self.rng.choice("abcdvvv")
            begun = self.day(self.since, LAST)
            customer.later.append((begun, {"restriction": ground}))
            if self.maybe(0.7):
                customer.later.append((self.day(begun, LAST), {"restriction": ""}))


def _three_years_from(day: date) -> date:
    return date(day.year + 3, day.month, 28 if (day.month, day.day) == (2, 29) else day.day)
