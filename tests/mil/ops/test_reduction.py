from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import logsumexp

from exportcheck.errors import InvalidModel
from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
LOWEST, HIGHEST = -(2**31), 2**31 - 1
X = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
OVER_AXES = [
    "reduce_l1_norm",
    "reduce_l2_norm",
    "reduce_log_sum",
    "reduce_log_sum_exp",
    "reduce_max",
    "reduce_mean",
    "reduce_min",
    "reduce_prod",
    "reduce_sum",
    "reduce_sum_square",
]


def call(name, x, **parameters):
    return operator(name)(x=np.array(x, np.float32), **parameters)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reduce_argmax", [0, 2]),
        ("reduce_argmin", [1, 0]),
        ("reduce_l1_norm", [6, 12]),
        ("reduce_l2_norm", [np.sqrt(14), np.sqrt(50)]),
        ("reduce_log_sum", [np.log(2), np.log(12)]),
        ("reduce_log_sum_exp", [3.1328452, 5.4076059]),
        ("reduce_max", [3, 5]),
        ("reduce_mean", [2 / 3, 4]),
        ("reduce_min", [-2, 3]),
        ("reduce_prod", [-6, 60]),
        ("reduce_sum", [2, 12]),
        ("reduce_sum_square", [14, 50]),
    ],
)
def test_worked_by_hand(name, expected):
    axis = {"axis": 1} if "arg" in name else {"axes": np.array([1], np.int32)}
    np.testing.assert_allclose(call(name, [[3, -2, 1], [3, 4, 5]], **axis), expected, rtol=1e-7)


