"""A marker in every personal column: in that person's extract, in nobody else's, nowhere after."""

import io
import json
import re
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import date

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models

from consent import records
from consent.actions import say_yes
from consent.purposes import Use
from customers.actions import set_national_id
from customers.dates import add_years
from customers.models import (
    AccessLog,
    Change,
    Customer,
    DebtInterruption,
    Session,
    SupportCase,
    User,
)
from customers.models.channels import Collected, Source
from customers.personal_data import AtEnd
from disclosures.models import Disclosure, Outbox, Recipient, RecipientNotice
from privacy_requests import archive
from privacy_requests.extract import collect
from privacy_requests.models import (
    Case,
    CaseEvent,
    EmailChange,
    Erasure,
    Extract,
    ProofCode,
    Statement,
)
from privacy_requests.models.erasures import THINK_IT_OVER
from retention import statements
from retention.actions import execute, open_run
from retention.models import Hold, HoldReview, Receipt, Run, SetAside
from retention.rules import algebra, as_due
from tests import cast, past, recipients

pytestmark = pytest.mark.django_db(transaction=True)
LONG_AGO = date(2010, 3, 1)
NIGHT = date(2026, 11, 20)
TEXT = (models.CharField, models.TextField, models.JSONField)
MARKER = re.compile(r"m\d{3}q")


def somebody(name: str, day: date = LONG_AGO) -> Customer:
    """Make a person of long ago, or of a day, with a row in every table of the map."""
    customer = cast.person(name, since=day)
    staff = User.objects.create_user(f"staff.{name.lower()}@example.com", is_staff=True)
    cast.subscription(customer, day, add_years(day, 2))
    cast.order(customer, day, day)
    DebtInterruption.objects.create(
        invoice=cast.invoice(customer, day), kind="admitted", happened_on=day, words="?"
    )
    set_national_id(customer, {"Anna": "199006022397", "Bo": "199107172380"}[name])
    Customer.objects.filter(pk=customer.pk).update(national_id_used_on=day)
    say_yes(
        customer,
        Use("H", "email"),
        collected=Collected.PHONE,
        evidence="Samtal 12",
        actor=staff,
        at=cast.noon(day),
    )
    at = cast.noon(day)
    Change.objects.create(
        customer=customer, field="phone", source=Source.PERSON, collected=Collected.WEB, at=at
    )
    SupportCase.objects.create(
        customer=customer, subject="?", collected=Collected.EMAIL, opened_at=at, closed_on=day
    )
    AccessLog.objects.create(customer=customer, actor=staff, reason=AccessLog.Reason.CALLS, at=at)
    hold = Hold.objects.create(customer=customer, ground=Hold.Ground.MANUAL, lifted_at=at)
    HoldReview.objects.create(hold=hold, by=staff, reason="?", review_on=day, at=at)
    SetAside.objects.create(
        customer=customer, attempts=1, since=NIGHT, tried_on=NIGHT, cause="RaiseException"
    )
    Outbox.objects.create(
        customer=customer,
        template="t",
        status=Outbox.Status.SENT,
        created_at=at,
        finished_at=at,
    )
    case = Case.objects.create(
        customer=customer,
        right=Case.Right.ACCESS,
        collected=Collected.PORTAL,
        status=Case.Status.ANSWERED,
        outcome=Case.Outcome.GRANTED,
        received_at=at,
        received_on=day,
        nominal_on=day,
        latest_on=day,
        target_on=day,
        answered_at=at,
        closed_on=day,
    )
    CaseEvent.objects.create(case=case, kind=CaseEvent.Kind.RECEIVED, at=at)
    Extract.objects.create(case=case, status=Extract.Status.GONE)
    Erasure.objects.create(
        case=case,
        confirmed_at=at,
        proved_by="letter",
        until=at + THINK_IT_OVER,
        released_at=at + THINK_IT_OVER,
    )
    Statement.objects.create(customer=customer, about="note", wording="?", collected="post")
    ProofCode.objects.create(
        customer=customer, way="letter", digest="d", made_at=at, valid_until=at
    )
    EmailChange.objects.create(
        customer=customer,
        old="m@example.se",
        new="n@example.se",
        digest="d",
        proved_by="letter",
        asked_at=at,
        valid_until=at,
    )
    old_run, _ = Run.objects.get_or_create(business_date=date(2026, 11, 1), status=Run.Status.DONE)
    Receipt.objects.create(customer=customer, run=old_run, category=1, rule="RET-02", row_count=1)
    printer = Recipient.objects.filter(name="Pappersbruket").first() or recipients.signed()
    Disclosure.objects.create(
        customer=customer, recipient=printer, at=at, purpose="A", basis="c", categories=1,
        fields=["given_name"], country="SE",
    )  # fmt: skip
    RecipientNotice.objects.create(
        customer=customer, recipient=printer, act="restricted", created_at=at, outcome="done",
        closed_at=at, closed_by=staff, reason="?",
    )  # fmt: skip
    _account(customer, staff)
    records.refresh([customer.pk])
    return customer


