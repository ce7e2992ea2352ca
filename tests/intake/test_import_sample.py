"""The sample in docs/sample goes the whole road; the generator writes it; memory stays flat."""

import csv
import io
import re
import tracemalloc
import zipfile
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
import time_machine
from stdnum.se import personnummer

from customers.models import Address, Customer, Invoice, Order, Subscription, User
from customers.personal_data import Category
from dentalclean.intake import sample
from dentalclean.intake.actions import load
from dentalclean.intake.formats import FORMATS
from privacy_requests import archive, extract
from retention.actions import execute, open_run
from retention.models import Receipt
from retention.rules import plan
from tests.cast import noon
from tests.foresight import expect
from tests.intake.files import Outcome

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "docs" / "sample"
DOCUMENT = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")


def rows(name: str) -> list[dict[str, str]]:
    with (SAMPLE / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter=";"))


def test_the_generator_writes_the_sample(tmp_path: Path) -> None:
    sample.write(tmp_path, people=1000, seed=1, bad=True)
    written = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert written == {path.name: path.read_bytes() for path in SAMPLE.iterdir()}


def test_nobody_in_the_sample_exists() -> None:
    people = rows("customers")
    numbers = {row["national_id"] for row in people if row["national_id"]}
    good = {number for number in numbers if personnummer.is_valid(number)}
    assert good == set(sample.TEST_NUMBERS)
    assert numbers - good == {"191212121213"}
    assert all(
        re.search(r"@example\.(se|com)$", row["email"]) for row in people if "@" in row["email"]
    )
    assert {row["phone"] for row in people} - {"", "12"} <= set(sample.PHONES)


def test_the_sample_has_the_awkward_ones() -> None:
    people = rows("customers")
    mails = Counter(row["email"] for row in people if row["email"])
    names = "".join(row["given_name"] + row["family_name"] for row in people)
    assert all(sign in names for sign in "åäöÅÄÖ'’\"-")
    assert any(row["birth_date"].endswith("-02-29") for row in people)
    assert {row["protection"] for row in people} == {"", "secrecy", "registration"}
    assert any(not row["email"] for row in people)
    assert max(mails.values()) == 2
    lengths = {
        (date.fromisoformat(y["ends_on"]) - date.fromisoformat(y["starts_on"])).days
        for y in rows("fiscal_years")
    }
    assert max(lengths) > 366


def test_every_column_is_in_the_document() -> None:
    for form in FORMATS:
        _, _, section = DOCUMENT.partition(f"### {form.file}")
        section = section.partition("\n### ")[0].partition("\n## ")[0]
        told = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
        assert told == {column.name for column in form.columns}, form.file
        needed = set(re.findall(r"^\| `(\w+)` \| yes", section, re.MULTILINE))
        assert needed == {column.name for column in form.columns if column.filled}, form.file


@pytest.mark.django_db(transaction=True)
@pytest.mark.breaks(1)
def test_the_sample_goes_through_import_a_night_three_years_on_and_an_extract(
    tmp_path: Path,
) -> None:
    with time_machine.travel(noon(sample.AS_OF), tick=False):
        outcome = Outcome(SAMPLE, report=tmp_path)
    assert outcome.code == 1
    assert len(outcome.refused) == 15
    assert {file for file, _, _ in outcome.refused} == {
        f"{name}.csv"
        for name in ("customers", "addresses", "subscriptions", "invoices", "consents")
    }
    assert Customer.objects.count() == 1000
    with time_machine.travel(noon(sample.AS_OF), tick=False):
        assert "0 rows written." in Outcome(SAMPLE, report=tmp_path).out

    night = date(2026, 11, 24)
    planned = {(line.category, line.rows) for line in plan(night)}
    expect(night, 1000)
    run = execute(open_run(night)[0])
    assert planned
    assert run.counts["RET-02"] > 300
    customers = {row["number"]: row for row in rows("customers")}
    gone = Customer.objects.filter(given_name="", family_name="")
    assert 100 < gone.count() + 1000 - Customer.objects.count() < 900
    assert not Address.objects.filter(customer__in=gone).exists()
    assert not User.objects.filter(customer__in=gone).exists()
    assert Invoice.objects.filter(customer__in=gone).exists()
    assert Receipt.objects.filter(category=Category.CONTACT).count() > 100
    for row in rows("subscriptions"):
        customer = customers.get(row["number"])
        if customer and not row["ended_on"] and not customer["deceased_on"]:
            still = Customer.objects.get(number=row["number"])
            assert still.name
    assert not Subscription.objects.filter(ended_on__lt=date(2023, 11, 23)).exists()
    assert not Order.objects.filter(delivered_on__lt=date(2023, 11, 23)).exists()
    assert list(plan(night)) == []

    still_here = archive_of("K0000001")
    for value in ("Sandén", "Moa", "rutan ikryssad", "Borsthuvud"):
        assert value in still_here
    assert "191212121212" not in still_here  # thirty days after its last use (RUL-16)
    left = archive_of(gone.order_by("number")[0].number)
    assert "@example" not in left


def archive_of(number: str) -> str:
    """Build a person's extract and return the JSON of the archive."""
    content = extract.collect(Customer.objects.get(number=number).pk)
    packed = zipfile.ZipFile(io.BytesIO(archive.pack(content).data))
    assert packed.read(archive.PDF_NAME).startswith(b"%PDF")
    return packed.read(archive.JSON_NAME).decode()


@pytest.mark.django_db
def test_the_memory_of_an_import_is_flat_in_the_number_of_people(tmp_path: Path) -> None:
    peaks = []
    for people in (200, 2000):
        folder = tmp_path / str(people)
        sample.write(folder, people=people)
        tracemalloc.start()
        load(folder, tmp_path, date(2026, 11, 24), lambda words, done, total: None)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3 * 1024 * 1024
