"""The quick ways to measure are held against the slow one, which is held against a table."""

from __future__ import annotations

import numpy as np
import pytest

from exportcheck.exhaustive.figures import Gap
from exportcheck.exhaustive.gauge import NEAR, Gauge, measure_each, plain

F = np.float32
TINY = F(1e-45)
MAX = np.finfo(F).max


def bits(values) -> np.ndarray:
    return np.asarray(values, F).view(np.int32)


def after(value, steps: int) -> np.float32:
    """The number so many steps above."""
    for _ in range(abs(steps)):
        value = np.nextafter(F(value), F(np.inf if steps > 0 else -np.inf))
    return F(value)


# actual, expected -> ulp, differ, nan, inf, signs
TABLE = [
    (1.0, 1.0, (0, 0, 0, 0, 0)),
    (after(1.0, 3), 1.0, (3, 1, 0, 0, 0)),
    (after(1.0, -3), 1.0, (3, 1, 0, 0, 0)),
    (after(-2.0, 2), -2.0, (2, 1, 0, 0, 0)),
    (0.0, -0.0, (0, 0, 0, 0, 1)),
    (TINY, -TINY, (2, 1, 0, 0, 0)),
    (TINY, -0.0, (1, 1, 0, 0, 0)),
    (2.0, 1.0, (2**23, 1, 0, 0, 0)),
    (1.0, -1.0, (2 * 0x3F800000, 1, 0, 0, 0)),
    (np.nan, np.nan, (0, 0, 0, 0, 0)),
    (np.nan, 1.0, (0, 0, 1, 0, 0)),
    (1.0, np.nan, (0, 0, 1, 0, 0)),
    (np.nan, np.inf, (0, 0, 1, 0, 0)),
    (np.inf, np.inf, (0, 0, 0, 0, 0)),
    (np.inf, MAX, (0, 0, 0, 1, 0)),
    (-np.inf, np.inf, (0, 0, 0, 1, 0)),
    (0.0, np.inf, (0, 0, 0, 1, 0)),
]


def figures(gap: Gap) -> tuple[int, ...]:
    return gap.ulp, gap.differ, gap.nan, gap.inf, gap.signs


@pytest.mark.parametrize(("actual", "expected", "wanted"), TABLE)
def test_each_kind_of_difference(actual, expected, wanted):
    gap, _, suspects = measure_each(np.array([actual], F), np.array([expected], F))
    assert figures(gap) == wanted
    assert suspects.size == (gap.nan + gap.inf > 0 or gap.ulp > NEAR)


def random_side(random, size: int) -> np.ndarray:
    """Numbers of one of several tempers: plain, zeros, tiny, anything at all."""
    temper = random.randint(5)
    if temper == 0:
        side = (0x3F800000 + random.randint(0, 4000, size)).astype(np.int64)
    elif temper == 1:
        side = random.choice([0, 0x80000000], size)
    elif temper == 2:
        side = random.randint(0, 300, size)
    elif temper == 3:
        side = random.randint(0, 2**32, size, dtype=np.int64)
    else:
        side = 0x7F800000 - 200 + random.randint(0, 400, size)
    return side.astype(np.uint32).view(np.int32)


def neighbour(random, side: np.ndarray) -> np.ndarray:
    """The same, or a few patterns off, or something else."""
    reach = random.choice([0, 2, 500])
    if reach == 500 and random.randint(2):
        return random_side(random, side.size)
    return side + random.randint(-reach, reach + 1, side.size).astype(np.int32)


