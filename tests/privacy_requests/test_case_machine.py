"""Every state of a case and everything that may happen to it, and what the database refuses."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone

from customers.models import User
from disclosures.models import Outbox
from privacy_requests import actions, answers, cases
from privacy_requests.checks import check_answers
from privacy_requests.messages import answer_stranger, register_message
from privacy_requests.models import Case, CaseEvent
from privacy_requests.models.cases import TRANSITIONS
from tests import cast

pytestmark = pytest.mark.django_db

Status = Case.Status


@pytest.fixture
def cecilia(db: None) -> User:
    return User.objects.create_user("cecilia@dentalclean.example", is_staff=True)


@pytest.fixture
def disa(db: None) -> User:
    return User.objects.create_user("disa@dentalclean.example", is_staff=True)


@pytest.fixture
def case(cecilia: User) -> Case:
    anna = cast.person("Anna")
    said = "Använd dem inte."
    return register_message(anna, ["restriction"], said, collected="phone", actor=cecilia)[0]


def refuse(case: Case, by: User, and_by: User) -> None:
    cases.decide(case.pk, "refused", reasons="För att.", rule="artikel 17.3 b", actor=by)
    cases.approve(case.pk, actor=and_by)


STATES: dict[str, Callable[[Case, User, User], Any]] = {
    "working": lambda case, _c, _d: cases.start(case.pk),
    "identifying": lambda case, c, _d: cases.ask_identity(case.pk, actor=c),
    "answered": lambda case, c, _d: cases.grant(case.pk, actor=c),
    "refused": refuse,
    "not_identified": lambda case, c, _d: (
        cases.ask_identity(case.pk, actor=c),
        cases.give_up_on_identity(case.pk, timezone.now()),
    ),
    "taken_back": lambda case, _c, _d: cases.take_back(case.pk),
}
EVENTS: dict[str, Callable[[Case, User, User], Any]] = {
    "more words": lambda case, _c, _d: cases.add_words(case.pk, "Skynda på."),
    "start": lambda case, _c, _d: cases.start(case.pk),
    "ask": lambda case, c, _d: cases.ask_identity(case.pk, actor=c),
    "identify": lambda case, c, _d: cases.identify(case.pk, "staff", actor=c),
    "remind": lambda case, _c, _d: cases.remind_of_identity(case.pk, timezone.now()),
    "give up": lambda case, _c, _d: cases.give_up_on_identity(case.pk, timezone.now()),
    "extend": lambda case, c, _d: cases.extend(case.pk, "number", "Många.", actor=c),
    "decide": lambda case, c, _d: cases.decide(
        case.pk, "refused", reasons="För att.", rule="artikel 17.3", actor=c
    ),
    "approve": lambda case, _c, d: cases.approve(case.pk, actor=d),
    "send back": lambda case, _c, d: cases.send_back(case.pk, "Mer.", actor=d),
    "grant": lambda case, c, _d: cases.grant(case.pk, actor=c),
    "take back": lambda case, _c, _d: actions.take_back(case.pk),
}
# What an open case refuses; a closed one refuses everything.
REFUSED = {
    ("working", "approve"),
    ("working", "send back"),
    ("identifying", "ask"),
    ("identifying", "decide"),
    ("identifying", "approve"),
    ("identifying", "send back"),
    ("identifying", "grant"),
}
OPEN = ("working", "identifying")


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_event_in_every_state_is_done_with_a_trace_or_refused_in_a_sentence(
    state: str, event: str, case: Case, cecilia: User, disa: User
) -> None:
    STATES[state](case, cecilia, disa)
    before = Case.objects.filter(pk=case.pk).values().get()
    traces = case.events.count()
    if state not in OPEN or (state, event) in REFUSED:
        with pytest.raises(cases.RefusedError) as refused:
            EVENTS[event](case, cecilia, disa)
        assert str(refused.value).endswith(".")
        assert Case.objects.filter(pk=case.pk).values().get() == before
        assert case.events.count() == traces
    else:
        EVENTS[event](case, cecilia, disa)
        case.refresh_from_db()
        assert case.status in (before["status"], *TRANSITIONS[before["status"]])
        idle = {("working", "start"), ("identifying", "start"), ("working", "remind")}
        idle |= {("working", "give up")}
        assert (case.events.count() > traces) == ((state, event) not in idle)


@pytest.mark.parametrize("then", Status.values)
@pytest.mark.parametrize("now", ["received", *STATES])
def test_the_database_holds_a_case_to_its_states(
    now: str, then: str, case: Case, cecilia: User, disa: User
) -> None:
    if now == "received":
        case = cases.register(case.customer, "rectification", collected="post")
    else:
        STATES[now](case, cecilia, disa)
    case.refresh_from_db()
    closing = {"answered_at": timezone.now(), "closed_on": case.received_on, "outcome": "granted"}
    more = {} if then in ("received", "identifying", "working") else closing
    if not case.is_open:
        more = {}
    asked = {"asked_on": case.received_on} if then == "identifying" else {}
    stands = {} if then == "identifying" else {"stands_since": None}
    changed = {"status": then, **more, **asked, **stands}
    if then == case.status or then in TRANSITIONS[case.status]:
        Case.objects.filter(pk=case.pk).update(**changed)
    else:
        with pytest.raises(Error), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(**changed)


@pytest.mark.parametrize(
    "lie",
    [
        {"outcome": "granted"},
        {"answer": "Nej."},
        {"reasons": "Andra."},
        {"wording": "Något annat"},
        {"approved_by": None},
        {"closed_on": None, "status": "working"},
    ],
)
def test_what_was_answered_is_not_said_anew(
    lie: dict[str, Any], case: Case, cecilia: User, disa: User
) -> None:
    refuse(case, cecilia, disa)
    with pytest.raises(Error), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**lie)


def test_events_are_only_added(case: Case) -> None:
    with pytest.raises(Error), transaction.atomic():
        CaseEvent.objects.filter(case=case).update(words="Något annat")
    with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE privacy_requests_caseevent")


@pytest.mark.parametrize("outcome", ["partly", "refused"])
def test_a_no_needs_two_people_and_reasons(
    outcome: str, case: Case, cecilia: User, disa: User
) -> None:
    closed = {
        "status": "answered",
        "outcome": outcome,
        "answered_at": timezone.now(),
        "closed_on": case.received_on,
        "reasons": "För att.",
        "decided_by": cecilia,
        "approved_by": disa,
    }
    lacking: list[dict[str, Any]] = [
        {"decided_by": None},
        {"approved_by": None},
        {"approved_by": cecilia},
        {"reasons": ""},
    ]
    for lack in lacking:
        with pytest.raises(Error), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(**{**closed, **lack})
    with pytest.raises(cases.RefusedError, match="godkännas av en person till"):
        cases.grant(case.pk, outcome=outcome, actor=cecilia)
    cases.decide(case.pk, outcome, reasons="För att.", rule="artikel 17.3 b", actor=cecilia)
    with pytest.raises(cases.RefusedError, match="Någon annan"):
        cases.approve(case.pk, actor=cecilia)
    cases.approve(case.pk, actor=disa)
    case.refresh_from_db()
    assert (case.status, case.outcome, case.approved_by_id) == ("answered", outcome, disa.pk)
    for told in ("För att.", "artikel 17.3 b", "IMY", "domstol"):
        assert told in case.answer
    assert Outbox.objects.filter(template="case_answered").count() == 1


@pytest.mark.parametrize("outcome", ["granted", "partly"])
def test_a_yes_to_erasure_is_given_by_what_erases_and_never_by_hand(
    outcome: str, cecilia: User, disa: User
) -> None:
    case = register_message(cast.person("Anna"), ["erasure"], "Ta bort mig.")[0]
    why: dict[str, Any] = {"reasons": "Bokföringen.", "rule": "artikel 17.3 b"}
    for by_hand in (
        lambda: cases.grant(case.pk, outcome=outcome, actor=cecilia),
        lambda: cases.decide(case.pk, outcome, actor=cecilia, **why),
        lambda: cases.answer(cases.locked(case.pk), timezone.now(), "Ja.", outcome=outcome),
    ):
        with pytest.raises(cases.RefusedError), transaction.atomic():
            by_hand()
    closed = {"status": "answered", "outcome": outcome, "closed_on": case.received_on}
    closed |= {"answered_at": timezone.now(), "decided_by": cecilia, "approved_by": disa, **why}
    with pytest.raises(Error), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(**closed)
    assert Case.objects.unanswered().filter(pk=case.pk).exists()
    with transaction.atomic():
        case = cases.locked(case.pk)
        case.reasons, case.rule = "Bokföringen.", "artikel 17.3 b"
        said = answers.render(case, outcome)
        cases.answer(case, timezone.now(), said, outcome=outcome, by_engine=True)
    case.refresh_from_db()
    assert (case.outcome, case.is_open, case.answer) == (outcome, False, said)
    assert case.carried_out_at is not None


def test_a_fee_is_told_before_anything_costs_and_can_be_escaped(
    case: Case, cecilia: User, disa: User
) -> None:
    how: dict[str, Any] = {
        "reasons": "Tionde gången i veckan.",
        "rule": "artikel 12.5",
        "fee_ore": 30000,
    }
    cases.decide(case.pk, "granted", actor=cecilia, **how)
    with pytest.raises(cases.RefusedError, match="meddelas först"):
        cases.grant(case.pk, actor=cecilia)
    cases.approve(case.pk, actor=disa)
    case.refresh_from_db()
    assert (case.status, case.fee_ore) == ("working", 30000)
    assert "300" in Outbox.objects.get(template="case_fee").body
    actions.take_back(case.pk)
    case.refresh_from_db()
    assert (case.status, case.fee_ore) == ("taken_back", 0)


def test_several_rights_in_one_message_are_cases_of_one_receipt(cecilia: User) -> None:
    anna = cast.person("Anna")
    token = uuid.uuid4()
    rights = ["rectification", "portability", "credit_review"]
    for _again in range(2):
        found = register_message(anna, rights, "Allt detta.", token=token, actor=cecilia)
    assert [case.right for case in found] == rights
    assert len({(case.received_on, case.latest_on, case.message_id) for case in found}) == 1
    assert Case.objects.count() == 3
    assert Outbox.objects.filter(template="case_received").count() == 1


def test_a_second_request_folds_into_the_open_one_with_its_words(case: Case) -> None:
    again = register_message(case.customer, ["restriction"], "Snälla, nu.")[0]
    assert again == case
    assert again.wording == "Använd dem inte.\n\nSnälla, nu."
    assert again.received_on == case.received_on
    assert list(case.events.filter(kind="added").values_list("words", flat=True)) == ["Snälla, nu."]
    register_message(case.customer, ["restriction"], "Snälla, nu.")
    assert case.events.filter(kind="added").count() == 1


@pytest.mark.parametrize("right", ["withdrawal", "objection"])
def test_what_is_granted_at_once_is_a_case_with_its_answer(right: str) -> None:
    anna = cast.person("Anna")
    found = register_message(anna, [right], "Sluta.")[0]
    assert (found.status, found.outcome, found.wording) == ("answered", "granted", "Sluta.")
    assert found.answer


def test_a_limitation_acts_at_once_and_waits_for_a_human_about_its_ground() -> None:
    anna = cast.person("Anna")
    found = register_message(anna, ["restriction"], "Uppgifterna är fel.")[0]
    anna.refresh_from_db()
    assert (found.status, anna.restriction) == ("working", "v")


@pytest.mark.parametrize("language", ["sv", "en"])
def test_somebody_we_know_nothing_of_is_told_so(language: str, cecilia: User) -> None:
    case = answer_stranger(
        "okand@example.se",
        received_at=timezone.now(),
        collected="email",
        actor=cecilia,
        language=language,
    )
    assert (case.outcome, case.customer.name, case.customer.email) == ("no_data", "", "")
    message = Outbox.objects.get(template="case_answered")
    assert message.recipient == "okand@example.se"
    assert ("Vi har inga uppgifter" if language == "sv" else "We hold no data") in message.body


def test_every_right_and_outcome_has_its_answer_in_both_languages() -> None:
    assert check_answers(None) == []


def test_a_no_that_does_not_say_where_to_complain_stops_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(answers.COMPLAINT, "sv", ("IMY", "finns inte"))
    missing = {error.id for error in check_answers(None)}
    monkeypatch.setattr(answers, "outcomes", lambda _right: ("finns_inte",))
    assert missing == {"privacy_requests.E002"}
    assert {error.id for error in check_answers(None)} == {
        "privacy_requests.E001",
        "privacy_requests.E002",
    }


def test_an_answer_is_sent_in_the_transaction_that_closes(case: Case, cecilia: User) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE disclosures_outbox ADD CHECK (template <> 'case_answered')")
    with pytest.raises(Error), transaction.atomic():
        cases.grant(case.pk, actor=cecilia)
    case.refresh_from_db()
    assert case.is_open
    assert not case.events.filter(kind="answered").exists()
