"""What must be true of the purpose catalogue before the program starts."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from consent import functions
from consent.models import PolicyVersion
from consent.purposes import CATALOGUE, Basis, Permission, catalogue_hash
from consent.records import LAST_DAYS


@register("consent")
def check_catalogue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a purpose without a calendar rule, or consent as basis without a consent channel."""
    codes = {purpose.code for purpose in CATALOGUE}
    unmatched = [
        Error(
            f"Purpose {code} and its last day do not match.",
            hint=f'Add "{code}" to both consent.purposes.CATALOGUE and '
            "consent.records.LAST_DAYS, or remove it from both.",
            id="consent.E001",
        )
        for code in sorted(codes ^ set(LAST_DAYS))
    ]
    open_without_consent = [
        Error(
            f"Purpose {purpose.code} rests on consent but has a channel open without it.",
            hint="Give every channel of the purpose Permission.CONSENT.",
            id="consent.E002",
        )
        for purpose in CATALOGUE
        if purpose.basis is Basis.CONSENT
        and any(p is not Permission.CONSENT for p in purpose.channels.values())
    ]
    return [*unmatched, *open_without_consent]


@register(Tags.database)
def check_published(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a catalogue that the latest published policy does not tell of (INF-05)."""
    if not databases or PolicyVersion._meta.db_table not in _tables():
        return []
    latest = PolicyVersion.objects.order_by("-effective_on", "-pk").first()
    if latest is None or latest.catalogue_hash == catalogue_hash():
        return []
    return [
        Error(
            f"The purpose catalogue differs from policy version {latest.version}.",
            hint="Write a new version in consent/wording.py and run manage.py publish_policy.",
            id="consent.E003",
        )
    ]


@register(Tags.database)
def check_functions(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database whose functions are not those of this program."""
    if not databases or PolicyVersion._meta.db_table not in _tables():
        return []
    return [
        Error(
            f"The function {name} in the database is not the one of this program.",
            hint="Run manage.py migrate.",
            id="consent.E004",
        )
        for name in functions.outdated()
    ]


def _tables() -> list[str]:
    return connections["default"].introspection.table_names()
