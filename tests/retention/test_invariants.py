"""The 17 invariants: nothing to say of a sound house, and each goes red when it is broken once."""

import io
import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from consent.actions import append, restrict, say_no
from consent.facts import settle
from consent.models import Authority, Event, ProcessingRecord, Standing
from consent.sealing import seal
from customers.dates import today
from customers.models import Customer, Invoice, Session, User
from customers.models.channels import Collected
from customers.models.people import Restriction
from customers.personal_data import EVERYTHING, Category
from disclosures.models import Outbox
from privacy_requests.models import Case, Extract
from retention.actions import execute, open_run
from retention.holds import lift_hold
from retention.invariants import broken, invariants
from retention.models import Hold, Receipt, Run
from tests import cast, past
from tests.invariants import demand

pytestmark = pytest.mark.django_db


def numbers() -> list[int]:
    return [found.invariant.number for found in broken()]


def sql(statement: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def message(anna: Customer, **fields: object) -> Outbox:
    now = timezone.now()
    kept = {"template": "test", "status": "sent", "finished_at": now, **fields}
    return Outbox.objects.create(customer=anna, **kept)


def test_a_sound_house_has_nothing_to_say() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2020, 12, 1))
    cast.invoice(anna, date(2020, 12, 1))
    for back in (2, 1, 0):
        run, _ = open_run(today() - timedelta(days=back))
        execute(run)
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert numbers() == []
    told = io.StringIO()
    call_command("check_invariants", stdout=told)
    assert told.getvalue() == "All 17 invariants hold.\n"


def a_missing_invoice(anna: Customer) -> None:
    first = cast.invoice(anna, today())
    second = cast.invoice(anna, today())
    cast.invoice(anna, today())
    with past.the_triggers():
        Invoice.objects.filter(pk=second.pk)._raw_delete("default")  # type: ignore[attr-defined]
    assert first.number + 1 == second.number


def the_last_invoice_missing(anna: Customer) -> None:
    cast.invoice(anna, today())
    last = cast.invoice(anna, today())
    with past.the_triggers():
        Invoice.objects.filter(pk=last.pk)._raw_delete("default")  # type: ignore[attr-defined]


def an_unguarded_invoice(anna: Customer) -> None:
    cast.invoice(anna, today())
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in past.asleep("UPDATE"):
        if "customers_invoice" in statement:
            sql(statement)


def a_standing_without_its_entry(anna: Customer) -> None:
    Standing.objects.filter(customer=anna).update(event_id=2**40)


def a_no_that_opened_nothing(anna: Customer) -> None:
    use = Standing.objects.filter(customer=anna, declined=False).first()
    assert use is not None
    event = append(
        anna,
        Event.Kind.OBJECTED,
        purpose=use.purpose,
        channel=use.channel,
        collected=Collected.PORTAL,
        authority=Authority.PERSON,
    )
    before = Event.objects.filter(pk__lt=event.pk).latest("pk")
    Standing.objects.filter(pk=use.pk).update(
        declined=False, closes=date(9000, 1, 1), event_id=before.pk
    )


def a_cut_ledger(anna: Customer) -> None:
    seal()
    last = Event.objects.latest("pk")
    with past.the_triggers():
        sql("DELETE FROM consent_event WHERE id = %s", last.pk)
        sql("UPDATE consent_standing SET event_id = (SELECT min(id) FROM consent_event)")


def somebody_forgotten(anna: Customer) -> None:
    Run.objects.create(business_date=today(), status="done", finished_at=timezone.now())
    cast.subscription(anna, date(2012, 1, 7), date(2013, 1, 7))
    ProcessingRecord.objects.filter(customer=anna).update(
        retain_until=today() - timedelta(days=3), ended_on=None
    )


def an_address_without_its_person(anna: Customer) -> None:
    Run.objects.create(business_date=today(), status="done", finished_at=timezone.now())
    anna.processing_records.all().delete()
    Customer.objects.filter(pk=anna.pk).update(given_name="", family_name="")


def words_of_nobody(anna: Customer) -> None:
    say_no(anna, evidence="Anna Ek sa det i telefon.")
    Customer.objects.filter(pk=anna.pk).update(pseudonym=uuid4())


