"""Calendar arithmetic in Stockholm dates, once for Python and once for SQL (TIM-01, TIM-02)."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from django.db.models import DateField, Func
from django.utils import timezone

STOCKHOLM = ZoneInfo("Europe/Stockholm")

# No date in standing and records is nullable: open means FAR, closed from the start means NEVER.
# FAR leaves room for adding years without passing the last date Python can hold.
FAR = date(9000, 1, 1)
NEVER = date(1, 1, 1)


def stockholm_date(moment: datetime) -> date:
    """Return the Stockholm calendar date of an aware moment (TIM-01)."""
    return moment.astimezone(STOCKHOLM).date()


def today() -> date:
    """Return the Stockholm date of this moment."""
    return stockholm_date(timezone.now())


def add_months(day: date, months: int) -> date:
    """Add calendar months, clamped to the last day of the month reached (TIM-02)."""
    return day + relativedelta(months=months)


def add_years(day: date, years: int) -> date:
    """Add calendar years; 29 February becomes 28 February in a common year (RET-02)."""
    return day + relativedelta(years=years)


class Plus(Func):
    """A date plus calendar months in SQL, clamped as `add_months` clamps."""

    output_field = DateField()

    def __init__(self, expression: Any, *, months: int, **extra: Any) -> None:
        super().__init__(
            expression,
            template=f"((%(expressions)s) + interval '{int(months)} months')::date",
            **extra,
        )


class Birthday(Func):
    """The day a number of years is reached in SQL; a leap-day child's is 1 March (CHI-01)."""

    output_field = DateField()

    def __init__(self, born: Any, *, years: int, **extra: Any) -> None:
        # The day after the day before is another one for whoever is born on a leap day alone.
        later = f"interval '{int(years)} years'"
        super().__init__(
            born,
            template=(
                f"GREATEST((%(expressions)s + {later})::date,"
                f" ((%(expressions)s - 1) + {later})::date + 1)"
            ),
            **extra,
        )


class StockholmDate(Func):
    """The Stockholm date of a timestamp in SQL, with the zone written out so it can be stored."""

    template = "((%(expressions)s) AT TIME ZONE 'Europe/Stockholm')::date"
    output_field = DateField()
