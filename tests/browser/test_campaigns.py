"""The pages of campaigns in a browser: readable in both themes and on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from consent.actions import say_no
from dentalclean.roles import Role
from marketing import actions
from tests import cast
from tests.marketing.conftest import Outreach, customer

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/personal/marketing/campaign/"


@pytest.fixture(autouse=True)
def _carl(at_work: Callable[[str, Role], None]) -> None:
    at_work("carl", Role.CUSTOMER_SERVICE)


def test_the_pages_of_campaigns_are_readable(page: Page, examined: Callable[[], list[str]]) -> None:
    outreach = Outreach()
    customer("Anna")
    say_no(customer("Bjorn"))
    cast.person("Disa", notice=False)
    draft, sent = outreach.draft(name="Brev", channel="post"), outreach.approved()
    actions.stop(actions.start(sent.pk).pk)
    wrong = []
    for address in (
        LIST,
        f"{LIST}malgrupp/?purpose=H&channel=post",
        f"{LIST}malgrupp/?purpose=G&channel=post",
        f"{LIST}{draft.pk}/change/",
        f"{LIST}{sent.pk}/change/",
    ):
        page.goto(address)
        wrong += examined()
    assert wrong == []


def test_a_second_person_approves_and_sends_with_two_buttons(page: Page) -> None:
    customer("Anna")
    draft = Outreach().draft()
    page.goto(f"{LIST}{draft.pk}/change/")
    page.get_by_role("button", name="Godkänn").click()
    page.get_by_role("button", name="Skicka nu").click()
    page.get_by_text("0 meddelanden av 1 har skickats.").wait_for()
    page.get_by_role("button", name="Stoppa kampanjen").click()
    page.get_by_text("Det som inte hunnit gå är stoppat.").wait_for()
