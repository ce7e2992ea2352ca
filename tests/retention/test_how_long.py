"""Hur länge: the calendar on any day, in words, and what would be if one left today."""

from datetime import date, timedelta
from typing import Any

import pytest

from consent.actions import say_no
from consent.facts import ask, close_question, end_subscription
from customers.dates import FAR, add_years, today
from customers.models import Customer, Order, Subscription
from customers.models.channels import Collected
from customers.personal_data import Category
from customers.words import full_day
from retention import chart
from retention.models import Hold
from retention.rules import CalendarEntry, calendar, calendar_if_ended
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "/hur-lange/"


def former(name: str = "Anna") -> Customer:
    anna = cast.person(name, since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3), date(2026, 10, 31))
    cast.order(anna, date(2026, 1, 3), date(2026, 1, 7))
    cast.invoice(anna, date(2026, 1, 3))
    return anna


def current() -> Customer:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    cast.order(anna, date(2026, 1, 3), date(2026, 1, 7))
    return anna


def show(of: Customer, **query: str) -> str:
    return text(signed_in(of).get(PAGE, query))


def test_today_is_shown_first() -> None:
    page = show(former())
    assert "I dag har vi" in page
    assert "Du slutade vara kund 31 oktober 2026." in page
    assert "Det sista raderas natten till 1 januari 2034" in page


@pytest.mark.parametrize("written", ["2029-11-15", "15 november 2029", " 15  NOVEMBER 2029 "])
def test_a_day_may_be_written_in_figures_or_words(written: str) -> None:
    page = show(former(), dag=written)
    assert "Den 15 november 2029 har vi tre slags uppgifter kvar om dig." in page
    assert "Fakturor bokföringen kräver dem Kvar till 31 december 2033" in page
    assert "Namn och födelsedatum vem du är Borta sedan 1 november 2029" in page


def test_on_the_last_day_it_is_still_here_and_the_day_after_it_is_gone() -> None:
    anna = former()
    (name,) = [e for e in calendar(anna) if e.category is Category.IDENTITY]
    assert name.until == date(2029, 10, 31)
    assert "vem du är Kvar till 31 oktober 2029" in show(anna, dag="2029-10-31")
    assert "vem du är Borta sedan 1 november 2029" in show(anna, dag="2029-11-01")


def test_after_everything_nothing_is_left() -> None:
    assert "Den 2 januari 2040 har vi inget kvar om dig." in show(former(), dag="2040-01-02")


def test_yesterday_and_nonsense_get_a_sentence() -> None:
    anna = former()
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert f"Välj {full_day(today())} eller en senare dag." in show(anna, dag=yesterday)
    for nonsense in ("", "i morgon", "2029-02-30", "30 februari 2029", "\x00", "9" * 500, "’"):
        answer = signed_in(anna).get(PAGE, {"dag": nonsense})
        assert answer.status_code == 200
        assert "Fel:" in text(answer), nonsense
        assert "I dag har vi" in text(answer)


@pytest.mark.parametrize("day", ["9999-12-31", "9000-01-01", "2100-02-28"])
def test_a_day_very_far_off_is_answered(day: str) -> None:
    assert signed_in(current()).get(PAGE, {"dag": day}).status_code == 200


def test_a_customer_chooses_what_to_count_on() -> None:
    anna = current()
    page = show(anna)
    assert "Räkna med att jag är kvar som kund slutar i dag" in page
    assert "så länge du är kund" in page
    assert "Resten har vi så länge du är kund." in page
    assert "Räkna med att jag" not in show(former("Björn"))


def test_leaving_today_is_computed_as_it_would_be() -> None:
    anna = current()
    cast.order(anna, today() - timedelta(days=3))
    shown = {e.category: e.last_days for e in calendar_if_ended(anna, today())}
    assert Subscription.objects.get().ended_on is None
    assert Order.objects.filter(delivered_on=None).count() == 1
    assert max(max(days) for days in shown.values()) < FAR
    end_subscription(Subscription.objects.get(), today())
    Order.objects.filter(delivered_on=None).update(delivered_on=today())
    say = {e.category: e.last_days for e in calendar(anna)}
    assert shown[Category.IDENTITY] == {add_years(today(), 3): 1}
    assert say[Category.PURCHASES] == shown[Category.PURCHASES]


def test_leaving_today_is_a_plain_address() -> None:
    anna = current()
    page = show(anna, dag="2029-03-15", som="slutar")
    assert "Så här blir det om du slutar i dag" in page
    assert f"till {full_day(add_years(today(), 3))}" in page
    assert Subscription.objects.get().ended_on is None


