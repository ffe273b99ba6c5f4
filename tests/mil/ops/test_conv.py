from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
import torch.nn.functional as tf
from coremltools.converters.mil.mil import Builder as mb

from exportcheck.errors import UnsupportedOperator
from exportcheck.mil.ops import conv as module
from tests.mil.support import call, predict

INF, NAN = np.inf, np.nan


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def wide(array):
    return torch.from_numpy(np.asarray(array, np.float64))


def series(values):
    """One sample of one channel."""
    return np.array(values, np.float32).reshape(1, 1, -1)


@pytest.mark.parametrize(
    ("weight", "options", "expected"),
    [
        ([1, 10, 100], {}, [321, 432, 543]),
        ([1, 10, 100], {"strides": [2]}, [321, 543]),
        ([1, 10, 100], {"dilations": [2]}, [531]),
        ([1, 10, 100], {"pad_type": "custom", "pad": [1, 2]}, [210, 321, 432, 543, 54, 5]),
        ([1, 10, 100], {"pad_type": "valid", "pad": [9, 9]}, [321, 432, 543]),
        ([1, 10, 100], {"pad_type": "same"}, [210, 321, 432, 543, 54]),
        ([1, 10], {"pad_type": "same"}, [21, 32, 43, 54, 5]),
        ([1, 10], {"pad_type": "same_lower"}, [10, 21, 32, 43, 54]),
        ([1, 10], {"pad_type": "same", "strides": [2]}, [21, 43, 5]),
        ([1, 10], {"pad_type": "same_lower", "strides": [2]}, [10, 32, 54]),
        ([1, 10], {"pad_type": "same", "strides": [3]}, [21, 54]),
        ([1], {"pad_type": "same", "strides": [3]}, [1, 4]),
        ([1, 10], {"pad_type": "same", "dilations": [3]}, [30, 41, 52, 3, 4]),
        ([1, 10], {"bias": [0.5]}, [21.5, 32.5, 43.5, 54.5]),
        ([1, INF], {}, [INF, INF, INF, INF]),
        ([1, NAN], {}, [NAN, NAN, NAN, NAN]),
        ([INF, 1], {"pad_type": "custom", "pad": [1, 0]}, [NAN, INF, INF, INF, INF]),
    ],
)
def test_conv_by_hand(weight, options, expected):
    result = call("conv", x=series([1, 2, 3, 4, 5]), weight=series(weight), **options)
    np.testing.assert_array_equal(result, series(expected))


def test_only_windows_over_a_value_see_it():
    x = series([1, NAN, 3, 4, INF])
    np.testing.assert_array_equal(
        call("conv", x=x, weight=series([1, 10])), series([NAN, NAN, 43, INF])
    )


def test_groups_keep_channels_apart():
    x = np.array([[[1, 2], [3, 4], [5, 6], [7, 8]]], np.float32)
    weight = np.array([[[1], [10]], [[2], [20]]], np.float32)
    np.testing.assert_array_equal(
        call("conv", x=x, weight=weight, groups=2), [[[31, 42], [150, 172]]]
    )
    depthwise = np.array([1, 2, 3, 4, 5, 6, 7, 8], np.float32).reshape(8, 1, 1)
    np.testing.assert_array_equal(
        call("conv", x=x, weight=depthwise, groups=4)[0, :, 0], [1, 2, 9, 12, 25, 30, 49, 56]
    )


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 6])
@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_conv_against_torch(dimensions, groups, batch, stride, dilation):
    x = numbers(batch, 6, *(9, 8, 7)[:dimensions])
    weight = numbers(12, 6 // groups, *(3, 2, 3)[:dimensions], seed=1)
    bias = numbers(12, seed=2)
    pad = [1, 2, 0, 3, 2, 1][: 2 * dimensions]
    strides, dilations = [stride] * dimensions, [dilation] * dimensions
    expected = getattr(tf, f"conv{dimensions}d")(
        tf.pad(wide(x), [p for i in reversed(range(dimensions)) for p in pad[2 * i : 2 * i + 2]]),
        wide(weight),
        wide(bias),
        stride=strides,
        dilation=dilations,
        groups=groups,
    )
    result = call(
        "conv",
        x=x,
        weight=weight,
        bias=bias,
        strides=strides,
        dilations=dilations,
        groups=groups,
        pad_type="custom",
        pad=pad,
    )
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("shape", [(2, 4, 50), (2, 4, 3, 17), (2, 4, 17, 3), (2, 4, 3, 5, 4)])
@pytest.mark.parametrize("block", [1, 100, 1000])
def test_blocks_do_not_show(shape, block, monkeypatch):
    x, weight = numbers(*shape), numbers(6, 2, *(3,) * (len(shape) - 2), seed=1)
    whole = call("conv", x=x, weight=weight, pad_type="same", groups=2)
    monkeypatch.setattr(module, "_BLOCK", block)
    parts = call("conv", x=x, weight=weight, pad_type="same", groups=2)
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)


