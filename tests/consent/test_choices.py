"""Mina val: one purpose and channel per choice, at once, and a no as easy as a yes."""

import re
from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from consent import actions
from consent.choice_words import ENDS_WITH_NO, GROUPS, LETS_US
from consent.choices import Choice, decisions, groups
from consent.facts import end_subscription
from consent.models import Event, EventDetail, Standing
from consent.purposes import CATALOGUE, Use, chosen_uses
from consent.rules import may_process
from customers.dates import add_months, today
from customers.models import Customer, User
from customers.models.channels import Collected
from customers.models.people import Restriction
from customers.words import full_day
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PAGE = "/mina-val/"


def customer(name: str = "Anna", **fields: Any) -> Customer:
    anna = cast.person(name, since=date(2024, 3, 3), **fields)
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def row(of: Customer, purpose: str, channel: str, saved: str = "") -> Choice:
    for group in groups(of, decisions(of), today(), saved):
        for choice in group["choices"]:  # type: ignore[attr-defined]
            if choice.id == f"{purpose}-{channel}":
                return choice  # type: ignore[no-any-return]
    raise AssertionError((purpose, channel))


def answer(client: Any, purpose: str, channel: str, said: str, **more: str) -> Any:
    """Press a button of a row as the page stands now, or as `version` says that it stood."""
    shown = {"version": found} if (found := shown_version(client, f"{purpose}-{channel}")) else {}
    return client.post(f"{PAGE}{purpose}/{channel}/", {"answer": said, **shown, **more})


def shown_version(client: Any, row_id: str) -> str:
    """Return what the page sends along with a yes to one row; "" where the row sends nothing."""
    page = client.get(PAGE).content.decode()
    mine = page.partition(f'<li class="choice" id="{row_id}">')[2].partition("</li>")[0]
    found = re.search(r'name="version" value="([^"]+)"', mine)
    return found[1] if found else ""


def test_every_use_people_decide_about_has_a_row_and_words() -> None:
    asked = {(use.purpose, use.channel) for use in chosen_uses()}
    assert asked == set(LETS_US) == set(ENDS_WITH_NO)
    shown = {code for group in GROUPS for code in group.purposes}
    assert shown == {purpose for purpose, _channel in asked}


def test_every_effect_says_what_a_yes_or_a_no_does() -> None:
    anna = customer()
    for group in groups(anna, decisions(anna), today()):
        for choice in group["choices"]:  # type: ignore[attr-defined]
            start = "Säger du nej" if choice.yes else "Säger du ja"
            assert choice.effect.startswith(start), choice


def test_a_no_holds_at_once_and_only_for_what_it_was_said_to() -> None:
    anna = customer()
    client = signed_in(anna)
    assert row(anna, "H", "post").yes
    went = answer(client, "H", "post", "no")
    assert went["Location"] == "/mina-val/?sparat=H-post#H-post"
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())
    assert may_process(anna.pk, Use("H", "email")).allowed(today())
    page = text(client.get("/mina-val/?sparat=H-post"))
    assert "Klart. Inga fler sådana brev från nu. Ångra" in page


def test_a_yes_without_wording_takes_one_click_too() -> None:
    anna = customer()
    client = signed_in(anna)
    answer(client, "H", "post", "no")
    answer(client, "H", "post", "yes")
    assert may_process(anna.pk, Use("H", "post")).allowed(today())
    done = row(anna, "H", "post", saved="H-post")
    assert (done.yes, done.undo, done.done) == (True, "no", "Klart. Ditt ja gäller från nu.")


def test_a_yes_that_needs_proof_shows_its_wording_first_and_keeps_it() -> None:
    anna = customer()
    client = signed_in(anna)
    went = answer(client, "G", "social", "yes")
    assert went["Location"] == "/mina-val/G/social/ja/"
    assert not Standing.objects.filter(purpose="G", channel="social", declined=False).exists()
    page = client.get("/mina-val/G/social/ja/")
    assert "får visa våra nyheter för dig i sociala medier så länge du prenumererar." in text(page)
    found = re.search(r'name="version" value="([^"]+)"', page.content.decode())
    assert found
    answer(client, "G", "social", "yes", version=found[1])
    assert may_process(anna.pk, Use("G", "social")).allowed(today())
    evidence = EventDetail.objects.get(event__purpose="G").evidence
    assert "visa våra nyheter" in evidence
    assert "Du kan ta tillbaka ditt ja när du vill" in evidence


