"""Compressed constants as iOS16 stores them: packed bytes and a separate shape.

Source: `iOS16/constexpr_ops.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings
are the operators' specification.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil import ir
from exportcheck.mil.ops.quantization_ops import dequantize
from exportcheck.mil.registry import op
from exportcheck.mil.weights import unpack

Array = np.ndarray


@op(since="CoreML6")
def constexpr_affine_dequantize(
    quantized_data: Array, zero_point: Array, scale: Array, axis: int
) -> Array:
    """`scale` * (quantized_data - zero_point), both parameters scalars or vectors along `axis`."""
    return np.asarray(dequantize(quantized_data, scale, zero_point, axis))


@op(since="CoreML6")
def constexpr_cast(source_val: Array, output_dtype: str) -> Array:
    """`source_val`, fp16, in `output_dtype`, fp32."""
    return source_val.astype(ir.NUMPY_DTYPES[output_dtype])


@op(since="CoreML6")
def constexpr_lut_to_dense(indices: Array, lut: Array, shape: Array) -> Array:
    """lut[index], the indices of log2(len(lut)) bits each packed into bytes from the low bit up."""
    bits = len(lut).bit_length() - 1
    return np.take(lut, unpack(indices, f"uint{bits}", tuple(map(int, shape))))


@op(since="CoreML6")
def constexpr_sparse_to_dense(nonzero_data: Array, mask: Array, shape: Array) -> Array:
    """The next of `nonzero_data` where the bit of `mask` is set, else 0; bits as in a table."""
    dense = np.zeros(tuple(map(int, shape)), nonzero_data.dtype)
    dense[unpack(mask, "uint1", dense.shape) != 0] = nonzero_data
    return dense
