"""Erasure on request: out of use at once, gone the night after 72 hours, proof without a name."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent import records
from consent.actions import restrict
from consent.models import Event, ProcessingRecord
from consent.purposes import Use
from consent.rules import may_process
from consent.verification import verify
from customers import contact_points
from customers.dates import today
from customers.models import (
    AccessLog,
    Address,
    Change,
    Customer,
    DebtInterruption,
    Invoice,
    Order,
    Subscription,
    SupportCase,
    User,
)
from customers.models.channels import Collected, Source
from customers.personal_data import Category
from disclosures.models import Outbox, RecipientNotice
from disclosures.recipient_notices import acknowledge
from privacy_requests import cases, erasures, vault
from privacy_requests.actions import build, open_case
from privacy_requests.erasures import Fate
from privacy_requests.models import Case, CaseEvent, Erasure, Extract
from retention import restore
from retention.actions import execute, open_run
from retention.models import Hold, Receipt, Run
from tests import cast
from tests.dentalclean.test_marker import found_in_the_database, planted, somebody
from tests.privacy_requests.doing import identified, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

FOUR_DAYS = timedelta(days=4)


def former(name: str = "Anna", **fields: Any) -> Customer:
    """Make somebody who left a year ago and whom only advertising keeps."""
    now = today()
    since = now - timedelta(days=700)
    customer = cast.person(name, since=since, **fields)
    cast.subscription(customer, since, now - timedelta(days=365))
    cast.order(customer, since, since + timedelta(days=3))
    return customer


def confirmed(customer: Customer, ago: timedelta = FOUR_DAYS) -> Erasure:
    return erasures.confirm(customer, proved_by="letter", at=timezone.now() - ago)


def night() -> None:
    execute(open_run(today())[0])


def another_night() -> None:
    """Do the night of today once more."""
    for run in Run.objects.order_by("business_date"):
        Run.objects.filter(pk=run.pk).update(business_date=run.business_date - timedelta(days=1))
    night()


def erased(customer: Customer) -> Erasure:
    """Let somebody's erasure be confirmed, thought over, done by a night and answered."""
    erasure = confirmed(customer)
    erasures.tick(timezone.now())
    night()
    erasures.tick(timezone.now())
    erasure.refresh_from_db()
    return erasure


def test_confirming_ends_every_use_at_once_and_deletes_nothing_for_72_hours() -> None:
    anna = former()
    use = Use("H", "post")
    assert may_process(anna.pk, use).allowed(today())
    erasure = confirmed(anna, timedelta(0))
    assert erasure.until - erasure.confirmed_at == timedelta(hours=72)
    assert not may_process(anna.pk, use).allowed(today())
    erasures.tick(timezone.now())
    night()
    anna.refresh_from_db()
    assert anna.name == "Anna Ek"
    assert Order.objects.filter(customer=anna).exists()


def test_whoever_thinks_again_in_time_has_everything_back_as_it_was() -> None:
    anna = former()
    night()
    before = list(_records(anna))
    erasure = confirmed(anna, timedelta(hours=71))
    another_night()
    cases.take_back(erasure.case_id)
    another_night()
    anna.refresh_from_db()
    assert anna.erasure_on is None
    assert list(_records(anna)) == before
    assert may_process(anna.pk, Use("H", "post")).allowed(today())
    assert not Hold.objects.filter(lifted_at__isnull=True).exists()
    assert not erasures.release(erasure.pk, timezone.now() + FOUR_DAYS)


def _records(customer: Customer) -> Any:
    found = ProcessingRecord.objects.filter(customer=customer).order_by("purpose")
    return found.values_list("purpose", "since", "retain_until", "ended_on")


