"""Judges numbers: how wrong, of what kind, where. Never raises for numbers that differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exportcheck.results import Comparison, Worst


@dataclass(frozen=True)
class Tolerance:
    """An element passes when |actual - expected| <= rtol * |expected| + atol * scale.

    `scale` is max(1, largest |expected|), since any output may hold rounding errors of the largest
    input. For an elementwise function it is no more than max(1, |x|): whoever gates x with a factor
    that is one epsilon off is off by epsilon * |x|, also where the result is next to nothing.

    Attributes:
        rtol: relative part.
        atol: part in proportion to the scale.
        reason: why these figures and no others.
    """

    rtol: float
    atol: float
    reason: str


TOLERANCES: dict[tuple[str, str], Tolerance] = {
    ("float32", "bare"): Tolerance(
        1e-5, 2.5e-7, "some float32 operations, 1.2e-7 each; a gate may be two epsilons off"
    ),
    ("float32", "network"): Tolerance(
        1e-4, 1e-6, "sums of up to 72 float32 products, added in another order"
    ),
    ("float16", "bare"): Tolerance(
        4e-3, 2e-3, "each operator rounds to float16, 4.9e-4 relative; forms have up to four"
    ),
    ("float16", "network"): Tolerance(
        1e-2, 1e-2, "weights and every intermediate rounded to float16, then summed"
    ),
}
"""By what the exported program computes in and what was fed to it."""

VANISHED = "vanished"
"""Kind of a point within tolerance whose relative error is a half or more: a tail cut off."""

EAGER_OFF = "eager-off"
"""Kind of a point that differs from eager and agrees with the float64 value: eager is at fault."""

HARMLESS = (VANISHED, EAGER_OFF)
"""Kinds that are noted and never fail a case."""


def tolerance_for(precision: str, network: str) -> Tolerance:
    """The row of `TOLERANCES` for a program of `precision` in `network`."""
    return TOLERANCES[precision, "bare" if network == "bare" else "network"]


def compare(
    actual: np.ndarray,
    expected: np.ndarray,
    tolerance: Tolerance,
    *,
    gates: bool = True,
    signed_zeros: bool = False,
    inputs: np.ndarray | None = None,
    truth: np.ndarray | None = None,
    where: np.ndarray | None = None,
    largest: float = 1.0,
) -> Comparison:
    """The figures of `actual` against `expected`, both of any shape and float dtype.

    NaN equals NaN and an infinity equals itself; errors are taken over the elements finite on both
    sides, everything else is a kind of its own.

    Args:
        actual: what the exported model gave.
        expected: what eager PyTorch gave.
        tolerance: when two finite numbers count as equal.
        gates: recorded in the result.
        signed_zeros: whether +0 and -0 differ.
        inputs: the inputs, same shape, where the function is elementwise.
        truth: the float64 values, same shape.
        where: the elements to judge, same shape; all of them when absent.
        largest: an |expected| that is known to occur elsewhere.
    """
    if actual.shape != expected.shape:
        detail = f"shape {actual.shape} where eager gives {expected.shape}"
        return incomparable("shape", expected.size, detail)
    if expected.dtype.kind in "iub" and actual.dtype.kind in "iub":
        return _compare_integers(actual, expected, gates=gates, where=where)
    if actual.dtype != expected.dtype:
        detail = f"{actual.dtype} where eager gives {expected.dtype}"
        return incomparable("dtype", expected.size, detail)
    if where is None:
        where = np.ones(expected.shape, bool)
    with np.errstate(all="ignore"):
        a, e = (np.asarray(side, np.float64) for side in (actual, expected))
        kinds = _kinds(a, e, tolerance, inputs, truth, largest, signed_zeros=signed_zeros)
        kinds = {kind: mask & where for kind, mask in kinds.items()}
        error = np.where(where & np.isfinite(a) & np.isfinite(e), np.abs(a - e), 0.0)
        relative = np.where(error > 0, error / np.where(e != 0, np.abs(e), np.inf), 0.0)
        ulp = ulp_error(error, expected)
        scaled = error / np.maximum(1.0, np.abs(np.where(np.isfinite(e), e, 1.0)))
    wrong = _harmful(kinds)
    odd = np.logical_or.reduce([kinds[kind] for kind in HARMLESS if kind in kinds])
    counts = {kind: int(mask.sum()) for kind, mask in kinds.items()}
    return Comparison(
        close=not wrong.any(),
        gates=gates,
        max_error=float(scaled.max(initial=0.0)),
        max_abs_error=float(error.max(initial=0.0)),
        max_rel_error=float(relative.max(initial=0.0)),
        max_ulp_error=float(ulp.max(initial=0.0)),
        mismatched=int(wrong.sum()),
        total=int(where.sum()),
        kinds={kind: count for kind, count in counts.items() if count},
        worst=_worst(a, e, error, wrong if wrong.any() else odd, inputs, truth),
        accuracy="" if truth is None else _accuracy(a, e, truth, where),
    )


def wrong_points(
    actual: np.ndarray,
    expected: np.ndarray,
    tolerance: Tolerance,
    *,
    signed_zeros: bool = False,
    inputs: np.ndarray | None = None,
    truth: np.ndarray | None = None,
) -> np.ndarray:
    """Where `compare` finds wrong what it counts as mismatched, a mask of the shape of `expected`.

    Args:
        actual: as for `compare`, and so are all others; what cannot be compared is wrong anywhere.
        expected: what eager PyTorch gave.
        tolerance: when two finite numbers count as equal.
        signed_zeros: whether +0 and -0 differ.
        inputs: the inputs.
        truth: the float64 values.
    """
    integers = expected.dtype.kind in "iub" and actual.dtype.kind in "iub"
    if actual.shape != expected.shape or not (integers or actual.dtype == expected.dtype):
        return np.ones(expected.shape, bool)
    if integers:
        differs: np.ndarray = actual != expected
        return differs
    with np.errstate(all="ignore"):
        a, e = (np.asarray(side, np.float64) for side in (actual, expected))
        return _harmful(_kinds(a, e, tolerance, inputs, truth, 1.0, signed_zeros=signed_zeros))


def _harmful(kinds: dict[str, np.ndarray]) -> np.ndarray:
    wrong: np.ndarray = np.logical_or.reduce(
        [mask for kind, mask in kinds.items() if kind not in HARMLESS]
    )
    return wrong


def _compare_integers(
    actual: np.ndarray, expected: np.ndarray, *, gates: bool, where: np.ndarray | None
) -> Comparison:
    """Integers and booleans are equal or wrong; how wide they are is the format's own matter."""
    wrong = actual != expected
    if where is not None:
        wrong = wrong & where
    a, e = actual.astype(np.float64), expected.astype(np.float64)
    error = np.where(wrong, np.abs(a - e), 0.0)
    largest = float(error.max(initial=0.0))
    count = int(wrong.sum())
    return Comparison(
        close=count == 0,
        gates=gates,
        max_error=float((error / np.maximum(1.0, np.abs(e))).max(initial=0.0)),
        max_abs_error=largest,
        max_rel_error=float((error / np.where(e != 0, np.abs(e), np.inf)).max(initial=0.0)),
        max_ulp_error=largest,
        mismatched=count,
        total=expected.size if where is None else int(where.sum()),
        kinds={"integer": count} if count else {},
        worst=_worst(a, e, error, wrong, None, None),
    )


