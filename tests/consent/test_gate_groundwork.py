"""What the gate asks of us: a balance that somebody approved, and a copy of NIX that is fresh."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.utils import IntegrityError

from consent.actions import say_yes
from consent.balancing import (
    PROPOSALS,
    BalancingError,
    approve_balance,
    propose_missing,
    record_balance,
)
from consent.groundwork import BalancingRecord, NixSnapshot, Register
from consent.nix import NixError, load_nix
from consent.purposes import BALANCED, Use
from consent.rules import compiled, may_process
from customers.actions import change_details
from customers.dates import add_months, today
from customers.models import Address, Customer, User
from tests import cast, groundwork

pytestmark = pytest.mark.django_db

H_EMAIL, H_POST, H_PHONE = Use("H", "email"), Use("H", "post"), Use("H", "phone")
WEIGHED = {"interest": "Vi vill sälja.", "necessity": "Det behövs.", "balance": "Det väger jämnt."}


@pytest.fixture
def erik() -> User:
    return User.objects.create_user("erik@dentalclean.example", is_staff=True)


@pytest.fixture
def disa() -> User:
    return User.objects.create_user("disa@dentalclean.example", is_staff=True)


@pytest.fixture
def anna() -> Customer:
    anna = cast.person()
    cast.subscription(anna, date(2024, 1, 1))
    return anna


def refusals(customer: Customer, use: Use, on: date | None = None) -> list[str]:
    return [answer.name for answer in may_process(customer.pk, use).refusals(on or today())]


def test_without_an_approved_balance_our_interest_opens_nothing(
    anna: Customer, erik: User, disa: User
) -> None:
    groundwork.take_away(BalancingRecord)
    assert refusals(anna, H_EMAIL) == ["balanced"]
    proposal = record_balance("H", owner=erik, **WEIGHED)
    assert refusals(anna, H_EMAIL) == ["balanced"]
    approve_balance(proposal, by=disa)
    assert refusals(anna, H_EMAIL) == []
    assert refusals(anna, Use("F", "internal")) == ["balanced"]  # a record is for one purpose


def test_a_balance_counts_through_its_day_of_review(anna: Customer, erik: User, disa: User) -> None:
    groundwork.take_away(BalancingRecord)
    record_balance("H", owner=erik, approved_by=disa, **WEIGHED)
    last = add_months(today(), 24)
    assert may_process(anna.pk, H_EMAIL).changes_on(today()) == last + timedelta(days=1)
    # The newest counts, also where it ends sooner: so a use is stopped.
    record_balance("H", owner=erik, approved_by=disa, review_on=today(), **WEIGHED)
    assert may_process(anna.pk, H_EMAIL).closes == today()


def test_the_persons_own_yes_needs_no_balance(anna: Customer) -> None:
    say_yes(anna, H_EMAIL, evidence=cast.SHOWN)
    groundwork.take_away(BalancingRecord)
    assert refusals(anna, H_EMAIL) == []
    assert refusals(anna, Use("A", "post")) == []


def test_nobody_approves_a_record_of_their_own(erik: User) -> None:
    proposal = record_balance("H", owner=erik, **WEIGHED)
    with pytest.raises(BalancingError, match="somebody else"):
        approve_balance(proposal, by=erik)
    with pytest.raises(IntegrityError, match="approved_by_another"), transaction.atomic():
        BalancingRecord.objects.create(
            purpose="H",
            owner=erik,
            approved_by=erik,
            decided_on=today(),
            review_on=today(),
            **WEIGHED,
        )


def test_what_is_approved_is_not_approved_again(erik: User, disa: User) -> None:
    approved = record_balance("H", owner=erik, approved_by=disa, **WEIGHED)
    with pytest.raises(BalancingError, match="already"):
        approve_balance(approved, by=disa)


@pytest.mark.parametrize(
    ("purpose", "change", "sentence"),
    [
        ("A", {}, "not rest on"),
        ("E", {}, "not rest on"),
        ("H", {"balance": " "}, "written out"),
        ("H", {"decided_on": date(2999, 1, 1)}, "ahead"),
        ("H", {"decided_on": date(2026, 1, 31), "review_on": date(2028, 2, 1)}, "24 months"),
        ("H", {"decided_on": date(2026, 1, 31), "review_on": date(2026, 1, 30)}, "24 months"),
    ],
)
def test_a_record_that_cannot_be_is_refused_with_a_sentence(
    erik: User, purpose: str, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BalancingError, match=sentence):
        record_balance(purpose, owner=erik, **{**WEIGHED, **change})  # type: ignore[arg-type]


def test_the_database_holds_the_review_to_24_months_and_the_record_as_it_was(erik: User) -> None:
    late = {"decided_on": date(2026, 1, 31), "review_on": date(2028, 2, 1)}
    with pytest.raises(IntegrityError, match="reviewed_in_time"), transaction.atomic():
        BalancingRecord.objects.create(purpose="H", owner=erik, **late, **WEIGHED)
    record = record_balance("H", owner=erik, **WEIGHED)
    for sql in ("UPDATE {} SET review_on = review_on", "DELETE FROM {}", "TRUNCATE {}"):
        for table in (BalancingRecord._meta.db_table, NixSnapshot._meta.db_table):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql.format(table))
    assert BalancingRecord.objects.filter(pk=record.pk).exists()


def test_there_is_a_proposal_for_every_purpose_that_rests_on_our_interest(erik: User) -> None:
    assert set(PROPOSALS) == {purpose for purpose, _name in BALANCED}
    groundwork.take_away(BalancingRecord)
    call_command("propose_balances", "Erik@dentalclean.example", verbosity=0)
    assert {r.purpose for r in BalancingRecord.objects.all()} == set(PROPOSALS)
    assert not BalancingRecord.objects.standing(today())
    assert propose_missing(erik) == []
    with pytest.raises(CommandError, match="Nobody of staff"):
        call_command("propose_balances", "anna@example.se", verbosity=0)


def test_without_a_copy_of_nix_nobody_is_called_or_written_to(anna: Customer) -> None:
    groundwork.take_away(NixSnapshot)
    assert refusals(anna, H_PHONE) == ["nix_current"]
    assert refusals(anna, H_POST) == ["nix_current"]
    assert refusals(anna, H_EMAIL) == []
    load_nix("phone", today(), ["070-174 06 99"])
    assert refusals(anna, H_PHONE) == []
    assert refusals(anna, H_POST) == ["nix_current"]


def test_a_copy_of_nix_counts_for_thirty_days(anna: Customer) -> None:
    groundwork.take_away(NixSnapshot)
    load_nix("post", today() - timedelta(days=30), ["Bo Al;Björkgatan 9;582 22"])
    assert may_process(anna.pk, H_POST).closes == today()
    load_nix("post", today(), ["Bo Al;Björkgatan 9;582 22"])
    assert may_process(anna.pk, H_POST).closes == today() + timedelta(days=30)


def test_a_yes_that_names_us_does_without_the_copy_for_three_months(anna: Customer) -> None:
    said = add_months(today(), -2)
    say_yes(anna, H_POST, evidence=cast.SHOWN, at=cast.noon(said))
    groundwork.take_away(NixSnapshot)
    assert may_process(anna.pk, H_POST).closes == add_months(said, 3)


def test_a_number_or_address_given_after_the_wash_counts_as_in_nix_until_the_next() -> None:
    days_ago = {n: today() - timedelta(days=n) for n in (1, 10, 400)}
    former = cast.person("Bo", since=days_ago[400])
    prospect = cast.person("Cia", since=days_ago[1], nix_phone=None, nix_post=None)
    cast.subscription(former, days_ago[400], add_months(today(), -13))
    customer = cast.person("Dan", since=days_ago[400])
    cast.subscription(customer, days_ago[400])
    everybody, ways = (former, prospect, customer), (H_PHONE, H_POST)
    assert [refusals(p, w) for p in everybody for w in ways] == [
        *([], []),
        *(["nix_current"], ["nix_current"]),
        *([], []),
    ]
    for person in (former, customer):
        change_details(person, {"phone": "+46701740642", "street": "Nygatan 1"})
    assert [refusals(p, w) for p in (former, customer) for w in ways] == [
        *(["nix_current"], ["nix_current"]),
        *([], []),
    ]
    groundwork.take_away(NixSnapshot)
    load_nix("phone", today(), ["0701740699"])
    assert [refusals(p, H_PHONE) for p in everybody] == [[], [], []]
    load_nix("post", today(), ["Ek;Nygatan 1;58222"])
    assert [refusals(p, H_POST) for p in everybody] == [["nix_post"], [], []]


def test_a_new_family_name_waits_for_the_next_wash(anna: Customer) -> None:
    former = cast.person("Bo", since=date(2024, 1, 1))
    cast.subscription(former, date(2024, 1, 1), add_months(today(), -13))
    assert refusals(former, H_POST) == []
    change_details(former, {"family_name": "Al"})
    assert refusals(former, H_POST) == ["nix_current"]
    assert refusals(former, H_PHONE) == []


def test_a_yes_given_after_the_wash_opens_for_three_months_whatever_nix_says(
    anna: Customer,
) -> None:
    said = add_months(today(), -2)
    for listed in (True, None):
        bo = cast.person(f"Bo{listed}", nix_phone=listed, nix_post=listed)
        cast.subscription(bo, date(2022, 1, 1), add_months(today(), -20))
        for use, name in ((H_PHONE, "nix_phone"), (H_POST, "nix_post")):
            assert refusals(bo, use) == [name if listed else "nix_current"]
            say_yes(bo, use, evidence=cast.SHOWN, at=cast.noon(said))
            decision = may_process(bo.pk, use)
            assert (refusals(bo, use), decision.closes) == ([], add_months(said, 3))


def test_who_gives_a_new_number_while_the_register_is_washed_waits_for_the_next(
    anna: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    groundwork.take_away(NixSnapshot)

    def read_then_change(register: Register, *row: str) -> str:
        change_details(anna, {"phone": "+46701740642"})
        return row[0]

    monkeypatch.setattr("consent.nix._key", read_then_change)
    load_nix("phone", today(), ["0701740699"])
    anna.refresh_from_db()
    assert anna.nix_phone is None


def test_numbers_are_washed_however_the_file_writes_them(anna: Customer) -> None:
    bo, cia = cast.person("Bo", phone="+46701740642"), cast.person("Cia", phone="")
    Customer.objects.filter(pk=bo.pk).update(nix_phone=True)
    groundwork.take_away(NixSnapshot)
    wash = load_nix("phone", today(), ["070-174 06 35\n", "\n", "+46 8 123 456 78"])
    assert (wash.entries, wash.marked, wash.cleared) == (2, 1, 1)
    flags = dict(Customer.objects.values_list("pk", "nix_phone"))
    assert flags == {anna.pk: True, bo.pk: False, cia.pk: False}
    assert NixSnapshot.objects.get().entries == 2


def test_homes_are_washed_by_family_name_and_address(anna: Customer) -> None:
    bo, cia = cast.person("Bo", family_name="Al"), cast.person("Cia")
    Address.objects.filter(customer=cia).update(street="Björkgatan 5")
    groundwork.take_away(NixSnapshot)
    wash = load_nix("post", today(), ["EK;BJÖRKGATAN 4 lgh 1101;582 22"])
    assert (wash.entries, wash.marked) == (1, 1)
    flags = dict(Customer.objects.values_list("pk", "nix_post"))
    assert flags == {anna.pk: True, bo.pk: False, cia.pk: False}


@pytest.mark.parametrize(
    ("register", "taken_on", "values", "sentence"),
    [
        ("phone", date(2999, 1, 1), ["0701740635"], "ahead"),
        ("phone", date(2026, 1, 1), ["0701740635"], "loaded already"),
        ("phone", None, [], "no entries"),
        ("phone", None, ["0701740635", "hej"], "Line 2"),
        ("post", None, ["Anna Ek, Björkgatan 4"], "Line 1"),
    ],
)
def test_a_copy_that_cannot_be_used_changes_nothing(
    anna: Customer, register: str, taken_on: date | None, values: list[str], sentence: str
) -> None:
    groundwork.take_away(NixSnapshot)
    load_nix("phone", today() - timedelta(days=5), ["0701740699"])
    with pytest.raises(NixError, match=sentence):
        load_nix(register, taken_on or today(), values)
    assert NixSnapshot.objects.count() == 1
    assert not Customer.objects.filter(nix_phone=True).exists()


def test_an_operator_loads_a_copy_and_is_told_what_it_came_to(
    anna: Customer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groundwork.take_away(NixSnapshot)
    file = tmp_path / "nix.txt"
    file.write_text("0701740635\n")
    call_command("load_nix", "phone", str(file), taken_on=today())
    assert "1 entries read, 1 people marked, 0 let go." in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_nix", "phone", str(tmp_path / "none"), taken_on=today())


@pytest.mark.parametrize("use", [H_POST, H_PHONE, H_EMAIL])
def test_what_we_have_seen_to_is_asked_once_and_not_per_person(use: Use) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {compiled(use).many}", {"people": [1, 2, 3]})
        plan = "\n".join(row[0] for row in cursor)
    assert "InitPlan" in plan
    assert "SubPlan" not in plan


def test_both_registers_have_a_column_of_their_own() -> None:
    columns = {f.name for f in Customer._meta.get_fields()}
    assert {f"nix_{register}" for register in Register.values} <= columns
