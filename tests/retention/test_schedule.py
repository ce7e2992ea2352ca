"""Every kind of data has a period, and a lawyer can read all of them on one page."""

import io
import re
from datetime import date
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import BinaryField, CharField, GeneratedField, JSONField, TextField

from consent.models import EventDetail
from customers.personal_data import Category
from retention import checks, document, statements
from retention.models import Receipt
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


@pytest.mark.django_db
@pytest.mark.parametrize("source", statements.sources(), ids=lambda source: source.name)
def test_every_way_to_fall_due_is_walked_by_an_index_on_its_day(
    source: statements.Source,
) -> None:
    """The night looks at who is due, not at everybody: the day is what the index is searched by."""
    params = {"on": date(2026, 1, 1), "day": date(1, 1, 1), "after": 0, "size": 100}
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"EXPLAIN {source.next_batch}", params)
        told = "\n".join(row[0] for row in cursor)
    assert "Index" in told
    assert re.search(r"Index Cond: .*(retain_until|erasure_on|returned_on)", told), told


@pytest.mark.django_db
def test_every_last_day_of_a_row_is_made_by_the_database() -> None:
    tables = [table for table in statements.mapped() if table.has_own_clock]
    assert tables
    for table in tables:
        model = table.model
        if table.data.clock_of:
            model = model._meta.get_field(table.data.clock_of).related_model
        # The words behind an entry have theirs from the act that ended it (RUL-27).
        if model is not EventDetail:
            assert isinstance(model._meta.get_field("retain_until"), GeneratedField), table.name


@pytest.mark.django_db
def test_a_receipt_has_no_place_for_personal_data() -> None:
    """ERA-08: numbers, days and words that are chosen from a list; no text that anybody writes."""
    listed = {"rule", "held_by"}
    for column in Receipt._meta.local_fields:
        assert not isinstance(column, TextField | JSONField | BinaryField), column
        if isinstance(column, CharField):
            assert column.name in listed
            assert (column.max_length or 0) <= 12
