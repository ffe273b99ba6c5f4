from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exportcheck.errors import InvalidModel
from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
WEIGHT = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
BIAS = np.array([10, 20, 30], np.float32)


def call(name, *args, **parameters):
    return operator(name)(*(np.array(a, np.float32) for a in args), **parameters)


def test_linear_by_hand():
    assert call("linear", [[1, 1], [2, 0]], WEIGHT).tolist() == [[3, 7, 11], [2, 6, 10]]
    assert call("linear", [1, -1], WEIGHT, BIAS).tolist() == [9, 19, 29]
    assert call("linear", [[[1, 1]]], WEIGHT, BIAS).tolist() == [[[13, 27, 41]]]
    assert call("linear", np.zeros((0, 2)), WEIGHT).shape == (0, 3)


@pytest.mark.parametrize(
    ("transpose_x", "transpose_y", "expected"),
    [
        (False, False, [[19, 22], [43, 50]]),
        (True, False, [[26, 30], [38, 44]]),
        (False, True, [[17, 23], [39, 53]]),
        (True, True, [[23, 31], [34, 46]]),
    ],
)
def test_matmul_by_hand(transpose_x, transpose_y, expected):
    flags = {"transpose_x": np.array(transpose_x), "transpose_y": np.array(transpose_y)}
    assert call("matmul", [[1, 2], [3, 4]], [[5, 6], [7, 8]], **flags).tolist() == expected


def test_matmul_of_rank_one():
    matrix, row = [[1, 2, 3], [4, 5, 6]], [1, -1]
    assert call("matmul", row, matrix).tolist() == [-3, -3, -3]
    assert call("matmul", matrix, [1, 0, 2]).tolist() == [7, 16]
    assert np.shape(call("matmul", row, row)) == ()
    assert call("matmul", row, row) == 2
    assert call("matmul", row, [matrix, matrix]).tolist() == [[-3, -3, -3]] * 2
    both = {"transpose_x": True, "transpose_y": True}
    assert call("matmul", row, row, **both) == 2
    assert call("matmul", row, np.transpose(matrix), **both).tolist() == [-3, -3, -3]


def test_special_values():
    assert np.isnan(call("matmul", [INF, 1], [0, 1]))
    assert call("matmul", [INF, 1], [1, 1]) == INF
    assert np.isnan(call("linear", [[NAN, 0]], [[0, 0]]))
    assert call("matmul", np.zeros((2, 0)), np.zeros((0, 3))).tolist() == [[0, 0, 0]] * 2


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.data())
def test_matmul_like_torch_in_float64(data):
    """Whole numbers, so that both are exact; batch axes broadcast."""
    shapes = data.draw(
        arrays.mutually_broadcastable_shapes(signature="(m,k),(k,n)->(m,n)", max_dims=3, max_side=3)
    ).input_shapes
    x, y = (data.draw(arrays.arrays(np.float32, s, elements=st.integers(-99, 99))) for s in shapes)
    expected = torch.matmul(torch.from_numpy(x).double(), torch.from_numpy(y).double()).numpy()
    flip_x, flip_y = data.draw(st.booleans()), data.draw(st.booleans())
    inputs = {
        "x": np.swapaxes(x, -1, -2) if flip_x else x,
        "y": np.swapaxes(y, -1, -2) if flip_y else y,
        "transpose_x": np.array(flip_x),
        "transpose_y": np.array(flip_y),
    }
    result = evaluate("matmul", inputs, "fp32", expected.shape)
    np.testing.assert_array_equal(result, expected)


def test_large_products_are_as_good_as_float32():
    """Within sqrt(K) roundings of the magnitudes added up, the bound for a sum in any order."""
    rng = np.random.default_rng(0)
    x, weight = (rng.normal(size=s).astype(np.float32) for s in [(32, 1024), (48, 1024)])
    exact = x.astype(np.float64) @ weight.T.astype(np.float64)
    bound = 1024**0.5 * 2.0**-24 * (np.abs(x) @ np.abs(weight.T))
    assert np.all(np.abs(call("linear", x, weight) - exact) <= bound)


