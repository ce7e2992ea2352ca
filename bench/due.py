"""The same number due among few and among many: a night must not cost more as people are added.

The due of one night have consecutive numbers, those of another are spread evenly; near each other
means that their rows share pages, which is what sets the price.
"""

from datetime import date, timedelta

from bench import handwritten, house, world
from bench.measure import report, seconds
from bench.world import Cohort
from customers.dates import today
from retention import actions
from retention.models import Forecast

GOAL = 1 / 1.3
EARLIER = timedelta(days=100)
LONG_AGO = date(2000, 1, 1)


def run(n: int, rounds: int) -> None:
    """Measure nights with n/50 due among n/10 and among n people, near and scattered, both ways."""
    few, due = n // 10, n // 50
    nights = [today() - EARLIER, today()]
    times: dict[tuple[int, str], list[tuple[float, ...]]] = {}
    for people in (few, n):
        world.build(people, _cohorts(people, due))
        for night in nights:  # or our side would stop and ask
            Forecast.objects.create(
                made_on=night - timedelta(days=7),
                span=Forecast.Span.NIGHT,
                day=night,
                people=people,
            )
        for turn in range(rounds):
            for side in ("ours", "by hand") if turn % 2 == 0 else ("by hand", "ours"):
                house.copy("world", "copy")
                _night(side, LONG_AGO)  # nothing is due: connection and caches are warm after it
                pair = tuple(seconds(lambda: _night(side, night)) for night in nights)  # noqa: B023
                times.setdefault((people, side), []).append(pair)
        house.drop("copy")
    near, scattered = (
        {key: min(pair[k] for pair in took) for key, took in times.items()} for k in (0, 1)
    )
    for name, took in (("due_scattered", scattered), ("due", near)):
        ours, by_hand = (took[few, side] / took[n, side] for side in ("ours", "by hand"))
        where = "near each other" if name == "due" else "scattered"
        print(
            f"{due:,} due {where}: ours {took[few, 'ours']:.2f} s among {few:,} people and "
            f"{took[n, 'ours']:.2f} s among {n:,} ({1 / ours:.2f} times the time); hand-written "
            f"{took[few, 'by hand']:.2f} s and {took[n, 'by hand']:.2f} s ({1 / by_hand:.2f})."
        )
    report(
        "due_scattered",
        n,
        ours=scattered[few, "ours"] / scattered[n, "ours"],
        reference=scattered[few, "by hand"] / scattered[n, "by hand"],
        goal=1.0,
        sentence=f"Scattered, the speed among {n:,} as a part of that among {few:,}:",
    )
    report(
        "due",
        n,
        ours=due / near[n, "ours"],
        reference=due / near[few, "ours"],
        goal=round(GOAL, 2),
        sentence=f"Near each other, people/s among {n:,} against people/s among {few:,}:",
    )


def _cohorts(people: int, due: int) -> tuple[Cohort, ...]:
    """Return the due of the first night, side by side, and those of the second, spread out."""
    step = (people - due) // due
    before = f"today - {EARLIER.days}"
    return (
        Cohort(f"i > {people - due}", f"({before} - interval '3 years')::date - 1"),
        Cohort(f"i % {step} = 0", "(today - interval '3 years')::date - 1"),
    )


def _night(side: str, on: date) -> None:
    if side == "ours":
        actions.execute(actions.open_run(on)[0])
    else:
        handwritten.purge(on)
