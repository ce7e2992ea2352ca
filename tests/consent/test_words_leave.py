"""RUL-27: the words behind a yes and a sale leave five years after nothing rests on them.

Also of somebody who is a customer all the time; the chain of the ledger holds without them.
"""

from datetime import date, timedelta

import pytest
from django.db.utils import InternalError

from consent.actions import say_no, say_yes
from consent.facts import end_subscription
from consent.ledger import let_go
from consent.models import Event, EventDetail
from consent.purposes import Use
from consent.standing import KEPT_YEARS, stops
from consent.verification import BrokenLedgerError, verify
from customers.dates import FAR, add_years, today
from customers.models import Customer
from customers.personal_data import Category
from retention.actions import execute, open_run
from retention.models import Receipt
from retention.rules import calendar
from tests import cast
from tests.past import the_triggers

pytestmark = pytest.mark.django_db
MAIL, POST, PUSH = Use("H", "email"), Use("H", "post"), Use("G", "push")


def last_days(customer: Customer) -> list[date]:
    """Return the last day of each entry's words, in the order of the ledger."""
    found = EventDetail.objects.filter(event__customer=customer).order_by("pk")
    return list(found.values_list("retain_until", flat=True))


def replayed(customer: Customer) -> dict[int, date]:
    days = stops(Event.objects.filter(customer=customer).order_by("pk"))
    return {number: add_years(day, KEPT_YEARS) for number, day in days.items()}


def said(customer: Customer, *acts: tuple[str, Use | None, date]) -> None:
    for what, use, day in acts:
        if what == "yes":
            assert use is not None
            say_yes(customer, use, evidence=cast.SHOWN, at=cast.noon(day))
        else:
            say_no(customer, use, evidence="Brev", at=cast.noon(day))


@pytest.fixture
def anna() -> Customer:
    anna = cast.person("Anna", since=date(2012, 1, 1), notice=False)
    cast.subscription(anna, date(2012, 1, 1))
    return anna


def test_a_yes_that_stands_keeps_its_words(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)))
    assert last_days(anna) == [FAR]


def test_a_yes_taken_back_keeps_them_five_years(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("no", MAIL, date(2016, 2, 29)))
    assert last_days(anna) == [date(2021, 2, 28), FAR]


def test_a_no_keeps_its_words_until_the_persons_own_yes(anna: Customer) -> None:
    said(anna, ("no", MAIL, date(2013, 3, 1)), ("yes", MAIL, date(2014, 3, 1)))
    assert last_days(anna) == [date(2019, 3, 1), FAR]


def test_a_no_to_everything_keeps_them_while_some_of_it_stands(anna: Customer) -> None:
    said(anna, ("no", None, date(2013, 3, 1)), ("yes", MAIL, date(2014, 3, 1)))
    assert last_days(anna) == [FAR, FAR]


def test_a_no_said_again_is_the_same_no(anna: Customer) -> None:
    said(anna, ("no", MAIL, date(2013, 3, 1)), ("no", MAIL, date(2014, 3, 1)))
    assert last_days(anna) == [FAR, FAR]


def test_a_new_yes_takes_the_place_of_the_old(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("yes", MAIL, date(2014, 3, 1)))
    assert last_days(anna) == [date(2019, 3, 1), FAR]


def test_an_older_no_ends_it_on_the_day_of_the_yes(anna: Customer) -> None:
    said(anna, ("yes", POST, date(2015, 3, 1)), ("no", POST, date(2014, 3, 1)))
    assert last_days(anna) == [date(2020, 3, 1), FAR]


def test_a_yes_that_never_counted_keeps_them_from_its_own_day(anna: Customer) -> None:
    said(anna, ("no", MAIL, date(2015, 3, 1)), ("yes", MAIL, date(2014, 3, 1)))
    assert last_days(anna) == [FAR, date(2019, 3, 1)]


