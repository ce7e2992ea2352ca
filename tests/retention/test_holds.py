"""Holds: what they keep, until when, how they are reviewed, and the second receipt of each."""

import logging
from datetime import date, timedelta

import pytest

from consent.actions import restrict
from consent.ledger import append
from consent.models import Authority, Event
from customers.dates import add_months, today
from customers.models import Customer, Order, User
from customers.models.channels import Collected
from customers.personal_data import Category, mask
from disclosures.models import Outbox
from retention import certificates, holds
from retention.actions import execute, open_run
from retention.holds import HoldError, lift_hold, place_hold, remind_owners, review_hold
from retention.models import Hold, HoldReview, Receipt, Run
from retention.rules import algebra, calendar
from tests import cast, past

pytestmark = pytest.mark.django_db

FIRST, SECOND, THIRD = date(2026, 10, 2), date(2026, 10, 3), date(2026, 10, 4)


@pytest.fixture
def disa_herself() -> User:
    return User.objects.create_user("disa@dentalclean.example", is_staff=True)


@pytest.fixture
def anna() -> Customer:
    """A former customer whose time is up."""
    person = cast.person("Anna", since=date(2019, 1, 7))
    cast.subscription(person, date(2019, 1, 7), date(2023, 10, 1))
    return person


def night(day: date) -> Run:
    return execute(open_run(day)[0])


def held(customer: Customer, *categories: Category, ground: str = "dispute") -> Hold:
    kept = {"categories": mask(*categories)} if categories else {}
    return Hold.objects.create(customer=customer, ground=ground, reason="Tvist", **kept)


def told(customer: Customer) -> list[tuple[str, str, bool]]:
    rows = Receipt.objects.filter(customer=customer).order_by("pk")
    return [(Category(r.category).name, r.held_by, r.follows_id is not None) for r in rows]


# The two receipts (ERA-04)


def test_what_is_held_gets_a_receipt_that_says_so_and_a_second_when_it_goes(
    anna: Customer,
) -> None:
    hold = held(anna)
    night(FIRST)
    said = told(anna)
    assert ("IDENTITY", "dispute", False) in said
    assert {ground for _, ground, _ in said} == {"dispute"}
    night(SECOND)
    assert told(anna) == said  # said once, however long it is held
    lift_hold(hold)
    night(THIRD)
    second = [line for line in told(anna) if not line[1]]
    assert sorted(line[0] for line in second if line[2]) == sorted(line[0] for line in said)
    first = Receipt.objects.get(category=Category.IDENTITY, held_by="dispute")
    assert Receipt.objects.get(category=Category.IDENTITY, held_by="").follows_id == first.pk
    assert Customer.objects.get(pk=anna.pk).name == ""


def test_a_hold_of_one_kind_lets_the_rest_go_and_follows_only_where_it_held(
    anna: Customer,
) -> None:
    cast.order(anna, date(2022, 1, 7), date(2022, 1, 9))
    hold = held(anna, Category.PURCHASES, ground="books")
    night(FIRST)
    assert Order.objects.filter(customer=anna).exists()
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert ("PURCHASES", "books", False) in told(anna)
    assert ("IDENTITY", "", False) in told(anna)
    lift_hold(hold)
    night(SECOND)
    assert not Order.objects.filter(customer=anna).exists()
    assert told(anna)[-1] == ("PURCHASES", "", True)


def test_a_deletion_that_nothing_held_follows_on_nothing(anna: Customer) -> None:
    night(FIRST)
    assert told(anna)
    assert not any(ground or follows for _, ground, follows in told(anna))


def test_what_was_held_once_is_not_followed_twice(anna: Customer) -> None:
    cast.order(anna, date(2022, 1, 7), date(2022, 1, 9))
    cast.order(anna, date(2023, 10, 2), date(2023, 10, 2))
    lift_hold_after = held(anna, Category.PURCHASES)
    night(date(2026, 10, 1))
    lift_hold(lift_hold_after)
    night(FIRST)
    night(SECOND)
    purchases = [line for line in told(anna) if line[0] == "PURCHASES"]
    assert purchases == [
        ("PURCHASES", "dispute", False),
        ("PURCHASES", "", True),
        ("PURCHASES", "", False),
    ]


def test_a_restriction_that_is_lifted_has_a_second_receipt_too(anna: Customer) -> None:
    restrict(anna, "a", at=cast.noon(date(2023, 9, 1)))
    night(FIRST)
    assert ("IDENTITY", "restriction", False) in told(anna)
    with past.no_notice():
        append(anna, Event.Kind.UNRESTRICTED, collected=Collected.PORTAL, authority=Authority.STAFF)
    night(SECOND)
    assert ("IDENTITY", "", True) in told(anna)


