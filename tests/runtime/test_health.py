"""The house tells whether it is alive and whether everything in it works."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries


def test_alive_touches_no_database(client: Client) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@pytest.mark.django_db
def test_deep_health_tries_every_part(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    answer = client.get("/healthz/deep")
    assert answer.json() == {
        "healthy": True,
        "parts": {"database": "ok", "broker": "ok", "cache": "ok"},
    }
