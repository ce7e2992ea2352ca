"""Saying no to a use, and limiting all of them: granted at once, answered, and told apart."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.test import Client

from consent.actions import ActError, restrict, say_yes, serve_notice
from consent.models import Event, EventDetail, Standing
from consent.purposes import CATALOGUE, Use
from consent.rules import may_process
from consent.standing import State, replay
from consent.unsubscribe import Link
from customers.dates import today
from customers.models import Address, Customer
from customers.models.channels import Collected
from customers.models.people import Restriction
from disclosures.actions import relay
from disclosures.models import Outbox
from privacy_requests.models import Case, CaseEvent
from privacy_requests.objections import OBJECTABLE, lift_limit, limit, object_to, refused
from retention.actions import execute, open_run
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

NO_PAGE, LIMIT_PAGE = "/mina-arenden/saga-nej/", "/mina-arenden/begransa/"
PARTNER = "munvard-vast"

Where = tuple[str, str]


def customer(name: str = "Anna", **fields: Any) -> Customer:
    anna = cast.person(name, since=date(2024, 3, 3), **fields)
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def former(name: str = "Anna") -> Customer:
    """Return somebody of whom only the marketing window keeps name and address."""
    anna = cast.person(name, since=date(2020, 3, 3))
    cast.subscription(anna, date(2020, 3, 3), date(2025, 3, 3))
    return anna


def uses() -> Iterator[Use]:
    for purpose in CATALOGUE:
        for channel in purpose.channels:
            yield Use(purpose.code, channel.value, PARTNER if purpose.named_third_party else "")


def allowed(of: Customer) -> set[Where]:
    """Return everything the gate lets through for a person, partner and post included."""
    return {
        (use.purpose, use.channel) for use in uses() if may_process(of.pk, use).allowed(today())
    }


def standings(of: Customer) -> dict[Use, State]:
    names = State.__dataclass_fields__
    return {
        Use(row.purpose, row.channel, row.third_party): State(*(getattr(row, n) for n in names))
        for row in Standing.objects.filter(customer=of)
    }


# Four verbs, four effects


@dataclass(frozen=True)
class Verb:
    """One way of saying stop: through which door, what it writes, what it shuts and starts."""

    door: Callable[[Customer], Any]
    kind: str
    shuts: Callable[[Where], bool]
    case: str = ""
    mail: str = ""
    # What brings the uses back: the person's own yes, or lifting the limit.
    back: str = "yes"


ADVERTISING = {p.code for p in CATALOGUE if p.is_marketing}
OPTIONAL = {p.code for p in CATALOGUE if p.objection.value != "no effect"}

VERBS = {
    "takes back a yes": Verb(
        door=lambda anna: signed_in(anna).post("/mina-val/G/social/", {"answer": "no"}),
        kind="withdrawn",
        shuts=lambda where: where == ("G", "social"),
    ),
    "says no to one way": Verb(
        door=lambda anna: signed_in(anna).post("/mina-val/H/post/", {"answer": "no"}),
        kind="no",
        shuts=lambda where: where == ("H", "post"),
    ),
    "says no to all advertising": Verb(
        door=lambda anna: signed_in(anna).post("/mina-val/stoppa/"),
        kind="no",
        shuts=lambda where: where[0] in ADVERTISING,
    ),
    "unsubscribes by e-mail": Verb(
        door=lambda anna: Client().post(
            f"/sluta/{Link(anna.public_id, 'email').token()}/", {"List-Unsubscribe": "One-Click"}
        ),
        kind="unsubscribed",
        shuts=lambda where: where[0] in ADVERTISING and where[1] == "email",
    ),
    "unsubscribes from everything": Verb(
        door=lambda anna: Client().post(
            f"/sluta/{Link(anna.public_id, 'email').token()}/", {"stop": "allt"}
        ),
        kind="unsubscribed",
        shuts=lambda where: where[0] in ADVERTISING,
    ),
    "objects to offers": Verb(
        door=lambda anna: signed_in(anna).post(NO_PAGE, {"uses": ["H"]}),
        kind="objection",
        shuts=lambda where: where[0] == "H",
        case="objection",
        mail="objection_granted",
    ),
    "objects to statistics": Verb(
        door=lambda anna: signed_in(anna).post(NO_PAGE, {"uses": ["D"]}),
        kind="objection",
        shuts=lambda where: where[0] == "D",
        case="objection",
        mail="objection_granted",
    ),
    "limits the use": Verb(
        door=lambda anna: signed_in(anna).post(LIMIT_PAGE),
        kind="restricted",
        shuts=lambda where: where[0] in OPTIONAL,
        case="restriction",
        mail="restriction_granted",
        back="lift",
    ),
}


@pytest.fixture
def anna() -> Customer:
    """Anna, who gets everything: also what asks for a yes, and a company's advertising."""
    anna = customer()
    for use in (Use("G", "social"), Use("E", "web"), Use("P", "email", PARTNER)):
        say_yes(anna, use, evidence=cast.SHOWN)
    found = allowed(anna)
    wanted = {("G", "social"), ("G", "email"), ("P", "email"), ("E", "web"), ("H", "post")}
    assert wanted | {("A", "post"), ("B", "email"), ("D", "internal"), ("F", "internal")} <= found
    return anna


