"""Washing our register against NIX, before anybody is called or written to (NIX-01, RUL-31).

What the file says is compared and thrown away: a flag beside each person stays, unknown before the
first wash, and one row that tells how old the copy is. A household is let be where the file names
one of the family.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from consent.groundwork import NixSnapshot, Register
from customers.contact_points import postal
from customers.dates import today
from customers.rules import clean_phone

AT_A_TIME = 5000
_SWEDISH = re.compile(r"(?:\+46|0046|0)([1-9][0-9]{6,9})")
_BETWEEN = re.compile(r"[\s()/-]+")


class NixError(ValueError):
    """The file cannot be used; the message says what to do."""


@dataclass(frozen=True)
class Wash:
    """What a wash came to: lines in the file, people marked by it and people let go."""

    entries: int
    marked: int
    cleared: int


# Everybody with something to compare, in batches by key.
PEOPLE = {
    Register.PHONE: """
        SELECT id, version, nix_phone, phone, '', '' FROM customers_customer
         WHERE id > %s AND phone <> '' ORDER BY id LIMIT %s
    """,
    Register.POST: """
        SELECT c.id, c.version, c.nix_post, c.family_name, a.street, a.postcode
          FROM customers_customer c
          JOIN customers_address a ON a.customer_id = c.id AND a.kind = 'home'
         WHERE c.id > %s ORDER BY c.id LIMIT %s
    """,
}
# Whoever gives a new number or address meanwhile has another version, and waits for the next wash.
MARK = """
    UPDATE customers_customer c SET {flag} = x.listed
      FROM (SELECT u.id, u.version,
                   EXISTS (SELECT FROM nix_file f WHERE f.entry = u.entry) AS listed
              FROM unnest(%s::bigint[], %s::integer[], %s::text[]) AS u (id, version, entry)) x
     WHERE c.id = x.id AND c.version = x.version AND c.{flag} IS DISTINCT FROM x.listed
    RETURNING c.id, x.listed
"""


@transaction.atomic
def load_nix(register: str, taken_on: date, values: Iterable[str]) -> Wash:
    """Wash everybody against a copy of a register; raises NixError and changes nothing.

    `values` are phone numbers, or "name;street;postcode".
    """
    found = Register(register)
    _demand_newer(found, taken_on)
    entries = _entries(found, values)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE nix_file (entry text NOT NULL) ON COMMIT DROP")
        cursor.copy_expert("COPY nix_file FROM STDIN", io.StringIO("\n".join(entries)))
        cursor.execute("CREATE INDEX ON nix_file USING hash (entry)")
        cursor.execute("ANALYZE nix_file")
        marked, cleared = _mark_everybody(cursor, found)
        cursor.execute("DROP TABLE nix_file")
    NixSnapshot.objects.create(register=found, taken_on=taken_on, entries=len(entries))
    return Wash(len(entries), marked, cleared)


def _demand_newer(register: Register, taken_on: date) -> None:
    if taken_on > today():
        raise NixError("A copy cannot be taken on a day that lies ahead; give today or earlier.")
    newest = NixSnapshot.objects.newest(register).first()
    if newest is not None and taken_on < newest.taken_on:
        raise NixError(f"A copy of {newest.taken_on} is loaded already; load a newer one.")


def _mark_everybody(cursor: Any, register: Register) -> tuple[int, int]:
    """Say of everybody whether the file names them; return how many it did and no longer does."""
    statement = MARK.format(flag=f"nix_{register.value}")
    marked = cleared = last = 0
    while True:
        cursor.execute(PEOPLE[register], [last, AT_A_TIME])
        people = cursor.fetchall()
        if not people:
            return marked, cleared
        last = people[-1][0]
        keys = [_key(register, *row[3:]) for row in people]
        cursor.execute(statement, [*([row[n] for row in people] for n in (0, 1)), keys])
        was_listed = {row[0] for row in people if row[2]}
        for person, listed in cursor:
            marked += listed
            cleared += not listed and person in was_listed


def _key(register: Register, name: str, street: str, postcode: str) -> str:
    if register is Register.PHONE:
        return name
    return postal(name.split()[-1] if name.strip() else "", street, postcode)


def _entries(register: Register, values: Iterable[str]) -> list[str]:
    """Return every line as it is compared; letters, digits and bars are nothing to COPY."""
    found = []
    for number, value in enumerate(values, start=1):
        line = value.strip()
        if not line:
            continue
        entry = _number(line) if register is Register.PHONE else _home(line)
        if not entry:
            raise NixError(f"Line {number} cannot be read; correct it and load the whole file.")
        found.append(entry)
    if not found:
        raise NixError("The file holds no entries; nothing was changed.")
    return found


def _number(line: str) -> str:
    plain = _SWEDISH.fullmatch(_BETWEEN.sub("", line))
    if plain:
        return f"+46{plain[1]}"
    try:
        return clean_phone(line)
    except ValidationError:
        return ""


def _home(line: str) -> str:
    parts = line.split(";")
    return _key(Register.POST, *parts) if len(parts) == 3 else ""
