"""When a request must be answered."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customers.dates import stockholm_date
from privacy_requests.rules import (
    Deadline,
    Eves,
    TooLateError,
    dsr_deadline,
    dsr_extension,
    dsr_identity_suspension,
    extend,
    identity_given_up_on,
    identity_reminder_on,
    is_working_day,
    working_days_after,
)

CASES = json.loads((Path(__file__).parent.parent / "data" / "date_cases.json").read_text())["cases"]
days = st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 12, 31))


def cases(kind: str) -> pytest.MarkDecorator:
    found = [case for case in CASES if case["kind"] == kind]
    assert found
    return pytest.mark.parametrize("case", found, ids=[case["id"] for case in found])


def received(text: str) -> date:
    """Read a date, or the Stockholm date of a timestamp."""
    if "T" in text:
        return stockholm_date(datetime.fromisoformat(text))
    return date.fromisoformat(text)


@cases("dsr_deadline")
def test_a_request_is_answered_within_a_month(case: Any) -> None:
    deadline = dsr_deadline(received(case["input"]["received_at"]))
    found = {
        "nominal": deadline.nominal.isoformat(),
        "legal_latest": deadline.legal_latest.isoformat(),
        "internal_target": deadline.internal_target.isoformat(),
    }
    assert found == case["expected"], case["explanation"]


@cases("dsr_extension")
def test_an_extension_counts_three_months_from_receipt(case: Any) -> None:
    extension = dsr_extension(received(case["input"]["received_at"]))
    found = {
        "notice_nominal": extension.notice.nominal.isoformat(),
        "notice_legal_latest": extension.notice.legal_latest.isoformat(),
        "extended_nominal": extension.extended.nominal.isoformat(),
        "extended_legal_latest": extension.extended.legal_latest.isoformat(),
    }
    assert found == case["expected"], case["explanation"]


@cases("dsr_identity_suspension")
def test_the_clock_stands_still_while_we_ask_who_it_is(case: Any) -> None:
    given_days = {name: date.fromisoformat(day) for name, day in case["input"].items()}
    suspension = dsr_identity_suspension(
        given_days["received_on"], given_days["info_requested_on"], given_days["adequate_info_on"]
    )
    found = {
        "suspended_days": suspension.suspended_days,
        "nominal": suspension.nominal.isoformat(),
        "legal_latest": suspension.legal_latest.isoformat(),
    }
    assert found == case["expected"], case["explanation"]


def test_a_question_of_identity_after_three_working_days_moves_nothing() -> None:
    friday = date(2026, 11, 20)
    dsr_identity_suspension(friday, date(2026, 11, 25), date(2026, 12, 1))
    with pytest.raises(TooLateError):
        dsr_identity_suspension(friday, date(2026, 11, 26), date(2026, 12, 1))


def test_the_eves_count_when_we_ask_who_it_is() -> None:
    assert working_days_after(date(2025, 12, 22), 3, Eves.WORK) == date(2025, 12, 29)


def test_an_unanswered_question_is_asked_again_and_given_up_in_the_open() -> None:
    asked = date(2026, 11, 2)
    assert identity_reminder_on(asked) == date(2026, 11, 16)
    assert identity_given_up_on(asked) == date(2027, 1, 1)


def test_an_extension_told_after_the_month_is_refused() -> None:
    assert extend(date(2025, 3, 5), date(2025, 4, 5)).nominal == date(2025, 6, 5)
    with pytest.raises(TooLateError):
        extend(date(2025, 3, 5), date(2025, 4, 6))


def test_a_request_is_extended_once_only() -> None:
    with pytest.raises(TooLateError):
        extend(date(2025, 3, 5), date(2025, 3, 20), extended_before=True)


@pytest.mark.parametrize("eve", [date(2026, 6, 19), date(2026, 12, 24), date(2026, 12, 31)])
def test_the_eves_are_work_for_us_and_free_for_you(eve: date) -> None:
    assert is_working_day(eve, Eves.WORK)
    assert not is_working_day(eve, Eves.FREE)


def test_whit_monday_is_a_working_day_and_national_day_is_not() -> None:
    assert is_working_day(date(2026, 5, 25), Eves.FREE)
    assert not is_working_day(date(2028, 6, 6), Eves.WORK)


def test_somebody_is_warned_ten_five_and_one_working_days_before() -> None:
    assert list(Deadline.at(date(2026, 12, 24)).warnings()) == [
        date(2026, 12, 9),
        date(2026, 12, 16),
        date(2026, 12, 22),
    ]


@given(days)
def test_our_aim_never_comes_after_the_law_and_both_are_working_days(received_on: date) -> None:
    deadline = dsr_deadline(received_on)
    assert deadline.internal_target <= deadline.nominal <= deadline.legal_latest
    assert is_working_day(deadline.internal_target, Eves.FREE)
    assert is_working_day(deadline.legal_latest, Eves.WORK)
    assert deadline.legal_latest - deadline.nominal <= timedelta(days=5)
