"""The import through its command: what is loaded, what is refused and why, and what never is."""

import stat
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consent.actions import say_no, say_yes
from consent.models import Event, EventDetail, ProcessingRecord, Standing
from consent.purposes import Use
from consent.rules import may_process
from customers import contact_points
from customers.actions import change_details
from customers.dates import add_months, today
from customers.models import (
    Address,
    Change,
    Customer,
    FiscalYear,
    Invoice,
    InvoiceSeries,
    Order,
    Subscription,
    Suppression,
    User,
)
from customers.rules import masked_national_id, national_id
from dentalclean.intake import actions, people
from retention.actions import execute, open_run
from tests import cast
from tests.intake.files import (
    ADDRESS,
    INVOICE,
    NOTICED,
    ORDER,
    PRODUCT,
    SALE,
    YEAR,
    Outcome,
    load,
    person,
    put,
)

pytestmark = pytest.mark.django_db

H_EMAIL = Use("H", "email")


def subscription(number: str = "K1", **fields: str) -> dict[str, str]:
    return {"number": number, "product": "borsthuvud", "started_on": "2020-03-01", **fields}


def everything(**changes: Any) -> dict[str, Any]:
    """Return one of each file, about one person."""
    files = {
        "products": [PRODUCT],
        "fiscal_years": [YEAR],
        "customers": [person(email="anna@example.se", phone="070-174 06 35", **NOTICED)],
        "addresses": [{"number": "K1", **ADDRESS}],
        "subscriptions": [subscription(ended_on="")],
        "orders": [{"order_number": "O1", "number": "K1", **ORDER, "delivered_on": "2020-03-04"}],
        "invoices": [{"invoice_number": "77", "number": "K1", **INVOICE, "paid_on": "2020-03-20"}],
        "consents": [
            {
                "number": "K1",
                "answer": "yes",
                "purpose": "H",
                "channel": "email",
                "given_on": "2020-03-01",
                "evidence": "Formulär 2020-03-01, rutan ikryssad",
            }
        ],
    }
    return {**files, **changes}


# What is loaded


def test_a_person_comes_in_whole(tmp_path: Path) -> None:
    outcome = load(tmp_path, **everything())
    assert (outcome.code, outcome.report) == (0, [])
    anna = Customer.objects.get(number="K1")
    assert (anna.name, anna.email, anna.phone) == ("Anna Ek", "anna@example.se", "+46701740635")
    assert (anna.source, anna.collected, anna.noticed_on) == ("import", "import", date(2020, 3, 1))
    assert anna.adult_confirmed_on == date(2020, 3, 1)
    assert anna.user == User.objects.get(email="anna@example.se")
    assert not anna.user.has_usable_password()
    assert anna.addresses.get().line == "Björkgatan 4, 582 22 Linköping"
    assert Subscription.objects.get(customer=anna).ended_on is None
    assert Order.objects.get(customer=anna).delivered_on == date(2020, 3, 4)
    invoice = Invoice.objects.get(customer=anna)
    assert invoice.lines == [{"text": "Borsthuvud, 1 st", "quantity": 1, "ore": 9900}]
    assert (invoice.buyer_number, invoice.retain_until) == ("K1", date(2027, 12, 31))
    assert InvoiceSeries.objects.get(pk=1).last_number == 77
    assert set(Event.objects.filter(customer=anna).values_list("kind", flat=True)) == {
        "notice",
        "soft",
        "yes",
    }
    assert "ikryssad" in EventDetail.objects.get(event__kind="yes").evidence
    sale = EventDetail.objects.get(event__kind="soft").evidence
    assert sale.startswith("Köp W17, 2020-03-01: Borsthuvuden.")
    # A yes that nobody has heard from since counts for two years (CON-05).
    assert may_process(anna.pk, H_EMAIL).allowed(date(2022, 3, 1))
    assert not may_process(anna.pk, H_EMAIL).allowed(date(2022, 3, 2))
    assert ProcessingRecord.objects.filter(customer=anna, purpose="A").exists()


def test_the_same_files_again_write_nothing(tmp_path: Path) -> None:
    load(tmp_path, **everything())
    counted = (Customer, Address, Subscription, Order, Invoice, Event, Standing, Change, User)
    before = [list(model.objects.order_by("pk").values()) for model in counted]
    outcome = load(tmp_path, **everything())
    assert "0 rows written." in outcome.out
    assert [list(model.objects.order_by("pk").values()) for model in counted] == before