@pytest.mark.parametrize(
    ("equation", "x_shape", "y_shape"),
    [
        ("nchw,nwhu->nchu", (2, 3, 4, 5), (2, 5, 4, 6)),
        ("abcd, adce -> abce", (2, 3, 4, 5), (2, 5, 4, 6)),
        ("nchw,nwhu->nchu", (1, 3, 4, 5), (2, 5, 1, 6)),
        ("nchw,nwhu->nchu", (2, 3, 1, 5), (1, 5, 4, 6)),
        ("chw,whr->chr", (3, 4, 5), (5, 4, 6)),
        ("vnm,mno->vno", (3, 1, 5), (5, 4, 6)),
    ],
)
def test_einsum_like_torch_in_float64(equation, x_shape, y_shape):
    x = np.arange(np.prod(x_shape), dtype=np.float32).reshape(x_shape) - 7
    y = np.arange(np.prod(y_shape), dtype=np.float32).reshape(y_shape) - 9
    expected = torch.einsum(equation, torch.from_numpy(x).double(), torch.from_numpy(y).double())
    result = operator("einsum")(values=(x, y), equation=equation)
    np.testing.assert_array_equal(result, expected.numpy())


def test_einsum_by_hand():
    x, y = np.float32([[[1, 2]], [[3, 4]]]), np.float32([[[5, 6, 7]], [[8, 9, 10]]])
    result = operator("einsum")(values=(x, y), equation="chw,whr->chr")
    assert result.tolist() == [[[21, 24, 27]], [[47, 54, 61]]]


@pytest.mark.parametrize("equation", ["ab,bc->ac", "abcd,adce->abec", "abc,cbd", "abc,cbd->adb"])
def test_other_equations_are_an_invalid_model(equation):
    x = np.zeros((2, 2, 2, 2), np.float32)
    with pytest.raises(ValueError, match="none that MIL has"):
        operator("einsum")(values=(x, x), equation=equation)


def test_integers_wrap_around():
    x, weight = np.array([[2**30, 2**30, 3]], np.int32), np.array([[2, 2, 1]], np.int32)
    assert evaluate("linear", {"x": x, "weight": weight}, "int32", (1, 1)).tolist() == [[3]]
    assert evaluate("matmul", {"x": x, "y": weight.T}, "int32", (1, 1)).tolist() == [[3]]


def test_a_result_has_the_type_of_the_input_that_is_no_constant():
    x, weight = np.array([[3, -3]], np.int32), np.array([[0.5, 0.0]], np.float32)
    assert evaluate("linear", {"x": x, "weight": weight}, "int32", (1, 1)).tolist() == [[1]]
    assert evaluate("matmul", {"x": weight, "y": x.T}, "fp16", (1, 1)).tolist() == [[1.5]]


def test_sizes_that_do_not_fit_are_an_invalid_model():
    inputs = {"x": np.zeros((2, 3), np.float32), "y": np.zeros((2, 3), np.float32)}
    with pytest.raises(InvalidModel, match="cannot take its inputs"):
        evaluate("matmul", inputs, "fp32", (2, 3))


def test_like_coremltools():
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=s).astype(np.float32) for s in [(2, 3, 4), (2, 5, 4)])
    flags = {"transpose_x": False, "transpose_y": True}
    close = np.testing.assert_allclose
    close(call("matmul", x, y, **flags), folded("matmul", x=x, y=y, **flags), rtol=1e-5, atol=1e-6)
    inputs = {"x": x, "weight": y[0], "bias": y[0, :, 0]}
    close(operator("linear")(**inputs), folded("linear", **inputs), rtol=1e-5, atol=1e-6)
    inputs = {"values": (x, np.transpose(y, (2, 0, 1))[:, [0] * 3]), "equation": "abc,cbd->abd"}
    close(operator("einsum")(**inputs), folded("einsum", **inputs), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", ["iOS15", "iOS18"])
def test_saved_programs(tmp_path, target):
    from coremltools.converters.mil import Builder as mb

    x, y = np.float32([[1, 2], [3, 4]]), np.float32([[5, 6], [7, 8]])

    def build(x, y):
        return [
            mb.linear(x=x, weight=WEIGHT, bias=BIAS),
            mb.linear(x=x, weight=WEIGHT),
            mb.matmul(x=x, y=y),
            mb.matmul(x=x, y=y, transpose_x=True, transpose_y=True),
            mb.einsum(
                values=(mb.expand_dims(x=x, axes=[1]), mb.expand_dims(x=y, axes=[1])),
                equation="abc,cbd->abd",
            ),
        ]

    outputs = predict(build, {"x": x, "y": y}, tmp_path, opset=target)
    assert [output.tolist() for output in outputs] == [
        [[15, 31, 47], [21, 45, 69]],
        [[5, 11, 17], [11, 25, 39]],
        [[19, 22], [43, 50]],
        [[23, 31], [34, 46]],
        [[[19, 22]], [[43, 50]]],
    ]
