"""A session ends by itself, and nothing a signed-in person saw is kept by the browser."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from customers.models import User
from tests import cast

pytestmark = pytest.mark.django_db
PAGE = "/healthz"  # any page will do: sessions are looked after before the view


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(cast.person().user)
    return client


def is_known(client: Client, at: datetime) -> bool:
    with time_machine.travel(at, tick=False):
        known: bool = client.get(PAGE).wsgi_request.user.is_authenticated
        return known


def test_every_page_of_a_signed_in_person_is_not_to_be_kept(signed_in: Client) -> None:
    assert "no-store" in signed_in.get(PAGE)["Cache-Control"]
    assert "no-store" in signed_in.get("/nothing-here")["Cache-Control"]


def test_a_session_ends_after_31_idle_minutes_and_not_after_29(signed_in: Client) -> None:
    start = timezone.now().replace(microsecond=0)
    assert is_known(signed_in, start)
    assert is_known(signed_in, start + timedelta(minutes=29))
    assert not is_known(signed_in, start + timedelta(minutes=29 + 31))


def test_a_busy_session_ends_after_12_hours(signed_in: Client) -> None:
    start = timezone.now().replace(microsecond=0)
    steps = [start + timedelta(minutes=20 * n) for n in range(37)]  # to 12 hours sharp
    assert all(is_known(signed_in, at) for at in steps)
    assert not is_known(signed_in, start + timedelta(hours=12, minutes=1))


def test_a_session_of_staff_ends_after_16_idle_minutes_and_after_8_hours(client: Client) -> None:
    client.force_login(User.objects.create(email="staff@example.se", is_staff=True))
    start = timezone.now().replace(microsecond=0)
    steps = [start + timedelta(minutes=14 * n) for n in range(35)]  # to 7 hours 56 minutes
    assert all(is_known(client, at) for at in steps)
    assert not is_known(client, start + timedelta(hours=8, minutes=1))
    client.force_login(User.objects.get())
    assert is_known(client, start)
    assert not is_known(client, start + timedelta(minutes=16))
