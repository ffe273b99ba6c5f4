"""Activation operators. `x` is any float tensor; the result has its shape and type.

NaN gives NaN everywhere. Source: `iOS15/activation.py` and `iOS17/activation.py` in coremltools
9.0, converters/mil/mil/ops/defs, whose docstrings are the operators' specification.
"""

from __future__ import annotations

import numpy as np
from scipy.special import erf, expit

from exportcheck.mil.registry import op

Array = np.ndarray


@op
def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)); -inf gives 0, +inf gives 1."""
    return expit(x)


@op
def silu(x: Array) -> Array:
    """x * sigmoid(x); +inf stays, -inf gives NaN (inf * 0)."""
    return x * expit(x)


@op
def gelu(x: Array, mode: str = "EXACT") -> Array:
    """x * Phi(x), Phi by erf (EXACT), tanh (TANH_APPROXIMATION) or sigmoid (SIGMOID_APPROXIMATION).

    +inf stays, -inf gives NaN (inf * 0). x*x may overflow to inf, where tanh is 1 as it should be.
    """
    if mode == "EXACT":
        return 0.5 * x * (1 + erf(x / np.sqrt(2).astype(x.dtype)))
    if mode == "TANH_APPROXIMATION":
        inner = np.sqrt(2 / np.pi).astype(x.dtype) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1 + np.tanh(inner))
    if mode == "SIGMOID_APPROXIMATION":
        return x * expit(1.702 * x)
    raise ValueError(f"unknown mode {mode!r}")
