"""When a request must be answered: calendar months, Swedish holidays, extension and suspension.

Pure functions of dates; a timestamp becomes its Stockholm date first (TIM-01). Who gets the three
eves depends on whom a period protects: they are working days for our own deadlines, and no working
days where that is kinder to the person (TIM-06).
"""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from holidays.countries.sweden import Sweden

from customers.dates import add_months

ONE_DAY = timedelta(days=1)
SATURDAY = 5
ASK_WITHIN_WORKING_DAYS = 3
WARN_WORKING_DAYS_BEFORE = (10, 5, 1)
REMIND_AFTER, CLOSE_AFTER = timedelta(days=14), timedelta(days=60)


class TooLateError(Exception):
    """The clock no longer allows what is asked; the message says why (TIM-03, TIM-04)."""


class Eves(enum.Enum):
    """Whether the eves of Midsummer, Christmas and New Year count as working days (TIM-06)."""

    WORK = "work"
    FREE = "free"


@lru_cache(maxsize=2)
def _holidays(eves: Eves) -> Sweden:
    """Return the holidays of lag (1989:253), Sundays apart, and the eves where they are free."""
    kinds = ("public", "de_facto") if eves is Eves.FREE else ("public",)
    return Sweden(include_sundays=False, categories=kinds)


def is_working_day(day: date, eves: Eves) -> bool:
    """Say whether a day is neither Saturday, Sunday nor a holiday (TIM-05)."""
    return day.weekday() < SATURDAY and day not in _holidays(eves)


def next_working_day(day: date, eves: Eves) -> date:
    """Return the day itself when it is a working day, else the next one."""
    while not is_working_day(day, eves):
        day += ONE_DAY
    return day


def last_working_day(day: date, eves: Eves) -> date:
    """Return the day itself when it is a working day, else the one before."""
    while not is_working_day(day, eves):
        day -= ONE_DAY
    return day


def working_days_after(day: date, count: int, eves: Eves) -> date:
    """Return the working day that many working days after a day, the day itself not counted."""
    for _ in range(count):
        day = next_working_day(day + ONE_DAY, eves)
    return day


def working_days_before(day: date, count: int, eves: Eves) -> date:
    """Return the working day that many working days before a day, the day itself not counted."""
    for _ in range(count):
        day = last_working_day(day - ONE_DAY, eves)
    return day


@dataclass(frozen=True)
class Deadline:
    """When a period ends: by the calendar, by law at the latest, and by our own aim (TIM-08)."""

    nominal: date
    legal_latest: date
    internal_target: date

    @classmethod
    def at(cls, nominal: date) -> "Deadline":
        """Roll an end forward for the law and back for ourselves (TIM-02, TIM-08)."""
        return cls(
            nominal,
            next_working_day(nominal, Eves.WORK),
            last_working_day(nominal, Eves.FREE),
        )

    def warnings(self) -> Iterator[date]:
        """Yield the days on which somebody is told that the answer is not out (TIM-08)."""
        for days in WARN_WORKING_DAYS_BEFORE:
            yield working_days_before(self.internal_target, days, Eves.FREE)


def dsr_deadline(received_on: date) -> Deadline:
    """Return the one-month deadline of a request received on a day (TIM-02)."""
    return Deadline.at(add_months(received_on, 1))


@dataclass(frozen=True)
class Extension:
    """The days of an extension: when the person must be told of it, and the end it gives."""

    notice: Deadline
    extended: Deadline


def dsr_extension(received_on: date) -> Extension:
    """Return the three-month deadline, counted from receipt and not from the first end (TIM-03)."""
    return Extension(dsr_deadline(received_on), Deadline.at(add_months(received_on, 3)))


def extend(received_on: date, told_on: date, *, extended_before: bool = False) -> Deadline:
    """Return the deadline after an extension the person was told of; raises TooLateError."""
    extension = dsr_extension(received_on)
    if extended_before:
        raise TooLateError("A request is extended once only; answer it by the day already given.")
    if told_on > extension.notice.nominal:
        raise TooLateError(
            f"The notice had to be out by {extension.notice.nominal}; answer without an extension."
        )
    return extension.extended


@dataclass(frozen=True)
class Suspension:
    """A clock that stood still while we waited to know who asks (TIM-04)."""

    suspended_days: int
    deadline: Deadline

    @property
    def nominal(self) -> date:
        return self.deadline.nominal

    @property
    def legal_latest(self) -> date:
        return self.deadline.legal_latest


def dsr_identity_suspension(received_on: date, asked_on: date, answered_on: date) -> Suspension:
    """Return the deadline after a question of identity; raises TooLateError when asked too late.

    The clock stands still from the day asked until the answer, once, if the question went out
    within three working days (RUL-33).
    """
    if asked_on > working_days_after(received_on, ASK_WITHIN_WORKING_DAYS, Eves.WORK):
        raise TooLateError("The question of identity came too late; the clock runs on.")
    days = max((answered_on - asked_on).days, 0)
    nominal = add_months(received_on, 1) + timedelta(days=days)
    return Suspension(days, Deadline.at(nominal))


def identity_reminder_on(asked_on: date) -> date:
    """Return the day an unanswered question of identity is asked again (TIM-04)."""
    return asked_on + REMIND_AFTER


def identity_given_up_on(asked_on: date) -> date:
    """Return the day a case whose person is not identified is closed, in writing (TIM-04)."""
    return asked_on + CLOSE_AFTER


def is_asked_in_time(received_on: date, asked_on: date) -> bool:
    """Say whether a question of identity stops the clock (RUL-33)."""
    return asked_on <= working_days_after(received_on, ASK_WITHIN_WORKING_DAYS, Eves.WORK)


def deadline_of(received_on: date, *, months: int = 1, suspended_days: int = 0) -> Deadline:
    """Return the deadline of a request with all that has moved it (TIM-02, TIM-03, TIM-04)."""
    return Deadline.at(add_months(received_on, months) + timedelta(days=suspended_days))
