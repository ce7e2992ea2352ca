"""Campaigns in the admin: an audience in words and bars, two people, and only with the right."""

from typing import Any

import pytest
from django.test import Client

from consent.actions import say_no
from dentalclean.roles import Role, give_role, sync_roles
from disclosures.models import Outbox
from marketing import actions
from marketing.models import Campaign
from tests import cast
from tests.doors import text
from tests.marketing.conftest import Outreach, customer

pytestmark = pytest.mark.django_db

LIST = "/personal/marketing/campaign/"
AUDIENCE = f"{LIST}malgrupp/"
WORDS = {
    "name": "Höstnytt",
    "purpose": "H",
    "channel": "email",
    "subject_sv": "Nya borsthuvuden",
    "body_sv": "Nu finns de.",
    "subject_en": "New brush heads",
    "body_en": "Here they are.",
}


def client_of(email: str, role: Role) -> Client:
    sync_roles()
    client = Client()
    client.force_login(give_role(email, role))
    return client


@pytest.fixture
def writer(db: None) -> Client:
    return client_of("cecilia@dentalclean.example", Role.CUSTOMER_SERVICE)


@pytest.fixture
def reader(db: None) -> Client:
    return client_of("carl@dentalclean.example", Role.CUSTOMER_SERVICE)


def test_the_audience_is_told_in_words_and_shown_in_a_table(writer: Client) -> None:
    customer("Anna")
    say_no(customer("Bjorn"))
    cast.person("Disa", notice=False)
    answer = writer.get(AUDIENCE, {"purpose": "H", "channel": "post"})
    said = text(answer)
    assert "1 person av 3 nås. 2 utelämnade:" in said
    assert "har sagt nej" in said
    assert "33\xa0%" in answer.content.decode()
    assert 'width="33.33%"' in answer.content.decode()
    assert " style=" not in answer.content.decode()


def test_a_purpose_that_does_not_go_that_way_is_told(writer: Client) -> None:
    said = text(writer.get(AUDIENCE, {"purpose": "G", "channel": "post"}))
    assert "går inte den vägen" in said
    assert text(writer.get(AUDIENCE, {"purpose": "A", "channel": "post"}))


@pytest.mark.parametrize("role", [Role.FINANCE, Role.OPERATIONS])
def test_without_the_right_nothing_is_shown(role: Role, outreach: Outreach) -> None:
    stranger = client_of("erik@dentalclean.example", role)
    campaign = outreach.draft()
    for page in (LIST, AUDIENCE, f"{LIST}add/", f"{LIST}{campaign.pk}/change/"):
        assert stranger.get(page).status_code == 403, page
    for act in ("godkann", "skicka", "stoppa"):
        assert stranger.post(f"{LIST}{campaign.pk}/{act}/").status_code == 403, act


def test_the_data_protection_officer_sees_and_stops_but_does_not_approve(
    outreach: Outreach,
) -> None:
    disa = client_of("disa@dentalclean.example", Role.DATA_PROTECTION)
    campaign = outreach.draft()
    assert disa.post(f"{LIST}{campaign.pk}/godkann/").status_code == 403
    assert disa.post(f"{LIST}{campaign.pk}/skicka/").status_code == 403
    assert disa.get(f"{LIST}add/").status_code == 403
    said = text(disa.get(f"{LIST}{campaign.pk}/change/"))
    assert "Stoppa kampanjen" in said
    assert "Godkänn" not in said
    disa.post(f"{LIST}{campaign.pk}/stoppa/")
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.STOPPED


def test_written_by_one_approved_by_another_and_sent(writer: Client, reader: Client) -> None:
    customer("Anna")
    assert writer.post(f"{LIST}add/", WORDS).status_code == 302
    campaign = Campaign.objects.get()
    page = f"{LIST}{campaign.pk}/"
    assert "Godkänn" not in text(writer.get(f"{page}change/"))
    said = text(writer.post(f"{page}godkann/", follow=True))
    assert "Du har skrivit kampanjen" in said
    assert "Godkänn" in text(reader.get(f"{page}change/"))
    read = {"read": campaign.words_read}
    assert "kan skickas" in text(reader.post(f"{page}godkann/", read, follow=True))
    answer = reader.post(f"{page}skicka/", follow=True)
    assert "Kampanjen skickas nu" in text(answer)
    assert answer["Refresh"] == "10"
    assert "0 meddelanden av 1 har skickats." in text(answer)
    assert "Bara en godkänd kampanj" in text(reader.post(f"{page}skicka/", follow=True))
    actions.fill(campaign.pk)
    assert Outbox.objects.filter(batch=campaign.pk).count() == 1
    assert "I kö 1" in text(reader.get(f"{page}change/"))
    assert "är stoppat" in text(reader.post(f"{page}stoppa/", follow=True))


def test_an_act_is_done_by_post_only(writer: Client, outreach: Outreach) -> None:
    campaign = outreach.draft()
    assert writer.get(f"{LIST}{campaign.pk}/godkann/").status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_an_approved_text_is_shown_and_not_changed(writer: Client, outreach: Outreach) -> None:
    campaign = outreach.approved()
    page = writer.get(f"{LIST}{campaign.pk}/change/")
    assert "Nu finns de i två hårdheter." in text(page)
    assert writer.post(f"{LIST}{campaign.pk}/change/", WORDS).status_code == 403


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"purpose": "G", "channel": "post"}, "går inte den vägen"),
        ({"subject_sv": "Hej\x85Bcc: x"}, "på en rad"),
        ({"body_en": ""}, "obligatoriskt"),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_written(
    writer: Client, wrong: dict[str, str], told: str
) -> None:
    answer: Any = writer.post(f"{LIST}add/", {**WORDS, **wrong})
    assert answer.status_code == 200
    assert told in text(answer)
    assert not Campaign.objects.exists()


def test_a_campaign_that_is_not_there_is_told(writer: Client) -> None:
    nowhere = f"{LIST}00000000-0000-4000-8000-000000000000/"
    assert writer.post(f"{nowhere}stoppa/").status_code == 404
    assert writer.get(f"{nowhere}change/").status_code == 302