def test_the_certificate_covers_what_is_held_back_and_still_does_as_planned(
    anna: Customer,
) -> None:
    held(anna, Category.PURCHASES)
    run = night(FIRST)
    assert run.certificate is not None
    assert run.certificate["held_back"]["people"] == 1
    assert run.certificate["done"]["as_planned"]
    assert certificates.verify().with_receipts == 1
    with past.the_triggers():
        Receipt.objects.exclude(held_by="").update(held_by="manual", row_count=7)
    with pytest.raises(certificates.BrokenCertificateError, match="receipts of the night"):
        certificates.verify()


# Ten years at most, reviewed every six months (RUL-35, CLM-03)


def test_a_decision_holds_ten_years_and_then_no_more(anna: Customer) -> None:
    hold = held(anna)
    Hold.objects.filter(pk=hold.pk).update(placed_at=cast.noon(date(2016, 10, 2)))
    hold.refresh_from_db()
    assert hold.lapses_on == date(2026, 10, 2)
    night(FIRST)
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    night(SECOND)
    assert Customer.objects.get(pk=anna.pk).name == ""
    hold_now = Hold.objects.filter(pk=hold.pk).first()
    assert hold_now is None or hold_now.lifted_at is not None


def test_a_case_holds_as_long_as_it_is_open(anna: Customer) -> None:
    hold = Hold.objects.create(customer=anna, ground="case", reference="case:1")
    Hold.objects.filter(pk=hold.pk).update(placed_at=cast.noon(date(2010, 1, 1)))
    assert algebra(FIRST, [anna.pk])[0][2]
    assert any(entry.held for entry in calendar(anna))


def test_an_unreviewed_hold_still_holds_and_is_told_to_its_owner_once_a_week(
    anna: Customer, disa_herself: User, caplog: pytest.LogCaptureFixture
) -> None:
    hold = place_hold(
        anna, ground="dispute", reason="Tvist", owner=disa_herself, review_on=today() + timedelta(9)
    )
    assert remind_owners(today()) == 1
    assert remind_owners(today() + timedelta(6)) == 0
    assert not caplog.records
    late = today() + timedelta(30)
    with caplog.at_level(logging.ERROR):
        assert remind_owners(late) == 1
    assert "1 holds should have been reviewed" in caplog.text
    mails = list(Outbox.objects.filter(template="hold_review"))
    assert [m.recipient for m in mails] == [disa_herself.email] * 2
    assert all(m.customer is None for m in mails)
    assert not any(word in m.body for m in mails for word in ("Anna", anna.number, "Tvist"))
    assert algebra(late, [anna.pk])[0][2]
    assert hold in Hold.objects.to_review(late)


def test_a_review_gives_a_new_day_a_reason_and_an_owner(anna: Customer, disa_herself: User) -> None:
    hold = held(anna)
    next_time = add_months(today(), 6)
    review = review_hold(hold, reason="Målet pågår", by=disa_herself, review_on=next_time)
    hold.refresh_from_db()
    assert (hold.review_on, hold.owner, hold.reminded_on) == (next_time, disa_herself, None)
    assert list(HoldReview.objects.filter(hold=hold)) == [review]


def test_what_cannot_be_decided_is_refused_with_a_sentence(
    anna: Customer, disa_herself: User
) -> None:
    hold = held(anna)
    six = add_months(today(), 6)
    with pytest.raises(HoldError, match="within six months"):
        review_hold(hold, reason="x", by=disa_herself, review_on=six + timedelta(1))
    with pytest.raises(HoldError, match="within six months"):
        place_hold(
            anna, ground="manual", reason="x", owner=disa_herself, review_on=six + timedelta(1)
        )
    with pytest.raises(HoldError, match="for a reason"):
        review_hold(hold, reason=" ", by=disa_herself, review_on=six)
    with pytest.raises(HoldError, match="keeps something"):
        place_hold(
            anna, ground="manual", reason="x", owner=disa_herself, review_on=six, categories=0
        )
    lift_hold(hold)
    with pytest.raises(HoldError, match="is over"):
        review_hold(hold, reason="x", by=disa_herself, review_on=six)
    case = Hold.objects.create(customer=anna, ground="case", reference="case:2")
    with pytest.raises(HoldError, match="belongs to"):
        review_hold(case, reason="x", by=disa_herself, review_on=six)


def test_holds_that_are_over_are_closed_once(anna: Customer) -> None:
    hold = held(anna)
    Hold.objects.filter(pk=hold.pk).update(placed_at=cast.noon(date(2010, 1, 1)))
    assert holds.lift_lapsed(FIRST) == 1
    assert holds.lift_lapsed(FIRST) == 0
