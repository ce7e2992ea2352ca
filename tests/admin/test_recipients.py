"""The data protection officer keeps recipients and agreements, and closes notices."""

from typing import Any

import pytest
from django.test import Client

from consent.actions import restrict
from customers.dates import today
from customers.personal_data import Category
from disclosures.models import Agreement, Recipient, RecipientNotice
from disclosures.models.recipients import ARTICLE_28
from tests import recipients
from tests.admin.conftest import Desk

pytestmark = pytest.mark.django_db

ROOM = "/personal/disclosures"
PRINTER = {
    "kind": "processor", "name": "Brevtryck", "legal_name": "Brevtryck AB", "task": "trycker brev",
    "email": "dataskydd@example.com", "country": "se", "purposes": ["A", "B"], "kinds": [1, 4],
    "active_from": "2026-01-01",
}  # fmt: skip
NO_SUBS = {"sub_processors-TOTAL_FORMS": "0", "sub_processors-INITIAL_FORMS": "0"}


def test_a_recipient_and_its_agreement_are_written_on_their_pages(disa: Client) -> None:
    assert disa.post(f"{ROOM}/recipient/add/", PRINTER).status_code == 302
    printer = Recipient.objects.get()
    assert (printer.country, printer.categories) == ("SE", Category.IDENTITY | Category.ADDRESS)
    assert "inget avtal" in disa.get(f"{ROOM}/recipient/").content.decode()
    signed = {
        "recipient": printer.pk, "reference": "A1", "valid_from": str(today()),
        "countries": "no, US", "safeguard": "", **dict.fromkeys(ARTICLE_28, "on"), **NO_SUBS,
    }  # fmt: skip
    assert disa.post(f"{ROOM}/agreement/add/", signed).status_code == 302
    assert Agreement.objects.get().countries == ["NO", "US"]
    assert "saknar skydd" in disa.get(f"{ROOM}/recipient/").content.decode()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"country": "XX"}, "två bokstäver"),
        ({"kind": "partner"}, "bara för P"),
        ({"purposes": ["P"]}, "P är bara för"),
        ({"kind": "partner", "purposes": ["P"], "kinds": [1, 8]}, "Välj namn"),
        ({"kind": "partner", "purposes": ["P"], "kinds": [1]}, "hur personen nås"),
    ],
)
def test_what_may_not_be_is_refused_in_a_sentence(
    wrong: dict[str, Any], says: str, disa: Client
) -> None:
    answer = disa.post(f"{ROOM}/recipient/add/", {**PRINTER, **wrong})
    assert answer.status_code == 200
    assert says in answer.content.decode()
    assert not Recipient.objects.exists()


def test_a_notice_is_closed_with_words_by_the_officer_alone(
    disa: Client, cecilia: Client, desk: type[Desk]
) -> None:
    printer = recipients.signed()
    anna = recipients.customer()
    recipients.printed(anna, printer)
    restrict(anna)
    notice = RecipientNotice.objects.get()
    page = f"{ROOM}/recipientnotice/{notice.pk}/avsluta/"
    assert cecilia.get(page).status_code == 403
    desk.says_why(disa, anna)
    assert disa.get(f"{ROOM}/recipientnotice/{notice.pk}/change/").status_code == 200
    assert disa.post(page, {"outcome": "done", "reason": ""}).status_code == 200
    assert RecipientNotice.objects.open().exists()
    assert disa.post(page, {"outcome": "done", "reason": "De mejlade."}).status_code == 302
    again = disa.post(page, {"outcome": "impossible", "reason": "Nej."}, follow=True)
    assert "redan avslutat" in again.content.decode()
    notice.refresh_from_db()
    assert (notice.outcome, notice.reason, notice.reference) == ("done", "De mejlade.", "")