def test_after_the_time_it_cannot_be_stopped_and_the_database_keeps_the_time() -> None:
    anna = former()
    erasure = confirmed(anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        Erasure.objects.filter(pk=erasure.pk).update(
            released_at=erasure.until - timedelta(minutes=1)
        )
    erasures.tick(timezone.now())
    with pytest.raises(cases.RefusedError):
        cases.take_back(erasure.case_id)


def test_a_night_takes_all_and_the_answer_goes_to_the_address_that_is_gone() -> None:
    anna = former()
    erasure = erased(anna)
    anna.refresh_from_db()
    assert (anna.name, anna.email, anna.phone, anna.user_id) == ("", "", "", None)
    for rows in (Order, Subscription, Address, Change, SupportCase):
        assert not rows.objects.filter(customer=anna).exists()  # type: ignore[attr-defined]
    assert not User.objects.filter(is_staff=False).exists()
    case = erasure.case
    assert (case.outcome, case.status) == (Case.Outcome.GRANTED, Case.Status.ANSWERED)
    assert (erasure.answer_to, erasure.done_at is not None) == ("", True)
    last = Outbox.objects.get(customer=None)
    assert last.recipient == "anna@example.se"
    assert "Dina uppgifter är raderade" in last.body
    assert Receipt.objects.filter(customer_id=anna.pseudonym, category=Category.PURCHASES).exists()


def test_the_answer_tells_of_invoices_that_are_nobodys_by_then() -> None:
    anna = former()
    cast.invoice(anna, today() - timedelta(days=400))
    erasure = erased(anna)
    anna.refresh_from_db()
    assert anna.name == ""
    assert Invoice.objects.get().customer is None
    assert erasure.case.outcome == Case.Outcome.PARTLY
    assert erasure.case.rule == "BFL-01"
    last_day = f"31 december {(today() - timedelta(days=400)).year + 7}"
    said = Outbox.objects.get(customer=None).body
    assert f"En faktura: står kvar till och med {last_day}" in said
    assert "IMY" in said
    assert erasure.stays == ""


def test_the_number_and_the_way_in_lead_nowhere_afterwards() -> None:
    anna = former()
    number, public_id, pseudonym = anna.number, anna.public_id, anna.pseudonym
    erased(anna)
    anna.refresh_from_db()
    assert anna.number != number
    assert anna.public_id != public_id
    assert anna.pseudonym == pseudonym  # what the receipts and the ledger know
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s', [f"%{number}%"]
            )
            assert cursor.fetchone()[0] == 0, table


def test_every_word_of_the_person_is_gone_but_for_the_invoice_as_printed() -> None:
    anna = somebody("Anna", today() - timedelta(days=800))
    staff = User.objects.filter(is_staff=True)[0]
    AccessLog.objects.create(customer=anna, actor=staff, reason=AccessLog.Reason.CALLS)
    markers = planted(anna)
    Erasure.objects.filter(case__customer=anna).update(
        answer_to="", stays="", done_at=timezone.now()
    )
    Customer.objects.filter(pk=anna.pk).update(email="anna@example.se")
    printed = Invoice.objects.get(customer=anna)
    erased(Customer.objects.get(pk=anna.pk))
    found = found_in_the_database()
    # The number, for who got data: until they say that it is done with.
    assert {markers[m] for m in found.pop("disclosures_recipientnotice")} == {(Customer, "number")}
    for notice in RecipientNotice.objects.open():
        acknowledge(notice.pk, "Mejl från dem", actor=staff)
    assert "disclosures_recipientnotice" not in found_in_the_database()
    left = {markers[m] for m in set().union(*found.values())}
    # Of the requests, by which rule they were answered.
    assert left - {(Case, "rule")} == {
        (model, column)
        for model, column in markers.values()
        if model in (Invoice, DebtInterruption)
    }
    printed.refresh_from_db()
    assert printed.customer_id is None
    assert AccessLog.objects.filter(customer=anna, words="").exists()
    assert CaseEvent.objects.filter(case__customer=anna).exclude(words="").count() == 0


def test_who_went_on_request_is_known_again_by_the_traces() -> None:
    anna = former()
    erased(anna)
    again = Customer(given_name="Anna", family_name="Ek", email="anna@example.se")
    contact_points.mark_suppressed(again, [])
    assert again.email_suppressed_on is not None


