"""Elementwise operators of one tensor, each with its mathematical meaning.

Outside a function's domain the result is NaN, at a pole an infinity of the pole's sign, and NaN
gives NaN. `abs`, `exp2`, `sign`, `square` and `threshold` take integers too: the first and `square`
wrap around on overflow, `exp2` gives the largest integer then, and 0 for a negative x.

Source: `iOS15/elementwise_unary.py` and `iOS17/elementwise_unary.py` in coremltools 9.0,
converters/mil/mil/ops/defs, whose docstrings are the operators' specification.
"""

from __future__ import annotations

import numpy as np
from scipy import special

from exportcheck.mil.registry import op

Array = np.ndarray


@op
def abs(x: Array) -> Array:
    """|x|."""
    return np.abs(x)


@op
def acos(x: Array) -> Array:
    """The angle in [0, pi] whose cosine is x."""
    return np.arccos(x)


@op
def asin(x: Array) -> Array:
    """The angle in [-pi/2, pi/2] whose sine is x."""
    return np.arcsin(x)


@op
def atan(x: Array) -> Array:
    """The angle in [-pi/2, pi/2] whose tangent is x."""
    return np.arctan(x)


@op
def atanh(x: Array) -> Array:
    """log((1 + x) / (1 - x)) / 2."""
    return np.arctanh(x)


@op
def cast(x: Array, dtype: str) -> Array:
    """x; the evaluator gives it the declared type, which `dtype` repeats.

    A float becomes an integer by cutting off its fraction; the nearest integer there is where it
    lies out of range, 0 where it is NaN. An integer out of range wraps around. As a truth value
    everything but 0 is true, NaN too.
    """
    return x


@op
def ceil(x: Array) -> Array:
    """The smallest integer that is >= x."""
    return np.ceil(x)


@op
def clip(x: Array, alpha: Array, beta: Array) -> Array:
    """min(max(x, alpha), beta): beta wins where alpha > beta."""
    return np.minimum(np.maximum(x, alpha), beta)


@op
def cos(x: Array) -> Array:
    """Cosine; the infinities give NaN."""
    return np.cos(x)


@op
def cosh(x: Array) -> Array:
    """(exp(x) + exp(-x)) / 2."""
    return np.cosh(x)


@op
def erf(x: Array) -> Array:
    """2 / sqrt(pi) * integral of exp(-t^2) from 0 to x."""
    return special.erf(x)


@op
def exp(x: Array) -> Array:
    """e^x."""
    return np.exp(x)


@op
def exp2(x: Array) -> Array:
    """2^x."""
    return np.exp2(x)


@op
def floor(x: Array) -> Array:
    """The largest integer that is <= x."""
    return np.floor(x)


@op
def inverse(x: Array, epsilon: float = 1e-4) -> Array:
    """1 / (x + epsilon)."""
    return 1 / (x + epsilon)


@op
def log(x: Array, epsilon: float = 1e-45) -> Array:
    """The natural logarithm of x + epsilon.

    Its default is the smallest float32 (log 0 is -103.28), and 0 as fp16 (log 0 is -inf).
    """
    return np.log(x + epsilon)


@op
def logical_not(x: Array) -> Array:
    """True where x is 0."""
    return np.logical_not(x)


@op
def round(x: Array) -> Array:
    """The nearest integer; of two equally near ones the even one."""
    return np.rint(x)


@op
def rsqrt(x: Array, epsilon: float = 1e-12) -> Array:
    """1 / sqrt(x + epsilon)."""
    return 1 / np.sqrt(x + epsilon)


@op
def sign(x: Array) -> Array:
    """-1, 0 or 1."""
    return np.sign(x)


@op
def sin(x: Array) -> Array:
    """Sine; the infinities give NaN."""
    return np.sin(x)


@op
def sinh(x: Array) -> Array:
    """(exp(x) - exp(-x)) / 2."""
    return np.sinh(x)


@op
def sqrt(x: Array) -> Array:
    """The square root."""
    return np.sqrt(x)


@op
def square(x: Array) -> Array:
    """x * x."""
    return np.square(x)


@op
def tan(x: Array) -> Array:
    """Tangent; the infinities give NaN."""
    return np.tan(x)


@op
def tanh(x: Array) -> Array:
    """sinh(x) / cosh(x)."""
    return np.tanh(x)


@op
def threshold(x: Array, alpha: Array) -> Array:
    """max(x, alpha)."""
    return np.maximum(x, alpha)