@pytest.mark.parametrize(
    ("axes", "keep_dims", "expected"),
    [
        (None, False, 21),
        (None, True, [[21]]),
        ([0, 1], False, 21),
        ([-1, 0], False, 21),
        ([0], False, [5, 7, 9]),
        ([-2], True, [[5, 7, 9]]),
        ([1], True, [[6], [15]]),
        ([], False, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_axes(axes, keep_dims, expected):
    parameters = {} if axes is None else {"axes": np.array(axes, np.int32)}
    result = call("reduce_sum", X, keep_dims=np.array(keep_dims), **parameters)
    assert np.asarray(result).tolist() == expected


@pytest.mark.parametrize(
    ("axis", "keep_dims", "largest", "smallest"),
    [
        (-1, False, [2, 2], [0, 0]),
        (1, True, [[2], [2]], [[0], [0]]),
        (0, False, [1, 1, 1], [0, 0, 0]),
        (-2, True, [[1, 1, 1]], [[0, 0, 0]]),
    ],
)
def test_axis_of_an_index(axis, keep_dims, largest, smallest):
    parameters = {"axis": np.array(axis, np.int32), "keep_dims": np.array(keep_dims)}
    assert call("reduce_argmax", X, **parameters).tolist() == largest
    assert call("reduce_argmin", X, **parameters).tolist() == smallest


def test_index_of_ties_and_nan():
    x = [[5, 5, 1, 1], [0, NAN, NAN, 9], [-INF, INF, INF, -INF]]
    assert call("reduce_argmax", x).tolist() == [0, 1, 1]
    assert call("reduce_argmin", x).tolist() == [2, 1, 0]


@pytest.mark.parametrize(("dtype", "numpy_dtype"), [("int32", np.int32), ("uint16", np.uint16)])
def test_index_in_its_declared_type(dtype, numpy_dtype):
    result = evaluate("reduce_argmax", {"x": X, "output_dtype": dtype}, dtype, (2,))
    assert result.dtype == numpy_dtype
    assert result.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reduce_l1_norm", [INF, INF, NAN, 0]),
        ("reduce_l2_norm", [INF, INF, NAN, 0]),
        ("reduce_log_sum", [INF, NAN, NAN, -INF]),
        ("reduce_log_sum_exp", [INF, INF, NAN, -INF]),
        ("reduce_mean", [INF, NAN, NAN, NAN]),
        ("reduce_prod", [INF, -INF, NAN, 1]),
        ("reduce_sum", [INF, NAN, NAN, 0]),
        ("reduce_sum_square", [INF, INF, NAN, 0]),
        ("reduce_max", [INF, INF, NAN]),
        ("reduce_min", [1, -INF, NAN]),
    ],
)
def test_special_values_and_nothing(name, expected):
    rows = [[INF, 1], [INF, -INF], [NAN, INF], []][: len(expected)]
    assert_equal = np.testing.assert_array_equal
    assert_equal([call(name, r, axes=np.array([0])) for r in rows], np.float64(expected))


@pytest.mark.parametrize("name", ["reduce_max", "reduce_min", "reduce_argmax", "reduce_argmin"])
def test_no_largest_element_of_nothing(name):
    shape = (2,) if "arg" in name else ()
    with pytest.raises(InvalidModel, match="cannot take its inputs"):
        evaluate(name, {"x": np.zeros((2, 0), np.float32)}, "fp32", shape)


def test_log_sum_exp_of_infinities():
    rows = [[-INF, -INF], [-INF, 2], [INF, 1000]]
    result = call("reduce_log_sum_exp", rows, axes=np.array([1]))
    np.testing.assert_array_equal(result, [-INF, 2, INF])


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("reduce_mean", [-3, 0], -1),
        ("reduce_mean", [HIGHEST, HIGHEST], HIGHEST),
        ("reduce_l1_norm", [LOWEST + 1, 0], HIGHEST),
        ("reduce_l2_norm", [60000, 80000], 100000),
        ("reduce_l2_norm", [1, 1], 1),
        ("reduce_log_sum", [5, 6], 2),
        ("reduce_log_sum_exp", [5, 5], 5),
        ("reduce_max", [HIGHEST, -1], HIGHEST),
        ("reduce_min", [LOWEST, -1], LOWEST),
        ("reduce_prod", [65536, 65537], 65536),
        ("reduce_sum", [HIGHEST, 1], LOWEST),
        ("reduce_sum_square", [46341], 46341**2 - 2**32),
    ],
)
def test_integers(name, x, expected):
    result = evaluate(name, {"x": np.array(x, np.int32)}, "int32", ())
    assert result.dtype == np.int32
    assert result.item() == expected


def log_sum_exp(numbers):
    return mpmath.log(mpmath.fsum(mpmath.exp(float(v)) for v in numbers))


EXACT = {
    "reduce_l1_norm": lambda v: sum(map(abs, v)),
    "reduce_l2_norm": lambda v: mpmath.sqrt(mpmath.mpf(float(sum(n * n for n in v)))),
    "reduce_log_sum_exp": log_sum_exp,
    "reduce_max": max,
    "reduce_mean": lambda v: sum(v) / len(v),
    "reduce_min": min,
    "reduce_prod": math.prod,
    "reduce_sum": sum,
    "reduce_sum_square": lambda v: sum(n * n for n in v),
}


@pytest.mark.parametrize("name", EXACT)
@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.data())
def test_any_axes_against_exact_numbers(name, data):
    """Each result is the exact one, rounded to float32 once; which elements it is of is redone."""
    shape = data.draw(arrays.array_shapes(max_dims=4, max_side=3))
    numbers = st.floats(-8, 8, width=16)
    x = data.draw(arrays.arrays(np.float32, shape, elements=numbers))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1).map(sorted))
    keep_dims = data.draw(st.booleans())

    groups = {}
    for index in np.ndindex(shape):
        rest = tuple(0 if axis in axes else i for axis, i in enumerate(index))
        groups.setdefault(rest, []).append(Fraction(x[index].item()))
    kept = [1 if axis in axes else size for axis, size in enumerate(shape)]
    expected = [float(EXACT[name](groups[index])) for index in np.ndindex(*kept)]
    if not keep_dims:
        kept = [size for axis, size in enumerate(shape) if axis not in axes]

    signed = [a - len(shape) if data.draw(st.booleans()) else a for a in axes]
    inputs = {"x": x, "axes": np.array(signed, np.int32), "keep_dims": np.array(keep_dims)}
    result = evaluate(name, inputs, "fp32", kept)
    assert np.ravel(result).tolist() == np.float32(expected).tolist()