def test_commas_do_as_well_as_semicolons(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", delimiter=",", customers=[person(family_name="Ek, af")])
    assert Outcome(folder).code == 0
    assert Customer.objects.get().family_name == "Ek, af"


def test_names_may_have_apostrophes_and_any_letters(tmp_path: Path) -> None:
    names = ["O'Brien", "D’Angelo", "Åström-Öberg", "Nguyễn", 'Ann "Nan" Ek', "\\N", "a\\tb"]
    rows = [person(f"K{n}", family_name=name) for n, name in enumerate(names)]
    assert load(tmp_path, customers=rows).code == 0
    assert list(Customer.objects.order_by("number").values_list("family_name", flat=True)) == names


def test_the_national_identity_number_is_sealed_and_found_by_its_hash(tmp_path: Path) -> None:
    recent = today().isoformat()
    row = person(national_id="900602-2397", national_id_used_on=recent)
    assert load(tmp_path, customers=[row]).code == 0
    anna = Customer.objects.get()
    assert national_id(anna) == "199006022397"
    assert masked_national_id(anna) == "19900602-****"
    assert anna.birth_date == date(1990, 6, 2)


def test_a_number_is_sealed_anew_for_a_person_who_is_here(tmp_path: Path) -> None:
    load(tmp_path, customers=[person()])
    row = person(national_id="19900602-2397", national_id_used_on=today().isoformat())
    assert "1 row written." in load(tmp_path, customers=[row]).out
    assert national_id(Customer.objects.get()) == "199006022397"
    assert not Change.objects.filter(new__contains="2397").exists()


def test_a_number_whose_thirty_days_have_passed_stays_outside(tmp_path: Path) -> None:
    row = person(national_id="199006022397", national_id_used_on="2020-03-01")
    assert load(tmp_path, customers=[row]).code == 0
    assert Customer.objects.get().national_id_sealed is None


def test_two_people_with_one_address_both_come_in_and_neither_can_sign_in(tmp_path: Path) -> None:
    rows = [person("K1", email="par@example.se"), person("K2", email="Par@Example.se")]
    outcome = load(tmp_path, customers=rows)
    assert outcome.code == 0
    assert outcome.warnings == [("customers.csv", 2, "email"), ("customers.csv", 3, "email")]
    assert Customer.objects.filter(email="par@example.se", user=None).count() == 2
    assert not User.objects.exists()


def test_an_address_of_staff_opens_no_customer(tmp_path: Path) -> None:
    User.objects.create_user("anna@example.se", is_staff=True)
    outcome = load(tmp_path, customers=[person(email="anna@example.se")])
    assert outcome.warnings == [("customers.csv", 2, "email")]
    assert Customer.objects.get().user is None


def test_a_broken_fiscal_year_decides_how_long_an_invoice_stays(tmp_path: Path) -> None:
    years = [{"starts_on": "2019-09-01", "ends_on": "2020-12-31"}]
    invoice = {"invoice_number": "1", "number": "K1", **INVOICE, "issued_on": "2019-10-01"}
    load(tmp_path, customers=[person()], fiscal_years=years, invoices=[invoice])
    assert Invoice.objects.get().retain_until == date(2027, 12, 31)


def test_a_payment_in_the_next_year_keeps_its_invoice_as_long(tmp_path: Path) -> None:
    years = [YEAR, {"starts_on": "2021-01-01", "ends_on": "2021-12-31"}]
    rows = [
        {"invoice_number": "1", "number": "K1", **INVOICE},
        {
            "invoice_number": "2",
            "number": "K1",
            **INVOICE,
            "kind": "payment",
            "issued_on": "2021-02-01",
            "due_on": "",
            "refers_to": "1",
        },
    ]
    assert load(tmp_path, customers=[person()], fiscal_years=years, invoices=rows).code == 0
    days = set(Invoice.objects.values_list("retain_until", flat=True))
    assert days == {date(2028, 12, 31)}
    assert "0 rows written." in Outcome(tmp_path / "in").out


# What changes


def test_a_changed_row_is_written_with_what_it_was(tmp_path: Path) -> None:
    load(tmp_path, **everything())
    changed = person(email="ny@example.se", phone="", family_name="Ask")
    outcome = load(tmp_path, customers=[changed])
    assert "1 row written." in outcome.out
    anna = Customer.objects.get()
    assert (anna.name, anna.email, anna.phone) == ("Anna Ask", "ny@example.se", "+46701740635")
    assert anna.user is not None
    assert anna.user.email == "ny@example.se"
    changes = Change.objects.values_list("field", "old", "new", "source", "collected")
    assert set(changes) == {
        ("family_name", "Ek", "Ask", "import", "import"),
        ("email", "anna@example.se", "ny@example.se", "import", "import"),
    }
    assert anna.version == 2


def test_an_ended_subscription_a_delivery_and_a_payment_are_brought_along(tmp_path: Path) -> None:
    files = everything()
    files["orders"][0]["delivered_on"] = files["invoices"][0]["paid_on"] = ""
    load(tmp_path, **files)
    files["orders"][0]["delivered_on"] = "2020-03-05"
    files["invoices"][0]["paid_on"] = "2020-03-30"
    files["subscriptions"][0]["ended_on"] = "2020-12-31"
    outcome = load(tmp_path, **files)
    assert "3 rows written." in outcome.out
    assert Order.objects.get().delivered_on == date(2020, 3, 5)
    assert Invoice.objects.get().paid_on == date(2020, 3, 30)
    assert ProcessingRecord.objects.get(purpose="H").retain_until == date(2023, 12, 31)


def test_a_newer_value_of_the_person_stays(tmp_path: Path) -> None:
    load(tmp_path, **everything())
    anna = Customer.objects.get()
    change_details(anna, {"email": "egen@example.se", "street": "Nygatan 1"})
    moved = {"number": "K1", **ADDRESS, "street": "Gamla gatan 9"}
    old = person(email="fil@example.se", family_name="Ask", updated_on="2021-01-01")
    outcome = load(tmp_path, customers=[old], addresses=[moved])
    anna.refresh_from_db()
    assert (anna.email, anna.family_name) == ("egen@example.se", "Ask")
    assert anna.addresses.get().street == "Nygatan 1"
    assert outcome.code == 0
    assert outcome.warnings == [("customers.csv", 2, "email"), ("addresses.csv", 2, "street")]


def test_a_file_without_its_date_never_outdoes_the_person(tmp_path: Path) -> None:
    load(tmp_path, customers=[person(email="anna@example.se")])
    change_details(Customer.objects.get(), {"email": "egen@example.se"})
    load(tmp_path, customers=[person(email="fil@example.se")])
    assert Customer.objects.get().email == "egen@example.se"


def test_who_registered_later_than_the_file_keeps_what_they_gave(tmp_path: Path) -> None:
    anna = cast.person(number="K1")
    load(tmp_path, customers=[person(given_name="Fil", updated_on="2019-01-01")])
    anna.refresh_from_db()
    assert anna.given_name == "Anna"


def test_a_restricted_person_is_left_alone(tmp_path: Path) -> None:
    load(tmp_path, customers=[person()])
    Customer.objects.update(restriction="a")
    outcome = load(tmp_path, customers=[person(family_name="Ask", updated_on="2021-01-01")])
    assert Customer.objects.get().family_name == "Ek"
    assert outcome.warnings == [("customers.csv", 2, "family_name")]


def test_a_missing_marker_never_lowers_a_protected_identity(tmp_path: Path) -> None:
    load(tmp_path, customers=[person(protection="secrecy", phone="070-174 06 35")])
    row = person(protection="", phone="070-174 06 36", updated_on="2021-01-01")
    load(tmp_path, customers=[row])
    anna = Customer.objects.get()
    assert (anna.protection, anna.phone) == ("secrecy", "+46701740636")
    assert not Change.objects.exists()


def test_a_new_marker_takes_the_history_away(tmp_path: Path) -> None:
    load(tmp_path, customers=[person(phone="070-174 06 35")])
    change_details(Customer.objects.get(), {"phone": "+46701740636"})
    load(tmp_path, customers=[person(protection="registration", updated_on="2021-01-01")])
    assert Customer.objects.get().protection == "registration"
    assert not Change.objects.exists()


# What people have said


@pytest.mark.parametrize("missing", [*SALE, "email and phone"])
def test_a_sale_without_all_its_facts_opens_nothing_and_is_warned_of(
    missing: str, tmp_path: Path
) -> None:
    told = person(email="anna@example.se", phone="070-174 06 35", **NOTICED)
    told |= {"email": "", "phone": ""} if " " in missing else {missing: ""}
    outcome = load(tmp_path, customers=[told])
    assert outcome.warnings == [("customers.csv", 2, "soft_opt_in_on")]
    assert not Event.objects.filter(kind="soft").exists()
    assert not Standing.objects.filter(permission="soft").exists()


@pytest.mark.parametrize(("given", "opened"), [("email", "email"), ("phone", "sms")])
def test_a_sale_opens_only_the_ways_whose_address_is_from_it(
    given: str, opened: str, tmp_path: Path
) -> None:
    ways = {"email": "anna@example.se", "phone": "070-174 06 35"}
    load(tmp_path, customers=[person(**{given: ways[given]}, **NOTICED)])
    found = Standing.objects.filter(permission="soft").values_list("purpose", "channel")
    assert set(found) == {("G", opened), ("H", opened)}


def test_a_yes_without_evidence_opens_nothing(tmp_path: Path) -> None:
    files = everything()
    files["customers"][0]["soft_opt_in_on"] = ""
    files["consents"][0]["evidence"] = " "
    outcome = load(tmp_path, **files)
    assert outcome.warnings == [("consents.csv", 2, "evidence")]
    anna = Customer.objects.get()
    assert Event.objects.filter(kind="unproven").count() == 1
    for use in (H_EMAIL, Use("H", "sms")):
        assert not may_process(anna.pk, use).allowed(today())


def test_without_first_notice_no_advertising_is_open(tmp_path: Path) -> None:
    files = everything()
    files["customers"][0]["noticed_on"] = ""
    load(tmp_path, **files)
    assert not may_process(Customer.objects.get().pk, H_EMAIL).allowed(today())


def test_a_no_in_the_file_shuts_everything_it_speaks_of(tmp_path: Path) -> None:
    consents = [{"number": "K1", "answer": "no", "given_on": "2021-01-01"}]
    load(tmp_path, **everything(consents=consents))
    anna = Customer.objects.get()
    for use in (H_EMAIL, Use("H", "post"), Use("G", "sms"), Use("F", "internal")):
        assert not may_process(anna.pk, use).allowed(today())


@pytest.mark.parametrize("by", ["file", "person"])
def test_no_file_lifts_a_no(tmp_path: Path, by: str) -> None:
    no = [{"number": "K1", "answer": "no", "given_on": "2021-01-01"}]
    load(tmp_path, **everything(consents=no if by == "file" else []) | {"products": [PRODUCT]})
    anna = Customer.objects.get()
    if by == "person":
        say_no(anna, H_EMAIL)
    yes = {
        "number": "K1",
        "answer": "yes",
        "purpose": "H",
        "channel": "email",
        "given_on": today().isoformat(),
        "evidence": "Talong",
    }
    later = person(soft_opt_in_on=today().isoformat(), noticed_on=today().isoformat(), **SALE)
    load(tmp_path, customers=[later], consents=[yes])
    assert not may_process(anna.pk, H_EMAIL).allowed(today())


def test_an_old_no_for_one_use_does_not_undo_the_persons_later_yes(tmp_path: Path) -> None:
    load(
        tmp_path,
        **everything(consents=[{"number": "K1", "answer": "no", "given_on": "2021-01-01"}]),
    )
    anna = Customer.objects.get()
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN)
    row = {"number": "K1", "answer": "no", "purpose": "H", "channel": "email"}
    outcome = load(tmp_path, consents=[{**row, "given_on": "2021-02-01"}])
    assert outcome.refused == [("consents.csv", 2, "given_on")]
    assert may_process(anna.pk, H_EMAIL).allowed(today())


