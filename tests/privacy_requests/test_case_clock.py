"""The clock of cases through the real acts: deadlines, suspension, extension, warnings, health."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.dates import STOCKHOLM, stockholm_date, today
from customers.models import User
from dentalclean import health
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests import cases, rules
from privacy_requests.models import Case
from privacy_requests.waiting import tick
from tests import cast
from tests.oracles import calendar

CASES = json.loads((Path(__file__).parent.parent / "data" / "date_cases.json").read_text())["cases"]


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 9, tzinfo=STOCKHOLM)


def of(kind: str) -> pytest.MarkDecorator:
    found = [case for case in CASES if case["kind"] == kind]
    assert found
    return pytest.mark.parametrize("given", found, ids=[case["id"] for case in found])


def moment(text: str) -> datetime:
    if "T" in text:
        return datetime.fromisoformat(text)
    return at(date.fromisoformat(text))


@pytest.fixture
def cecilia(db: None) -> User:
    return User.objects.create_user("cecilia@dentalclean.example", is_staff=True)


def opened(received: datetime) -> Case:
    return cases.register(
        cast.person("Anna"), "rectification", collected="email", received_at=received
    )


# Worked examples, through the acts


@of("dsr_deadline")
@pytest.mark.django_db
@pytest.mark.breaks(8)
def test_a_case_has_the_days_of_the_worked_example(given: Any) -> None:
    case = opened(moment(given["input"]["received_at"]))
    expected = given["expected"]
    assert case.nominal_on.isoformat() == expected["nominal"], given["explanation"]
    assert case.latest_on.isoformat() == expected["legal_latest"]
    assert case.target_on.isoformat() == expected["internal_target"]


@of("dsr_extension")
@pytest.mark.django_db
@pytest.mark.breaks(8)
def test_an_extended_case_has_the_days_of_the_worked_example(given: Any, cecilia: User) -> None:
    case = opened(moment(given["input"]["received_at"]))
    last = at(date.fromisoformat(given["expected"]["notice_nominal"]))
    with pytest.raises(cases.RefusedError, match="går inte att förlänga"):
        cases.extend(case.pk, "number", "x", actor=cecilia, at=last + timedelta(days=1))
    case = cases.extend(case.pk, "complexity", "Många register.", actor=cecilia, at=last)
    assert case.nominal_on.isoformat() == given["expected"]["extended_nominal"]
    assert case.latest_on.isoformat() == given["expected"]["extended_legal_latest"]
    with pytest.raises(cases.RefusedError, match="redan förlängt"):
        cases.extend(case.pk, "number", "Igen.", actor=cecilia, at=last)
    assert Outbox.objects.filter(template="case_extended").count() == 1


@of("dsr_identity_suspension")
@pytest.mark.django_db
@pytest.mark.breaks(8)
def test_a_suspended_case_has_the_days_of_the_worked_example(given: Any, cecilia: User) -> None:
    days = {name: at(date.fromisoformat(day)) for name, day in given["input"].items()}
    case = opened(days["received_on"])
    cases.ask_identity(case.pk, actor=cecilia, at=days["info_requested_on"])
    case = cases.identify(case.pk, "letter", actor=cecilia, at=days["adequate_info_on"])
    assert case.suspended_days == given["expected"]["suspended_days"]
    assert case.nominal_on.isoformat() == given["expected"]["nominal"]
    assert case.latest_on.isoformat() == given["expected"]["legal_latest"]


@pytest.mark.parametrize("reason", ["", "holiday", "we forgot"])
@pytest.mark.django_db
def test_only_the_reasons_of_the_law_extend(reason: str, cecilia: User) -> None:
    case = opened(at(today()))
    with pytest.raises(cases.RefusedError, match="lagens skäl"):
        cases.extend(case.pk, reason, "Varför.", actor=cecilia)
    case.refresh_from_db()
    assert (case.extended_on, Outbox.objects.count()) == (None, 0)


@pytest.mark.django_db
def test_a_question_after_three_working_days_stops_no_clock(cecilia: User) -> None:
    case = opened(at(date(2026, 11, 2)))
    case = cases.ask_identity(case.pk, actor=cecilia, at=at(date(2026, 11, 6)))
    assert (case.status, case.stands_since) == ("identifying", None)
    latest = case.latest_on
    case = cases.identify(case.pk, "staff", actor=cecilia, at=at(date(2026, 11, 20)))
    assert (case.suspended_days, case.latest_on) == (0, latest)


@pytest.mark.django_db
def test_a_question_is_asked_again_after_two_weeks_and_given_up_in_the_open(cecilia: User) -> None:
    asked = date(2026, 9, 1)
    case = opened(at(asked))
    cases.ask_identity(case.pk, actor=cecilia, at=at(asked))
    for days in (13, 14, 14, 15, 59):
        tick(at(asked + timedelta(days=days)))
        sent = Outbox.objects.filter(template="case_identity_again").count()
        assert sent == (days >= 14)
    assert not Outbox.objects.filter(template="case_due").exists()
    tick(at(asked + timedelta(days=60)))
    case.refresh_from_db()
    assert case.status == Case.Status.NOT_IDENTIFIED
    assert "Integritetsskyddsmyndigheten" in case.answer
    assert "domstol" in case.answer
    assert Outbox.objects.filter(template="case_answered").count() == 1


@pytest.mark.django_db
@pytest.mark.breaks(8)
def test_the_data_protection_officer_is_told_once_of_each_step() -> None:
    case = opened(at(date(2026, 1, 7)))
    steps = [date(2026, 1, 23), date(2026, 1, 30), date(2026, 2, 5), date(2026, 2, 10)]
    told = 0
    for day in (date(2026, 1, 7) + timedelta(days=n) for n in range(40)):
        told += day in steps
        for _again in range(2):
            tick(at(day))
        assert Outbox.objects.filter(template="case_due").count() == told, day
    relay()
    for letter in mail.outbox:
        text = f"{letter.subject} {letter.body}"
        assert str(case.pk) in text
        for secret in ("Anna", "Ek", case.customer.email, case.customer.number):
            assert secret not in text


@pytest.mark.django_db
def test_a_case_found_late_is_told_of_in_one_mail() -> None:
    opened(at(today()))
    tick(at(today() + timedelta(days=50)))
    assert Outbox.objects.filter(template="case_due").count() == 1


@pytest.mark.django_db
@pytest.mark.breaks(8)
def test_a_late_case_is_red_in_health_and_one_that_stands_is_not(cecilia: User) -> None:
    case = opened(at(today() - timedelta(days=40)))
    with pytest.raises(health.Late):
        health.PROBES["cases"]()
    cases.ask_identity(case.pk, actor=cecilia, at=case.received_at)
    health.PROBES["cases"]()


# A second calendar


days = st.dates(min_value=date(2024, 1, 1), max_value=date(2035, 12, 31))


@given(days, st.sampled_from([1, 3]), st.integers(0, 60))
@settings(max_examples=1500, deadline=None)
def test_deadlines_are_those_of_a_second_calendar(received: date, months: int, stood: int) -> None:
    found = rules.deadline_of(received, months=months, suspended_days=stood)
    said = (found.nominal, found.legal_latest, found.internal_target)
    assert said == calendar.deadline(received, months, stood)


@given(days)
@settings(max_examples=500, deadline=None)
def test_warnings_and_questions_are_those_of_a_second_calendar(received: date) -> None:
    target = calendar.deadline(received)[2]
    assert list(rules.dsr_deadline(received).warnings()) == [
        calendar.workdays_before(target, count) for count in (10, 5, 1)
    ]
    last = calendar.workdays_after(received, 3)
    assert rules.is_asked_in_time(received, last)
    assert not rules.is_asked_in_time(received, last + calendar.DAY)


def test_every_day_of_twelve_years_is_work_or_not_in_both_calendars() -> None:
    day = date(2024, 1, 1)
    while day.year < 2036:
        for eves, work in ((rules.Eves.WORK, True), (rules.Eves.FREE, False)):
            assert rules.is_working_day(day, eves) == calendar.is_work(day, eves_work=work), day
        day += calendar.DAY
    assert stockholm_date(at(day)) == day