@pytest.mark.parametrize("name", list(VERBS))
def test_each_verb_shuts_what_it_speaks_of_and_leaves_the_rest(name: str, anna: Customer) -> None:
    verb, before, written = VERBS[name], allowed(anna), Event.objects.count()
    spoken_of = {where for where in before if verb.shuts(where)}
    assert spoken_of
    assert verb.door(anna).status_code in (200, 302)
    assert before - allowed(anna) == spoken_of
    assert allowed(anna) <= before
    assert Event.objects.count() == written + 1
    event = Event.objects.latest("pk")
    assert (event.kind, event.authority) == (verb.kind, 4)


@pytest.mark.parametrize("name", list(VERBS))
def test_each_verb_is_answered_in_its_own_way(name: str, anna: Customer) -> None:
    VERBS[name].door(anna)
    assert [case.right for case in Case.objects.all()] == [VERBS[name].case] * bool(
        VERBS[name].case
    )
    assert [sent.template for sent in Outbox.objects.all()] == [VERBS[name].mail] * bool(
        VERBS[name].mail
    )


@pytest.mark.parametrize("name", list(VERBS))
def test_a_verb_said_twice_is_said_once(name: str, anna: Customer) -> None:
    for _ in range(2):
        VERBS[name].door(anna)
    assert Event.objects.filter(kind=VERBS[name].kind).count() == 1
    assert Case.objects.count() == Outbox.objects.count() == bool(VERBS[name].case)


@pytest.mark.parametrize("name", [name for name, verb in VERBS.items() if verb.back == "yes"])
def test_only_the_persons_own_yes_brings_back_what_a_no_shut(name: str, anna: Customer) -> None:
    before = allowed(anna)
    VERBS[name].door(anna)
    after = allowed(anna)
    # Another sale, another notice and the end of a limitation open nothing (OBJ-06).
    cast.told_at_a_sale(anna)
    serve_notice(anna, collected=Collected.WEB)
    limit(anna)
    lift_limit(anna)
    assert allowed(anna) == after
    for purpose, channel in before - after:
        partner = PARTNER if purpose == "P" else ""
        say_yes(anna, Use(purpose, channel, partner), evidence=cast.SHOWN)
    assert allowed(anna) == before