def test_a_no_that_cannot_be_read_keeps_everything_shut_until_it_is_corrected(
    tmp_path: Path,
) -> None:
    broken = {
        "number": "K1",
        "answer": "no",
        "purpose": "",
        "channel": "",
        "given_on": "2021-13-01",
    }
    files = everything()
    files["consents"].append(broken)
    outcome = load(tmp_path, **files)
    assert ("consents.csv", 3, "given_on") in outcome.refused
    anna = Customer.objects.get()
    assert not Event.objects.exists()
    assert not may_process(anna.pk, H_EMAIL).allowed(today())
    broken["given_on"] = "2021-01-01"
    assert load(tmp_path, **files).code == 0
    assert Customer.objects.get().noticed_on == date(2020, 3, 1)
    assert not may_process(anna.pk, H_EMAIL).allowed(today())


# What is refused

CASES: dict[str, tuple[dict[str, Any], tuple[str, int, str]]] = {
    "number twice": (
        {"customers": [person(), person("K2"), person("K2", given_name="Bo")]},
        ("customers.csv", 4, "number"),
    ),
    "future": (
        {"customers": [person(), person("K2", registered_on="2090-01-01")]},
        ("customers.csv", 3, "registered_on"),
    ),
    "died before born": (
        {"customers": [person(), person("K2", birth_date="1980-01-01", deceased_on="1970-01-01")]},
        ("customers.csv", 3, "deceased_on"),
    ),
    "no name": (
        {"customers": [person(), person("K2", family_name=" ")]},
        ("customers.csv", 3, "family_name"),
    ),
    "long name": (
        {"customers": [person(), person("K2", given_name="x" * 900_000)]},
        ("customers.csv", 3, "given_name"),
    ),
    "NUL byte": (
        {"customers": [person(), person("K2", given_name="A\0na")]},
        ("customers.csv", 3, ""),
    ),
    "email": (
        {"customers": [person(), person("K2", email="ingen")]},
        ("customers.csv", 3, "email"),
    ),
    "phone": ({"customers": [person(), person("K2", phone="1")]}, ("customers.csv", 3, "phone")),
    "identity number": (
        {"customers": [person(), person("K2", national_id="191212121213")]},
        ("customers.csv", 3, "national_id"),
    ),
    "identity number without its use": (
        {"customers": [person(), person("K2", national_id="191212121212")]},
        ("customers.csv", 3, "national_id_used_on"),
    ),
    "identity number and date of birth": (
        {
            "customers": [
                person(),
                person(
                    "K2",
                    national_id="191212121212",
                    national_id_used_on="2020-03-01",
                    birth_date="1990-01-01",
                ),
            ]
        },
        ("customers.csv", 3, "birth_date"),
    ),
    "language": (
        {"customers": [person(), person("K2", language="no")]},
        ("customers.csv", 3, "language"),
    ),
    "address of nobody": (
        {"addresses": [{"number": "K9", **ADDRESS}]},
        ("addresses.csv", 2, "number"),
    ),
    "postcode": (
        {"addresses": [{"number": "K1", **ADDRESS, "postcode": "1234"}]},
        ("addresses.csv", 2, "postcode"),
    ),
    "two addresses of a kind": (
        {"addresses": [{"number": "K1", **ADDRESS}, {"number": "K1", **ADDRESS}]},
        ("addresses.csv", 3, "number"),
    ),
    "product": (
        {"subscriptions": [subscription(product="okand")]},
        ("subscriptions.csv", 2, "product"),
    ),
    "ends before it starts": (
        {"subscriptions": [subscription(ended_on="2020-02-29")]},
        ("subscriptions.csv", 2, "ended_on"),
    ),
    "overlap": (
        {
            "subscriptions": [
                subscription(ended_on="2020-06-30"),
                subscription(started_on="2020-06-30"),
            ]
        },
        ("subscriptions.csv", 3, "started_on"),
    ),
    "order number twice": (
        {
            "orders": [
                {"order_number": "O1", "number": "K1", **ORDER},
                {"order_number": "O1", "number": "K1", **ORDER},
            ]
        },
        ("orders.csv", 3, "order_number"),
    ),
    "delivered before ordered": (
        {"orders": [{"order_number": "O1", "number": "K1", **ORDER, "delivered_on": "2020-02-01"}]},
        ("orders.csv", 2, "delivered_on"),
    ),
    "invoice outside any fiscal year": (
        {
            "invoices": [
                {"invoice_number": "1", "number": "K1", **INVOICE, "issued_on": "2019-12-31"}
            ]
        },
        ("invoices.csv", 2, "issued_on"),
    ),
    "invoice number": (
        {"invoices": [{"number": "K1", **INVOICE, "invoice_number": "F-1"}]},
        ("invoices.csv", 2, "invoice_number"),
    ),
    "credit of nothing": (
        {
            "invoices": [
                {
                    "number": "K1",
                    **INVOICE,
                    "invoice_number": "2",
                    "kind": "credit",
                    "refers_to": "1",
                }
            ]
        },
        ("invoices.csv", 2, "refers_to"),
    ),
    "fiscal year too long": (
        {"fiscal_years": [{"starts_on": "2021-01-01", "ends_on": "2022-07-01"}]},
        ("fiscal_years.csv", 2, "ends_on"),
    ),
    "fiscal years overlap": (
        {"fiscal_years": [YEAR, {"starts_on": "2020-12-31", "ends_on": "2021-12-30"}]},
        ("fiscal_years.csv", 3, "starts_on"),
    ),
}
CASES |= {
    f"consent: {name}": (
        {
            "consents": [
                {
                    "number": "K1",
                    "answer": "yes",
                    "purpose": "H",
                    "channel": "email",
                    "third_party": "",
                    "given_on": "2020-03-01",
                    "evidence": "Talong",
                    **fields,
                }
            ]
        },
        ("consents.csv", 2, column),
    )
    for name, fields, column in (
        ("unknown purpose", {"purpose": "Z"}, "purpose"),
        ("unknown channel", {"channel": "fax"}, "channel"),
        ("channel of another purpose", {"channel": "social"}, "channel"),
        ("no choice", {"purpose": "A"}, "purpose"),
        ("a yes to everything", {"purpose": "", "channel": ""}, "purpose"),
        ("partner without name", {"purpose": "P"}, "third_party"),
        ("name without partner", {"third_party": "Tandvännen AB"}, "third_party"),
        ("future", {"given_on": "2090-01-01"}, "given_on"),
        ("unknown customer", {"number": "K9"}, "number"),
    )
}


