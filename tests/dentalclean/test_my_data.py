"""Vad vet ni om mig: everything on the map, with source, last day and reasons, of one person."""

from datetime import date
from typing import Any

import pytest

from consent.actions import say_no, say_yes
from consent.facts import ask, close_question
from consent.purposes import Use
from customers.actions import change_details, set_national_id
from customers.dates import today
from customers.models import Customer
from customers.models.channels import Collected, Source
from customers.personal_data import Category
from customers.words import in_words
from dentalclean.everything import holdings
from dentalclean.my_data import page as my_data
from dentalclean.my_data.facts import Fact
from dentalclean.my_data.presenters import PRESENTERS
from retention.models import Receipt
from retention.rules import calendar
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "/mina-uppgifter/"


def anna_with_everything() -> Customer:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    for month in (3, 6, 9):
        cast.order(anna, date(2026, month, 3), date(2026, month, 7))
        cast.invoice(anna, date(2026, month, 3))
    question = ask(anna, "När kommer paketet?", "Jag väntar sedan i måndags.")
    close_question(question, "Det kommer i morgon.")
    say_no(anna, Use("H", "sms"))
    return anna


def facts_of(customer: Customer) -> dict[str, Fact]:
    page = my_data.build(customer, holdings(customer), calendar(customer))
    return {fact.label: fact for group in page["groups"] for fact in group["facts"]}


def test_the_first_rows_are_name_mail_mobile_and_address() -> None:
    anna = cast.person()
    groups = my_data.build(anna, holdings(anna), calendar(anna))["groups"]
    assert [fact.label for fact in groups[0]["facts"]][:4] == ["Namn", "E-post", "Mobil", "Adress"]


def test_each_row_says_value_source_and_last_day() -> None:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3), date(2026, 6, 30))
    name = facts_of(anna)["Namn"]
    assert name.value == "Anna Ek"
    assert name.source == "Dig, på webben 3 mars 2024"
    assert name.until == "30 juni 2029"


def test_a_customer_without_end_is_told_as_long_as_you_are_a_customer() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 3, 3))
    assert facts_of(anna)["E-post"].until == "Så länge du är kund"


def test_a_changed_value_tells_who_changed_it_and_what_was() -> None:
    anna = cast.person()
    change_details(
        anna, {"street": "Storgatan 9"}, source=Source.REGISTER, collected=Collected.REGISTER
    )
    change_details(anna, {"phone": "+46701740605"}, collected=Collected.PHONE)
    facts = facts_of(anna)
    assert facts["Adress"].source.startswith("Folkbokföringen, ")
    assert facts["Mobil"].source.startswith("Dig, i telefon ")
    told = [reason["text"] for reason in facts["Adress"].reasons if reason["term"] == "Tidigare"]
    assert told
    assert told[0].startswith("Björkgatan 4, till ")


def test_a_change_is_told_by_the_name_of_the_field() -> None:
    anna = cast.person()
    change_details(anna, {"street": "Storgatan 9"})
    told = facts_of(anna)["Ändringar av dina uppgifter"].value
    assert told.startswith("Gata: från ”Björkgatan 4” till ”Storgatan 9”")


def test_why_is_written_from_the_purposes_that_keep_it() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 3, 3))
    before = [reason["term"] for reason in facts_of(anna)["Namn"].reasons]
    assert before[0] == "Leverera det du köpt"
    assert "Erbjudanden från oss" in before
    say_no(anna)
    after = [reason["term"] for reason in facts_of(anna)["Namn"].reasons]
    assert "Leverera det du köpt" in after


def test_the_number_is_masked() -> None:
    anna = cast.person()
    set_national_id(anna, "199006022397")
    assert facts_of(anna)["Personnummer"].value == "19900602-****"
    page = signed_in(anna).get(PAGE).content.decode()
    assert "2397" not in page
    assert anna.national_id_hash is not None
    assert bytes(anna.national_id_hash).hex() not in page


def test_what_we_do_not_have_is_true_for_this_person() -> None:
    anna, björn = cast.person(), cast.person("Björn")
    set_national_id(björn, "199006022397")
    cast.invoice(björn, date(2026, 1, 1))
    lacks = {
        who.given_name: {
            lack["name"] for lack in my_data.build(who, holdings(who), calendar(who))["lacks"]
        }
        for who in (anna, björn)
    }
    assert {"Personnummer", "Fakturor"} <= lacks["Anna"]
    assert not {"Personnummer", "Fakturor"} & lacks["Björn"]


