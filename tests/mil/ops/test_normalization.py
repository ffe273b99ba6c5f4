from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from exportcheck.errors import InvalidModel
from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, (2, 3, 4, 5)).astype(np.float32)
GAMMA = np.float32([1.5, -2, 0.5])
BETA = np.float32([0.25, 1, -3])
MEAN = np.float32([1, -2, 3])
VARIANCE = np.float32([0.5, 2, 4])


def double(array):
    return None if array is None else torch.from_numpy(np.array(array)).double()


def close(result, exact, rtol=1e-6):
    """To the last digits of float32, seen from the largest number."""
    exact = np.asarray(exact)
    assert result.shape == exact.shape
    np.testing.assert_allclose(result, exact, rtol=0, atol=rtol * np.max(np.abs(exact)))


def test_batch_norm_by_hand():
    x = np.float32([[[1, 5], [0, 4]]])
    inputs = {"x": x, "mean": np.float32([1, 2]), "variance": np.float32([4, 1])}
    plain = operator("batch_norm")(**inputs, epsilon=np.float32(0))
    assert plain.tolist() == [[[0, 2], [-2, 2]]]
    scaled = operator("batch_norm")(
        **inputs,
        gamma=np.float32([10, 3]),
        beta=np.float32([0.5, -1]),
        epsilon=np.float32(0),
    )
    assert scaled.tolist() == [[[0.5, 20.5], [-7, 5]]]
    close(operator("batch_norm")(**inputs), plain / np.sqrt([[[1 + 1e-5 / 4], [1 + 1e-5]]]))


@pytest.mark.parametrize("rank", [2, 3, 4, 5])
@pytest.mark.parametrize(("gamma", "beta"), [(None, None), (GAMMA, None), (GAMMA, BETA)])
def test_batch_norm_like_torch(rank, gamma, beta):
    x = RNG.normal(3, 2, (2, 3, 4, 2, 3)[:rank]).astype(np.float32)
    exact = functional.batch_norm(
        double(x), double(MEAN), double(VARIANCE), double(gamma), double(beta), eps=1e-3
    )
    scale = {k: v for k, v in (("gamma", gamma), ("beta", beta)) if v is not None}
    result = operator("batch_norm")(
        x=x, mean=MEAN, variance=VARIANCE, epsilon=np.float32(1e-3), **scale
    )
    close(result, exact)


def test_instance_norm_by_hand():
    x = np.float32([[[1, 3], [10, 30]], [[-1, 1], [5, 5]]])
    result = operator("instance_norm")(x=x, epsilon=np.float32(0))
    np.testing.assert_array_equal(result, [[[-1, 1], [-1, 1]], [[-1, 1], [NAN, NAN]]])
    result = operator("instance_norm")(x=x, gamma=np.float32([2, 3]), beta=np.float32([0.5, 1]))
    close(result, [[[-1.5, 2.5], [-2, 4]], [[-1.5, 2.5], [1, 1]]], 1e-5)


@pytest.mark.parametrize("shape", [(2, 3, 8), (2, 3, 4, 5)])
def test_instance_norm_like_torch(shape):
    x = X.reshape(-1)[: np.prod(shape)].reshape(shape)
    exact = functional.instance_norm(double(x), weight=double(GAMMA), bias=double(BETA), eps=1e-5)
    close(operator("instance_norm")(x=x, gamma=GAMMA, beta=BETA), exact)


def test_l2_norm_by_hand():
    x = np.float32([[[[3, 0], [0, 4]]], [[[1, 2], [2, 0]]]])
    result = operator("l2_norm")(x=x, epsilon=np.float32(0))
    close(result, [[[[0.6, 0], [0, 0.8]]], [[[1 / 3, 2 / 3], [2 / 3, 0]]]])
    close(operator("l2_norm")(x=x[0], epsilon=np.float32(11)), x[0] / 6)
    assert operator("l2_norm")(x=np.zeros((1, 1, 1), np.float32)).item() == 0


def test_l2_norm_takes_three_axes():
    with pytest.raises(InvalidModel, match="cannot take its inputs"):
        evaluate("l2_norm", {"x": np.ones((2, 3), np.float32)}, "fp32", (2, 3))


def test_layer_norm_by_hand():
    x = np.float32([[1, 3], [6, 2]])
    last = operator("layer_norm")(x=x, axes=np.array([-1], np.int32), epsilon=np.float32(0))
    assert last.tolist() == [[-1, 1], [1, -1]]
    first = operator("layer_norm")(
        x=x,
        axes=np.array([0], np.int32),
        gamma=np.float32([5, 2]),
        beta=np.float32([1, 0]),
        epsilon=np.float32(0),
    )
    assert first.tolist() == [[-4, 6], [2, -2]]
    everything = operator("layer_norm")(x=x, epsilon=np.float32(0.5))
    close(everything, (x - 3) / 2)


@pytest.mark.parametrize("axes", [[3], [-2, -1], [3, 2], [1, 2, 3]])
def test_layer_norm_like_torch(axes):
    sizes = [size for i, size in enumerate(X.shape) if i in {a % 4 for a in axes}]
    gamma, beta = (RNG.normal(size=sizes).astype(np.float32) for _ in range(2))
    exact = functional.layer_norm(double(X), sizes, double(gamma), double(beta), 1e-5)
    result = operator("layer_norm")(x=X, axes=np.array(axes, np.int32), gamma=gamma, beta=beta)
    close(result, exact)


