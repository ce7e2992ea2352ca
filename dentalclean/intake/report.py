"""The report of an import: every refused row and every warning, without a single personal value."""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

HEADER = ("file", "line", "column", "reason", "outcome")


@dataclass
class Writer:
    """A report in the making; `path` is where it will stand, None while it has nothing to say."""

    stream: Any
    intended: Path
    path: Path | None = None
    _rows: Any = field(init=False)

    def __post_init__(self) -> None:
        self._rows = csv.writer(self.stream)
        self._rows.writerow(HEADER)

    def write(self, file: str, sql: str, params: list[str]) -> int:
        """Append what a query says of a file, by line; return the warnings among it."""
        warnings = 0
        name = f"report_{uuid4().hex}"
        with connection.connection.cursor(name=name) as cursor:  # on the server's side: no list
            cursor.execute(f"SELECT * FROM ({sql}) AS found ORDER BY 1, 4, 2", params)
            for line, column, reason, outcome in cursor:
                self._rows.writerow((file, line, column or "", reason, outcome))
                self.path = self.intended
                warnings += outcome == "warning"
        return warnings


@contextmanager
def writing(folder: Path) -> Iterator[Writer]:
    """Write a report that appears whole when the block ends well, and only if it says anything."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = timezone.localtime().strftime("%Y%m%d-%H%M%S-%f")
    path = folder / f"import-report-{moment}.csv"
    draft = path.with_suffix(".part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            writer = Writer(stream, path)
            yield writer
        if writer.path is not None:
            draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