def test_a_yes_to_other_words_than_those_shown_is_asked_again() -> None:
    anna = customer()
    went = answer(signed_in(anna), "G", "social", "yes", version="0" * 64)
    assert went["Location"] == "/mina-val/G/social/ja/?nytt=1"
    assert not Event.objects.filter(purpose="G").exists()


def test_a_yes_of_one_click_keeps_the_words_and_the_wording_of_the_open_page() -> None:
    anna = customer()
    client = signed_in(anna)
    answer(client, "H", "post", "no")
    on_the_row = row(anna, "H", "post").effect
    answer(client, "H", "post", "yes")
    said = Event.objects.filter(kind=Event.Kind.CONSENT_GIVEN).get()
    assert said.detail.evidence == f"Erbjudanden från oss med post. {on_the_row}"
    assert said.notice == actions.current_notice(Collected.PORTAL, "sv")


@pytest.mark.parametrize("what", ["words", "notice"])
def test_a_yes_to_a_page_that_has_grown_old_is_refused_and_shown_the_new_words(what: str) -> None:
    anna = cast.person(since=date(2024, 3, 3))
    running = cast.subscription(anna, date(2024, 3, 3))
    client = signed_in(anna)
    answer(client, "H", "post", "no")
    opened = shown_version(client, "H-post")
    assert opened
    if what == "words":  # the same use, now with a last day
        end_subscription(running, today())
    else:
        texts = {(c.value, lang): "Ny text." for c in Collected for lang in ("sv", "en")}
        actions.publish_policy("2031-01", today(), texts)
    went = answer(client, "H", "post", "yes", version=opened)
    assert went["Location"] == "/mina-val/?nytt=H-post#H-post"
    assert not Event.objects.filter(kind=Event.Kind.CONSENT_GIVEN).exists()
    page = client.get("/mina-val/?nytt=H-post")
    told = text(page)
    assert told.count("Texten har ändrats sedan du öppnade sidan, så ditt ja är inte sparat.") == 1
    assert row(anna, "H", "post").effect in told
    answer(client, "H", "post", "yes")
    said = Event.objects.filter(kind=Event.Kind.CONSENT_GIVEN).get()
    assert said.notice == actions.current_notice(Collected.PORTAL, "sv")


def test_a_yes_without_the_name_of_its_words_is_not_written_down() -> None:
    anna = customer()
    client = signed_in(anna)
    answer(client, "H", "post", "no")
    client.post(f"{PAGE}H/post/", {"answer": "yes"})
    assert not row(anna, "H", "post").yes


def test_a_full_wording_that_has_changed_says_so_and_is_shown_anew() -> None:
    client = signed_in(customer())
    went = answer(client, "G", "social", "yes", version="0" * 64)
    assert went["Location"] == "/mina-val/G/social/ja/?nytt=1"
    assert "så ditt ja är inte sparat. Läs den nya texten och svara igen." in text(
        client.get(went["Location"])
    )


def test_only_what_was_said_yes_to_is_called_a_yes() -> None:
    anna = customer()
    assert row(anna, "H", "post").since == "Vi får sedan 3 mars 2024, tills du säger nej"
    assert row(anna, "H", "email").since == "Vi får sedan 3 mars 2024, tills du säger nej"
    assert "Ja, sedan" not in text(signed_in(anna).get(PAGE))
    actions.say_yes(anna, Use("H", "post"), evidence=cast.SHOWN)
    assert row(anna, "H", "post").since == f"Ja, sedan {full_day(today())}"


def test_who_reads_the_whole_wording_and_says_yes_has_said_it() -> None:
    anna = customer()
    client = signed_in(anna)
    assert row(anna, "H", "email").yes  # by the sale alone
    page = client.get("/mina-val/H/email/ja/").content.decode()
    found = re.search(r'name="version" value="([^"]+)"', page)
    assert found
    for _ in range(2):
        answer(client, "H", "email", "yes", version=found[1])
    assert Event.objects.filter(kind=Event.Kind.CONSENT_GIVEN).count() == 1
    assert row(anna, "H", "email").since == f"Ja, sedan {full_day(today())}"