def test_the_facts_of_a_sale_last_until_its_last_use_is_over(anna: Customer) -> None:
    cast.told_at_a_sale(anna, at=cast.noon(date(2013, 1, 1)))
    sale = EventDetail.objects.get(event__kind=Event.Kind.SOFT_OPT_IN)
    for use in (Use("G", "email"), Use("G", "sms"), MAIL):
        said(anna, ("no", use, date(2014, 5, 1)))
        sale.refresh_from_db()
        assert sale.retain_until == FAR
    said(anna, ("no", Use("H", "sms"), date(2015, 5, 1)))
    sale.refresh_from_db()
    assert sale.retain_until == date(2020, 5, 1)


def test_the_database_and_the_replay_agree_and_so_does_a_bulk_load(anna: Customer) -> None:
    acts = [("yes", MAIL, 2013), ("no", None, 2014), ("yes", MAIL, 2015), ("no", MAIL, 2015)]
    acts += [("yes", PUSH, 2016), ("yes", POST, 2012), ("no", PUSH, 2017), ("yes", PUSH, 2018)]
    said(anna, *((what, use, date(year, 6, n + 1)) for n, (what, use, year) in enumerate(acts)))
    with_end = EventDetail.objects.filter(retain_until__lt=FAR).values_list("pk", "retain_until")
    stored = dict(with_end)
    assert len(stored) == 5
    assert stored == replayed(anna)
    with the_triggers():
        EventDetail.objects.update(retain_until=FAR)
    assert let_go([anna.pk]) == 5
    assert dict(with_end.all()) == stored


def test_they_leave_the_night_after_with_a_receipt_and_nothing_else_does(anna: Customer) -> None:
    ended = add_years(today(), -KEPT_YEARS)
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("yes", POST, date(2013, 3, 1)))
    said(anna, ("no", MAIL, ended - timedelta(days=1)), ("no", POST, ended))
    shown = {entry.category: entry.last_days for entry in calendar(anna)}[Category.PROOF]
    assert shown[today()] == 1
    assert shown[today() - timedelta(days=1)] == 1
    run = execute(open_run(today())[0])
    left = EventDetail.objects.order_by("pk").values_list("event__channel", flat=True)
    assert list(left) == ["post", "email", "post"]
    (receipt,) = Receipt.objects.filter(run=run)
    assert (receipt.category, receipt.rule, receipt.row_count) == (Category.PROOF, "RUL-27", 1)
    assert verify(lambda _done: None).unsealed == 4
    anna.refresh_from_db()
    assert anna.name


@pytest.mark.breaks(2)
def test_words_taken_before_their_time_are_found(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("no", MAIL, today()))
    with the_triggers():
        EventDetail.objects.filter(event__kind=Event.Kind.CONSENT_GIVEN).delete()
    with pytest.raises(BrokenLedgerError, match="is missing"):
        verify(lambda _done: None)


@pytest.mark.breaks(2)
def test_a_last_day_that_is_forged_takes_the_words_and_is_found(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)))
    EventDetail.objects.update(retain_until=date(2019, 1, 1))
    execute(open_run(today())[0])
    assert not EventDetail.objects.exists()
    with pytest.raises(BrokenLedgerError, match="is missing"):
        verify(lambda _done: None)


def test_a_last_day_is_set_once(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("no", MAIL, date(2016, 3, 1)))
    with pytest.raises(InternalError, match="never rewritten"):
        EventDetail.objects.filter(retain_until__lt=FAR).update(retain_until=date(2030, 1, 1))


def test_whoever_leaves_takes_them_along_by_the_earlier_day(anna: Customer) -> None:
    said(anna, ("yes", MAIL, date(2013, 3, 1)), ("no", MAIL, date(2024, 3, 1)))
    end_subscription(anna.subscriptions.get(), date(2020, 1, 1))
    days = {entry.category: entry.last_days for entry in calendar(anna)}[Category.PROOF]
    assert set(days) == {date(2029, 3, 1)}
