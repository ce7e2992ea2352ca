"""`manage.py purge`: the plan of any day on one table, and a night by hand."""

import io
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from customers.models import Customer
from retention.models import Receipt, Run
from tests import cast

pytestmark = pytest.mark.django_db


def purge(*arguments: str) -> str:
    said = io.StringIO()
    call_command("purge", *arguments, stdout=said)
    return said.getvalue()


@pytest.fixture(autouse=True)
def _anna_who_left() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 10, 1))


def test_the_plan_of_a_day_to_come_is_shown_and_nothing_changed() -> None:
    said = purge("--dry-run", "--on", "2029-10-02")
    assert "Name and date of birth" in said
    assert "RET-02" in said
    assert "1 people would lose something; nothing has been changed." in said
    assert Customer.objects.get().name == "Anna Ek"
    assert not Run.objects.exists()
    assert not Receipt.objects.exists()


def test_the_plan_of_a_day_with_nothing_due_says_so() -> None:
    assert "0 people would lose something" in purge("--dry-run", "--on", "2026-10-02")


def test_a_night_by_hand_is_run_once_and_told() -> None:
    assert "The night to 2026-11-20 is done" in purge("--on", "2026-11-20")
    assert Run.objects.get().status == Run.Status.DONE


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--on", "2100-01-01"], "use --dry-run to see its plan"),
        (["--on", "2026-02-30"], "is not a day; write it as 2026-03-15"),
        (["--on", "i morgon", "--dry-run"], "is not a day; write it as 2026-03-15"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        purge(*arguments)
    assert not Run.objects.exists()
