"""The certificate of a night: what went by which rule, and that nobody has touched it since."""

import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from consent.receipt_keys import is_signed, sign
from customers.models import Customer, Invoice, Session
from retention import actions
from retention.actions import execute, open_run
from retention.models import Hold, Receipt, Run
from tests import cast, past

pytestmark = pytest.mark.django_db
NIGHT = date(2026, 11, 20)


@pytest.fixture
def anna() -> Customer:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    cast.invoice(anna, date(2018, 12, 1))
    return anna


def night(on: date = NIGHT) -> dict[str, Any]:
    certificate = execute(open_run(on)[0]).certificate
    assert certificate is not None
    return dict(certificate)


def verify() -> str:
    said = io.StringIO()
    call_command("verify_runs", stdout=said)
    return said.getvalue()


def test_it_counts_by_rule_and_clause_and_is_signed(anna: Customer) -> None:
    told = night()
    lines = {
        (li["rule"], li["clause"], li["category"]): li["rows"] for li in told["done"]["by_rule"]
    }
    assert lines["RET-02", "P22", "IDENTITY"] == 1
    assert lines["BFL-01", "P24", "INVOICES"] == 1
    assert told["done"]["people"] == told["plan"]["people"] == 1
    assert told["done"]["as_planned"]
    assert told["plan"]["digest"] == told["done"]["digest"]
    assert told["status"] == "done"
    assert len(told["catalogue"]) == len(told["schedule"]) == 64
    assert told["policy_version"]
    assert is_signed(told)
    assert not is_signed({**told, "set_aside": 7})


def test_it_names_nobody(anna: Customer) -> None:
    text = json.dumps(night())
    for word in (anna.given_name, anna.number, str(anna.pseudonym), anna.email):
        assert word not in text


def test_who_was_left_is_told_with_the_reason(anna: Customer) -> None:
    Hold.objects.create(customer=anna, ground=Hold.Ground.DISPUTE)
    bo = cast.person("Bo", since=date(2019, 1, 7), restriction="c")
    cast.subscription(bo, date(2019, 1, 7), date(2022, 10, 1))
    told = night()
    assert told["left"] == {"hold: dispute": 1, "restriction": 1}
    assert told["done"]["people"] == told["plan"]["people"] == 0


def test_rows_that_belong_to_nobody_are_counted_by_table(anna: Customer) -> None:
    Session.objects.create(
        session_key="old", user=None, expire_date=timezone.now() - timedelta(days=1)
    )
    assert night()["done"]["belonging_to_nobody"] == {"customers_session": 1}


def test_many_rows_of_nobody_go_a_few_at_a_time_and_are_all_counted(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "SWEPT_AT_ONCE", 2)
    over = timezone.now() - timedelta(days=1)
    for number in range(5):
        Session.objects.create(session_key=f"old{number}", user=None, expire_date=over)
    # Of two that belong together the one that is referred to goes last.
    bill = cast.invoice(anna, date(2015, 3, 1))
    credit = cast.invoice(anna, date(2015, 4, 1))
    with past.the_triggers():
        Invoice.objects.filter(pk__in=[bill.pk, credit.pk]).update(customer=None)
        Invoice.objects.filter(pk=credit.pk).update(kind="credit", refers_to=bill)
    assert night()["done"]["belonging_to_nobody"] == {
        "customers_invoice": 2,
        "customers_session": 5,
    }
    assert not Session.objects.exists()
    assert not Invoice.objects.exists()


def test_the_nights_hold_each_other(anna: Customer) -> None:
    first, second = night(), night(NIGHT + timedelta(days=1))
    assert first["certificate_before"] == ""
    assert len(second["certificate_before"]) == 64
    assert "2 certificates, 2 of them with all their receipts" in verify()


def test_a_certificate_that_is_changed_is_found(anna: Customer) -> None:
    told = night()
    told["done"]["people"] = 2
    Run.objects.update(certificate=told, people=2)
    with pytest.raises(CommandError, match="not signed by us"):
        verify()
    Run.objects.update(certificate=sign({**told, "proof": {}}), people=1)
    with pytest.raises(CommandError, match="differs from its certificate"):
        verify()


def test_a_receipt_that_is_changed_or_gone_is_found(anna: Customer) -> None:
    night()
    with past.the_triggers():
        Receipt.objects.filter(rule="BFL-01").update(row_count=2)
    with pytest.raises(CommandError, match="The receipts of the night to 2026-11-20 are not"):
        verify()
    with past.the_triggers():
        Receipt.objects.filter(rule="BFL-01").update(row_count=1)
    verify()
    with past.the_triggers():
        Receipt.objects.filter(rule="BFL-01").delete()
    with pytest.raises(CommandError, match="The receipts"):
        verify()


def test_a_night_that_is_taken_away_is_found(anna: Customer) -> None:
    for n in range(3):
        night(NIGHT + timedelta(days=n))
    Run.objects.filter(business_date=NIGHT + timedelta(days=1)).delete()
    with pytest.raises(CommandError, match="is missing or another"):
        verify()


def test_a_certificate_that_is_taken_away_is_found(anna: Customer) -> None:
    night()
    night(NIGHT + timedelta(days=1))
    Run.objects.filter(business_date=NIGHT + timedelta(days=1)).update(certificate=None)
    with pytest.raises(CommandError, match="has lost its certificate"):
        verify()