def test_memory_stays_far_below_that_of_all_windows():
    x, weight = numbers(1, 32, 128, 128), numbers(32, 32, 5, 5, seed=1)
    tracemalloc.start()
    call("conv", x=x, weight=weight, pad_type="same")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * x.nbytes  # all windows together: 25 times x


@pytest.mark.parametrize("name", ["strides", "dilations"])
@pytest.mark.parametrize("values", [[0], [-1], [1, 1], []])
@pytest.mark.parametrize("operator", ["conv", "conv_transpose"])
def test_steps_that_would_leave_the_input(name, values, operator):
    options = {name: np.array(values, np.int32)}
    with pytest.raises(ValueError, match="strides or dilations"):
        call(operator, x=series([1, 2]), weight=series([1, 2, 3]), **options)


def test_window_larger_than_its_input():
    with pytest.raises(ValueError, match=r"a window of \[3\] does not fit into \[2\]"):
        call("conv", x=series([1, 2]), weight=series([1, 2, 3]))
    with pytest.raises(ValueError, match="unknown pad_type 'round'"):
        call("conv", x=series([1, 2]), weight=series([1]), pad_type="round")


@pytest.mark.parametrize(
    ("scale", "shift", "expected"),
    [
        (2.0, 1.0, [[7, 14], [9, 18]]),
        ([2.0, 10.0], [1.0, -1.0], [[7, 14], [39, 78]]),
    ],
)
def test_conv_quantized(scale, shift, expected):
    result = call(
        "conv_quantized",
        x=series([1, 2]),
        weight=np.array([3, 4], np.uint8).reshape(2, 1, 1),
        quantization_type="linear",
        nbits=8,
        quant_scale=scale,
        quant_bias=shift,
    )
    np.testing.assert_array_equal(result, [expected])


