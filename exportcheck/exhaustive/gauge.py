"""How far float32 numbers are apart, measured in little more time than reading them takes.

Neighbouring float32 numbers of one sign have neighbouring bit patterns, so their distance is the
difference of the patterns as integers. That fails for unlike signs, infinities and NaN. A chunk is
therefore measured that way only where all of its numbers are known to have one sign and to be
finite; what is left is looked at number by number.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exportcheck.compare import tolerance_for
from exportcheck.exhaustive.figures import Gap

NEAR = int(tolerance_for("float32", "bare").rtol * 2**23)
"""Distances that need no judge: one step is at most 2^-23 of the value."""

_MARGIN = 4 * NEAR
"""Numbers so far from zero and infinity stay clear of both, and so do those `NEAR` them."""

_INFINITY = 0x7F800000
_LOWEST = -(2**31)
_UNSIGNED = 2**32 - 1


@dataclass(frozen=True)
class Measured:
    """What a chunk comes to.

    Attributes:
        gap: the figures; the place only of a distance larger than any before.
        near: whether all distances are `NEAR` or less, of numbers that are all plain.
        suspects: the places that a judge must decide on; None for none.
        same: whether both sides are the same, bit by bit.
    """

    gap: Gap
    near: bool
    suspects: np.ndarray | None = None
    same: bool = False


class Gauge:
    """Measures chunks of one size and keeps its scratch memory.

    Args:
        size: numbers in a chunk.
    """

    def __init__(self, size: int) -> None:
        self._distance = np.empty(size, np.int32)
        self._marks = np.empty(size, bool)

    def measure(
        self,
        x: np.ndarray,
        actual: np.ndarray,
        expected: np.ndarray,
        best: int,
        *,
        plain: bool,
        count: bool = False,
        keep: bool = False,
    ) -> Measured:
        """How far `actual` is from `expected`, all bit patterns, int32.

        Distances stay in memory where all are near: in `expected` itself if `keep` says so, which
        saves the time to fetch a third array, else in the scratch memory. `total` adds them up.

        Args:
            x: the inputs.
            actual: one side.
            expected: the other side.
            best: the place of a distance is looked for only where it is larger than this.
            plain: whether all of `expected` are known to be: of one sign, clear of zero and
                infinity. Nothing need be known of `actual`.
            count: whether numbers that differ are counted where all are near, which takes time.
            keep: whether `expected` becomes the distances where all are near.
        """
        if not plain:
            return self._far(x, actual, expected, best)
        out = expected if keep else self._distance[: len(x)]
        distance = np.subtract(actual, expected, out=out)
        gap = _near(x, actual, distance, best)
        if gap is None:
            if keep:
                np.subtract(actual, distance, out=expected)
            return self._far(x, actual, expected, best)
        if gap.ulp and count:
            gap.differ = int(np.count_nonzero(distance))
        return Measured(gap, True, same=not gap.ulp)

    def total(
        self, x: np.ndarray, actual: np.ndarray, kept: np.ndarray, best: int
    ) -> Measured | None:
        """How far `actual` is from a third side, by way of the one that it was just measured from.

        Args:
            x: the inputs.
            actual: the one side.
            kept: the distances of the side between from the third, all near.
            best: as in `measure`.

        Returns:
            None where not all are near.
        """
        distance = np.add(self._distance[: len(x)], kept, out=self._distance[: len(x)])
        gap = _near(x, actual, distance, best)
        return None if gap is None else Measured(gap, True)

    def _far(self, x: np.ndarray, actual: np.ndarray, expected: np.ndarray, best: int) -> Measured:
        marks = np.not_equal(actual, expected, out=self._marks[: len(x)])
        differ = int(np.count_nonzero(marks))
        if not differ:
            return Measured(Gap(), False, same=True)
        a, e = actual.view(np.float32), expected.view(np.float32)
        # Zeros of unlike sign may fill half of the line; one number tells most other cases apart.
        if (
            a[int(np.argmax(marks))] == 0
            and np.count_nonzero(marks & (a == 0) & (e == 0)) == differ
        ):
            return Measured(Gap(signs=differ), False)
        if _one_sign(actual, expected):
            distance = np.subtract(actual, expected, out=self._distance[: len(x)])
            np.abs(distance, out=distance)
            far = int(np.argmax(distance))
            # A zero and its opposite do not get here together: they are of unlike sign.
            gap = Gap(int(distance[far]), differ=differ)
            suspects = np.flatnonzero(distance > NEAR)
        else:
            gap, far, suspects = _measure_marked(a, e, marks, every=differ == len(x))
        if gap.ulp > best:
            gap.at = _point(x[far], actual[far], expected[far])
        return Measured(gap, False, suspects if suspects.size else None)


def _near(x: np.ndarray, actual: np.ndarray, distance: np.ndarray, best: int) -> Gap | None:
    """What distances come to that are all near; None if any is not."""
    ulp = max(-_least(distance), _most(distance))
    if ulp > NEAR:
        return None
    gap = Gap(ulp)
    if ulp > best:
        place = int(np.argmax(np.abs(distance) == ulp))
        gap.at = _point(x[place], actual[place], int(actual[place]) - int(distance[place]))
    return gap


def _least(numbers: np.ndarray) -> int:
    """The minimum, by the shortest way: some calls a chunk add up."""
    return int(np.minimum.reduce(numbers))


def _most(numbers: np.ndarray) -> int:
    return int(np.maximum.reduce(numbers))


def plain(numbers: np.ndarray) -> bool:
    """Whether all have one sign and are clear of zero and infinity.

    Args:
        numbers: bit patterns, int32.
    """
    low, high = _least(numbers), _most(numbers)
    positive = low >= _MARGIN and high < _INFINITY - _MARGIN
    return positive or (low >= _LOWEST + _MARGIN and high < _LOWEST + _INFINITY - _MARGIN)


def _one_sign(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether all of both are finite and have the same sign, zeros included."""
    low, high = min(_least(one), _least(other)), max(_most(one), _most(other))
    return (low >= 0 and high < _INFINITY) or high < _LOWEST + _INFINITY


