"""Dates and numbers as the pages say them."""

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from customers import words
from customers.dates import FAR

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def _swedish():
    with translation.override("sv"):
        yield


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (date(2026, 12, 9), "onsdag 9 december"),
        (date(2026, 11, 24), "tisdag 24 november"),
        (date(2026, 12, 25), "fredag 25 december"),
        (date(2026, 12, 26), "26 december"),
        (date(2026, 11, 18), "18 november"),
        (date(2027, 2, 22), "22 februari 2027"),
        (date(2024, 3, 3), "3 mars 2024"),
    ],
)
def test_a_day_has_a_weekday_within_a_month_and_a_year_when_it_is_another(said, expected):
    assert words.day(said, TODAY) == expected


def test_a_near_day_in_the_next_year_has_both_weekday_and_year():
    assert words.day(date(2027, 1, 1), date(2026, 12, 20)) == "fredag 1 januari 2027"


def test_a_full_day_always_has_its_year():
    assert words.full_day(date(2026, 12, 31)) == "31 december 2026"


def test_the_night_is_the_one_to_the_day_after_the_last_day():
    assert words.night(date(2026, 12, 8), TODAY) == "natten till onsdag 9 december"
    assert words.night(date(2033, 12, 31), TODAY) == "natten till 1 januari 2034"


def test_what_has_no_end_yet_is_kept_as_long_as_one_is_a_customer():
    assert words.until(FAR) == "Så länge du är kund"
    assert words.until(date(2029, 12, 31)) == "31 december 2029"


def test_times_are_stockholm_times_with_a_point():
    at = datetime(2026, 11, 20, 13, 2, tzinfo=UTC)
    assert words.clock(at) == "kl. 14.02"
    assert words.moment(at, TODAY) == "20 november kl. 14.02"


def test_a_moment_late_in_the_evening_belongs_to_the_stockholm_day():
    assert words.full_day(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == "1 januari 2027"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "noll"), (1, "ett"), (2, "två"), (12, "tolv"), (13, "13"), (1204, "1\xa0204")],
)
def test_numbers_up_to_twelve_are_words(number, expected):
    assert words.in_words(number) == expected


def test_one_follows_the_gender_of_the_thing_counted():
    assert words.in_words(1, "en") == "en"


def test_thousands_have_a_hard_space():
    assert words.figures(1234567) == "1\xa0234\xa0567"


@pytest.mark.parametrize(
    ("things", "expected"),
    [
        ([], ""),
        (["e-post"], "e-post"),
        (["e-post", "post"], "e-post och post"),
        (["e-post", "sms", "post"], "e-post, sms och post"),
    ],
)
def test_things_are_listed_as_in_a_sentence(things, expected):
    assert words.listed(things) == expected


def test_file_sizes_have_a_decimal_comma():
    assert words.file_size(1_400_000) == "1,4\xa0MB"
    assert words.file_size(23_000) == "23\xa0kB"
    assert words.file_size(12) == "0,1\xa0kB"


@pytest.mark.parametrize(
    "text", ["2029-03-15", "15 mars 2029", " 15  Mars 2029 ", "den 15 mars 2029", "15 March 2029"]
)
def test_a_day_is_read_as_people_write_it(text):
    assert words.read_day(text) == date(2029, 3, 15)


@pytest.mark.parametrize(
    "text", ["", "2029-02-30", "15 marsch 2029", "15/3 2029", "0000-01-01", "\x00", "i morgon"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        words.read_day(text)


def test_english_has_the_same_shapes():
    with translation.override("en"):
        assert words.day(date(2026, 12, 9), TODAY) == "Wednesday 9 December"
        assert words.in_words(1) == "one"
        assert words.file_size(1_400_000) == "1.4\xa0MB"