def incomparable(kind: str, total: int, detail: str) -> Comparison:
    """The comparison of outputs that do not even have the same `kind`; it always gates."""
    infinite = (np.inf,) * 4
    kinds = {kind: total}
    return Comparison(False, True, *infinite, total, total, kinds=kinds, detail=detail)


def _absolute(
    tolerance: Tolerance, e: np.ndarray, inputs: np.ndarray | None, largest: float
) -> np.ndarray:
    """The part of the tolerance that is not relative to the expected value."""
    scale = np.abs(e).max(initial=max(1.0, largest), where=np.isfinite(e))
    if inputs is not None:
        sizes = np.abs(np.asarray(inputs, np.float64))
        scale = np.clip(np.where(np.isfinite(sizes), sizes, 1.0), 1.0, scale)
    return tolerance.atol * np.asarray(scale)


def _kinds(
    a: np.ndarray,
    e: np.ndarray,
    tolerance: Tolerance,
    inputs: np.ndarray | None,
    truth: np.ndarray | None,
    largest: float,
    *,
    signed_zeros: bool,
) -> dict[str, np.ndarray]:
    """Kind of difference -> where; the kinds exclude each other."""
    absolute = _absolute(tolerance, e, inputs, largest)
    kinds = _apart(a, e, tolerance.rtol * np.abs(e) + absolute)
    if signed_zeros:
        kinds["sign-of-zero"] = (a == 0) & (e == 0) & (np.signbit(a) != np.signbit(e))
    if truth is not None:
        _excuse(kinds, a, truth, tolerance.rtol * np.abs(truth) + absolute)
    return kinds


