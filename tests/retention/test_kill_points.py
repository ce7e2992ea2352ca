"""A night killed before and after every step, and twice; and a harness that finds what is wrong.

Every moment, power cut and pair is in `make kills`; the suite has a part of them, always the same.
"""

import os
import random
import re
from collections.abc import Iterator

import pytest

from tests.nights import FoundError, Night, Stage, a_minute
from tests.planted import BUGS, Bug

pytestmark = pytest.mark.django_db(transaction=True)

# Parts of one test, so that two workers share it.
PARTS = 2
EVERYWHERE = "KILLS_EACH" in os.environ
STRIDE = PARTS if EVERYWHERE else 10 * PARTS
FIRST_KILLS, SECOND_KILLS = (50, 10) if EVERYWHERE else (4, 5)
SEED = 20261124
ON_DISK = {"open", "fsync", "rename", "unlink"}


@pytest.fixture(scope="module")
def stage(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Stage]]:
    made: list[Stage] = []
    yield made
    for found in made:
        found.close()


@pytest.fixture
def night(
    transactional_db: None, stage: list[Stage], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Night]:
    if not stage:
        stage.append(Stage(tmp_path_factory.mktemp("kept")))
    with stage[0].evening() as found:
        yield found


@pytest.mark.parametrize("part", range(PARTS))
def test_a_night_killed_before_and_after_every_step_comes_to_the_same_morning(
    night: Night, part: int
) -> None:
    step = part
    while night.kill(step).is_dead:
        step += STRIDE


@pytest.mark.parametrize("part", range(PARTS))
def test_a_night_killed_twice_comes_to_the_same_morning(night: Night, part: int) -> None:
    drawn = random.Random(SEED)
    firsts = sorted(drawn.sample(range(len(night.steps)), FIRST_KILLS))
    for first in firsts[part::PARTS]:
        night.kill_twice(first, SECOND_KILLS, drawn)


def test_a_night_that_loses_power_between_two_changes_of_a_file_forgets_nothing(
    night: Night,
) -> None:
    on_disk = [step for step, before in enumerate(night.steps[:-1], 1) if before in ON_DISK]
    for step in on_disk[:: 1 if EVERYWHERE else 5]:
        night.kill(step, power_cut=True)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_harness_finds_a_planted_bug(night: Night, bug: Bug) -> None:
    with bug.plant(), night.judging_anew():
        steps = night.process().run(a_minute).steps
        night.clear_up()
        night.judge_morning()  # without a kill nothing shows
        with pytest.raises(FoundError):
            _kill_where_it_shows(night, bug, steps)


def _kill_where_it_shows(night: Night, bug: Bug, steps: list[str]) -> None:
    for number, step in enumerate(steps):
        before, after = (*steps[number - 1 : number], ""), (*steps[number + 1 : number + 2], "")
        if re.search(bug.shows, f"{before[0]} > {step} > {after[0]}"):
            night.kill(number, power_cut=bug.power_cut)
