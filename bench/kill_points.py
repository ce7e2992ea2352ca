"""How many moments of a night it survives being killed at, once and twice, and how fast that goes.

The tests kill it at the same moments, but with a database that does not wait for the disk.
"""

import logging
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import house
from bench.measure import report
from tests import groundwork
from tests.nights import FoundError, Night, Stage

GOAL = 1.0
FIRST_KILLS, SECOND_KILLS = 50, 10
SEED = 20261124


def run(n: int, rounds: int) -> None:
    """Kill a night at every moment, then twice, `rounds` tenths of n times at most."""
    most = n * rounds // 10
    house.copy("dentalclean", "kills")
    groundwork.lay()
    logging.disable(logging.CRITICAL)  # a killed night says much
    with tempfile.TemporaryDirectory() as box:
        stage = Stage(Path(box))
        try:
            with stage.evening() as night:
                _measure(night, n, most)
        finally:
            logging.disable(logging.NOTSET)
            stage.close()
            house.drop("kills")


def _measure(night: Night, n: int, most: int) -> None:
    drawn = random.Random(SEED)  # noqa: S311
    moments = len(night.steps)
    once = sorted(drawn.sample(range(moments), min(most, moments)))
    twice = max(0, min(most - len(once), FIRST_KILLS * SECOND_KILLS))
    started = time.perf_counter()
    whole = sum(_survives(lambda: night.kill(step)) for step in once)  # noqa: B023
    each = time.perf_counter() - started
    firsts = sorted(drawn.sample(range(moments), twice // SECOND_KILLS))
    started = time.perf_counter()
    whole += sum(_survives(lambda: night.kill_twice(f, SECOND_KILLS, drawn)) for f in firsts)  # noqa: B023
    pairs, took = len(firsts) * SECOND_KILLS, time.perf_counter() - started
    told = f", {pairs} pairs of them at {pairs / took:.1f} a second" if pairs else ""
    report(
        "kill_points",
        n,
        ours=whole,
        reference=len(once) + len(firsts),
        goal=GOAL,
        sentence=f"A night of {moments} moments: killed at {len(once)} of them at "
        f"{len(once) / each:.1f} a second{told}; {len(night.judged)} states were left and judged, "
        f"and {len(once) + len(firsts) - whole} nights came to another morning.",
    )


def _survives(kill: Callable[[], object]) -> bool:
    try:
        kill()
    except FoundError as found:
        print(f"FOUND: {found}")
        return False
    return True
