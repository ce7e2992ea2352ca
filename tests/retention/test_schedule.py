"""Every kind of data has a period, and a lawyer can read all of them on one page."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from customers.personal_data import Category
from retention import checks, document
from retention.schedule import SCHEDULE


def test_the_page_tells_what_the_program_obeys() -> None:
    call_command("retention_schedule", stdout=io.StringIO())


def test_a_page_that_differs_is_refused_and_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "retention.md"
    monkeypatch.setattr(document, "path", lambda: page)
    with pytest.raises(CommandError, match="retention_schedule --write"):
        call_command("retention_schedule", stdout=io.StringIO())
    call_command("retention_schedule", "--write", stdout=io.StringIO())
    call_command("retention_schedule", stdout=io.StringIO())
    page.write_text(page.read_text(encoding="utf-8").replace("fem år", "sex år"), encoding="utf-8")
    with pytest.raises(CommandError, match="not what the program obeys"):
        call_command("retention_schedule", stdout=io.StringIO())


def test_every_category_is_in_section_nine_of_the_law_once() -> None:
    named = [category for line in document.SECTION_9 for category in line.categories]
    assert sorted(named) == sorted(Category)


def test_every_table_and_every_purpose_is_on_the_page() -> None:
    page = document.text()
    for table in document.mapped():
        assert f"`{table.model._meta.db_table}`" in page
    for purpose in document.CATALOGUE:
        assert f"| {purpose.code} " in page
    for period in SCHEDULE:
        assert f"| {period.rule} | {period.clause} |" in page


def test_no_category_is_without_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_schedule(None) == []
    monkeypatch.setattr(checks, "SCHEDULE", SCHEDULE[1:])
    (found,) = checks.check_schedule(None)
    assert "The category IDENTITY has no period." in str(found.msg)