@pytest.mark.parametrize("name", CASES)
def test_a_bad_row_is_refused_with_its_place_and_the_good_ones_are_loaded(
    tmp_path: Path, name: str
) -> None:
    files, place = CASES[name]
    outcome = load(
        tmp_path,
        **{"products": [PRODUCT], "fiscal_years": [YEAR], "customers": [person()], **files},
    )
    assert outcome.code == 1
    assert place in outcome.refused
    assert "import-report-" in outcome.error
    assert all(row["reason"].endswith(".") for row in outcome.report)
    assert Customer.objects.filter(number="K1").count() == 1
    assert not Customer.objects.filter(number="K2").exists()


def test_whatever_hangs_on_a_refused_person_is_refused_with_them(tmp_path: Path) -> None:
    files = everything()
    files["customers"].append(person("K2", email="ingen"))
    for name in ("addresses", "subscriptions", "orders", "invoices", "consents"):
        files[name].append({**files[name][0], "number": "K2"})
    files["orders"][1]["order_number"] = "O2"
    files["invoices"][1]["invoice_number"] = "78"
    outcome = load(tmp_path, **files)
    assert [(file, line) for file, line, _ in outcome.refused] == [
        ("customers.csv", 3),
        ("addresses.csv", 3),
        ("subscriptions.csv", 3),
        ("orders.csv", 3),
        ("invoices.csv", 3),
        ("consents.csv", 3),
    ]
    assert Invoice.objects.count() == Order.objects.count() == Customer.objects.count() == 1


