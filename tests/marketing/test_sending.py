"""A thousand messages on their way while people say no, and workers that die: nothing too much."""

import random
import signal
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import Message
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from consent.actions import say_no
from consent.purposes import Use
from customers.models import Customer
from disclosures.actions import relay
from disclosures.models import Outbox
from marketing import actions
from marketing.models import Campaign
from tests.disclosures.test_smtp import MailServer
from tests.marketing.conftest import Outreach, crowd, customer
from tests.workers import died_of

pytestmark = pytest.mark.django_db(transaction=True)


class Arrivals(list[Message]):
    """What has arrived, and when each person got theirs."""

    def __init__(self) -> None:
        super().__init__()
        self.at: dict[str, list[float]] = {}
        # Set while the message to a person is being taken, which then takes its time.
        self.being_taken: dict[str, threading.Event] = {}

    def append(self, message: Message) -> None:
        """Note the moment before the sender is told that the message is taken."""
        if told := self.being_taken.get(message["To"]):
            told.set()
            time.sleep(0.1)
        self.at.setdefault(message["To"], []).append(time.monotonic())
        super().append(message)


@pytest.fixture
def arrivals(settings: Any) -> Iterator[Arrivals]:
    with MailServer() as server:
        server.taken = arrivals = Arrivals()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield arrivals
        server.shutdown()
        thread.join()


def in_a_thread(work: Any, *arguments: Any) -> threading.Thread:
    def run() -> None:
        try:
            work(*arguments)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def crowd_without_anna(size: int) -> list[Customer]:
    """Make many people who can be reached as Anna was, who has no address any more."""
    anna = customer("Anna", account=False)
    people = crowd(anna, size)
    Customer.objects.filter(pk=anna.pk).update(email="")
    return people


def relay_all(campaign: Campaign) -> None:
    """Relay in shift after shift, as beat has it."""
    while Outbox.objects.filter(batch=campaign.pk, status="queued").exists():
        relay()


@pytest.mark.breaks(2)
def test_of_a_thousand_none_goes_to_the_hundred_who_say_no_in_the_middle(
    outreach: Outreach, arrivals: Arrivals
) -> None:
    people = crowd_without_anna(1000)
    campaign = outreach.started()
    actions.fill(campaign.pk)
    assert Outbox.objects.filter(batch=campaign.pk, status="queued").count() == 1000

    said: dict[str, float] = {}

    def say_so(some: list[Customer]) -> None:
        for person in some:
            if moment := arrivals.being_taken.get(person.email):
                moment.wait(60)
            say_no(person, Use("H", "email"))
            said[person.email] = time.monotonic()

    # Eighty say it while they wait in line, twenty in the very moment their message leaves.
    some = random.Random(3).sample(people, 20 + 80)
    in_line, at_the_moment = some[20:], some[:20]
    arrivals.being_taken = {person.email: threading.Event() for person in at_the_moment}
    voices = [in_a_thread(say_so, [person]) for person in at_the_moment]
    relays = [in_a_thread(relay_all, campaign) for _ in range(2)]
    while len(arrivals) < 100:
        time.sleep(0.005)
    voices += [in_a_thread(say_so, in_line[n::2]) for n in range(2)]
    for thread in (*voices, *relays):
        thread.join()

    late = {to: at for to in said for at in arrivals.at.get(to, []) if at > said[to]}
    assert late == {}
    assert len(said) == 100
    stopped = Outbox.objects.filter(batch=campaign.pk, status="stopped").count()
    assert stopped >= 50, "too few said it in time for the test to mean anything"
    assert len(arrivals) == 1000 - stopped
    assert all(len(times) == 1 for times in arrivals.at.values())
    actions.reconcile()
    campaign.refresh_from_db()
    assert campaign.outcome == {"sent": 1000 - stopped, "stopped": stopped}


# A crowd's standings are copied from one person's, without entries of their own.
@pytest.mark.breaks(2)
def test_a_worker_killed_half_way_is_gone_on_from_and_each_gets_one(
    outreach: Outreach, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd_without_anna(250)
    campaign = outreach.started()
    monkeypatch.setattr(actions, "PIECE", 100)
    killed = died_of(
        f"""
import os, signal
from unittest.mock import patch
from marketing import actions
written, pieces = actions.queue_batch, iter(range(3))
def dies_in_the_second(*given, **more):
    written(*given, **more)
    if next(pieces) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
actions.PIECE = 100
with patch.object(actions, "queue_batch", dies_in_the_second):
    actions.fill('{campaign.pk}')
"""
    )
    assert killed == signal.SIGKILL
    written_for = Outbox.objects.filter(batch=campaign.pk)
    assert written_for.count() == 100, "a piece is written whole or not at all"
    actions.fill(campaign.pk)
    assert written_for.count() == 100, "the dead worker's lease still holds"
    Campaign.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    actions.fill(campaign.pk)
    assert written_for.count() == 250
    assert written_for.values("customer").distinct().count() == 250


def test_a_real_worker_sends_what_was_started(outreach: Outreach, worker: Any) -> None:
    customer("Anna")
    worker.start()
    campaign = outreach.started()
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if Outbox.objects.filter(batch=campaign.pk, status="sent").exists():
            break
        time.sleep(0.1)
    assert Outbox.objects.get(batch=campaign.pk).status == "sent", worker.log()
