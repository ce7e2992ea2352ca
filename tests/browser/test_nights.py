"""The pages of the nights in a browser: readable in both themes and on a phone."""

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page

from customers.dates import today
from customers.models import Customer, User
from dentalclean.roles import Role
from retention import forecasts, plans
from retention.actions import execute, open_run
from retention.holds import place_hold
from retention.models import Hold, Run
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

RUNS = "/personal/retention/run/"
HOLDS = "/personal/retention/hold/"
RECEIPTS = "/personal/retention/receipt/"
NIGHT = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def _disa(at_work: Callable[[str, Role], None]) -> None:
    at_work("disa", Role.DATA_PROTECTION)


def nights(monkeypatch: pytest.MonkeyPatch) -> tuple[Run, Run]:
    """Make a night that is done and one that is stopped, with a look ahead."""
    for name, ended in (("Anna", date(2022, 10, 1)), ("Bo", date(2026, 6, 30))):
        customer = cast.person(name, since=date(2019, 1, 7))
        cast.subscription(customer, date(2019, 1, 7), ended)
        cast.invoice(customer, date(2018, 12, 1))
    cast.person("Cecilia", since=date(2019, 1, 7), restriction="c", last_contact_on=NIGHT)
    done = execute(open_run(NIGHT)[0])
    forecasts.write(NIGHT)
    late = cast.person("Disa", since=date(2019, 1, 7))
    cast.subscription(late, date(2019, 1, 7), date(2022, 10, 1))
    monkeypatch.setattr(plans, "LEEWAY", 0)
    return done, execute(open_run(date(2026, 11, 21))[0])


def shoot(page: Page, name: str) -> None:
    """Take pictures for somebody to look at, where SHOTS says."""
    if "SHOTS" in os.environ:
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            path = Path(os.environ["SHOTS"]) / f"{name}-{width}.png"
            page.screenshot(path=path, full_page=True)


def a_hold() -> Hold:
    """Place a hold by decision that is to be reviewed."""
    return place_hold(
        Customer.objects.get(given_name="Bo"),
        ground=Hold.Ground.DISPUTE,
        reason="Kunden har stämt oss om en faktura från 2025.",
        owner=User.objects.get(email="disa@dentalclean.example"),
        review_on=today() + timedelta(days=90),
    )


@pytest.mark.breaks(3)  # somebody comes late, and the night after is stopped
def test_the_pages_of_the_nights_are_readable(
    page: Page,
    examined: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done, stopped = nights(monkeypatch)
    hold = a_hold()
    wrong = []
    for n, address in enumerate(
        (
            RUNS,
            f"{RUNS}{done.pk}/change/",
            f"{RUNS}{stopped.pk}/change/",
            f"{RUNS}{stopped.pk}/slapp/",
            f"{RUNS}stang-av/",
            "/personal/retention/forecast/",
            "/personal/",
            HOLDS,
            f"{HOLDS}add/",
            f"{HOLDS}{hold.pk}/change/",
            f"{HOLDS}{hold.pk}/omprova/",
            RECEIPTS,
            f"{RECEIPTS}{done.receipts.latest('pk').pk}/change/",
        )
    ):
        page.goto(address)
        if "/skal/" in page.url:
            page.locator("input[name=reason]").last.check()
            page.locator("#id_words").fill("Spärren ska omprövas.")
            page.locator("main [type=submit]").click()
        shoot(page, str(n))
        # A label or an answer that somebody forgot to put into words.
        for forgotten in ("None", "Customer:", "Owner:", "Reference:", "Run:"):
            assert page.get_by_text(forgotten, exact=True).count() == 0, address
        wrong += examined()
    assert wrong == []


def test_a_stopped_night_is_released_after_its_plan_is_read(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    _done, stopped = nights(monkeypatch)
    page.goto(f"{RUNS}{stopped.pk}/change/")
    page.get_by_role("link", name="Läs planen och släpp natten").click()
    page.get_by_label("Skäl").fill("Importen är läst.")
    page.get_by_role("button", name="Släpp natten").click()
    page.get_by_text("Natten tar planen inom en minut.").wait_for()
    assert execute(stopped).status == Run.Status.DONE
