"""A real browser in front of a real server, for what only a browser can tell."""

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from customers.models import Customer
from dentalclean.roles import Role, give_role, sync_roles
from tests import chromium
from tests.doors import signed_in

NARROWEST = 320
# Axe would read what a style sheet imports by writing inline style, which our pages refuse; and
# nobody reads what it says of all that is right.
EVERYTHING = {"preload": False, "resultTypes": ["violations"]}
COLOURS_AND_SIZES = {**EVERYTHING, "runOnly": ["color-contrast", "target-size"]}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = os.environ.get("CHROMIUM") or chromium.find()
    if not found:
        pytest.fail("Found no Chromium: run `make test`, or name its program in CHROMIUM.")
    # Playwright's loop lives in this thread, and Django would refuse to touch the database in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        program = playwright.chromium.launch(
            executable_path=str(found), args=["--no-sandbox", "--disable-gpu"]
        )
        yield program
        program.close()


@pytest.fixture
def context(browser: Browser, live_server: Any) -> Iterator[BrowserContext]:
    """A fresh profile that reports what the page was refused."""
    opened = browser.new_context(
        base_url=live_server.url, locale="sv-SE", viewport={"width": 1280, "height": 900}
    )
    opened.set_default_timeout(15_000)
    refused: list[str] = []
    opened.on(
        "console",
        lambda said: refused.append(said.text) if "Content Security Policy" in said.text else None,
    )
    yield opened
    opened.close()
    assert refused == []


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def enter(context: BrowserContext, live_server: Any) -> Callable[[Customer], None]:
    """Let a person in without the mail, where the way in is not the matter."""

    def let_in(customer: Customer) -> None:
        _hand_over(signed_in(customer), context, live_server)

    return let_in


@pytest.fixture
def at_work(context: BrowserContext, live_server: Any) -> Callable[[str, Role], None]:
    """Let one of staff in, by name and role."""

    def let_in(name: str, role: Role) -> None:
        sync_roles()
        client = Client()
        client.force_login(give_role(f"{name}@dentalclean.example", role))
        _hand_over(client, context, live_server)

    return let_in


def _hand_over(client: Client, context: BrowserContext, live_server: Any) -> None:
    """Give the browser the session of a client that is signed in."""
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])


@pytest.fixture(scope="session")
def axe() -> Axe:
    return Axe()


@pytest.fixture
def examined(page: Page, axe: Axe) -> Callable[[], list[str]]:
    """Examine the open page in both themes and widths, and that it needs no sideways scrolling.

    Everything once per theme and per width, with all that unfolds; what colours and sizes can
    spoil, in the other two combinations too.
    """

    def violations(theme: str, width: int, options: Any = EVERYTHING) -> Iterator[str]:
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        for wrong in axe.run(page, options=options).response["violations"]:
            for node in wrong["nodes"]:
                yield f"{page.url} {theme} {width}: {wrong['id']} {node['html'][:160]}"

    def examine() -> list[str]:
        unfold = "is => document.querySelectorAll('details').forEach(d => d.open = is)"
        found = [*violations("dark", 1280, COLOURS_AND_SIZES)]
        found += violations("light", 360, COLOURS_AND_SIZES)
        page.evaluate(unfold, True)
        found += violations("light", 1280)
        found += violations("dark", 360)
        page.set_viewport_size({"width": NARROWEST, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > NARROWEST:
            found.append(f"{page.url}: {wide} px wide at {NARROWEST}")
        page.set_viewport_size({"width": 1280, "height": 900})
        return found

    return examine
