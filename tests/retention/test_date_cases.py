"""The worked date cases, against the database that keeps the dates."""

import ast
import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dateutil.relativedelta import relativedelta

from consent.actions import say_no, say_yes
from consent.facts import interrupt_debt
from consent.groundwork import NixSnapshot
from consent.models import ProcessingRecord
from consent.purposes import Use
from consent.rules import may_process
from customers.dates import stockholm_date
from customers.models import Customer, DebtInterruption, FiscalYear, Invoice
from retention.rules import calendar
from tests import cast, groundwork

pytestmark = pytest.mark.django_db
CASES = json.loads((Path(__file__).parents[1] / "data" / "date_cases.json").read_text())["cases"]
Case = dict[str, Any]
ASKED_IN = ("retention/test_date_cases.py", "privacy_requests/test_deadlines.py")
# No table of ours has a deadline of these kinds: nothing is sold under the right of withdrawal
# here, no breach is handled, and what comes from others is told at once.
OUT_OF_SCOPE = {"withdrawal_period", "breach_notification", "art14_information_deadline"}


def of_kind(*kinds: str) -> Any:
    found = [pytest.param(c, id=c["id"]) for c in CASES if c["kind"] in kinds]
    assert found
    return pytest.mark.parametrize("case", found)


def day(text: str) -> date:
    """Read a date, or the Stockholm date of a moment."""
    if "T" in text:
        return stockholm_date(datetime.fromisoformat(text))
    return date.fromisoformat(text)


def former_customer(*periods: tuple[date, date]) -> Customer:
    anna = cast.person(since=periods[0][0])
    for started_on, ended_on in periods:
        cast.subscription(anna, started_on, ended_on)
    return anna


def marketing_until(customer: Customer) -> date:
    return ProcessingRecord.objects.get(customer=customer, purpose="H").retain_until


@of_kind("marketing_retention")
def test_marketing_ends_three_years_after_the_last_day(case: Case) -> None:
    ended_on = day(case["input"]["subscription_ended_at"])
    anna = former_customer((ended_on - timedelta(days=400), ended_on))
    last = day(case["expected"]["last_marketing_day"])
    assert marketing_until(anna) == last
    assert may_process(anna.pk, Use("H", "post")).closes == last
    identity = calendar(anna)[0]
    assert identity.goes_on == day(case["expected"]["purge_from"])


@of_kind("marketing_retention_resubscribed")
def test_a_new_subscription_starts_the_clock_anew(case: Case) -> None:
    periods = [(day(a), day(b)) for a, b in case["input"]["periods"]]
    anna = former_customer(*periods)
    assert marketing_until(anna) == day(case["expected"]["last_marketing_day"])


@of_kind("marketing_retention_objected")
def test_an_objection_ends_marketing_that_day(case: Case) -> None:
    ended_on = day(case["input"]["subscription_ended_at"])
    anna = former_customer((ended_on - timedelta(days=400), ended_on))
    objected_on = day(case["input"]["objected_at"])
    say_no(anna, at=cast.noon(objected_on))
    assert marketing_until(anna) == day(case["expected"]["last_marketing_day"])
    assert not may_process(anna.pk, Use("H", "post")).allowed(objected_on)


@of_kind("post_relation_channel_limits")
def test_each_channel_closes_on_its_own_day(case: Case) -> None:
    ended_on = day(case["input"]["subscription_ended_on"])
    expected = case["expected"]
    anna = former_customer((ended_on - timedelta(days=400), ended_on))
    in_nix = cast.person("Bo", since=ended_on - timedelta(days=400), nix_phone=True, nix_post=True)
    cast.subscription(in_nix, ended_on - timedelta(days=400), ended_on)

    def closes(customer: Customer, channel: str) -> date:
        return may_process(customer.pk, Use("H", channel)).closes

    assert closes(anna, "email") == day(expected["email_sms_soft_opt_in_last"])
    assert closes(anna, "sms") == day(expected["email_sms_soft_opt_in_last"])
    assert closes(in_nix, "phone") == day(expected["phone_if_nixed_last"])
    assert closes(in_nix, "post") == day(expected["post_if_nix_adresserat_last"])
    assert closes(anna, "post") == day(expected["post_otherwise_last"])


def year_around(on: date, end_month: int) -> FiscalYear:
    """Return the fiscal year that ends with a month and holds a day."""
    end = date(on.year, end_month, 1) + relativedelta(day=31)
    if end < on:
        end = date(on.year + 1, end_month, 1) + relativedelta(day=31)
    start = end - relativedelta(years=1) + timedelta(days=1)
    found, _ = FiscalYear.objects.get_or_create(
        ends_on=end, defaults={"starts_on": start.replace(day=1)}
    )
    return found


def verification(customer: Customer, on: date, year: FiscalYear, **fields: Any) -> Invoice:
    return Invoice.objects.create(
        number=Invoice.objects.count() + 1,
        customer=customer,
        fiscal_year=year,
        issued_on=on,
        buyer_number=customer.number,
        buyer_name=customer.name,
        buyer_address="",
        total_ore=100,
        vat_ore=20,
        **fields,
    )


def kept_until(invoice: Invoice) -> date:
    invoice.refresh_from_db(fields=["retain_until"])
    return invoice.retain_until


