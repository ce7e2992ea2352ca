"""What the nights to come would take, kept so that a later night can be held to it (RUL-38).

Counted from the days that are stored: a purpose's last day, a row's own `retain_until`. A category
that purposes keep goes the day after the last of them ends. What is overdue already is tonight's
work and in no forecast; holds are left out, so a forecast never says too little because of them.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

from django.db import connection, transaction

from consent.purposes import CATALOGUE
from customers.dates import add_months, add_years
from customers.personal_data import Category
from retention import statements
from retention.models import Forecast, Run

NIGHTS = 31
YEARS = 10
KEPT = timedelta(days=60)  # how long an old forecast is of use

Line = tuple[date, int, dict[str, int]]


@lru_cache(maxsize=2)
def _sql(span: str) -> str:
    kept = {c: [p.code for p in CATALOGUE if c in p.keeps] for c in Category}
    kept = {category: codes for category, codes in kept.items() if codes}
    lasts = ", ".join(
        f"max(r.retain_until) FILTER (WHERE r.purpose IN ({', '.join(map(repr, codes))})) "
        f"AS c{category.value}"
        for category, codes in kept.items()
    )
    goes = ", ".join(f"({category.value}, c{category.value})" for category in kept)
    own = "".join(
        f"\nUNION ALL SELECT {customer}, {category.value}, t.retain_until FROM {rows} "
        "AND t.retain_until BETWEEN %(first)s AND %(last)s"
        for _name, rows, customer, category in statements.own_days()
    )
    day = {
        Forecast.Span.NIGHT: "last + 1",
        Forecast.Span.MONTH: "date_trunc('month', last + 1)::date",
    }[Forecast.Span(span)]
    return f"""
        WITH ending AS (
            SELECT DISTINCT customer_id FROM consent_processingrecord
             WHERE ended_on IS NULL AND retain_until BETWEEN %(first)s AND %(last)s
        ), lasts AS (
            SELECT customer_id, {lasts}
              FROM ending JOIN consent_processingrecord r USING (customer_id)
             WHERE r.ended_on IS NULL GROUP BY 1
        ), goes (customer_id, category, last) AS (
            SELECT customer_id, v.category, v.last
              FROM lasts CROSS JOIN LATERAL (VALUES {goes}) AS v (category, last)
             WHERE v.last BETWEEN %(first)s AND %(last)s {own}
        )
        SELECT {day} AS day, category, count(DISTINCT customer_id)
          FROM goes GROUP BY GROUPING SETS ((1), (1, 2)) ORDER BY 1, 2 NULLS FIRST
    """


def foresee(span: str, first_night: date, last_night: date) -> Iterator[Line]:
    """Yield day, people and people per category of the nights in between, both included."""
    with connection.cursor() as cursor:
        one_day = timedelta(days=1)
        cursor.execute(_sql(span), {"first": first_night - one_day, "last": last_night - one_day})
        found: dict[date, Line] = {}
        for day, category, people in cursor:
            if category is None:
                found[day] = (day, people, {})
            else:
                found[day][2][str(category)] = people
    yield from found.values()


def missing() -> date | None:
    """Return the latest night that is over and has not looked ahead yet."""
    over = Run.objects.exclude(status__in=(Run.Status.RUNNING, Run.Status.STOPPED))
    night = over.order_by("-business_date").values_list("business_date", flat=True).first()
    is_made = night is not None and Forecast.objects.filter(made_on=night).exists()
    return None if is_made else night


def write(made_on: date) -> int:
    """Keep what the nights after this one would take, and the months to come; return the rows.

    Done twice it writes the same. A night in which nothing goes has a row too: nobody is a number.
    """
    nights = [made_on + timedelta(days=n) for n in range(1, NIGHTS + 1)]
    per_night = {line[0]: line for line in foresee(Forecast.Span.NIGHT, nights[0], nights[-1])}
    first_month = add_months(made_on.replace(day=1), 1)
    last_night = add_years(first_month, YEARS) - timedelta(days=1)
    lines = [(Forecast.Span.NIGHT, *per_night.get(night, (night, 0, {}))) for night in nights]
    lines += [
        (Forecast.Span.MONTH, *line)
        for line in foresee(Forecast.Span.MONTH, first_month, last_night)
    ]
    with transaction.atomic():
        Forecast.objects.filter(made_on=made_on).delete()
        Forecast.objects.filter(made_on__lt=made_on - KEPT).delete()
        Forecast.objects.bulk_create(
            (
                Forecast(
                    made_on=made_on, span=span, day=day, people=people, per_category=per_category
                )
                for span, day, people, per_category in lines
            ),
            ignore_conflicts=True,
        )
    return len(lines)