@pytest.mark.parametrize("axis", [0, 1])
def test_a_long_sum_loses_nothing(axis):
    """One after the other in float32, 0.1 would add up to 9998.557 here."""
    x = np.full((100_000, 2), 0.1, np.float32)
    result = call("reduce_sum", x.T if axis else x, axes=np.array([axis]))
    assert np.float32(result).tolist() == [np.float32(np.float64(np.float32(0.1)) * 100_000)] * 2
    assert np.float32(call("reduce_mean", x)) == np.float32(0.1)


def test_log_sum_exp_like_scipy_in_float64():
    x = np.float32(np.random.default_rng(0).normal(0, 40, (50, 20)))
    result = call("reduce_log_sum_exp", x, axes=np.array([1]))
    np.testing.assert_allclose(result, logsumexp(np.float64(x), axis=1), rtol=1e-14)


def test_squares_do_not_overflow():
    assert np.float32(call("reduce_l2_norm", [3e30, 4e30])) == np.float32(5e30)


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
@pytest.mark.parametrize("axes", [None, [0], [-1], [0, 1]])
@pytest.mark.parametrize("name", OVER_AXES)
def test_like_coremltools(name, axes, dtype):
    parameters = {} if axes is None else {"axes": np.array(axes, np.int32)}
    inputs = {"x": X.astype(dtype), **parameters}
    expected = np.asarray(folded(name, **inputs))
    declared = "int32" if dtype == np.int32 else "fp32"
    result = evaluate(name, inputs, declared, expected.shape)
    np.testing.assert_allclose(result, expected, rtol=1e-6)


@pytest.mark.parametrize("name", ["reduce_argmax", "reduce_argmin"])
@pytest.mark.parametrize("keep_dims", [False, True])
def test_index_like_coremltools(name, keep_dims):
    x = np.random.default_rng(1).normal(size=(3, 4, 5)).astype(np.float32)
    for axis in (-3, 1, 2):
        parameters = {"axis": axis, "keep_dims": keep_dims}
        np.testing.assert_array_equal(
            operator(name)(x=x, **parameters), folded(name, x=x, **parameters)
        )


@pytest.mark.parametrize("target", ["iOS15", "iOS18"])
def test_saved_programs(tmp_path, target):
    from coremltools.converters.mil import Builder as mb

    variants = [{}, {"axes": [1], "keep_dims": True}, {"axes": [0, -1]}]

    def build(x):
        results = [getattr(mb, name)(x=x, **p) for name in OVER_AXES for p in variants]
        return [*results, mb.reduce_argmax(x=x, axis=0), mb.reduce_argmin(x=x)]

    outputs = predict(build, {"x": X}, tmp_path, opset=target)
    cases = [(name, p) for name in OVER_AXES for p in variants]
    for (name, parameters), output in zip(cases, outputs[:-2], strict=True):
        expected = np.atleast_1d(operator(name)(x=X, **parameters)).astype(np.float32)
        np.testing.assert_array_equal(output, expected, err_msg=name)
    assert [output.tolist() for output in outputs[-2:]] == [[1, 1, 1], [0, 0]]


def test_empty_axes_reduce_nothing_as_coremltools_declares(tmp_path):
    from coremltools.converters.mil import Builder as mb

    (output,) = predict(
        lambda x: mb.reduce_sum(x=x, axes=np.zeros(0, np.int32)), {"x": X}, tmp_path
    )
    assert output.tolist() == X.tolist()
