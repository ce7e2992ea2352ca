"""One choice from many tabs at once: each accepted act is in the ledger once, whole, in order."""

import threading
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from consent import actions
from consent.models import Event, EventDetail, Standing
from consent.purposes import Use
from consent.rules import may_process
from consent.standing import State, replay
from consent.unsubscribe import Link
from customers.dates import today
from customers.models import Customer
from customers.models.people import Restriction
from privacy_requests.models import Case
from privacy_requests.objections import lift_limit, limit, object_to
from tests import cast
from tests.doors import signed_in

pytestmark = pytest.mark.django_db(transaction=True)

POST = Use("H", "post")
THREADS = 100
YES, NO = ("yes",), ("no", "withdrawn")


def customer(name: str = "Anna") -> Customer:
    anna = cast.person(name, since=date(2024, 3, 3))
    cast.subscription(anna, date(2024, 3, 3))
    return anna


def at_once(acts: list[Callable[[], Any]]) -> list[Any]:
    """Do all of them at once, each on a connection of its own; return what each gave."""
    start = threading.Barrier(len(acts))
    given: list[Any] = [None] * len(acts)

    def do(place: int) -> None:
        try:
            connection.ensure_connection()
            start.wait(60)
            given[place] = acts[place]()
        except Exception as problem:  # a thread's failure is the test's
            given[place] = problem
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert [found for found in given if isinstance(found, Exception)] == []
    return given


def ledger(of: Customer, after: int = 0) -> list[Event]:
    return list(Event.objects.filter(customer=of, pk__gt=after).order_by("pk"))


def standings(of: Customer) -> dict[Use, State]:
    names = State.__dataclass_fields__
    return {
        Use(row.purpose, row.channel, row.third_party): State(*(getattr(row, n) for n in names))
        for row in Standing.objects.filter(customer=of)
    }


def last_event() -> int:
    return Event.objects.latest("pk").pk


def assert_whole(of: Customer) -> None:
    """The standings are what the ledger adds up to, and every entry has the words it hashes."""
    assert standings(of) == replay(ledger(of))
    for event in ledger(of):
        assert bool(event.evidence_hash) == EventDetail.objects.filter(event=event).exists()
    for row in Standing.objects.filter(customer=of).select_related("event"):
        assert row.event.customer_id == of.pseudonym


def test_a_hundred_tabs_toggle_one_choice_and_every_accepted_act_is_written_once() -> None:
    anna = customer()
    before = last_event()

    def act(number: int) -> Callable[[], Any]:
        yes = number % 2 == 0
        said = f"{cast.SHOWN} Flik {number}."
        return lambda: actions.choose(anna, POST, yes=yes, evidence=said if yes else "")

    accepted = [event for event in at_once([act(n) for n in range(THREADS)]) if event is not None]
    written = ledger(anna, before)
    assert {event.pk for event in accepted} == {event.pk for event in written}
    assert len(accepted) == len(written) > 1
    # It starts on, so each act that changed something is the other answer than the one before.
    kinds = ["yes" if event.kind in YES else "no" for event in written]
    assert kinds == ["no" if place % 2 == 0 else "yes" for place in range(len(kinds))]
    assert {event.kind for event in written} <= {*YES, *NO}
    # Taken one at a time: an entry is never dated before the one it follows.
    assert [event.at for event in written] == sorted(event.at for event in written)
    assert_whole(anna)
    last_is_yes = kinds[-1] == "yes"
    assert may_process(anna.pk, POST).allowed(today()) == last_is_yes
    row = Standing.objects.get(customer=anna, purpose="H", channel="post")
    assert (row.event_id, row.declined) == (written[-1].pk, not last_is_yes)


def test_twenty_browsers_toggle_it_through_the_page() -> None:
    anna = customer()
    before = last_event()
    tabs = [signed_in(anna) for _ in range(20)]

    def act(tab: Client, answer: str) -> Callable[[], Any]:
        return lambda: tab.post("/mina-val/H/post/", {"answer": answer}).status_code

    given = at_once([act(tab, ("yes", "no")[n % 2]) for n, tab in enumerate(tabs)])
    assert set(given) == {302}
    kinds = ["yes" if event.kind in YES else "no" for event in ledger(anna, before)]
    assert kinds == ["no" if place % 2 == 0 else "yes" for place in range(len(kinds))]
    assert_whole(anna)
    assert may_process(anna.pk, POST).allowed(today()) == (kinds[-1] == "yes")


def test_the_same_answer_from_fifty_tabs_is_one_act() -> None:
    anna = customer()
    before = last_event()
    given = at_once([lambda: actions.choose(anna, POST, yes=False)] * 50)
    assert len([event for event in given if event is not None]) == 1
    assert [event.kind for event in ledger(anna, before)] == ["no"]


