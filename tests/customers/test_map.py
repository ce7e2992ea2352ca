"""The personal-data map: nothing about a person is stored that it does not know of."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection, models
from django.test.utils import isolate_apps

from customers.checks import check_map
from customers.models import Address, Customer, Order
from customers.personal_data import (
    Category,
    Impersonal,
    PersonalData,
    declaration,
    personal_models,
)


@pytest.fixture
def new_column() -> Iterator[models.Field]:  # type: ignore[type-arg]
    """Give Address a column that nobody has declared."""
    column = models.CharField(max_length=10, default="")
    column.contribute_to_class(Address, "door_code")
    yield column
    Address._meta.local_fields.remove(column)
    Address._meta._expire_cache()  # type: ignore[attr-defined]
    del Address.door_code  # type: ignore[attr-defined]


def test_every_model_of_every_app_is_on_the_map() -> None:
    missing = [
        model._meta.label
        for model in apps.get_models(include_auto_created=True)
        if declaration(model) is None
    ]
    assert missing == []
    assert check_map(None) == []


def test_an_undeclared_column_stops_the_start_and_prints_the_line(new_column: object) -> None:
    with pytest.raises(SystemCheckError) as stopped:
        call_command("check")
    assert 'impersonal=("door_code",)' in str(stopped.value)
    assert "customers.E001" in str(stopped.value)


def test_third_party_models_are_on_the_map_too() -> None:
    labels = {model._meta.label for model, _ in personal_models()}
    assert {"account.EmailAddress", "customers.Session", "admin.LogEntry"} <= labels


@isolate_apps("customers")
def test_a_model_with_text_and_no_owner_is_asked_whose_it_is() -> None:
    class Diary(models.Model):
        words = models.TextField()

        class Meta:
            app_label = "customers"

    from customers.checks import _undeclared_model

    error = _undeclared_model(Diary)
    assert 'path="whose?"' in str(error.hint)


@isolate_apps("customers")
def test_a_path_that_leads_nowhere_is_refused() -> None:
    class Diary(models.Model):
        order = models.ForeignKey(Order, models.CASCADE)
        words = models.TextField()
        personal_data = PersonalData(
            name="Dagbok", path="order__product", columns={Category.SUPPORT: ("words",)}
        )

        class Meta:
            app_label = "customers"

    from customers.checks import _check_personal

    assert "customers.E003" in [e.id for e in _check_personal(Diary, Diary.personal_data)]


def test_no_category_is_kept_by_nothing_without_a_date_of_its_own() -> None:
    from consent.purposes import CATALOGUE
    from customers.personal_data import Clock

    kept = 0
    for purpose in CATALOGUE:
        kept |= purpose.mask
    for model, data in personal_models():
        if data.clock is Clock.SCHEDULE:
            for category in data.columns:
                assert category is Category.SHELL or kept & category.value, model


@pytest.mark.django_db
def test_the_tables_have_no_column_that_the_models_lack() -> None:
    for model in apps.get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            found = {
                column.name
                for column in connection.introspection.get_table_description(
                    cursor, model._meta.db_table
                )
            }
        assert found == {field.column for field in model._meta.local_concrete_fields}, model


def test_the_whole_project_passes_its_checks() -> None:
    assert run_checks() == []
    assert isinstance(declaration(Customer), PersonalData)
    assert isinstance(declaration(apps.get_model("auth", "Group")), Impersonal)
