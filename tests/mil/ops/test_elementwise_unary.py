from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mpf

from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
LOWEST, HIGHEST = -(2**31), 2**31 - 1
UNIT = np.array([[-0.75, -0.25, 0.0], [0.25, 0.5, 0.9]], np.float32)
ANY = np.array([[-3.5, -1.5, -0.5], [0.5, 1.5, 2.25]], np.float32)
POSITIVE = np.array([[0.01, 0.5, 1.0], [2.0, 9.0, 1e6]], np.float32)

# Every operator of floats, an input, and parameters in float32.
CASES = [
    ("abs", ANY, {}),
    ("acos", UNIT, {}),
    ("asin", UNIT, {}),
    ("atan", ANY, {}),
    ("atanh", UNIT, {}),
    ("ceil", ANY, {}),
    ("clip", ANY, {"alpha": np.float32(-1.25), "beta": np.float32(1.75)}),
    ("cos", ANY, {}),
    ("cosh", ANY, {}),
    ("erf", ANY, {}),
    ("exp", ANY, {}),
    ("exp2", ANY, {}),
    ("floor", ANY, {}),
    ("inverse", ANY, {}),
    ("inverse", ANY, {"epsilon": np.float32(0.125)}),
    ("log", POSITIVE, {}),
    ("log", POSITIVE, {"epsilon": np.float32(0.125)}),
    ("round", ANY, {}),
    ("rsqrt", POSITIVE, {}),
    ("rsqrt", POSITIVE, {"epsilon": np.float32(0.125)}),
    ("sign", ANY, {}),
    ("sin", ANY, {}),
    ("sinh", ANY, {}),
    ("sqrt", POSITIVE, {}),
    ("square", ANY, {}),
    ("tan", ANY, {}),
    ("tanh", ANY, {}),
    ("threshold", ANY, {"alpha": np.float32(0.75)}),
]


def call(name, x, dtype=np.float32, **parameters):
    parameters = {k: np.array(v, dtype) for k, v in parameters.items()}
    return operator(name)(x=np.array(x, dtype), **parameters)


