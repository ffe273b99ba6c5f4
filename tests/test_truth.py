"""float64 eager, which the verdicts call the truth, held against 60 digits of mpmath.

float64 loses digits too: where a function cancels, and in its tails. It may serve as truth as long
as it is a thousand times nearer to the function than the tolerance it is used with.
"""

from __future__ import annotations

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from exportcheck.compare import TOLERANCES
from exportcheck.subject import subject


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x)) if x < 100 else x + mp.exp(-x)


SELU_ALPHA = mpf("1.6732632423543772848170429916717")
SELU_SCALE = mpf("1.0507009873554804934193349852946")

FUNCTIONS = {
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * mp.tanh(softplus(x)),
    "gelu": lambda x: x * mp.ncdf(x),
    "gelu-tanh": lambda x: x / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (x + mpf("0.044715") * x**3))),
    "gelu-quick": lambda x: x * sigmoid(mpf("1.702") * x),
    "tanh": mp.tanh,
    "tanhshrink": lambda x: x - mp.tanh(x),
    "logsigmoid": lambda x: -softplus(-x),
    "softplus": lambda x: x if x > 20 else softplus(x),
    "softsign": lambda x: x / (1 + abs(x)),
    "elu": lambda x: x if x > 0 else mp.expm1(x),
    "celu-alpha0.5": lambda x: x if x > 0 else mp.expm1(2 * x) / 2,
    "selu": lambda x: SELU_SCALE * (x if x > 0 else SELU_ALPHA * mp.expm1(x)),
    "hardswish": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "hardsigmoid": lambda x: min(max(x + 3, mpf(0)), mpf(6)) / 6,
    "snake": lambda x: x + mp.sin(x) ** 2,
    "squareplus": lambda x: (x + mp.sqrt(x * x + 4)) / 2,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("inputs", ["grid", "knees", "tails"])
def test_float64_is_near_enough_to_be_called_the_truth(name, inputs):
    what = subject(name, "bare")
    given = next(c for c in what.inputs("float32") if c.name == inputs).values.ravel()
    truth = what.expected("float32")[inputs].truth[0].ravel()
    tolerance = TOLERANCES["float32", "bare"]
    for i in np.unique(np.linspace(0, given.size - 1, 97).astype(int)):
        with mpmath.workdps(60):
            x = mpf(float(given[i]))
            exact = FUNCTIONS[name](x)
            allowed = tolerance.rtol * abs(exact) + tolerance.atol * max(1, abs(x))
            assert abs(mpf(float(truth[i])) - exact) <= allowed / 1000, float(x)