def words_that_were_sent(anna: Customer) -> None:
    message(anna, recipient=anna.email)


def a_person_gone_without_receipt(anna: Customer) -> None:
    with past.the_triggers():
        Standing.objects.filter(customer=anna).delete()
    Customer.objects.filter(pk=anna.pk).update(pseudonym=uuid4())


def a_receipt_for_somebody_here(anna: Customer) -> None:
    Receipt.objects.create(customer=anna, category=Category.SHELL, rule="ERA-05", row_count=1)


def a_run_that_counted_wrong(anna: Customer) -> None:
    Run.objects.create(business_date=today(), status="done", finished_at=timezone.now(), people=1)


def an_extract(anna: Customer, **fields: object) -> Extract:
    day = today()
    case = Case.objects.create(
        customer=anna,
        right="access",
        received_on=day,
        nominal_on=day + timedelta(days=30),
        latest_on=day + timedelta(days=30),
        target_on=day + timedelta(days=30),
    )
    given = {"expires_on": day, "file_name": uuid4().hex, **fields}
    return Extract.objects.create(
        case=case, status="ready", snapshot_at=timezone.now(), ready_at=timezone.now(), **given
    )


def an_extract_without_its_file(anna: Customer) -> None:
    an_extract(anna)


def an_extract_past_its_days(anna: Customer) -> None:
    an_extract(anna, expires_on=today() - timedelta(days=2))


def a_case_nobody_answers(anna: Customer) -> None:
    extract = an_extract(anna)
    Case.objects.update(latest_on=today() - timedelta(days=1))
    extract.delete()


def a_message_that_is_stuck(anna: Customer) -> None:
    message(
        anna,
        status="queued",
        finished_at=None,
        available_at=timezone.now() - timedelta(minutes=11),
    )


def advertising_after_a_no(anna: Customer) -> None:
    say_no(anna)
    message(anna, purpose="H", finished_at=timezone.now() + timedelta(minutes=2))


def a_change_nobody_gave_a_reason_for(anna: Customer) -> None:
    staff = User.objects.create_user("cecilia@example.se", is_staff=True)
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Customer),
        object_id=str(anna.pk),
        object_repr=str(anna),
        action_flag=CHANGE,
    )


def a_session_of_a_closed_account(anna: Customer) -> None:
    Session.objects.create(
        session_key="k", user=anna.user, expire_date=timezone.now() + timedelta(hours=1)
    )
    User.objects.filter(pk=anna.user_id).update(is_active=False)


def a_night_left_out(anna: Customer) -> None:
    now = timezone.now()
    for back in (3, 1):
        Run.objects.create(
            business_date=today() - timedelta(days=back),
            started_at=now - timedelta(days=back),
            finished_at=now,
            status="done",
        )


def a_ledger_the_program_may_change(anna: Customer) -> None:
    sql(f"GRANT UPDATE ON consent_event TO {settings.DATABASE_ROLES['app']}")


def a_column_on_no_map(anna: Customer) -> None:
    sql("SET CONSTRAINTS ALL IMMEDIATE")
    sql("ALTER TABLE customers_product ADD COLUMN shoe_size integer")


def an_identity_number_written_out(anna: Customer) -> None:
    anna.support_cases.create(subject="Fel", body="Jag är 19811218-9876.", collected="portal")


def a_letter_to_somebody_erased(anna: Customer) -> None:
    yesterday = timezone.now() - timedelta(days=1, seconds=1)
    message(anna, status="queued", finished_at=None, created_at=yesterday)
    Customer.objects.filter(pk=anna.pk).update(given_name="", family_name="")


def a_letter_to_a_hidden_address(anna: Customer) -> None:
    Customer.objects.filter(pk=anna.pk).update(protection="secrecy")
    message(anna, status="queued", finished_at=None, kind="letter")


