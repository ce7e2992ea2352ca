"""A campaign: approved by another, sent once to those who may get it, stopped when asked."""

import gc
import tracemalloc
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from consent.actions import say_no
from consent.conditions import conditions_for
from consent.facts import correct_details
from consent.groundwork import NixSnapshot, Register
from consent.purposes import BY_CODE, CATALOGUE, Use
from customers.dates import today
from customers.models import Address, Customer
from disclosures.actions import queue_mail, relay, take
from disclosures.models import Outbox
from marketing import actions
from marketing.actions import CampaignError
from marketing.models import PURPOSES, Campaign
from marketing.rules import WHY, Audience, count_audience
from tests import cast, groundwork
from tests.marketing.conftest import Outreach, crowd, customer

pytestmark = pytest.mark.django_db

H_EMAIL = Use("H", "email")


# Two people stand behind it


def test_who_wrote_it_cannot_approve_it(outreach: Outreach) -> None:
    campaign = outreach.draft()
    with pytest.raises(CampaignError, match="Be någon annan"):
        actions.approve(campaign.pk, outreach.cecilia, read=campaign.words_read)
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT


def test_the_database_refuses_it_too(outreach: Outreach) -> None:
    campaign = outreach.draft()
    with pytest.raises(IntegrityError, match="approved_by_another"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(approved_by=outreach.cecilia)
    with pytest.raises(IntegrityError, match="before_it_runs"), transaction.atomic():
        Campaign.objects.filter(pk=campaign.pk).update(status=Campaign.Status.RUNNING)


def test_only_the_words_that_were_read_are_approved(outreach: Outreach) -> None:
    campaign = outreach.draft()
    read = campaign.words_read
    campaign.body_sv = "Nu är allt gratis."
    actions.draft(campaign, outreach.cecilia)
    with pytest.raises(CampaignError, match="ändrats"):
        actions.approve(campaign.pk, outreach.carl, read=read)
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.DRAFT
    actions.approve(campaign.pk, outreach.carl, read=campaign.words_read)


def test_what_is_not_approved_is_not_sent(outreach: Outreach) -> None:
    customer("Anna")
    campaign = outreach.draft()
    with pytest.raises(CampaignError, match="godkänd"):
        actions.start(campaign.pk)
    assert not Outbox.objects.filter(batch=campaign.pk).exists()


def test_an_approved_text_is_not_changed_behind_the_approval(outreach: Outreach) -> None:
    campaign = outreach.approved()
    campaign.body_sv = "Något annat."
    with pytest.raises(CampaignError, match="utkast"):
        actions.draft(campaign, outreach.cecilia)
    campaign.refresh_from_db()
    assert campaign.body_sv == "Nu finns de i två hårdheter."


# Sent, once


def test_it_goes_to_those_the_gate_lets_through_in_their_language(outreach: Outreach) -> None:
    customer("Anna")
    customer("Emma", language="en")
    say_no(customer("Bjorn"))
    cast.person("Disa", notice=False)
    campaign = outreach.started()
    assert (campaign.reached, sum(campaign.left_out.values())) == (2, 2)
    actions.fill(campaign.pk)
    relay()
    sent = {message.to[0]: message for message in mail.outbox}
    assert set(sent) == {"anna@example.se", "emma@example.se"}
    assert sent["anna@example.se"].subject == "Nya borsthuvuden"
    assert "Nu finns de" in sent["anna@example.se"].body
    assert "Det här är reklam från" in sent["anna@example.se"].body
    assert "This is advertising from" in sent["emma@example.se"].body
    for message in mail.outbox:
        assert "List-Unsubscribe" in message.extra_headers
    actions.reconcile()
    campaign.refresh_from_db()
    assert (campaign.status, campaign.outcome) == (Campaign.Status.DONE, {"sent": 2})


def test_a_survey_is_not_called_advertising(outreach: Outreach) -> None:
    customer("Anna")
    actions.fill(outreach.started(purpose="C").pk)
    relay()
    assert "Det här är en enkät från" in mail.outbox[0].body
    assert "reklam från" not in mail.outbox[0].body


def test_started_twice_it_is_sent_once(outreach: Outreach) -> None:
    customer("Anna")
    campaign = outreach.started()
    with pytest.raises(CampaignError, match="godkänd"):
        actions.start(campaign.pk)
    for _ in range(2):
        Campaign.objects.update(filled_at=None, leased_until=None, finished_at=None)
        Campaign.objects.update(status=Campaign.Status.RUNNING)
        actions.fill(campaign.pk)
        relay()
    assert len(mail.outbox) == 1
    assert Outbox.objects.filter(batch=campaign.pk).count() == 1


def test_one_worker_fills_it_and_another_that_is_rung_goes_home(outreach: Outreach) -> None:
    customer("Anna")
    campaign = outreach.started()
    Campaign.objects.update(leased_until=timezone.now() + timedelta(minutes=1))
    actions.fill(campaign.pk)
    assert not Outbox.objects.filter(batch=campaign.pk).exists()
    Campaign.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    actions.fill(campaign.pk)
    assert Outbox.objects.filter(batch=campaign.pk).count() == 1


def test_who_says_no_after_it_was_queued_gets_nothing(outreach: Outreach) -> None:
    anna, bjorn = customer("Anna"), customer("Bjorn")
    campaign = outreach.started()
    actions.fill(campaign.pk)
    say_no(bjorn, H_EMAIL)
    relay()
    assert [message.to for message in mail.outbox] == [["anna@example.se"]]
    actions.reconcile()
    campaign.refresh_from_db()
    assert campaign.outcome == {"sent": 1, "stopped": 1}
    assert not Outbox.objects.filter(customer=anna).exclude(recipient="").exists()


def test_who_moves_after_it_was_queued_gets_it_at_the_new_address(outreach: Outreach) -> None:
    anna = customer("Anna")
    by_mail, by_post = outreach.started(), outreach.started(channel="post")
    for campaign in (by_mail, by_post):
        actions.fill(campaign.pk)
    new = {"email": "ny@example.se", "street": "Nygatan 1", "postcode": "11122", "city": "Stad"}
    correct_details(anna, new)
    relay()
    assert [message.to for message in mail.outbox] == [["ny@example.se"]]
    letter = Outbox.objects.get(batch=by_post.pk)
    words = (settings.DATA_DIR / "letters" / f"{letter.pk}.txt").read_text()
    assert "Nygatan 1" in words
    assert "Björkgatan" not in words


def test_advertising_to_nobody_in_particular_never_leaves(outreach: Outreach) -> None:
    customer("Anna")
    campaign = outreach.started()
    actions.fill(campaign.pk)
    Outbox.objects.filter(batch=campaign.pk).update(customer=None)
    relay()
    assert mail.outbox == []
    assert Outbox.objects.get(batch=campaign.pk).status == Outbox.Status.STOPPED


def test_a_sign_in_code_does_not_wait_behind_a_campaign(outreach: Outreach) -> None:
    for name in ("Anna", "Bjorn"):
        customer(name)
    actions.fill(outreach.started().pk)
    code = queue_mail("cilla@example.se", "login_code", {"code": "314159"})
    assert take(timezone.now()) == code


def test_a_campaign_does_not_hold_a_worker_for_longer_than_a_shift(
    outreach: Outreach, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer("Anna")
    actions.fill(outreach.started().pk)
    queue_mail("cilla@example.se", "login_code", {"code": "314159"})
    monkeypatch.setattr("disclosures.actions.SHIFT", timedelta(0))
    assert relay() == 1
    assert [message.to for message in mail.outbox] == [["cilla@example.se"]]
    monkeypatch.undo()
    assert relay() == 1


def test_letters_go_to_the_home_address_and_to_nobody_without_one(outreach: Outreach) -> None:
    anna, bjorn = customer("Anna"), customer("Bjorn")
    Address.objects.filter(customer=bjorn).delete()
    campaign = outreach.started(channel="post")
    actions.fill(campaign.pk)
    (letter,) = Outbox.objects.filter(batch=campaign.pk)
    assert (letter.customer, letter.kind) == (anna, Outbox.Kind.LETTER)
    assert letter.recipient == "Anna Ek\nBjörkgatan 4\n582 22 Linköping"


@pytest.mark.parametrize(("days_ago", "begins"), [(None, False), (31, False), (30, True)])
def test_no_campaign_by_post_begins_on_an_old_copy_of_nix(
    outreach: Outreach, days_ago: int | None, begins: bool
) -> None:
    customer("Anna")
    groundwork.take_away(NixSnapshot)
    if days_ago is not None:
        taken_on = today() - timedelta(days=days_ago)
        NixSnapshot.objects.create(register=Register.POST, taken_on=taken_on, entries=1)
    campaign = outreach.approved(channel="post")
    with nullcontext() if begins else pytest.raises(CampaignError, match="NIX"):
        actions.start(campaign.pk)


def test_a_campaign_that_reaches_nobody_does_not_start(outreach: Outreach) -> None:
    say_no(customer("Anna"))
    campaign = outreach.approved()
    with pytest.raises(CampaignError, match="Ingen får nås"):
        actions.start(campaign.pk)


# Stopped


def test_stopped_what_is_queued_never_leaves(outreach: Outreach) -> None:
    for name in ("Anna", "Bjorn", "Cilla"):
        customer(name)
    campaign = outreach.started()
    actions.fill(campaign.pk)
    held = take(timezone.now())
    assert held is not None
    actions.stop(campaign.pk)
    # The one in somebody's hands is left to them, the others are pulled with their words.
    assert list(
        Outbox.objects.filter(batch=campaign.pk).order_by("status").values_list("status", "body")
    )[1:] == [("stopped", ""), ("stopped", "")]
    campaign.refresh_from_db()
    assert campaign.finished_at is None
    relay()
    assert mail.outbox == []
    Outbox.objects.filter(pk=held.pk).update(available_at=timezone.now() - timedelta(seconds=1))
    actions.reconcile()
    campaign.refresh_from_db()
    assert (campaign.status, campaign.outcome) == (Campaign.Status.STOPPED, {"stopped": 3})
    with pytest.raises(CampaignError, match="redan avslutad"):
        actions.stop(campaign.pk)


def test_stopped_before_it_is_filled_nothing_is_written(outreach: Outreach) -> None:
    customer("Anna")
    campaign = outreach.started()
    actions.stop(campaign.pk)
    actions.fill(campaign.pk)
    assert not Outbox.objects.filter(batch=campaign.pk).exists()


def test_stopped_between_two_pieces_the_second_is_not_written(
    outreach: Outreach, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Anna", "Bjorn", "Cilla"):
        customer(name)
    campaign = outreach.started()
    monkeypatch.setattr(actions, "PIECE", 1)
    written = actions.queue_batch

    def stops_after_it(*args: Any, **more: Any) -> None:
        written(*args, **more)
        Campaign.objects.update(status=Campaign.Status.STOPPED)

    monkeypatch.setattr(actions, "queue_batch", stops_after_it)
    actions.fill(campaign.pk)
    assert Outbox.objects.filter(batch=campaign.pk).count() == 1


# Whom it reaches


def test_those_reached_and_those_left_out_are_everybody() -> None:
    customer("Anna")
    say_no(customer("Bjorn"))
    customer("Cilla", protection="secrecy")
    cast.person("Disa", notice=False)
    customer("Erik", email="", account=False)
    for code, _name in PURPOSES:
        for channel in ("email", "post"):
            if channel in {c.value for c in BY_CODE[code].channels}:
                audience = count_audience(Use(code, channel), today())
                assert audience.everybody == Customer.objects.count(), (code, channel)


def test_the_reasons_are_told_in_words_the_most_common_first() -> None:
    audience = Audience(3, {"purpose": 3_120, "not_declined": 8_002, "informed": 1_288})
    assert audience.sentence == (
        "3 personer av 12\xa0413 nås. 12\xa0410 utelämnade: 8\xa0002 har sagt nej, 3\xa0120 "
        "är utanför tidsfönstret, 1\xa0288 har inte fått den "
        "första informationen."
    )
    assert [share.people for share in audience.shares()] == [3, 8_002, 3_120, 1_288]


def test_every_condition_that_leaves_somebody_out_has_words() -> None:
    uses = [Use(p.code, c.value) for p in CATALOGUE if not p.named_third_party for c in p.channels]
    asked = {c.name for use in uses if use.of.is_marketing for c in conditions_for(use)}
    assert asked <= set(WHY)


@pytest.mark.breaks(2)  # a crowd's standings are copied, without entries of their own
def test_an_audience_is_read_in_constant_memory(
    outreach: Outreach, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = customer("Anna")
    campaign = outreach.draft()
    monkeypatch.setattr(actions, "PIECE", 100)

    def held() -> int:
        """Return the most memory that was held at once while the audience was read."""
        gc.collect()
        tracemalloc.start()
        for piece in actions._pieces(campaign):
            assert len(piece) <= 100
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    def least() -> int:
        """Return what reading needs; threads of other tests may have added to a single turn."""
        return min(held(), held())

    crowd(anna, 500)
    held()  # what is made once and kept is not the matter
    few = least()
    crowd(anna, 2_500)
    assert least() < 1.5 * few
