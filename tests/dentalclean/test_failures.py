"""When the house fails: a status and a sentence that fit, and nothing about the inside."""

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from redis.exceptions import ConnectionError as NoValkeyError

from tests import cast
from tests.doors import code_in_the_mail, signed_in, text

pytestmark = pytest.mark.django_db

INSIDE = "connection to server at /secret/socket failed"


def failing(problem: Exception) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise problem

    return fail


@pytest.mark.parametrize(
    ("problem", "status", "said"),
    [
        (OperationalError(INSIDE), 503, "Vi håller stängt en stund."),
        (NoValkeyError(INSIDE), 503, "Vi håller stängt en stund."),
        (ValueError(INSIDE), 500, "Något gick fel hos oss."),
    ],
)
def test_a_failure_is_told_in_a_sentence(
    problem: Exception, status: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(cast.person())
    client.raise_request_exception = False
    monkeypatch.setattr("dentalclean.views.calendar", failing(problem))
    answer = client.get("/")
    assert answer.status_code == status
    assert said in text(answer)
    assert INSIDE not in answer.content.decode()
    assert ("Retry-After" in answer) == (status == 503)


def test_no_database_from_the_first_query_on(monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(cast.person())
    client.raise_request_exception = False
    monkeypatch.setattr("customers.sessions.SessionStore.load", failing(OperationalError(INSIDE)))
    assert client.get("/").status_code == 503


def test_no_code_is_tried_that_cannot_be_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.person()
    client.post("/konto/logga-in/", {"email": "anna@example.se"})
    code = code_in_the_mail("anna@example.se")
    client.raise_request_exception = False
    monkeypatch.setattr("allauth.core.ratelimit.consume", failing(NoValkeyError(INSIDE)))
    assert client.post("/konto/logga-in/kod/", {"code": code}).status_code == 503
    assert client.get("/").status_code == 302
