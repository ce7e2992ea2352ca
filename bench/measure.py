"""Take the time, and say what was found: a sentence for people, a line of JSON for programs."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


def seconds(act: Callable[[], Any]) -> float:
    """Return how long an act takes."""
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def in_turns(ours: Callable[[], Any], reference: Callable[[], Any], rounds: int) -> "Pair":
    """Measure two acts alternately and keep the fastest of each: other programs only ever add."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            theirs = seconds(reference)
            pairs.append((seconds(ours), theirs))
        else:
            pairs.append((seconds(ours), seconds(reference)))
    return Pair(*(min(side) for side in zip(*pairs, strict=True)))


@dataclass(frozen=True)
class Pair:
    """Seconds of both sides."""

    ours: float
    reference: float


def report(
    bench: str, n: int, *, ours: float, reference: float, goal: float, sentence: str
) -> None:
    """Print both sides; `ours` and `reference` are speeds, so a higher ratio is better."""
    print(sentence)
    line = {
        "bench": bench,
        "n": n,
        "ours": float(f"{ours:.4g}"),
        "reference": float(f"{reference:.4g}"),
        "ratio": round(ours / reference, 3),
        "goal": goal,
    }
    print(json.dumps(line), flush=True)
