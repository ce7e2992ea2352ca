"""How many clicks a yes and a no take, and what the pages for saying no look like to axe."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from playwright.sync_api import Page, expect

from consent import unsubscribe
from consent.choices import decisions
from consent.purposes import Use, chosen_uses
from consent.rules import may_process
from consent.unsubscribe import code
from customers.dates import today
from customers.models import Customer
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)

CHOICES = "/mina-val/"
NO_PAGE, LIMIT_PAGE = "/mina-arenden/saga-nej/", "/mina-arenden/begransa/"


def maja() -> Customer:
    customer = cast.person("Maja", family_name="Sandell", since=date(2024, 3, 3))
    cast.subscription(customer, date(2024, 3, 3))
    return customer


@dataclass
class Walk:
    """A walk from Mina val, its clicks and the pages it met counted."""

    page: Page
    clicks: int = 0
    pages: int = 0

    def begin(self) -> "Walk":
        self.page.goto(CHOICES)
        self.clicks = self.pages = 0
        return self

    def click(self, name: str, within: str = "") -> None:
        place = self.page.locator(within) if within else self.page
        place.get_by_role("button", name=name, exact=True).click()
        self.clicks += 1
        self.pages += 1

    @property
    def effort(self) -> tuple[int, int]:
        return self.clicks, self.pages


def is_on(customer: Customer, use: Use) -> bool:
    return may_process(customer.pk, use).allowed(today())


def give(walk: Walk, row: str) -> tuple[int, int]:
    """Say yes to one row of Mina val, over the page with its wording where there is one."""
    walk.begin().click("Ja", row)
    if re.search(r"/ja/$", walk.page.url):
        walk.click("Ja")
    assert walk.page.url.endswith(row)
    return walk.effort


def take_back(walk: Walk, row: str) -> tuple[int, int]:
    walk.begin().click("Nej", row)
    assert walk.page.url.endswith(row)
    return walk.effort


def test_taking_back_each_choice_takes_no_more_clicks_or_pages_than_giving_it(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    customer = maja()
    enter(customer)
    walk, efforts = Walk(page), {}
    for use in chosen_uses():
        row = f"#{use.purpose}-{use.channel}"
        first = take_back(walk, row)
        assert not is_on(customer, use), use
        given = give(walk, row)
        assert is_on(customer, use), use
        again = take_back(walk, row)
        assert not is_on(customer, use), use
        efforts[row] = (given, max(first, again))
    assert set(efforts) == {f"#{use.purpose}-{use.channel}" for use in chosen_uses()}
    assert {row: pair for row, pair in efforts.items() if pair[1] > pair[0]} == {}
    # A no is always one click; a yes is one, or two where its wording must be read first.
    assert {taken for _given, taken in efforts.values()} == {(1, 1)}
    assert {given for given, _taken in efforts.values()} == {(1, 1), (2, 2)}


def test_everything_is_stopped_with_one_click_and_nothing_is_asked(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    customer = maja()
    enter(customer)
    walk = Walk(page).begin()
    asked: list[str] = []
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    walk.click("Stoppa all reklam")
    assert walk.effort == (1, 1)
    assert asked == []
    expect(page.get_by_text("Klart. Ingen mer reklam från nu.")).to_be_visible()
    found = decisions(customer).items()
    assert not any(d.allowed(today()) for use, d in found if use.of.is_marketing)


def test_a_choice_keeps_its_place_and_says_what_it_did(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    enter(maja())
    walk = Walk(page)
    take_back(walk, "#H-post")
    expect(page.locator("#H-post").get_by_role("status")).to_contain_text("Klart.")
    expect(page.locator("#H-post")).to_be_in_viewport()
    walk.click("Ångra Erbjudanden från oss med post", "#H-post")
    assert (
        page.locator("#H-post").get_by_role("button", name="Ja").get_attribute("aria-pressed")
        == "true"
    )


@pytest.mark.parametrize("path", [CHOICES, "/mina-val/G/social/ja/", NO_PAGE, LIMIT_PAGE])
def test_nothing_is_ticked_or_chosen_beforehand(
    path: str, page: Page, enter: Callable[[Customer], None]
) -> None:
    enter(maja())
    page.goto(path)
    assert page.locator(":checked").count() == 0
    assert page.locator("[checked], [selected]").count() == 0


def test_each_yes_is_to_one_purpose_and_one_way(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    enter(maja())
    page.goto(CHOICES)
    acts = [
        form.get_attribute("action")
        for form in page.locator("form:has(button[name=answer][value=yes])").all()
    ]
    expected = [f"/mina-val/{use.purpose}/{use.channel}/" for use in chosen_uses()]
    assert sorted(str(act) for act in acts) == sorted(expected)


def test_both_answers_are_of_one_size_and_look(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    enter(maja())
    page.goto(CHOICES)
    boxes = {
        (round(box["width"]), round(box["height"]))
        for button in page.locator(".pair button").all()
        if (box := button.bounding_box())
    }
    assert len(boxes) == 1
    looks = page.evaluate(
        """[...document.querySelectorAll('.pair button[aria-pressed=true]')].map(b => {
            const s = getComputedStyle(b); return s.backgroundColor + s.color + s.fontWeight;
        })"""
    )
    assert len(set(looks)) == 1


def test_limiting_and_lifting_take_one_click_each(
    page: Page, enter: Callable[[Customer], None]
) -> None:
    customer = maja()
    enter(customer)
    page.goto(LIMIT_PAGE)
    page.get_by_role("button", name="Begränsa användningen").click()
    expect(page.get_by_role("status")).to_contain_text("bara till det nödvändiga från nu")
    page.get_by_role("button", name="Häv begränsningen").click()
    expect(page.get_by_role("status")).to_contain_text("Begränsningen är hävd")


def test_a_link_in_a_mail_stops_with_one_click_and_no_sign_in(page: Page) -> None:
    customer = maja()
    address = unsubscribe.link(customer, "email").partition("/sluta/")[2]
    page.goto(f"/sluta/{address}")
    page.get_by_role("button", name="Stoppa reklam med e-post").click()
    expect(page.get_by_role("status")).to_have_text("Klart. Ingen mer reklam med e-post från nu.")
    assert not is_on(customer, Use("H", "email"))
    page.get_by_role("link", name="In English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator("button[name=stop]").click()
    assert not is_on(customer, Use("H", "post"))
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_a_code_in_a_letter_stops_without_sign_in(page: Page) -> None:
    customer = maja()
    page.goto("/sluta/")
    page.get_by_label("Kod").fill(code(customer).lower())
    page.get_by_role("button", name="Gå vidare").click()
    page.get_by_role("button", name="Stoppa reklam med post").click()
    expect(page.get_by_role("status")).to_have_text("Klart. Ingen mer reklam med post från nu.")
    assert not is_on(customer, Use("H", "post"))


def test_axe_finds_nothing_on_the_pages_for_saying_no(
    page: Page, enter: Callable[[Customer], None], examined: Callable[[], list[str]]
) -> None:
    customer = maja()
    token = unsubscribe.link(customer, "email").partition("/sluta/")[2]
    ways = unsubscribe.preference_link(customer).partition("/sluta/")[2]
    found = []
    for path in ("/sluta/", f"/sluta/{token}", f"/sluta/{ways}", "/sluta/nej/"):
        page.goto(path)
        found += examined()
    page.goto(f"/sluta/{ways}")
    page.get_by_role("button", name="Säg nej till reklam med sms").click()
    found += examined()
    page.goto("/sluta/")
    page.get_by_role("button", name="Gå vidare").click()
    found += examined()
    assert found == []


def test_axe_finds_nothing_on_the_pages_for_objecting_and_limiting(
    page: Page, enter: Callable[[Customer], None], examined: Callable[[], list[str]]
) -> None:
    enter(maja())
    page.goto(NO_PAGE)
    found = examined()
    page.get_by_role("button", name="Säg nej till det jag har valt").click()
    found += examined()
    page.get_by_label("Enkäter").check()
    page.get_by_role("button", name="Säg nej till det jag har valt").click()
    found += examined()
    page.goto(LIMIT_PAGE)
    found += examined()
    page.get_by_role("button", name="Begränsa användningen").click()
    found += examined()
    assert found == []
