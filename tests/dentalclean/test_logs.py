"""What reaches the log when something breaks: where and what kind, never whose (L07)."""

import logging
import sys
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from customers.models import User

EMAIL = "anna@example.se"


def logged(message: str, *args: Any, exc_info: Any = None) -> str:
    """Return a record as the settings write it."""
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, message, args, exc_info)
    handler = next(h for h in logging.getLogger("django").handlers if h.name == "stderr")
    return handler.format(record)


@pytest.fixture
def broken(db: None) -> Any:
    """Break a rule of the database, whose words quote the row."""
    User.objects.create_user(EMAIL)
    try:
        with transaction.atomic():
            User.objects.create_user(EMAIL)
    except IntegrityError:
        return sys.exc_info()


def test_a_traceback_tells_place_and_kind_but_no_value(broken: Any) -> None:
    assert EMAIL in str(broken[1])
    line = logged("Internal Server Error: %s", "/", exc_info=broken)
    assert "Internal Server Error: /" in line
    assert "test_logs.py" in line
    assert "UniqueViolation" in line
    assert "django.db.utils.IntegrityError" in line
    assert EMAIL not in line


def test_a_task_that_fails_tells_the_kind_but_no_value(broken: Any) -> None:
    said = {"name": "retention.tasks.nightly", "id": "1", "exc": repr(broken[1])}
    line = logged("Task %(name)s[%(id)s] raised unexpected: %(exc)s", said, exc_info=broken)
    assert "Task retention.tasks.nightly[1] raised unexpected: IntegrityError" in line
    assert EMAIL not in line
