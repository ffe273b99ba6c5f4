from __future__ import annotations

import math
import operator as python
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from exportcheck.errors import InvalidModel
from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
LOWEST, HIGHEST = -(2**31), 2**31 - 1
ARITHMETIC = ("add", "floor_div", "maximum", "minimum", "mod", "mul", "pow", "real_div", "sub")
COMPARISONS = ("equal", "greater", "greater_equal", "less", "less_equal", "not_equal")
LOGICAL = ("logical_and", "logical_or", "logical_xor")


def call(name, x, y, dtype=np.float32):
    return operator(name)(x=np.array(x, dtype), y=np.array(y, dtype))


def integers(name, x, y):
    """The result that the evaluator makes of two int32 inputs."""
    x, y = np.array(x, np.int32), np.array(y, np.int32)
    return evaluate(name, {"x": x, "y": y}, "int32", np.broadcast(x, y).shape)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", [9, -5, 5, -9]),
        ("floor_div", [3, -4, -4, 3]),
        ("maximum", [7, 2, 7, -2]),
        ("minimum", [2, -7, -2, -7]),
        ("mod", [1, 1, -1, -1]),
        ("mul", [14, -14, -14, 14]),
        ("pow", [49, 49, 1 / 49, 1 / 49]),
        ("real_div", [3.5, -3.5, -3.5, 3.5]),
        ("sub", [5, -9, 9, -5]),
        ("equal", [0, 0, 0, 0]),
        ("not_equal", [1, 1, 1, 1]),
        ("greater", [1, 0, 1, 0]),
        ("greater_equal", [1, 0, 1, 0]),
        ("less", [0, 1, 0, 1]),
        ("less_equal", [0, 1, 0, 1]),
    ],
)
def test_worked_by_hand(name, expected):
    result = call(name, [7, -7, 7, -7], [2, 2, -2, -2])
    np.testing.assert_allclose(result, expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", [9, -5, 5, -9]),
        ("floor_div", [3, -4, -4, 3]),
        ("mod", [1, 1, -1, -1]),
        ("mul", [14, -14, -14, 14]),
        ("pow", [49, 49, 0, 0]),
        ("real_div", [3, -3, -3, 3]),
        ("sub", [5, -9, 9, -5]),
        ("maximum", [7, 2, 7, -2]),
        ("minimum", [2, -7, -2, -7]),
    ],
)
def test_integers_by_hand(name, expected):
    assert integers(name, [7, -7, 7, -7], [2, 2, -2, -2]).tolist() == expected


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("add", HIGHEST, 1, 2**31),
        ("sub", LOWEST, 1, HIGHEST),
        ("mul", 2**30, 4, 0),
        ("real_div", 1, 0, 0),
        ("real_div", 0, 0, 0),
        ("real_div", HIGHEST, -1, -HIGHEST),
        ("real_div", HIGHEST, HIGHEST - 1, 1),
        ("real_div", HIGHEST - 1, HIGHEST, 0),
        ("floor_div", -1, 0, 0),
        ("mod", -1, 0, 0),
        ("pow", 0, 0, 1),
        ("pow", 0, -1, 0),
        ("pow", 1, -5, 1),
        ("pow", -1, -5, -1),
        ("pow", -1, -4, 1),
        ("pow", 3, -(2**29), 0),
        ("pow", -3, 3, -27),
        ("pow", 3, 21, 3**21),
        ("pow", 2, 32, 2**32),
    ],
)
def test_integers_at_their_limits(name, x, y, expected):
    expected = (expected - LOWEST) % 2**32 + LOWEST
    assert integers(name, x, y).item() == expected


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("add", [INF, INF, NAN], [-INF, 1, 1], [NAN, INF, NAN]),
        ("sub", [INF, INF, 1], [INF, -INF, NAN], [NAN, INF, NAN]),
        ("mul", [INF, INF, NAN], [0, -1, 0], [NAN, -INF, NAN]),
        (
            "real_div",
            [1, -1, 0, INF, 1, NAN],
            [0, 0, 0, INF, INF, 1],
            [INF, -INF, NAN, NAN, 0, NAN],
        ),
        ("floor_div", [1, -1, 0, INF, 1, -1], [0, 0, 0, 2, INF, INF], [INF, -INF, NAN, NAN, 0, -1]),
        ("mod", [1, 0, INF, 1, -1, NAN], [0, 0, 2, INF, INF, 1], [NAN, NAN, NAN, 1, INF, NAN]),
        ("maximum", [NAN, 1, INF], [1, NAN, 2], [NAN, NAN, INF]),
        ("minimum", [NAN, 1, -INF], [1, NAN, 2], [NAN, NAN, -INF]),
        ("pow", [0, NAN, 0, -8, 2, 1], [0, 0, -1, 1 / 3, INF, NAN], [1, 1, INF, NAN, INF, 1]),
        ("pow", [-2, -2, 1e30], [3, 2, 2], [-8, 4, INF]),
        ("equal", [NAN, INF, 0.0], [NAN, INF, -0.0], [0, 1, 1]),
        ("not_equal", [NAN, INF, 0.0], [NAN, INF, -0.0], [1, 0, 0]),
        ("greater", [NAN, 1, INF], [0, NAN, INF], [0, 0, 0]),
        ("greater_equal", [NAN, 1, INF], [0, NAN, INF], [0, 0, 1]),
        ("less", [NAN, 1, INF], [0, NAN, INF], [0, 0, 0]),
        ("less_equal", [NAN, 1, INF], [0, NAN, INF], [0, 0, 1]),
    ],
)
def test_special_values(name, x, y, expected):
    np.testing.assert_array_equal(call(name, x, y), expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("logical_and", [0, 0, 0, 1]), ("logical_or", [0, 1, 1, 1]), ("logical_xor", [0, 1, 1, 0])],
)
def test_logical(name, expected):
    result = call(name, [0, 0, 1, 1], [0, 1, 0, 1], bool)
    assert result.dtype == bool
    assert result.tolist() == expected


