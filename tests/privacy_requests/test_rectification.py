"""What is wrong is corrected at once where Min sida can, and else becomes a case that restricts."""

from datetime import date

import pytest
from django.db import InternalError, transaction
from django.test import Client

from customers.actions import change_details
from customers.models import Change, Customer, Invoice
from privacy_requests.models import Case
from privacy_requests.rectification_forms import Wrong
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


@pytest.mark.parametrize("given", [{}, {"what": "colour", "wording": "?"}, {"what": "name"}])
def test_what_cannot_be_read_is_asked_again(
    given: dict[str, str], client: Client, anna: Customer
) -> None:
    answer = signed_in(client, anna).post(PAGE, given)
    assert answer.status_code == 422
    assert not Case.objects.exists()


def test_endless_words_are_refused_in_a_sentence(client: Client, anna: Customer) -> None:
    given = {"what": "other", "wording": "x" * 1_000_000}
    answer = signed_in(client, anna).post(PAGE, given)
    assert answer.status_code == 422
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
    for values in ({"buyer_name": "Nytt Namn"}, {"total_ore": 1}, {"lines": []}):
        with pytest.raises(InternalError, match="BFL-04"), transaction.atomic():
            Invoice.objects.filter(pk=issued.pk).update(**values)
