"""What a night of a week ago said of a night with many people, so that it needs no release."""

from datetime import date, timedelta

from retention.models import Forecast


def expect(night: date, people: int) -> None:
    """Keep a forecast of so many people for a night."""
    Forecast.objects.create(
        made_on=night - timedelta(days=7),
        span=Forecast.Span.NIGHT,
        day=night,
        people=people,
    )