def test_every_named_company_with_a_yes_is_listed_and_stopped_with_one_click() -> None:
    anna = customer()
    for company in ("Tandvännen AB", "Munvård & Väst/Öst AB"):
        actions.say_yes(anna, Use("P", "email", company), evidence="Talong 17", collected="slip")
    client = signed_in(anna)
    page = text(client.get(PAGE))
    assert "Andra företag Det här har du sagt ja till." in page
    assert f"Tandvännen AB, med e-post Ja, sedan {full_day(today())} Säger du nej lämnar vi" in page
    went = client.post(
        reverse("consent:choose_partner", args=["email", "Munvård & Väst/Öst AB"]), {"answer": "no"}
    )
    done = text(client.get(went["Location"]))
    assert f"Munvård & Väst/Öst AB, med e-post Nej, sedan {full_day(today())}" in done
    assert "Klart. Ditt nej gäller från nu." in done
    standing = Standing.objects.get(third_party="Munvård & Väst/Öst AB")
    assert standing.declined
    assert not Standing.objects.get(third_party="Tandvännen AB").declined
    assert Event.objects.latest("pk").kind == Event.Kind.CONSENT_WITHDRAWN
    assert "Du tog tillbaka ditt ja till att Munvård & Väst/Öst AB får dina uppgifter" in done


def test_everything_can_be_stopped_while_only_a_company_may_advertise() -> None:
    anna = customer()
    client = signed_in(anna)
    client.post("/mina-val/stoppa/")
    assert "Stoppa all reklam" not in text(client.get(PAGE))
    actions.say_yes(anna, Use("P", "post", "Tandvännen AB"), evidence="Talong", collected="slip")
    assert "Stoppa all reklam" in text(client.get(PAGE))
    client.post("/mina-val/stoppa/")
    assert "Stoppa all reklam" not in text(client.get(PAGE))


@pytest.mark.parametrize("path", ["email/Okänt AB", "web/Tandvännen AB", "x/Tandvännen AB"])
def test_a_company_that_was_never_answered_does_not_exist(path: str) -> None:
    anna, björn = customer(), customer("Björn")
    actions.say_yes(björn, Use("P", "email", "Okänt AB"), evidence="Talong", collected="slip")
    client = signed_in(anna)
    assert client.post(f"{PAGE}foretag/{path}/", {"answer": "no"}).status_code == 404
    assert not Standing.objects.get(customer=björn, third_party="Okänt AB").declined


def test_a_yes_is_pressed_only_where_somebody_has_said_it() -> None:
    anna = customer()
    pressed = {
        (use.purpose, use.channel): found.yes_button
        for use in chosen_uses()
        if (found := row(anna, use.purpose, use.channel)).yes
    }
    assert set(pressed.values()) == {"Får"}
    actions.say_yes(anna, Use("H", "post"), evidence="Talong 17")
    assert row(anna, "H", "post").yes_button == "Ja"
    # Where a yes is still to be said, that is what is said.
    assert row(anna, "G", "social").yes_button == "Ja"
    signed_in(anna).post(f"{PAGE}H/phone/", {"answer": "no"})
    assert row(anna, "H", "phone").yes_button == "Ja"


def test_a_yes_without_proof_is_told_as_one() -> None:
    anna = customer()
    actions.say_yes(anna, Use("G", "social"))
    assert row(anna, "G", "social").since == "Nej, ditt äldre ja saknar bevis"


def test_the_answer_of_the_page_tells_of_a_restriction_and_leaves_the_no_within_reach() -> None:
    anna = customer()
    actions.say_yes(anna, Use("P", "post", "Tandvännen AB"), evidence="Talong", collected="slip")
    actions.restrict(anna, Restriction.VOLUNTARY)
    client = signed_in(anna)
    page = text(client.get(PAGE))
    assert "Användningen av dina uppgifter är begränsad, så nu får du ingen reklam." in page
    assert "Tandvännen AB, med post Ja" in page
    assert page.count("är begränsad. Säger du nej lämnar vi inte ut") == 1
    assert "Stoppa all reklam" in page
    client.post("/mina-val/stoppa/")
    page = text(client.get(PAGE))
    assert "är begränsad, så nu får du ingen reklam." in page
    assert "Stoppa all reklam" not in page


