"""One person's life, step by step: the gate for one, the gate for all and the law agree on it."""

from datetime import date, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from consent import records
from consent.actions import (
    lift_own_restriction,
    object_to_use,
    restrict,
    say_no,
    say_yes,
    serve_notice,
)
from consent.facts import (
    correct_details,
    deliver,
    end_subscription,
    mail_returned,
    place_order,
    register_customer,
    subscribe,
)
from consent.ledger import append
from consent.models import Authority, Event, Standing
from consent.purposes import CATALOGUE, Use
from consent.rules import audience, gate, may_process, may_process_all, may_process_many
from consent.standing import State, replay
from customers.models import Address, Customer, Order, Subscription, SupportCase
from customers.models.channels import Collected, Source
from tests import cast
from tests.oracles import gate as law

pytestmark = pytest.mark.django_db

PARTNERS = ("munvard-vast", "tandvard-syd")
EVERY_USE = [
    Use(purpose.code, channel.value, partner)
    for purpose in CATALOGUE
    for channel in purpose.channels
    for partner in (PARTNERS if purpose.named_third_party else ("",))
]
# As many of each, or the many uses of the catalogue would hide what two acts do to one.
CHOSEN = st.sampled_from(
    [
        *(Use("H", channel) for channel in ("email", "phone", "post")),
        *(Use("G", channel) for channel in ("email", "push")),
        *(Use("C", "email"), Use("F", "internal"), Use("J", "web"), Use("E", "web")),
        *(Use("P", "phone", PARTNERS[0]), Use("P", "email", PARTNERS[1])),
    ]
)
FIRST, LAST = date(2016, 2, 29), date(2026, 11, 20)


