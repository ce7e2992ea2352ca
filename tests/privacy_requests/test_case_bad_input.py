"""Bad input over HTTP: many at once, again, forged, expired, too long, somebody else's, closed.

Whatever comes, there is one row, one clear sentence and the right status, never a 500 (issue 5).
"""

import http.client
import queue
import re
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connections, transaction

from customers.models import Customer, User
from privacy_requests import cases
from privacy_requests.messages import register_message
from privacy_requests.models import Case, CaseEvent
from tests import cast
from tests.doors import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "/mina-arenden/ny/"
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
NUMBER = re.compile(r'name="token" value="([^"]+)"')
TAG = re.compile(r"(?s)<(head|svg|script)\b.*?</\1>|<[^>]+>")


@dataclass
class Answer:
    status: int
    where: str
    text: str
    raw: str


class Browser:
    """A signed-in browser's requests and nothing else of it; each call is a connection."""

    def __init__(self, live_server: Any, customer: Customer) -> None:
        self.host = urlsplit(live_server.url).netloc
        jar = signed_in(customer).cookies
        self.cookies = {name: morsel.value for name, morsel in jar.items()}
        self.opened = threading.local()
        self.form = TOKEN.search(self.get(NEW).raw)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        connection = getattr(self.opened, "door", None) or http.client.HTTPConnection(
            self.host, timeout=60
        )
        self.opened.door = None
        try:
            cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            sent = {"Cookie": cookie, "Accept-Language": "sv", **headers}
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            raw = answer.read().decode(errors="replace")
            for name, value in answer.getheaders():
                if name.lower() == "set-cookie":
                    key, _, rest = value.partition("=")
                    self.cookies[key] = rest.partition(";")[0]
        finally:
            connection.close()
        text = " ".join(TAG.sub(" ", raw).split())
        return Answer(answer.status, answer.getheader("Location") or "", text, raw)

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def post(self, path: str, given: Any, token: str | None = None) -> Answer:
        assert self.form is not None
        pairs = given if isinstance(given, list) else list(given.items())
        pairs = [*pairs, ("csrfmiddlewaretoken", self.form[1] if token is None else token)]
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, urlencode(pairs).encode(), **kind)


@pytest.fixture
def anna() -> Customer:
    return cast.person("Anna")


@pytest.fixture
def browser(live_server: Any, anna: Customer) -> Browser:
    return Browser(live_server, anna)


@pytest.fixture
def case(anna: Customer) -> Case:
    return register_message(anna, ["restriction"], "Uppgifterna är fel.")[0]


def at(case: Case, act: str = "") -> str:
    return f"/mina-arenden/{case.public_id}/{act}"


def at_once(browser: Browser, posts: list[tuple[str, Any]]) -> list[Answer]:
    """Post all of them in the same moment."""
    start = threading.Barrier(len(posts))
    # Connected first, one after another: the queue of the server at the door is short.
    doors = queue.SimpleQueue[http.client.HTTPConnection]()
    for _post in posts:
        door = http.client.HTTPConnection(browser.host, timeout=60)
        door.connect()
        doors.put(door)

    def post(sent: tuple[str, Any]) -> Answer:
        browser.opened.door = doors.get()
        start.wait(timeout=60)
        return browser.post(*sent)

    with ThreadPoolExecutor(len(posts)) as pool:
        return list(pool.map(post, posts))


def test_fifty_posts_at_once_over_http_are_one_case(browser: Browser) -> None:
    """Half are the same form sent again, half are other tabs."""
    same = str(uuid.uuid4())
    sent = [
        (NEW, {"rights": "erasure", "wording": "Nu.", "token": same if n % 2 else uuid.uuid4()})
        for n in range(50)
    ]
    answers = at_once(browser, sent)
    connections.close_all()
    case = Case.objects.get()
    assert Counter(answer.status for answer in answers) == {302: 50}
    assert {answer.where for answer in answers} == {at(case)}
    assert case.wording == "Nu."
    assert case.events.filter(kind=CaseEvent.Kind.RECEIVED).count() == 1