FAULTS: list[tuple[int, Callable[[Customer], None]]] = [
    (1, a_missing_invoice),
    (1, the_last_invoice_missing),
    (1, an_unguarded_invoice),
    (2, a_standing_without_its_entry),
    (2, a_no_that_opened_nothing),
    (2, a_cut_ledger),
    (3, somebody_forgotten),
    (4, an_address_without_its_person),
    (4, words_of_nobody),
    (4, words_that_were_sent),
    (5, a_person_gone_without_receipt),
    (5, a_receipt_for_somebody_here),
    (5, a_run_that_counted_wrong),
    (7, an_extract_without_its_file),
    (7, an_extract_past_its_days),
    (8, a_case_nobody_answers),
    (9, a_message_that_is_stuck),
    (10, advertising_after_a_no),
    (11, a_change_nobody_gave_a_reason_for),
    (12, a_session_of_a_closed_account),
    (13, a_night_left_out),
    (14, a_ledger_the_program_may_change),
    (15, a_column_on_no_map),
    (15, an_identity_number_written_out),
    (16, a_letter_to_somebody_erased),
    (17, a_letter_to_a_hidden_address),
]


@pytest.mark.breaks(*range(1, 18))
@pytest.mark.parametrize(("number", "fault"), FAULTS, ids=[fault.__name__ for _, fault in FAULTS])
def test_each_invariant_finds_its_fault(
    number: int, fault: Callable[[Customer], None], settings: object, tmp_path: Path
) -> None:
    settings.SEALS_DIR = tmp_path / "seals"  # type: ignore[attr-defined]
    anna = cast.person(since=today() - timedelta(days=400))
    assert numbers() == []
    fault(anna)
    assert number in numbers()
    with pytest.raises(CommandError) as told:
        call_command("check_invariants")
    assert not {"Anna", "Ek", "anna@example.se", "9876"} & set(str(told.value).split())


def test_every_invariant_has_a_fault_here() -> None:
    elsewhere = {6}  # tests/retention/test_restore.py
    assert {number for number, _ in FAULTS} | elsewhere == {i.number for i in invariants()}


@pytest.mark.breaks(3, 13)
def test_what_an_act_of_today_makes_due_waits_for_the_night_after() -> None:
    """RUL-34: nothing is late before the night that is to take it."""
    held, limited, owing = (cast.person(n, since=date(2012, 1, 7)) for n in ("Bo", "Eva", "Ulf"))
    restrict(limited, Restriction.CLAIM)
    hold = Hold.objects.create(customer=held, ground=Hold.Ground.MANUAL, categories=EVERYTHING)
    debt = cast.invoice(owing, date(2024, 5, 5), paid=False)
    assert execute(open_run(today())[0]).status == Run.Status.DONE
    assert numbers() == []
    lift_hold(hold)
    with past.no_notice():
        append(limited, Event.Kind.UNRESTRICTED, collected=Collected.POST, authority=Authority.LAW)
    settle(debt, date(2024, 5, 6))
    assert numbers() == []
    # Two nights later, had they left them.
    with transaction.atomic():
        Run.objects.update(business_date=today() + timedelta(days=2))
    assert 3 in numbers()
    late = next(found for found in broken() if found.invariant.number == 3)
    assert late.count == 3


@pytest.mark.breaks(7)
def test_a_file_that_no_extract_knows_is_found(settings: object, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    (tmp_path / "extracts").mkdir()
    stray = tmp_path / "extracts" / uuid4().hex
    stray.write_bytes(b"")
    assert numbers() == []  # it may be on its way
    an_hour_ago = timezone.now().timestamp() - 3601
    os.utime(stray, (an_hour_ago, an_hour_ago))
    assert numbers() == [7]


def test_a_test_that_leaves_a_fault_fails(request: pytest.FixtureRequest) -> None:
    anna = cast.person()
    demand(request.node)
    a_message_that_is_stuck(anna)
    with pytest.raises(AssertionError, match="must never be seen: 9 message stuck"):
        demand(request.node)
    Outbox.objects.update(status="stopped", finished_at=timezone.now())
    demand(request.node)


def test_what_lies_outside_is_looked_at_after_each_test(
    request: pytest.FixtureRequest, settings: object, tmp_path: Path
) -> None:
    demand(request.node)
    settings.ERASURES_DIR = tmp_path  # type: ignore[attr-defined]
    (tmp_path / "mark").write_text("7\n")
    with pytest.raises(AssertionError, match="must never be seen: 6 restored"):
        demand(request.node)
    (tmp_path / "mark").unlink()


def test_the_invariants_write_nothing() -> None:
    sql("SET TRANSACTION READ ONLY")
    assert numbers() == []
