"""The outbox against a mail server that speaks SMTP, also one that hangs up."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from customers.dates import today
from disclosures.actions import queue_mail, relay
from disclosures.models import Outbox
from tests import cast

pytestmark = pytest.mark.django_db


class MailServer(socketserver.ThreadingTCPServer):
    """Takes mail as a server does; hangs up after so many messages of one call."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.taken: list[Message] = []
        self.calls = 0
        self.hang_up_after = 1000
        self.refused: set[str] = set()
        self.refusal = "550 no such user"


class Call(socketserver.StreamRequestHandler):
    """One call to the server."""

    server: MailServer

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.server.calls += 1
        taken = 0
        self.say("220 test")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"QUIT":
                self.say("221 bye")
                return
            if word == b"RCPT" and any(name in line.decode() for name in self.server.refused):
                self.say(self.server.refusal)
            elif word == b"DATA":
                self.say("354 go on")
                self.take()
                taken += 1
                if taken > self.server.hang_up_after:
                    return
                self.say("250 taken")
            else:
                self.say("250 ok")

    def take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line)
        self.server.taken.append(message_from_bytes(b"".join(lines)))


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address[:2]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def queue(to: str) -> Outbox:
    return queue_mail(to, "login_code", {"code": "314159"})


def test_many_mails_go_in_one_call_each_to_its_own_person(server: MailServer) -> None:
    people = [f"person{n}@example.se" for n in range(5)]
    rows = [queue(to) for to in people]
    assert relay() == 5
    assert server.calls == 1
    assert [mail["To"] for mail in server.taken] == people
    assert [
        str(row.pk) in mail["Message-ID"] for row, mail in zip(rows, server.taken, strict=True)
    ] == [True] * 5
    assert all(mail["Auto-Submitted"] == "auto-generated" for mail in server.taken)


def test_a_server_that_hangs_up_costs_one_try_and_no_mail(server: MailServer) -> None:
    for n in range(4):
        queue(f"person{n}@example.se")
    server.hang_up_after = 2
    assert relay() == 2
    assert Outbox.objects.filter(status="queued", attempts=1).count() == 1
    assert Outbox.objects.filter(status="queued", attempts=0).count() == 1
    server.hang_up_after = 1000
    assert relay() == 1


def test_an_address_that_does_not_exist_stops_nobody_else(server: MailServer) -> None:
    server.refused = {"gone@example.se"}
    gone = queue("gone@example.se")
    queue("anna@example.se")
    assert relay() == 1
    gone.refresh_from_db()
    assert (gone.status, gone.attempts) == (Outbox.Status.DEAD, 1)
    assert [mail["To"] for mail in server.taken] == ["anna@example.se"]


def test_an_address_that_does_not_exist_is_noted_at_its_person(server: MailServer) -> None:
    anna, bo = cast.person("Anna"), cast.person("Bo")
    server.refused = {"anna@example.se", "bo.old@example.se"}
    for person, to in ((anna, anna.email), (bo, "bo.old@example.se")):
        queue_mail(to, "login_code", {"code": "314159"}, customer=person)
    relay()
    anna.refresh_from_db()
    bo.refresh_from_db()
    assert (anna.email_returned_on, bo.email_returned_on) == (today(), None)


def test_a_full_mailbox_is_not_an_address_that_does_not_exist(server: MailServer) -> None:
    anna = cast.person("Anna")
    server.refused, server.refusal = {"anna@example.se"}, "552 mailbox full"
    queue_mail(anna.email, "login_code", {"code": "314159"}, customer=anna)
    relay()
    anna.refresh_from_db()
    assert anna.email_returned_on is None
