"""What holds for every history: one gate, and a standing that the ledger proves."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent.models import Event, Standing
from consent.purposes import CATALOGUE, Use
from consent.rules import audience, gate, may_process, may_process_many
from consent.standing import State, replay
from tests import worlds

pytestmark = pytest.mark.django_db
many = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
EVERY_USE = [
    Use(purpose.code, channel.value, "munvard-vast" if purpose.named_third_party else "")
    for purpose in CATALOGUE
    for channel in purpose.channels
]


def reached(use: Use, on: date) -> Iterable[int]:
    """Name those a use is open for; what is only counted has no audience (RUL-08)."""
    if use.of.only_counted:
        return gate(use).open(use, on).values_list("pk", flat=True)
    return audience(use, on)


@many
@given(st.lists(worlds.lives, min_size=1, max_size=3), worlds.days)
def test_the_gate_for_one_is_the_gate_for_all(lives: list[worlds.Life], on: date) -> None:
    with worlds.world(lives) as people:
        keys = [c.pk for c in people]
        for use in EVERY_USE:
            one = {pk: may_process(pk, use) for pk in keys}
            assert may_process_many(keys, use) == one
            assert set(reached(use, on)) == {pk for pk in keys if one[pk].allowed(on)}
            for decision in one.values():
                assert decision.allowed(on) == (not decision.refusals(on))


@many
@given(st.lists(worlds.lives, min_size=1, max_size=2))
def test_replaying_the_ledger_gives_the_standing(lives: list[worlds.Life]) -> None:
    with worlds.world(lives) as people:
        for customer in people:
            told = replay(Event.objects.filter(customer=customer).order_by("pk"))
            held = {
                Use(s.purpose, s.channel, s.third_party): State(
                    s.permission, s.declined, s.opens, s.closes, s.since, s.authority
                )
                for s in Standing.objects.filter(customer=customer)
            }
            assert told == held
