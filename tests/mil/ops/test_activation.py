from __future__ import annotations

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf

from exportcheck.errors import InvalidModel
from tests.mil.support import evaluate, folded, operator, predict

INF, NAN = np.inf, np.nan
X = np.array([[-2.5, -1.0, -0.25, 0.0], [0.5, 1.0, 3.0, 7.5]], np.float32).reshape(1, 2, 4, 1)

# Every operator, with parameters that coremltools accepts for X.
PARAMETERS = [
    ("clamped_relu", {"alpha": 0.5, "beta": 2.0}),
    ("elu", {"alpha": 0.7}),
    ("gelu", {}),
    ("gelu", {"mode": "EXACT"}),
    ("gelu", {"mode": "TANH_APPROXIMATION"}),
    ("gelu", {"mode": "SIGMOID_APPROXIMATION"}),
    ("leaky_relu", {"alpha": 0.1}),
    ("linear_activation", {"alpha": 0.3, "beta": 1.7}),
    ("prelu", {"alpha": [0.1, -2.0]}),
    ("relu", {}),
    ("relu6", {}),
    ("scaled_tanh", {"alpha": 1.7159, "beta": 0.6666}),
    ("sigmoid", {}),
    ("sigmoid_hard", {"alpha": 0.2, "beta": 0.5}),
    ("silu", {}),
    ("softmax", {}),
    ("softmax", {"axis": 1}),
    ("softplus", {}),
    ("softplus_parametric", {"alpha": [0.5, 2.0], "beta": [3.0, -0.5]}),
    ("softsign", {}),
    ("thresholded_relu", {"alpha": 0.4}),
]


def floats(parameters):
    return {
        k: v if isinstance(v, (str, int)) else np.array(v, np.float32)
        for k, v in parameters.items()
    }


def call(name, x, **parameters):
    return operator(name)(x=np.array(x, np.float32), **floats(parameters))


@pytest.mark.parametrize(
    ("name", "parameters", "x", "expected"),
    [
        ("clamped_relu", {"alpha": 2.0, "beta": 1.0}, [-3, -1, 0, 0.5, 4], [-6, -2, 0, 0.5, 1]),
        ("clamped_relu", {"alpha": -2.0, "beta": 3.0}, [-5, -1, 2], [3, 2, 2]),
        ("clamped_relu", {"alpha": 1.0, "beta": -4.0}, [-5, 0, 5], [-5, -4, -4]),
        ("elu", {"alpha": 2.0}, [-1, 0, 3], [-1.2642411, 0, 3]),
        ("gelu", {}, [-1, 0, 1, 2], [-0.15865525, 0, 0.8413447, 1.9544997]),
        ("gelu", {"mode": "TANH_APPROXIMATION"}, [-1, 1], [-0.15880801, 0.841192]),
        ("gelu", {"mode": "SIGMOID_APPROXIMATION"}, [-1, 1], [-0.15420423, 0.8457958]),
        ("leaky_relu", {"alpha": 0.25}, [-4, 0, 4], [-1, 0, 4]),
        ("linear_activation", {"alpha": 2.0, "beta": 3.0}, [-1, 2], [1, 7]),
        ("prelu", {"alpha": [0.5, 2.0]}, [[[-2, 2], [-3, 3]]], [[[-1, 2], [-6, 3]]]),
        ("relu", {}, [-1, 0, 2], [0, 0, 2]),
        ("relu6", {}, [-1, 3, 7], [0, 3, 6]),
        ("scaled_tanh", {"alpha": 2.0, "beta": 0.5}, [-2, 0, 2], [-1.5231883, 0, 1.5231883]),
        ("sigmoid", {}, [-1, 0, 1], [0.26894143, 0.5, 0.7310586]),
        ("sigmoid_hard", {"alpha": 0.25, "beta": 0.5}, [-9, -1, 0, 1, 9], [0, 0.25, 0.5, 0.75, 1]),
        ("silu", {}, [-1, 0, 1], [-0.26894143, 0, 0.7310586]),
        ("softmax", {}, [[0, 0], [0, np.log(3)]], [[0.5, 0.5], [0.25, 0.75]]),
        ("softmax", {"axis": 0}, [[1, 5], [1, 5]], [[0.5, 0.5], [0.5, 0.5]]),
        ("softplus", {}, [-1, 0, 1], [0.3132617, 0.6931472, 1.3132617]),
        (
            "softplus_parametric",
            {"alpha": [1.0, 3.0], "beta": [1.0, 2.0]},
            [[[0, 1], [0, 0.5]]],
            [[[0.6931472, 1.3132617], [2.0794415, 3.9397851]]],
        ),
        ("softsign", {}, [-3, 0, 1], [-0.75, 0, 0.5]),
        ("thresholded_relu", {"alpha": 1.0}, [-1, 0.5, 1, 2], [0, 0, 1, 2]),
        ("thresholded_relu", {"alpha": -1.0}, [-2, -1, -0.5], [0, -1, -0.5]),
    ],
)
def test_worked_by_hand(name, parameters, x, expected):
    np.testing.assert_allclose(call(name, x, **parameters), expected, rtol=3e-7, atol=0)