def test_whoever_can_be_reached_in_no_way_now_can_still_stop_everything() -> None:
    anna = customer(email="", phone="", account=False)
    Customer.objects.filter(pk=anna.pk).update(user=User.objects.create_user("anna@example.se"))
    anna.refresh_from_db()
    actions.choose(anna, Use("H", "post"), yes=False)
    page = text(signed_in(anna).get(PAGE))
    assert "Just nu får du ingen reklam från oss." in page
    assert "Stoppa all reklam" in page


def test_stop_everything_is_one_click() -> None:
    anna = customer()
    client = signed_in(anna)
    before = text(client.get(PAGE))
    assert "Just nu får du reklam på fyra sätt: e-post, sms, telefon och post." in before
    went = client.post("/mina-val/stoppa/")
    page = text(client.get(went["Location"]))
    assert "Klart. Ingen mer reklam från nu." in page
    assert "Du får ingen reklam från oss." in page
    assert not any(
        decision.allowed(today())
        for use, decision in decisions(anna).items()
        if use.of.is_marketing
    )


def test_clicking_twice_is_clicking_once() -> None:
    anna = customer()
    client = signed_in(anna)
    for _ in range(2):
        answer(client, "H", "post", "no")
    for _ in range(2):
        answer(client, "H", "post", "yes")
    for _ in range(2):
        client.post("/mina-val/stoppa/")
    said = Event.objects.filter(collected="portal").values_list("kind", flat=True)
    assert list(said) == ["no", "yes", "no"]


def test_a_yes_that_already_stands_writes_nothing() -> None:
    anna = customer()
    before = Event.objects.count()
    answer(signed_in(anna), "H", "post", "yes")
    assert Event.objects.count() == before
    assert Standing.objects.get(purpose="H", channel="post").permission == "opt_out"


def test_an_effect_tells_the_day_it_ends_by_itself() -> None:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3), date(2026, 10, 31))
    assert "Annars slutar det av sig självt 31 oktober 2029." in row(anna, "H", "post").effect
    assert "Annars slutar det av sig självt 31 oktober 2027." in row(anna, "H", "email").effect


def test_nix_is_told_and_a_yes_beats_it_for_three_months() -> None:
    anna = cast.person(since=date(2020, 3, 3), nix_phone=True)
    cast.subscription(anna, date(2020, 3, 3), date(2025, 11, 1))
    choice = row(anna, "H", "phone")
    assert (choice.yes, choice.since) == (False, "Nej, du är med i NIX")
    until = full_day(add_months(today(), 3))
    assert choice.effect == (
        "Vi ringer inte nummer som finns i NIX. "
        f"Säger du ja får Dentalclean AB ringa dig om erbjudanden ändå, till och med {until}."
    )
    answer(signed_in(anna), "H", "phone", "yes")
    decision = may_process(anna.pk, Use("H", "phone"))
    assert decision.closes == add_months(today(), 3)


def test_news_are_only_for_who_subscribes_and_no_yes_is_offered_to_others() -> None:
    anna = cast.person(since=date(2024, 3, 3))
    cast.order(anna, date(2026, 3, 3), date(2026, 3, 7))
    choice = row(anna, "G", "email")
    assert (choice.yes, choice.locked) == (False, True)
    assert choice.effect == "Det gäller bara medan du prenumererar."
    page = signed_in(anna).get(PAGE).content.decode()
    mine = page[page.index('id="G-email"') : page.index('id="G-sms"')]
    assert 'value="no"' in mine
    assert 'value="yes"' not in mine
    assert signed_in(anna).get("/mina-val/G/email/ja/").status_code == 302


def test_without_a_number_the_answer_waits_for_one() -> None:
    anna = customer(phone="")
    choice = row(anna, "H", "phone")
    assert choice.yes
    assert choice.since.endswith("Vi har inget telefonnummer till dig än.")
    assert "telefon" not in text(signed_in(anna).get(PAGE)).partition("Du kan stoppa")[0]


def test_an_own_limitation_is_told() -> None:
    anna = customer()
    actions.restrict(anna, Restriction.VOLUNTARY)
    choice = row(anna, "H", "post")
    assert choice.since.endswith("Användningen av dina uppgifter är begränsad.")


def test_the_young_are_not_offered_a_yes() -> None:
    ung = cast.person("Ung", birth_date=date(today().year - 12, 1, 1), adult_confirmed_on=None)
    assert row(ung, "H", "email").locked
    assert row(ung, "C", "email").locked


