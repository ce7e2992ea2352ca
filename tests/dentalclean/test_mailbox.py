"""The mailbox of development: what was sent in this house, and nothing outside one."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client

from dentalclean.embedded.places import House
from tests.doors import text

PATH = "/utveckling/brevlada/"


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> Path:
    settings.HOUSE = House(tmp_path)
    settings.DATA_DIR = tmp_path
    return tmp_path


def send(house: Path, subject: str, body: str) -> None:
    backend = "django.core.mail.backends.filebased.EmailBackend"
    with get_connection(backend, file_path=house / "mail") as post:
        EmailMessage(subject, body, to=["anna@example.se"], connection=post).send()


def test_an_empty_mailbox_says_what_to_do(house: Path, client: Client) -> None:
    assert "Inget mejl har skickats än." in text(client.get(PATH))


def test_mails_are_listed_and_read(house: Path, client: Client) -> None:
    send(house, "Din kod till Min sida", "123456\n\nÅ, ä och ö.")
    page = client.get(PATH)
    assert "Din kod till Min sida Till anna@example.se" in text(page)
    (letter,) = page.context["letters"]
    read = text(client.get(letter.url))
    assert "123456 Å, ä och ö." in read


def test_several_mails_of_one_connection_are_told_apart(house: Path, client: Client) -> None:
    backend = "django.core.mail.backends.filebased.EmailBackend"
    with get_connection(backend, file_path=house / "mail") as post:
        for number in range(3):
            EmailMessage(f"Brev {number}", "x", to=["a@example.se"], connection=post).send()
    page = client.get(PATH)
    assert sorted(letter.subject for letter in page.context["letters"]) == [
        "Brev 0",
        "Brev 1",
        "Brev 2",
    ]


def test_letters_on_paper_are_there_too(house: Path, client: Client) -> None:
    (house / "letters").mkdir()
    words = "Anna Ek\nBjörkgatan 4\n582 22 Linköping\n\n\nEtt ämne\n\nEn text."
    (house / "letters" / "0a1b.txt").write_text(words)
    page = text(client.get(PATH))
    assert "Ett ämne Till Anna Ek, Björkgatan 4, 582 22 Linköping" in page


def test_a_letter_that_is_not_there_is_not_found(house: Path, client: Client) -> None:
    assert client.get(f"{PATH}finns-inte/").status_code == 404


def test_outside_an_embedded_house_there_is_no_mailbox(
    house: Path, client: Client, settings: Any
) -> None:
    settings.EMBEDDED = False
    send(house, "Hemligt", "x")
    assert client.get(PATH).status_code == 404