def test_a_credit_note_of_a_refused_invoice_is_refused(tmp_path: Path) -> None:
    rows = [
        {"invoice_number": "1", "number": "K1", **INVOICE, "issued_on": "2019-01-01"},
        {"invoice_number": "2", "number": "K1", **INVOICE, "kind": "credit", "refers_to": "1"},
        {"invoice_number": "3", "number": "K1", **INVOICE, "kind": "payment", "refers_to": "2"},
    ]
    outcome = load(tmp_path, customers=[person()], fiscal_years=[YEAR], invoices=rows)
    assert [line for _, line, _ in outcome.refused] == [2, 3, 4]
    assert not Invoice.objects.exists()


def test_three_overlapping_subscriptions_lose_only_the_one_in_between(tmp_path: Path) -> None:
    rows = [
        subscription(started_on="2020-01-01", ended_on="2020-03-31"),
        subscription(started_on="2020-03-01", ended_on="2020-08-31"),
        subscription(started_on="2020-06-01", ended_on="2020-12-31"),
    ]
    outcome = load(tmp_path, customers=[person()], products=[PRODUCT], subscriptions=rows)
    assert [line for _, line, _ in outcome.refused] == [3]
    assert Subscription.objects.count() == 2


def test_a_subscription_that_overlaps_one_that_is_here_is_refused(tmp_path: Path) -> None:
    load(tmp_path, **everything())
    late = subscription(started_on="2020-05-01")
    outcome = load(tmp_path, subscriptions=[late])
    assert outcome.refused == [("subscriptions.csv", 2, "started_on")]


