"""Normalisations: the result has the shape and type of `x`; `gamma` scales it, `beta` shifts it.

Means and sums of squares are float64: a large mean leaves the deviations their digits. NaN or an
infinity makes everything NaN that is normalised together with it.

Source: `iOS15/normalization.py` and `iOS17/normalization.py` in coremltools 9.0,
converters/mil/mil/ops/defs, whose docstrings are the operators' specification.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil.ops.activation import per_channel
from exportcheck.mil.registry import op

Array = np.ndarray


def _standardised(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    """(x - mean) / sqrt(variance + epsilon), mean and biased variance taken over `axes`."""
    deviation = x - np.mean(x, axis=axes, keepdims=True, dtype=np.float64)
    variance = np.mean(np.square(deviation), axis=axes, keepdims=True)
    deviation /= np.sqrt(variance + epsilon)
    return deviation


def _scaled(x: Array, gamma: Array | None, beta: Array | None) -> Array:
    scaled = x if gamma is None else x * gamma
    return scaled if beta is None else scaled + beta


@op
def batch_norm(
    x: Array,
    mean: Array,
    variance: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta; x is [n, C, ...], all else [C]."""
    factor = 1 / np.sqrt(variance.astype(np.float64) + epsilon)
    factor = (factor if gamma is None else factor * gamma).astype(x.dtype)
    normal = (x - per_channel(mean, x)) * per_channel(factor, x)
    return normal if beta is None else normal + per_channel(beta, x)


@op
def instance_norm(
    x: Array,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta for each instance and channel by itself.

    x is [n, C, ...], gamma and beta are [C].
    """
    normal = _standardised(x, tuple(range(2, x.ndim)), epsilon)
    by_channel = [None if v is None else per_channel(v, x) for v in (gamma, beta)]
    return _scaled(normal, *by_channel)


@op
def l2_norm(x: Array, epsilon: float = 1e-6) -> Array:
    """x / sqrt(sum of x^2 + epsilon), the sum over the last three axes."""
    total = np.sum(np.square(x, dtype=np.float64), axis=(-3, -2, -1), keepdims=True)
    return x / np.sqrt(total + epsilon)


@op
def layer_norm(
    x: Array,
    axes: Array | None = None,
    gamma: Array | None = None,
    beta: Array | None = None,
    epsilon: float = 1e-5,
) -> Array:
    """gamma * (x - mean) / sqrt(variance + epsilon) + beta, normalised together over `axes`.

    `axes` absent means all; gamma and beta have the sizes of x there, in the order of x.
    """
    over = {int(a) % x.ndim for a in (range(x.ndim) if axes is None else np.ravel(axes))}
    shape = [size if axis in over else 1 for axis, size in enumerate(x.shape)]
    reshaped = [None if v is None else v.reshape(shape) for v in (gamma, beta)]
    return _scaled(_standardised(x, tuple(over), epsilon), *reshaped)


@op
def local_response_norm(
    x: Array, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Array:
    """x / (k + alpha / size * s)^beta, s the sum of x^2 over `size` neighbouring channels.

    They are channels c - size // 2 to c + (size - 1) // 2, those that do not exist counting as 0.
    Channels lie along axis -3, also in a tensor of rank 3 (Apple's own test says so; the
    specification has them at axis 1).
    """
    before = int(size) // 2
    padding = [(0, 0)] * x.ndim
    padding[-3] = (before, int(size) - 1 - before)
    squares = np.pad(np.square(x, dtype=np.float64), padding, "constant")
    total = sum(squares[..., i : i + x.shape[-3], :, :] for i in range(int(size)))
    return x / (k + alpha / size * total) ** beta
