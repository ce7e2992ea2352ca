"""Min sida as a person meets it: the whole road once, and every page under the eye of axe."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from consent.facts import ask, close_question
from consent.purposes import Use
from consent.rules import may_process
from customers.actions import change_details, set_national_id
from customers.dates import today
from customers.models import Customer, User
from disclosures.actions import relay
from privacy_requests import actions as requests
from privacy_requests.models import Extract, ProofCode
from privacy_requests.proof_codes import confirm_by_staff
from tests import cast, identity_broker
from tests.identity_broker import LOW_LEVEL, Provider

pytestmark = pytest.mark.django_db(transaction=True)

MAJAS_NUMBER = "199006022397"


def maja() -> Customer:
    customer = cast.person("Maja", family_name="Sandell", since=date(2024, 3, 3))
    cast.subscription(customer, date(2024, 3, 3))
    for month in (3, 6, 9):
        cast.order(customer, date(2026, month, 3), date(2026, month, 7))
        cast.invoice(customer, date(2026, month, 3))
    close_question(ask(customer, "När kommer paketet?", "Jag väntar."), "I morgon.")
    return customer


def code_from_the_mail() -> str:
    """Send what waits, as the worker does, and read the newest code."""
    relay()
    found = re.search(r"^(\d{6})$", str(mail.outbox[-1].body), re.MULTILINE)
    assert found
    return found[1]


def build() -> None:
    """Build the extract, as the worker does."""
    requests.build(Extract.objects.get().pk)


@pytest.fixture
def broker(live_server: Any, settings: Any) -> Iterator[Provider]:
    """A real OpenID provider on loopback, for whoever Maja says she is."""
    settings.SITE_URL = live_server.url
    back = f"{live_server.url}/visa-att-det-ar-du/e-leg/bankid/svar/"
    with identity_broker.running({back}) as provider:
        provider.number = MAJAS_NUMBER
        settings.IDENTITY_BROKERS = provider.settings()
        yield provider


def test_sign_in_edit_choose_order_the_extract_and_fetch_it(page: Page, broker: Provider) -> None:
    customer = maja()
    set_national_id(customer, MAJAS_NUMBER)
    page.goto("/mina-uppgifter/")
    page.get_by_label("E-postadress").fill("maja@example.se")
    page.get_by_role("button", name="Skicka kod").click()
    code = code_from_the_mail()
    page.get_by_label("Kod").fill(f"{code[:3]} {code[3:]}")
    page.get_by_role("button", name="Logga in").click()
    expect(page).to_have_title(re.compile("Vad vet ni om mig"))

    page.get_by_role("link", name="Ändra mobil").click()
    page.get_by_label("Mobilnummer").fill("070-174 06 05")
    page.get_by_role("button", name="Spara mobilnumret").click()
    expect(page.get_by_role("row", name="Mobil 070")).to_contain_text("070-174 06 05")
    page.get_by_role("button", name="Ångra").click()
    expect(page.get_by_role("row", name="Mobil 070")).to_contain_text("070-174 06 35")

    page.get_by_role("link", name="Mina val").click()
    post = page.get_by_role("group", name="Erbjudanden från oss med post")
    post.get_by_role("button", name="Nej").click()
    expect(page.locator("#H-post").get_by_role("status")).to_contain_text("Klart.")
    expect(post.get_by_role("button", name="Nej")).to_have_attribute("aria-pressed", "true")
    assert not may_process(customer.pk, Use("H", "post")).allowed(today())
    page.get_by_role("button", name="Stoppa all reklam").click()
    expect(page.get_by_text("Du får ingen reklam från oss.")).to_be_visible()

    page.get_by_role("link", name="Hur länge?").click()
    page.get_by_label("Visa en annan dag").fill("15 mars 2029")
    page.get_by_label("slutar i dag").check()
    page.get_by_role("button", name="Visa").click()
    expect(page).to_have_url(re.compile("som=slutar"))
    expect(page.locator(".answer")).to_contain_text("Den 15 mars 2029")

    page.get_by_role("link", name="Mer", exact=True).click()
    page.get_by_role("link", name="Ta ut allt vi har om dig").click()
    page.get_by_role("button", name="Ta ut allt").click()
    expect(page.get_by_text("Vi samlar ihop allt.")).to_be_visible()
    build()
    page.reload()
    page.get_by_role("link", name="Hämta utdraget").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Visa att det är du")
    broker.claims = {"acr": LOW_LEVEL}
    page.get_by_role("button", name="Legitimera dig med BankID").click()
    expect(page.get_by_text("Svaret från BankID visar inte att det är du.")).to_be_visible()
    broker.claims = {}
    page.get_by_role("button", name="Legitimera dig med BankID").click()
    expect(page.get_by_text("Du har visat att det är du.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Hämta utdraget").click()
    with zipfile.ZipFile(io.BytesIO(download.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert any(name.endswith(".pdf") for name in archive.namelist())

    page.goto("/")
    page.get_by_role("button", name="Logga ut").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Logga in på Min sida")
    page.go_back()
    expect(page.get_by_text("Hej Maja.")).not_to_be_visible()


def test_the_keyboard_reaches_the_content_and_the_focus_is_seen(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    enter(maja())
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Till innehållet")
    expect(skip).to_be_focused()
    assert skip.evaluate("e => getComputedStyle(e).outlineWidth") == "3px"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


PAGES = {
    "all about me": (
        "/",
        "/mina-uppgifter/?andrad=mobil",
        "/mina-uppgifter/andra/namn/",
        "/mina-uppgifter/andra/adress/",
        "/mina-uppgifter/andra/sprak/",
    ),
    "choices and time": (
        "/mina-val/?sparat=H-post",
        "/mina-val/G/social/ja/",
        "/hur-lange/?dag=2029-03-15",
        "/hur-lange/?dag=i+morgon",
    ),
    "the rest": (
        "/mina-arenden/",
        "/mina-arenden/ratta/",
        "/mina-arenden/ratta/tillagg/",
        "/ta-med/",
        "/ta-ut-allt/",
        "/mer/",
        "/konto/logga-ut/",
        "/finns-inte/",
    ),
}


@pytest.mark.parametrize("paths", PAGES.values(), ids=PAGES)
def test_axe_finds_nothing_on_min_sida(
    paths: tuple[str, ...],
    page: Page,
    enter: Callable[[Customer], None],
    examined: Callable[[], list[str]],
) -> None:
    customer = maja()
    change_details(customer, {"phone": "+46701740605"})
    requests.open_case(customer)
    enter(customer)
    found = []
    for path in paths:
        page.goto(path)
        found += examined()
    assert found == []


def test_axe_finds_nothing_on_the_way_in(page: Page, examined: Callable[[], list[str]]) -> None:
    maja()
    page.goto("/konto/logga-in/")
    found = examined()
    page.get_by_label("E-postadress").fill("maja")
    page.get_by_role("button", name="Skicka kod").click()
    expect(page.get_by_text("Det är en sak att rätta")).to_be_visible()
    found += examined()
    page.get_by_label("E-postadress").fill("maja@example.se")
    page.get_by_role("button", name="Skicka kod").click()
    page.get_by_label("Kod").fill("1")
    page.get_by_role("button", name="Logga in").click()
    found += examined()
    for path in ("/konto/skaffa/", "/utveckling/brevlada/", "/finns-inte/"):
        page.goto(path)
        found += examined()
    assert found == []


def test_axe_finds_nothing_on_the_way_to_the_file(
    page: Page, enter: Callable[[Customer], None], examined: Callable[[], list[str]]
) -> None:
    customer = maja()
    enter(customer)
    requests.open_case(customer)
    build()
    found = []
    for path in ("/", "/mina-arenden/", "/ta-ut-allt/"):
        page.goto(path)
        found += examined()
    page.get_by_role("link", name="Hämta utdraget").click()
    page.get_by_role("button", name="Skicka ett brev").click()
    page.get_by_label("Kod").fill("1")
    page.get_by_role("button", name="Gå vidare").click()
    expect(page.get_by_text("Det är en sak att rätta")).to_be_visible()
    found += examined()
    staff = User.objects.create_user("cecilia@dentalclean.example", is_staff=True)
    page.get_by_label("Kod").fill(confirm_by_staff(customer, staff, ProofCode.How.EID))
    page.get_by_role("button", name="Gå vidare").click()
    expect(page.get_by_text("Du har visat att det är du.")).to_be_visible()
    page.goto("/mina-uppgifter/andra/e-post/")
    page.get_by_label("E-postadress").fill("ny@example.se")
    page.get_by_role("button", name="Mejla en kod dit").click()
    expect(page.get_by_text("Vi har mejlat ny@example.se.")).to_be_visible()
    found += examined()
    assert found == []