def _measure_marked(
    a: np.ndarray, e: np.ndarray, marks: np.ndarray, *, every: bool
) -> tuple[Gap, int, np.ndarray]:
    """`measure_each` of the marked numbers, places among all."""
    if every:
        return measure_each(a, e)
    places = np.flatnonzero(marks)
    gap, index, suspects = measure_each(a[places], e[places])
    return gap, int(places[index]), places[suspects]


def measure_each(a: np.ndarray, e: np.ndarray) -> tuple[Gap, int, np.ndarray]:
    """The gap without its place, that place as an index, and the indices of all suspects.

    Args:
        a: any float32 numbers, `(N,)`.
        e: the same.
    """
    finite = np.isfinite(a) & np.isfinite(e)
    nan_a, nan_e = np.isnan(a), np.isnan(e)
    undefined = nan_a != nan_e
    infinite = ~finite & ~nan_a & ~nan_e & (a != e)
    gap = Gap(nan=int(np.count_nonzero(undefined)), inf=int(np.count_nonzero(infinite)))
    if not finite.any():
        return gap, 0, np.flatnonzero(undefined | infinite)
    distance = np.abs(_ordered(a) - _ordered(e))
    distance[~finite] = 0
    place = int(np.argmax(distance))
    gap.ulp, gap.differ = int(distance[place]), int(np.count_nonzero(distance))
    signs = finite & (distance == 0) & (np.signbit(a) != np.signbit(e))
    gap.signs = int(np.count_nonzero(signs))
    return gap, place, np.flatnonzero(undefined | infinite | (distance > NEAR))


def _ordered(numbers: np.ndarray) -> np.ndarray:
    """Integers in the order of the numbers, both zeros 0, neighbours one apart."""
    patterns = numbers.view(np.int32).astype(np.int64)
    return np.where(patterns >= 0, patterns, _LOWEST - patterns)


def _point(x: int, actual: int, expected: int) -> tuple[int, int, int]:
    """Three bit patterns, without sign."""
    return int(x) & _UNSIGNED, int(actual) & _UNSIGNED, int(expected) & _UNSIGNED
