"""The dates of the product against those worked out anew by tests/oracles/retention.py."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from hypothesis import HealthCheck, example, given, settings

from consent.models import Event, ProcessingRecord
from customers.dates import FAR
from customers.models import Customer
from customers.personal_data import Category
from retention.rules import calendar
from tests import worlds
from tests.oracles.retention import OPEN, Facts, Person

pytestmark = pytest.mark.django_db
OF_THE_PERSON = (Category.IDENTITY, Category.CONTACT, Category.ADDRESS)


# Section 8 of the law, channel by channel, as what is asked before a use is open.
CHANNELS = {
    "C": dict.fromkeys(("email", "post", "phone"), "opt_out") | {"sms": "consent"},
    "D": {"internal": "opt_out"},
    "E": {"web": "consent"},
    "F": {"internal": "opt_out"},
    "G": dict.fromkeys(("email", "sms"), "soft") | dict.fromkeys(("push", "social"), "consent"),
    "H": dict.fromkeys(("email", "sms"), "soft") | dict.fromkeys(("phone", "post"), "opt_out"),
    "I": {"portal": "opt_out"},
    "J": {"web": "opt_out"},
    "P": dict.fromkeys(("email", "sms", "phone", "post"), "consent"),
}


def facts_of(customer: Customer, life: worlds.Life) -> Facts:
    """Read back what was made of a life: overlapping subscriptions are left out in a world."""
    said = [
        (_day(event.at), event.kind == Event.Kind.CONSENT_GIVEN, event.purpose, event.channel)
        for event in Event.objects.filter(customer=customer).order_by("pk")
        if event.kind
        in (Event.Kind.CONSENT_GIVEN, Event.Kind.OBJECTED, Event.Kind.CONSENT_WITHDRAWN)
    ]
    return Facts(
        last_contact=life.since,
        subscriptions=list(customer.subscriptions.values_list("started_on", "ended_on")),
        deliveries=list(customer.orders.values_list("ordered_on", "delivered_on")),
        invoices=[(day, paid) for day, paid in life.invoices],
        questions=[
            (_day(opened), closed)
            for opened, closed in customer.support_cases.values_list("opened_at", "closed_on")
        ],
        said=said,
        noticed=life.since if life.notice else None,
        deceased=life.deceased_on,
        unreachable=life.returned_on,
        changes=[life.since],
    )


def _day(moment: datetime) -> date:
    return date(moment.year, moment.month, moment.day)


def _last(day: date) -> date:
    return OPEN if day >= FAR else day


# Mail came back from every address of a former customer, and of somebody who only asked.
LOST = worlds.Life(
    since=date(2020, 3, 1),
    notice=True,
    spans=[(date(2020, 3, 1), 700)],
    deliveries=[],
    invoices=[],
    questions=[],
    choices=[],
    total_no=None,
    restriction="",
    deceased_on=None,
    born=None,
    nix=False,
    held=0,
    lifted=False,
    returned_on=date(2023, 5, 2),
)
LOST_EARLY = replace(LOST, since=date(2026, 3, 1), spans=[], returned_on=date(2026, 5, 2))


@example(LOST)
@example(LOST_EARLY)
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(worlds.lives)
def test_every_last_day_is_the_one_the_law_gives(life: worlds.Life) -> None:
    with worlds.world([life]) as (customer,):
        law = Person(facts_of(customer, life), CHANNELS)
        records = {r.purpose: r for r in ProcessingRecord.objects.filter(customer=customer)}
        for code in ("H", "A", "B", "K", "G"):
            expected = law.purpose(code)
            found = _last(records[code].retain_until) if code in records else None
            assert found == expected, code
        entries = {entry.category: entry for entry in calendar(customer)}
        for category in OF_THE_PERSON:
            assert _days(entries, category) == [law.master()], category
        assert _days(entries, Category.PURCHASES) == law.purchases()
        assert _days(entries, Category.INVOICES) == law.invoices()
        assert _days(entries, Category.SUPPORT) == law.support()
        assert _days(entries, Category.HISTORY) == law.history()
        if Category.PROOF in entries:
            assert set(_days(entries, Category.PROOF)) == {law.proof()}


def _days(entries: dict[Category, object], category: Category) -> list[date]:
    found = getattr(entries.get(category), "last_days", {})
    return sorted(_last(day) for day, rows in found.items() for _ in range(rows))
