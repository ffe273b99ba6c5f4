from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as tf
from coremltools.converters.mil.mil import Builder as mb

from tests.mil.support import call, predict

INF, NAN = np.inf, np.nan
THIRD = 1 / 3


def numbers(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def wide(array):
    return torch.from_numpy(np.asarray(array, np.float64))


def pool(name, values, kernel, **options):
    x = np.array(values, np.float32).reshape(1, 1, -1)
    return call(name, x=x, kernel_sizes=[kernel], **{"pad_type": "valid", **options}).ravel()


def custom(before, after, **options):
    return {"pad_type": "custom", "pad": [before, after], **options}


@pytest.mark.parametrize(
    ("kernel", "options", "maximum", "mean", "mean_without_padding", "norm"),
    [
        (2, {}, [3, 0, 12], [-0.5, -2, 6], [-0.5, -2, 6], [5, 4, 12]),
        (2, {"pad": [5, 5]}, [3, 0, 12], [-0.5, -2, 6], [-0.5, -2, 6], [5, 4, 12]),
        (2, {"strides": [2]}, [3, 12], [-0.5, 6], [-0.5, 6], [5, 12]),
        (
            2,
            {"pad_type": "same"},
            [3, 0, 12, 12],
            [-0.5, -2, 6, 6],
            [-0.5, -2, 6, 12],
            [5, 4, 12, 12],
        ),
        (
            2,
            {"pad_type": "same_lower"},
            [3, 3, 0, 12],
            [1.5, -0.5, -2, 6],
            [3, -0.5, -2, 6],
            [3, 5, 4, 12],
        ),
        (2, custom(1, 1, strides=[2]), [3, 0, 12], [1.5, -2, 6], [3, -2, 12], [3, 4, 12]),
        (2, custom(2, 0, strides=[2]), [-INF, 3, 12], [0, -0.5, 6], [NAN, -0.5, 6], [0, 5, 12]),
        (3, {"strides": [2], "ceil_mode": True}, [3, 12], [-THIRD, 6], [-THIRD, 6], [5, 12]),
        (
            3,
            custom(1, 1, strides=[2], ceil_mode=True),
            [3, 12, 12],
            [-THIRD, 8 * THIRD, 6],
            [-0.5, 8 * THIRD, 12],
            [5, np.sqrt(160), 12],
        ),
        (2, custom(1, 1, strides=[3], ceil_mode=True), [3, 12], [1.5, 6], [3, 6], [3, 12]),
        (1, {"strides": [2], "ceil_mode": True}, [3, 0, -INF], [3, 0, NAN], [3, 0, NAN], [3, 0, 0]),
        (4, {}, [12], [2.75], [2.75], [13]),
    ],
)
def test_by_hand(kernel, options, maximum, mean, mean_without_padding, norm):
    x = [3, -4, 0, 12]
    np.testing.assert_array_equal(pool("max_pool", x, kernel, **options), maximum)
    np.testing.assert_allclose(pool("l2_pool", x, kernel, **options), norm, rtol=1e-15)
    result = pool("avg_pool", x, kernel, **options)
    np.testing.assert_allclose(result, mean, rtol=1e-15)
    result = pool("avg_pool", x, kernel, exclude_padding_from_average=True, **options)
    np.testing.assert_allclose(result, mean_without_padding, rtol=1e-15)


@pytest.mark.parametrize(
    ("x", "maximum", "mean", "norm"),
    [
        ([NAN, 1, 2], [NAN, 2], [NAN, 1.5], [NAN, 5**0.5]),
        ([INF, 1, -INF], [INF, 1], [INF, -INF], [INF, INF]),
        ([INF, -INF, 0], [INF, 0], [NAN, -INF], [INF, INF]),
        ([-INF, -INF, -5], [-INF, -5], [-INF, -INF], [INF, INF]),
        ([3e38, 3e38, 0], [3e38, 3e38], [3e38, 1.5e38], [3e38 * 2**0.5, 3e38]),
        ([3e-30, 4e-30, 0], [4e-30, 4e-30], [3.5e-30, 2e-30], [5e-30, 4e-30]),
    ],
)
def test_special_values(x, maximum, mean, norm):
    np.testing.assert_allclose(pool("max_pool", x, 2), np.float32(maximum), rtol=0)
    np.testing.assert_allclose(pool("avg_pool", x, 2), mean, rtol=1e-6)
    np.testing.assert_allclose(pool("l2_pool", x, 2), norm, rtol=1e-6)


def test_max_ignores_padding():
    result = pool("max_pool", [-3, -2, -1], 2, pad_type="same")
    np.testing.assert_array_equal(result, [-2, -1, -1])


@pytest.mark.parametrize("dimensions", [1, 2, 3])
@pytest.mark.parametrize("sizes", [(9, 8, 7), (6, 5, 10)])
@pytest.mark.parametrize(("kernel", "stride", "pad"), [(3, 1, 1), (3, 2, 1), (2, 3, 0), (4, 3, 2)])
@pytest.mark.parametrize("ceil_mode", [False, True])
def test_against_torch(dimensions, sizes, kernel, stride, pad, ceil_mode):
    x = numbers(2, 3, *sizes[:dimensions])
    options = {
        "x": x,
        "kernel_sizes": [kernel] * dimensions,
        "strides": [stride] * dimensions,
        "pad_type": "custom",
        "pad": [pad] * 2 * dimensions,
        "ceil_mode": ceil_mode,
    }
    expected = getattr(tf, f"max_pool{dimensions}d")(wide(x), kernel, stride, pad, 1, ceil_mode)
    # Without padding MIL keeps a last window that starts beyond x; torch drops it.
    inside = tuple(slice(n) for n in expected.shape)
    result = call("max_pool", **options)
    assert result.shape == expected.shape or (ceil_mode and pad == 0)
    np.testing.assert_array_equal(result[inside], expected)
    for exclude in (False, True):
        expected = getattr(tf, f"avg_pool{dimensions}d")(
            wide(x), kernel, stride, pad, ceil_mode, not exclude
        )
        result = call("avg_pool", exclude_padding_from_average=exclude, **options)
        np.testing.assert_allclose(result[inside], expected, rtol=1e-14, atol=1e-15)
    squares = tf.pad(wide(x) ** 2, [pad, pad + kernel] * dimensions)
    sums = getattr(tf, f"avg_pool{dimensions}d")(squares, kernel, stride) * kernel**dimensions
    result = call("l2_pool", **options)[inside]
    np.testing.assert_allclose(
        result, sums[tuple(map(slice, result.shape))].sqrt(), rtol=1e-14, atol=1e-15
    )


def test_mean_of_a_whole_image_keeps_its_digits():
    x = 1000 + numbers(1, 2, 300, 200)
    result = call("avg_pool", x=x, kernel_sizes=[300, 200], pad_type="valid")
    np.testing.assert_allclose(result[:, :, 0, 0], x.mean((2, 3), np.float64), rtol=1e-12)


def test_window_larger_than_its_input():
    with pytest.raises(ValueError, match="a window of 3 does not fit into 2"):
        pool("max_pool", [1, 2], 3)


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
def test_saved_programs(opset, tmp_path):
    def build(x):
        options = {"x": x, "kernel_sizes": [3, 2], "strides": [2, 1]}
        return (
            mb.max_pool(pad_type="same", **options),
            mb.avg_pool(pad_type="custom", pad=[1, 1, 0, 0], ceil_mode=True, **options),
            mb.avg_pool(pad_type="same", exclude_padding_from_average=True, **options),
            mb.l2_pool(pad_type="valid", **options),
        )

    x = numbers(1, 2, 6, 5)
    largest, mean, inner, norm = predict(build, {"x": x}, tmp_path, opset=opset)
    after = tf.pad(wide(x), [0, 1, 0, 1], value=-INF)
    np.testing.assert_array_equal(largest, tf.max_pool2d(after, (3, 2), (2, 1)))
    expected = tf.avg_pool2d(wide(x), (3, 2), (2, 1), (1, 0), ceil_mode=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-6)
    np.testing.assert_allclose(inner[..., -1, -1], x[..., 4:, 4:].mean((2, 3)), rtol=1e-6)
    np.testing.assert_allclose(norm, tf.lp_pool2d(wide(x), 2, (3, 2), (2, 1)), rtol=1e-6)
