"""Five hundred people in one world: no row of anybody else in any file (E01).

Set-based: the statements by which an extract reads are asked about everybody at once, and a number
of whole archives is opened besides.
"""

import io
import json
import random
import re
import subprocess
import zipfile
from collections import Counter
from datetime import date
from typing import Any

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.utils import timezone

from consent.models import Event, EventDetail
from customers.models import (
    AccessLog,
    Address,
    Change,
    Customer,
    FiscalYear,
    Invoice,
    Order,
    Session,
    Subscription,
    SupportCase,
    User,
)
from disclosures.models import Outbox
from privacy_requests import archive, collection, document, portability
from privacy_requests.extract import collect
from privacy_requests.models import Case, CaseEvent, EmailChange, Extract
from retention import statements
from retention.models import Hold
from tests import cast, past

# A snapshot of its own needs a transaction of its own.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    # The rows are laid in as a bulk load, without the facts that make their records.
    pytest.mark.breaks(*range(1, 18)),
]

COUNT, WHOLE, PRINTED = 500, 8, 2
SINCE = date(2024, 1, 7)
MARKER = re.compile(r"m(\d+)q")


def crowd(chance: random.Random) -> list[Customer]:
    """Lay in people with a random number of rows in every larger table."""
    at = cast.noon(SINCE)
    users = User.objects.bulk_create(User(email=f"u{n}@example.se") for n in range(COUNT))
    people = Customer.objects.bulk_create(
        Customer(
            given_name="A", family_name="B", email=user.email, user=user, last_contact_on=SINCE
        )
        for user in users
    )

    def some(most: int = 3) -> list[Customer]:
        return [person for person in people for _ in range(chance.randint(0, most))]

    staff = User.objects.create_user("staff@example.com", is_staff=True)
    ware, how = cast.product(), "web"
    Address.objects.bulk_create(
        Address(customer=p, street="?", postcode="58222", city="?", given_on=SINCE) for p in people
    )
    Change.objects.bulk_create(
        Change(customer=p, field="phone", source="person", collected=how) for p in some()
    )
    AccessLog.objects.bulk_create(
        AccessLog(customer=p, actor=staff, reason="calls") for p in some()
    )
    Session.objects.bulk_create(
        Session(session_key=f"s{n}", user=p.user, expire_date=timezone.now())
        for n, p in enumerate(some(1))
    )
    Subscription.objects.bulk_create(
        Subscription(customer=p, product=ware, started_on=SINCE, collected=how) for p in some(1)
    )
    Order.objects.bulk_create(
        Order(number=f"O{n}", customer=p, product=ware, ordered_on=SINCE, collected=how)
        for n, p in enumerate(some())
    )
    FiscalYear.objects.create(starts_on=date(2024, 1, 1), ends_on=date(2024, 12, 31))
    Invoice.objects.bulk_create(
        Invoice(
            number=n,
            customer=p,
            fiscal_year_id=date(2024, 12, 31),
            issued_on=SINCE,
            paid_on=SINCE,
            total_ore=9900,
            vat_ore=1980,
        )
        for n, p in enumerate(some(), start=1)
    )
    SupportCase.objects.bulk_create(
        SupportCase(customer=p, subject="?", collected=how) for p in some()
    )
    Outbox.objects.bulk_create(
        Outbox(customer=p, template="t", status="sent", finished_at=at) for p in some()
    )
    Hold.objects.bulk_create(Hold(customer=p, ground="manual", lifted_at=at) for p in some(1))
    EmailChange.objects.bulk_create(
        EmailChange(
            customer=p,
            old="?",
            new="?",
            digest=f"d{n}",
            proved_by="letter",
            asked_at=at,
            valid_until=at,
        )
        for n, p in enumerate(some(1))
    )
    days = {"nominal_on": SINCE, "latest_on": SINCE, "target_on": SINCE, "received_on": SINCE}
    cases = Case.objects.bulk_create(
        Case(customer=p, right=right, collected=how, **days)
        for p in people
        for right in chance.sample(Case.Right.values, chance.randint(0, 3))
    )
    CaseEvent.objects.bulk_create(CaseEvent(case=case, kind="received") for case in cases)
    Extract.objects.bulk_create(Extract(case=case, status="gone") for case in cases[::3])
    said = Event.objects.bulk_create(
        Event(customer=p, kind="no", purpose="H", channel="email", collected=how, authority=4)
        for p in some()
    )
    EventDetail.objects.bulk_create(EventDetail(event=event) for event in said)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=staff,
            content_type=ContentType.objects.get_for_model(Customer),
            object_id=str(p.pk),
            object_repr=str(p),
            action_flag=CHANGE,
        )
        for p in some()
    )
    return people


