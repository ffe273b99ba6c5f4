from __future__ import annotations

import itertools

import pytest

from exportcheck.timing import WARM_UP, Quartiles, Timed, quartiles, ratios, take_turns


class Clock:
    """A clock that only moves when somebody works."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self):
        return self.now

    def work(self, name, durations):
        durations = itertools.cycle(durations)

        def run():
            self.log.append(name)
            self.now += next(durations)

        return run


def test_every_function_is_timed_once_a_round():
    clock = Clock()
    seconds = take_turns(
        {"a": Timed(clock.work("a", [1.0])), "b": Timed(clock.work("b", [3.0]))}, 5, clock
    )
    assert seconds == {"a": [1.0] * 5, "b": [3.0] * 5}


def test_a_function_against_itself_is_one():
    clock = Clock()
    run = clock.work("a", [1.0])
    seconds = take_turns({"a": Timed(run), "again": Timed(run)}, 7, clock)
    assert ratios(seconds["again"], seconds["a"]) == Quartiles(1.0, 1.0, 1.0)


def test_what_is_slow_in_a_round_is_slow_for_all():
    """Twice the time in every round is twice the time, however the machine was busy."""
    busy = [1.0, 5.0, 2.0, 50.0]
    slow = [2 * one for one in busy]
    assert ratios(slow, busy) == Quartiles(2.0, 2.0, 2.0)
    assert ratios(busy, slow) == Quartiles(0.5, 0.5, 0.5)


def test_preparing_and_warming_up_are_not_timed():
    clock = Clock()

    def prepare():
        clock.now += 100.0

    seconds = take_turns({"a": Timed(clock.work("a", [1.0]), prepare)}, 3, clock)
    assert seconds == {"a": [1.0] * 3}
    assert len(clock.log) == 2 * (3 + WARM_UP)


def test_the_order_changes_and_is_always_the_same():
    def log():
        clock = Clock()
        take_turns({n: Timed(clock.work(n, [1.0])) for n in "abc"}, 20, clock)
        return clock.log

    first = log()
    assert first == log()
    rounds = ["".join(first[at : at + 6 : 2]) for at in range(0, len(first), 6)]
    assert {"".join(sorted(one)) for one in rounds} == {"abc"}
    assert len(set(rounds)) == 6


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([4.0], (4.0, 4.0, 4.0)),
        ([1.0, 2.0, 3.0, 4.0, 5.0], (2.0, 3.0, 4.0)),
        ([5.0, 1.0, 3.0, 2.0, 4.0], (2.0, 3.0, 4.0)),
        ([1.0, 2.0], (1.25, 1.5, 1.75)),
    ],
)
def test_quartiles(values, expected):
    assert quartiles(values) == Quartiles(*expected)