def test_an_issued_invoice_is_not_changed_by_a_file(tmp_path: Path) -> None:
    files = everything()
    load(tmp_path, **files)
    files["invoices"][0]["total_ore"] = "1"
    outcome = load(tmp_path, **files)
    assert outcome.refused == [("invoices.csv", 2, "invoice_number")]
    assert Invoice.objects.get().total_ore == 9900


def test_an_order_of_another_customer_is_refused(tmp_path: Path) -> None:
    load(tmp_path, **everything())
    order = {"order_number": "O1", "number": "K2", **ORDER}
    outcome = load(tmp_path, customers=[person("K2")], orders=[order])
    assert outcome.refused == [("orders.csv", 2, "order_number")]


@pytest.mark.parametrize(
    "fields",
    [{"ordered_on": "2020-03-02"}, {"quantity": "2"}, {"cancelled_on": "2020-03-04"}],
)
def test_an_order_that_contradicts_the_one_here_is_refused(
    tmp_path: Path, fields: dict[str, str]
) -> None:
    load(tmp_path, **everything())
    outcome = load(tmp_path, orders=[{"order_number": "O1", "number": "K1", **ORDER, **fields}])
    assert outcome.refused == [("orders.csv", 2, "order_number")]
    assert Order.objects.get().cancelled_on is None


