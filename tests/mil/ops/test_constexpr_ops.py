from __future__ import annotations

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import Function
from coremltools.optimize._utils import pack_elements_into_bits

from exportcheck.mil.registry import find
from tests.mil.support import call, predict

OPSETS = ["CoreML6", "CoreML7"]


@pytest.mark.parametrize(
    ("zero_point", "scale", "axis", "expected"),
    [
        (np.uint8(1), np.float32(2), 0, [[0, 2, 4], [6, 8, 508]]),
        (np.uint8([1, 2]), np.float32(2), 0, [[0, 2, 4], [4, 6, 506]]),
        (np.uint8(1), np.float32([2, 4, 8]), 1, [[0, 4, 16], [6, 16, 2032]]),
        (np.uint8(1), np.float32([2, 4, 8]), -1, [[0, 4, 16], [6, 16, 2032]]),
        (np.uint8([255, 0, 1]), np.float32([2, 4, 8]), 1, [[-508, 8, 16], [-502, 20, 2032]]),
        (np.float32(0.5), np.float32(2), 0, [[1, 3, 5], [7, 9, 509]]),
    ],
)
def test_constexpr_affine_dequantize(zero_point, scale, axis, expected):
    data = np.array([[1, 2, 3], [4, 5, 255]], np.uint8)
    result = call(
        "constexpr_affine_dequantize",
        quantized_data=data,
        zero_point=np.asarray(zero_point),
        scale=np.asarray(scale),
        axis=axis,
    )
    assert result.dtype == np.float32
    assert result.tolist() == expected


def test_constexpr_cast():
    values = np.array([1, np.inf, np.nan, 65504], np.float32)
    result = call("constexpr_cast", source_val=values, output_dtype="fp32")
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, values)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    ("indices", "palettes", "shape", "expected"),
    [
        ([0b10110100], 2, [8], [0, 0, 1, 0, 1, 1, 0, 1]),
        ([0b10110100, 0b11], 4, [5], [0, 1, 3, 2, 3]),
        ([0b10110100, 0b11], 4, [5, 1], [[0], [1], [3], [2], [3]]),
        ([0x21, 0x43], 16, [2, 2], [[1, 2], [3, 4]]),
        ([0b11000001, 0b00010000, 0b11111111], 64, [4], [1, 3, 49, 63]),
        ([7, 0, 255], 256, [3], [7, 0, 255]),
    ],
)
def test_constexpr_lut_to_dense(indices, palettes, shape, expected, opset):
    lut = np.arange(palettes, dtype=np.float32) / 8
    result = call(
        "constexpr_lut_to_dense",
        opset,
        indices=np.array(indices, np.uint8),
        lut=lut,
        shape=np.array(shape, np.uint32),
    )
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, np.array(expected) / 8)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    ("mask", "shape", "expected"),
    [
        ([0b1100], [5], [0, 0, 7, -1, 0]),
        ([0, 0b10000001], [2, 8], [[0] * 8, [7, 0, 0, 0, 0, 0, 0, -1]]),
        ([0b100100], [2, 1, 3], [[[0, 0, 7]], [[0, 0, -1]]]),
    ],
)
def test_constexpr_sparse_to_dense(mask, shape, expected, opset):
    result = call(
        "constexpr_sparse_to_dense",
        opset,
        nonzero_data=np.array([7, -1], np.int8),
        mask=np.array(mask, np.uint8),
        shape=np.array(shape, np.uint32),
    )
    assert result.dtype == np.int8
    assert result.tolist() == expected


def test_damaged_data():
    shape = np.array([9], np.uint32)
    with pytest.raises(ValueError, match="reshape"):
        call(
            "constexpr_lut_to_dense",
            "CoreML6",
            indices=np.zeros(1, np.uint8),
            lut=np.zeros(2, np.float32),
            shape=shape,
        )
    with pytest.raises(ValueError, match="assign"):
        call(
            "constexpr_sparse_to_dense",
            "CoreML6",
            nonzero_data=np.ones(2, np.float32),
            mask=np.array([0b111, 0], np.uint8),
            shape=shape,
        )


def test_none_of_them_is_in_ios15():
    names = ["affine_dequantize", "cast", "lut_to_dense", "sparse_to_dense"]
    assert [find(f"constexpr_{name}", "CoreML5") for name in names] == [None] * 4


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8])
def test_tables_against_coremltools(bits):
    random = np.random.default_rng(bits)
    indices = random.integers(0, 2**bits, (3, 5, 7)).astype(np.uint8)
    arguments = {
        "indices": pack_elements_into_bits(indices, bits),
        "lut": random.normal(size=2**bits).astype(np.float32),
        "shape": np.array(indices.shape, np.uint32),
    }
    result = call("constexpr_lut_to_dense", "CoreML6", **arguments)
    np.testing.assert_array_equal(result, arguments["lut"][indices])
    with Function({}, opset_version=ct.target.iOS16):
        theirs = mb.constexpr_lut_to_dense(**arguments).op.materialized_val_inference()
    np.testing.assert_array_equal(result, theirs)


@pytest.mark.parametrize("opset", ["iOS16", "iOS17"])
def test_saved_program_keeps_them_compressed(opset, tmp_path):
    random = np.random.default_rng(0)
    quantized = random.integers(-128, 128, (16, 8), np.int8)
    indices = random.integers(0, 16, (16, 8)).astype(np.uint8)
    lut = random.normal(size=16).astype(np.float32)
    mask = random.integers(0, 2, (16, 8)).astype(np.uint8)
    values = random.normal(size=mask.sum()).astype(np.float32)
    shape = np.array([16, 8], np.uint32)
    half = random.normal(size=(16, 8)).astype(np.float16)

    def build(x):
        weights = [
            mb.constexpr_affine_dequantize(
                quantized_data=quantized,
                zero_point=np.arange(8, dtype=np.int8),
                scale=np.float32(0.5),
                axis=1,
            ),
            mb.constexpr_lut_to_dense(
                indices=pack_elements_into_bits(indices, 4), lut=lut, shape=shape
            ),
            mb.constexpr_sparse_to_dense(
                nonzero_data=values, mask=pack_elements_into_bits(mask, 1), shape=shape
            ),
            mb.constexpr_cast(source_val=half, output_dtype="fp32"),
        ]
        return [mb.linear(x=x, weight=weight) for weight in weights]

    dense = np.zeros((16, 8), np.float32)
    dense[mask == 1] = values
    weights = [0.5 * (quantized - np.arange(8.0)), lut[indices], dense, half]
    x = random.normal(size=(2, 8)).astype(np.float32)
    for result, weight in zip(
        predict(build, {"x": x}, tmp_path, opset=opset), weights, strict=True
    ):
        np.testing.assert_allclose(result, x @ weight.T.astype(float), rtol=1e-4, atol=1e-4)
