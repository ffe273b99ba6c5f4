"""Activation operators. `x` is any float tensor; the result has its shape and type.

NaN gives NaN everywhere. `alpha` and `beta` are scalars, or one value a channel (axis 1) where said
so. Where exp would blow up the rounding of its own argument, float64 keeps the digits.

Source: `iOS15/activation.py` and `iOS17/activation.py` in coremltools 9.0,
converters/mil/mil/ops/defs, whose docstrings are the operators' specification.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import expit, ndtr

from exportcheck.mil.registry import op

Array = np.ndarray


def per_channel(values: Array, x: Array) -> Array:
    """`values`, one a channel, in a shape that broadcasts along axis 1 of `x`."""
    return values.reshape((-1,) + (1,) * (x.ndim - 2))


def _softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow, its tail exp(x) with all digits."""
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


@op
def clamped_relu(x: Array, alpha: Array, beta: Array) -> Array:
    """min(beta, x) where x >= 0, min(beta, alpha * x) elsewhere."""
    return np.minimum(beta, leaky_relu(x, alpha))


@op
def elu(x: Array, alpha: Array) -> Array:
    """x where x > 0, alpha * (exp(x) - 1) elsewhere; -inf gives -alpha."""
    return np.maximum(x, 0) + alpha * np.expm1(np.minimum(x, 0))


@op
def gelu(x: Array, mode: str = "EXACT") -> Array:
    """x * Phi(x), Phi the normal distribution (EXACT) or one of two approximations of it.

    TANH_APPROXIMATION: (1 + tanh(u)) / 2, u = sqrt(2 / pi) * (x + 0.044715 * x^3), written as
    sigmoid(2u), which keeps its digits where tanh is close to -1. SIGMOID_APPROXIMATION:
    sigmoid(1.702 * x). +inf stays, -inf gives NaN (inf * 0).
    """
    wide = x.astype(np.float64)
    if mode == "EXACT":
        return wide * ndtr(wide)
    if mode == "TANH_APPROXIMATION":
        return wide * expit(math.sqrt(8 / math.pi) * wide * (1 + 0.044715 * wide * wide))
    if mode == "SIGMOID_APPROXIMATION":
        return wide * expit(1.702 * wide)
    raise ValueError(f"unknown mode {mode!r}")


@op
def leaky_relu(x: Array, alpha: Array) -> Array:
    """x where x >= 0, alpha * x elsewhere; -inf gives NaN where alpha is 0."""
    return np.maximum(x, 0) + alpha * np.minimum(x, 0)


@op
def linear_activation(x: Array, alpha: Array, beta: Array) -> Array:
    """alpha * x + beta."""
    return alpha * x + beta


@op
def prelu(x: Array, alpha: Array) -> Array:
    """x where x > 0, alpha * x elsewhere; x is [n, C, ...], alpha [C]."""
    return leaky_relu(x, per_channel(alpha, x))


@op
def relu(x: Array) -> Array:
    """max(x, 0)."""
    return np.maximum(x, 0)


@op
def relu6(x: Array) -> Array:
    """min(max(x, 0), 6)."""
    return np.minimum(np.maximum(x, 0), 6)


@op
def scaled_tanh(x: Array, alpha: Array, beta: Array) -> Array:
    """alpha * tanh(beta * x)."""
    return alpha * np.tanh(beta * x)


@op
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); -inf gives 0, +inf gives 1."""
    return expit(x, dtype=np.float64)


@op
def sigmoid_hard(x: Array, alpha: Array, beta: Array) -> Array:
    """min(max(alpha * x + beta, 0), 1)."""
    return np.minimum(np.maximum(alpha * x + beta, 0), 1)


@op
def silu(x: Array) -> Array:
    """x * sigmoid(x); +inf stays, -inf gives NaN (inf * 0)."""
    return x * expit(x, dtype=np.float64)


@op
def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x) / sum of exp(x) along `axis`, the largest x subtracted first.

    -inf gives 0, unless it is the largest; then, and where +inf is, the whole row is NaN.
    """
    powers = np.subtract(x, np.max(x, axis=axis, keepdims=True), dtype=np.float64)
    np.exp(powers, out=powers)
    powers /= np.sum(powers, axis=axis, keepdims=True)
    return powers


@op
def softplus(x: Array) -> Array:
    """log(1 + exp(x)); -inf gives 0, +inf stays."""
    return _softplus(x)


@op
def softplus_parametric(x: Array, alpha: Array, beta: Array) -> Array:
    """alpha * log(1 + exp(beta * x)); x is [n, C, ...], alpha and beta [C]."""
    return per_channel(alpha, x) * _softplus(per_channel(beta, x).astype(np.float64) * x)


@op
def softsign(x: Array) -> Array:
    """x / (1 + |x|); both infinities give NaN (inf / inf)."""
    return x / (1 + np.abs(x))


@op
def thresholded_relu(x: Array, alpha: Array) -> Array:
    """x where x >= alpha, 0 elsewhere."""
    return np.where(x < alpha, 0, x)
