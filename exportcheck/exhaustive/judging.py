"""Whether numbers far apart are right all the same: by the tool's own tolerance and classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from exportcheck.compare import EAGER_OFF, compare, tolerance_for
from exportcheck.exhaustive.figures import Bits, Judged
from exportcheck.inputs import TAIL_LIMITS
from exportcheck.results import Comparison

TOLERANCE = tolerance_for("float32", "bare")

_SURELY = 0.99
"""Differences below so much of what is allowed need no second look, though float32 rounds them."""


@dataclass(frozen=True)
class Suspects:
    """Points whose numbers are not near each other, in the order of their inputs.

    Attributes:
        x: inputs, float32 `(N,)`, by rising distance from zero.
        a: what the runtime answers.
        e: what eager answers.
        truth: the float64 values where they are known.
    """

    x: np.ndarray
    a: np.ndarray
    e: np.ndarray
    truth: np.ndarray | None

    def part(self, chosen: Any) -> Suspects:
        """Those that a mask or a slice chooses."""
        truth = None if self.truth is None else self.truth[chosen]
        return Suspects(self.x[chosen], self.a[chosen], self.e[chosen], truth)

    def compared(self, largest: float) -> Comparison:
        """All of them by `compare`."""
        return compare(self.a, self.e, TOLERANCE, inputs=self.x, truth=self.truth, largest=largest)


def judge(suspects: Suspects, largest: float, *, exact: bool) -> Judged:
    """The verdict on some points.

    A tail that vanishes within tolerance is not counted: the distance says it.

    Args:
        suspects: the points.
        largest: the largest finite |e| of the whole line, see `compare`.
        exact: whether every `a` is known to be within tolerance of the truth.
    """
    found = Judged()
    with np.errstate(all="ignore"):
        finite = np.isfinite(suspects.a) & np.isfinite(suspects.e)
        scale = np.clip(np.abs(suspects.x), 1.0, np.float32(max(1.0, largest)))
        allowed = np.float32(_SURELY * TOLERANCE.atol) * scale
        unsure = ~(finite & (np.abs(suspects.a - suspects.e) <= allowed))
    gating = gates(suspects.x, suspects.e)
    for mask, counts in ((gating, found.kinds), (~gating, found.noted)):
        mask = mask & unsure
        if exact:
            # Where eager alone is not finite there is nothing left to compare.
            off = int(np.count_nonzero(mask & ~finite))
            counts.update({EAGER_OFF: off} if off else {})
            mask = mask & finite
        if not mask.any():
            continue
        points = suspects.part(mask)
        comparison = points.compared(largest)
        for kind, count in comparison.kinds.items():
            counts[kind] = counts.get(kind, 0) + count
        if counts is found.kinds and comparison.mismatched:
            found.wrong = comparison.mismatched
            found.first = _first(points, largest)
    return found


def gates(x: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Where differences fail a case, as in `inputs`: normal numbers up to 1e30, and infinities.

    At infinities only where eager itself does not answer NaN.

    Args:
        x: inputs by rising distance from zero.
        e: what eager answers.
    """
    smallest, largest = np.finfo(np.float32).tiny, TAIL_LIMITS["float32"]
    if abs(x[0]) > largest and abs(x[-1]) < np.inf:  # all of them: x is in order
        return np.zeros(x.shape, bool)
    size = np.abs(x)
    return ((size >= smallest) & (size <= largest)) | (np.isinf(x) & ~np.isnan(e))


def _first(points: Suspects, largest: float) -> Bits:
    """The first wrong point, by bisection: as many comparisons as its place has binary digits."""
    low, high = 0, len(points.x)
    while high - low > 1:
        middle = (low + high) // 2
        if points.part(slice(low, middle)).compared(largest).mismatched:
            high = middle
        else:
            low = middle
    x, a, e = (int(side.view(np.uint32)[low]) for side in (points.x, points.a, points.e))
    return x, a, e
