"""Pooling. `x` is [n, C, *d_in] with one to three spatial dimensions, the result [n, C, *d_out].

d_out = floor((d_in + pad before + pad after - kernel) / stride) + 1; with `ceil_mode` the quotient
is rounded up, and a last window that would start in the padding after `x` is dropped (only where
there is padding). A window reduces one dimension after the other.

NaN in a window gives NaN. A window without an element of `x` gives -inf (max), NaN (avg without
padding) or 0.

Source: `iOS15/pool.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings are the
operators' specification, and Apple's tests beside it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from exportcheck.mil.ops.conv import paddings
from exportcheck.mil.registry import op

Array = np.ndarray


class _Dimension(NamedTuple):
    """The windows along one dimension: the first starts at -before, the next `stride` later."""

    axis: int
    size: int
    kernel: int
    stride: int
    before: int
    after: int
    windows: int


@op
def max_pool(
    x: Array,
    kernel_sizes: Array,
    pad_type: str,
    strides: Array | None = None,
    pad: Array | None = None,
    ceil_mode: bool = False,
) -> Array:
    """The largest element of each window; padding is -inf."""
    dims = _dimensions(x, kernel_sizes, pad_type, strides, pad, ceil_mode)
    return _reduced(np.maximum, x, dims, -np.inf)


@op
def avg_pool(
    x: Array,
    kernel_sizes: Array,
    pad_type: str,
    strides: Array | None = None,
    pad: Array | None = None,
    ceil_mode: bool = False,
    exclude_padding_from_average: bool = False,
) -> Array:
    """The mean of each window, summed in float64.

    Padding counts as zeros, or not at all with `exclude_padding_from_average`. What `ceil_mode`
    adds beyond the padding never counts.
    """
    dims = _dimensions(x, kernel_sizes, pad_type, strides, pad, ceil_mode)
    count = np.ones(())
    for dim in dims:
        count = np.multiply.outer(count, _counts(dim, bool(exclude_padding_from_average)))
    return _reduced(np.add, x.astype(np.float64), dims, 0.0) / count


@op
def l2_pool(
    x: Array,
    kernel_sizes: Array,
    pad_type: str,
    strides: Array | None = None,
    pad: Array | None = None,
    ceil_mode: bool = False,
) -> Array:
    """sqrt(sum of squares) of each window, in float64: no square overflows; padding is zeros."""
    dims = _dimensions(x, kernel_sizes, pad_type, strides, pad, ceil_mode)
    root: Array = np.sqrt(_reduced(np.add, np.square(x, dtype=np.float64), dims, 0.0))
    return root


def _dimensions(
    x: Array,
    kernel_sizes: Array,
    pad_type: str,
    strides: Array | None,
    pad: Array | None,
    ceil_mode: bool,
) -> list[_Dimension]:
    strides = np.ones_like(kernel_sizes) if strides is None else strides
    around = paddings(pad_type, pad, x.shape[2:], kernel_sizes, strides)
    dims = []
    for axis, (before, after) in enumerate(around, start=2):
        size, kernel, stride = x.shape[axis], int(kernel_sizes[axis - 2]), int(strides[axis - 2])
        slack = size + before + after - kernel
        windows = slack // stride + 1
        if ceil_mode:
            windows = -(-slack // stride) + 1
            if before + after > 0 and (windows - 1) * stride >= size + before:
                windows -= 1
        if windows < 1:
            raise ValueError(f"a window of {kernel} does not fit into {size}")
        dims.append(_Dimension(axis, size, kernel, stride, before, after, windows))
    return dims


def _reduced(ufunc: np.ufunc, x: Array, dims: list[_Dimension], padding: float) -> Array:
    """Each window of `x` reduced by `ufunc`, one axis after the other, one tap after the other."""
    for dim in dims:
        reach = (dim.windows - 1) * dim.stride + dim.kernel
        around = [(0, 0)] * x.ndim
        around[dim.axis] = (dim.before, max(0, reach - dim.before - dim.size))
        padded = np.pad(x, around, mode="constant", constant_values=padding)
        moved = np.moveaxis(padded, dim.axis, 0)
        last = (dim.windows - 1) * dim.stride + 1
        total = moved[: last : dim.stride].copy()
        for tap in range(1, dim.kernel):
            ufunc(total, moved[tap : tap + last : dim.stride], out=total)
        x = np.moveaxis(total, 0, dim.axis)
    return x


def _counts(dim: _Dimension, exclude_padding: bool) -> Array:
    """How many elements each window's mean is over."""
    first, end = (0, dim.size) if exclude_padding else (-dim.before, dim.size + dim.after)
    starts = np.arange(dim.windows) * dim.stride - dim.before
    overlap = np.minimum(starts + dim.kernel, end) - np.maximum(starts, first)
    return np.where(overlap > 0, overlap, 0)
