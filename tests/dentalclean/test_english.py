"""The English of the product: all of it is there, and no Swedish stands between."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from typing import Any

import polib
import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format

from consent.models import Notice
from consent.purposes import chosen_uses
from customers import words
from customers.dates import FAR
from customers.models import Address, Customer, Product, User
from customers.personal_data import personal_models
from dentalclean.demo import STORIES
from dentalclean.forms import EDITS
from privacy_requests import document, pages
from privacy_requests.actions import open_case
from privacy_requests.extract import collect
from tests import messages
from tests.doors import signed_in, text
from tests.privacy_requests.doing import identified

IN_ENGLISH = {"accept-language": "en-GB,en;q=0.9,sv;q=0.1"}
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+|href=\"[^\"]*\"")
SWEDISH = re.compile(
    r"\w*[åäöÅÄÖ]\w*|\b(?:och|inte|dig|ditt|dina|du|vi|det|att|har|med|som|sedan|till|eller|kund)\b"
    r"|(?<!\S)”"
)
# Words that have a capital wherever they stand.
CAPITALS = ("VAT ", "Swedish", "English")
MIN_SIDA = [
    "/",
    "/mina-uppgifter/",
    *(f"/mina-uppgifter/andra/{field}/" for field in EDITS),
    "/mina-val/",
    *(f"/mina-val/{use.purpose}/{use.channel}/ja/" for use in chosen_uses()),
    "/hur-lange/",
    "/hur-lange/?dag=15+March+2031",
    "/hur-lange/?dag=2031-03-15&som=slutar",
    "/hur-lange/?dag=soon",
    "/mina-arenden/",
    "/mina-arenden/ny/",
    "/mina-arenden/saga-nej/",
    "/mina-arenden/begransa/",
    "/mina-arenden/ratta/",
    "/ta-med/",
    "/ta-ut-allt/",
    "/visa-att-det-ar-du/",
    "/mer/",
    "/konto/logga-ut/",
    "/finns-inte/",
]
FOR_STRANGERS = [
    *("/konto/logga-in/", "/konto/stangt/", "/konto/skaffa/", "/sluta/", "/sluta/nej/"),
    "/e-post/tillbaka/",
]


@pytest.fixture(scope="module")
def catalogue() -> polib.POFile:
    return polib.pofile(messages.ENGLISH)


def said_in(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def test_every_message_has_its_english_and_nothing_else_is_there(catalogue):
    asked = {(m.text, m.context, m.plural) for m in messages.asked_for().values()}
    kept = {(e.msgid, e.msgctxt or "", e.msgid_plural or "") for e in catalogue}
    assert asked == kept, "Run `make messages` and write the English of what is new."
    for entry in catalogue:
        assert all(english.strip() for english in said_in(entry)), entry.msgid
        assert not entry.fuzzy
        assert not entry.obsolete
        assert not entry.occurrences


def test_the_english_keeps_the_places_the_spaces_and_the_full_stops(catalogue):
    for entry in catalogue:
        originals = [entry.msgid, entry.msgid_plural] if entry.msgid_plural else [entry.msgid]
        for original, english in zip(originals, said_in(entry), strict=True):
            assert sorted(PLACES.findall(english)) == sorted(PLACES.findall(original)), english
            assert english[:1].isspace() == original[:1].isspace(), english
            assert english[-1:] in ".?:," or original[-1:] not in ".?:,", english
            assert english[-1:] not in ".?:," or original[-1:] in ".?:,", english
            if english.startswith(CAPITALS) or english[:1] == "%":
                continue
            assert english[:1].isupper() == original[:1].isupper(), english


def test_the_compiled_catalogue_is_the_written_one(catalogue):
    compiled = polib.mofile(messages.ENGLISH.with_suffix(".mo"))
    kept = {(e.msgid, e.msgctxt, *said_in(e)) for e in catalogue}
    assert {(e.msgid, e.msgctxt, *said_in(e)) for e in compiled} == kept
    assert compiled.metadata == catalogue.metadata


def test_every_message_is_written_out_where_it_is_asked_for():
    found = messages.in_python('_("ett " "ord")\nngettext("ett", "två", 2)\npgettext("a", "b")')
    assert list(found) == [("ett ord", "", ""), ("ett", "två", ""), ("b", "", "a")]
    with pytest.raises(ValueError, match="malformed"):
        list(messages.in_python('_(f"ord {x}")'))


def test_dates_and_numbers_are_english():
    with translation.override("en"):
        assert words.full_day(date(2029, 12, 31)) == "31 December 2029"
        assert words.until(FAR) == "For as long as you are a customer"
        assert words.listed(["e-mail", "post", "phone"]) == "e-mail, post and phone"
        assert words.in_words(1) == "one"
        assert words.amount(124900).replace("\N{NO-BREAK SPACE}", " ") == "1 249.00 kr"
        assert date_format(date(2029, 12, 31)) == "31 December 2029"
        assert words.controller()["phone_hours"] == "weekdays 9-16"


# Pages


def own_words(customer: Customer) -> list[str]:
    """Return what a person has written and is called, which stays as it is."""
    found = list(Product.objects.values_list("name", flat=True))
    for model, data in personal_models():
        path = f"{data.path}__pk" if data.path else "pk"
        if data.link:
            continue
        for row in model.objects.filter(**{path: customer.pk}):
            said = [value for value in vars(row).values() if isinstance(value, str)]
            found += [*said, *(line for value in said for line in value.splitlines())]
    found += [home.line for home in Address.objects.filter(customer=customer)]
    found += [customer.name]
    return sorted((word for word in found if len(word) > 2), key=len, reverse=True)


def swedish_in(said: str, own: list[str]) -> list[str]:
    for word in own:
        said = said.replace(word, "…")
    return SWEDISH.findall(said)


def page_of(client: Client, path: str) -> str:
    """Return what a page says to eyes and ears, but for what is marked as Swedish."""
    answer: Any = client.get(path, headers=IN_ENGLISH)
    if answer.status_code == 302:
        return ""
    html = answer.content.decode()
    assert '<html lang="en"' in html, path
    html = re.sub(r'(?s)<(\w+)[^>]*\blang="sv"[^>]*>.*?</\1>', " ", html)
    heard = " ".join(re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', html))
    title = re.search(r"(?s)<title>(.*?)</title>", html)
    answer.content = html.encode()
    return f"{text(answer)} {unescape(heard)} {unescape(title[1]) if title else ''}"


@pytest.mark.django_db
def test_min_sida_speaks_english_to_each_of_the_demo_people():
    call_command("demo", verbosity=0)
    for story in STORIES:
        customer = Customer.objects.get(number=story.number)
        if customer.user is None:
            continue
        open_case(customer)
        client, own = signed_in(customer), own_words(customer)
        for path in MIN_SIDA:
            assert swedish_in(page_of(client, path), own) == [], (story.number, path)


@pytest.mark.django_db
@pytest.mark.parametrize("path", FOR_STRANGERS)
def test_what_strangers_see_is_english(path):
    assert swedish_in(page_of(Client(), path), []) == []


@pytest.mark.django_db
def test_errors_in_a_form_are_english():
    call_command("demo", verbosity=0)
    customer = Customer.objects.get(number=STORIES[0].number)
    client, own = signed_in(customer), own_words(customer)
    own += ["Björkgatan", "Linköping"]
    identified(client, customer)
    for field in EDITS:
        answer = client.post(f"/mina-uppgifter/andra/{field}/", {"phone": "x"}, headers=IN_ENGLISH)
        assert "Error:" in text(answer)
        said = text(answer).replace("På svenska", "")
        assert swedish_in(said, own) == [], field


def texts_of(told: Any) -> Iterator[str]:
    """Yield every text in what is told."""
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        yield from texts_of(list(told.values()))
    elif isinstance(told, list | tuple):
        for part in told:
            yield from texts_of(part)


@pytest.mark.django_db(transaction=True)
def test_the_extract_is_english_to_who_wants_english():
    call_command("demo", verbosity=0)
    customer = Customer.objects.get(number=STORIES[0].number)
    customer.language = "en"
    customer.save()
    open_case(customer)
    content = collect(customer.pk)
    # The wordings are kept in the language they were shown in; the coin has no other name.
    own = [*Notice.objects.values_list("text", flat=True), *own_words(customer), " in öre"]
    for told in (pages.as_pages(content), document.as_json(content)):
        assert swedish_in("\n".join(texts_of(told)), own) == []


@pytest.mark.django_db
def test_staff_pages_are_english():
    call_command("demo", verbosity=0)
    client = Client()
    client.force_login(User.objects.create_superuser("rot@dentalclean.example"))
    index = client.get("/personal/", headers=IN_ENGLISH)
    lists = sorted(set(re.findall(r'href="(/personal/\w+/\w+/)"', index.content.decode())))
    assert len(lists) > 10
    own = list(Product.objects.values_list("name", flat=True))
    for path in ["/personal/", *lists]:
        assert swedish_in(page_of(client, path), own) == [], path