def test_a_yes_that_was_not_offered_is_not_written_down() -> None:
    anna = customer(adult_confirmed_on=None, birth_date=add_months(today(), -15 * 12))
    client = signed_in(anna)
    before = Event.objects.count()
    assert row(anna, "C", "email").locked
    answer(client, "C", "email", "no")
    for purpose, channel in (("C", "email"), ("C", "sms"), ("H", "post")):
        answer(client, purpose, channel, "yes")
    kinds = Event.objects.order_by("pk").values_list("kind", flat=True)[before:]
    assert list(kinds) == [Event.Kind.OBJECTED]


def test_a_yes_to_calls_and_letters_names_the_company() -> None:
    anna = customer()
    client = signed_in(anna)
    answer(client, "H", "phone", "no")
    answer(client, "H", "phone", "yes")
    assert "får Dentalclean AB ringa dig" in EventDetail.objects.latest("pk").evidence


def test_the_protected_are_not_offered_post_and_calls() -> None:
    anna = customer(protection="secrecy")
    assert row(anna, "H", "post").locked
    assert not row(anna, "H", "email").locked


def test_earlier_choices_are_listed_newest_first() -> None:
    anna = customer()
    client = signed_in(anna)
    answer(client, "H", "post", "no")
    client.post("/mina-val/stoppa/")
    page = text(client.get(PAGE)).partition("Alla dina tidigare val")[2]
    said = [
        "Du sa nej till all reklam, på Min sida",
        "Du sa nej till ”Erbjudanden från oss” med post, på Min sida",
        "Du fick veta att reklam kan komma, vid ett köp, på webben",
    ]
    assert [page.index(words) for words in said] == sorted(page.index(words) for words in said)


def test_no_row_is_preset_and_both_answers_look_alike() -> None:
    page = signed_in(customer()).get(PAGE).content.decode()
    assert "checked" not in page
    assert '<input type="radio"' not in page
    yes = set(re.findall(r'<button name="answer" value="yes" aria-pressed="(?:true|false)"', page))
    no = set(re.findall(r'<button name="answer" value="no" aria-pressed="(?:true|false)"', page))
    assert {button.replace("yes", "no") for button in yes} == no


def test_no_company_is_named_while_there_is_none() -> None:
    page = text(signed_in(customer()).get(PAGE))
    assert "Andra företag Inget företag får dina uppgifter för egen reklam" in page
    assert "P" in {purpose.code for purpose in CATALOGUE}


@pytest.mark.parametrize(
    "path", ["H/mejl", "A/email", "Z/email", "P/email", "L/post", "h/email", "H/email/x"]
)
def test_what_nobody_decides_about_does_not_exist(path: str) -> None:
    anna = customer()
    before = Event.objects.count()
    assert signed_in(anna).post(f"{PAGE}{path}/", {"answer": "no"}).status_code == 404
    assert Event.objects.count() == before


@pytest.mark.parametrize("said", ["", "maybe", "yes\x00", "x" * 900_000])
def test_an_answer_is_yes_or_no(said: str) -> None:
    anna = customer()
    before = Event.objects.count()
    went = answer(signed_in(anna), "H", "post", said)
    assert went.status_code == 400
    assert "Vi kunde inte läsa det du skickade." in text(went)
    assert Event.objects.count() == before


def test_a_link_answers_nothing() -> None:
    anna = customer()
    before = Event.objects.count()
    client = signed_in(anna)
    assert client.get("/mina-val/H/post/?answer=no")["Location"] == PAGE
    assert client.get("/mina-val/stoppa/")["Location"] == PAGE
    client.get("/mina-val/?sparat=H-post&answer=no")
    assert Event.objects.count() == before


def test_a_choice_is_the_signed_in_persons_own() -> None:
    anna, björn = customer(), customer("Björn")
    answer(signed_in(anna), "H", "post", "no", customer=str(björn.pk))
    assert not row(anna, "H", "post").yes
    assert row(björn, "H", "post").yes


def test_all_decisions_at_once_equal_each_of_them() -> None:
    anna = customer(nix_post=True)
    actions.say_no(anna, Use("H", "sms"))
    for use, decision in decisions(anna).items():
        assert decision == may_process(anna.pk, use)


def test_the_page_asks_the_database_a_fixed_number_of_times(
    django_assert_max_num_queries: Any,
) -> None:
    client = signed_in(customer())
    with django_assert_max_num_queries(10):
        client.get(PAGE)
