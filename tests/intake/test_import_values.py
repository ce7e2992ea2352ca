"""One cell: the short cuts say what the rules of the register say, and bad cells are refused."""

from datetime import date

import phonenumbers
import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from customers.rules import clean_email, clean_phone
from dentalclean.intake import values
from dentalclean.intake.values import RefusedError

ON = date(2026, 11, 24)
# The first draw compiles the pattern, which a busy machine takes its time for.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@unhurried
@given(st.from_regex(values.PLAIN_EMAIL, fullmatch=True))
def test_a_plain_email_is_taken_as_the_register_takes_it(text: str) -> None:
    try:
        expected = clean_email(text)
    except ValidationError:
        with pytest.raises(RefusedError):
            values.email(text, ON)
    else:
        assert values.email(text, ON) == expected


@unhurried
@given(st.from_regex(values.PLAIN_MOBILE, fullmatch=True))
def test_a_plain_mobile_is_taken_as_the_register_takes_it(text: str) -> None:
    try:
        expected = clean_phone(text)
    except ValidationError:
        with pytest.raises(RefusedError):
            values.phone(text, ON)
    else:
        assert values.phone(text, ON) == expected


@pytest.mark.parametrize(
    "text", ["070-174 06 35", "+46701740635", "+46 70 174 06 35", "0701740635"]
)
def test_phones_become_international(text: str) -> None:
    assert values.phone(text, ON) == "+46701740635"
    assert phonenumbers.is_valid_number(phonenumbers.parse(values.phone(text, ON)))


@pytest.mark.parametrize(
    ("clean", "text"),
    [
        (values.email, "ingen snabel-a"),
        (values.email, "a@b"),
        (values.email, "a..b@example.se"),
        (values.phone, "12"),
        (values.phone, "ring mig"),
        (values.postcode, "1234"),
        (values.postcode, "012 34"),
        (values.national_id, "191212121213"),
        (values.national_id, "199002302384"),
        (values.day, "2022-02-30"),
        (values.day, "2023-02-29"),
        (values.day, "1899-12-31"),
        (values.day, "2026-11-25"),
        (values.day, "24/11 2026"),
        (values.day, "20261124"),
        (values.planned_day, "2029-01-01"),
        (values.yes_or_no, "kanske"),
        (values.line(10), "för lång för raden"),
        (values.line(100), "klock\x07a"),
        (values.line(100), "vänd\u202etext"),
        (values.code(5), "K 1"),
        (values.whole(1, 10), "11"),
        (values.whole(1, 10), "1,5"),
        (values.whole(1, 10), "١"),
        (values.one_of(("sv", "en")), "no"),
    ],
)
def test_a_bad_cell_is_refused_without_repeating_it(clean: values.Clean, text: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        clean(text, ON)
    assert text not in str(refusal.value)
    assert str(refusal.value).endswith(".")


def test_leap_days_and_swedish_letters_are_fine() -> None:
    assert values.day("2020-02-29", ON) == "2020-02-29"
    assert values.line(20)("Åsa D’Angelo", ON) == "Åsa D’Angelo"
    assert values.line(20)("A\u030asa", ON) == "Åsa"


@pytest.mark.parametrize("text", ["190001-01", "701063-2391"])
def test_coordination_numbers_are_numbers(text: str) -> None:
    if len(text) < 11:
        with pytest.raises(RefusedError):
            values.national_id(text, ON)
    else:
        assert values.national_id(text, ON) == "197010632391"
