"""Receipts as people meet them: from a choice to the paper, the file and the page that checks."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from consent import actions
from consent.models import Event
from consent.purposes import Use
from consent.receipt_keys import number_of
from consent.receipts import Receipt
from customers.models import Customer
from tests import cast

pytestmark = [pytest.mark.django_db(transaction=True)]

WORDS = "Dentalclean AB får mejla erbjudanden till dig så länge du är kund."


def maja() -> Customer:
    customer = cast.person("Maja", since=date(2024, 3, 3))
    cast.subscription(customer, date(2024, 3, 3))
    return customer


def test_from_a_choice_to_its_receipt_and_from_the_file_to_the_verdict(
    page: Page, enter: Callable[[Customer], None], browser: Browser, tmp_path: Path
) -> None:
    enter(maja())
    page.goto("/mina-val/")
    page.locator("#H-post").get_by_role("button", name="Nej").click()
    page.get_by_text("Alla dina tidigare val").click()
    page.get_by_role("link", name="Kvitto").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Du sa nej till")
    with page.expect_download() as download:
        page.get_by_role("link", name="Ladda ned som JSON").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert file.suffix == ".json"

    stranger = browser.new_page(base_url=page.url.partition("/mina-val/")[0], locale="sv-SE")
    stranger.goto("/kontrollera-kvitto/")
    for sent, verdict in (
        (file.read_text(), "Ja, kvittot är äkta."),
        (file.read_text().replace("Du sa nej", "Du sa ja"), "Nej, kvittot är ändrat."),
        (json.dumps({"receipt": "min egen"}), "Vi känner inte igen kvittot."),
    ):
        file.write_text(sent)
        stranger.get_by_label("Filen", exact=True).set_input_files(file)
        stranger.get_by_role("button", name="Kontrollera").click()
        expect(stranger.locator(".answer")).to_contain_text(verdict)
    stranger.close()


def test_the_code_on_paper_leads_to_the_verdict_without_script(
    browser: Browser, live_server: Any
) -> None:
    event = Event.objects.filter(customer=maja()).latest("pk")
    receipt = Receipt(event)
    context = browser.new_context(
        base_url=live_server.url, locale="sv-SE", java_script_enabled=False
    )
    page = context.new_page()
    page.goto(f"/kontrollera-kvitto/{receipt.code}/")
    expect(page.get_by_label("Texten i filen, eller koden på papperet")).to_have_value(receipt.code)
    page.get_by_role("button", name="Kontrollera").click()
    expect(page.locator(".answer")).to_contain_text("Ja, koden är äkta.")
    context.close()


def test_axe_finds_nothing_on_receipts(
    page: Page, enter: Callable[[Customer], None], examined: Callable[[], list[str]]
) -> None:
    customer = maja()
    yes = actions.say_yes(customer, Use("H", "email"), evidence=WORDS)
    page.goto("/kontrollera-kvitto/")
    found = examined()
    page.get_by_role("button", name="Kontrollera").click()
    expect(page.get_by_text("Det är en sak att rätta")).to_be_visible()
    found += examined()
    page.get_by_label("Texten i filen, eller koden på papperet").fill(Receipt(yes).code)
    page.get_by_role("button", name="Kontrollera").click()
    found += examined()
    enter(customer)
    page.goto(f"/mina-val/kvitto/{number_of(yes.pk)}/")
    found += examined()
    assert found == []