EXACT = {
    "add": python.add,
    "floor_div": python.floordiv,
    "maximum": max,
    "minimum": min,
    "mod": python.mod,
    "mul": python.mul,
    "real_div": python.truediv,
    "sub": python.sub,
    "equal": python.eq,
    "greater": python.gt,
    "greater_equal": python.ge,
    "less": python.lt,
    "less_equal": python.le,
    "not_equal": python.ne,
}
SHAPES = arrays.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=3)
FEW = settings(derandomize=True, max_examples=25, deadline=None)


def elements(x, y, function):
    """`function` of every pair of numbers that broadcasting brings together, in row-major order."""
    shape = np.broadcast(x, y).shape
    x, y = np.broadcast_to(x, shape), np.broadcast_to(y, shape)
    return [function(x[i].item(), y[i].item()) for i in np.ndindex(shape)], shape


@pytest.mark.parametrize("name", EXACT)
@FEW
@given(st.data())
def test_floats_against_fractions(name, data):
    """Each result is the exact one, rounded to float32 once."""
    numbers = st.floats(-100, 100, width=16).filter(lambda v: abs(v) > 1e-3)
    shapes = data.draw(SHAPES).input_shapes
    x, y = (data.draw(arrays.arrays(np.float32, s, elements=numbers)) for s in shapes)
    expected, shape = elements(x, y, lambda a, b: EXACT[name](Fraction(a), Fraction(b)))
    result = operator(name)(x=x, y=y)
    assert result.shape == shape
    assert np.ravel(result).tolist() == np.float32([float(v) for v in expected]).tolist()


@pytest.mark.parametrize("name", [*EXACT, "pow"])
@FEW
@given(st.data())
def test_integers_against_python(name, data):
    """Python's own integers, the quotient cut off, the result wrapped to 32 bits."""
    functions = {**EXACT, "real_div": lambda a, b: math.trunc(Fraction(a, b)), "pow": pow}
    exponents = st.integers(0, 40)
    numbers = st.integers(LOWEST, HIGHEST).filter(bool)
    shapes = data.draw(SHAPES).input_shapes
    x = data.draw(arrays.arrays(np.int32, shapes[0], elements=numbers))
    y_numbers = exponents if name == "pow" else numbers
    y = data.draw(arrays.arrays(np.int32, shapes[1], elements=y_numbers))
    expected, shape = elements(x, y, functions[name])
    dtype = "bool" if name in COMPARISONS else "int32"
    result = evaluate(name, {"x": x, "y": y}, dtype, shape)
    wrapped = [(v - LOWEST) % 2**32 + LOWEST for v in expected]
    assert np.ravel(result).tolist() == (expected if dtype == "bool" else wrapped)