def test_a_suppressed_person_is_refused_and_reported_without_the_address(tmp_path: Path) -> None:
    for kind, value in (("email", "anna@example.se"), ("phone", "+46701740635")):
        Suppression.objects.create(
            kind=kind, digest=contact_points.digest(kind, value), added_on=date(2024, 1, 1)
        )
    rows = [
        person("K1", email="Anna@example.se"),
        person("K2", phone="070-174 06 35"),
        person("K3", email="annan@example.se"),
    ]
    outcome = load(tmp_path, customers=rows)
    assert outcome.refused == [("customers.csv", 2, "email"), ("customers.csv", 3, "phone")]
    assert not any("example.se" in "".join(row.values()) for row in outcome.report)
    assert Customer.objects.get().number == "K3"


def test_an_erased_person_is_not_brought_back(tmp_path: Path) -> None:
    files = everything()
    files["subscriptions"][0]["ended_on"] = "2020-12-31"
    load(tmp_path, **files)
    execute(open_run(date(2024, 6, 1))[0])
    assert Customer.objects.get().name == ""
    outcome = load(tmp_path, **files)
    assert ("customers.csv", 2, "number") in outcome.refused
    assert Customer.objects.get().name == ""
    assert not Address.objects.exists()
    assert not Subscription.objects.exists()


# When nothing is loaded


def test_a_missing_folder_loads_nothing(tmp_path: Path) -> None:
    outcome = Outcome(tmp_path / "nowhere")
    assert outcome.code == 2
    assert outcome.error.endswith(".")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        "number;given_name;family_name;registered_on\nK1;Åsa;Ek;2020-03-01\n".encode("utf-16"),
        b"number;given_name;family_name;registered_on;shoe_size\nK1;A;Ek;2020-03-01;43\n",
        b"number;given_name;family_name\nK1;A;Ek\n",
        b"number;number;family_name;registered_on\nK1;K1;Ek;2020-03-01\n",
    ],
)
def test_a_file_that_cannot_be_used_loads_nothing(tmp_path: Path, content: bytes) -> None:
    folder = put(tmp_path / "in", fiscal_years=[YEAR])
    (folder / "customers.csv").write_bytes(content)
    outcome = Outcome(folder)
    assert outcome.code == 2
    assert outcome.error.startswith("customers.csv ")
    assert outcome.error.endswith(".")
    assert not FiscalYear.objects.exists()
    assert outcome.report == []


