"""Översikt, Mer and what every answer has in common."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consent.actions import say_no
from customers.dates import today
from privacy_requests.actions import open_case
from privacy_requests.models import Case, Extract
from tests import cast
from tests.doors import signed_in, text

pytestmark = pytest.mark.django_db

PAGES = ("/", "/mina-uppgifter/", "/mina-val/", "/hur-lange/", "/mina-arenden/", "/mer/")


def test_the_overview_answers_in_the_persons_own_numbers() -> None:
    anna = cast.person(since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    cast.invoice(anna, date(2026, 3, 3))
    page = text(signed_in(anna).get("/"))
    assert "Hej Anna." in page
    assert "slags uppgifter om dig." in page
    assert "Du får reklam med e-post, sms, telefon och post" in page
    assert "Härnäst raderar vi en faktura, natten till 1 januari 2034" in page
    assert "Det mesta har vi så länge du är kund." in page
    assert "Du har inga ärenden." in page


def test_after_a_no_the_overview_says_no_advertising() -> None:
    anna = cast.person()
    cast.subscription(anna, date(2024, 3, 3))
    say_no(anna)
    assert "Du får ingen reklam" in text(signed_in(anna).get("/"))


def test_what_is_asked_for_waits_on_the_overview() -> None:
    anna = cast.person()
    open_case(anna)
    page = text(signed_in(anna).get("/"))
    assert "Vi svarar senast" in page
    assert "Ett pågår." in page
    now = timezone.now()
    Extract.objects.update(
        status=Extract.Status.READY,
        expires_on=today() + timedelta(days=14),
        file_name="x",
        size=1,
        sha256="0" * 64,
        snapshot_at=now,
        ready_at=now,
    )
    assert "Allt vi har om dig är klart att hämta" in text(signed_in(anna).get("/"))
    Extract.objects.update(expires_on=today() - timedelta(days=1))
    assert "klart att hämta" not in text(signed_in(anna).get("/"))
    assert Case.objects.count() == 1


@pytest.mark.parametrize("path", PAGES)
def test_no_page_asks_the_database_more_than_ten_times(
    path: str, django_assert_max_num_queries: Any
) -> None:
    anna = cast.person(since=date(2020, 3, 3))
    cast.subscription(anna, date(2020, 3, 3))
    for month in range(1, 11):
        cast.order(anna, date(2026, month, 3), date(2026, month, 7))
        cast.invoice(anna, date(2026, month, 3))
    open_case(anna)
    client = signed_in(anna)
    with django_assert_max_num_queries(10):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_strict_about_what_the_browser_may_do(path: str) -> None:
    answer = signed_in(cast.person()).get(path)
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    for outside in (" style=", "<style", "onclick", "javascript:", "http://", "<script"):
        assert outside not in page, outside


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_and_the_language(path: str) -> None:
    page = signed_in(cast.person()).get(path).content.decode()
    assert page.count("<h1") == 1
    assert '<html lang="sv"' in page
    assert "checked" not in page.replace('aria-checked="', "") or path == "/hur-lange/"


def test_the_look_is_kept_in_a_cookie_and_nothing_else_is() -> None:
    client = signed_in(cast.person())
    answer = client.post("/mer/utseende/", {"theme": "dark"})
    assert answer["Location"] == "/mer/"
    assert 'data-theme="dark"' in client.get("/").content.decode()
    client.post("/mer/utseende/", {"theme": '"><script>'})
    assert "data-theme" not in client.get("/").content.decode()


def test_the_other_language_is_one_click_away() -> None:
    client = signed_in(cast.person())
    answer = client.post("/sprak/", {"language": "en", "next": "/mer/"})
    assert answer["Location"] == "/mer/"
    assert '<html lang="en"' in client.get("/mer/").content.decode()
    answer = client.post("/sprak/", {"language": "sv", "next": "https://evil.example/"})
    assert answer["Location"] == "/"


@pytest.mark.breaks(12)
def test_an_account_without_a_customer_is_told_so() -> None:
    anna = cast.person()
    client = signed_in(anna)
    anna.user = None
    anna.save()
    answer = client.get("/")
    assert answer.status_code == 403
    assert "Vi har inga kunduppgifter" in text(answer)


def test_a_page_that_is_not_there_says_so_with_header_and_footer() -> None:
    answer = signed_in(cast.person()).get("/finns-inte/")
    assert answer.status_code == 404
    assert "Sidan finns inte." in text(answer)
    assert "Mina uppgifter" in text(answer)


def test_a_post_without_its_token_is_refused() -> None:
    anna = cast.person()
    client = Client(enforce_csrf_checks=True)
    assert anna.user is not None
    client.force_login(anna.user)
    for path in ("/mina-val/stoppa/", "/mina-val/H/email/", "/mina-uppgifter/andra/namn/"):
        answer = client.post(path, {"answer": "no"})
        assert answer.status_code == 403
        assert "Sidan hade legat öppen för länge." in text(answer)