def test_every_model_and_column_of_the_map_is_on_the_page() -> None:
    anna = anna_with_everything()
    page = text(signed_in(anna).get(PAGE))
    for held in holdings(anna).values():
        if held.rows and held.label != "customers.Customer":
            named = {"consent.Standing": "Dina val"}.get(held.label, str(held.data.name))
            assert named in page, held.label
    for said in (
        "När kommer paketet?",
        "Det kommer i morgon.",
        "Borsthuvud, sedan 3 mars 2024.",
        "levererad 7 september 2026",
        "99,00 kr",
        "Du sa nej till ”Erbjudanden från oss” med sms",
        anna.number,
    ):
        assert said in page, said


def test_the_choices_count_apart_what_was_said_and_what_we_may() -> None:
    anna = anna_with_everything()
    told = facts_of(anna)["Dina val"]
    may = [item for item in told.items if "Vi får sedan 3 mars 2024, tills du säger nej." in item]
    assert told.value.startswith("Nej till ett val. ")
    assert told.value.endswith(
        f"{in_words(len(may)).capitalize()} saker får vi tills du säger nej."
    )
    assert len(may) == len(told.items) - 1
    say_yes(anna, Use("H", "email"), evidence="Talong 17", collected="slip")
    say_yes(anna, Use("G", "social"))
    assert facts_of(anna)["Dina val"].value.startswith(
        "Ja till ett och nej till ett val. Ett äldre ja saknar bevis och gäller inte. "
    )


def test_a_yes_that_a_no_stands_above_is_no_yes_here_either() -> None:
    anna = anna_with_everything()
    say_yes(
        anna, Use("H", "sms"), evidence="Talong", collected="slip", at=cast.noon(date(2025, 1, 8))
    )
    told = facts_of(anna)["Dina val och när du gjorde dem"].items
    assert any("Ett ja till ”Erbjudanden från oss” med sms, som inte gäller" in t for t in told)
    assert not any("Du sa ja" in t for t in told)


@pytest.mark.parametrize("label", sorted(PRESENTERS.keys() - {"customers.Customer"}))
def test_a_model_nobody_has_written_a_row_for_appears_by_itself(
    monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    anna = anna_with_everything()
    change_details(anna, {"phone": "+46701740605"})
    held = holdings(anna)[label]
    monkeypatch.delitem(PRESENTERS, label)
    fact = facts_of(anna).get(str(held.data.name))
    assert (fact is not None) == bool(held.rows)
    if fact is not None and label != "customers.Session":
        assert fact.value
        assert fact.until
        assert fact.reasons


def test_every_kind_of_data_has_a_section() -> None:
    facts = {category: [Fact(str(category.label), "x")] for category in Category}
    groups = my_data._groups(facts)
    assert sum(len(group["facts"]) for group in groups) == len(Category)


def test_where_a_protected_person_is_shows_only_just_after_sign_in() -> None:
    anna = cast.person(protection="secrecy")
    client = signed_in(anna)
    assert "Björkgatan 4" in text(client.get(PAGE))
    session = client.session
    session["signed_in_at"] -= 601
    session.save()
    for path in (PAGE, "/mina-uppgifter/andra/adress/"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "Är det fortfarande du?" in text(answer)
        assert "Björkgatan" not in text(answer)


def test_nothing_of_another_person_is_there() -> None:
    anna = anna_with_everything()
    björn = cast.person("Björn", family_name="Ström", phone="+46701740606")
    cast.order(björn, date(2026, 1, 1), date(2026, 1, 2))
    ask(björn, "Björns fråga")
    page = text(signed_in(anna).get(PAGE))
    for word in ("Björn", "Ström", björn.number, "070-174 06 06", "Björns fråga"):
        assert word not in page


def test_markup_in_a_value_is_only_text() -> None:
    anna = cast.person(given_name="<script>alert(1)</script>")
    page = signed_in(anna).get(PAGE).content.decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_person_who_is_only_a_shell_is_answered_too() -> None:
    anna = cast.person(email="", account=False, phone="", notice=False)
    page = my_data.build(anna, holdings(anna), calendar(anna))
    assert page["groups"]


def test_the_page_asks_the_database_a_fixed_number_of_times(
    django_assert_max_num_queries: Any,
) -> None:
    client = signed_in(anna_with_everything())
    with django_assert_max_num_queries(10):
        assert client.get(PAGE).status_code == 200


def test_today_is_the_day_of_the_page() -> None:
    anna = cast.person(since=today())
    assert facts_of(anna)["Namn"].source.endswith(str(today().year))


@pytest.mark.breaks(5)
def test_what_is_shown_is_not_said_to_be_missing() -> None:
    anna = cast.person()
    none = "Raderingskvitton. Det finns inget sådant om dig."
    assert none in text(signed_in(anna).get("/mina-uppgifter/"))
    Receipt.objects.create(customer_id=anna.pseudonym, category=1, rule="RET-02", row_count=2)
    page = text(signed_in(anna).get("/mina-uppgifter/"))
    assert "Raderingskvitton" in page
    assert none not in page
