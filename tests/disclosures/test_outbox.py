"""What leaves us: written with the decision, sent once, its words forgotten."""

import logging
import signal
import smtplib
import stat
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.core.mail import get_connection
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, connections, transaction
from django.template import TemplateDoesNotExist
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.actions import say_no
from disclosures import actions
from disclosures.actions import (
    MOST_ATTEMPTS,
    Outcome,
    UnsafeHeaderError,
    deliver,
    pause,
    queue_letter,
    queue_mail,
    queue_words,
    relay,
    take,
)
from disclosures.bell import ring
from disclosures.models import KEEP_DEAD, Outbox
from tests import cast
from tests.workers import died_of

CODE = {"code": "314159"}


def queue(to: str = "anna@example.se", **more: Any) -> Outbox:
    return queue_mail(to, "login_code", CODE, **more)


def later(message: Outbox) -> None:
    """Let the pause of a message be over."""
    Outbox.objects.filter(pk=message.pk).update(available_at=timezone.now())


class DeafBackend(EmailBackend):
    """A mail server that answers as the test wants."""

    answer: Exception = ConnectionRefusedError()

    def send_messages(self, messages: Any) -> int:
        raise self.answer


@pytest.fixture
def deaf(settings: Any) -> Iterator[type[DeafBackend]]:
    settings.EMAIL_BACKEND = f"{__name__}.DeafBackend"
    yield DeafBackend
    DeafBackend.answer = ConnectionRefusedError()


@pytest.mark.django_db
def test_a_mail_is_a_row_until_the_relay_sends_it() -> None:
    message = queue()
    assert mail.outbox == []
    assert (message.subject, message.status) == ("Din kod till Min sida", "queued")
    assert relay() == 1
    (sent,) = mail.outbox
    assert sent.to == ["anna@example.se"]
    assert "314159" in sent.body
    assert str(message.pk) in sent.extra_headers["Message-ID"]


@pytest.mark.django_db
def test_the_words_are_forgotten_at_delivery_and_the_row_stays_24_months() -> None:
    message = queue()
    relay()
    message.refresh_from_db()
    assert (message.recipient, message.subject, message.body) == ("", "", "")
    assert message.status == Outbox.Status.SENT
    assert message.retain_until is not None
    assert message.retain_until > timezone.localdate() + timedelta(days=729)


@pytest.mark.django_db
def test_a_mail_goes_away_with_the_decision_that_wrote_it() -> None:
    def decide() -> None:
        with transaction.atomic():
            queue()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        decide()
    assert not Outbox.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "to", ["a@example.se\nBcc: b@example.se", "a@example.se, b@example.se", "", "a@example.se\0"]
)
def test_a_mail_goes_to_exactly_one_address(to: str) -> None:
    with pytest.raises(UnsafeHeaderError):
        queue(to)


@pytest.mark.django_db
def test_a_subject_of_two_lines_is_refused() -> None:
    with pytest.raises(UnsafeHeaderError):
        queue_words("a@example.se", "x", "Hej\nBcc: b@example.se", "Hej", customer=None)


@pytest.mark.django_db
def test_a_template_that_is_missing_is_told_when_the_mail_is_written() -> None:
    with pytest.raises(TemplateDoesNotExist):
        queue_mail("a@example.se", "no_such_mail", {})


@pytest.mark.django_db
def test_the_words_are_in_the_persons_language_and_not_escaped() -> None:
    anna = cast.person(language="en")
    message = queue_mail("anna@example.se", "login_code", {"code": "<1&2>"}, customer=anna)
    assert message.subject == "Your code for My page"
    assert "<1&2>" in message.body


@pytest.mark.django_db
def test_a_mail_server_that_is_down_puts_the_mail_off(deaf: Any) -> None:
    message = queue()
    before = timezone.now()
    assert relay() == 0
    message.refresh_from_db()
    assert (message.status, message.attempts, message.lease) == ("queued", 1, None)
    assert message.available_at >= before + pause(1)
    assert message.body


