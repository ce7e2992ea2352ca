"""The files of an import: their columns, what each may hold, and what a row must make of them.

`docs/import.md` is this table in words; a test compares the two.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from consent.purposes import BY_CODE, CATALOGUE, Objection, Permission
from customers import contact_points, crypto
from customers.models import Address, Invoice, Suppression
from customers.models.channels import Channel, Collected
from customers.models.people import Protection
from dentalclean.intake import values
from dentalclean.intake.values import Clean, RefusedError

# Column name to what PostgreSQL reads; None is NULL.
Row = dict[str, str | None]


@dataclass(frozen=True)
class Column:
    """One column of a file; `sql` is its type in the staging table.

    A `filled` one must be in the header and have a value in each row; an empty cell of any other
    says nothing.
    """

    name: str
    clean: Clean
    sql: str = "text"
    filled: bool = False


@dataclass(frozen=True)
class Format:
    """One file; `finish` judges a whole row and adds the columns of `made`."""

    name: str
    columns: tuple[Column, ...]
    made: tuple[tuple[str, str], ...] = ()
    finish: Callable[[Row, date], None] | None = None
    # What SQL works out later, never in the file.
    worked_out: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    @property
    def table(self) -> str:
        return f"staged_{self.name}"

    @property
    def copied(self) -> tuple[str, ...]:
        """The columns that COPY brings, the line and the verdict first."""
        own = tuple(column.name for column in self.columns)
        return ("line", "bad_column", "problem", *own, *(name for name, _ in self.made))

    def knows(self, header: Sequence[str]) -> bool:
        return set(header) <= {column.name for column in self.columns}

    def missing(self, header: Sequence[str]) -> list[str]:
        return [c.name for c in self.columns if c.filled and c.name not in header]


def _bytes(value: bytes) -> str:
    return "\\x" + value.hex()


def birth_date(national_id: str) -> str:
    """Return the day of birth in a number of twelve digits, coordination numbers too (PNR-02)."""
    born = int(national_id[6:8])
    return f"{national_id[:4]}-{national_id[4:6]}-{born - 60 if born > 60 else born:02d}"


def _in_order(row: Row, first: str, later: str) -> None:
    start, end = row[first], row[later]
    if start and end and end < start:
        raise RefusedError(f"{later} lies before {first}; correct one of the two.", later)


def _finish_customer(row: Row, on: date) -> None:
    """Fill what follows from the cells; the number itself goes no further than this."""
    row["last_contact_on"] = row["last_contact_on"] or row["registered_on"]
    for later in ("deceased_on", "last_contact_on"):
        _in_order(row, "birth_date", later)
    row["pseudonym"] = pseudonym = str(uuid.uuid4())
    number = row["national_id"]
    row["national_id"] = None
    if number:
        if not row["national_id_used_on"]:
            raise RefusedError(
                "Give the day the number was last used for a credit check, or leave it out.",
                "national_id_used_on",
            )
        born = birth_date(number)
        if row["birth_date"] not in (None, born):
            raise RefusedError(
                "The date of birth is not that of the national identity number; correct one.",
                "birth_date",
            )
        row["birth_date"] = born
        sealed = crypto.seal(
            number.encode(), ring=settings.FIELD_KEYS, bound_to=f"national_id:{pseudonym}"
        )
        row["national_id_sealed"] = _bytes(sealed)
        row["national_id_hash"] = _bytes(crypto.lookup_hash(number))
    for kind in (Suppression.Kind.EMAIL, Suppression.Kind.PHONE):
        value = row[kind.value]
        if value:
            row[f"{kind.value}_digest"] = _bytes(contact_points.digest(kind.value, value))


def _finish_address(row: Row, on: date) -> None:
    row["kind"] = row["kind"] or Address.Kind.HOME.value
    row["country"] = country = (row["country"] or "SE").upper()
    if country == "SE":
        try:
            row["postcode"] = values.postcode(row["postcode"] or "", on)
        except RefusedError as error:
            raise RefusedError(str(error), "postcode") from None


def _finish_product(row: Row, on: date) -> None:
    row["code"] = (row["code"] or "").lower()


def _finish_fiscal_year(row: Row, on: date) -> None:
    _in_order(row, "starts_on", "ends_on")


def _finish_subscription(row: Row, on: date) -> None:
    row["product"] = (row["product"] or "").lower()
    _in_order(row, "started_on", "ended_on")


def _finish_order(row: Row, on: date) -> None:
    row["product"] = (row["product"] or "").lower()
    for later in ("delivered_on", "withdrawn_on", "cancelled_on"):
        _in_order(row, "ordered_on", later)
    if row["delivered_on"] and row["cancelled_on"]:
        raise RefusedError(
            "An order is cancelled before delivery or delivered; keep one of the days.",
            "cancelled_on",
        )


def _finish_invoice(row: Row, on: date) -> None:
    for later in ("due_on", "paid_on"):
        _in_order(row, "issued_on", later)
    row["kind"] = row["kind"] or Invoice.Kind.INVOICE.value
    if row["kind"] == Invoice.Kind.INVOICE and not row["due_on"]:
        raise RefusedError("An invoice needs the day it falls due.", "due_on")


def _finish_consent(row: Row, on: date) -> None:
    """Ask a yes for one use in full; a no may speak of all marketing or all channels (OBJ-02)."""
    if row["answer"] == "yes":
        if not row["purpose"] or not row["channel"]:
            raise RefusedError(
                "A yes is for one purpose by one channel; write both.",
                "channel" if row["purpose"] else "purpose",
            )
    elif not row["purpose"] and row["third_party"]:
        raise RefusedError("Write the purpose that the third party is named for.", "purpose")
    if row["purpose"]:
        _fits(row["purpose"], row["channel"], row["third_party"])


def _fits(code: str, channel: str | None, third_party: str | None) -> None:
    purpose = BY_CODE[code]
    if purpose.objection is Objection.NO_EFFECT:
        raise RefusedError(f"Purpose {code} rests on no choice; leave the row out.", "purpose")
    if channel and purpose.channels.get(Channel(channel), Permission.NONE) is Permission.NONE:
        raise RefusedError(f"Purpose {code} does not use that channel.", "channel")
    if purpose.named_third_party != bool(third_party):
        raise RefusedError(
            f"Name the third party with purpose {code}."
            if purpose.named_third_party
            else f"Purpose {code} has no third party; leave the cell empty.",
            "third_party",
        )


_NUMBER = Column("number", values.code(20), filled=True)
_COLLECTED = Column("collected", values.one_of(Collected.values))
_PRODUCT = Column("product", values.code(40), filled=True)
_PERSON = (("customer_id", "bigint"),)
_PURCHASE = (*_PERSON, ("product_id", "bigint"), ("row_id", "bigint"))

PRODUCTS = Format(
    "products",
    (
        Column("code", values.code(40), filled=True),
        Column("name", values.line(100), filled=True),
        Column("similar_group", values.code(40), filled=True),
    ),
    finish=_finish_product,
)
FISCAL_YEARS = Format(
    "fiscal_years",
    (
        Column("starts_on", values.planned_day, "date", filled=True),
        Column("ends_on", values.planned_day, "date", filled=True),
    ),
    finish=_finish_fiscal_year,
)
CUSTOMERS = Format(
    "customers",
    (
        _NUMBER,
        Column("given_name", values.line(100)),
        Column("family_name", values.line(100), filled=True),
        Column("registered_on", values.day, "date", filled=True),
        Column("last_contact_on", values.day, "date"),
        Column("updated_on", values.day, "date"),
        Column("birth_date", values.day, "date"),
        Column("adult_confirmed_on", values.day, "date"),
        Column("email", values.email),
        Column("phone", values.phone),
        Column("national_id", values.national_id),
        Column("national_id_used_on", values.day, "date"),
        Column("language", values.one_of(("sv", "en"))),
        Column("protection", values.one_of(filter(None, Protection.values))),
        Column("deceased_on", values.day, "date"),
        Column("nix_phone", values.yes_or_no, "boolean"),
        Column("nix_post", values.yes_or_no, "boolean"),
        _COLLECTED,
        Column("noticed_on", values.day, "date"),
        Column("soft_opt_in_on", values.day, "date"),
        Column("soft_opt_in_order", values.line(40)),
        Column("soft_opt_in_goods", values.line(100)),
        Column("soft_opt_in_offer", values.line(200)),
    ),
    made=(
        ("pseudonym", "uuid"),
        ("national_id_sealed", "bytea"),
        ("national_id_hash", "bytea"),
        ("email_digest", "bytea"),
        ("phone_digest", "bytea"),
    ),
    finish=_finish_customer,
    worked_out=(*_PERSON, ("is_new", "boolean"), ("user_id", "bigint")),
)
ADDRESSES = Format(
    "addresses",
    (
        _NUMBER,
        Column("kind", values.one_of(Address.Kind.values)),
        Column("street", values.line(150), filled=True),
        Column("postcode", values.line(10), filled=True),
        Column("city", values.line(100), filled=True),
        Column("country", values.code(2)),
        Column("given_on", values.day, "date", filled=True),
        _COLLECTED,
    ),
    finish=_finish_address,
    worked_out=(*_PERSON, ("row_id", "bigint")),
)
SUBSCRIPTIONS = Format(
    "subscriptions",
    (
        _NUMBER,
        _PRODUCT,
        Column("started_on", values.day, "date", filled=True),
        Column("ended_on", values.planned_day, "date"),
        _COLLECTED,
    ),
    finish=_finish_subscription,
    worked_out=_PURCHASE,
)
ORDERS = Format(
    "orders",
    (
        Column("order_number", values.code(20), filled=True),
        _NUMBER,
        _PRODUCT,
        Column("quantity", values.whole(1, 10_000), "integer"),
        Column("ordered_on", values.day, "date", filled=True),
        Column("delivered_on", values.day, "date"),
        Column("withdrawn_on", values.day, "date"),
        Column("cancelled_on", values.day, "date"),
        _COLLECTED,
    ),
    finish=_finish_order,
    worked_out=_PURCHASE,
)
INVOICES = Format(
    "invoices",
    (
        Column("invoice_number", values.whole(1, 2**63 - 1), "bigint", filled=True),
        _NUMBER,
        Column("kind", values.one_of(Invoice.Kind.values)),
        Column("issued_on", values.day, "date", filled=True),
        Column("due_on", values.planned_day, "date"),
        Column("paid_on", values.day, "date"),
        Column("refers_to", values.whole(1, 2**63 - 1), "bigint"),
        Column("buyer_name", values.line(200), filled=True),
        Column("buyer_address", values.line(300), filled=True),
        Column("text", values.line(500), filled=True),
        Column("quantity", values.whole(1, 10_000), "integer"),
        Column("total_ore", values.whole(-(10**12), 10**12), "bigint", filled=True),
        Column("vat_ore", values.whole(-(10**12), 10**12), "bigint", filled=True),
    ),
    finish=_finish_invoice,
    worked_out=(*_PERSON, ("year_ends_on", "date"), ("row_id", "bigint"), ("is_new", "boolean")),
)
CONSENTS = Format(
    "consents",
    (
        _NUMBER,
        Column("answer", values.one_of(("yes", "no")), filled=True),
        Column("purpose", values.one_of(p.code for p in CATALOGUE)),
        Column("channel", values.one_of(Channel.values)),
        Column("third_party", values.line(40)),
        Column("given_on", values.day, "date", filled=True),
        Column("evidence", values.lines(5000)),
        _COLLECTED,
    ),
    finish=_finish_consent,
    worked_out=(*_PERSON, ("kind", "text"), ("at", "timestamptz"), ("is_new", "boolean")),
)

# In the order in which rows refer to each other.
FORMATS = (
    PRODUCTS,
    FISCAL_YEARS,
    CUSTOMERS,
    ADDRESSES,
    SUBSCRIPTIONS,
    ORDERS,
    INVOICES,
    CONSENTS,
)