def test_a_running_contract_keeps_what_it_needs_and_lets_go_of_it_when_it_ends() -> None:
    now = today()
    anna = cast.person(since=now - timedelta(days=900))
    running = cast.subscription(anna, now - timedelta(days=900))
    cast.order(anna, now - timedelta(days=800), now - timedelta(days=797))
    open_order = cast.order(anna, now - timedelta(days=3))
    fates = {(line.category, line.fate) for line in erasures.plan(anna)}
    assert (Category.IDENTITY, Fate.CONTRACT) in fates
    assert (Category.PURCHASES, Fate.NOW) in fates
    erasure = erased(anna)
    anna.refresh_from_db()
    assert anna.name == "Anna Ek"
    assert list(Order.objects.filter(customer=anna)) == [open_order]
    assert not may_process(anna.pk, Use("G", "email")).allowed(now)
    assert may_process(anna.pk, Use("A", "email")).allowed(now)
    assert erasure.case.outcome == Case.Outcome.PARTLY
    assert "ERA-03" in erasure.case.rule
    Subscription.objects.filter(pk=running.pk).update(ended_on=now - timedelta(days=1))
    Order.objects.filter(pk=open_order.pk).update(delivered_on=now - timedelta(days=1))
    records.refresh([anna.pk])
    another_night()
    anna.refresh_from_db()
    assert anna.name == ""
    assert not Order.objects.filter(customer=anna).exists()


def test_an_unpaid_invoice_holds_the_person_and_the_answer_says_so() -> None:
    anna = former()
    cast.invoice(anna, today() - timedelta(days=400), paid=False)
    erasure = erased(anna)
    anna.refresh_from_db()
    assert anna.name == "Anna Ek"
    assert erasure.case.outcome == Case.Outcome.PARTLY
    assert "CLM-01" in erasure.case.rule
    assert "IMY" in erasure.case.answer
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())


def test_a_decided_hold_keeps_and_lets_go_by_itself_when_it_is_lifted() -> None:
    anna = former()
    hold = Hold.objects.create(customer=anna, ground=Hold.Ground.DISPUTE, reason="Tvist med Anna")
    erased(anna)
    anna.refresh_from_db()
    assert anna.name == "Anna Ek"
    Hold.objects.filter(pk=hold.pk).update(lifted_at=timezone.now())
    another_night()
    anna.refresh_from_db()
    assert anna.name == ""
    assert not Hold.objects.filter(customer=anna).exists()


@pytest.mark.parametrize(
    ("ground", "stays"), [("a", False), ("b", False), ("c", True), ("d", False)]
)
def test_of_the_restrictions_only_a_claim_holds_who_asked(ground: str, *, stays: bool) -> None:
    anna = former()
    restrict(anna, ground, collected=Collected.PORTAL, evidence=cast.SHOWN)
    erased(anna)
    anna.refresh_from_db()
    assert bool(anna.name) is (ground == "c")


def test_a_file_that_is_asked_for_is_built_first_and_goes_with_the_person() -> None:
    anna = former()
    wanted = open_case(anna).extract
    erasure = confirmed(anna)
    erasures.tick(timezone.now())
    erasure.refresh_from_db()
    assert erasure.released_at is None
    assert build(wanted.pk)
    wanted.refresh_from_db()
    path = vault.path_of(wanted.file_name)
    assert path.exists()
    erasures.tick(timezone.now())
    night()
    erasures.tick(timezone.now())
    wanted.refresh_from_db()
    assert wanted.status == Extract.Status.GONE
    assert not path.exists()


def test_confirming_twice_is_once() -> None:
    anna = former()
    assert confirmed(anna).pk == confirmed(anna).pk
    assert Case.objects.count() == Hold.objects.count() == 1


def test_a_new_address_waits_seven_days() -> None:
    anna = former()
    Change.objects.create(
        customer=anna, field="email", source=Source.PERSON, collected=Collected.WEB
    )
    with pytest.raises(cases.RefusedError):
        confirmed(anna)
    assert not Erasure.objects.exists()


def test_nobody_answers_a_confirmed_erasure_by_hand() -> None:
    anna = former()
    case = confirmed(anna).case
    with pytest.raises(cases.RefusedError), transaction.atomic():
        cases.answer(cases.locked(case.pk), timezone.now(), "Nej.", outcome=Case.Outcome.REFUSED)


def test_the_ledger_stays_whole() -> None:
    anna = former()
    erased(anna)
    verify(lambda _done: None)
    assert Event.objects.filter(customer_id=anna.pseudonym).exists()