def test_a_limitation_lets_every_choice_rest_and_lifting_it_brings_all_back(
    anna: Customer,
) -> None:
    signed_in(anna).post("/mina-val/H/sms/", {"answer": "no"})
    before, choices = allowed(anna), standings(anna)
    signed_in(anna).post(LIMIT_PAGE)
    assert standings(anna) == choices
    # A yes under it waits; a no is heard.
    say_yes(anna, Use("C", "sms"), evidence=cast.SHOWN)
    signed_in(anna).post("/mina-val/H/post/", {"answer": "no"})
    assert ("C", "sms") not in allowed(anna)
    signed_in(anna).post(f"{LIMIT_PAGE}hav/")
    assert allowed(anna) == before - {("H", "post")} | {("C", "sms")}


def test_the_ledger_says_the_same_as_what_stands_after_all_of_them(anna: Customer) -> None:
    for verb in VERBS.values():
        verb.door(anna)
        signed_in(anna).post(f"{LIMIT_PAGE}hav/")
        assert standings(anna) == replay(Event.objects.filter(customer=anna).order_by("pk"))


def test_taking_back_a_yes_ends_the_soft_opt_in_for_that_way_too(anna: Customer) -> None:
    say_yes(anna, Use("G", "email"), evidence=cast.SHOWN)
    signed_in(anna).post("/mina-val/G/email/", {"answer": "no"})
    assert Event.objects.latest("pk").kind == "withdrawn"
    assert ("G", "email") not in allowed(anna)
    assert {("G", "sms"), ("H", "email")} <= allowed(anna)


# The page for saying no to a use


def test_nothing_is_ticked_and_every_use_that_can_be_refused_is_offered(anna: Customer) -> None:
    page = signed_in(anna).get(NO_PAGE).content.decode()
    assert "checked" not in page
    assert page.count('type="checkbox"') == len(OBJECTABLE)
    for purpose in OBJECTABLE:
        assert str(purpose.name) in text(signed_in(anna).get(NO_PAGE))
    assert [purpose.code for purpose in OBJECTABLE] == ["C", "D", "E", "F", "G", "H", "I", "J"]


def test_several_uses_are_refused_with_one_answer(anna: Customer) -> None:
    client = signed_in(anna)
    went = client.post(NO_PAGE, {"uses": ["D", "J", "C"]})
    assert went["Location"] == "/mina-arenden/"
    said = [(e.kind, e.purpose, e.channel) for e in Event.objects.order_by("pk")][-3:]
    assert said == [("objection", code, "") for code in "CDJ"]
    case = Case.objects.get()
    assert (case.status, case.closed_on, case.received_on) == ("answered", today(), today())
    kinds = CaseEvent.objects.filter(case=case).values_list("kind", flat=True)
    assert list(kinds) == ["received", "answered"]
    page = text(client.get(went["Location"]))
    assert "Klart. Vi har slutat med det du sa nej till." in page
    assert "Säga nej till en användning" in page
    assert (
        "Vi har slutat med det du sa nej till: ”Enkäter”, ”Statistik som inte pekar ut någon” och "
        "”Göra webbplatsen bättre”." in page
    )


def test_the_answer_is_in_the_language_it_was_asked_in(anna: Customer) -> None:
    headers = {"accept-language": "en"}
    signed_in(anna).post(NO_PAGE, {"uses": ["D", "J"]}, headers=headers)
    assert Case.objects.get().answer.startswith("We have stopped what you said no to: “Stat")
    assert Outbox.objects.get().subject == "We have stopped what you said no to"


def test_a_reason_is_not_needed_and_is_kept_as_evidence_when_given(anna: Customer) -> None:
    signed_in(anna).post(NO_PAGE, {"uses": ["D"], "reason": "Jag vill inte <b>räknas</b>."})
    assert "Jag vill inte <b>räknas</b>." in EventDetail.objects.latest("pk").evidence
    assert "räknas" not in Case.objects.get().answer
    page = signed_in(anna).get("/mina-arenden/").content.decode()
    assert "<b>räknas" not in page


