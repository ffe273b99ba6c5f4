"""Products of matrices. NaN and infinities follow IEEE arithmetic; of nothing the sum is 0.

Source: `iOS15/linear.py` and `iOS17/linear.py` in coremltools 9.0, converters/mil/mil/ops/defs,
whose docstrings are the operators' specification.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray

_EQUATIONS = ("abcd,adce->abce", "abc,cbd->abd")


@op
def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x * weight^T + bias: [..., in] by [out, in] and [out] to [..., out]."""
    product = np.matmul(x, weight.T)
    return product if bias is None else product + bias


@op
def matmul(x: Array, y: Array, transpose_x: bool = False, transpose_y: bool = False) -> Array:
    """x * y, batch axes (all but the last two) broadcast against each other.

    A rank-1 `x` is a row, a rank-1 `y` a column whose axis the result lacks; transposing them
    changes nothing.
    """
    left = np.swapaxes(x, -1, -2) if transpose_x and x.ndim > 1 else x
    right = np.swapaxes(y, -1, -2) if transpose_y and y.ndim > 1 else y
    return np.matmul(left, right)


@op(variadic=["values"])
def einsum(values: tuple[Array, ...], equation: str) -> Array:
    """Matrix products, one for each n and h: `nchw,nwhu->nchu` or `chw,whr->chr`, in any letters.

    [n, C, H, W] by [n, W, H, U] to [n, C, H, U]; a size of 1 at n or H broadcasts.
    """
    if _canonical(equation) not in _EQUATIONS:
        raise ValueError(f"equation {equation!r} is none that MIL has")
    x, y = values
    return np.swapaxes(np.matmul(np.swapaxes(x, -3, -2), np.swapaxes(y, -3, -2)), -3, -2)


def _canonical(equation: str) -> str:
    """`equation` with its letters named a, b, c, ... in the order they first occur."""
    names: dict[str, str] = {}
    for letter in equation:
        if letter.isalpha():
            names.setdefault(letter, chr(ord("a") + len(names)))
    return "".join(names.get(letter, letter) for letter in equation if letter != " ")
