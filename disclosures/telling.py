"""Who has got a person's data, as the person is told of it: by name, with days and what (NOT-02).

The page asks the tables; the extract gives the rows of its own snapshot. Both read the same words.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from consent.purposes import BY_CODE
from customers import words
from customers.dates import stockholm_date
from customers.models import Address, Customer
from customers.personal_data import Category, column_label
from disclosures.agreements import EEA
from disclosures.handing import FIELDS
from disclosures.models import Agreement, Disclosure, Recipient, RecipientNotice

Kind = Recipient.Kind
Safeguard = Agreement.Safeguard
Row = Mapping[str, Any]

ROLES: dict[str, str | Promise] = {
    Kind.PROCESSOR: gettext_lazy("Arbetar åt oss, och får bara göra det vi har bestämt."),
    Kind.PARTNER: gettext_lazy("Får skicka egen reklam till dig, för att du sa ja till det."),
    Kind.CONTROLLER: gettext_lazy("Ansvarar själva för uppgifterna, enligt lagen."),
    Kind.AUTHORITY: gettext_lazy("En myndighet som har rätt att begära uppgifter."),
}
# Named where data has gone there (INF-06); any other says its two letters.
NAMES: dict[str, str | Promise] = {
    "BR": gettext_lazy("Brasilien"),
    "CA": gettext_lazy("Kanada"),
    "CH": gettext_lazy("Schweiz"),
    "GB": gettext_lazy("Storbritannien"),
    "IN": gettext_lazy("Indien"),
    "JP": gettext_lazy("Japan"),
    "KR": gettext_lazy("Sydkorea"),
    "US": gettext_lazy("USA"),
}
TOOLS: dict[str, str | Promise] = {
    Safeguard.ADEQUACY: gettext_lazy("EU har godkänt att landet skyddar uppgifterna lika bra."),
    Safeguard.SCC: gettext_lazy("Mottagaren har skrivit under EU:s standardavtal."),
}
DONE: dict[str, str | Promise] = {
    RecipientNotice.Act.RECTIFIED: gettext_lazy("att vi har rättat uppgifter"),
    RecipientNotice.Act.ERASED: gettext_lazy("att vi har raderat uppgifter"),
    RecipientNotice.Act.RESTRICTED: gettext_lazy("att användningen är begränsad"),
    RecipientNotice.Act.UNRESTRICTED: gettext_lazy("att begränsningen har upphört"),
    RecipientNotice.Act.DECLINED: gettext_lazy("att du har sagt nej till reklam från dem"),
}


@dataclass(frozen=True)
class Handed:
    """One time data was handed over."""

    day: date
    why: str
    what: str


@dataclass(frozen=True)
class Told:
    """One thing the recipient was told of afterwards, and whether they have answered."""

    day: date
    what: str
    state: str
    is_open: bool


@dataclass
class Received:
    """A recipient and all that it has got of one person."""

    name: str
    legal_name: str
    kind: str
    role: str
    task: str
    handed: list[Handed] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    transfers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def is_partner(self) -> bool:
        return self.kind == Kind.PARTNER


def received(disclosures: Iterable[Row], notices: Iterable[Row]) -> list[Received]:
    """Return the recipients of one person by name, those with the latest first.

    Rows say `at`, `recipient` (the name), `purpose`, `fields`, `country` and `safeguard`; notices
    `created_at`, `recipient`, `act`, `sent_at`, `outcome` and `closed_at`.
    """
    handed, told = list(disclosures), list(notices)
    names = {str(row["recipient"]) for row in (*handed, *told)}
    found = {
        r.name: Received(r.name, r.legal_name, r.kind, str(ROLES[r.kind]), r.task)
        for r in Recipient.objects.filter(name__in=names)
    }
    for row in sorted(handed, key=lambda row: str(row["at"]), reverse=True):
        one = found[str(row["recipient"])]
        one.handed.append(
            Handed(
                _day(row["at"]), str(BY_CODE[row["purpose"]].name), fields_in_words(row["fields"])
            )
        )
        if row["country"] not in EEA or row["safeguard"]:
            transfer = (country(row["country"]), str(TOOLS.get(row["safeguard"] or "", "")))
            if transfer not in one.transfers:
                one.transfers.append(transfer)
    for row in sorted(told, key=lambda row: str(row["created_at"]), reverse=True):
        found[str(row["recipient"])].told.append(
            Told(
                _day(row["created_at"]),
                str(DONE[row["act"]]),
                _state(row),
                is_open=row["closed_at"] is None,
            )
        )
    return sorted(found.values(), key=lambda one: one.name)


def of(customer: Customer) -> list[Received]:
    """Return the recipients of a person as the tables say now."""
    handed = Disclosure.objects.filter(customer=customer).order_by("at")
    told = RecipientNotice.objects.filter(customer=customer).order_by("created_at")
    return received(_rows(handed), _rows(told))


def _rows(found: Any) -> list[Row]:
    return [{**row, "recipient": row["recipient__name"]} for row in found.values(
        *(f.name for f in found.model._meta.concrete_fields), "recipient__name"
    )]  # fmt: skip


def fields_in_words(names: Iterable[str]) -> str:
    """Say fields as the person knows them: namn, adress."""
    said = []
    for name in names:
        if name == "national_id":
            label = str(Category.NATIONAL_ID.label)
        else:
            label = column_label(Address if hasattr(Address, name) else Customer, name)
        said.append(label.lower())
    return words.listed(said)


def country(code: str) -> str:
    """Name a country outside the EU and EEA."""
    return str(NAMES.get(code, code))


def _day(at: Any) -> date:
    return stockholm_date(at if isinstance(at, datetime) else datetime.fromisoformat(at))


def _state(row: Row) -> str:
    if row["outcome"] == RecipientNotice.Outcome.ACKNOWLEDGED:
        return _("De har svarat att det är gjort, %(day)s.") % {
            "day": words.full_day(_day(row["closed_at"]))
        }
    if row["closed_at"] is not None:
        return _("Vi har inte kunnat säga till dem: %(why)s") % {"why": row["reason"]}
    if row["sent_at"] is not None:
        return _("Skickat. De har inte svarat än, och vi påminner dem.")
    return _("Skickas nu.")


@dataclass(frozen=True)
class WouldGet:
    """A recipient in use: who would get what, and for what."""

    name: str
    legal_name: str
    role: str
    task: str
    why: str
    what: str


def who_would_get(on: date) -> list[WouldGet]:
    """Return the recipients in use on a day, with the most they may get and for what (P16)."""
    return [
        WouldGet(
            r.name,
            r.legal_name,
            str(ROLES[r.kind]) if r.kind != Kind.PARTNER else _("Får något bara om du säger ja."),
            r.task,
            words.listed([str(BY_CODE[code].name).lower() for code in r.purposes]),
            fields_in_words(name for c in r.may_get() for name in FIELDS.get(c, ())),
        )
        for r in Recipient.objects.active(on)
    ]
