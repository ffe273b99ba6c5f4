"""All 65536 float16 numbers through each elementwise operator of one input.

What is right is the exact value rounded to float16 once; torch's float64 stands for the exact one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.mil.support import evaluate

EVERY = np.arange(2**16, dtype=np.uint16).view(np.float16)
DOUBLE = torch.from_numpy(EVERY.astype(np.float64))
HALF = np.float16

# Parameters of a formula are the float16 numbers that the program holds.
TENTH, THIRD, SIXTH = (float(HALF(v)) for v in (0.1, 1 / 3, 1 / 6))
EPSILON = float(HALF(1e-4))

# Exact: either computed in float64, or float32 rounded to float16 cannot differ from the exact
# value rounded to float16 (selections; products and sums of two float16; the square root).
EXACT = [
    ("abs", {}, torch.abs),
    ("ceil", {}, torch.ceil),
    ("clamped_relu", {"alpha": TENTH, "beta": 3.5}, lambda x: leaky(x).clamp(max=3.5)),
    ("clip", {"alpha": -1.5, "beta": 3.5}, lambda x: x.clamp(-1.5, 3.5)),
    ("floor", {}, torch.floor),
    ("gelu", {"mode": "EXACT"}, lambda x: x / 2 * torch.erfc(-x / math.sqrt(2))),
    (
        "gelu",
        {"mode": "TANH_APPROXIMATION"},
        lambda x: x / 2 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    ),
    ("gelu", {"mode": "SIGMOID_APPROXIMATION"}, lambda x: x * torch.sigmoid(1.702 * x)),
    ("leaky_relu", {"alpha": TENTH}, lambda x: leaky(x)),
    ("relu", {}, torch.relu),
    ("relu6", {}, functional.relu6),
    ("round", {}, torch.round),
    ("sigmoid", {}, torch.sigmoid),
    ("sign", {}, lambda x: torch.where(x.isnan(), x, torch.sign(x))),
    ("silu", {}, lambda x: x * torch.sigmoid(x)),
    ("sqrt", {}, torch.sqrt),
    ("square", {}, torch.square),
    ("threshold", {"alpha": 0.5}, lambda x: x.clamp(min=0.5)),
    ("thresholded_relu", {"alpha": 0.5}, lambda x: torch.where(x < 0.5, 0.0, x)),
]

# Computed in float32 by NumPy, then rounded to float16: two roundings, which differ from the one
# where the exact value lies so close to the middle between two float16 numbers that the error of
# float32 crosses it. Then the other neighbour comes out, one unit in the last place away.
ROUNDED_TWICE = [
    ("acos", {}, torch.acos),
    ("asin", {}, torch.asin),
    ("atan", {}, torch.atan),
    ("atanh", {}, torch.atanh),
    ("cos", {}, torch.cos),
    ("cosh", {}, torch.cosh),
    ("elu", {"alpha": TENTH}, lambda x: functional.elu(x, TENTH)),
    ("erf", {}, torch.erf),
    ("exp", {}, torch.exp),
    ("exp2", {}, torch.exp2),
    ("inverse", {"epsilon": EPSILON}, lambda x: 1 / (x + EPSILON)),
    ("linear_activation", {"alpha": TENTH, "beta": THIRD}, lambda x: TENTH * x + THIRD),
    ("log", {"epsilon": 0.0}, torch.log),
    ("rsqrt", {"epsilon": EPSILON}, lambda x: torch.rsqrt(x + EPSILON)),
    ("scaled_tanh", {"alpha": 1.75, "beta": THIRD}, lambda x: 1.75 * torch.tanh(THIRD * x)),
    ("sigmoid_hard", {"alpha": SIXTH, "beta": 0.5}, lambda x: (SIXTH * x + 0.5).clamp(0, 1)),
    ("sin", {}, torch.sin),
    ("sinh", {}, torch.sinh),
    ("softplus", {}, lambda x: torch.logaddexp(x, torch.zeros_like(x))),
    ("softsign", {}, lambda x: x / (1 + x.abs())),
    ("tan", {}, torch.tan),
    ("tanh", {}, torch.tanh),
]


def leaky(x):
    return functional.leaky_relu(x, TENTH)


def ids(cases):
    return [p.get("mode", name) for name, p, _ in cases]


def run(name, parameters, precision="strict"):
    given = {k: v if isinstance(v, str) else np.array(v, HALF) for k, v in parameters.items()}
    return evaluate(name, {"x": EVERY, **given}, "fp16", EVERY.shape, precision)


@pytest.mark.parametrize(("name", "parameters", "formula"), EXACT, ids=ids(EXACT))
def test_exact(name, parameters, formula):
    result = run(name, parameters)
    assert result.dtype == HALF
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(result, formula(DOUBLE).numpy().astype(HALF))


@pytest.mark.parametrize(("name", "parameters", "formula"), ROUNDED_TWICE, ids=ids(ROUNDED_TWICE))
def test_exact_but_for_the_second_rounding(name, parameters, formula):
    """At most one unit off, and only where 2^-21 of the value decides: 8 roundings of float32."""
    result, exact = run(name, parameters), formula(DOUBLE).numpy()
    assert result.dtype == HALF
    with np.errstate(over="ignore"):
        right = exact.astype(HALF)
    np.testing.assert_array_equal(np.isnan(result), np.isnan(right))
    off = (result != right) & ~np.isnan(right)
    assert np.all(np.abs(place(result[off]) - place(right[off])) == 1)
    middle = (finite(result[off]) + finite(right[off])) / 2
    assert np.all(np.abs(exact[off] - middle) <= 2.0**-21 * np.abs(middle))


def place(x):
    """The position of float16 numbers in their order, -0 and 0 at the same."""
    bits = x.view(np.int16).astype(np.int32)
    return np.where(bits < 0, -(bits & 0x7FFF), bits)


def finite(x):
    """Float16 as float64, infinity as the number that would come next."""
    return np.nan_to_num(x.astype(np.float64), posinf=2.0**16, neginf=-(2.0**16))


def test_wide_keeps_float32_between_operators():
    result = run("sigmoid", {}, "wide")
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, torch.sigmoid(DOUBLE).numpy().astype(np.float32))