@pytest.mark.parametrize("name", ["instance_norm", "layer_norm"])
def test_small_deviations_from_a_large_mean(name):
    """The mean of a sum in float32 would be off by more than they are."""
    x = np.float32(30000 + RNG.integers(0, 4, 5001) / 256).reshape(1, 1, -1)
    exact = functional.layer_norm(double(x), (5001,), eps=1e-5)
    close(operator(name)(x=x), exact)


def test_defaults_of_epsilon():
    """Where epsilon is as large as what it is added to, the result is smaller by sqrt 2."""
    small, smaller = np.float32(1e-5), np.float32(1e-6)
    x = np.sqrt(small) * np.float32([[[1, -1]]])
    expected = np.float32([[[0.5**0.5, -(0.5**0.5)]]])
    close(operator("instance_norm")(x=x), expected)
    close(operator("layer_norm")(x=x), expected)
    moments = {"mean": np.float32([0]), "variance": small[None]}
    close(operator("batch_norm")(x=x, **moments), expected)
    close(operator("l2_norm")(x=np.sqrt(smaller)[None, None, None]), expected[..., :1])


def test_special_values():
    x = np.float32([[[1, 2, NAN]], [[1, 2, INF]], [[5, 5, 5]]])
    axes = np.array([2], np.int32)
    for name, parameters in (("instance_norm", {}), ("layer_norm", {"axes": axes})):
        result = operator(name)(x=x, **parameters)
        np.testing.assert_array_equal(result, [[[NAN] * 3], [[NAN] * 3], [[0] * 3]])
    result = operator("l2_norm")(x=np.float32([[[1, INF]]]))
    np.testing.assert_array_equal(result, [[[0, NAN]]])
    one = {"mean": np.float32([0]), "epsilon": np.float32(0)}
    x = np.float32([[[-1, 0, INF, NAN]]])
    result = operator("batch_norm")(x=x, variance=np.float32([0]), **one)
    np.testing.assert_array_equal(result, [[[-INF, NAN, INF, NAN]]])
    result = operator("batch_norm")(x=x, variance=np.float32([-1]), **one)
    np.testing.assert_array_equal(result, [[[NAN] * 4]])


def test_local_response_norm_by_hand():
    x = np.float32([1, 2, 3, 4]).reshape(1, 4, 1, 1)
    parameters = {"alpha": np.float32(1), "beta": np.float32(1), "k": np.float32(2)}
    for size, sums in ((1, [1, 4, 9, 16]), (2, [1, 5, 13, 25]), (3, [5, 14, 29, 25])):
        result = operator("local_response_norm")(x=x, size=np.array(size), **parameters)
        np.testing.assert_allclose(
            result.ravel(), x.ravel() / (2 + np.array(sums) / size), rtol=1e-7
        )


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_local_response_norm_like_torch(size):
    exact = functional.local_response_norm(double(X), size, alpha=0.5, beta=0.75, k=1.0)
    result = operator("local_response_norm")(
        x=X, size=size, alpha=np.float32(0.5), beta=np.float32(0.75), k=np.float32(1)
    )
    close(result, exact)


def test_local_response_norm_of_rank_three_has_its_channels_first():
    """The values of the test in coremltools' tests/iOS14/test_normalization.py."""
    x = np.float32([[[1, -7], [5, -6], [-3, -5]]])
    expected = [[[0.99996257, -6.98716545], [4.99531746, -5.99191284], [-2.99898791, -4.99531746]]]
    result = operator("local_response_norm")(x=x, size=2)
    np.testing.assert_allclose(result, expected, rtol=2e-7)


def test_like_coremltools():
    """It computes two of them itself."""
    close(operator("l2_norm")(x=X), folded("l2_norm", x=X))
    parameters = {"axes": [1, 3], "gamma": X[0, :, 0], "beta": X[1, :, 0]}
    expected = folded("layer_norm", x=X, **parameters)
    close(operator("layer_norm")(x=X, **parameters), expected)


@pytest.mark.parametrize("target", ["iOS15", "iOS18"])
def test_saved_programs(tmp_path, target):
    from coremltools.converters.mil import Builder as mb

    cases = [
        ("batch_norm", {"mean": MEAN, "variance": VARIANCE}),
        ("batch_norm", {"mean": MEAN, "variance": VARIANCE, "gamma": GAMMA, "beta": BETA}),
        ("instance_norm", {}),
        ("instance_norm", {"gamma": GAMMA, "beta": BETA, "epsilon": np.float32(0.5)}),
        ("l2_norm", {}),
        ("layer_norm", {"axes": [1, 2, 3]}),
        ("layer_norm", {"axes": [1], "gamma": GAMMA, "beta": BETA, "epsilon": np.float32(0.5)}),
        ("local_response_norm", {"size": 3}),
        ("local_response_norm", {"size": 2, "alpha": np.float32(0.5), "k": np.float32(2)}),
    ]
    outputs = predict(
        lambda x: [getattr(mb, name)(x=x, **p) for name, p in cases],
        {"x": X},
        tmp_path,
        opset=target,
    )
    for (name, parameters), output in zip(cases, outputs, strict=True):
        close(output, operator(name)(x=X, **parameters))
