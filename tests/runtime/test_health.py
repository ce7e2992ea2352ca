"""The house tells whether it is alive and whether everything in it works and is in time."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from consent.tasks import seal
from dentalclean import health
from disclosures.models import Outbox
from retention.models import Run
from tests import cast

PARTS = (
    *("database", "rights", "broker", "cache", "clock", "purge", "wipe", "backups", "outbox"),
    *("seals", "cases", "restore"),
)


def parts(client: Client, status: int) -> dict[str, str]:
    answer = client.get("/healthz/deep")
    assert answer.status_code == status
    found: dict[str, str] = answer.json()["parts"]
    return found


def test_alive_touches_no_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.usefixtures("as_app")
def test_deep_health_tries_every_part(client: Client) -> None:
    assert parts(client, 200) == dict.fromkeys(PARTS, "ok")


@pytest.mark.usefixtures("as_app")
def test_a_night_that_ended_25_hours_ago_is_in_time(client: Client) -> None:
    ended = timezone.now() - timedelta(hours=25)
    Run.objects.create(business_date=date(2026, 11, 23), status="done", finished_at=ended)
    assert parts(client, 200)["purge"] == "ok"


@pytest.mark.usefixtures("as_app")
def test_no_night_within_26_hours_is_an_alarm(client: Client) -> None:
    ended = timezone.now() - timedelta(hours=26, minutes=1)
    Run.objects.create(business_date=date(2026, 11, 22), status="done", finished_at=ended)
    Run.objects.create(business_date=date(2026, 11, 23))
    assert parts(client, 503)["purge"] == "late"


@pytest.mark.usefixtures("as_app")
@pytest.mark.breaks(9)
def test_a_message_that_waits_is_an_alarm(client: Client) -> None:
    Outbox.objects.create(
        template="test",
        recipient="anna@example.se",
        available_at=timezone.now() - timedelta(minutes=16),
    )
    assert parts(client, 503) == dict.fromkeys(PARTS, "ok") | {"outbox": "late"}


@pytest.mark.usefixtures("as_app")
def test_a_ledger_not_sealed_for_long_is_an_alarm(
    client: Client, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    settings.SEALS_DIR = tmp_path
    long_ago = timezone.now() - timedelta(minutes=16)
    monkeypatch.setattr(health, "STARTED", long_ago)
    assert parts(client, 200)["seals"] == "ok"  # nothing to seal
    cast.person()
    assert parts(client, 503)["seals"] == "late"
    seal()
    assert parts(client, 200)["seals"] == "ok"
    os.utime(tmp_path / "looked", (long_ago.timestamp(), long_ago.timestamp()))
    assert parts(client, 503)["seals"] == "late"


@pytest.mark.usefixtures("as_app")
def test_a_dead_broker_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis+socket:///nowhere/valkey.sock")
    assert parts(client, 503)["broker"] == "failing"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["dentalclean", "dentalclean_owner"])
def test_a_superuser_and_the_owner_are_too_strong(client: Client, role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
    assert parts(client, 503)["rights"] == "too strong"
