"""Compressed constants as iOS18 stores them: sub-byte tensors with blocks along any dimension.

A sparse constant is two tensors: a mask of 0 and 1 in the dense shape, and the values where it is
1, in row-major order.

Source: `iOS18/compression.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings are
the operators' specification.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op(since="CoreML8")
def constexpr_blockwise_shift_scale(
    data: Array, scale: Array, offset: Array | None = None
) -> Array:
    """`scale` * (data - offset); along each dimension a parameter holds for a block of `data`."""
    shifted = data.astype(np.float32)
    if offset is not None:
        shifted = shifted - _spread(offset, data.shape).astype(np.float32)
    return _spread(scale, data.shape) * shifted


@op(since="CoreML8")
def constexpr_lut_to_dense(indices: Array, lut: Array, vector_axis: int | None = None) -> Array:
    """The vector lut[block, index] in place of each index, laid out along `vector_axis`.

    `lut` is [*blocks, palettes, vector]: a table for every block of `indices`. With vectors of one
    element the result has the shape of `indices`.
    """
    tables, (palettes, vector) = lut.shape[:-2], lut.shape[-2:]
    table = _spread(np.arange(np.prod(tables, dtype=int)).reshape(tables), indices.shape)
    dense = lut.reshape(-1, vector)[table * palettes + indices]
    axis = 0 if vector_axis is None else int(vector_axis) % indices.ndim
    shape = list(indices.shape)
    shape[axis] *= vector
    return np.moveaxis(dense, -1, axis + 1).reshape(shape)


@op(since="CoreML8")
def constexpr_sparse_to_dense(nonzero_data: Array, mask: Array) -> Array:
    """The next of `nonzero_data` where `mask` is 1, else 0."""
    dense = np.zeros(mask.shape, nonzero_data.dtype)
    dense[mask != 0] = nonzero_data
    return dense


@op(since="CoreML8")
def constexpr_lut_to_sparse(
    indices_mask: Array, indices_nonzero_data: Array, lut: Array, vector_axis: int | None = None
) -> tuple[Array, Array]:
    """`constexpr_lut_to_dense` of a sparse constant: its wider mask and its values."""
    indices = constexpr_sparse_to_dense(indices_nonzero_data, indices_mask)
    dense = constexpr_lut_to_dense(indices, lut, vector_axis)
    axis = 0 if vector_axis is None else int(vector_axis)
    mask = np.repeat(indices_mask, lut.shape[-1], axis)
    return mask, dense[mask != 0]


@op(since="CoreML8")
def constexpr_sparse_blockwise_shift_scale(
    data_mask: Array, nonzero_data: Array, scale: Array, offset: Array | None = None
) -> tuple[Array, Array]:
    """`constexpr_blockwise_shift_scale` of a sparse constant: its mask, its values."""
    data = constexpr_sparse_to_dense(nonzero_data, data_mask)
    dense = constexpr_blockwise_shift_scale(data, scale, offset)
    return data_mask, dense[data_mask != 0]


def _spread(parameter: Array, shape: Sequence[int]) -> Array:
    """`parameter` repeated to broadcast against `shape`, each element over its block.

    Raises:
        ValueError: the ranks differ, or a size is no multiple of the number of blocks.
    """
    if parameter.ndim != len(shape) or any(n % b for n, b in zip(shape, parameter.shape)):
        raise ValueError(f"blocks {parameter.shape} do not divide shape {tuple(shape)}")
    for axis, (size, blocks) in enumerate(zip(shape, parameter.shape)):
        if blocks not in (1, size):
            parameter = np.repeat(parameter, size // blocks, axis)
    return parameter