@pytest.mark.django_db
def test_a_server_that_is_down_is_asked_once_and_the_others_keep_their_tries(deaf: Any) -> None:
    for _ in range(3):
        queue()
    relay()
    assert sorted(Outbox.objects.values_list("attempts", flat=True)) == [0, 0, 1]


@pytest.mark.django_db
def test_one_message_the_server_refuses_does_not_stop_the_others(deaf: Any) -> None:
    deaf.answer = smtplib.SMTPDataError(451, b"later")
    for _ in range(3):
        queue()
    relay()
    assert list(Outbox.objects.values_list("attempts", flat=True)) == [1, 1, 1]


@pytest.mark.django_db
def test_pauses_grow_to_four_hours() -> None:
    pauses = [pause(n) for n in range(1, MOST_ATTEMPTS + 1)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(seconds=30), timedelta(hours=4))


@pytest.mark.django_db
def test_after_its_last_try_a_mail_is_dead_and_keeps_its_words_for_90_days(deaf: Any) -> None:
    message = queue()
    for _ in range(MOST_ATTEMPTS):
        later(message)
        relay()
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Outbox.Status.DEAD, MOST_ATTEMPTS)
    assert message.body
    Outbox.objects.update(finished_at=timezone.now() - KEEP_DEAD + timedelta(minutes=1))
    relay()
    message.refresh_from_db()
    assert message.body
    Outbox.objects.update(finished_at=timezone.now() - KEEP_DEAD)
    relay()
    message.refresh_from_db()
    assert (message.recipient, message.subject, message.body) == ("", "", "")


@pytest.mark.django_db
def test_an_address_refused_for_good_is_not_tried_again(deaf: Any) -> None:
    deaf.answer = smtplib.SMTPRecipientsRefused({"anna@example.se": (550, b"no such user")})
    message = queue()
    relay()
    message.refresh_from_db()
    assert (message.status, message.attempts) == (Outbox.Status.DEAD, 1)


@pytest.mark.django_db
def test_nothing_about_the_person_is_logged(deaf: Any, caplog: pytest.LogCaptureFixture) -> None:
    deaf.answer = smtplib.SMTPRecipientsRefused({"anna@example.se": (450, b"later, anna@")})
    message = queue()
    with caplog.at_level(logging.DEBUG, "disclosures"):
        relay()
    assert str(message.pk) in caplog.text
    assert "anna" not in caplog.text
    assert CODE["code"] not in caplog.text


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_changes_nothing() -> None:
    message = queue()
    slow = take(timezone.now())
    assert slow is not None
    assert take(timezone.now()) is None
    fast = take(timezone.now() + actions.LEASE + timedelta(seconds=1))
    assert fast is not None
    assert deliver(fast, get_connection()) is Outcome.SENT
    assert deliver(slow, get_connection()) is Outcome.KEPT
    message.refresh_from_db()
    assert message.status == Outbox.Status.SENT
    # Sent twice at most, and a receiver can tell: it is one message by its id.
    assert len({m.extra_headers["Message-ID"] for m in mail.outbox}) == 1


@pytest.mark.django_db
def test_a_message_that_takes_its_workers_with_it_is_given_up() -> None:
    message = queue()
    Outbox.objects.update(attempts=MOST_ATTEMPTS)
    relay()
    message.refresh_from_db()
    assert message.status == Outbox.Status.DEAD
    assert mail.outbox == []


@pytest.mark.django_db
def test_advertising_is_pulled_when_the_person_has_said_no_since() -> None:
    anna = cast.person(since=date(2026, 1, 7))
    cast.subscription(anna, date(2026, 1, 7))
    kept = queue(customer=anna, purpose="H")
    relay()
    kept.refresh_from_db()
    assert kept.status == Outbox.Status.SENT
    pulled = queue(customer=anna, purpose="H")
    say_no(anna)
    relay()
    pulled.refresh_from_db()
    assert (pulled.status, pulled.body) == (Outbox.Status.STOPPED, "")
    assert len(mail.outbox) == 1


