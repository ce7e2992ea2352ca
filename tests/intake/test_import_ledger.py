"""The standing that an import writes in bulk is the one that the ledger adds up to."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.actions import say_no, say_yes, serve_notice
from consent.models import Event, Standing
from consent.purposes import CATALOGUE, Permission, Use
from consent.rules import may_process
from consent.standing import State, replay
from customers.dates import today
from customers.models import Customer
from tests import cast
from tests.intake.files import NOTICED, SALE, load, person

pytestmark = pytest.mark.django_db

DAYS = st.dates(date(2020, 1, 1), date(2020, 1, 9))
USES = [
    Use(purpose.code, channel.value, "Tandvännen AB" if purpose.named_third_party else "")
    for purpose in CATALOGUE
    for channel, permission in purpose.channels.items()
    if permission is not Permission.NONE and purpose.code in ("C", "G", "H", "P")
]


def row(use: Use | None, answer: str, day: date, evidence: str) -> dict[str, Any]:
    return {
        "number": "K1",
        "answer": answer,
        "purpose": use.purpose if use else "",
        "channel": use.channel if use else "",
        "third_party": use.third_party if use else "",
        "given_on": day.isoformat(),
        "evidence": evidence,
    }


YES = st.builds(
    row, st.sampled_from(USES), st.just("yes"), DAYS, st.sampled_from(["Talong", "", "Formulär"])
)
NO = st.builds(row, st.sampled_from([None, *USES]), st.just("no"), DAYS, st.just(""))
NO_TO_ALL = st.builds(
    lambda day, channel: {**row(None, "no", day, ""), "channel": channel},
    DAYS,
    st.sampled_from(["", "email", "phone", "post"]),
)
CONSENTS = st.lists(st.one_of(YES, YES, NO, NO_TO_ALL), max_size=6)
TOLD = st.one_of(st.just(""), DAYS.map(date.isoformat))
ACTS = st.lists(
    st.tuples(st.sampled_from(["notice", "sale", "yes", "no", "no to all"]), DAYS), max_size=3
)


def act(customer: Customer, what: str, day: date) -> None:
    """Let something happen at the person's own hand before the file comes."""
    at = cast.noon(day)
    match what:
        case "notice":
            serve_notice(customer, collected="web", at=at)
        case "sale":
            cast.told_at_a_sale(customer, at=at)
        case "yes":
            say_yes(customer, Use("H", "email"), evidence=cast.SHOWN, at=at)
        case "no":
            say_no(customer, Use("H", "email"), at=at)
        case "no to all":
            say_no(customer, at=at)


def stored(customer: Customer) -> dict[Use, State]:
    return {
        Use(s.purpose, s.channel, s.third_party): State(
            s.permission, s.declined, s.opens, s.closes, s.since, s.authority
        )
        for s in Standing.objects.filter(customer=customer)
    }


NOTHING_LOADED = 2
LOCKS = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"


@contextmanager
def a_life_of_its_own() -> Iterator[Path]:
    """Give a folder, and take back all that was done with it.

    An import makes twenty tables. Kept to the end of the test, the locks of two hundred imports
    are more than the database has room for, and it refuses the next one.
    """
    with tempfile.TemporaryDirectory() as name, transaction.atomic():
        yield Path(name)
        transaction.set_rollback(True)


@given(before=ACTS, consents=CONSENTS, noticed_on=TOLD, soft_opt_in_on=TOLD, again=CONSENTS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_standing_equals_the_replay_of_the_ledger(
    before: list[tuple[str, date]],
    consents: list[dict[str, Any]],
    noticed_on: str,
    soft_opt_in_on: str,
    again: list[dict[str, Any]],
) -> None:
    with a_life_of_its_own() as folder:
        assert load(folder, customers=[person(email="k1@example.se")]).code == 0
        customer = Customer.objects.get(number="K1")
        for what, day in before:
            act(customer, what, day)
        told = person(
            noticed_on=noticed_on, soft_opt_in_on=soft_opt_in_on, email="k1@example.se", **SALE
        )
        for rows in (consents, again):
            # A yes older than a no may be refused; that nothing is loaded may not be.
            assert load(folder, customers=[told], consents=rows).code < NOTHING_LOADED
            events = Event.objects.filter(customer=customer).order_by("pk")
            assert stored(customer) == replay(events)
            lines = Standing.objects.filter(customer=customer).select_related("event")
            assert all(line.event.customer_id == customer.pseudonym for line in lines)


def test_a_life_leaves_no_locks_for_the_ones_after_it() -> None:
    held = []
    for _ in range(2):
        with a_life_of_its_own() as folder:
            assert load(folder, customers=[person()]).code == 0
            assert Customer.objects.filter(number="K1").exists()
        with connection.cursor() as cursor:
            cursor.execute(LOCKS)
            held.append(cursor.fetchone())
    assert held[0] == held[1]


def test_no_file_opens_a_company_after_a_no_to_everything() -> None:
    with tempfile.TemporaryDirectory() as name:
        load(Path(name), customers=[person("K1")])
        customer = Customer.objects.get(number="K1")
        say_no(customer)
        partner = Use("P", "email", "Tandvännen AB")
        load(Path(name), consents=[row(partner, "yes", date(2020, 1, 2), "Talong")])
    assert Event.objects.filter(customer=customer, kind=Event.Kind.CONSENT_GIVEN).exists()
    assert not Standing.objects.filter(customer=customer, permission="consent").exists()
    assert stored(customer) == replay(Event.objects.filter(customer=customer).order_by("pk"))


def test_no_file_opens_a_way_that_somebody_has_said_no_by(tmp_path: Path) -> None:
    said_no = cast.person("Björn", email="familjen@example.se")
    say_no(said_no, at=timezone.now() - timedelta(days=30))
    mail = Use("H", "email")
    known = person(email="familjen@example.se", adult_confirmed_on="2020-03-01", **NOTICED)
    yes = row(mail, "yes", today() - timedelta(days=2), "Talong 12")
    assert load(tmp_path, customers=[known], consents=[yes]).code < NOTHING_LOADED
    anna = Customer.objects.get(number="K1")
    cast.subscription(anna, date(2024, 1, 8))
    refused = [answer.name for answer in may_process(anna.pk, mail).refusals(today())]
    assert refused == ["not_suppressed"]
    say_yes(anna, mail, evidence=cast.SHOWN)
    assert may_process(anna.pk, mail).allowed(today())
