"""Folders for the import, with people who are all right unless a test says otherwise."""

import csv
import io
from pathlib import Path
from typing import Any

from django.core.management import CommandError, call_command

PERSON = {"given_name": "Anna", "family_name": "Ek", "registered_on": "2020-03-01"}
ADDRESS = {
    "street": "Björkgatan 4",
    "postcode": "582 22",
    "city": "Linköping",
    "given_on": "2020-03-01",
}
ORDER = {"product": "borsthuvud", "ordered_on": "2020-03-01"}
INVOICE = {
    "issued_on": "2020-03-01",
    "due_on": "2020-04-01",
    "buyer_name": "Anna Ek",
    "buyer_address": "Björkgatan 4, 582 22 Linköping",
    "text": "Borsthuvud, 1 st",
    "total_ore": "9900",
    "vat_ore": "1980",
}
PRODUCT = {"code": "borsthuvud", "name": "Borsthuvuden", "similar_group": "munvard"}
YEAR = {"starts_on": "2020-01-01", "ends_on": "2020-12-31"}
# What proves a sale after which advertising may follow (MFL-02).
SALE = {
    "soft_opt_in_order": "W17",
    "soft_opt_in_goods": "Borsthuvuden",
    "soft_opt_in_offer": "Nej tack-rutan i kassan",
}
NOTICED = {"noticed_on": "2020-03-01", "soft_opt_in_on": "2020-03-01", **SALE}

Rows = list[dict[str, Any]]


def person(number: str = "K1", **fields: Any) -> dict[str, Any]:
    return {"number": number, **PERSON, **fields}


def put(folder: Path, delimiter: str = ";", **files: Rows) -> Path:
    """Write the files of a folder anew, each with the columns that its rows have."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.csv"):
        old.unlink()
    for name, rows in files.items():
        if not rows:
            continue
        columns = list(dict.fromkeys(column for row in rows for column in row))
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, columns, delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return folder


class Outcome:
    """What the command said, how it ended, and the rows of its report."""

    def __init__(self, folder: Path, **options: Any) -> None:
        out = io.StringIO()
        self.reports = options.pop("report", folder.parent / "reports")
        self.code, self.error = 0, ""
        before = set(self.reports.glob("*")) if self.reports.is_dir() else set()
        try:
            call_command("import_customers", folder, report=self.reports, stdout=out)
        except CommandError as error:
            self.code, self.error = error.returncode, str(error)
        self.out = out.getvalue()
        self.report: list[dict[str, str]] = []
        for path in sorted(set(self.reports.glob("*")) - before) if self.reports.is_dir() else ():
            with path.open(encoding="utf-8", newline="") as stream:
                self.report += csv.DictReader(stream)

    @property
    def refused(self) -> list[tuple[str, int, str]]:
        return self._rows("refused")

    @property
    def warnings(self) -> list[tuple[str, int, str]]:
        return self._rows("warning")

    def _rows(self, outcome: str) -> list[tuple[str, int, str]]:
        return [
            (row["file"], int(row["line"]), row["column"])
            for row in self.report
            if row["outcome"] == outcome
        ]


def load(folder: Path, **files: Rows) -> Outcome:
    """Write the files and run the command."""
    return Outcome(put(folder / "in", **files))