def test_it_is_confirmed_by_mail_with_a_link_and_no_word_of_what(anna: Customer) -> None:
    signed_in(anna).post(NO_PAGE, {"uses": ["D"]})
    relay()
    (sent,) = mail.outbox
    assert sent.subject == "Vi har slutat med det du sa nej till"
    assert f"{settings.SITE_URL}/mina-arenden/" in str(sent.body)
    assert "Statistik" not in str(sent.body)
    assert "/sluta/" not in str(sent.body)


def test_somebody_without_an_address_of_mail_gets_a_letter() -> None:
    anna = customer(email="", account=False)
    object_to(anna, ["D"])
    (message,) = Outbox.objects.all()
    assert (message.kind, message.template) == ("letter", "objection_granted")


def test_what_is_refused_already_is_shown_and_not_asked(anna: Customer) -> None:
    client = signed_in(anna)
    client.post(NO_PAGE, {"uses": ["D"]})
    client.post("/mina-val/stoppa/")
    assert refused(anna) == {"D", "C", "F", "G", "H", "I"}
    page = client.get(NO_PAGE)
    assert page.content.decode().count('type="checkbox"') == 2
    assert "Det här har du redan sagt nej till Enkäter Statistik" in text(page)
    client.post(NO_PAGE, {"uses": ["E", "J"]})
    assert "Du har sagt nej till allt som går att säga nej till." in text(client.get(NO_PAGE))
    assert "<textarea" not in client.get(NO_PAGE).content.decode()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({}, "Välj minst en sak som vi ska sluta med."),
        ({"uses": ["A"]}, "Välj bland det som står i listan."),
        ({"uses": ["P"]}, "Välj bland det som står i listan."),
        ({"uses": ["D", "Z"]}, "Välj bland det som står i listan."),
        ({"uses": ["D"], "reason": "x" * 2001}, "Skriv högst 2 000 tecken, eller ring oss."),
    ],
)
def test_what_cannot_be_refused_is_said_in_one_sentence_and_nothing_happens(
    sent: dict[str, Any], sentence: str, anna: Customer
) -> None:
    before = Event.objects.count()
    response = signed_in(anna).post(NO_PAGE, sent)
    assert response.status_code == 422
    assert sentence in text(response)
    assert "checked" not in response.content.decode() or "D" in sent.get("uses", [])
    assert (Event.objects.count(), Case.objects.count()) == (before, 0)


@pytest.mark.parametrize("code", ["A", "L", "Z", ""])
def test_the_act_refuses_what_no_objection_reaches_and_writes_no_half(
    code: str, anna: Customer
) -> None:
    before = Event.objects.count()
    with pytest.raises(ActError):
        object_to(anna, ["D", code])
    assert (Event.objects.count(), Case.objects.count()) == (before, 0)


def test_it_is_ones_own_data_and_nobody_elses(anna: Customer) -> None:
    björn = customer("Björn")
    signed_in(anna).post(NO_PAGE, {"uses": ["D"], "customer": björn.pk})
    assert refused(björn) == set()
    assert "Säga nej till en användning" not in text(signed_in(björn).get("/mina-arenden/"))
    for page in (NO_PAGE, LIMIT_PAGE, f"{LIMIT_PAGE}hav/"):
        assert Client().post(page)["Location"].startswith("/konto/logga-in/")


def test_a_link_refuses_and_limits_nothing(anna: Customer) -> None:
    before = Event.objects.count()
    client = signed_in(anna)
    for address in (f"{NO_PAGE}?uses=D", LIMIT_PAGE, f"{LIMIT_PAGE}hav/"):
        client.get(address)
        client.head(address)
    assert Event.objects.count() == before


# What goes with it


def night(day: date) -> None:
    run, _ = open_run(day)
    execute(run)