@pytest.mark.parametrize("seed", range(400))
def test_the_quick_ways_say_what_the_slow_one_says(seed):
    random = np.random.RandomState(seed)
    size = random.choice([1, 7, 64])
    x = np.arange(size, dtype=np.int32)
    with np.errstate(all="ignore"):
        expected = random_side(random, size)
        actual = neighbour(random, expected)
    measured = Gauge(64).measure(x, actual, expected, 0, plain=plain(expected), count=True)
    gap, place, suspects = measure_each(actual.view(F), expected.view(F))
    assert figures(measured.gap) == figures(gap)
    found = [] if measured.suspects is None else measured.suspects.tolist()
    assert found == suspects.tolist()
    if gap.ulp:
        at = measured.gap.at
        first = int(np.flatnonzero(_distances(actual, expected) == gap.ulp)[0])
        assert at == (x[first], *(int(s[first]) & 0xFFFFFFFF for s in (actual, expected)))
        assert place == first
    if measured.near:
        assert plain(expected)
        assert gap.ulp <= NEAR
        assert np.isfinite(actual.view(F)).all()


@pytest.mark.parametrize("seed", range(400))
def test_the_way_by_a_third_side_says_what_the_straight_one_says(seed):
    random = np.random.RandomState(seed)
    x = np.arange(64, dtype=np.int32)
    truth = (0x3F800000 + random.randint(0, 4000, 64)).astype(np.int32)
    reach = random.choice([1, NEAR // 2, NEAR])
    eager, actual = (truth + random.randint(-reach, reach + 1, (2, 64))).astype(np.int32)
    gauge, kept = Gauge(64), truth.copy()
    off = gauge.measure(x, eager, kept, 0, plain=True, keep=True)
    assert (kept == (eager - truth)).all()
    beside = gauge.measure(x, actual, eager, 0, plain=True)
    assert off.near
    straight = Gauge(64).measure(x, actual, truth, 0, plain=True)
    total = gauge.total(x, actual, kept, 0) if beside.near else None
    assert (total is not None) == (beside.near and straight.near)
    if total is not None:
        assert (total.gap.ulp, total.gap.at) == (straight.gap.ulp, straight.gap.at)


@pytest.mark.parametrize("seed", range(100))
def test_what_is_not_near_is_given_back_as_it_was(seed):
    random = np.random.RandomState(seed)
    x = np.arange(64, dtype=np.int32)
    truth = (0x3F800000 + random.randint(0, 4000, 64)).astype(np.int32)
    kept, actual = truth.copy(), random_side(random, 64)
    measured = Gauge(64).measure(x, actual, kept, 0, plain=True, keep=True)
    straight = Gauge(64).measure(x, actual, truth, 0, plain=True)
    assert figures(measured.gap) == figures(straight.gap)
    assert (kept == truth).all() or measured.near


def _distances(actual, expected) -> np.ndarray:
    single = [
        measure_each(actual[i : i + 1].view(F), expected[i : i + 1].view(F))
        for i in range(actual.size)
    ]
    return np.array([gap.ulp for gap, _, _ in single])


@pytest.mark.parametrize("wrapping", [0x7FFFFFFF, 0xFFFFFFFF, 0x80000000, 0])
def test_no_pattern_is_near_one_across_the_end_of_the_integers(wrapping):
    """NaN 0x7fffffff and -0 are neighbours as integers that wrap, and nothing else."""
    for expected in (0x80000000 + 400, 400, 0x7F800000 - 400, 0xFF800000 - 400):
        sides = [np.array([b], np.uint32).view(np.int32) for b in (wrapping, expected)]
        assert plain(sides[1])
        assert not Gauge(1).measure(sides[0], *sides, 0, plain=True).near


def test_a_place_is_looked_for_only_where_it_is_worse_than_the_best():
    x, expected = bits([1.0]), bits([2.0])
    actual = bits([after(2.0, 5)])
    assert Gauge(1).measure(x, actual, expected, 5, plain=True).gap.at is None
    assert Gauge(1).measure(x, actual, expected, 4, plain=True).gap.at is not None


def test_near_numbers_are_within_the_tolerance_of_the_tool():
    from exportcheck.compare import tolerance_for

    for value in (1.0, 1.9999999, 3.5e-30, 7e30):
        error = abs(float(after(value, NEAR)) - float(F(value)))
        assert error <= tolerance_for("float32", "bare").rtol * value
