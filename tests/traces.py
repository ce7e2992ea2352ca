"""Words that can be told apart, planted in every column about a person and looked for in files."""

import json
import re
import secrets
import string
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models

from customers.models import Customer
from retention import readable, statements
from retention.rules import algebra, as_due
from tests import past

# How a row of the staff's log is tied to the person is no word about them.
TIES = {"object_id"}
NOISE_BEFORE, NOISE_AFTER = 3000, 4000  # long words lie in a file beside the table


class Traces:
    """Markers of one test: five letters of its own and a number."""

    def __init__(self) -> None:
        self.mark = "".join(secrets.choice(string.ascii_lowercase) for _ in range(5))
        self.where: dict[str, str] = {}
        self._pattern = re.compile(self.mark.encode() + rb"\d{3}")

    def plant(self, customer: Customer, night: Any) -> None:
        """Write a marker of its own into every column of words in a person's rows."""
        due = {"on": night, **as_due(algebra(night, [customer.pk]))}
        with past.the_triggers(), connection.cursor() as cursor:
            for table in statements.tables():
                names = set(readable.words(table)) - TIES
                for column in table.model._meta.local_concrete_fields:
                    if column.column not in names:
                        continue
                    marker = f"{self.mark}{len(self.where):03d}"
                    self.where[marker] = f"{table.name}.{column.column}"
                    cursor.execute(
                        f"WITH {statements.DUE} UPDATE {table.name} t "
                        f'SET "{column.column}" = %(value)s FROM {table.sources} '
                        f"WHERE {table.tie}",
                        {**due, "value": _value(column, marker)},
                    )
                    assert cursor.rowcount > 0, table.name

    def found(self, *, but: tuple[str, ...] = ()) -> dict[str, set[str]]:
        """Search every file of the whole installation: what was found, by table or file."""
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
            cursor.execute(
                "SELECT pg_relation_filepath(oid), relname FROM pg_class WHERE relfilenode <> 0"
            )
            called = dict(cursor.fetchall())
        found: defaultdict[str, set[str]] = defaultdict(set)
        house = settings.HOUSE
        for file in house.data.rglob("*"):
            inside = file.relative_to(house.data)
            if any(part in inside.parts for part in but) or not file.is_file():
                continue
            markers = {m.decode() for m in self._pattern.findall(_bytes(file))}
            if markers:
                path = str(inside).removeprefix(f"{house.database.name}/").split(".")[0]
                found[called.get(path, str(inside))] |= markers
        return dict(found)

    def in_wal(self) -> bool:
        """Tell whether a marker stands in the log of changes, all of it on the disk."""
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
        folder = settings.HOUSE.database / "pg_wal"
        return any(self._pattern.search(_bytes(file)) for file in folder.iterdir())


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, IsADirectoryError):
        return b""  # a server may remove a file meanwhile


def _value(column: Any, marker: str) -> Any:
    if isinstance(column, models.JSONField):
        return json.dumps([_long(marker)])
    if isinstance(column, models.BinaryField):
        return marker.encode()
    return _long(marker) if isinstance(column, models.TextField) else marker


def _long(marker: str) -> str:
    return f"{secrets.token_hex(NOISE_BEFORE // 2)}{marker}{secrets.token_hex(NOISE_AFTER // 2)}"
