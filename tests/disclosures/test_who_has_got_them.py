"""Who has got my data: told by name, with days, on the page and in every form of the extract."""

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation

from consent.actions import restrict, say_no
from customers.dates import today
from customers.models import Customer, User
from customers.models.channels import Channel
from customers.words import full_day
from disclosures.actions import relay
from disclosures.handing import disclose
from disclosures.models import Agreement, Disclosure, Recipient, RecipientNotice
from disclosures.recipient_notices import acknowledge, give_up
from privacy_requests.document import as_json
from privacy_requests.extract import collect
from privacy_requests.pages import as_pages
from tests import recipients

PAGE = "/vem-har-fatt-dem/"
SCHEMA = settings.BASE_DIR / "privacy_requests" / "extract.schema.json"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def anna() -> Customer:
    return recipients.customer("Anna")


@pytest.fixture
def printer() -> Recipient:
    return recipients.signed()


def page(person: Customer, client: Client) -> str:
    assert person.user is not None
    client.force_login(person.user)
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return str(answer.content.decode())


def flat(told: Any) -> str:
    return json.dumps(told, ensure_ascii=False, default=str)


def test_nobody_has_got_anything_and_it_says_who_would(
    anna: Customer, printer: Recipient, client: Client
) -> None:
    shown = page(anna, client)
    assert "inte lämnat ut dina uppgifter till någon" in shown
    assert "Pappersbruket AB: trycker och skickar brev åt oss" in shown
    assert "Leverera det du köpt" in shown or "leverera det du köpt" in shown


def test_it_names_who_has_got_what_and_when(
    anna: Customer, printer: Recipient, client: Client
) -> None:
    recipients.printed(anna, printer, timezone.now() - timedelta(days=400))
    recipients.printed(anna, printer)
    shown = page(anna, client)
    assert "<b>Pappersbruket</b> har fått uppgifter om dig" in shown
    assert full_day(today() - timedelta(days=400)) in shown
    assert "förnamn" in shown.lower()
    assert "Ingen av dem får skicka egen reklam" in shown


def test_a_partner_is_said_to_advertise(anna: Customer, client: Client) -> None:
    partner = recipients.signed("Tandtips", "partner", task="säljer tandtråd")
    recipients.partner_yes(anna, partner)
    disclose([anna], partner, "P", channel=Channel.EMAIL)
    assert "Tandtips får skicka egen reklam till dig" in page(anna, client)
    say_no(anna)
    assert "att du har sagt nej till reklam från dem" in page(anna, client)


def test_what_they_were_told_is_shown_until_they_have_answered(
    anna: Customer, printer: Recipient, client: Client
) -> None:
    recipients.printed(anna, printer)
    restrict(anna)
    assert "Skickas nu" in page(anna, client)
    relay()
    assert "De har inte svarat än" in page(anna, client)
    disa = User.objects.create_user("disa@dentalclean.example", is_staff=True)
    acknowledge(RecipientNotice.objects.get().pk, "De mejlade.", actor=disa)
    shown = page(anna, client)
    assert f"De har svarat att det är gjort, {full_day(today())}" in shown
    assert "disa@" not in shown
    bo = recipients.customer("Bo")
    recipients.printed(bo, printer)
    restrict(bo)
    notice = RecipientNotice.objects.open().get()
    give_up(notice.pk, "impossible", "Bolaget är upplöst.", actor=disa)
    assert "Bolaget är upplöst." in page(bo, client)


def test_nobody_sees_what_was_handed_over_of_somebody_else(
    anna: Customer, printer: Recipient, client: Client
) -> None:
    recipients.printed(recipients.customer("Bo"), printer)
    assert "inte lämnat ut dina uppgifter till någon" in page(anna, client)
    assert "Pappersbruket" not in flat(as_json(collect(anna.pk)))


def test_the_extract_names_them_with_days_in_json_and_on_its_pages(
    anna: Customer, printer: Recipient
) -> None:
    recipients.printed(anna, printer)
    restrict(anna)
    content = collect(anna.pk)
    told = as_json(content)
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    (one,) = told["recipients"]
    assert (one["name"], one["legal_name"]) == ("Pappersbruket", "Pappersbruket AB")
    assert one["received"][0]["on"] == today().isoformat()
    assert "e-post" in one["received"][0]["what"]
    assert "begränsad" in one["told"][0]["what"]
    assert told["transfers"] == []
    with translation.override("sv"):
        pages = flat(as_pages(content))
    for words in ("Pappersbruket AB", full_day(today()), "begränsad"):
        assert words in pages


def test_a_transfer_is_told_with_its_country_and_tool(anna: Customer, client: Client) -> None:
    cloud = recipients.signed("Molnet", country="JP")
    recipients.printed(anna, cloud)
    assert "Uppgifterna har lämnat EU och EES: Japan." in page(anna, client)
    told = as_json(collect(anna.pk))
    jsonschema.validate(told, json.loads(SCHEMA.read_text()))
    assert told["transfers"][0]["country"] == "Japan"
    assert "EU har godkänt" in told["transfers_note"]


def test_an_agreement_that_has_ended_changes_nothing_of_what_is_told(
    anna: Customer, printer: Recipient, client: Client
) -> None:
    recipients.printed(anna, printer)
    Agreement.objects.update(valid_until=today() - timedelta(days=1))
    Recipient.objects.update(active_until=today() - timedelta(days=1))
    shown = page(anna, client)
    assert "Pappersbruket" in shown
    assert "Ingen. Vi anlitar ingen" in shown
    assert Disclosure.objects.count() == 1
