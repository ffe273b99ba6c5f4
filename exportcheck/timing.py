"""Run time of several functions against each other.

They take turns, so that a busy moment of the machine hits all of them, and only what happened in
the same round is compared.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Sequence

if TYPE_CHECKING:
    from typing import Mapping

WARM_UP = 10
"""Rounds that are not counted: libtorch optimizes while it runs, caches fill."""


@dataclass(frozen=True)
class Timed:
    """What is timed, and what is done before each time and is not: a fresh input, say."""

    run: Callable[[], Any]
    prepare: Callable[[], Any] = lambda: None


@dataclass(frozen=True)
class Quartiles:
    """The middle of many figures and how far they spread: half of them lie from q1 to q3."""

    q1: float
    median: float
    q3: float


def take_turns(
    functions: Mapping[str, Timed], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each function, one figure a round.

    Whatever ran before leaves the caches and the allocator in its own state. So each function runs
    once untimed right before it is timed, and the order changes from round to round, always in the
    same way.

    Args:
        functions: by name.
        rounds: that count; `WARM_UP` more come first.
        clock: gives seconds.
    """
    order = random.Random(0)
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(-WARM_UP, rounds):
        for name in order.sample(list(functions), len(functions)):
            functions[name].prepare()
            functions[name].run()
            functions[name].prepare()
            begun = clock()
            functions[name].run()
            took = clock() - begun
            if number >= 0:
                seconds[name].append(took)
    return seconds


def quartiles(values: Sequence[float]) -> Quartiles:
    """The quartiles, between neighbours by their distance."""
    ordered = sorted(values)
    return Quartiles(*(_at(ordered, share) for share in (0.25, 0.5, 0.75)))


def _at(ordered: Sequence[float], share: float) -> float:
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratios(some: Sequence[float], others: Sequence[float]) -> Quartiles:
    """The quartiles of `some` over `others`, round by round; above 1: `some` take longer."""
    return quartiles([one / other for one, other in zip(some, others)])
