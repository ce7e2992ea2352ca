"""One row of Vad vet ni om mig: a value, whose word it is, its last day and why we have it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from consent.purposes import CATALOGUE
from customers.dates import FAR, NEVER
from customers.models import Customer
from customers.models.channels import Collected, Source
from customers.personal_data import Category
from customers.words import full_day, until
from dentalclean.everything import Holding, Row
from privacy_requests.saying import BASIS
from retention.rules import CalendarEntry
from retention.schedule import PERIOD


@dataclass(frozen=True)
class Fact:
    """One row, as components/fact.html draws it."""

    label: str
    value: str
    source: str = ""
    until: str = ""
    items: list[str] = field(default_factory=list)
    items_name: str = ""
    reasons: list[dict[str, str]] = field(default_factory=list)
    change_url: str = ""
    change_name: str = ""
    first: bool = False
    # Something the person may want to set right, said beside the value.
    note: str = ""


@dataclass(frozen=True)
class Page:
    """What the rows are made of."""

    customer: Customer
    holdings: dict[str, Holding]
    entries: dict[Category, CalendarEntry]
    products: dict[int, str]

    def rows(self, label: str) -> tuple[Row, ...]:
        """Return what there is of one model."""
        return self.holdings[label].rows

    def changes_of(self, *columns: str) -> list[Row]:
        """Return the changes of some columns, newest first."""
        rows = [row for row in self.rows("customers.Change") if row["field"] in columns]
        return sorted(rows, key=lambda row: row["at"], reverse=True)


def source_of(row: Row, at: date | datetime | None = None) -> str:
    """Say whose word a row is and how it came: Dig, på webben 3 mars 2024."""
    source = row.values.get("source", Source.PERSON if "collected" in row else "")
    if not source:
        return _("Oss")
    return source_words(source, row.values.get("collected", ""), at)


def source_words(source: str, collected: str, at: date | datetime | None = None) -> str:
    """Say whose word a value rests on, how it came and when."""
    said = str(Source(source).label)
    how = str(Collected(collected).label) if collected else ""
    if source in (Source.REGISTER, Source.IMPORT):
        how = ""
    parts = [part for part in (how, full_day(at) if at else "") if part]
    return f"{said}, {' '.join(parts)}" if parts else said


def until_of(page: Page, holding: Holding, category: Category) -> str:
    """Say the last day of what a holding has of a category."""
    if holding.has_own_clock and all(row.last_day != FAR for row in holding.rows):
        return _own_until(holding)
    entry = page.entries.get(category)
    if entry is None:
        return ""
    if entry.held or entry.waits:
        return _("Tills ett öppet ärende är klart")
    return _last_day(entry.until or FAR)


def _own_until(holding: Holding) -> str:
    days = {row.last_day for row in holding.rows}
    known = sorted(day for day in days if day is not None)
    if None in days:
        return _("Så länge det pågår, och en tid efter")
    if len(known) > 1:
        return _("%(day)s, en i taget") % {"day": _last_day(known[-1])}
    return _last_day(known[0]) if known else ""


def _last_day(day: date) -> str:
    return _("Raderas i natt") if day <= NEVER else until(day)


def reasons(page: Page, category: Category, *, earlier: Iterable[Row] = ()) -> list[dict[str, str]]:
    """Say why we have something, written from the purposes and the schedule that decide it."""
    found = []
    entry = page.entries.get(category)
    for purpose in sorted(entry.purposes, key=CATALOGUE.index) if entry else []:
        ground = _("Grunden är %(basis)s.") % {"basis": BASIS[purpose.basis.value]}
        reason = {"term": str(purpose.name), "text": f"{purpose.why} {ground}"}
        if purpose.is_marketing:
            reason["url"] = reverse("consent:choices")
            reason["link"] = _("Säg nej till ”%(what)s”") % {"what": purpose.name}
        found.append(reason)
    period = PERIOD[category]
    found.append(
        {
            "term": _("Varför så länge"),
            "text": _("%(why)s %(lasts)s, räknat från %(starts)s.")
            % {
                "why": period.why,
                "lasts": capfirst(str(period.lasts)),
                "starts": period.starts,
            },
        }
    )
    for change in earlier:
        said = _("%(value)s, till %(day)s.") % {
            "value": change["old"] or _("Hade vi inte"),
            "day": full_day(change["at"]),
        }
        found.append({"term": _("Tidigare"), "text": said})
    return found