def test_conv_quantized_by_a_table_that_is_nowhere():
    with pytest.raises(UnsupportedOperator, match="lut"):
        call(
            "conv_quantized",
            x=series([1]),
            weight=np.ones((1, 1, 1), np.uint8),
            quantization_type="lut",
            quant_scale=1.0,
            quant_bias=0.0,
        )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [1, 12, 123, 230, 300]),
        ({"strides": [2]}, [1, 10, 102, 20, 203, 30, 300]),
        ({"strides": [4]}, [1, 10, 100, 0, 2, 20, 200, 0, 3, 30, 300]),
        ({"dilations": [2]}, [1, 2, 13, 20, 130, 200, 300]),
        ({"pad_type": "custom", "pad": [1, 2]}, [12, 123]),
        ({"pad_type": "custom", "pad": [1, 2], "output_shape": [1, 1, 5]}, [12, 123, 230, 300, 0]),
        ({"output_shape": [1, 1, 6]}, [1, 12, 123, 230, 300, 0]),
        ({"pad_type": "same"}, [12, 123, 230]),
        ({"pad_type": "same", "strides": [2]}, [1, 10, 102, 20, 203, 30]),
        ({"pad_type": "same", "strides": [2], "output_shape": [1, 1, 5]}, [10, 102, 20, 203, 30]),
        ({"pad_type": "same", "strides": [4]}, [1, 10, 100, 0, 2, 20, 200, 0, 3, 30, 300, 0]),
        ({"bias": [0.5], "output_shape": [1, 1, 6]}, [1.5, 12.5, 123.5, 230.5, 300.5, 0.5]),
    ],
)
def test_conv_transpose_by_hand(options, expected):
    result = call("conv_transpose", x=series([1, 2, 3]), weight=series([1, 10, 100]), **options)
    np.testing.assert_array_equal(result, series(expected))


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (2, 2), (3, 1)])
@pytest.mark.parametrize("more", [0, 1])
def test_conv_transpose_against_torch(dimensions, groups, stride, dilation, more):
    more *= stride > 1  # torch wants output_padding below the stride
    x = numbers(2, 4, *(5, 4, 3)[:dimensions])
    weight = numbers(4, 3, *(3, 2, 4)[:dimensions], seed=1)
    bias = numbers(3 * groups, seed=2)
    expected = getattr(tf, f"conv_transpose{dimensions}d")(
        wide(x),
        wide(weight),
        wide(bias),
        stride=stride,
        dilation=dilation,
        groups=groups,
        padding=1,
        output_padding=more,
    )
    result = call(
        "conv_transpose",
        x=x,
        weight=weight,
        bias=bias,
        strides=[stride] * dimensions,
        dilations=[dilation] * dimensions,
        groups=groups,
        pad_type="custom",
        pad=[1] * 2 * dimensions,
        output_shape=list(expected.shape) if more else None,
    )
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("pad_type", ["valid", "same", "same_lower"])
@pytest.mark.parametrize("size", [(9, 10), (8, 7)])
@pytest.mark.parametrize("strides", [[1, 1], [2, 3], [3, 2]])
def test_conv_transpose_is_the_adjoint_of_conv(pad_type, size, strides):
    options = {"strides": strides, "dilations": [2, 1], "pad_type": pad_type, "groups": 2}
    x, weight = numbers(1, 4, *size), numbers(6, 2, 3, 2, seed=1)
    y = call("conv", x=x, weight=weight, **options)
    other = numbers(*y.shape, seed=2)
    back = call("conv_transpose", x=other, weight=weight, output_shape=list(x.shape), **options)
    assert back.shape == x.shape
    np.testing.assert_allclose(np.vdot(y, other), np.vdot(x, back), rtol=1e-4)


@pytest.mark.parametrize("opset", ["iOS15", "iOS17"])
def test_saved_programs(opset, tmp_path):
    weight, other = numbers(4, 2, 3, 3, seed=1), numbers(4, 2, 3, 3, seed=2)

    def build(x, dynamic):
        y = mb.conv(x=x, weight=weight, bias=np.ones(4, np.float32), pad_type="same", groups=1)
        z = mb.conv(x=x, weight=dynamic, strides=[2, 2])
        return mb.conv_transpose(x=y, weight=other, strides=[2, 2], groups=2), z

    x, dynamic = numbers(2, 2, 8, 9), numbers(3, 2, 3, 3, seed=3)
    deconvolved, strided = predict(build, {"x": x, "dynamic": dynamic}, tmp_path, opset=opset)
    y = tf.conv2d(wide(x), wide(weight), torch.ones(4, dtype=torch.float64), padding=1)
    expected = tf.conv_transpose2d(y, wide(other), stride=2, groups=2)
    np.testing.assert_allclose(deconvolved, expected, rtol=1e-4, atol=1e-4)
    expected = tf.conv2d(wide(x), wide(dynamic), stride=2)
    np.testing.assert_allclose(strided, expected, rtol=1e-5, atol=1e-5)


def test_fp16_rounds_once_a_result(tmp_path):
    x, weight = numbers(1, 8, 6, 6).astype(np.float16), numbers(4, 8, 3, 3, seed=1)
    weight = weight.astype(np.float16)
    (result,) = predict(lambda x: mb.conv(x=x, weight=weight), {"x": x}, tmp_path, fp16=True)
    exact = tf.conv2d(wide(x), wide(weight)).numpy()
    np.testing.assert_array_equal(result.astype(np.float16), exact.astype(np.float16))
