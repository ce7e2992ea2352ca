"""The demo people of `make run`."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from consent.models import Event
from consent.purposes import Use
from consent.rules import may_process
from customers.dates import today
from customers.models import Change, Customer, Invoice, SupportCase, User
from dentalclean.demo import STAFF, STORIES
from disclosures.models import Disclosure, Recipient, RecipientNotice
from retention.rules import calendar, plan

pytestmark = pytest.mark.django_db


def demo() -> str:
    out = io.StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


def test_it_makes_each_person_once_and_says_how_to_sign_in() -> None:
    first = demo()
    models = (Customer, User, Event, Invoice, Change, SupportCase, Recipient, Disclosure)
    counts = [model.objects.count() for model in models]
    assert demo() == first
    assert [model.objects.count() for model in models] == counts
    for email in [story.email for story in STORIES] + [row[0] for row in STAFF]:
        assert email in first
        assert User.objects.filter(email=email).count() == 1
    assert "/utveckling/brevlada/" in first


def test_each_story_is_true() -> None:
    demo()
    elin, olle, saga, noor, hugo, britta, emma = (
        Customer.objects.get(number=story.number) for story in STORIES
    )
    assert may_process(elin.pk, Use("H", "email")).allowed(today())
    assert not may_process(elin.pk, Use("H", "phone")).allowed(today())
    assert len(calendar(olle)) > 6
    assert not may_process(olle.pk, Use("G", "email")).allowed(today())
    for channel in ("email", "sms", "phone", "post"):
        assert not may_process(saga.pk, Use("H", channel)).allowed(today())
    assert noor.protection
    assert not hugo.orders.exists()
    assert list(plan(today(), [hugo.pk, elin.pk, saga.pk, noor.pk])) == []
    assert britta.name
    assert emma.invoices.filter(paid_on=None).count() == 1
    assert emma.language == "en"
    got = set(Disclosure.objects.values_list("customer", "recipient__name"))
    assert got >= {
        (elin.pseudonym, "Paketbud"),
        (elin.pseudonym, "Tandklubben"),
        (elin.pseudonym, "Fakturahuset"),
        (saga.pseudonym, "Brevtryck"),
    }
    assert RecipientNotice.objects.filter(outcome="done").exists()
    assert RecipientNotice.objects.open().exists()


def test_min_sida_opens_for_each_of_them(client: Client) -> None:
    demo()
    pages = (
        "/",
        "/mina-uppgifter/",
        "/mina-val/",
        "/vem-har-fatt-dem/",
        "/hur-lange/",
        "/mina-arenden/",
        "/mer/",
    )
    for story in STORIES:
        client.force_login(User.objects.get(email=story.email))
        for path in pages:
            assert client.get(path).status_code == 200, (story.email, path)


def test_staff_see_the_people(client: Client) -> None:
    demo()
    for email, _role, _words in STAFF:
        client.force_login(User.objects.get(email=email))
        assert client.get("/personal/").status_code == 200


def test_demo_people_are_refused_outside_an_embedded_house(settings: object) -> None:
    settings.EMBEDDED = False  # type: ignore[attr-defined]
    with pytest.raises(CommandError, match=r"\.$"):
        call_command("demo")
    assert not Customer.objects.exists()