def test_pow_like_torch_in_float64():
    x = np.float32(np.geomspace(1e-3, 1e3, 61))[:, None]
    y = np.float32(np.linspace(-8, 8, 33))
    exact = torch.pow(torch.from_numpy(x).double(), torch.from_numpy(y).double()).numpy()
    error = np.abs(call("pow", x, y) - exact) / np.spacing(np.float32(exact))
    assert np.max(error) <= 4


def test_floor_div_does_not_round_the_quotient():
    assert call("floor_div", 1, 0.1).item() == 9
    assert call("mod", 1, 0.1).item() == pytest.approx(0.1, rel=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("name", ARITHMETIC + COMPARISONS)
def test_like_coremltools(name, dtype):
    x = np.array([[1, 2, 3], [40, -50, 60]], dtype)
    y = np.array([7, 2, 3] if name == "pow" else [7, -2, 3], dtype)
    expected = folded(name, x=x, y=y)
    result = evaluate(name, {"x": x, "y": y}, mil_name(expected), (2, 3))
    if name == "real_div" and dtype == np.int32:
        expected = np.trunc(expected)  # It divides to float64, though it declares int32.
    np.testing.assert_allclose(result, expected, rtol=1e-6)


def mil_name(array):
    if array.dtype == bool:
        return "bool"
    return "fp32" if array.dtype == np.float32 else "int32"


@pytest.mark.parametrize("name", LOGICAL)
def test_logical_like_coremltools(name):
    x, y = np.array([[True], [False]]), np.array([True, False])
    np.testing.assert_array_equal(operator(name)(x=x, y=y), folded(name, x=x, y=y))


def test_saved_programs(tmp_path):
    from coremltools.converters.mil import Builder as mb

    x, y = np.float32([[1.5, -2, 3], [4, 5, -6]]), np.float32([2, -2, 0.5])
    names = ARITHMETIC + COMPARISONS

    def build(x, y):
        results = [getattr(mb, name)(x=x, y=y) for name in names]
        results[len(ARITHMETIC) :] = [
            mb.cast(x=v, dtype="fp32") for v in results[len(ARITHMETIC) :]
        ]
        positive = [mb.greater(x=v, y=0.0) for v in (x, y)]
        for name in LOGICAL:
            result = getattr(mb, name)(x=positive[0], y=positive[1])
            results.append(mb.cast(x=result, dtype="fp32"))
        return results

    outputs = predict(build, {"x": x, "y": y}, tmp_path)
    inputs = [(x, y)] * len(names) + [(x > 0, y > 0)] * len(LOGICAL)
    for name, (a, b), output in zip(names + LOGICAL, inputs, outputs, strict=True):
        np.testing.assert_array_equal(output, operator(name)(x=a, y=b), err_msg=name)


def test_integer_division_saved_and_loaded(tmp_path):
    from coremltools.converters.mil import Builder as mb

    x, y = np.int32([[7, -7, 7], [-7, 1, 0]]), np.int32([2, -2, 0])
    outputs = predict(
        lambda x, y: (mb.real_div(x=x, y=y), mb.floor_div(x=x, y=y), mb.mod(x=x, y=y)),
        {"x": x, "y": y},
        tmp_path,
    )
    assert outputs[0].tolist() == [[3, 3, 0], [-3, 0, 0]]
    assert outputs[1].tolist() == [[3, 3, 0], [-4, -1, 0]]
    assert outputs[2].tolist() == [[1, -1, 0], [1, -1, 0]]


def test_shapes_that_do_not_broadcast_are_an_invalid_model():
    inputs = {"x": np.zeros((2, 3), np.float32), "y": np.zeros(2, np.float32)}
    with pytest.raises(InvalidModel, match="cannot take its inputs"):
        evaluate("add", inputs, "fp32", (2, 3))