@pytest.mark.parametrize(
    ("name", "parameters", "low", "high"),
    [
        ("clamped_relu", {"alpha": 2.0, "beta": 1.0}, -INF, 1),
        ("elu", {"alpha": 0.5}, -0.5, INF),
        ("gelu", {"mode": "EXACT"}, NAN, INF),
        ("gelu", {"mode": "TANH_APPROXIMATION"}, NAN, INF),
        ("gelu", {"mode": "SIGMOID_APPROXIMATION"}, NAN, INF),
        ("leaky_relu", {"alpha": 0.5}, -INF, INF),
        ("leaky_relu", {"alpha": 0.0}, NAN, INF),
        ("linear_activation", {"alpha": -1.0, "beta": 1.0}, INF, -INF),
        ("relu", {}, 0, INF),
        ("relu6", {}, 0, 6),
        ("scaled_tanh", {"alpha": 2.0, "beta": 0.5}, -2, 2),
        ("sigmoid", {}, 0, 1),
        ("sigmoid_hard", {"alpha": 0.2, "beta": 0.5}, 0, 1),
        ("silu", {}, NAN, INF),
        ("softplus", {}, 0, INF),
        ("softsign", {}, NAN, NAN),
        ("thresholded_relu", {"alpha": 1.0}, 0, INF),
    ],
)
def test_infinities_and_nan(name, parameters, low, high):
    np.testing.assert_array_equal(
        np.float32(call(name, [-INF, INF, NAN], **parameters)), [low, high, NAN]
    )


def test_infinities_and_nan_by_channel():
    x = [[[-INF, INF, NAN]]]
    np.testing.assert_array_equal(call("prelu", x, alpha=[0.5]), [[[-INF, INF, NAN]]])
    result = call("softplus_parametric", x, alpha=[2.0], beta=[-1.0])
    np.testing.assert_array_equal(result, [[[INF, 0, NAN]]])


def test_softmax_of_special_values():
    x = [[-INF, 0, 0], [-INF, -INF, -INF], [INF, 0, 0], [NAN, 0, 0], [3e38, -3e38, 3e38]]
    expected = [[0, 0.5, 0.5], [NAN] * 3, [NAN] * 3, [NAN] * 3, [0.5, 0, 0.5]]
    np.testing.assert_array_equal(call("softmax", x), expected)


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


def expit(x):
    return 1 / (1 + mpmath.exp(-x))


F = {k: mpf(float(np.float32(k))) for k in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6666, 0.7, 1.7, 1.7159)}
EXACT = {
    "clamped_relu": lambda x: min(mpf(2), x if x >= 0 else x / 2),
    "elu": lambda x: x if x > 0 else F[0.7] * mpmath.expm1(x),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "gelu-EXACT": lambda x: x * mpmath.ncdf(x),
    "gelu-TANH_APPROXIMATION": lambda x: (
        x / 2 * (1 + mpmath.tanh(mpmath.sqrt(2 / mpmath.pi) * (x + mpf("0.044715") * x**3)))
    ),
    "gelu-SIGMOID_APPROXIMATION": lambda x: x * expit(mpf("1.702") * x),
    "leaky_relu": lambda x: x if x >= 0 else F[0.1] * x,
    "relu": lambda x: max(x, mpf(0)),
    "relu6": lambda x: min(max(x, mpf(0)), mpf(6)),
    "scaled_tanh": lambda x: F[1.7159] * mpmath.tanh(F[0.6666] * x),
    "sigmoid": expit,
    "silu": lambda x: x * expit(x),
    "softplus": softplus,
    "softplus_parametric": lambda x: 2 * softplus(x * 3),
    "softsign": lambda x: x / (1 + abs(x)),
    "thresholded_relu": lambda x: x if x >= F[0.4] else mpf(0),
}