def test_words_of_proof_are_changed_for_nobody_who_has_a_name() -> None:
    anna = former()
    staff = User.objects.create_user("cecilia@dentalclean.example", is_staff=True)
    seen = AccessLog.objects.create(
        customer=anna, actor=staff, reason=AccessLog.Reason.CALLS, words="Anna ringer"
    )
    with pytest.raises(Exception, match="as it was written"), transaction.atomic():
        AccessLog.objects.filter(pk=seen.pk).update(words="")
    erased(anna)
    seen.refresh_from_db()
    assert seen.words == ""
    with pytest.raises(Exception, match="as it was written"), transaction.atomic():
        AccessLog.objects.filter(pk=seen.pk).update(at=timezone.now())


def test_what_waited_to_be_sent_is_stopped() -> None:
    anna = former()
    waiting = Outbox.objects.create(
        customer=anna, template="t", recipient="anna@example.se", subject="S", body="B"
    )
    erased(anna)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.recipient) == (Outbox.Status.STOPPED, "")


def _at(hours: int) -> datetime:
    return timezone.now() - timedelta(hours=hours)


@pytest.mark.parametrize("hours", [0, 1, 71])
def test_nothing_is_released_before_72_hours(hours: int) -> None:
    anna = former()
    erasure = erasures.confirm(anna, proved_by="eid", at=_at(hours))
    erasures.tick(timezone.now())
    erasure.refresh_from_db()
    assert erasure.released_at is None


# The pages


def test_the_page_asks_for_proof_of_identity_and_one_more_yes(client: Client) -> None:
    anna = former()
    signed_in(client, anna)
    page = client.get(reverse("privacy_requests:erasure")).content.decode()
    assert "Vill du att vi raderar" in page
    assert "vå köp" in page
    confirm = reverse("privacy_requests:erasure_confirm")
    assert client.post(confirm)["Location"] == reverse("privacy_requests:identify")
    assert not Erasure.objects.exists()
    identified(client, anna)
    assert "Ska vi radera?" in client.get(confirm).content.decode()
    assert client.post(confirm).status_code == 302
    assert client.post(confirm).status_code == 302  # the back button, a double click
    erasure = Erasure.objects.get()
    assert erasure.proved_by == "staff"
    assert "ångra dig till" in client.get(reverse("privacy_requests:erasure")).content.decode()
    client.post(reverse("privacy_requests:erasure_take_back"))
    erasure.refresh_from_db()
    assert erasure.taken_back_at is not None
    assert erasure.case.status == Case.Status.TAKEN_BACK


def test_too_late_to_take_back_is_said_in_a_sentence(client: Client) -> None:
    anna = former()
    confirmed(anna)
    erasures.tick(timezone.now())
    signed_in(client, anna)
    answer = client.post(reverse("privacy_requests:erasure_take_back"))
    assert answer.status_code == 409
    assert "går inte att stoppa" in answer.content.decode()


def test_a_new_address_is_told_on_the_page(client: Client) -> None:
    anna = former()
    signed_in(client, anna)
    identified(client, anna)
    Change.objects.create(
        customer=anna, field="email", source=Source.PERSON, collected=Collected.WEB
    )
    assert client.post(reverse("privacy_requests:erasure_confirm")).status_code == 409
    assert not Erasure.objects.exists()


def test_after_a_restore_the_time_to_think_it_over_begins_anew() -> None:
    erasure = confirmed(former())
    done = restore.Done("", "")
    restore._think_again(timezone.now(), done)
    assert done.erasures_to_think_over == 1
    erasures.tick(timezone.now())
    erasure.refresh_from_db()
    assert erasure.released_at is None


def test_one_who_cannot_be_released_stops_nobody_else() -> None:
    stuck, other = confirmed(former()), confirmed(former("Bo"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE privacy_requests_erasure ADD CONSTRAINT stuck CHECK (id <> {stuck.pk} "
            "OR released_at IS NULL)"
        )
    try:
        erasures.tick(timezone.now())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE privacy_requests_erasure DROP CONSTRAINT stuck")
    released = Erasure.objects.filter(released_at__isnull=False)
    assert list(released) == [other]
    assert Hold.objects.filter(customer=stuck.case.customer, lifted_at__isnull=True).exists()
