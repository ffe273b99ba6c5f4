"""Elementwise operators of two tensors that broadcast against each other as in NumPy.

Of floats NaN gives NaN, division by zero an infinity or NaN. Of integers the result is an integer:
on overflow it wraps around, a quotient by zero is 0 (as on AArch64; Core ML documents neither), and
so is the remainder. Comparisons and logical operators give truth values.

Source: `iOS15/elementwise_binary.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose
docstrings are the operators' specification.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


def _integers(x: Array, y: Array) -> bool:
    return x.dtype.kind in "iu" and y.dtype.kind in "iu"


@op
def add(x: Array, y: Array) -> Array:
    """x + y."""
    return np.add(x, y)


@op
def equal(x: Array, y: Array) -> Array:
    """x = y; NaN equals nothing."""
    return np.equal(x, y)


@op
def floor_div(x: Array, y: Array) -> Array:
    """The largest integer <= x / y, whose quotient is not rounded first: 9 for 1 and 0.1.

    An infinite x gives NaN.
    """
    return np.floor_divide(x, y)


@op
def greater(x: Array, y: Array) -> Array:
    """x > y; false with NaN."""
    return np.greater(x, y)


@op
def greater_equal(x: Array, y: Array) -> Array:
    """x >= y; false with NaN."""
    return np.greater_equal(x, y)


@op
def less(x: Array, y: Array) -> Array:
    """x < y; false with NaN."""
    return np.less(x, y)


@op
def less_equal(x: Array, y: Array) -> Array:
    """x <= y; false with NaN."""
    return np.less_equal(x, y)


@op
def logical_and(x: Array, y: Array) -> Array:
    """Whether both are true."""
    return np.logical_and(x, y)


@op
def logical_or(x: Array, y: Array) -> Array:
    """Whether one or both are true."""
    return np.logical_or(x, y)


@op
def logical_xor(x: Array, y: Array) -> Array:
    """Whether just one is true."""
    return np.logical_xor(x, y)


@op
def maximum(x: Array, y: Array) -> Array:
    """The larger one; NaN if one is NaN."""
    return np.maximum(x, y)


@op
def minimum(x: Array, y: Array) -> Array:
    """The smaller one; NaN if one is NaN."""
    return np.minimum(x, y)


@op
def mod(x: Array, y: Array) -> Array:
    """x - y * floor(x / y): it has the sign of y. NaN for a float y of 0."""
    return np.mod(x, y)


@op
def mul(x: Array, y: Array) -> Array:
    """x * y."""
    return np.multiply(x, y)


@op
def not_equal(x: Array, y: Array) -> Array:
    """x != y; true with NaN."""
    return np.not_equal(x, y)


@op
def pow(x: Array, y: Array) -> Array:
    """x^y, NaN for a negative x and a y with a fraction; 0^0 and NaN^0 are 1.

    Of integers and a negative y it is 1 / x^-y without its fraction: 0 unless x is 1 or -1.
    """
    if not _integers(x, y):
        return np.power(x, y)
    reciprocal = np.where(np.abs(x) == 1, np.power(x, y & 1), 0)
    return np.where(y < 0, reciprocal, np.power(x, np.maximum(y, 0)))


@op
def real_div(x: Array, y: Array) -> Array:
    """x / y; of integers without its fraction, so towards zero."""
    if not _integers(x, y):
        return np.true_divide(x, y)
    return np.where(y == 0, 0, np.trunc(np.true_divide(x, y)))


@op
def sub(x: Array, y: Array) -> Array:
    """x - y."""
    return np.subtract(x, y)
