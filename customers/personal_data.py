"""The personal-data map: a model that holds data about a person says so once, beside its fields.

The same declaration drives the register extract, the purge, Min sida, masking and the marker tests.
`customers.checks` refuses to start when a column of any installed model is not declared.
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Category(models.IntegerChoices):
    """A kind of data that lives and goes together; the values are bits, so sets are masks."""

    IDENTITY = 1, _("Namn och födelsedatum")
    CONTACT = 2, _("E-post och telefon")
    ADDRESS = 4, _("Adress")
    NATIONAL_ID = 8, _("Personnummer")
    ACCOUNT = 16, _("Inloggning")
    HISTORY = 32, _("Ändringar av dina uppgifter")
    PURCHASES = 64, _("Prenumeration och leveranser")
    INVOICES = 128, _("Fakturor")
    SUPPORT = 256, _("Frågor till kundservice")
    PROOF = 512, _("Bevis på dina val")
    MESSAGES = 1024, _("Meddelanden vi har skickat")
    CASES = 2048, _("Dina ärenden")
    RECEIPTS = 4096, _("Raderingskvitton")
    STAFF_LOG = 8192, _("Vad vi har ändrat i registret")
    SHELL = 16384, _("Kundnummer")
    ACCESS_LOG = 32768, _("Vem som har tittat")
    # No data of their own: a value that came back, and leaves before the others (RUL-28).
    RETURNED_EMAIL = 1 << 20, _("E-post som kommit tillbaka")
    RETURNED_PHONE = 1 << 21, _("Mobilnummer som inte går att nå")
    RETURNED_HOME = 1 << 22, _("Adress som post kommit tillbaka från")
    DISCLOSURES = 65536, _("Vilka som har fått dina uppgifter")

    @property
    def for_staff(self) -> str | Promise:
        """The name where somebody else than the person reads it."""
        return FOR_STAFF.get(self.value, self.label)


# Where the name speaks to the person.
FOR_STAFF: dict[int, str | Promise] = {
    Category.HISTORY: _("Ändringar av uppgifter"),
    Category.PROOF: _("Bevis på val"),
    Category.MESSAGES: _("Skickade meddelanden"),
    Category.CASES: _("Ärenden om rättigheter"),
    Category.STAFF_LOG: _("Personalens ändringar i registret"),
    Category.ACCESS_LOG: _("Vem av personalen som har tittat"),
    Category.DISCLOSURES: _("Vilka som har fått uppgifterna"),
}


def mask(*categories: Category) -> int:
    """Return the bit mask of a set of categories."""
    total = 0
    for category in categories:
        total |= category.value
    return total


# The ways to a person that can come back, each with the category that its value is of.
RETURNED = {
    Category.RETURNED_EMAIL: Category.CONTACT,
    Category.RETURNED_PHONE: Category.CONTACT,
    Category.RETURNED_HOME: Category.ADDRESS,
}
# Whose hold keeps it too: an account that signs in with an e-mail goes with it.
RETURNED_HELD_BY = {way: of.value for way, of in RETURNED.items()}
RETURNED_HELD_BY[Category.RETURNED_EMAIL] |= Category.ACCOUNT.value
KINDS = tuple(category for category in Category if category not in RETURNED)
EVERYTHING = mask(*KINDS)


class AtEnd(enum.Enum):
    """What happens to a row when the time of its category is up."""

    DELETE = "delete"
    BLANK = "blank"
    # The row holds nothing but the pseudonym, which says nothing once the person is gone.
    UNLINK = "unlink"


class Clock(enum.Enum):
    """Whose date decides when a row goes."""

    SCHEDULE = "schedule"  # the person's processing records (field algebra)
    OWN = "own"  # the row's own `retain_until` and nothing else
    EARLIER = "earlier"  # whichever comes first of the two


class OnErasure(enum.Enum):
    """What becomes of a row with a clock of its own when its person asks to be erased (RUL-02)."""

    GOES = "goes"  # at once, if it is over
    UNNAMED = "unnamed"  # stays as proof for its time, and says no more of whom
    KEPT = "kept"  # the bookkeeping act asks for it


@dataclass(frozen=True)
class PersonalData:
    """What a model holds about a person.

    `path` is a lookup path from the row to the customer ("" for the customer itself).
    `link` replaces it where there is no relation: SQL that ties `{row}` to `{person}`.
    """

    name: str | Promise
    columns: dict[Category, tuple[str, ...]]
    path: str = "customer"
    link: str = ""
    impersonal: tuple[str, ...] = ()
    at_end: AtEnd = AtEnd.DELETE
    clock: Clock = Clock.SCHEDULE
    # The first step of the path, when the row goes by the `retain_until` of that parent.
    clock_of: str = ""
    # Rows by the pseudonym whose own last day waits until the person's name is gone (RUL-21).
    while_named: bool = False
    on_erasure: OnErasure = OnErasure.GOES
    # Columns of an UNNAMED row with words that could tell who it is about, and what stays of them.
    words: dict[str, str] = field(default_factory=dict)
    # What goes with a value that came back, by the way; the first column is the day it did.
    returned: dict[Category, tuple[str, ...]] = field(default_factory=dict)
    # SQL by which a `{row}` tells of such a value, and goes along with it.
    tells_of: dict[Category, str] = field(default_factory=dict)
    # Words for the columns whose field name in the model is not enough.
    labels: dict[str, str | Promise] = field(default_factory=dict)

    def contribute_to_class(self, model: type[models.Model], name: str) -> None:
        setattr(model, name, self)

    @property
    def mask(self) -> int:
        return mask(*self.columns)

    def category_of(self, column: str) -> Category | None:
        for category, columns in self.columns.items():
            if column in columns:
                return category
        return None


@dataclass(frozen=True)
class Impersonal:
    """Says column by column that a model holds nothing about a person, so a new one is seen."""

    columns: tuple[str, ...]

    def contribute_to_class(self, model: type[models.Model], name: str) -> None:
        setattr(model, name, self)


def declare(model: type[models.Model], data: PersonalData | Impersonal) -> None:
    """Put a third-party model on the map."""
    data.contribute_to_class(model, "personal_data")


def declaration(model: type[models.Model]) -> PersonalData | Impersonal | None:
    """Return what a model declares, never what it inherits from a concrete parent."""
    return model.__dict__.get("personal_data")


def personal_models() -> Iterator[tuple[type[models.Model], PersonalData]]:
    """Yield every installed model that holds data about a person, with its declaration."""
    for model in apps.get_models(include_auto_created=True):
        data = declaration(model)
        if isinstance(data, PersonalData):
            yield model, data


def column_label(model: type[models.Model], column: str) -> str:
    """Return the name of a column for people."""
    data = declaration(model)
    if isinstance(data, PersonalData) and column in data.labels:
        return str(data.labels[column])
    found: Any = model._meta.get_field(column)
    label = str(found.verbose_name)
    return label[:1].upper() + label[1:]