def test_ten_who_take_back_at_once_take_back_once(browser: Browser, case: Case) -> None:
    answers = at_once(browser, [(at(case, "ta-tillbaka/"), {})] * 10)
    connections.close_all()
    # Whoever comes second is led to the case or told that it is closed.
    assert {answer.status for answer in answers} <= {302, 409}
    assert CaseEvent.objects.filter(case=case, kind="taken_back").count() == 1


def test_double_clicks_two_tabs_and_the_back_button_are_one_case(browser: Browser) -> None:
    tabs = [NUMBER.search(browser.get(NEW).raw) for _tab in range(2)]
    numbers = [tab[1] for tab in tabs if tab]
    assert len(set(numbers)) == 2
    for number in (*numbers, *numbers, numbers[0]):
        sent = {"rights": "restriction", "wording": "Samma.", "token": number}
        assert browser.post(NEW, sent).status == 302
    case = Case.objects.get()
    assert case.wording == "Samma."
    cases.grant(case.pk)
    # The back button, long after: the form that made it finds it, answered as it is.
    old = {"rights": "restriction", "wording": "Samma.", "token": numbers[0]}
    assert browser.post(NEW, old).where == at(case)
    assert Case.objects.count() == 1


UNTAKEN: list[tuple[Any, int, str]] = [
    ({"rights": "erasure", "wording": "a" * 1_000_000}, 413, "Skriv högst 5 000 tecken"),
    ({"rights": "erasure", "wording": "a" * 3_000_000}, 400, ""),
    ({"rights": "everything", "wording": "x"}, 400, "Välj bland det som står i listan."),
    ([("rights", "erasure"), ("rights", "' OR 1=1 --")], 400, "Välj bland det som står"),
    ([("rights", "erasure")] * 2000, 400, ""),
    ({"rights": "erasure", "wording": "a\0b"}, 400, ""),
    ({"rights": "erasure", "token": "../../etc/passwd"}, 400, ""),
    ({}, 422, "Välj minst en sak."),
    ({"wording": "Bara ord."}, 422, "Välj minst en sak."),
]


def test_what_cannot_be_taken_gets_its_status_and_a_sentence(browser: Browser) -> None:
    for sent, status, sentence in UNTAKEN:
        answer = browser.post(NEW, sent)
        assert (answer.status, sentence in answer.text) == (status, True), str(sent)[:60]
        assert answer.text.strip()
    assert not Case.objects.exists()


def test_a_form_without_its_own_mark_is_refused(browser: Browser, case: Case) -> None:
    for token in ("", "x", "x" * 64):
        for path in (NEW, at(case, "mer/"), at(case, "ta-tillbaka/")):
            assert browser.post(path, {"rights": "erasure", "wording": "x"}, token).status == 403
    case.refresh_from_db()
    assert (case.is_open, Case.objects.count()) == (True, 1)


def test_what_is_no_form_is_no_fault_of_ours(browser: Browser) -> None:
    kinds = ("application/json", "multipart/form-data", "application/x-www-form-urlencoded", "?")
    for kind in kinds:
        for body in (b"\xff\xfe", b"{", b"rights=%ZZ&wording=%E5", b"&&&==", b""):
            answer = browser.ask("POST", NEW, body, **{"Content-Type": kind})
            assert answer.status in (400, 403), (kind, body)
    assert not Case.objects.exists()


