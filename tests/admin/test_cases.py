"""Cases in the hands of staff: the queue, a request by phone, identity, more time, a no by two."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from customers.dates import today
from customers.models import AccessLog, Customer
from disclosures.models import Outbox
from privacy_requests.messages import register_message
from privacy_requests.models import Case, Erasure
from tests import cast
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(db: None) -> Customer:
    return cast.person("Anna")


@pytest.fixture
def case(anna: Customer) -> Case:
    return register_message(anna, ["restriction"], "Använd dem inte.", collected="post")[0]


def page(case: Case, act: str = "") -> str:
    rest = f"gor/{act}/" if act else "change/"
    return f"/personal/privacy_requests/case/{case.pk}/{rest}"


def does(client: Client, case: Case, act: str, **sent: Any) -> Any:
    Desk.says_why(client, case.customer, "case")
    return client.post(page(case, act), sent)


def test_a_request_by_letter_is_written_down_with_its_day_and_its_words(
    cecilia: Client, anna: Customer, desk: type[Desk]
) -> None:
    desk.says_why(cecilia, anna)
    came = today() - timedelta(days=3)
    sent = {
        "rights": ["rectification", "portability"],
        "collected": "post",
        "received_on": came.isoformat(),
        "wording": "Jag har flyttat.",
    }
    address = f"/personal/customers/customer/{anna.pk}/begaran/"
    assert cecilia.get(address).status_code == 200
    assert cecilia.post(address, sent).status_code == 302
    found = list(Case.objects.order_by("pk"))
    assert [case.right for case in found] == ["rectification", "portability"]
    assert {case.received_on for case in found} == {came}
    assert {case.registered_by_id for case in found} != {None}
    later = {**sent, "received_on": (today() + timedelta(days=1)).isoformat()}
    refused = cecilia.post(address, later)
    assert "Dagen har inte varit än." in refused.content.decode()
    assert Case.objects.count() == 2


@pytest.mark.breaks(8)
def test_the_queue_goes_by_last_day_in_colour_and_in_words(cecilia: Client, anna: Customer) -> None:
    for days, right in ((-2, "erasure"), (3, "rectification"), (20, "portability")):
        made = register_message(anna, [right], "Hej.")[0]
        Case.objects.filter(pk=made.pk).update(latest_on=today() + timedelta(days=days))
    done = register_message(anna, ["withdrawal"], "Nej.")[0]
    text = cecilia.get("/personal/privacy_requests/case/").content.decode()
    said = ["Försenat två dagar", "Om tre dagar", "Om 20 dagar", f"/case/{done.pk}/change/"]
    assert sorted(said, key=text.index) == said
    assert 'class="late"' in text
    assert 'class="soon"' in text


def test_a_case_shows_its_words_its_history_and_what_can_be_done(
    cecilia: Client, case: Case, desk: type[Desk]
) -> None:
    desk.says_why(cecilia, case.customer)
    text = cecilia.get(page(case)).content.decode()
    for told in ("Använd dem inte.", "Vi svarar senast", "Fråga vem det är", "Förläng", "Svara"):
        assert told in text
    assert "Godkänn förslaget" not in text


def test_a_page_of_a_case_asks_why_and_leaves_a_trace(cecilia: Client, case: Case) -> None:
    assert "/skal/" in cecilia.get(page(case, "svara"))["Location"]
    Desk.says_why(cecilia, case.customer)
    before = AccessLog.objects.count()
    assert cecilia.get(page(case, "svara")).status_code == 200
    assert AccessLog.objects.count() == before + 1


def test_a_yes_is_previewed_and_sent_at_once(cecilia: Client, case: Case) -> None:
    Desk.says_why(cecilia, case.customer)
    preview = cecilia.get(page(case, "svara")).content.decode()
    assert "Så läser kunden svaret: ja, helt" in preview
    assert "Integritetsskyddsmyndigheten" in preview
    assert does(cecilia, case, "svara", outcome="granted", more="Tack.").status_code == 302
    case.refresh_from_db()
    assert (case.status, case.outcome) == ("answered", "granted")
    assert "Tack." in case.answer
    assert Outbox.objects.filter(template="case_answered").count() == 1


def test_a_yes_to_erasure_is_not_offered_and_not_taken(cecilia: Client, anna: Customer) -> None:
    case = register_message(anna, ["erasure"], "Ta bort mig.")[0]
    Desk.says_why(cecilia, anna)
    form = cecilia.get(page(case, "svara")).content.decode()
    assert 'value="refused"' in form
    assert 'value="granted"' not in form
    for outcome in ("granted", "partly"):
        sent = {"outcome": outcome, "reasons": "Gjort.", "rule": "artikel 17.1"}
        assert does(cecilia, case, "svara", **sent).status_code == 422
    case.refresh_from_db()
    assert case.is_open


def test_an_erasure_by_letter_is_confirmed_when_it_is_known_who_asks(
    cecilia: Client, anna: Customer
) -> None:
    erasure = register_message(anna, ["erasure"], "Radera mig.", collected="post")[0]
    # Not before: whoever wrote may be anybody (A20).
    assert does(cecilia, erasure, "radera").status_code == 409
    assert does(cecilia, erasure, "identitet", method="letter").status_code == 302
    before = cecilia.get(page(erasure, "radera")).content.decode()
    assert "Raderas natten efter 72 timmar" in before
    assert "Ditt namn" in before
    assert not Erasure.objects.exists()
    assert does(cecilia, erasure, "radera").status_code == 302
    confirmed = Erasure.objects.get()
    assert (confirmed.case_id, confirmed.proved_by) == (erasure.pk, "letter")
    assert Outbox.objects.filter(template="erasure_confirmed", recipient=anna.email).exists()
    # The customer rings and has changed their mind.
    assert does(cecilia, erasure, "ta-tillbaka").status_code == 302
    anna.refresh_from_db()
    assert anna.erasure_on is None


def test_a_no_is_written_by_one_and_approved_by_the_data_protection_officer(
    cecilia: Client, disa: Client, case: Case
) -> None:
    without = does(cecilia, case, "svara", outcome="refused")
    assert without.status_code == 422
    assert "Skriv skälen." in without.content.decode()
    no = {"outcome": "refused", "reasons": "Bokföringslagen.", "rule": "artikel 17.3 b"}
    assert does(cecilia, case, "svara", **no).status_code == 302
    case.refresh_from_db()
    assert case.is_open
    assert not Outbox.objects.filter(template="case_answered").exists()
    assert does(cecilia, case, "godkann").status_code == 403
    Desk.says_why(disa, case.customer)
    assert "Bokföringslagen." in disa.get(page(case, "godkann")).content.decode()
    assert does(disa, case, "godkann").status_code == 302
    case.refresh_from_db()
    assert (case.outcome, case.is_open) == ("refused", False)
    for told in ("Bokföringslagen.", "artikel 17.3 b", "IMY", "domstol"):
        assert told in case.answer


def test_who_wrote_a_no_never_approves_it(disa: Client, case: Case) -> None:
    no = {"outcome": "partly", "reasons": "Ett arkiv.", "rule": "artikel 17.3 b"}
    does(disa, case, "svara", **no)
    answer = does(disa, case, "godkann")
    assert answer.status_code == 409
    assert "Någon annan än den som skrev förslaget" in answer.content.decode()


def test_a_proposal_goes_back_with_a_word(cecilia: Client, disa: Client, case: Case) -> None:
    no = {"outcome": "refused", "reasons": "Nja.", "rule": "artikel 17.3"}
    does(cecilia, case, "svara", **no)
    does(disa, case, "skicka-tillbaka", wording="Vilken regel?")
    case.refresh_from_db()
    assert (case.outcome, case.decided_by_id) == ("", None)
    assert case.events.get(kind="sent_back").words == "Vilken regel?"


def test_identity_is_asked_for_once_and_noted(cecilia: Client, case: Case) -> None:
    does(cecilia, case, "fraga")
    case.refresh_from_db()
    assert (case.status, case.stands_since) == ("identifying", today())
    assert does(cecilia, case, "fraga").status_code == 409
    assert does(cecilia, case, "svara", outcome="granted").status_code == 409
    does(cecilia, case, "identitet", method="letter")
    case.refresh_from_db()
    assert (case.status, case.identity_method, case.stands_since) == ("working", "letter", None)


def test_more_time_is_told_to_the_person(cecilia: Client, case: Case) -> None:
    assert does(cecilia, case, "forlang", reason="lazy", why="x").status_code == 422
    does(cecilia, case, "forlang", reason="number", why="Hundra brev.")
    case.refresh_from_db()
    assert case.extended_on == today()
    assert Outbox.objects.filter(template="case_extended").count() == 1
    assert "Hundra brev." in cecilia.get(page(case)).content.decode()


def test_a_closed_case_is_left_alone_with_a_sentence(cecilia: Client, case: Case) -> None:
    does(cecilia, case, "svara", outcome="granted")
    for act in ("svara", "forlang", "mer", "ta-tillbaka", "identitet"):
        sent = {"outcome": "granted", "reason": "number", "why": "x", "wording": "x"}
        answer = does(cecilia, case, act, method="staff", **sent)
        assert answer.status_code == 409, act
        assert "Ärendet avslutades" in answer.content.decode()


@pytest.mark.parametrize("who", ["erik", "olle"])
def test_others_of_staff_neither_see_nor_work_cases(
    who: str, case: Case, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(who)
    assert client.get("/personal/privacy_requests/case/").status_code == 403
    for act in ("svara", "godkann", "finns-inte"):
        assert client.post(page(case, act), {}).status_code in (403, 404)
    case.refresh_from_db()
    assert case.is_open


def test_words_of_a_person_show_as_text(cecilia: Client, anna: Customer) -> None:
    case = register_message(anna, ["erasure"], "<script>alert(1)</script>")[0]
    Desk.says_why(cecilia, anna)
    for act in ("", "svara"):
        assert b"<script>alert" not in cecilia.get(page(case, act)).content