def _apart(a: np.ndarray, e: np.ndarray, allowed: np.ndarray) -> dict[str, np.ndarray]:
    """The kinds as eager and the export alone have them."""
    nan_a, nan_e, inf_a, inf_e = np.isnan(a), np.isnan(e), np.isinf(a), np.isinf(e)
    finite = np.isfinite(a) & np.isfinite(e)
    delta = np.abs(a - e)
    far = finite & ~(delta <= allowed)
    small = np.abs(e) > np.finfo(np.float32).tiny
    return {
        "nan-lost": nan_e & ~nan_a,
        "nan-made": nan_a & ~nan_e,
        "inf-lost": inf_e & ~nan_a & (a != e),
        "inf-made": inf_a & ~nan_e & ~inf_e,
        "finite": far,
        VANISHED: finite & ~far & small & (delta >= 0.5 * np.abs(e)),
    }


def _excuse(
    kinds: dict[str, np.ndarray], a: np.ndarray, truth: np.ndarray, allowed: np.ndarray
) -> None:
    """Moves the points where `a` is as the float64 value says from their kind to `EAGER_OFF`."""
    near = np.isfinite(truth) & (np.abs(a - truth) <= allowed)  # an infinite truth allows anything
    same = (np.isnan(a) & np.isnan(truth)) | (a == truth) | near
    excused = np.zeros(a.shape, bool)
    for kind in ("nan-lost", "nan-made", "inf-lost", "inf-made", "finite"):
        excused |= kinds[kind] & same
        kinds[kind] = kinds[kind] & ~same
    # What the float64 value still has did not vanish: eager lost it.
    kept = kinds[VANISHED] & (np.abs(a - truth) < 0.5 * np.abs(truth))
    excused |= kept
    kinds[VANISHED] = kinds[VANISHED] & ~kept
    kinds[EAGER_OFF] = excused


def ulp_error(error: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Errors in units in the last place of `expected`, those up to one epsilon counting as none.

    Without the floor a correct SiLU is 9e8 ULP off where it approaches zero.
    """
    unit = np.spacing(np.abs(np.where(np.isfinite(expected), expected, 1))).astype(np.float64)
    return np.where(error > np.finfo(expected.dtype).eps, error / unit, 0.0)


def _accuracy(a: np.ndarray, e: np.ndarray, truth: np.ndarray, where: np.ndarray) -> str:
    """`more`, `as` or `less` accurate than eager, by the largest error against `truth`.

    Errors count in proportion to max(1, |truth|); those up to one float32 epsilon are equal.
    """
    known = where & np.isfinite(truth)
    errors = []
    with np.errstate(all="ignore"):
        for side in (a, e):
            error = np.abs(side - truth) / np.maximum(1.0, np.abs(truth))
            error = np.where(known, np.where(np.isnan(error), np.inf, error), 0.0)
            errors.append(max(float(np.finfo(np.float32).eps), float(error.max(initial=0.0))))
    mine, eagers = errors
    return "less" if mine > 2 * eagers else "more" if eagers > 2 * mine else "as"


def _worst(
    a: np.ndarray,
    e: np.ndarray,
    error: np.ndarray,
    marked: np.ndarray,
    inputs: np.ndarray | None,
    truth: np.ndarray | None,
) -> Worst | None:
    """The point to show: of the marked ones, else of all that differ; None where nothing does.

    A difference that no subtraction can size (NaN, infinity) is worse than any that it can.
    """
    candidates = marked if marked.any() else error > 0
    if not candidates.any():
        return None
    unsized = marked & ~(np.isfinite(a) & np.isfinite(e))
    sizes = np.where(candidates, np.where(unsized, np.inf, error), -1.0)
    index = np.unravel_index(int(np.argmax(sizes)), a.shape)
    return Worst(
        input=None if inputs is None else float(inputs[index]),
        actual=float(a[index]),
        expected=float(e[index]),
        truth=None if truth is None else float(truth[index]),
        index=tuple(int(i) for i in index),
    )