def mark() -> None:
    """Write whose row it is into every text of every row, and let the planner know the tables."""
    everybody = "WITH due AS (SELECT id, pseudonym, user_id FROM customers_customer)"
    with past.the_triggers(), connection.cursor() as cursor:
        for table in statements.mapped():
            columns = ", ".join(f'"{c}" = {value}' for c, value in texts(table.model, table.data))
            if columns:
                cursor.execute(
                    f"{everybody} UPDATE {table.name} t SET {columns} "
                    f"FROM {table.sources} WHERE {table.tie}"
                )
    with connection.cursor() as cursor:
        for table in statements.mapped():
            cursor.execute(f"ANALYZE {table.name}")


def texts(model: type[models.Model], data: Any) -> list[tuple[Any, str]]:
    """Return the columns where words could stand, with the SQL of the marker of whose row it is."""
    marker = "'m' || due.id || 'q'"
    found = []
    for name in (name for names in data.columns.values() for name in names):
        column: Any = model._meta.get_field(name)
        if isinstance(column, models.JSONField):
            found.append((column.column, f"jsonb_build_array({marker})"))
            continue
        has_words = isinstance(column, models.CharField | models.TextField) and not column.choices
        if has_words and (column.max_length or 99) >= len("m123456q") and not column.unique:
            found.append((column.column, marker))
    return found


def test_no_row_of_anybody_else_is_in_any_file_of_five_hundred() -> None:
    chance = random.Random(20261124)
    people = crowd(chance)
    mark()
    _statements_keep_people_apart({person.pk for person in people})
    for n, person in enumerate(chance.sample(people, WHOLE)):
        content = collect(person.pk)
        own = {str(person.pk)}
        assert set(MARKER.findall(json.dumps(document.as_json(content)))) == own
        assert set(MARKER.findall(json.dumps(portability.as_json(content)))) <= own
        if n < PRINTED:
            for name, said in _words_of(archive.pack(content)).items():
                assert set(MARKER.findall(said)) <= own, name


def _statements_keep_people_apart(people: set[int]) -> None:
    """Read each table for everybody by the extract's own statement: each row to its owner."""
    told = 0
    everybody = f"SELECT {', '.join(collection.KEYS)} FROM customers_customer"
    for reader in collection.readers():
        row, rest = _split(reader.sql)
        with connection.cursor() as cursor:
            cursor.execute(f"WITH due AS ({everybody}) SELECT due.id, {row} FROM {rest}")
            rows = cursor.fetchall()
            cursor.execute(f'SELECT count(*) FROM "{reader.model._meta.db_table}"')
            (stored,) = cursor.fetchone()
        for owner, (_key, _id, *values) in rows:
            assert set(MARKER.findall(str(values))) <= {str(owner)}, reader.model
        assert {row[0] for row in rows} <= people
        staff_rows = stored - len(rows)
        assert staff_rows in ({0, 1} if reader.model is User else {0}), reader.model
        told += len(rows)
    assert told > 15 * COUNT


def _split(sql: str) -> tuple[str, str]:
    """Return one row as the statement lists it, and what it lists them from."""
    found = re.fullmatch(r"SELECT json_agg\((json_build_array\(.*?\))\) FROM (.*)", sql)
    assert found is not None
    row, rest = (re.sub(r"%\((\w+)\)s", r"due.\1", part) for part in found.groups())
    return row, rest.replace(" WHERE ", ", due WHERE ", 1)


def _words_of(packed: archive.Archive) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(packed.data)) as files:
        said = {name: files.read(name) for name in files.namelist()}
    pdf = ["pdftotext", "-raw", "-", "-"]
    text = subprocess.run(pdf, input=said.pop(archive.PDF_NAME), stdout=subprocess.PIPE, check=True)
    words = {name: data.decode() for name, data in said.items()}
    assert Counter(words)["utdrag.json"]
    return {**words, archive.PDF_NAME: re.sub(r"\s+", "", text.stdout.decode())}
