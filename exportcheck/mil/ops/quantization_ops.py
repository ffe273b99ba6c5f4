"""Affine quantisation of tensors.

`scale` and `zero_point` are scalars, or vectors that hold along `axis` of the input.

Source: `iOS17/quantization_ops.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose
docstrings are the operators' specification.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op(since="CoreML7")
def quantize(
    input: Array,
    scale: Array,
    output_dtype: str,
    zero_point: Array | None = None,
    axis: int | None = None,
) -> Array:
    """clip(round(input / scale) + zero_point) to the range of `output_dtype`, int8 or uint8.

    Halves round to even. ±inf gives an end of the range, NaN the zero point.
    """
    limits = np.iinfo(output_dtype)
    rounded = np.rint(input / along(axis, scale, input))
    rounded = np.where(np.isnan(rounded), 0, rounded)
    if zero_point is not None:
        rounded = rounded + along(axis, zero_point, input).astype(np.float32)
    return np.clip(rounded, limits.min, limits.max).astype(output_dtype)


@op(since="CoreML7")
def dequantize(
    input: Array, scale: Array, zero_point: Array | None = None, axis: int | None = None
) -> Array:
    """`scale` * (input - zero_point); `input` is int8 or uint8."""
    shifted = input.astype(np.float32)
    if zero_point is not None:
        shifted = shifted - along(axis, zero_point, input).astype(np.float32)
    result: Array = shifted * along(axis, scale, input)
    return result


def along(axis: Any, parameter: Array, data: Array) -> Array:
    """`parameter`, if it is a vector, shaped to broadcast along `axis` of `data`."""
    if np.ndim(parameter) == 0:
        return np.asarray(parameter)
    shape = [1] * data.ndim
    shape[int(axis)] = -1
    return parameter.reshape(shape)
