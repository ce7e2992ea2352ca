"""Vad vet ni om mig: every value with its source, its last day and the reasons for it.

The page walks the personal-data map. Models and columns that are known by name get richer rows;
whatever else is on the map gets a plain one, so nothing is left out by forgetting.
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import Customer, Product
from customers.personal_data import KINDS, Category
from customers.words import listed
from dentalclean.everything import Holding, Row
from dentalclean.my_data.facts import Fact, Page
from dentalclean.my_data.presenters import PRESENTERS, plain
from retention.rules import CalendarEntry


@dataclass(frozen=True)
class Group:
    """A section of the page."""

    title: str | Promise
    categories: tuple[Category, ...]


GROUPS = (
    Group(
        gettext_lazy("Så når vi dig"),
        (Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.NATIONAL_ID),
    ),
    Group(gettext_lazy("Det du har köpt"), (Category.PURCHASES, Category.INVOICES)),
)
# Every kind that no group names is here.
THE_REST = gettext_lazy("Det vi har antecknat")


def build(
    customer: Customer, holdings: dict[str, Holding], entries: Iterable[CalendarEntry]
) -> dict[str, Any]:
    """Return the context of the page."""
    ids = {
        row.values["product"]
        for holding in holdings.values()
        for row in holding.rows
        if "product" in row
    }
    products = dict(Product.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    page = Page(customer, holdings, {entry.category: entry for entry in entries}, products)
    by_category: dict[Category, list[Fact]] = {}
    for holding in holdings.values():
        for category, fact in PRESENTERS.get(holding.label, plain)(page, holding):
            by_category.setdefault(category, []).append(fact)
    return {
        "about": about(page),
        "groups": _groups(by_category),
        "lacks": list(_lacks(page, by_category)),
    }


def _groups(by_category: dict[Category, list[Fact]]) -> list[dict[str, Any]]:
    named = [category for group in GROUPS for category in group.categories]
    rest = Group(THE_REST, tuple(category for category in Category if category not in named))
    groups = []
    for group in (*GROUPS, rest):
        facts = [fact for category in group.categories for fact in by_category.get(category, [])]
        facts.sort(key=lambda fact: not fact.first)
        if facts:
            groups.append({"title": group.title, "facts": facts})
    return groups


def about(page: Page) -> str:
    """Say in a sentence what kinds of things we know."""
    return know(set(page.entries))


def know(categories: set[Category]) -> str:
    """Say in a sentence what these kinds of data are about."""
    parts = [
        words
        for words, kinds in (
            (_("hur vi når dig"), {Category.CONTACT, Category.ADDRESS, Category.IDENTITY}),
            (_("vad du har köpt"), {Category.PURCHASES, Category.INVOICES}),
            (_("vad du har frågat"), {Category.SUPPORT}),
            (_("vad du har valt"), {Category.PROOF}),
        )
        if categories & kinds
    ]
    if not parts:
        return _("Vi vet nästan inget om dig.")
    return _("Vi vet %(what)s.") % {"what": listed(parts)}


def _lacks(page: Page, shown: Container[Category]) -> Iterator[dict[str, str]]:
    """Yield what we do not have, each true of this person."""
    customer = page.customer
    if customer.national_id_sealed is None:
        yield {
            "name": _("Personnummer"),
            "text": _("Vi behöver det bara när du köper mot faktura, och har det inte nu."),
        }
    if customer.birth_date is None:
        yield {"name": _("Födelsedatum"), "text": _("Du har inte berättat när du är född.")}
    if not any(row["purpose"] == "E" and not row["declined"] for row in _choices(page)):
        yield {"name": _("Hur du surfar hos oss"), "text": _("Du har inte sagt ja till det.")}
    yield {
        "name": _("Tänder och hälsa"),
        "text": _("Vi frågar aldrig om det, och det finns ingen plats för det hos oss."),
    }
    told = {Category.IDENTITY, Category.CONTACT, Category.ADDRESS, Category.NATIONAL_ID}
    for category in KINDS:
        if category not in page.entries and category not in shown and category not in told:
            yield {"name": str(category.label), "text": _("Det finns inget sådant om dig.")}


def _choices(page: Page) -> tuple[Row, ...]:
    return page.rows("consent.Standing")
