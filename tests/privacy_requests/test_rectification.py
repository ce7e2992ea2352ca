"""What is wrong is corrected at once where Min sida can, and else becomes a case that restricts."""

from datetime import date
from typing import Any

import pytest
from django.db import InternalError, transaction
from django.test import Client

from customers.actions import change_details
from customers.models import Change, Customer, Invoice, User
from privacy_requests import cases
from privacy_requests.messages import register_message
from privacy_requests.models import Case, Statement, Wrong
from privacy_requests.supplements import MOST, add_statement
from tests import cast
from tests.privacy_requests.doing import signed_in

pytestmark = pytest.mark.django_db
PAGE = "/mina-arenden/ratta/"


@pytest.mark.parametrize("what", Wrong.values)
def test_each_thing_that_is_wrong_becomes_a_case_in_the_persons_words(
    what: str, client: Client, anna: Customer
) -> None:
    """REC-03: contested and not settled at once, it is only stored from that moment."""
    answer = signed_in(client, anna).post(PAGE, {"what": what, "wording": "Det ska stå 1990."})
    case = Case.objects.get(customer=anna)
    assert answer["Location"] == f"/mina-arenden/{case.public_id}/"
    assert case.right == Case.Right.RECTIFICATION
    assert case.wording == f"{Wrong(what).label}: Det ska stå 1990."
    anna.refresh_from_db()
    assert anna.restriction == "a"
    client.post(PAGE, {"what": what, "wording": "Det ska stå 1990."})
    assert Case.objects.filter(customer=anna).count() == 1


@pytest.mark.parametrize(
    ("given", "status"),
    [({}, 422), ({"what": "colour", "wording": "?"}, 400), ({"what": "name"}, 422)],
)
def test_what_cannot_be_read_is_asked_again(
    given: dict[str, str], status: int, client: Client, anna: Customer
) -> None:
    answer = signed_in(client, anna).post(PAGE, given)
    assert answer.status_code == status
    assert not Case.objects.exists()


def test_endless_words_are_refused_in_a_sentence(client: Client, anna: Customer) -> None:
    given = {"what": "other", "wording": "x" * 1_000_000}
    answer = signed_in(client, anna).post(PAGE, given)
    assert answer.status_code == 413
    assert "högst 5 000 tecken" in answer.content.decode()


def test_what_min_sida_can_change_is_changed_at_once_with_what_was(
    anna: Customer,
) -> None:
    """REC-01: old, new, by whose word; nothing is restricted by it."""
    change_details(anna, {"family_name": "Eék"})
    change = Change.objects.get(customer=anna)
    assert (change.field, change.old, change.new) == ("family_name", "Ek", "Eék")
    assert (change.source, change.collected) == ("person", "portal")
    anna.refresh_from_db()
    assert (anna.family_name, anna.restriction) == ("Eék", "")


def test_an_invoice_is_never_overwritten(anna: Customer) -> None:
    """REC-02: the database refuses it whoever asks."""
    issued = cast.invoice(anna, date(2026, 3, 5))
    wrong: list[dict[str, Any]] = [{"buyer_name": "Nytt Namn"}, {"total_ore": 1}, {"lines": []}]
    for values in wrong:
        with pytest.raises(InternalError, match="BFL-04"), transaction.atomic():
            Invoice.objects.filter(pk=issued.pk).update(**values)


ADD = "/mina-arenden/ratta/tillagg/"


def test_a_statement_is_the_persons_own_words_beside_the_data(
    client: Client, anna: Customer
) -> None:
    """REC-01: shown, once however often it is sent, and gone when they want."""
    her = signed_in(client, anna)
    assert her.get(ADD).status_code == 200
    sent = {"about": "invoice", "wording": "Jag fick <i>ett</i> borsthuvud."}
    for _click in range(3):
        assert her.post(ADD, sent)["Location"] == PAGE
    own = Statement.objects.get(customer=anna)
    assert "Jag fick &lt;i&gt;ett&lt;/i&gt;" in her.get(PAGE).content.decode()
    anna.refresh_from_db()
    assert anna.restriction == ""
    away = f"{ADD}{own.public_id}/ta-bort/"
    bjorn = signed_in(Client(), cast.person("Björn"))
    assert bjorn.post(away).status_code == 302
    assert Statement.objects.count() == 1
    for _click in range(2):
        assert her.post(away)["Location"] == PAGE
    assert not Statement.objects.exists()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 422),
        ({"about": "note", "wording": ""}, 422),
        ({"about": "colour", "wording": "Röd"}, 400),
        ({"about": "note", "wording": "x" * 1_000_000}, 413),
    ],
)
def test_a_statement_that_cannot_be_taken_leaves_nothing(
    sent: dict[str, str], status: int, client: Client, anna: Customer
) -> None:
    assert signed_in(client, anna).post(ADD, sent).status_code == status
    assert not Statement.objects.exists()


def test_nobody_fills_the_register_with_statements(client: Client, anna: Customer) -> None:
    for number in range(MOST):
        add_statement(anna, "note", f"Tillägg {number}")
    answer = signed_in(client, anna).post(ADD, {"about": "note", "wording": "Ett till"})
    assert answer.status_code == 409
    assert "Du har redan många tillägg." in answer.content.decode()


@pytest.mark.parametrize("outcome", ["refused", "partly"])
def test_whoever_is_refused_is_offered_to_add_their_own_words(
    outcome: str, client: Client, anna: Customer
) -> None:
    one, two = (User.objects.create_user(f"{name}@dentalclean.example") for name in ("c", "d"))
    (case,) = register_message(anna, ["rectification"], "Fel.")
    cases.decide(case.pk, outcome, reasons="Det stämmer.", rule="artikel 16", actor=one)
    cases.approve(case.pk, actor=two)
    page = signed_in(client, anna).get(f"/mina-arenden/{case.public_id}/").content.decode()
    assert "eget tillägg" in Case.objects.get(pk=case.pk).answer
    assert ADD in page