def test_an_unknown_choice_gets_a_sentence() -> None:
    assert "Välj om du är kvar som kund" in show(current(), dag="2029-03-15", som="x")


def test_a_no_is_told_to_make_it_faster_only_where_it_does() -> None:
    anna = former()
    assert "Säg nej till reklam . Då raderar vi namn och kontaktuppgifter redan" in show(anna)
    say_no(anna)
    assert "Säg nej till reklam ." not in show(anna)


def test_an_open_question_holds_the_name_and_says_no_date() -> None:
    anna = former()
    say_no(anna)
    ask(anna, "Var är paketet?")
    page = show(anna)
    assert "vem du är Kvar tills ett öppet ärende är klart" in page


def test_a_hold_is_told() -> None:
    anna = former()
    Hold.objects.create(customer=anna, ground=Hold.Ground.CASE)
    page = show(anna, dag="2045-01-01")
    assert "Kvar tills ett öppet ärende är klart" in page


def entry(category: Category, *days: date, held: bool = False) -> CalendarEntry:
    return CalendarEntry(category, dict.fromkeys(days, 1), held=held)


def test_bars_share_one_axis_and_parts_leave_one_by_one() -> None:
    now = date(2026, 11, 24)
    invoices = entry(Category.INVOICES, date(2027, 12, 31), date(2028, 12, 31), date(2029, 12, 31))
    drawn = chart.draw([invoices, entry(Category.IDENTITY, FAR)], now, date(2028, 6, 1))
    assert drawn is not None
    name, bills = drawn.rows
    assert (name.open_end, name.state, name.state_note) == (True, "Kvar", "så länge du är kund")
    assert [bar.kind for bar in bills.bars] == ["is", "still"]
    assert bills.state == "2 av 3 kvar"
    assert len(bills.gaps) == 2
    assert name.bars[0].x == bills.bars[0].x == "0.00%"


def test_what_is_gone_comes_last_and_is_grey() -> None:
    now = date(2026, 11, 24)
    gone = entry(Category.IDENTITY, date(2027, 1, 1))
    left = entry(Category.INVOICES, date(2033, 12, 31))
    drawn = chart.draw([gone, left], now, date(2030, 1, 1))
    assert drawn is not None
    assert [row.over for row in drawn.rows] == [False, True]
    assert [bar.kind for bar in drawn.rows[1].bars] == ["gone"]


def test_every_width_is_within_the_axis() -> None:
    now = date(2026, 11, 24)
    for day in (now, date(2027, 1, 1), date(9999, 12, 31)):
        drawn = chart.draw([entry(Category.INVOICES, date(2033, 12, 31), FAR)], now, day)
        assert drawn is not None
        for row in drawn.rows:
            for bar in row.bars:
                assert float(bar.x[:-1]) + float(bar.width[:-1]) <= 100.01
        assert sum(1 for year in drawn.axis.years if year["label"]) <= chart.MOST_LABELS


def test_what_is_due_tonight_is_said_so() -> None:
    now = date(2026, 11, 24)
    drawn = chart.draw([entry(Category.IDENTITY, date.min)], now, now)
    assert drawn is not None
    assert drawn.rows[0].state_note == "raderas i natt"


def test_nothing_stored_draws_nothing() -> None:
    assert chart.draw([], date(2026, 11, 24), date(2026, 11, 24)) is None


@pytest.mark.parametrize("query", [{}, {"dag": "2029-03-15"}])
def test_the_page_asks_the_database_a_fixed_number_of_times(
    query: dict[str, str], django_assert_max_num_queries: Any
) -> None:
    client = signed_in(current())
    with django_assert_max_num_queries(10):
        client.get(PAGE, query)


def test_leaving_today_costs_no_more_than_a_dozen(django_assert_max_num_queries: Any) -> None:
    client = signed_in(current())
    with django_assert_max_num_queries(12):
        client.get(PAGE, {"dag": "2029-03-15", "som": "slutar"})


def test_a_question_that_is_open_keeps_what_there_is_of_who_is_no_customer() -> None:
    hugo = cast.person("Hugo")
    case = ask(hugo, "Pris", "Vad kostar det?", collected=Collected.WEB)
    client = signed_in(hugo)
    for page in (PAGE, "/", "/mina-uppgifter/"):
        said = text(client.get(page))
        assert "så länge du är kund" not in said.lower()
        assert "ett öppet ärende är klart" in said
    assert "Räkna med att jag" not in text(client.get(PAGE))
    close_question(case, "Hundra kronor.", today())
    assert "ett öppet ärende är klart" not in text(client.get(PAGE))