@pytest.mark.parametrize(
    ("name", "parameters", "x", "expected"),
    [
        ("abs", {}, [-2.5, -0.0, 3], [2.5, 0, 3]),
        ("acos", {}, [-1, 0, 0.5, 1], [np.pi, np.pi / 2, np.pi / 3, 0]),
        ("asin", {}, [-1, 0, 0.5], [-np.pi / 2, 0, np.pi / 6]),
        ("atan", {}, [-1, 0, 1], [-np.pi / 4, 0, np.pi / 4]),
        ("atanh", {}, [0, 0.6, -0.8], [0, np.log(2), -np.log(3)]),
        ("ceil", {}, [-1.2, 0.2, 2], [-1, 1, 2]),
        ("clip", {"alpha": 0, "beta": 5}, [-1, 2, 7], [0, 2, 5]),
        ("clip", {"alpha": 5, "beta": 0}, [-1, 2, 7], [0, 0, 0]),
        ("cos", {}, [0, np.pi / 3], [1, 0.5]),
        ("cosh", {}, [0, np.log(2)], [1, 1.25]),
        ("erf", {}, [0, 0.5, -0.5], [0, 0.5204999, -0.5204999]),
        ("exp", {}, [0, 1, np.log(5)], [1, np.e, 5]),
        ("exp2", {}, [-1, 0, 0.5, 10], [0.5, 1, np.sqrt(2), 1024]),
        ("floor", {}, [-1.2, 0.2, 2], [-2, 0, 2]),
        ("inverse", {"epsilon": 0}, [-4, 0.5], [-0.25, 2]),
        ("inverse", {"epsilon": 1}, [0, 3], [1, 0.25]),
        ("inverse", {}, [0], [1e4]),
        ("log", {"epsilon": 0}, [1, np.e], [0, 1]),
        ("log", {"epsilon": 1}, [0, 1], [0, np.log(2)]),
        ("log", {}, [0], [-149 * np.log(2)]),
        ("round", {}, [-2.5, -1.5, -0.2, 0.5, 1.5, 2.6], [-2, -2, 0, 0, 2, 3]),
        ("rsqrt", {"epsilon": 0}, [4, 0.25], [0.5, 2]),
        ("rsqrt", {"epsilon": 1}, [0, 3], [1, 0.5]),
        ("rsqrt", {}, [0], [1e6]),
        ("sign", {}, [-3, 0, 0.1], [-1, 0, 1]),
        ("sin", {}, [0, np.pi / 6], [0, 0.5]),
        ("sinh", {}, [0, np.log(2)], [0, 0.75]),
        ("sqrt", {}, [0, 2.25], [0, 1.5]),
        ("square", {}, [-3, 0.5], [9, 0.25]),
        ("tan", {}, [0, np.pi / 4], [0, 1]),
        ("tanh", {}, [0, np.log(2)], [0, 0.6]),
        ("threshold", {"alpha": 1}, [-1, 0.5, 2], [1, 1, 2]),
    ],
)
def test_worked_by_hand(name, parameters, x, expected):
    np.testing.assert_allclose(call(name, x, **parameters), expected, rtol=4e-7, atol=0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("abs", [INF, INF, 2, 0]),
        ("acos", [NAN, NAN, NAN, np.pi / 2]),
        ("asin", [NAN, NAN, NAN, 0]),
        ("atan", [-np.pi / 2, np.pi / 2, -np.arctan(2), 0]),
        ("atanh", [NAN, NAN, NAN, 0]),
        ("ceil", [-INF, INF, -2, 0]),
        ("cos", [NAN, NAN, np.cos(2), 1]),
        ("cosh", [INF, INF, np.cosh(2), 1]),
        ("erf", [-1, 1, -0.9953222, 0]),
        ("exp", [0, INF, np.exp(-2), 1]),
        ("exp2", [0, INF, 0.25, 1]),
        ("floor", [-INF, INF, -2, 0]),
        ("inverse", [0, 0, -0.5, INF]),
        ("log", [NAN, INF, NAN, -INF]),
        ("round", [-INF, INF, -2, 0]),
        ("rsqrt", [NAN, 0, NAN, INF]),
        ("sign", [-1, 1, -1, 0]),
        ("sin", [NAN, NAN, -np.sin(2), 0]),
        ("sinh", [-INF, INF, -np.sinh(2), 0]),
        ("sqrt", [NAN, INF, NAN, 0]),
        ("square", [INF, INF, 4, 0]),
        ("tan", [NAN, NAN, -np.tan(2), 0]),
        ("tanh", [-1, 1, -np.tanh(2), 0]),
    ],
)
def test_special_values(name, expected):
    parameters = {"epsilon": 0} if name in ("inverse", "log", "rsqrt") else {}
    result = call(name, [-INF, INF, -2, 0, NAN], **parameters)
    np.testing.assert_allclose(result, [*expected, NAN], rtol=4e-7)


def test_poles_and_bounds():
    np.testing.assert_array_equal(call("atanh", [-1, 1]), [-INF, INF])
    np.testing.assert_array_equal(
        call("clip", [-INF, INF, NAN], alpha=-1, beta=2), [-1.0, 2.0, NAN]
    )
    np.testing.assert_array_equal(call("threshold", [-INF, INF, NAN], alpha=1), [1.0, INF, NAN])


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("abs", [-3, 0, LOWEST], [3, 0, LOWEST]),
        ("exp2", [-1, 0, 10, 31, 1000], [0, 1, 1024, HIGHEST, HIGHEST]),
        ("sign", [-7, 0, 7], [-1, 0, 1]),
        ("square", [-3, 65536, 46341], [9, 0, 46341**2 - 2**32]),
        ("threshold", [-5, 2, 9], [2, 2, 9]),
    ],
)
def test_integers(name, x, expected):
    inputs = {"x": np.array(x, np.int32)}
    if name == "threshold":
        inputs["alpha"] = np.array(2, np.int32)
    result = evaluate(name, inputs, "int32", (len(x),))
    assert result.dtype == np.int32
    assert result.tolist() == expected


