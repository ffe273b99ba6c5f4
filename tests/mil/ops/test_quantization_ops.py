from __future__ import annotations

import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb

from exportcheck.mil.registry import find
from tests.mil.support import call, folded, predict

INF, NAN = np.inf, np.nan


@pytest.mark.parametrize(
    ("values", "scale", "zero_point", "dtype", "expected"),
    [
        ([0, 2, 4, -2], 2.0, 1, np.uint8, [1, 2, 3, 0]),
        ([0, 2, 4, -2], 2.0, None, np.int8, [0, 1, 2, -1]),
        ([0.5, 1.5, 2.5, -0.5, -1.5], 1.0, 10, np.uint8, [10, 12, 12, 10, 8]),
        ([127, 128, -128, -129], 1.0, None, np.int8, [127, 127, -128, -128]),
        ([255, 256, -1], 1.0, None, np.uint8, [255, 255, 0]),
        ([300, -300], 1.0, -100, np.int8, [127, -128]),
        ([1, -1], -0.5, 0, np.int8, [-2, 2]),
        ([INF, -INF, NAN], 0.5, 7, np.int8, [127, -128, 7]),
        ([1e38, -1e38], 1e-8, 7, np.uint8, [255, 0]),
        ([1, -1, 0], 0.0, 7, np.int8, [127, -128, 7]),
        ([], 1.0, 0, np.int8, []),
    ],
)
def test_quantize(values, scale, zero_point, dtype, expected):
    if zero_point is not None:
        zero_point = np.array(zero_point, dtype)
    result = call(
        "quantize",
        input=np.array(values, np.float32),
        scale=scale,
        zero_point=zero_point,
        output_dtype=np.dtype(dtype).name,
    )
    assert result.dtype == dtype
    assert result.tolist() == expected


@pytest.mark.parametrize("axis", [1, -1])
def test_parameters_along_an_axis(axis):
    x = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
    parameters = {"scale": [1.0, 0.5], "zero_point": np.array([1, -1], np.int8), "axis": axis}
    quantized = call("quantize", input=x, output_dtype="int8", **parameters)
    assert quantized.tolist() == [[2, 3], [4, 7], [6, 11]]
    np.testing.assert_array_equal(call("dequantize", input=quantized, **parameters), x)


@pytest.mark.parametrize(
    ("values", "scale", "zero_point", "expected"),
    [
        (np.array([0, 1, 255], np.uint8), 0.5, np.array(128, np.uint8), [-64, -63.5, 63.5]),
        (np.array([-128, 127], np.int8), 2.0, np.array(127, np.int8), [-510, 0]),
        (np.array([-128, 127], np.int8), 2.0, None, [-256, 254]),
        (np.array([-1, 0, 1], np.int8), INF, None, [-INF, NAN, INF]),
        (np.array([], np.int8), 1.0, None, []),
    ],
)
def test_dequantize(values, scale, zero_point, expected):
    result = call("dequantize", input=values, scale=scale, zero_point=zero_point)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.array(expected))


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
@pytest.mark.parametrize("axis", [None, 0, 2, -2])
@pytest.mark.parametrize("zero", [True, False])
def test_there_and_back_against_torch(dtype, axis, zero):
    random = np.random.default_rng(0)
    x = random.normal(size=(3, 4, 5)).astype(np.float32)
    size = () if axis is None else (x.shape[axis],)
    scale = random.uniform(0.01, 0.05, size).astype(np.float32)
    zero_point = random.integers(0, 100, size).astype(dtype)
    limits = np.iinfo(dtype)
    parameters = [torch.tensor(scale), torch.tensor(zero_point.astype(np.int32) * zero)]
    if axis is None:
        expected = torch.fake_quantize_per_tensor_affine(
            torch.from_numpy(x), *parameters, limits.min, limits.max
        )
    else:
        expected = torch.fake_quantize_per_channel_affine(
            torch.from_numpy(x), *parameters, axis % 3, limits.min, limits.max
        )
    options = {"scale": scale, "zero_point": zero_point if zero else None, "axis": axis}
    quantized = call("quantize", input=x, output_dtype=dtype, **options)
    result = call("dequantize", input=quantized, **options)
    np.testing.assert_allclose(result, expected, rtol=1e-6)
    given = {k: v for k, v in options.items() if v is not None}
    theirs = folded("quantize", input=x, output_dtype=dtype, **given)
    np.testing.assert_array_equal(quantized, theirs)


def test_a_vector_needs_an_axis():
    with pytest.raises(TypeError):
        call("dequantize", input=np.zeros((2, 2), np.int8), scale=[1.0, 2.0])


def test_neither_is_older_than_ios17():
    assert find("quantize", "CoreML6") is None
    assert find("dequantize", "CoreML6") is None


@pytest.mark.parametrize("fp16", [False, True])
def test_saved_program(fp16, tmp_path):
    scale = np.array([0.5, 0.25, 2], np.float16 if fp16 else np.float32)

    def build(x):
        options = {"scale": scale, "zero_point": np.int8([0, 5, -5]), "axis": 1}
        quantized = mb.quantize(input=x, output_dtype="int8", **options)
        return mb.dequantize(input=quantized, **options)

    x = np.array([[0.3, 0.3, 0.3], [-99, 99, 1000]], np.float16 if fp16 else np.float32)
    (result,) = predict(build, {"x": x}, tmp_path, opset="iOS17", fp16=fp16)
    assert result.tolist() == [[0.5, 0.25, 0], [-64, 30.5, 264]]
