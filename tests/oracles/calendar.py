"""Swedish days and deadlines a second time: Easter by hand, no table and no code of the product."""

from datetime import date, timedelta

DAY = timedelta(days=1)


def easter(year: int) -> date:
    """Gauss's computus with its Gregorian corrections (Meeus, Jones and Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap, skipped = divmod(century, 4)
    moon = (century + 8) // 25
    moon = (century - moon + 1) // 3
    epact = (19 * golden + century - leap - moon + 15) % 30
    quarter, within = divmod(rest, 4)
    sunday = (32 + 2 * skipped + 2 * quarter - epact - within) % 7
    late = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def first(weekday: int, day: date) -> date:
    """The first day with a weekday from a day on."""
    return day + ((weekday - day.weekday()) % 7) * DAY


def holidays(year: int) -> set[date]:
    """Lag (1989:253), Sundays apart."""
    sunday = easter(year)
    fixed = {(1, 1), (1, 6), (5, 1), (6, 6), (12, 25), (12, 26)}
    return {
        *(date(year, month, day) for month, day in fixed),
        *(sunday + days * DAY for days in (-2, 0, 1, 39, 49)),
        first(5, date(year, 6, 20)),
        first(5, date(year, 10, 31)),
    }


def eves(year: int) -> set[date]:
    """Midsummer's, Christmas and New Year's eve (lag 1930:173)."""
    return {first(5, date(year, 6, 20)) - DAY, date(year, 12, 24), date(year, 12, 31)}


def is_work(day: date, *, eves_work: bool) -> bool:
    free = holidays(day.year) | (set() if eves_work else eves(day.year))
    return day.isoweekday() <= 5 and day not in free


def roll(day: date, step: int, *, eves_work: bool) -> date:
    while not is_work(day, eves_work=eves_work):
        day += step * DAY
    return day


def months_later(day: date, months: int) -> date:
    """The same day-number, or the last day of a month that is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    raise AssertionError


def deadline(received: date, months: int = 1, stood: int = 0) -> tuple[date, date, date]:
    """The end by the calendar, by law at the latest, and our aim."""
    end = months_later(received, months) + stood * DAY
    return end, roll(end, 1, eves_work=True), roll(end, -1, eves_work=False)


def workdays_after(day: date, count: int) -> date:
    while count:
        day += DAY
        count -= is_work(day, eves_work=True)
    return day


def workdays_before(day: date, count: int) -> date:
    while count:
        day -= DAY
        count -= is_work(day, eves_work=False)
    return day
