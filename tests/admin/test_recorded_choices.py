"""What staff write down that a person has said: with proof, told to them, lifting no no."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client
from django.utils import timezone

from consent.actions import current_notice, restrict, say_no
from consent.models import Authority, Event, Standing
from consent.purposes import Use
from consent.receipt_keys import number_of
from consent.rules import may_process
from customers.dates import STOCKHOLM, today
from customers.models import Customer, User
from customers.words import full_day
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests.models import Case
from privacy_requests.recording import Verb
from tests import cast
from tests.admin.conftest import Desk
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

ADS_BY_MAIL = Use("H", "email")


def address(person: Customer, **query: str) -> str:
    said = "&".join(f"{name}={value}" for name, value in query.items())
    return f"/personal/customers/customer/{person.pk}/sagt/" + (f"?{said}" if said else "")


def customer(given_name: str = "Anna", **fields: Any) -> Customer:
    person = cast.person(given_name, **fields)
    cast.subscription(person, person.last_contact_on)
    return person


def moment(at: datetime | None = None) -> str:
    return (at or timezone.now()).astimezone(STOCKHOLM).strftime("%Y-%m-%dT%H:%M")


def writes(client: Client, person: Customer, query: dict[str, str], **changed: str) -> Any:
    """Fill in the form the way the page offers it and send it."""
    Desk.says_why(client, person)
    page = client.get(address(person, **query))
    assert page.status_code == 200, page
    plain = {"at": moment(), "evidence": "Sa det i telefon."}
    if page.context.get("script"):
        plain["notice"] = str(page.context["form"].read[0].pk)
    return client.post(address(person, **query), plain | changed)


UNCLEAR = {"verb": "no-to-all", "collected": "phone"}
YES = {"verb": "yes", "about": "H-email", "collected": "phone"}


def entry(person: Customer) -> Event:
    return Event.objects.filter(customer=person).select_related("detail", "notice").latest("pk")


def test_an_unclear_no_is_the_first_choice_and_stops_everything(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = customer()
    assert "Skriv in ett val" in desk.opens(cecilia, anna)
    first = cecilia.get(address(anna)).content.decode()
    assert first.count("checked") == 1
    assert 'value="no-to-all"' in first[: first.index("checked")].rsplit("<input", 1)[1]
    assert writes(cecilia, anna, UNCLEAR).status_code == 302
    said = entry(anna)
    assert (said.kind, said.purpose, said.channel) == ("no", "", "")
    assert (said.collected, said.authority) == ("phone", Authority.PERSON)
    assert said.detail.actor == User.objects.get(email="cecilia@dentalclean.example")
    assert said.detail.evidence == "Sa det i telefon."
    for use in (Use("H", "post"), Use("C", "email"), Use("I", "portal")):
        assert not may_process(anna.pk, use).allowed(today())


def test_a_yes_by_phone_keeps_the_words_that_were_read_out(cecilia: Client) -> None:
    anna = customer()
    say_no(anna, at=timezone.now() - timedelta(minutes=2))
    Desk.says_why(cecilia, anna)
    page = cecilia.get(address(anna, **YES))
    notice = current_notice("phone", "sv")
    assert page.context["version"] == notice.policy_version.version
    read = page.context["script"]
    assert read.startswith(notice.text)
    assert "mejla erbjudanden till dig" in read
    assert writes(cecilia, anna, YES, evidence="Ja, gärna.").status_code == 302
    said = entry(anna)
    assert (said.kind, said.notice, said.authority) == ("yes", notice, Authority.PERSON)
    assert said.detail.evidence == f"{read}\n\nJa, gärna."
    # The person's own later yes, and nothing less, lifts their no (OBJ-06).
    assert may_process(anna.pk, ADS_BY_MAIL).allowed(today())
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())


@pytest.mark.parametrize(
    ("collected", "label"),
    [("slip", "Talongen"), ("email", "Mejlet"), ("post", "Brevet"), ("social", "Meddelandet")],
)
def test_each_way_asks_for_its_own_proof(cecilia: Client, collected: str, label: str) -> None:
    anna = customer()
    query = YES | {"collected": collected}
    Desk.says_why(cecilia, anna)
    page = cecilia.get(address(anna, **query))
    assert label in page.content.decode()
    assert not page.context["script"]
    writes(cecilia, anna, query, evidence="Nummer 4711")
    assert entry(anna).notice == current_notice(collected, "sv")
    assert entry(anna).detail.evidence == "Nummer 4711"


def test_a_no_to_one_use_leaves_the_others(cecilia: Client) -> None:
    anna = customer()
    writes(cecilia, anna, {"verb": "no", "about": "H-post", "collected": "email"})
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())
    assert may_process(anna.pk, Use("C", "post")).allowed(today())


def test_an_objection_and_a_limitation_are_granted_with_a_case(cecilia: Client) -> None:
    anna = customer()
    writes(cecilia, anna, {"verb": "objection", "about": "F", "collected": "post"})
    said = entry(anna)
    assert (said.kind, said.purpose, said.collected) == ("objection", "F", "post")
    assert said.detail.actor is not None
    writes(cecilia, anna, {"verb": "limit", "collected": "phone"})
    anna.refresh_from_db()
    assert anna.restriction == "v"
    assert entry(anna).detail.evidence == "Sa det i telefon."
    found = Case.objects.filter(customer=anna).values_list("right", "collected")
    assert set(found) == {("objection", "post"), ("restriction", "phone")}


def test_the_short_notice_read_out_is_on_record_and_opens_nothing(cecilia: Client) -> None:
    anna = customer(notice=False)
    writes(cecilia, anna, {"verb": "told", "collected": "phone"})
    anna.refresh_from_db()
    assert anna.noticed_on is None
    assert (entry(anna).kind, entry(anna).notice) == ("notice", current_notice("phone", "sv"))
    assert not may_process(anna.pk, Use("H", "post")).allowed(today())


def test_the_person_is_told_what_was_written_and_how_to_undo_it(cecilia: Client) -> None:
    anna = customer()
    writes(cecilia, anna, YES, evidence="Ja, hälsade Anna")
    relay()
    (sent,) = mail.outbox
    assert sent.to == ["anna@example.se"]
    assert "Du sa ja till ”Erbjudanden från oss” med e-post." in sent.body
    assert "i telefon" in sent.body
    assert "/sluta/" in sent.body
    assert "hälsade" not in sent.body
    assert Outbox.objects.get().purpose == "B"
    assert entry(anna).kind == "yes"


def test_a_slip_found_after_a_no_is_told_as_a_yes_that_does_not_count(cecilia: Client) -> None:
    anna = customer()
    signed = timezone.now() - timedelta(hours=3)
    say_no(anna, ADS_BY_MAIL, at=signed + timedelta(hours=1))
    page = writes(cecilia, anna, YES | {"collected": "slip"}, at=moment(signed))
    assert not may_process(anna.pk, ADS_BY_MAIL).allowed(today())
    body = Outbox.objects.get().body
    assert "Du sa ja" not in body
    assert "Ett ja till ”Erbjudanden från oss” med e-post, som inte gäller." in body
    assert f"Det gäller inte, för du sa nej senare, {full_day(today())}" in body
    assert "Det gäller redan" not in body
    assert "Vill du ta tillbaka ditt ja" not in body
    said = "Inskrivet, men ja:et gäller inte: kunden sa nej"
    assert said in cecilia.get(page["Location"]).content.decode()

    client = signed_in(anna)
    choices = text(client.get("/mina-val/"))
    assert "Du sa ja" not in choices
    assert "Ett ja till ”Erbjudanden från oss” med e-post, som inte gäller" in choices
    receipt = text(client.get(f"/mina-val/kvitto/{number_of(entry(anna).pk)}/"))
    assert "Du sa ja" not in receipt
    assert "Vi har antecknat ditt ja, men det ändrar inget. Det gäller inte, för du sa" in receipt
    assert "Hur länge Det gäller inte" in receipt
    file = client.get(f"/mina-val/kvitto/{number_of(entry(anna).pk)}/fil/").json()
    assert file["event"]["event_state"] == "dpv:ConsentInvalidated"


def test_a_yes_that_must_wait_is_told_as_waiting(cecilia: Client) -> None:
    anna = customer()
    restrict(anna)
    writes(cecilia, anna, YES, evidence="Ja, gärna.")
    body = Outbox.objects.get().body
    assert "Det är sparat, men ändrar inget än. Användningen av dina uppgifter är" in body
    assert "Det gäller redan" not in body


def test_who_has_no_e_mail_is_told_by_letter_in_their_language(cecilia: Client) -> None:
    john = customer("John", email="", language="en")
    page = writes(cecilia, john, UNCLEAR)
    message = Outbox.objects.get()
    assert (message.kind, message.subject) == ("letter", "We have written down what you said")
    assert "You said no to all advertising" in message.body
    assert "brev" in cecilia.get(page["Location"]).content.decode()


def test_every_recording_leaves_a_row_in_the_access_log_and_one_in_the_log(
    cecilia: Client, desk: type[Desk]
) -> None:
    anna = customer()
    before = len(desk.readings(anna))
    writes(cecilia, anna, UNCLEAR)
    assert len(desk.readings(anna)) == before + 2  # the page and the act
    (logged,) = LogEntry.objects.filter(object_id=str(anna.pk))
    assert "telefon" not in logged.change_message


def test_sent_twice_is_written_once(cecilia: Client) -> None:
    anna = customer()
    at = moment()
    for query in (UNCLEAR, {"verb": "no", "about": "C-post", "collected": "slip"}):
        before = Event.objects.count()
        writes(cecilia, anna, query, at=at)
        again = writes(cecilia, anna, query, at=at)
        assert Event.objects.count() == before + 1
        assert "Det stod redan så" in cecilia.get(again["Location"]).content.decode()
    assert Outbox.objects.count() == 2


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("at", "2999-01-01T10:00", "Tiden har inte varit än."),
        ("at", "2019-01-01T10:00", "Då fanns kunden inte hos oss."),
        ("at", "i går", "Skriv dag och klockslag."),
        ("evidence", "", "Skriv underlaget."),
        ("evidence", " .. ", "Skriv underlaget."),
        ("evidence", "a\u202eb", "Texten har tecken som inte går att läsa."),
        ("evidence", "a" * 2001, "Skriv högst 2000 tecken."),
    ],
)
def test_bad_input_writes_nothing_and_says_why(
    cecilia: Client, field: str, value: str, sentence: str
) -> None:
    anna = customer()
    before = Event.objects.count()
    answer = writes(cecilia, anna, UNCLEAR, **{field: value})
    assert answer.status_code == 200
    assert sentence in answer.content.decode()
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "query",
    [
        {"verb": "yes", "collected": "phone"},
        {"verb": "yes", "about": "F", "collected": "phone"},
        {"verb": "yes", "about": "A-email", "collected": "phone"},
        {"verb": "objection", "about": "A", "collected": "phone"},
        {"verb": "objection", "about": "H-email", "collected": "phone"},
        {"verb": "told", "collected": "slip"},
        {"verb": "lift", "collected": "phone"},
        {"verb": "yes", "about": "H-email", "collected": "register"},
        {"verb": "no-to-all", "collected": "import"},
    ],
)
def test_what_nobody_can_say_never_reaches_the_ledger(
    cecilia: Client, query: dict[str, str]
) -> None:
    anna = customer()
    Desk.says_why(cecilia, anna)
    before = Event.objects.count()
    answer = cecilia.post(address(anna, **query), {"at": moment(), "evidence": "x"})
    assert answer.status_code == 200
    assert 'class="errornote"' in answer.content.decode()
    assert Event.objects.count() == before


def test_a_yes_that_opens_nothing_is_refused_with_its_reason(cecilia: Client) -> None:
    anna = customer(protection="", birth_date=today() - timedelta(days=365 * 14))
    answer = writes(cecilia, anna, YES)
    assert "Ett ja öppnar inget nu" in answer.content.decode()
    assert entry(anna).kind != "yes"


def test_a_yes_over_a_no_of_the_persons_own_is_warned_of_first(cecilia: Client) -> None:
    anna = customer()
    Desk.says_why(cecilia, anna)
    warning = "Skriv bara in ett ja om kunden själv"
    assert warning not in cecilia.get(address(anna, **YES)).content.decode()
    say_no(anna)
    assert warning in cecilia.get(address(anna, **YES)).content.decode()


def test_words_that_are_not_the_ones_in_force_are_no_proof(cecilia: Client) -> None:
    answer = writes(cecilia, customer(), YES, notice="1")
    assert "Texten att läsa upp är ny" in answer.content.decode()


def test_other_roles_and_people_are_forbidden(
    cecilia: Client, disa: Client, erik: Client, olle: Client, superuser: Client
) -> None:
    anna = customer()
    noor = customer("Noor", protection="secrecy")
    dead = customer("Dag", deceased_on=today())
    own = customer("Rut", email="cecilia@dentalclean.example", account=False)
    for client, person, status in (
        (erik, anna, 403),
        (olle, anna, 403),
        (cecilia, noor, 403),
        (disa, noor, 200),
        (cecilia, dead, 403),
        (cecilia, own, 403),
        (superuser, anna, 200),
    ):
        if status == 200:
            Desk.says_why(client, person)
        assert client.get(address(person, **UNCLEAR)).status_code == status
        if status == 403:
            sent = client.post(address(person, **UNCLEAR), {"at": moment(), "evidence": "x y"})
            assert sent.status_code == 403
    assert not Event.objects.filter(detail__actor__isnull=False).exists()


def test_nothing_is_written_before_a_reason_is_given(cecilia: Client) -> None:
    anna = customer()
    answer = cecilia.post(address(anna, **UNCLEAR), {"at": moment(), "evidence": "Sa det."})
    assert "/skal/" in answer["Location"]
    assert not Event.objects.filter(kind="no").exists()


def test_the_proof_is_shown_as_text(disa: Client) -> None:
    anna = customer()
    writes(disa, anna, UNCLEAR, evidence="<script>alert(1)</script>")
    page = disa.get(f"/personal/consent/event/{entry(anna).pk}/change/").content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


def test_a_protected_person_is_told_by_no_letter(disa: Client) -> None:
    noor = customer("Noor", protection="secrecy", email="")
    page = writes(disa, noor, UNCLEAR)
    assert not Outbox.objects.exists()
    assert "ingen bekräftelse" in disa.get(page["Location"]).content.decode()


def test_staff_cannot_lift_what_the_person_limited() -> None:
    assert "unrestricted" not in {kind for verb in Verb for kind in verb.kinds}


def test_standing_tells_whose_word_it_is(cecilia: Client) -> None:
    anna = customer()
    writes(cecilia, anna, UNCLEAR)
    found = Standing.objects.filter(customer=anna, declined=True)
    assert {row.authority for row in found} == {Authority.PERSON}
    assert found.exists()
