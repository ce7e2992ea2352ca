"""Anna, of whom there is something to extract, and an empty vault after each test."""

from collections.abc import Iterator
from datetime import date

import pytest

from consent.actions import say_no, say_yes
from consent.purposes import Use
from customers.actions import set_national_id
from customers.models import Customer
from privacy_requests import vault
from tests import cast


@pytest.fixture(autouse=True)
def _empty_vault() -> Iterator[None]:
    yield
    for path in vault.folder().glob("*"):
        path.unlink()


@pytest.fixture
def anna() -> Customer:
    anna = cast.person(since=date(2020, 3, 1), birth_date=date(1990, 6, 2))
    cast.subscription(anna, date(2020, 3, 1))
    cast.order(anna, date(2026, 3, 1), date(2026, 3, 4))
    cast.invoice(anna, date(2026, 3, 4))
    set_national_id(anna, "199006022397")
    say_no(anna, Use("H", "post"))
    say_yes(anna, Use("C", "sms"), evidence=cast.SHOWN)
    return anna