def test_two_tabs_that_contradict_each_other_come_one_after_the_other() -> None:
    for number in range(10):
        anna = customer(f"Anna{number}")
        before = last_event()
        yes = partial(actions.choose, anna, POST, yes=True, evidence=cast.SHOWN)
        at_once([yes, partial(actions.choose, anna, POST, yes=False)])
        kinds = [event.kind for event in ledger(anna, before)]
        # The yes came first and changed nothing, or it came last and is what holds.
        assert kinds in (["no"], ["no", "yes"])
        assert may_process(anna.pk, POST).allowed(today()) == (kinds[-1] == "yes")
        assert_whole(anna)


def test_every_way_of_saying_stop_at_once_leaves_one_whole_ledger() -> None:
    anna = customer()
    before = last_event()
    link = f"/sluta/{Link(anna.public_id, 'email').token()}/"
    acts: list[Callable[[], Any]] = [
        lambda: actions.choose(anna, POST, yes=False),
        lambda: actions.stop_all_marketing(anna),
        lambda: Client().post(link, {"List-Unsubscribe": "One-Click"}).status_code,
        lambda: Client().post(link, {"stop": "allt"}).status_code,
        lambda: object_to(anna, ["H", "D"]),
        lambda: limit(anna),
    ]
    at_once(acts * 5)
    kinds = [event.kind for event in ledger(anna, before)]
    assert kinds.count("restricted") == 1
    assert kinds.count("objection") <= 2
    assert len(kinds) == len({(e.kind, e.purpose, e.channel) for e in ledger(anna, before)})
    assert_whole(anna)
    found = {use for use, state in standings(anna).items() if not state.declined}
    assert not {use.purpose for use in found} & {"C", "F", "G", "H", "I", "D"}
    assert Case.objects.filter(customer=anna, right="objection").count() == 1
    assert Case.objects.filter(customer=anna, right="restriction").count() == 1


def test_limiting_and_lifting_from_many_tabs_takes_turns() -> None:
    anna = customer()
    before = last_event()
    at_once([lambda: limit(anna), lambda: lift_limit(anna)] * 15)
    kinds = [event.kind for event in ledger(anna, before)]
    turns = ["restricted" if n % 2 == 0 else "unrestricted" for n in range(len(kinds))]
    assert kinds == turns
    anna.refresh_from_db()
    is_limited = kinds[-1] == "restricted"
    assert anna.restriction == (Restriction.VOLUNTARY if is_limited else Restriction.NONE)


def test_an_act_whose_connection_dies_before_the_commit_leaves_nothing() -> None:
    anna = customer()
    before, stood = last_event(), standings(anna)
    done, ended = threading.Event(), threading.Event()
    backend: list[int] = []
    found: list[Exception] = []

    def dies() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backend.append(cursor.fetchone()[0])
                actions.choose(anna, POST, yes=False)
                object_to(anna, ["D"])
                done.set()
                ended.wait(60)
        except DatabaseError as problem:
            found.append(problem)
        finally:
            done.set()
            connection.close()

    thread = threading.Thread(target=dies)
    thread.start()
    assert done.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", backend)
    ended.set()
    thread.join(60)
    assert len(found) == 1
    assert ledger(anna, before) == []
    assert standings(anna) == stood
    assert not EventDetail.objects.filter(event_id__gt=before).exists()
    assert not Case.objects.exists()
    # Whoever asks anew is heard.
    actions.choose(anna, POST, yes=False)
    assert [event.kind for event in ledger(anna, before)] == ["no"]


def test_a_choice_is_ones_own_whoever_is_named_in_the_request() -> None:
    anna, björn = customer(), customer("Björn")
    before = last_event()
    for more in ({"customer": björn.pk}, {"customer_id": björn.pk}, {"email": björn.email}):
        signed_in(anna).post("/mina-val/H/post/", {"answer": "no", **more})
    assert [event.customer_id for event in ledger(anna, before)] == [anna.pseudonym]
    assert ledger(björn, before) == []


def test_a_link_made_into_somebody_elses_does_not_exist() -> None:
    anna, björn = customer(), customer("Björn")
    before = last_event()
    hers = Link(anna.public_id, "email").token()
    his = Link(björn.public_id, "email").token()
    mixed = f"{his.partition('.')[0]}.{hers.partition('.')[2]}"
    assert Client().post(f"/sluta/{mixed}/", {"stop": "allt"}).status_code == 404
    assert last_event() == before


@pytest.mark.parametrize(
    "path", ["Z/post", "H/fax", "A/post", "L/post", "P/email", "h/post", "H/Post", "H/push"]
)
def test_an_unknown_purpose_or_way_does_not_exist(path: str) -> None:
    anna = customer()
    before = last_event()
    client = signed_in(anna)
    for answer in ("yes", "no"):
        assert client.post(f"/mina-val/{path}/", {"answer": answer}).status_code == 404
    assert client.get(f"/mina-val/{path}/ja/").status_code == 404
    assert last_event() == before


def test_a_transaction_that_sees_one_moment_only_writes_no_act() -> None:
    anna = customer()
    before = ledger(anna)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        with pytest.raises(DatabaseError, match="READ COMMITTED"), transaction.atomic():
            actions.say_no(anna, POST)
    assert ledger(anna) == before
