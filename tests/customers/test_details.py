"""A person's details: cleaned, changed at once, with what they were before."""

from datetime import date

import pytest
from cryptography.exceptions import InvalidTag
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection

from customers import crypto, rules
from customers.actions import StaleError, change_details, set_national_id
from customers.models import Change, Customer
from customers.models.channels import Source
from tests import cast

TEST_NUMBERS = [
    "191212121212",
    "199006022397",
    "199107172380",
    "199610202385",
    "199312172381",
    "200001022391",
    "190001042399",
    "200001042399",
    "200001052380",
    "190301249801",
    "201701122382",
]


@pytest.mark.parametrize("number", TEST_NUMBERS)
def test_the_published_test_numbers_are_taken(number: str) -> None:
    assert rules.clean_national_id(number) == number
    written = f"{number[2:8]}{'+' if number < '1927' else '-'}{number[8:]}"
    assert rules.clean_national_id(written, date(2026, 11, 24)) == number


@pytest.mark.parametrize(
    "number",
    ["191212121213", "199002302384", "199006922397", "19900602239", "abc", "1990060223\x00", ""],
)
def test_a_number_that_cannot_be_is_refused_with_one_sentence(number: str) -> None:
    with pytest.raises(ValidationError) as refused:
        rules.clean_national_id(number)
    assert len(refused.value.messages) == 1


def test_coordination_numbers_and_the_sign_of_a_century_are_understood() -> None:
    on = date(2026, 11, 24)
    assert rules.clean_national_id("701063-2391", on) == "197010632391"
    assert rules.clean_national_id("121212-1212", on) == "201212121212"
    assert rules.clean_national_id("121212+1212", on) == "191212121212"


@pytest.mark.parametrize("value", ["\x00", "a\u202eb", "x" * 1_000_000, "\ud800"])
def test_names_with_unreadable_signs_or_no_end_are_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        rules.clean_line(value, 100)


@pytest.mark.django_db
def test_the_national_id_is_sealed_found_by_its_hash_and_shown_masked() -> None:
    anna = cast.person()
    set_national_id(anna, "199006022397")
    assert rules.national_id(anna) == "199006022397"
    assert rules.masked_national_id(anna) == "19900602-****"
    found = Customer.objects.get(national_id_hash=crypto.lookup_hash("199006022397"))
    assert found == anna
    with connection.cursor() as cursor:
        cursor.execute("SELECT c::text FROM customers_customer c")
        assert b"199006022397".hex() not in cursor.fetchone()[0]


@pytest.mark.django_db
def test_a_sealed_number_moved_to_another_person_does_not_open() -> None:
    anna, bo = cast.person("Anna"), cast.person("Bo")
    set_national_id(anna, "199006022397")
    with pytest.raises(InvalidTag):
        crypto.unseal(
            bytes(anna.national_id_sealed or b""),
            ring=settings.FIELD_KEYS,
            bound_to=f"national_id:{bo.pseudonym}",
        )


@pytest.mark.django_db
def test_a_change_takes_effect_at_once_and_keeps_what_was() -> None:
    anna = cast.person()
    change_details(anna, {"phone": "+46701740636", "street": "Storgatan 9"})
    anna.refresh_from_db()
    assert anna.phone == "+46701740636"
    assert anna.addresses.get().street == "Storgatan 9"
    kept = {(c.field, c.old, c.new, c.source) for c in Change.objects.all()}
    assert kept == {
        ("phone", "+46701740635", "+46701740636", Source.PERSON),
        ("street", "Björkgatan 4", "Storgatan 9", Source.PERSON),
    }


@pytest.mark.django_db
def test_the_same_value_again_changes_nothing() -> None:
    anna = cast.person()
    assert change_details(anna, {"phone": anna.phone}) == []
    assert not Change.objects.exists()


@pytest.mark.django_db
def test_who_writes_from_an_old_page_is_asked_again() -> None:
    anna = cast.person()
    seen = anna.version
    change_details(anna, {"phone": "+46701740636"}, expected_version=seen)
    with pytest.raises(StaleError):
        change_details(anna, {"phone": "+46701740637"}, expected_version=seen)
    anna.refresh_from_db()
    assert anna.phone == "+46701740636"


@pytest.mark.django_db
def test_only_the_persons_details_can_be_changed_so() -> None:
    anna = cast.person()
    with pytest.raises(KeyError):
        change_details(anna, {"protection": "secrecy"})