def test_what_was_kept_only_for_it_goes_the_night_after() -> None:
    yesterday = today() - timedelta(days=1)
    anna, björn, cecilia = former(), former("Björn"), former("Cecilia")
    object_to(anna, ["F", "H"], at=cast.noon(yesterday))
    object_to(björn, ["H"], at=cast.noon(yesterday))
    relay()
    night(today())
    assert Customer.objects.get(pk=anna.pk).name == ""
    assert not Address.objects.filter(customer=anna).exists()
    # Björn's groups for offers and Cecilia's offers still keep theirs.
    assert Customer.objects.get(pk=björn.pk).name == "Björn Ek"
    assert Customer.objects.get(pk=cecilia.pk).name == "Cecilia Ek"


def test_the_answer_says_which_night(anna: Customer) -> None:
    signed_in(anna).post(NO_PAGE, {"uses": ["D"]})
    assert "raderas natten till " in Case.objects.get().answer


def test_the_words_of_the_case_hold_nothing_of_the_person(anna: Customer) -> None:
    signed_in(anna).post(NO_PAGE, {"uses": ["D"], "reason": "Anna Ek"})
    limit(anna)
    for case in Case.objects.all():
        assert "Anna" not in case.answer


# The person's own limitation


def test_a_limitation_is_set_and_lifted_in_one_step_each(anna: Customer) -> None:
    client = signed_in(anna)
    page = client.get(LIMIT_PAGE)
    assert "Begränsa användningen" in text(page)
    set_one = client.post(LIMIT_PAGE, follow=True)
    anna.refresh_from_db()
    assert anna.restriction == Restriction.VOLUNTARY
    assert "Klart. Vi använder dina uppgifter bara till det nödvändiga från nu." in text(set_one)
    assert "Häv begränsningen" in text(set_one)
    lifted = client.post(f"{LIMIT_PAGE}hav/", follow=True)
    anna.refresh_from_db()
    assert anna.restriction == Restriction.NONE
    assert "Klart. Begränsningen är hävd, och dina val gäller igen." in text(lifted)
    assert [e.kind for e in Event.objects.order_by("pk")][-2:] == ["restricted", "unrestricted"]


def test_a_limitation_is_a_case_with_its_answer(anna: Customer) -> None:
    client = signed_in(anna)
    client.post(LIMIT_PAGE)
    assert Case.objects.get().closed_on == today()
    page = text(client.get("/mina-arenden/"))
    assert "Begränsa användningen" in page
    assert "använder vi dina uppgifter bara till det du har köpt" in page


@pytest.mark.parametrize("ground", ["a", "b", "c", "d"])
def test_a_limitation_by_law_is_told_and_neither_weakened_nor_lifted_here(
    ground: str, anna: Customer
) -> None:
    restrict(anna, ground)
    before = Event.objects.count()
    client = signed_in(anna)
    page = text(client.get(LIMIT_PAGE))
    assert "Användningen av dina uppgifter är begränsad" in page
    assert "Vi skriver till dig innan begränsningen upphör." in page
    assert "Häv begränsningen" not in page
    client.post(f"{LIMIT_PAGE}hav/")
    assert Event.objects.count() == before
    # What the person asks for is kept beneath it, once (RES-03), and lifted by them alone.
    for _ in range(2):
        client.post(LIMIT_PAGE)
    assert Event.objects.count() == before + 1
    assert "När den begränsningen upphör" in text(client.get("/mina-arenden/"))
    assert "Häv din egen begränsning" in text(client.get(LIMIT_PAGE))
    for _ in range(2):
        lifted = text(client.post(f"{LIMIT_PAGE}hav/", follow=True))
    assert "Häv din egen begränsning" not in lifted
    anna.refresh_from_db()
    assert anna.restriction == ground
    assert Event.objects.count() == before + 2


def test_the_pages_are_found_where_people_look(anna: Customer) -> None:
    client = signed_in(anna)
    for page in ("/mina-val/", "/mina-arenden/"):
        content = client.get(page).content.decode()
        assert f'href="{NO_PAGE}"' in content
        assert f'href="{LIMIT_PAGE}"' in content
    assert f'href="{LIMIT_PAGE}"' in client.get("/mer/").content.decode()