@pytest.mark.parametrize(
    ("x", "dtype", "expected"),
    [
        (np.float32([-1.9, -0.5, 0.5, 1.9]), "int32", [-1, 0, 0, 1]),
        (np.float32([1e10, -1e10, INF, -INF, NAN]), "int32", [HIGHEST, LOWEST, HIGHEST, LOWEST, 0]),
        (np.float32([-3, 255.9, 256, 7.5]), "uint8", [0, 255, 255, 7]),
        (np.float32([-129, 127.9, 128]), "int8", [-128, 127, 127]),
        (np.float32([-1, 65535, 7e4]), "uint16", [0, 65535, 65535]),
        (np.float32([-4e4, 4e4]), "int16", [-32768, 32767]),
        (np.float16([0.3, -0.0, NAN, 2]), "bool", [True, False, True, True]),
        (np.int32([-1, 0, 5]), "bool", [True, False, True]),
        (np.int32([-1, 256, 300]), "uint8", [255, 0, 44]),
        (np.array([True, False]), "int32", [1, 0]),
        (np.array([True, False]), "fp16", [1, 0]),
        (np.int32([2049, 70000]), "fp16", [2048, INF]),
        (np.float32([2.0**-25, 65519, 65520]), "fp16", [0, 65504, INF]),
        (np.int32([2**24 + 1]), "fp32", [2**24]),
    ],
)
def test_cast(x, dtype, expected):
    inputs = {"x": x, "dtype": dtype}
    assert evaluate("cast", inputs, dtype, x.shape).tolist() == expected


def test_logical_not():
    assert operator("logical_not")(x=np.array([[True], [False]])).tolist() == [[False], [True]]


EXACT = {
    "acos": (mpmath.acos, np.linspace(-1, 1, 83)),
    "asin": (mpmath.asin, np.linspace(-1, 1, 83)),
    "atan": (mpmath.atan, np.linspace(-50, 50, 83)),
    "atanh": (mpmath.atanh, np.linspace(-0.999, 0.999, 83)),
    "cos": (mpmath.cos, np.linspace(-1000, 1000, 83)),
    "cosh": (mpmath.cosh, np.linspace(-89, 89, 83)),
    "erf": (mpmath.erf, np.linspace(-5, 5, 83)),
    "exp": (mpmath.exp, np.linspace(-87, 88, 83)),
    "exp2": (lambda x: mpf(2) ** x, np.linspace(-126, 127, 83)),
    "inverse": (lambda x: 1 / (x + mpf("1e-4")), np.linspace(-9, 9, 82)),
    "log": (mpmath.log, np.geomspace(1e-38, 1e38, 83)),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x + mpf("1e-12")), np.geomspace(1e-20, 1e38, 83)),
    "sin": (mpmath.sin, np.linspace(-1000, 1000, 83)),
    "sinh": (mpmath.sinh, np.linspace(-89, 89, 83)),
    "sqrt": (mpmath.sqrt, np.geomspace(1e-38, 1e38, 83)),
    "tan": (mpmath.tan, np.linspace(-1000, 1000, 83)),
    "tanh": (mpmath.tanh, np.linspace(-20, 20, 83)),
}


@pytest.mark.parametrize("name", EXACT)
def test_every_digit_of_float32(name):
    """At most 4 units in the last place, which is what NumPy's float32 functions promise."""
    formula, x = EXACT[name]
    x = np.float32(np.concatenate([x, [1e-4]]))
    with mpmath.workdps(60):
        exact = np.array([float(formula(mpf(float(v)))) for v in x])
    error = np.abs(call(name, x) - exact) / np.spacing(np.abs(np.float32(exact)))
    assert np.max(error) <= 4


@pytest.mark.parametrize(("name", "x", "parameters"), CASES)
def test_like_coremltools(name, x, parameters):
    expected = folded(name, x=x, **parameters)
    np.testing.assert_allclose(operator(name)(x=x, **parameters), expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("target", ["iOS15", "iOS18"])
def test_saved_programs(tmp_path, target):
    """Names and defaults as coremltools writes them, int8 from iOS17 on."""
    from coremltools.converters.mil import Builder as mb

    small = "int8" if target == "iOS18" else "int32"

    def build(unit, anything, positive):
        inputs = {id(UNIT): unit, id(ANY): anything, id(POSITIVE): positive}
        results = [getattr(mb, name)(x=inputs[id(x)], **p) for name, x, p in CASES]
        truth = mb.cast(x=mb.round(x=unit), dtype="bool")
        results.append(mb.cast(x=mb.logical_not(x=truth), dtype="fp32"))
        results.append(mb.cast(x=mb.cast(x=anything, dtype=small), dtype="fp32"))
        return results

    inputs = {"unit": UNIT, "anything": ANY, "positive": POSITIVE}
    *outputs, negated, whole = predict(build, inputs, tmp_path, opset=target)
    for (name, x, parameters), output in zip(CASES, outputs, strict=True):
        expected = operator(name)(x=x, **parameters)
        np.testing.assert_array_equal(output, expected.astype(np.float32), err_msg=name)
    np.testing.assert_array_equal(negated, [[0, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(whole, [[-3, -1, 0], [0, 1, 2]])