def test_somebody_elses_case_and_one_that_never_was_are_the_same_404(
    live_server: Any, case: Case
) -> None:
    bjorn = Browser(live_server, cast.person("Björn"))
    nowhere = uuid.uuid4()
    for act in ("", "mer/", "ta-tillbaka/"):
        sent = {"wording": "Hej"}
        his, none = at(case, act), f"/mina-arenden/{nowhere}/{act}"
        if act:
            answers = [bjorn.post(his, sent), bjorn.post(none, sent)]
        else:
            answers = [bjorn.get(his), bjorn.get(none)]
        assert [answer.status for answer in answers] == [404, 404], act
        assert answers[0].text == answers[1].text
    case.refresh_from_db()
    assert (case.is_open, case.wording) == (True, "Uppgifterna är fel.")


def test_forged_addresses_are_nowhere(browser: Browser) -> None:
    for forged in ("1", "%00", "%C3%A5", "%FF", uuid.uuid4()):
        assert browser.get(f"/mina-arenden/{forged}/").status in (400, 404), forged


def closed_by(how: str, case: Case) -> None:
    one, two = (
        User.objects.get_or_create(email=f"{name}@dentalclean.example")[0] for name in ("c", "d")
    )
    if how == "granted":
        cases.grant(case.pk, actor=one)
    elif how == "taken_back":
        cases.take_back(case.pk)
    elif how == "not_identified":
        cases.ask_identity(case.pk, actor=one)
        cases.give_up_on_identity(case.pk, case.received_at)
    else:
        cases.decide(case.pk, how, reasons="För att.", rule="artikel 18", actor=one)
        cases.approve(case.pk, actor=two)


def test_a_closed_case_takes_nothing_more_and_says_so(browser: Browser, anna: Customer) -> None:
    for how in ("granted", "partly", "refused", "taken_back", "not_identified"):
        case = register_message(anna, ["restriction"], f"Slutar som {how}.")[0]
        closed_by(how, case)
        before = Case.objects.filter(pk=case.pk).values().get()
        traces = case.events.count()
        for act, sent in (("mer/", {"wording": "Mer."}), ("ta-tillbaka/", {})):
            answer = browser.post(at(case, act), sent)
            if how == "taken_back" and act == "ta-tillbaka/":
                assert answer.status == 302
            else:
                assert (answer.status, "Ärendet avslutades" in answer.text) == (409, True), how
        assert browser.get(at(case)).status == 200
        assert Case.objects.filter(pk=case.pk).values().get() == before
        assert case.events.count() == traces


def test_a_session_that_is_over_asks_to_sign_in_and_does_nothing(
    browser: Browser, case: Case
) -> None:
    browser.cookies[django_settings.SESSION_COOKIE_NAME] = "forged" * 5
    for path in (NEW, at(case), at(case, "mer/")):
        answer = browser.get(path)
        assert (answer.status, "/konto/logga-in/" in answer.where) == (302, True)
    answer = browser.post(at(case, "ta-tillbaka/"), {})
    assert answer.status in (302, 403)
    case.refresh_from_db()
    assert case.is_open


def test_words_that_come_while_staff_answer_are_a_new_case_and_no_fault(
    browser: Browser, anna: Customer, case: Case
) -> None:
    """Whoever writes waits for the answer, finds the case closed and has asked anew (RUL-20)."""
    one = User.objects.create_user("c@dentalclean.example")
    answering, asked = threading.Event(), threading.Event()

    def answer() -> None:
        try:
            with transaction.atomic():
                cases.locked(case.pk)
                answering.set()
                asked.wait(timeout=30)
                time.sleep(0.5)  # the post has reached the lock
                cases.grant(case.pk, actor=one)
        finally:
            connections.close_all()

    staff = threading.Thread(target=answer)
    staff.start()
    assert answering.wait(timeout=30)
    asked.set()
    sent = {"rights": "restriction", "wording": "Mer.", "token": str(uuid.uuid4())}
    found = browser.post(NEW, sent)
    staff.join(timeout=60)
    assert found.status == 302
    case.refresh_from_db()
    new = Case.objects.exclude(pk=case.pk).get()
    assert (case.status, new.is_open, new.wording) == ("answered", True, "Mer.")