@pytest.mark.django_db
def test_a_letter_becomes_a_file_for_the_printer_that_only_we_can_read(settings: Any) -> None:
    anna = cast.person()
    message = queue_letter(anna, "login_code", CODE)
    relay()
    path: Path = settings.DATA_DIR / "letters" / f"{message.pk}.txt"
    words = path.read_text()
    assert "Anna Ek\nBjörkgatan 4\n582 22 Linköping" in words
    assert "314159" in words
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    message.refresh_from_db()
    assert (message.status, message.recipient) == (Outbox.Status.SENT, "")


@pytest.mark.django_db
def test_a_sign_in_code_goes_through_the_outbox(client: Client) -> None:
    anna = cast.person()
    client.post(reverse("account_login"), {"email": "anna@example.se"})
    message = Outbox.objects.get()
    assert (message.template, message.customer) == ("login_code", anna)
    relay()
    assert mail.outbox[0].to == ["anna@example.se"]


@pytest.mark.django_db
def test_a_stranger_gets_no_mail(client: Client) -> None:
    client.post(reverse("account_login"), {"email": "stranger@example.se"})
    assert not Outbox.objects.exists()


# Real transactions, workers and brokers from here on


@pytest.mark.django_db(transaction=True)
def test_several_workers_share_the_outbox_and_send_each_mail_once() -> None:
    for number in range(40):
        queue(f"person{number}@example.se")

    def work() -> None:
        try:
            relay()
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(m.to[0] for m in mail.outbox) == sorted(
        f"person{n}@example.se" for n in range(40)
    )
    assert Outbox.objects.filter(status=Outbox.Status.SENT, attempts=1).count() == 40


@pytest.mark.django_db(transaction=True)
def test_killed_between_sending_and_marking_the_same_message_id_goes_again(
    settings: Any, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    message = queue()
    killed = died_of(
        f"""
import os, signal
from unittest.mock import patch
from django.conf import settings
from disclosures import actions
settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = "{settings.EMAIL_BACKEND}", "{tmp_path}"
with patch.object(actions, "_finish", lambda *_: os.kill(os.getpid(), signal.SIGKILL)):
    actions.relay()
"""
    )
    assert killed == signal.SIGKILL
    message.refresh_from_db()
    assert (message.status, message.attempts) == ("queued", 1)
    assert relay() == 0, "the dead worker's lease still holds"
    later(message)
    assert relay() == 1
    sent = "".join(path.read_text() for path in tmp_path.iterdir())
    assert sent.count(f"Message-ID: <{message.pk}@") == 2


@pytest.fixture
def broker_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_fails_no_request(client: Client, broker_down: None) -> None:
    cast.person()
    began = timezone.now()
    answer = client.post(reverse("account_login"), {"email": "anna@example.se"})
    assert answer.status_code == 302
    assert timezone.now() - began < timedelta(seconds=1)
    assert relay() == 1


@pytest.mark.django_db(transaction=True)
def test_the_bell_carries_ids_only_and_is_heard() -> None:
    with current_app.connection_for_read() as broker, broker.SimpleQueue("celery") as line:
        line.clear()
        queue()
        heard = line.get(timeout=5)
        assert heard.headers["task"] == "disclosures.tasks.relay"
        assert "anna" not in str(heard.payload) + str(heard.headers)
        line.clear()
    assert ring("disclosures.tasks.relay")
    with current_app.connection_for_read() as broker:
        broker.SimpleQueue("celery").clear()


@pytest.mark.django_db(transaction=True)
def test_the_relay_claims_by_its_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_sort = off")  # what other tests left decides nothing
        waiting = Outbox.objects.waiting(timezone.now()).order_by("available_at")
        plan = waiting.filter(batch=None).explain()
        plan_of_batches = waiting.filter(batch__isnull=False).explain()
        cursor.execute("RESET enable_seqscan")
        cursor.execute("RESET enable_sort")
    assert "outbox_queued " in plan
    assert "outbox_queued_batch" in plan_of_batches
