"""Ways to reach people: what a no leaves behind on them, and what comes back from them."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from consent.actions import (
    say_no,
    say_yes,
    serve_notice,
    stop_all_marketing,
    unsubscribe,
)
from consent.facts import (
    ask,
    correct_details,
    issue_invoice,
    mail_returned,
    register_customer,
    settle,
)
from consent.models import Event, ProcessingRecord
from consent.purposes import Use
from consent.rules import may_process
from customers import contact_points
from customers.actions import change_details, mark_returned
from customers.contact_points import digest, postal, suppressed, suppressed_on
from customers.dates import today
from customers.models import Address, Change, Customer, Suppression
from customers.models.channels import Collected
from dentalclean.actions import change_own_details
from dentalclean.everything import holdings
from dentalclean.my_data.page import build
from retention.actions import execute, open_run
from retention.rules import calendar
from tests import cast
from tests.intake.files import ADDRESS, NOTICED, Outcome, person, put

pytestmark = pytest.mark.django_db

EMAIL, PHONE = "anna@example.se", "+46701740635"
HOME = {"street": "Björkgatan 4", "postcode": "58222", "city": "Linköping"}
CHANNELS = ("email", "sms", "phone", "post")
SAID_NO = date(2026, 3, 5)


def open_to(customer: Customer, *, on: date | None = None) -> set[str]:
    """Say by which channels the person may get offers."""
    day = on or today()
    return {c for c in CHANNELS if may_process(customer.pk, Use("H", c)).allowed(day)}


def night(on: date) -> None:
    execute(open_run(on)[0])


def gone_after_a_no() -> None:
    """Let Anna say no to everything after the end, and be erased the night after."""
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2026, 1, 31))
    say_no(anna, at=cast.noon(SAID_NO))
    night(SAID_NO + timedelta(days=1))
    assert Customer.objects.get(pk=anna.pk).name == ""


def new_customer(**fields: Any) -> Customer:
    """Register somebody who is told, could decline at the sale, and subscribes."""
    given: dict[str, Any] = {"given_name": "Anna", "family_name": "Ek", **fields}
    customer = register_customer(**given, adult_confirmed_on=today())
    cast.subscription(customer, today())
    serve_notice(customer, collected=Collected.WEB)
    cast.told_at_a_sale(customer)
    customer.refresh_from_db()
    return customer


def elsewhere(**fields: Any) -> dict[str, Any]:
    """Return ways that nobody has said no at, but for those given."""
    return {
        "email": "ny@example.se",
        "phone": "+46701740699",
        "address": {"street": "Nygatan 1", "postcode": "11122", "city": "Stockholm"},
        **fields,
    }


# The hash


def test_the_hash_needs_the_key(settings: Any) -> None:
    before = digest("email", EMAIL)
    assert before != hashlib.sha256(f"email:{EMAIL}".encode()).digest()
    assert len(before) == 32
    settings.SUPPRESSION_KEY = b"k" * 32
    assert digest("email", EMAIL) != before


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("email", "Anna@Example.se ", EMAIL),
        ("phone", "070-174 06 35", PHONE),
        ("phone", "+46 70 174 06 35", PHONE),
    ],
)
def test_a_way_is_known_however_it_is_typed(kind: str, one: str, other: str) -> None:
    assert digest(kind, one) == digest(kind, other)


@pytest.mark.parametrize(
    ("name", "street", "postcode", "same"),
    [
        ("EK", "björkgatan  4", "582 22", True),
        ("Ek ", "Björkgatan 4, lgh 1102", "58222", True),
        ("Ek", "Bjo\u0308rkgatan 4", "58222", True),
        ("Öst", "Björkgatan 4", "58222", False),
        ("Ek", "Björkgatan 14", "58222", False),
        ("Ek", "Björkgatan 4 B", "58222", False),
        ("Ek", "Björkgatan 4", "58223", False),
    ],
)
def test_an_address_is_known_by_street_postcode_and_family(
    name: str, street: str, postcode: str, same: bool
) -> None:
    assert (postal(name, street, postcode) == postal("Ek", "Björkgatan 4", "58222")) is same


@pytest.mark.parametrize("parts", [("", "Björkgatan 4", "58222"), ("Ek", "", "58222")])
def test_half_an_address_is_nobodys(parts: tuple[str, str, str]) -> None:
    assert postal(*parts) == ""
    contact_points.add([(("address", postal(*parts)), today())])
    assert not Suppression.objects.exists()


def test_the_kinds_do_not_answer_for_each_other() -> None:
    contact_points.add([(("email", "0701740635"), today())])
    assert suppressed_on("phone", "0701740635") is None


def test_the_latest_no_stays() -> None:
    for day in (date(2024, 5, 1), date(2026, 5, 1), date(2025, 5, 1)):
        contact_points.add([(("email", EMAIL), day)])
    assert suppressed_on("email", EMAIL) == date(2026, 5, 1)
    assert Suppression.objects.count() == 1


def test_many_are_looked_up_in_one_statement(django_assert_num_queries: Any) -> None:
    contact_points.add([(("email", f"p{n}@example.se"), today()) for n in range(0, 100, 2)])
    asked = [("email", f"p{n}@example.se") for n in range(100)]
    with django_assert_num_queries(1):
        found = suppressed(asked)
    assert found == {("email", f"p{n}@example.se"): today() for n in range(0, 100, 2)}


# Who is listed


def test_whoever_said_no_is_listed_by_every_way_when_they_go() -> None:
    gone_after_a_no()
    kinds = Suppression.objects.values_list("kind", flat=True)
    assert sorted(kinds) == ["address", "email", "phone"]
    assert suppressed_on("address", postal("Ek", "Björkgatan 4", "58222")) is not None


def test_whoever_said_no_no_is_not_listed() -> None:
    anna = cast.person(since=date(2019, 1, 7))
    cast.subscription(anna, date(2019, 1, 7), date(2022, 10, 1))
    night(date(2025, 10, 2))
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert not Suppression.objects.exists()


def test_the_list_holds_no_personal_data_and_no_other_table_either() -> None:
    gone_after_a_no()
    told = ("anna@example", "701740635", "0701740635", "Björkgatan", "björkgatan", "58222")
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            rows = " ".join(row for (row,) in cursor)
            assert not [word for word in told if word in rows], table
            plain = [hashlib.sha256(v.encode()).hexdigest() for v in (EMAIL, PHONE)]
            assert not [word for word in plain if word in rows], table


def test_ways_can_be_listed_for_people_who_stay() -> None:
    anna, bo = cast.person("Anna"), cast.person("Bo", phone="")
    Address.objects.filter(customer=bo).delete()
    contact_points.suppress({anna.pk: SAID_NO, bo.pk: SAID_NO})
    found = suppressed([("email", "anna@example.se"), ("email", "bo@example.se"), ("phone", PHONE)])
    assert set(found.values()) == {SAID_NO}
    assert len(found) == 3
    assert Suppression.objects.count() == 4


@pytest.mark.parametrize("stop", [say_no, stop_all_marketing, unsubscribe])
def test_a_no_to_everything_shuts_the_same_ways_in_another_row_at_once(
    stop: Callable[[Customer], Event],
) -> None:
    anna = cast.person()
    cast.subscription(anna, date(2026, 3, 3))
    stop(anna)
    twice = new_customer(email=EMAIL, phone=PHONE, address=HOME)
    assert open_to(twice) == set()
    say_yes(twice, Use("H", "sms"), evidence=cast.SHOWN)
    assert open_to(twice) == {"sms"}


@pytest.mark.parametrize("stops", [stop_all_marketing, unsubscribe])
@pytest.mark.parametrize("changes", [correct_details, change_own_details])
def test_a_new_way_to_somebody_who_said_no_to_everything_is_listed_at_once(
    stops: Callable[[Customer], Any], changes: Callable[..., Any]
) -> None:
    anna = new_customer(email=EMAIL, phone=PHONE, address={**HOME})
    stops(anna)
    changes(anna, {"email": "nyanna@example.se", "street": "Nygatan 1"})
    home = postal("Ek", "Nygatan 1", "58222")
    for kind, value in (("email", "nyanna@example.se"), ("address", home)):
        assert suppressed_on(kind, value) == today()
    again = new_customer(email="nyanna@example.se", phone="+46701740699")
    assert "email" not in open_to(again)
    # Their own later yes opens it, as it does any way (OBJ-06).
    say_yes(anna, Use("H", "email"), evidence=cast.SHOWN)
    assert "email" in open_to(anna)


def test_a_new_way_to_somebody_who_only_refused_one_use_is_not_listed() -> None:
    anna = new_customer(email=EMAIL, phone=PHONE, address={**HOME})
    say_no(anna, Use("H", "email"))
    unsubscribe(anna, "sms")
    correct_details(anna, {"email": "nyanna@example.se"})
    assert not Suppression.objects.exists()


def test_a_file_with_a_new_way_to_somebody_who_said_no_lists_it(tmp_path: Path) -> None:
    old = person("K1", email=EMAIL, **NOTICED)
    assert Outcome(put(tmp_path / "first", customers=[old])).code == 0
    say_no(Customer.objects.get(number="K1"))
    new = {**old, "email": "nyanna@example.se", "updated_on": today().isoformat()}
    Outcome(put(tmp_path / "second", customers=[new]))
    assert Customer.objects.get(number="K1").email == "nyanna@example.se"
    assert suppressed_on("email", "nyanna@example.se") == today()


@pytest.mark.parametrize("use", [Use("H", "email"), Use("F", "internal")])
def test_a_no_to_one_use_lists_nothing_yet(use: Use) -> None:
    say_no(cast.person(), use)
    assert not Suppression.objects.exists()


# Who comes back


def test_somebody_new_is_open_by_every_way() -> None:
    gone_after_a_no()
    assert open_to(new_customer(**elsewhere())) == set(CHANNELS)


@pytest.mark.parametrize(
    ("again", "still_open"),
    [
        ({"email": "Anna@Example.se"}, {"sms", "phone", "post"}),
        ({"phone": PHONE}, {"email", "post"}),
        ({"address": HOME}, {"email", "sms", "phone"}),
        ({"email": EMAIL, "phone": PHONE, "address": HOME}, set()),
    ],
)
def test_registering_a_suppressed_way_anew_opens_nothing_by_it(
    again: dict[str, Any], still_open: set[str]
) -> None:
    gone_after_a_no()
    assert open_to(new_customer(**elsewhere(**again))) == still_open


def test_the_next_people_at_the_address_are_not_who_said_no() -> None:
    gone_after_a_no()
    tenant = new_customer(**elsewhere(address=HOME), family_name="Öst")
    assert "post" in open_to(tenant)


def test_a_yes_of_ones_own_opens_that_way_and_no_other() -> None:
    gone_after_a_no()
    anna = new_customer(email=EMAIL, phone=PHONE, address=HOME)
    assert anna.email_suppressed_on == SAID_NO + timedelta(days=1)
    say_yes(anna, Use("H", "email"), evidence=cast.SHOWN)
    assert open_to(anna) == {"email"}


def test_changing_to_a_suppressed_address_shuts_that_way_and_changing_on_opens_it() -> None:
    gone_after_a_no()
    bo = new_customer(**elsewhere())
    change_details(bo, {"email": EMAIL})
    assert open_to(bo) == {"sms", "phone", "post"}
    change_details(bo, {"email": "bo.ny@example.se"})
    assert open_to(bo) == set(CHANNELS)


def test_changing_something_else_looks_nothing_up_and_takes_nothing_back() -> None:
    gone_after_a_no()
    anna = new_customer(email=EMAIL, phone=PHONE, address=HOME)
    Suppression.objects.all().delete()
    change_details(anna, {"given_name": "Anna Maria", "family_name": "Lund", "language": "en"})
    assert open_to(anna) == set()


def test_a_new_family_name_can_meet_a_no_at_the_address() -> None:
    gone_after_a_no()
    anna = new_customer(**elsewhere(address=HOME), family_name="Lund")
    assert "post" in open_to(anna)
    change_details(anna, {"family_name": "Ek"})
    assert "post" not in open_to(anna)
    change_details(anna, {"family_name": "Lund"})
    assert "post" not in open_to(anna)


# Files


def load(folder: Path, **files: Any) -> Outcome:
    return Outcome(put(folder / "files", **files))


def test_a_file_does_not_bring_back_who_said_no_and_went(tmp_path: Path) -> None:
    gone_after_a_no()
    outcome = load(tmp_path, customers=[person("K1", email=EMAIL), person("K2", phone=PHONE)])
    assert outcome.refused == [("customers.csv", 2, "email"), ("customers.csv", 3, "phone")]


def test_an_address_in_a_file_comes_in_without_post(tmp_path: Path) -> None:
    gone_after_a_no()
    people = [
        person("K1", email="ny@example.se", adult_confirmed_on="2020-03-01", **NOTICED),
        person("K2", family_name="Öst", adult_confirmed_on="2020-03-01", **NOTICED),
    ]
    subscriptions = [
        {"number": n, "product": "borsthuvud", "started_on": "2020-03-01"} for n in ("K1", "K2")
    ]
    products = [{"code": "borsthuvud", "name": "Borsthuvuden", "similar_group": "munvard"}]
    homes = [{"number": n, **ADDRESS} for n in ("K1", "K2")]
    outcome = load(
        tmp_path, products=products, customers=people, addresses=homes, subscriptions=subscriptions
    )
    assert outcome.refused == []
    assert open_to(Customer.objects.get(number="K1")) == {"email"}
    assert open_to(Customer.objects.get(number="K2")) == {"post"}


def test_a_file_that_changes_a_way_brings_its_no_and_forgets_what_came_back(tmp_path: Path) -> None:
    load(tmp_path, customers=[person("K1", email="a@example.se", phone="070-174 06 99")])
    anna = Customer.objects.get(number="K1")
    for kind in ("email", "phone"):
        assert mark_returned(anna, kind, today())
    cast.person("Bo", email=EMAIL)  # somebody here has it, so it is refused to nobody
    contact_points.add([(("email", EMAIL), SAID_NO)])
    outcome = load(tmp_path, customers=[person("K1", email=EMAIL, phone="070-174 06 99")])
    assert outcome.refused == []
    anna.refresh_from_db()
    assert (anna.email, anna.email_returned_on, anna.email_suppressed_on) == (EMAIL, None, SAID_NO)
    assert anna.phone_returned_on == today()


def test_a_file_that_says_no_to_everything_lists_every_way(tmp_path: Path) -> None:
    load(
        tmp_path,
        customers=[person("K1", email=EMAIL, phone="070-174 06 35", **NOTICED)],
        addresses=[{"number": "K1", **ADDRESS}],
        consents=[{"number": "K1", "answer": "no", "given_on": "2024-05-06"}],
    )
    ways = [("email", EMAIL), ("phone", PHONE), ("address", postal("Ek", "Björkgatan 4", "58222"))]
    assert suppressed(ways) == dict.fromkeys(ways, date(2024, 5, 6))
    assert open_to(new_customer(**elsewhere(email=EMAIL, with_account=False))) == {
        "sms",
        "phone",
        "post",
    }


# What comes back (RUL-28)


def subscriber() -> Customer:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def test_mail_that_comes_back_ends_advertising_that_way_at_once_until_a_new_address() -> None:
    anna = subscriber()
    assert mail_returned(anna, "email", today())
    assert open_to(anna) == {"sms", "phone", "post"}
    assert may_process(anna.pk, Use("B", "email")).allowed(today())  # may be tried again
    correct_details(anna, {"email": "anna.ny@example.se"})
    assert open_to(anna) == set(CHANNELS)


def test_a_letter_that_comes_back_ends_post_until_a_new_address() -> None:
    anna = subscriber()
    assert mail_returned(anna, "address", today())
    assert open_to(anna) == {"email", "sms", "phone"}
    correct_details(anna, {"street": "Nygatan 1"})
    assert Address.objects.get(customer=anna).returned_on is None
    assert open_to(anna) == set(CHANNELS)


def test_what_comes_back_twice_or_from_an_old_value_marks_nothing() -> None:
    anna = subscriber()
    assert not mark_returned(anna, "email", today(), value="gammal@example.se")
    assert mark_returned(anna, "email", today() - timedelta(days=2), value="Anna@example.se")
    assert not mark_returned(anna, "email", today())
    assert anna.email_returned_on == today() - timedelta(days=2)
    assert not mark_returned(anna, "address", date(2024, 3, 2))  # before we had it
    assert not mark_returned(anna, "address", today(), value="Nygatan 1, 111 22 Stockholm")
    assert not mark_returned(cast.person("Bo", phone=""), "phone", today())


def test_nothing_has_come_back_tomorrow() -> None:
    with pytest.raises(ValueError, match="ahead"):
        mark_returned(subscriber(), "email", today() + timedelta(days=1))


def test_what_came_back_goes_with_the_value_and_leaves_no_history() -> None:
    anna = subscriber()
    mail_returned(anna, "phone", today())
    change_details(anna, {"phone": "+46701740699"})
    assert Customer.objects.get(pk=anna.pk).phone_returned_on is None
    assert list(Change.objects.values_list("field", flat=True)) == ["phone"]


def lost(customer: Customer, on: date) -> None:
    for kind in Suppression.Kind.values:
        mail_returned(customer, kind, on)


def former() -> Customer:
    anna = cast.person(since=date(2022, 3, 3))
    cast.subscription(anna, date(2022, 3, 3), date(2025, 3, 3))
    return anna


def test_a_former_customer_whom_nothing_reaches_is_let_go_the_night_after() -> None:
    anna = former()
    came_back = date(2026, 10, 5)
    lost(anna, came_back)
    night(came_back)
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    night(came_back + timedelta(days=1))
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert not Address.objects.exists()


def test_one_way_that_still_reaches_is_enough_to_stay() -> None:
    anna = former()
    mail_returned(anna, "email", date(2026, 10, 5))
    mail_returned(anna, "address", date(2026, 10, 5))
    night(date(2026, 10, 6))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"


def test_a_customer_and_whoever_has_a_question_open_stay() -> None:
    anna, bo = subscriber(), cast.person("Bo", since=date(2022, 3, 3))
    cast.subscription(bo, date(2022, 3, 3), date(2025, 3, 3))
    ask(bo, "Var är paketet?")
    for customer in (anna, bo):
        lost(customer, date(2026, 10, 5))
    night(date(2026, 10, 6))
    assert all(Customer.objects.values_list("given_name", flat=True))


def test_a_new_address_in_time_keeps_the_person() -> None:
    anna = former()
    lost(anna, date(2026, 10, 5))
    correct_details(anna, {"street": "Nygatan 1"})
    night(date(2026, 10, 6))
    assert Customer.objects.get(pk=anna.pk).name == "Anna Ek"
    Customer.objects.filter(pk=anna.pk).update(nix_post=False)  # the next wash (NIX-01)
    assert "post" in open_to(anna, on=date(2026, 10, 6))


def test_what_ended_with_the_details_does_not_begin_again_without_them() -> None:
    anna = former()
    invoice = cast.invoice(anna, date(2025, 2, 3), paid=False)
    settle(invoice, date(2025, 4, 1))
    lost(anna, date(2026, 10, 5))
    night(date(2026, 10, 6))
    before = ProcessingRecord.objects.filter(customer=anna, ended_on=None).values_list("purpose")
    live = set(before)
    issue_invoice(
        anna,
        date(2025, 5, 2),
        [{"text": "Kredit", "quantity": 1, "ore": -9900}],
        kind="credit",
        refers_to=invoice,
    )
    assert set(before.all()) == live


# Where the person meets it


def test_the_person_is_asked_kindly_and_told_of_a_no() -> None:
    contact_points.add([(("phone", PHONE), SAID_NO)])
    anna = new_customer(email=EMAIL, phone=PHONE, address=HOME)
    lost(anna, today())
    anna.refresh_from_db()
    page = build(anna, holdings(anna), calendar(anna))
    notes = {fact.label: fact.note for group in page["groups"] for fact in group["facts"]}
    assert "mejl kom tillbaka" in notes["E-post"]
    assert "Stämmer adressen?" in notes["Adress"]
    assert "5 mars 2026" in notes["Mobil"]
    assert notes["Namn"] == ""


# The list moved between rooms


def test_the_list_moves_with_its_rows() -> None:
    loader = MigrationLoader(connection)
    migration = loader.get_migration("customers", "0004_contact_points")
    before = [("customers", "0003_withdrawn_orders"), ("retention", "0003_holds_need_no_settling")]
    with connection.schema_editor() as editor:
        migration.unapply(loader.project_state(before), editor)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO retention_suppression (id, kind, digest, added_on) "
            "VALUES (gen_random_uuid(), 'email', %s, %s)",
            [digest("email", EMAIL), SAID_NO],
        )
    with connection.schema_editor() as editor:
        migration.apply(loader.project_state(before), editor)
    assert suppressed_on("email", EMAIL) == SAID_NO