class Life(RuleBasedStateMachine):
    """A person who says things, buys things and grows older."""

    customer: Customer

    def __init__(self) -> None:
        super().__init__()
        self.day = FIRST
        self.said: list[law.Said] = []
        self.running: Subscription | None = None
        self.awaited: list[Order] = []
        self.bought = 0
        self.steps = 0
        self.corrections = 0
        self._world = transaction.atomic()
        self._world.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._world.__exit__(None, None, None)

    @initialize(
        born=st.sampled_from([None, None, date(1980, 5, 1), date(2004, 2, 29)]),
        adult=st.booleans(),
        nix=st.sampled_from([True, False, None]),
    )
    def comes(self, born: date | None, adult: bool, nix: bool | None) -> None:
        self.customer = register_customer(
            given_name="Anna",
            family_name="Ek",
            email="anna@example.se",
            phone="+46701740635",
            address={"street": "Björkgatan 4", "postcode": "58222", "city": "Linköping"},
            on=FIRST,
            with_account=False,
            birth_date=born,
            adult_confirmed_on=FIRST if adult else None,
            nix_phone=nix,
            nix_post=nix,
        )
        self.person = law.Person(
            last_contact=FIRST, born=born, says_adult=adult, nix={"phone": nix, "post": nix}
        )

    def _note(self, what: str, use: Use | None = None) -> None:
        about = (use.purpose, use.channel, use.third_party) if use else ()
        self.said.append(law.Said(self.day, what, *about))

    @rule(days=st.sampled_from([1, 30, 92, 184, 366, 1097]))
    def time_passes(self, days: int) -> None:
        self.day = min(LAST, self.day + timedelta(days=days))

    @rule(by=st.sampled_from(["web", "web", "email", "home", "phone"]))
    def is_told(self, by: str) -> None:
        collected = Collected.POST if by == "home" else Collected(by)
        serve_notice(self.customer, collected=collected, at=cast.noon(self.day))
        told = (*self.person.told, law.Told(self.day, by, self.steps))
        self.person = law.replace(self.person, told=told)

    @rule()
    def is_told_at_a_sale(self) -> None:
        cast.told_at_a_sale(self.customer, at=cast.noon(self.day))
        self._note("sale")

    @rule(use=CHOSEN)
    def says_yes(self, use: Use) -> None:
        say_yes(self.customer, use, evidence=cast.SHOWN, at=cast.noon(self.day))
        self._note("yes", use)

    @rule(use=CHOSEN)
    def says_no(self, use: Use) -> None:
        say_no(self.customer, use, at=cast.noon(self.day))
        self._note("no", use)

    @rule()
    def says_no_to_everything(self) -> None:
        say_no(self.customer, at=cast.noon(self.day))
        self._note("no")

    @rule(channel=st.sampled_from(["", "email", "sms", "post"]))
    def follows_a_link_that_stops(self, channel: str) -> None:
        append(
            self.customer,
            Event.Kind.UNSUBSCRIBED,
            channel=channel,
            collected=Collected.EMAIL,
            authority=Authority.PERSON,
            at=cast.noon(self.day),
        )
        self.said.append(law.Said(self.day, "no", "", channel))

    @rule(purpose=st.sampled_from("CDEFGHIJP"))
    def objects_to_a_use(self, purpose: str) -> None:
        object_to_use(self.customer, purpose, at=cast.noon(self.day))
        self.said.append(law.Said(self.day, "no", purpose))

    @rule(way=st.sampled_from(["email", "phone", "home"]))
    def what_we_sent_comes_back(self, way: str) -> None:
        mail_returned(self.customer, "address" if way == "home" else way, self.day)
        self.person = law.replace(
            self.person,
            # Come back twice, it stays with the first day.
            returned={way: self.day} | dict(self.person.returned),
            came_back=(*self.person.came_back, law.Told(self.day, way, self.steps)),
        )

    @rule()
    def everything_comes_back(self) -> None:
        for way in ("email", "phone", "home"):
            self.what_we_sent_comes_back(way)

    @rule(register=st.sampled_from(["phone", "post"]), listed=st.booleans())
    def is_compared_with_nix(self, register: str, listed: bool) -> None:
        """A wash, as consent.nix leaves the person; its own tests read the files."""
        Customer.objects.filter(pk=self.customer.pk).update(**{f"nix_{register}": listed})
        self.customer.refresh_from_db()
        self.person = law.replace(self.person, nix={**self.person.nix, register: listed})

    @rule(what=st.sampled_from(["phone", "street", "family_name", "email"]))
    def corrects_something(self, what: str) -> None:
        """A new number, home or name is not known to NIX; a new address begins anew."""
        self.corrections += 1
        values = {
            "phone": f"+4670174{self.corrections:04d}",
            "street": f"Nygatan {self.corrections}",
            "family_name": "Ek" + "e" * self.corrections,
            "email": f"anna{self.corrections}@example.se",
        }
        # By staff: what the person writes is a contact of today, and this life is over by then.
        correct_details(self.customer, {what: values[what]}, source=Source.STAFF)
        way = {"phone": "phone", "street": "home", "email": "email"}.get(what, "")
        register = {"phone": "phone", "street": "post", "family_name": "post"}.get(what)
        self.person = law.replace(
            self.person,
            returned={w: day for w, day in self.person.returned.items() if w != way},
            old_no={w: day for w, day in self.person.old_no.items() if w != way},
            nix={**self.person.nix, **({register: None} if register else {})},
        )

    @rule(way=st.sampled_from(["email", "phone", "home"]))
    def gives_what_carries_an_old_no(self, way: str) -> None:
        """A new value that somebody said no by, as customers.contact_points would find it."""
        if way == "home":
            fresh = {"returned_on": None, "suppressed_on": self.day}
            Address.objects.filter(customer=self.customer).update(**fresh)
        else:
            fresh = {f"{way}_returned_on": None, f"{way}_suppressed_on": self.day}
            Customer.objects.filter(pk=self.customer.pk).update(**fresh)
        self.customer.refresh_from_db()
        records.refresh([self.customer.pk])
        self.person = law.replace(
            self.person,
            returned={w: day for w, day in self.person.returned.items() if w != way},
            old_no={**self.person.old_no, way: self.day},
        )

    @rule()
    def is_heard_of(self) -> None:
        Customer.objects.filter(pk=self.customer.pk).update(last_contact_on=self.day)
        self.customer.refresh_from_db()
        records.refresh([self.customer.pk])
        self.person = law.replace(self.person, last_contact=self.day)

    @rule()
    def asks(self) -> None:
        SupportCase.objects.create(
            customer=self.customer,
            subject="Hur byter jag huvud?",
            collected=Collected.EMAIL,
            opened_at=cast.noon(self.day),
        )
        records.refresh([self.customer.pk])
        questions = (*self.person.questions, (self.day, None))
        self.person = law.replace(self.person, questions=questions)

    @rule()
    def is_answered(self) -> None:
        SupportCase.objects.filter(customer=self.customer, closed_on=None).update(
            closed_on=self.day
        )
        records.refresh([self.customer.pk])
        questions = tuple((a, b or self.day) for a, b in self.person.questions)
        self.person = law.replace(self.person, questions=questions)

    @rule(use=CHOSEN)
    def a_file_says_yes(self, use: Use) -> None:
        event = say_yes(self.customer, use, collected=Collected.IMPORT, at=cast.noon(self.day))
        assert event.kind == Event.Kind.UNPROVEN
        self._note("unproven", use)

    @precondition(lambda self: not self.person.restriction)
    @rule(ground=st.sampled_from("abcdvvv"))
    def limits_the_use(self, ground: str) -> None:
        restrict(self.customer, ground, at=cast.noon(self.day))
        self.person = law.replace(self.person, restriction=ground)

    @precondition(lambda self: self.person.restriction == "v")
    @rule()
    def lifts_the_limit(self) -> None:
        lift_own_restriction(self.customer, at=cast.noon(self.day))
        self.person = law.replace(self.person, restriction="")

    @precondition(lambda self: self.running is None)
    @rule()
    def subscribes(self) -> None:
        spans = self.person.subscriptions
        if spans and spans[-1][1] == self.day:  # the last day of the one before is taken
            self.day = min(LAST, self.day + timedelta(days=1))
            if spans[-1][1] == self.day:
                return
        self.running = subscribe(self.customer, cast.product(), self.day)
        self.person = law.replace(self.person, subscriptions=(*spans, (self.day, None)))

    @precondition(lambda self: self.running is not None)
    @rule()
    def ends_the_subscription(self) -> None:
        assert self.running is not None
        end_subscription(self.running, self.day)
        *before, (start, _open) = self.person.subscriptions
        self.person = law.replace(self.person, subscriptions=(*before, (start, self.day)))
        self.running = None

    @rule()
    def orders(self) -> None:
        self.bought += 1
        self.awaited.append(place_order(self.customer, cast.product(), f"M{self.bought}", self.day))
        self.person = law.replace(self.person, orders=(*self.person.orders, (self.day, None)))

    @precondition(lambda self: self.awaited)
    @rule()
    def gets_the_parcel(self) -> None:
        deliver(self.awaited.pop(0), self.day)
        orders = list(self.person.orders)
        first = next(n for n, (_ordered, delivered) in enumerate(orders) if delivered is None)
        orders[first] = (orders[first][0], self.day)
        self.person = law.replace(self.person, orders=tuple(orders))

    @invariant()
    def the_gates_and_the_law_agree(self) -> None:
        pk = self.customer.pk
        one = may_process_all(pk, EVERY_USE)
        for use in EVERY_USE:
            heard = law.hear(self.said, use.purpose, use.channel, use.third_party)
            expected = law.may(self.person, heard, use.purpose, use.channel, self.day)
            refused = [answer.name for answer in one[use].refusals(self.day)]
            assert one[use].allowed(self.day) == expected, (use, self.day, refused)
            assert (not refused) == expected
            turn = one[use].changes_on(self.day)
            if turn is not None:
                the_day_before = turn - timedelta(days=1)
                assert law.may(self.person, heard, use.purpose, use.channel, turn) != expected
                assert (
                    law.may(self.person, heard, use.purpose, use.channel, the_day_before)
                    == expected
                )
        self.steps += 1
        for use in EVERY_USE[self.steps % 4 :: 4]:
            assert may_process_many([pk], use) == {pk: one[use]}
        for use in EVERY_USE[self.steps % 20 :: 20]:
            assert may_process(pk, use) == one[use]
            assert (pk in reached(use, self.day)) == one[use].allowed(self.day)

    @invariant()
    def the_records_are_what_the_facts_make_of_them(self) -> None:
        assert records.refresh([self.customer.pk]) == 0

    @invariant()
    def standing_equals_replay(self) -> None:
        told = replay(Event.objects.filter(customer=self.customer).order_by("pk"))
        held = {
            Use(s.purpose, s.channel, s.third_party): State(
                s.permission, s.declined, s.opens, s.closes, s.since, s.authority
            )
            for s in Standing.objects.filter(customer=self.customer)
        }
        assert told == held


def reached(use: Use, on: date) -> set[int]:
    """Name those a use is open for; what is only counted has no audience (RUL-08)."""
    if use.of.only_counted:
        return set(gate(use).open(use, on).values_list("pk", flat=True))
    return set(audience(use, on))


def test_a_life_step_by_step() -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=12,
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
