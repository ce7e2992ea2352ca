"""Staff at the phone: two pages, everything by keyboard and eye, and the words to read out."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from consent.models import Event
from dentalclean.roles import Role
from tests import cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_yes_by_phone_is_read_out_and_written_down(
    page: Page, at_work: Callable[[str, Role], None], examined: Callable[[], list[str]]
) -> None:
    anna = cast.person("Anna")
    cast.subscription(anna, anna.last_contact_on)
    at_work("cecilia", Role.CUSTOMER_SERVICE)

    page.goto(f"/personal/customers/customer/{anna.pk}/change/")
    page.get_by_label("Kunden ringer").check()
    page.get_by_role("button", name="Visa", exact=True).click()
    page.get_by_role("link", name="Skriv in ett val").click()
    found = examined()
    expect(page.get_by_label("Nej till all reklam, eller ett oklart nej")).to_be_checked()
    page.get_by_label("Ja till en sak").check()
    page.get_by_label("Om vad").select_option(label="Erbjudanden från oss med e-post")
    page.get_by_role("button", name="Gå vidare").click()
    expect(page.get_by_role("heading", name="Läs upp det här")).to_be_visible()
    found += examined()
    page.get_by_label("Samtalsanteckning").fill("Ja, mejla gärna.")
    page.get_by_role("button", name="Skriv in").click()
    expect(page.get_by_text("Kunden får en bekräftelse med e-post.")).to_be_visible()
    assert Event.objects.filter(customer=anna).latest("pk").kind == "yes"
    assert found == []
