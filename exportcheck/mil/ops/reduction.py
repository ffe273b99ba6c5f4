"""Operators that reduce a tensor along axes.

`axes` absent means all of them (an empty list means none); with `keep_dims` each reduced axis stays
with size 1. Sums and products are accumulated in float64, of integers in int64; the result of
integers is an integer, its fraction cut off. NaN anywhere in the reduced elements gives NaN.

Source: `iOS15/reduction.py` and `iOS17/reduction.py` in coremltools 9.0,
converters/mil/mil/ops/defs, whose docstrings are the operators' specification.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


def _over(axes: Array | None, keep_dims: bool) -> dict[str, Any]:
    """The arguments by which NumPy reduces `axes`."""
    axis = None if axes is None else tuple(map(int, np.ravel(axes)))
    return {"axis": axis, "keepdims": bool(keep_dims)}


def _wide(x: Array) -> Array:
    return x.astype(np.float64 if x.dtype.kind == "f" else np.int64)


def _index(pick: Any, x: Array, axis: int, keep_dims: bool) -> Array:
    found = pick(x, axis=int(axis))
    return np.expand_dims(found, int(axis)) if keep_dims else found


@op
def reduce_argmax(
    x: Array, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32"
) -> Array:
    """The index of the largest element along `axis`: of equal ones the first, of NaN the first NaN.

    `output_dtype` repeats the declared type.
    """
    return _index(np.argmax, x, axis, keep_dims)


@op
def reduce_argmin(
    x: Array, axis: int = -1, keep_dims: bool = False, output_dtype: str = "int32"
) -> Array:
    """The index of the smallest element along `axis`; ties and NaN as in `reduce_argmax`."""
    return _index(np.argmin, x, axis, keep_dims)


@op
def reduce_l1_norm(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """Sum of |x|."""
    return np.sum(np.abs(_wide(x)), **_over(axes, keep_dims))


@op
def reduce_l2_norm(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """sqrt(sum of x^2); the squares of a float32 cannot overflow."""
    return np.sqrt(reduce_sum_square(x, axes, keep_dims))


@op
def reduce_log_sum(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """log(sum of x)."""
    return np.log(reduce_sum(x, axes, keep_dims))


@op
def reduce_log_sum_exp(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """log(sum of exp(x)), the largest x taken out of the sum first. Of no elements: -inf."""
    over = _over(axes, keep_dims)
    wide = x.astype(np.float64)
    largest = np.max(wide, axis=over["axis"], keepdims=True, initial=-np.inf)
    taken_out = np.where(np.isfinite(largest), largest, 0)
    return np.log(np.sum(np.exp(wide - taken_out), **over)) + np.sum(taken_out, **over)


@op
def reduce_max(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """The largest element."""
    return np.max(x, **_over(axes, keep_dims))


@op
def reduce_mean(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """sum of x / number of elements; NaN of none."""
    total = reduce_sum(x, axes, keep_dims)
    return total / np.float64(x.size // max(np.size(total), 1))


@op
def reduce_min(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """The smallest element."""
    return np.min(x, **_over(axes, keep_dims))


@op
def reduce_prod(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """Product of x; 1 of none."""
    return np.prod(_wide(x), **_over(axes, keep_dims))


@op
def reduce_sum(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """Sum of x."""
    return np.sum(_wide(x), **_over(axes, keep_dims))


@op
def reduce_sum_square(x: Array, axes: Array | None = None, keep_dims: bool = False) -> Array:
    """Sum of x^2."""
    return np.sum(np.square(_wide(x)), **_over(axes, keep_dims))
