"""Tables as CSV that a spreadsheet shows and never runs (E05)."""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# A cell that begins so is a formula to some spreadsheet, also after signs that are not seen; the
# full-width forms are read as the plain ones. Each line of a cell counts, as some split them.
UNSEEN = r"(?:[^\S\n]|[\ufeff\u00ad\u200b-\u200f\u2060\0])"
RUNS = re.compile(rf"(?m)^(?={UNSEEN}*[=+\-@|%\t\uff1d\uff0b\uff0d\uff20\u2212])")
LINES = re.compile(r"\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]")
MARK = "'"


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows under a line of column names: UTF-8 with its mark, every text in quotes."""
    written = io.StringIO(newline="")
    sheet = csv.writer(written, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    sheet.writerow(columns)
    sheet.writerows([_cell(row[column]) for column in columns] for row in rows)
    return written.getvalue().encode("utf-8-sig", errors="replace")


def _cell(value: Any) -> str | int | float:
    """Return a value as a cell: numbers as they are, what a sheet might run as text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return harmless(text)


def harmless(text: str) -> str:
    """Return a text in which every line that a sheet would run begins with an apostrophe."""
    return RUNS.sub(MARK, LINES.sub("\n", text))
