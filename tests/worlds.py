"""Small random worlds: people with a history, drawn by hypothesis, made through the actions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from hypothesis import strategies as st

from consent import records
from consent.actions import restrict, say_no, say_yes
from consent.purposes import Use, chosen_uses
from customers.models import Address, Change, Customer, SupportCase
from customers.models.channels import Collected, Source
from retention.models import Hold
from tests import cast

FIRST, LAST = date(2008, 1, 1), date(2026, 11, 20)
USES = [*chosen_uses(), Use("P", "email", "munvard-vast")]


@dataclass(frozen=True)
class Life:
    """One person's history as plain data."""

    since: date
    notice: bool
    spans: list[tuple[date, int | None]]
    deliveries: list[tuple[date, int | None]]
    invoices: list[tuple[date, bool]]
    questions: list[tuple[date, int | None]]
    choices: list[tuple[date, bool, int]]
    total_no: date | None
    restriction: str
    deceased_on: date | None
    born: date | None
    nix: bool
    held: int
    lifted: bool
    # Whatever was sent to any address of theirs came back that day.
    returned_on: date | None = None


days = st.dates(FIRST, LAST)
length = st.one_of(st.none(), st.integers(0, 1500))
lives = st.builds(
    Life,
    since=days,
    notice=st.booleans(),
    spans=st.lists(st.tuples(days, length), max_size=2),
    deliveries=st.lists(st.tuples(days, st.one_of(st.none(), st.integers(0, 40))), max_size=2),
    invoices=st.lists(st.tuples(days, st.booleans()), max_size=2),
    questions=st.lists(st.tuples(days, length), max_size=1),
    choices=st.lists(st.tuples(days, st.booleans(), st.integers(0, len(USES) - 1)), max_size=4),
    total_no=st.one_of(st.none(), days),
    restriction=st.sampled_from(["", "", "", "", "v", "a"]),
    deceased_on=st.one_of(st.none(), st.none(), st.none(), days),
    born=st.one_of(st.none(), st.none(), st.dates(date(1930, 1, 1), date(2014, 1, 1))),
    nix=st.booleans(),
    held=st.sampled_from([0, 0, 0, 0, 7, 64, 128, 65535]),
    lifted=st.booleans(),
    returned_on=st.one_of(st.none(), st.none(), st.none(), days),
)


def _plus(day: date, length: int | None) -> date | None:
    return None if length is None else min(LAST, day + timedelta(days=length))


def _buys(customer: Customer, life: Life) -> None:
    free_from = date.min
    for start, span in sorted(life.spans, key=lambda pair: pair[0]):
        if start > free_from:
            end = _plus(start, span)
            cast.subscription(customer, start, end)
            free_from = end or date.max
    for day, wait in life.deliveries:
        cast.order(customer, day, _plus(day, wait))
    for day, paid in life.invoices:
        cast.invoice(customer, day, paid=paid)
    for day, span in life.questions:
        SupportCase.objects.create(
            customer=customer,
            subject="Hur byter jag huvud?",
            collected=Collected.EMAIL,
            opened_at=cast.noon(day),
            closed_on=_plus(day, span),
        )
    Change.objects.create(
        customer=customer,
        field="phone",
        old="1",
        new="2",
        source=Source.PERSON,
        collected=Collected.PORTAL,
        at=cast.noon(life.since),
    )


def live(number: int, life: Life) -> Customer:
    """Make a person who has lived this life."""
    customer = cast.person(
        f"Person{number}",
        since=life.since,
        notice=life.notice,
        birth_date=life.born,
        nix_phone=life.nix,
        nix_post=life.nix,
        deceased_on=life.deceased_on,
    )
    _buys(customer, life)
    acts = [(day, yes, USES[use]) for day, yes, use in life.choices]
    if life.total_no:
        acts.append((life.total_no, False, None))
    for day, yes, use in sorted(acts, key=lambda act: act[0]):
        if yes:
            say_yes(customer, use, evidence=cast.SHOWN, at=cast.noon(day))
        else:
            say_no(customer, use, at=cast.noon(day))
    if life.restriction:
        restrict(customer, life.restriction, at=cast.noon(life.since))
    if life.held:
        Hold.objects.create(
            customer=customer,
            ground=Hold.Ground.MANUAL,
            categories=life.held,
            lifted_at=cast.noon(LAST) if life.lifted else None,
        )
    if life.returned_on:
        Customer.objects.filter(pk=customer.pk).update(
            email_returned_on=life.returned_on, phone_returned_on=life.returned_on
        )
        customer.addresses.update(returned_on=life.returned_on)
    records.refresh([customer.pk])
    return customer


@contextmanager
def world(lives: list[Life]) -> Iterator[list[Customer]]:
    """Make the people of a world, and take everything back at the end."""
    with transaction.atomic():
        yield [live(number, life) for number, life in enumerate(lives)]
        transaction.set_rollback(True)


__all__ = ["FIRST", "LAST", "USES", "Address", "Life", "days", "live", "lives", "world"]
