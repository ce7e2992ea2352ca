"""Nights over generated histories: what the law expects before, what is left after."""

from datetime import date
from typing import Any

from retention.actions import execute, open_run
from retention.models import Run
from tests import expected, foresight
from tests.history_tables import World

Difference = tuple[date, str, str, Any]


def run_night(world: World, on: date) -> Run:
    """Run the night to a day, foreseen, over a world that has been brought to it."""
    foresight.expect(on, len(world.lives))
    return execute(open_run(on)[0])


def differences(world: World, on: date) -> list[Difference]:
    """Bring a world to a day and run its night; return what the law would have had otherwise."""
    world.bring_to(on)
    must = expected.left(world, on)
    run = run_night(world, on)
    assert run.status == Run.Status.DONE
    found = world.look()
    world.forget(found)
    return [(on, *difference) for difference in expected.differences(must, found)]
