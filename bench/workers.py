"""What a second worker brings a night, against what it brings the hand-written one."""

import time
from collections.abc import Sequence

from django.db import connection

from bench import handwritten, house
from bench.measure import report
from bench.night import BY_HAND, OURS, Worker
from bench.purge import build, compare
from customers.dates import today
from retention.models import Run

GOAL = 0.9
SIDES = ((OURS, 1), (BY_HAND, 1), (OURS, 2), (BY_HAND, 2))


def run(n: int, rounds: int) -> None:
    """Measure nights with one worker and with two, both ways, and compare what they left."""
    due = build(n)
    took: dict[tuple[str, int], float] = {}
    for turn in range(rounds):
        for side, workers in SIDES if turn % 2 == 0 else SIDES[::-1]:
            house.copy("world", f"{side}_{workers}")
            seconds = _night(side, f"{side}_{workers}", workers)
            took[side, workers] = min(took.get((side, workers), seconds), seconds)
    compare("ours_2", "hand_2")
    for side, workers in SIDES:
        house.drop(f"{side}_{workers}")
    ours, by_hand = (took[side, 1] / took[side, 2] for side in (OURS, BY_HAND))
    report(
        "workers",
        n,
        ours=ours,
        reference=by_hand,
        goal=GOAL,
        sentence=f"{due:,} due among {n:,} people with one worker and with two: ours "
        f"{took[OURS, 1]:.2f} s and {took[OURS, 2]:.2f} s ({ours:.2f} times as fast), "
        f"hand-written {took[BY_HAND, 1]:.2f} s and {took[BY_HAND, 2]:.2f} s ({by_hand:.2f}).",
    )


def _night(side: str, database: str, workers: int) -> float:
    """Return the seconds from the word until the last worker is done and the night is closed."""
    connection.close()
    started = _start([Worker(side, database, number, workers) for number in range(workers)])
    house.use(database)
    if side == BY_HAND and workers > 1:
        handwritten.close(today())
    took = time.perf_counter() - started
    if Run.objects.get(business_date=today()).status != Run.Status.DONE:
        raise SystemExit("The night was not closed.")
    return took


def _start(workers: Sequence[Worker]) -> float:
    """Give all the word, wait for all, and return the moment of the word."""
    started = time.perf_counter()
    for worker in workers:
        worker.go()
    for worker in workers:
        worker.done()
    return started