@of_kind("bookkeeping_hold")
def test_a_verification_stays_seven_years_after_its_fiscal_year(case: Case) -> None:
    on = day(case["input"]["accounting_date"])
    year = year_around(on, case["input"]["fiscal_year_end_month"])
    assert year.ends_on == day(case["expected"]["fiscal_year_end"])
    invoice = verification(cast.person(), on, year)
    assert kept_until(invoice) == day(case["expected"]["hold_until"])


@of_kind("bookkeeping_hold_explicit_fy")
def test_a_shortened_or_extended_year_counts_as_it_was(case: Case) -> None:
    on, end = day(case["input"]["accounting_date"]), day(case["input"]["fiscal_year_end"])
    year = FiscalYear.objects.create(starts_on=date(2024, 7, 1), ends_on=end)
    invoice = verification(cast.person(), on, year)
    assert kept_until(invoice) == day(case["expected"]["hold_until"])


@of_kind("bookkeeping_hold_linked")
def test_linked_verifications_take_the_later_day(case: Case) -> None:
    given, month = case["input"], case["input"]["fiscal_year_end_month"]
    anna = cast.person()
    issued_on = day(given["invoice_date"])
    invoice = verification(anna, issued_on, year_around(issued_on, month))
    for name, kind in (("payment_date", "payment"), ("credit_note_date", "credit")):
        if given[name]:
            later = year_around(day(given[name]), month)
            verification(
                anna,
                day(given[name]),
                later,
                kind=kind,
                refers_to=invoice,
                linked_year=invoice.fiscal_year,
            )
            if later.ends_on > (invoice.linked_year_id or date.min):
                invoice.linked_year = later
                invoice.save(update_fields=["linked_year"])
    assert kept_until(invoice) == day(case["expected"]["hold_until"])


@of_kind("bookkeeping_local_date")
def test_the_stockholm_date_decides_the_fiscal_year(case: Case) -> None:
    on = stockholm_date(datetime.fromisoformat(case["input"]["event_at"]))
    assert on == day(case["expected"]["accounting_date"])
    invoice = verification(cast.person(), on, year_around(on, 12))
    assert kept_until(invoice) == day(case["expected"]["hold_until"])


@of_kind("complaint_hold")
def test_an_order_stays_three_years_from_delivery(case: Case) -> None:
    delivered_on = day(case["input"]["delivered_on"])
    order = cast.order(cast.person(since=delivered_on), delivered_on, delivered_on)
    order.refresh_from_db(fields=["retain_until"])
    assert order.retain_until == day(case["expected"]["hold_until"])


@of_kind("consumer_debt_limitation")
def test_an_open_debt_holds_until_it_is_time_barred(case: Case) -> None:
    arose_on = day(case["input"]["claim_arose_on"])
    anna = cast.person(since=arose_on)
    invoice = cast.invoice(anna, arose_on, paid=False)
    for interrupted_on in map(day, case["input"]["interruptions"]):
        interrupt_debt(invoice, DebtInterruption.Kind.CLAIMED, interrupted_on, "Kravbrev")
    held = ProcessingRecord.objects.get(customer=anna, purpose="L2")
    assert held.retain_until == day(case["expected"]["time_barred_after"])


@of_kind("child_consent_allowed")
def test_a_leap_day_child_is_older_on_the_first_of_march(case: Case) -> None:
    child = Customer(birth_date=day(case["input"]["birth_date"]))
    age = child.age_on(day(case["input"]["on"]))
    assert age is not None
    assert (age >= case["input"]["min_age"]) == case["expected"]["allowed"]


@of_kind("nix_snapshot_validity")
def test_a_copy_of_nix_counts_for_thirty_days_and_never_longer(case: Case) -> None:
    fetched_on = day(case["input"]["fetched_on"])
    groundwork.take_away(NixSnapshot)
    NixSnapshot.objects.create(
        register="post", taken_on=fetched_on, entries=1, loaded_at=cast.noon(fetched_on)
    )
    anna = cast.person(since=date(2020, 3, 1), nix_post=False)
    cast.subscription(anna, date(2020, 3, 1))
    decision = may_process(anna.pk, Use("H", "post"))
    last, hard = day(case["expected"]["default_max"]), day(case["expected"]["hard_max"])
    assert decision.allowed(last)
    assert not decision.allowed(last + timedelta(days=1))
    assert last <= hard


@of_kind("nix_consent_validity")
def test_a_yes_counts_three_months_against_nix(case: Case) -> None:
    said_on, last = day(case["input"]["consented_on"]), day(case["expected"]["valid_through"])
    anna = cast.person(since=date(2025, 3, 1), nix_phone=True)
    use = Use("H", "phone")
    say_yes(anna, use, evidence=cast.SHOWN, at=cast.noon(said_on))
    decision = may_process(anna.pk, use)
    assert decision.allowed(last)
    assert not decision.allowed(last + timedelta(days=1))


def test_every_case_is_asked_or_is_no_matter_of_ours() -> None:
    asked = set(OUT_OF_SCOPE)
    for name in ASKED_IN:
        tree = ast.parse((Path(__file__).parents[1] / name).read_text())
        for test in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            for call in (d for d in test.decorator_list if isinstance(d, ast.Call)):
                if isinstance(call.func, ast.Name) and call.func.id in ("of_kind", "cases"):
                    asked |= {ast.literal_eval(argument) for argument in call.args}
    assert {case["kind"] for case in CASES} == asked
    assert len({case["id"] for case in CASES}) == len(CASES)
