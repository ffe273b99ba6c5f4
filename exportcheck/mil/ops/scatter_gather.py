"""Operators that read or write at computed positions.

Every one of them is NumPy's own indexing: it builds the index under which NumPy finds the elements
meant, then reads them, or writes them through `_scattered`. Floats move untouched, NaN and
infinities included. A negative index counts from the end up to iOS16; from iOS17 on it is out of
bounds. Out of bounds is always an error here, whatever `validate_indices` says: without that check
Core ML leaves the result undefined, and an undefined value must not pass for a prediction.

Source: `iOS15/scatter_gather.py`, `iOS16/scatter_gather.py` and `iOS17/scatter_gather.py` in
coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings are the operators' specification;
that `scatter` takes indices of any rank is what `tests/iOS14/test_scatter_gather.py` beside them
expects.
"""

from __future__ import annotations

from typing import Any, SupportsIndex, Tuple

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray
Index = Tuple[Any, ...]

_ACCUMULATE = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "max": np.maximum,
    "min": np.minimum,
}


@op
def gather(
    x: Array, indices: Array, axis: SupportsIndex = 0, batch_dims: SupportsIndex = 0
) -> Array:
    """x[..., indices, ...] with the indices at `axis`.

    x of shape D, indices of shape N: the result is D[:axis] + N[batch:] + D[axis + 1:]. The first
    `batch_dims` axes of both run together, as if the rest were done for each entry of them alone.
    """
    at, batch = range(x.ndim)[axis], int(batch_dims)
    if not batch:
        return np.asarray(np.take(x, indices, at))
    found = np.moveaxis(x, at, batch)[(*_grid(indices.shape, batch), indices)]
    last = at + indices.ndim - batch
    return np.moveaxis(found, range(batch, indices.ndim), range(at, last))


@op
def gather_along_axis(x: Array, indices: Array, axis: SupportsIndex = 0) -> Array:
    """x[p, indices[p, i, q], q] for every position (p, i, q) of `indices`, whose shape it has."""
    return np.asarray(x[_along(indices, range(x.ndim)[axis])])


@op
def gather_nd(x: Array, indices: Array, batch_dims: SupportsIndex = 0) -> Array:
    """x[b, *indices[b, p], ...]: the last axis of `indices` holds the first coordinates in `x`.

    x of shape D, indices of shape K: the result is K[:-1] + D[batch_dims + K[-1]:].
    """
    batch = _grid(indices.shape[:-1], int(batch_dims))
    return np.asarray(x[(*batch, *np.moveaxis(indices, -1, 0))])


@op
def scatter(
    data: Array, indices: Array, updates: Array, axis: SupportsIndex = 0, mode: str = "add"
) -> Array:
    """`data` with data[..., indices, ...] combined with `updates`, the indices at `axis`.

    updates of shape D[:axis] + N + D[axis + 1:] for data of shape D, indices of shape N. In every
    mode an index that repeats takes part as often as it stands there; for "update" the last counts.
    """
    return _scattered(data, (slice(None),) * range(data.ndim)[axis] + (indices,), updates, mode)


@op
def scatter_along_axis(
    data: Array, indices: Array, updates: Array, axis: SupportsIndex = 0, mode: str = "add"
) -> Array:
    """`data` with data[p, indices[p, i, q], q] combined with updates[p, i, q], as by `scatter`."""
    return _scattered(data, _along(indices, range(data.ndim)[axis]), updates, mode)


@op
def scatter_nd(data: Array, indices: Array, updates: Array, mode: str = "add") -> Array:
    """`data` with data[*indices[p], ...] combined with updates[p, ...], as by `scatter`.

    updates of shape K[:-1] + D[K[-1]:] for data of shape D, indices of shape K.
    """
    return _scattered(data, tuple(np.moveaxis(indices, -1, 0)), updates, mode)


@op(name="gather", since="CoreML7")
def gather_ios17(
    x: Array,
    indices: Array,
    axis: SupportsIndex = 0,
    batch_dims: SupportsIndex = 0,
    validate_indices: bool = False,
) -> Array:
    """`gather` that takes no negative index."""
    return gather(x, _from_zero(indices), axis, batch_dims)


@op(name="gather_along_axis", since="CoreML7")
def gather_along_axis_ios17(
    x: Array, indices: Array, axis: SupportsIndex = 0, validate_indices: bool = False
) -> Array:
    """`gather_along_axis` that takes no negative index."""
    return gather_along_axis(x, _from_zero(indices), axis)


@op(name="gather_nd", since="CoreML7")
def gather_nd_ios17(
    x: Array, indices: Array, batch_dims: SupportsIndex = 0, validate_indices: bool = False
) -> Array:
    """`gather_nd` that takes no negative index."""
    return gather_nd(x, _from_zero(indices), batch_dims)


@op(name="scatter", since="CoreML7")
def scatter_ios17(
    data: Array,
    indices: Array,
    updates: Array,
    axis: SupportsIndex = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """`scatter` that takes no negative index."""
    return scatter(data, _from_zero(indices), updates, axis, mode)


@op(name="scatter_along_axis", since="CoreML7")
def scatter_along_axis_ios17(
    data: Array,
    indices: Array,
    updates: Array,
    axis: SupportsIndex = 0,
    mode: str = "add",
    validate_indices: bool = False,
) -> Array:
    """`scatter_along_axis` that takes no negative index."""
    return scatter_along_axis(data, _from_zero(indices), updates, axis, mode)


@op(name="scatter_nd", since="CoreML7")
def scatter_nd_ios17(
    data: Array, indices: Array, updates: Array, mode: str = "add", validate_indices: bool = False
) -> Array:
    """`scatter_nd` that takes no negative index."""
    return scatter_nd(data, _from_zero(indices), updates, mode)


def _from_zero(indices: Array) -> Array:
    """`indices`, none of them negative."""
    if indices.size and indices.min() < 0:
        raise IndexError(f"index {indices.min()} is negative, which is out of bounds from iOS17 on")
    return indices


def _grid(shape: tuple[int, ...], count: int) -> Index:
    """The first `count` coordinates of every position in `shape`, to be broadcast."""
    return tuple(np.indices(shape, sparse=True))[:count]


def _along(indices: Array, axis: int) -> Index:
    """The coordinates of every position in `indices`, but at `axis` what stands there."""
    grid = _grid(indices.shape, indices.ndim)
    return (*grid[:axis], indices, *grid[axis + 1 :])


def _scattered(data: Array, index: Index, updates: Array, mode: str) -> Array:
    """`data` with data[index] combined with `updates` in order; sums and products in float64.

    Integers are divided toward zero, and wrap around in the other modes.
    """
    positions = np.arange(data.size).reshape(data.shape)[index]
    if updates.shape != positions.shape:
        raise ValueError(f"updates have shape {updates.shape} where {positions.shape} is needed")
    wide = mode == "div" or (mode in ("add", "sub", "mul") and data.dtype.kind == "f")
    result = data.astype(np.float64 if wide else data.dtype).reshape(-1)
    if mode == "update":
        result[positions.reshape(-1)] = updates.reshape(-1)
    elif mode in _ACCUMULATE:
        values = updates.reshape(-1).astype(result.dtype)
        _ACCUMULATE[mode].at(result, positions.reshape(-1), values)
    else:
        raise ValueError(f"unknown mode {mode!r}")
    return result.reshape(data.shape)