@pytest.mark.parametrize("case", EXACT)
def test_every_digit_of_float32_even_in_the_tails(case):
    """At most 4 units in the last place, which is what NumPy's float32 functions promise."""
    name, _, mode = case.partition("-")
    x = np.float32(np.concatenate([np.linspace(-100, 100, 81), [-13.3, -5.1, -1e-3, -1e-6, 1e-6]]))
    parameters = dict(PARAMETERS)[name]
    if name == "gelu":
        parameters = {"mode": mode} if mode else {}
    if name == "softplus_parametric":
        parameters = {"alpha": [2.0], "beta": [3.0]}
    shaped = x.reshape(1, 1, -1) if name == "softplus_parametric" else x
    with mpmath.workdps(60):
        exact = np.array([float(EXACT[case](mpf(float(v)))) for v in x])
    error = np.abs(np.float32(call(name, shaped, **parameters)).ravel() - exact)
    assert np.max(error / np.spacing(np.abs(np.float32(exact)))) <= 4


@pytest.mark.parametrize("name", ["linear_activation", "sigmoid_hard"])
def test_sums_keep_the_digits_of_their_largest_term(name):
    x = np.float32(np.linspace(-20, 20, 1001))
    alpha, beta = np.float32(0.3), np.float32(1.7)
    exact = np.float64(alpha) * x + np.float64(beta)
    exact = np.clip(exact, 0, 1) if name == "sigmoid_hard" else exact
    error = np.abs(call(name, x, alpha=alpha, beta=beta) - exact)
    assert np.all(error <= 2.0**-23 * (np.abs(alpha * x) + beta))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.floats(-60, 60, width=32), min_size=1, max_size=9), st.sampled_from([0, -1]))
def test_softmax_against_exact_sums(row, axis):
    exact = [mpmath.exp(mpf(v)) for v in row]
    exact = [float(e / mpmath.fsum(exact)) for e in exact]
    x = np.array(row, np.float32)
    x = x[:, None] if axis == 0 else x[None]
    np.testing.assert_allclose(np.ravel(call("softmax", x, axis=axis)), exact, rtol=1e-12)


@pytest.mark.parametrize(("name", "parameters"), [case for case in PARAMETERS if case[0] != "silu"])
def test_like_coremltools(name, parameters):
    """It computes all of them itself, `silu` excepted."""
    inputs = floats(parameters)
    # It changes the input of `thresholded_relu`.
    expected = folded(name, x=X.copy(), **inputs)
    np.testing.assert_allclose(operator(name)(x=X, **inputs), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("target", ["iOS15", "iOS18"])
def test_saved_programs(tmp_path, target):
    from coremltools.converters.mil import Builder as mb

    def build(x):
        return [getattr(mb, name)(x=x, **floats(p)) for name, p in PARAMETERS]

    outputs = predict(build, {"x": X}, tmp_path, opset=target)
    for (name, parameters), output in zip(PARAMETERS, outputs, strict=True):
        expected = operator(name)(x=X, **floats(parameters))
        np.testing.assert_array_equal(output, expected.astype(np.float32), err_msg=name)


def test_rank_zero_and_nothing():
    for name in ("relu", "sigmoid", "silu", "gelu", "softplus", "softsign"):
        assert evaluate(name, {"x": np.array(0.5, np.float16)}, "fp16", ()).shape == ()
        assert evaluate(name, {"x": np.zeros((0, 3), np.float32)}, "fp32", (0, 3)).shape == (0, 3)


def test_an_unknown_mode_is_an_invalid_model():
    with pytest.raises(InvalidModel, match="unknown mode 'FAST'"):
        evaluate("gelu", {"x": X, "mode": "FAST"}, "fp32", X.shape)