def _account(customer: Customer, staff: User) -> None:
    user = customer.user
    assert user is not None
    address = EmailAddress.objects.create(user=user, email=user.email)
    EmailConfirmation.objects.create(email_address=address, key=f"key-{user.pk}")
    user.groups.add(Group.objects.get_or_create(name="kunder")[0])
    user.user_permissions.add(Permission.objects.all()[0])
    Session.objects.create(
        session_key=f"session-{user.pk}", user=user, expire_date=cast.noon(date(2030, 1, 1))
    )
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(customer.pk),
        object_repr=str(customer),
        action_flag=CHANGE,
    )


def planted(customer: Customer) -> dict[str, tuple[type[models.Model], str]]:
    """Write a marker of its own into every free-text personal column of a person's rows."""
    markers: dict[str, tuple[type[models.Model], str]] = {}
    due = {"on": NIGHT, **as_due(algebra(NIGHT, [customer.pk]))}
    with past.the_triggers(), connection.cursor() as cursor:
        for table in statements.mapped():
            for column in text_columns(table):
                marker = f"m{len(markers):03d}q"
                value = json.dumps([marker]) if isinstance(column, models.JSONField) else marker
                cursor.execute(
                    f"WITH {statements.DUE} UPDATE {table.name} t "
                    f'SET "{column.column}" = %(value)s FROM {table.sources} WHERE {table.tie}',
                    {**due, "value": value},
                )
                assert cursor.rowcount > 0, f"{customer} has no row in {table.name}"
                markers[marker] = (table.model, column.name)
    return markers


def text_columns(table: statements.Table) -> Iterator["models.Field"]:  # type: ignore[type-arg]
    """Yield the columns where somebody's words could stand: text that is no code of a list."""
    if table.data.at_end is AtEnd.UNLINK:
        return
    for names in table.data.columns.values():
        for name in names:
            column = table.model._meta.get_field(name)
            is_code = bool(column.choices) or (column.max_length or 99) < len("m000q")
            if isinstance(column, TEXT) and not is_code:
                yield column


def found_in_the_database() -> dict[str, set[str]]:
    """Search every row of every table for markers."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            markers = {m for (row,) in cursor for m in MARKER.findall(row)}
            if markers:
                found[table] = markers
    return found


def files_of(customer: Customer) -> dict[str, str]:
    """Return what the files of a person's extract say, by kind; of the PDF its own text layer."""
    packed = archive.pack(collect(customer.pk))
    with zipfile.ZipFile(io.BytesIO(packed.data)) as files:
        sheets = [files.read(name).decode() for name in files.namelist() if name[:4] == "csv/"]
        said = subprocess.run(
            ["pdftotext", "-raw", "-", "-"],
            input=files.read(archive.PDF_NAME),
            stdout=subprocess.PIPE,
            check=True,
        ).stdout.decode()
        return {
            "json": files.read(archive.JSON_NAME).decode(),
            "html": files.read(archive.HTML_NAME).decode(),
            "csv": "".join(sheets),
            # A word may break at the end of a narrow column.
            "pdf": re.sub(r"[\s\u200b\u00ad]+", "", said),
        }


def test_a_marker_is_in_the_extract_of_its_person_and_gone_after_the_night() -> None:
    anna, bo = somebody("Anna"), somebody("Bo")
    markers = planted(anna)
    assert len(markers) > 25
    assert set().union(*found_in_the_database().values()) == set(markers)

    for kind, hers in files_of(anna).items():
        missing = {m: where for m, where in markers.items() if m not in hers}
        assert missing == {}, kind
    assert {kind: MARKER.findall(his) for kind, his in files_of(bo).items()} == {
        "json": [],
        "html": [],
        "csv": [],
        "pdf": [],
    }

    execute(open_run(NIGHT)[0])
    assert found_in_the_database() == {}
    assert not Customer.objects.exists()
    assert not User.objects.filter(is_staff=False).exists()
    assert not LogEntry.objects.exists()
    assert Receipt.objects.exists()


@pytest.mark.breaks(3, 5, 11)
def test_every_table_of_the_map_has_a_row_of_the_person() -> None:
    anna = somebody("Anna")
    due = {"on": NIGHT, **as_due(algebra(NIGHT, [anna.pk]))}
    with connection.cursor() as cursor:
        for table in statements.mapped():
            cursor.execute(
                f"WITH {statements.DUE} SELECT count(*) FROM {table.name} t, {table.sources} "
                f"WHERE {table.tie}",
                due,
            )
            assert cursor.fetchone()[0] > 0, table.name
