"""What must be true of the periods before the program starts."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from customers.personal_data import Category
from retention import readable
from retention.backups import MOST_DAYS
from retention.marks import Mark
from retention.restore import RestoredError, missing
from retention.schedule import SCHEDULE


@register("retention")
def check_schedule(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a category without a period, or with more than one (RET-01)."""
    named = [period.category for period in SCHEDULE]
    without: list[CheckMessage] = [
        Error(
            f"The category {category.name} has {named.count(category) or 'no'} "
            f"period{'s' if named.count(category) else ''}.",
            hint=f"Give Category.{category.name} one line in retention/schedule.py.",
            id="retention.E001",
        )
        for category in Category
        if named.count(category) != 1
    ]
    unsaid: list[CheckMessage] = [
        Error(
            f"The period of {period.category.name} does not say when it starts, how long it "
            "lasts, why, and by which rule and clause.",
            hint="Fill every field of the line in retention/schedule.py.",
            id="retention.E002",
        )
        for period in SCHEDULE
        if not all((period.rule, period.clause, period.starts, period.lasts, period.why))
    ]
    return [*without, *unsaid]


@register("retention")
def check_backups(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse backups that are kept longer than people are told (ERA-05)."""
    if 0 < settings.BACKUP_DAYS <= MOST_DAYS:
        return []
    return [
        Error(
            f"Backups are kept for {settings.BACKUP_DAYS} days.",
            hint=f"Set BACKUP_DAYS to 1-{MOST_DAYS}, and let the backups go by it.",
            id="retention.E004",
        )
    ]


@register(Tags.database)
def check_samples(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database that samples people's words for its planner (F19)."""
    if not databases:
        return []
    return [
        Error(
            f"The planner of the database notes down values of {column}.",
            hint="Run manage.py migrate --skip-checks as the owner; it stops that.",
            id="retention.E005",
        )
        for column in readable.sampled()
    ]


@register(Tags.database)
def check_restored(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database that lacks what was erased and refused since its backup (L02)."""
    if not databases or Mark._meta.db_table not in connection.introspection.table_names():
        return []
    why = missing()
    return [Error(str(RestoredError(why)), id="retention.E003")] if why else []