def test_a_file_in_latin_1_refuses_its_rows_and_not_the_others(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", customers=[person()])
    header = "number;given_name;family_name;registered_on\n"
    rows = "K1;Åsa;Ek;2020-03-01\nK2;Eva;Ek;2020-03-01\n"
    (folder / "customers.csv").write_bytes((header + rows).encode("latin-1"))
    assert Outcome(folder).refused == [("customers.csv", 2, "")]
    assert Customer.objects.get().number == "K2"


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", customers=[person()])
    path = folder / "customers.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Outcome(folder).code == 0


def test_an_unknown_file_loads_nothing(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", customers=[person()], kunder=[person()])
    outcome = Outcome(folder)
    assert outcome.code == 2
    assert "kunder.csv" in outcome.error
    assert not Customer.objects.exists()


def test_an_empty_folder_loads_nothing(tmp_path: Path) -> None:
    assert load(tmp_path).code == 2


def test_a_report_that_cannot_be_written_loads_nothing(tmp_path: Path) -> None:
    folder = put(tmp_path / "in", customers=[person()])
    (tmp_path / "file").write_text("in the way")
    outcome = Outcome(folder, report=tmp_path / "file")
    assert outcome.code == 2
    assert not Customer.objects.exists()


def test_a_crash_midway_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "in", **everything())

    def crash(*args: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(actions.records, "refresh", crash)
    outcome = Outcome(folder)
    assert (outcome.code, outcome.error[-1]) == (2, ".")
    models = (Customer, User, Address, Order, Invoice, Event, Standing, FiscalYear)
    assert not any(model.objects.exists() for model in models)
    assert list((tmp_path / "reports").iterdir()) == []


def test_two_imports_at_once_are_refused(tmp_path: Path) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [actions.IMPORT_LOCK])
            outcome = load(tmp_path, customers=[person()])
    finally:
        other.close()
    assert (outcome.code, outcome.error[-1]) == (2, ".")
    assert not Customer.objects.exists()


def test_a_refusal_of_the_database_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = put(tmp_path / "in", **everything())
    monkeypatch.setattr(people, "confirm_adults", lambda cursor: cursor.execute("SELECT 1 / 0"))
    outcome = Outcome(folder)
    assert (outcome.code, outcome.error[-1]) == (2, ".")
    assert not Customer.objects.exists()


def test_the_report_is_closed_to_others(tmp_path: Path) -> None:
    load(tmp_path, customers=[person("K1", email="ingen")])
    (report,) = (tmp_path / "reports").iterdir()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def in_nix(number: str = "K1") -> tuple[bool | None, bool | None]:
    anna = Customer.objects.get(number=number)
    return anna.nix_phone, anna.nix_post


def test_a_file_can_say_who_is_in_nix_and_only_a_wash_who_is_not(tmp_path: Path) -> None:
    home = {"number": "K1", **ADDRESS}
    load(tmp_path, customers=[person(phone="0701740635")], addresses=[home])
    assert in_nix() == (None, None)
    load(tmp_path, customers=[person("K2", nix_phone="0", nix_post="0")])
    assert in_nix("K2") == (None, None)
    load(tmp_path, customers=[person(nix_phone="1", nix_post="1")])
    assert in_nix() == (True, True)
    load(tmp_path, customers=[person(nix_phone="0", nix_post="0")])
    assert in_nix() == (True, True)


def test_a_file_with_a_new_number_or_home_waits_for_the_next_wash(tmp_path: Path) -> None:
    home = {"number": "K1", **ADDRESS}
    load(tmp_path, customers=[person(phone="0701740635")], addresses=[home])
    Customer.objects.update(nix_phone=False, nix_post=False)
    load(tmp_path, customers=[person(phone="0701740650")])
    assert in_nix() == (None, False)
    load(tmp_path, customers=[person(family_name="Ask")])
    assert in_nix() == (None, None)
    Customer.objects.update(nix_post=False)
    Customer.objects.update(nix_phone=False)
    load(tmp_path, addresses=[{**home, "street": "Nygatan 1"}])
    assert in_nix() == (False, None)
    Customer.objects.update(nix_post=False)
    load(tmp_path, addresses=[{**home, "street": "Nygatan 1"}])
    assert in_nix() == (False, False)


def test_nobody_from_a_file_is_called_before_a_wash_of_ours(tmp_path: Path) -> None:
    load(
        tmp_path,
        customers=[person(phone="0701740635", adult_confirmed_on="2020-03-01", **NOTICED)],
        addresses=[{"number": "K1", **ADDRESS}],
        products=[PRODUCT],
        subscriptions=[
            {
                "number": "K1",
                "product": "borsthuvud",
                "started_on": "2020-03-01",
                "ended_on": add_months(today(), -20).isoformat(),
            }
        ],
    )
    anna = Customer.objects.get()
    for channel in ("phone", "post"):
        refused = may_process(anna.pk, Use("H", channel)).refusals(today())
        assert [answer.name for answer in refused] == ["nix_current"]
    Customer.objects.update(nix_phone=False, nix_post=False)
    for channel in ("phone", "post"):
        assert may_process(anna.pk, Use("H", channel)).allowed(today())
