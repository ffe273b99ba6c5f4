"""Every form against the native one or, where there is none, against its formula in NumPy."""

from __future__ import annotations

import inspect
import io
import math

import numpy as np
import pytest
import torch
from scipy.special import expit, ndtr
from torch import nn
from torch.autograd import gradcheck
from torch.autograd.graph import saved_tensors_hooks

from exportcheck import forms

pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")

DTYPES = {torch.float32: np.float32, torch.float64: np.float64}

# Forms with a native class, by a name for the test: both built anew, for some hold parameters.
NATIVE = {
    "silu-sigmoid": (forms.SiLUSigmoid, nn.SiLU),
    "silu-memory-efficient": (forms.MemoryEfficientSiLU, nn.SiLU),
    "hardswish-hardsigmoid": (forms.HardswishHardsigmoid, nn.Hardswish),
    "hardswish-hardtanh": (forms.HardswishHardtanh, nn.Hardswish),
    "hardswish-hardtanh-inplace": (lambda: forms.HardswishHardtanh(inplace=True), nn.Hardswish),
    "hardswish-hardtanh-static": (forms.HardswishStatic, nn.Hardswish),
    "hardswish-relu6": (forms.HardswishReLU6, nn.Hardswish),
    "hardsigmoid-relu6": (forms.HardsigmoidReLU6, nn.Hardsigmoid),
    "mish-softplus": (forms.MishSoftplus, nn.Mish),
    "mish-memory-efficient": (forms.MemoryEfficientMish, nn.Mish),
    "gelu-tanh": (forms.GELUTanh, lambda: nn.GELU(approximate="tanh")),
    "logsigmoid-softplus": (forms.LogSigmoidSoftplus, nn.LogSigmoid),
    "logsigmoid-stable": (forms.LogSigmoidStable, nn.LogSigmoid),
    "softplus": (forms.SoftplusWhere, nn.Softplus),
    "softplus-beta2-threshold10": (
        lambda: forms.SoftplusWhere(2.0, 10.0),
        lambda: nn.Softplus(2.0, 10.0),
    ),
    "softplus-threshold1": (
        lambda: forms.SoftplusWhere(threshold=1.0),
        lambda: nn.Softplus(threshold=1.0),
    ),
    "celu": (forms.CELUElu, nn.CELU),
    "celu-alpha0.5": (lambda: forms.CELUElu(0.5), lambda: nn.CELU(0.5)),
    "threshold": (lambda: forms.ThresholdWhere(0.1, 20), lambda: nn.Threshold(0.1, 20)),
    "softshrink": (forms.SoftshrinkClamp, nn.Softshrink),
    "softshrink-2": (lambda: forms.SoftshrinkClamp(2.0), lambda: nn.Softshrink(2.0)),
    "hardshrink": (forms.HardshrinkWhere, nn.Hardshrink),
    "hardshrink-2": (lambda: forms.HardshrinkWhere(2.0), lambda: nn.Hardshrink(2.0)),
    "rrelu": (forms.RReLULeakyReLU, lambda: nn.RReLU().eval()),
    "rrelu-0.2-0.4": (
        lambda: forms.RReLULeakyReLU(0.2, 0.4),
        lambda: nn.RReLU(0.2, 0.4).eval(),
    ),
    "prelu": (forms.PReLURelu, nn.PReLU),
}

# Units in the last place that a form may be off; those not named here are bit for bit the native.
# Each is what was seen, doubled, since exp and tanh of other machines round in other places.
ULPS = {
    "silu-sigmoid": 4,  # a sigmoid rounded, then multiplied
    "silu-memory-efficient": 4,
    "hardswish-hardsigmoid": 4,  # divides before it multiplies
    "mish-softplus": 4,  # softplus, tanh and product each round
    "mish-memory-efficient": 4,
}

# The same in epsilons * max(1, |x|), where one side loses the digits of a tail.
EPSILONS = {
    "gelu-tanh": 4,  # the native 1 + tanh(u) cancels below -5
    "logsigmoid-stable": 4,  # log(1 + y) cancels above 0
    "logsigmoid-softplus": 4,
}


def around(dtype):
    """Every place where some law here changes, with 64 numbers to either side."""
    points = []
    for knee in (0, -3, 3, -6, 6, -0.5, 0.5, -2, 2, 0.1, 1, -1, 5, 20, -20, -88, -104):
        value = dtype(knee)
        step = np.spacing(np.abs(value)) if knee else np.finfo(dtype).eps / 4
        points.extend(value + n * step for n in range(-64, 65))
    return np.array(points, dtype)


def ordinary(dtype):
    """A dense grid, the knees, and tails up to an eighth of the largest number."""
    tail = np.geomspace(30, np.finfo(dtype).max / 8, 1000)
    return np.concatenate([np.linspace(-30, 30, 60_001), around(dtype), -tail, tail]).astype(dtype)


def special(dtype):
    limits = np.finfo(dtype)
    sizes = [np.inf, 0.0, limits.tiny, limits.tiny / 2, limits.smallest_subnormal, limits.max / 8]
    return np.array([np.nan, *sizes, *(-size for size in sizes)], dtype)


def evaluate(module, values):
    with torch.no_grad():
        return module(torch.from_numpy(values.copy())).numpy()


def gradient(module, values):
    x = torch.from_numpy(values).requires_grad_()
    module(x).sum().backward()
    return x.grad.numpy()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NATIVE)
def test_numbers_are_the_native_ones(name, dtype):
    form, native = (build().to(dtype) for build in NATIVE[name])
    x = ordinary(DTYPES[dtype])
    if name == "logsigmoid-softplus" and dtype is torch.float64:
        x = x[x >= -20]  # what it says of the rest has a test of its own
    actual, expected = evaluate(form, x), evaluate(native, x)
    assert actual.dtype == expected.dtype
    if name in EPSILONS:
        unit = np.finfo(x.dtype).eps * np.maximum(1, np.abs(x))
        assert np.max(np.abs(actual - expected) / unit) <= EPSILONS[name]
    elif name in ULPS:
        assert np.max(np.abs(actual - expected) / np.spacing(np.abs(expected))) <= ULPS[name]
    else:
        np.testing.assert_array_equal(actual, expected)


# Where the sign of a zero is not the native one: as the docstrings say, and for prelu where the
# product with the weight underflows.
OTHER_ZEROS = {"logsigmoid-softplus", "softshrink", "softshrink-2", "prelu"}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", NATIVE)
def test_special_values_are_the_native_ones(name, dtype):
    form, native = (build().to(dtype) for build in NATIVE[name])
    x = special(DTYPES[dtype])
    actual, expected = evaluate(form, x), evaluate(native, x)
    np.testing.assert_array_equal(actual, expected)
    same_sign = (np.signbit(actual) == np.signbit(expected)) | np.isnan(expected)
    if name in OTHER_ZEROS:
        assert not same_sign.all()
        assert not expected[~same_sign].any()
    else:
        assert same_sign.all()


def halves(gate):
    return lambda x: gate(x[:, :4]) * x[:, 4:]


def convolved(module, x):
    """BN(depthwise 3x3 convolution) of `x`, one shifted product after another."""
    conv, bn = module.conv.weight.detach().numpy(), module.bn
    wide = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    rows, columns = x.shape[2:]
    total = sum(
        conv[:, 0, i, j, None, None] * wide[:, :, i : i + rows, j : j + columns]
        for i in range(3)
        for j in range(3)
    )
    mean, variance, scale, shift = (
        tensor.detach().numpy()[:, None, None]
        for tensor in (bn.running_mean, bn.running_var, bn.weight, bn.bias)
    )
    return (total - mean) / np.sqrt(variance + bn.eps) * scale + shift


def acon(module, x, beta):
    p1, p2 = (p.detach().numpy() for p in (module.p1, module.p2))
    return (p1 - p2) * x * expit(beta * (p1 - p2) * x) + p2 * x


def meta_acon(module, x):
    def dense(layer, values):
        weight, bias = (p.detach().numpy() for p in (layer.weight, layer.bias))
        return np.einsum("oi,ni->no", weight[:, :, 0, 0], values) + bias

    beta = expit(dense(module.fc2, dense(module.fc1, x.mean((2, 3)))))
    return acon(module, x, beta[:, :, None, None])


def log_softmax(x):
    powers = np.exp(x)
    return np.log(powers / powers.sum(1, keepdims=True))


# Forms with no native class, or with one that computes in another order: build, formula(module, x).
FORMULAS = {
    "quick-gelu": (forms.QuickGELU, lambda m, x: x / (1 + np.exp(-1.702 * x))),
    "squared-relu": (forms.SquaredReLU, lambda m, x: np.where(x > 0, x**2, 0)),
    "snake": (forms.Snake, lambda m, x: x + (1 - np.cos(2 * x)) / 2),
    "snake-a3": (lambda: forms.Snake(3.0), lambda m, x: x + (1 - np.cos(6 * x)) / 6),
    "squareplus": (forms.Squareplus, lambda m, x: (x + np.hypot(x, 2)) / 2),
    "squareplus-b1": (lambda: forms.Squareplus(1.0), lambda m, x: (x + np.hypot(x, 1)) / 2),
    "swiglu": (lambda: forms.SwiGLU(1), lambda m, x: halves(lambda a: a * expit(a))(x)),
    "geglu": (lambda: forms.GEGLU(1), lambda m, x: halves(lambda a: a * ndtr(a))(x)),
    "reglu": (lambda: forms.ReGLU(1), lambda m, x: halves(lambda a: np.maximum(a, 0))(x)),
    "frelu": (lambda: forms.FReLU(8), lambda m, x: np.maximum(x, convolved(m, x))),
    "acon-c": (lambda: forms.AconC(8), lambda m, x: acon(m, x, m.beta.detach().numpy())),
    "meta-acon-c": (lambda: forms.MetaAconC(8), meta_acon),
    "logsoftmax": (lambda: forms.LogSoftmaxShifted(1), lambda m, x: log_softmax(x)),
    "prelu-per-channel": (
        lambda: forms.PReLURelu(8),
        lambda m, x: np.where(x > 0, x, x * m.weight.detach().numpy()[:, None, None]),
    ),
}


def seeded(build):
    """The form in eval mode, in float64, each of its numbers moved off where it starts."""
    torch.manual_seed(0)
    module = build().double().eval()
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.add_(0.3 * torch.rand_like(tensor))
    return module


def image():
    """`(2, 8, 5, 6)` float64 in a range where no formula of `FORMULAS` overflows."""
    return np.random.default_rng(0).uniform(-8, 8, (2, 8, 5, 6))


@pytest.mark.parametrize("name", FORMULAS)
def test_numbers_are_those_of_the_formula(name):
    build, formula = FORMULAS[name]
    module, x = seeded(build), image()
    # Some roundings of values up to 64, each 1.1e-16 relative, and the formula's own.
    np.testing.assert_allclose(evaluate(module, x), formula(module, x), rtol=1e-12, atol=2e-14)
    single = evaluate(module.float(), x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, formula(module.double(), x), rtol=1e-5, atol=5e-6)


@pytest.mark.parametrize("form", [forms.SwiGLU, forms.GEGLU, forms.ReGLU])
def test_gated_forms_halve_the_last_dimension_by_default(form):
    x = image()
    expected = np.moveaxis(evaluate(form(1), np.moveaxis(x, -1, 1)), 1, -1)
    # Vectorised and scalar kernels round apart; a wrong half differs everywhere.
    np.testing.assert_allclose(evaluate(form(), x), expected, rtol=4e-16, atol=4e-16)


# What each elementwise form makes of -inf and +inf, and the sizes between which all is finite.
INFINITIES = {
    forms.SiLUSigmoid: (np.nan, np.inf),
    forms.MemoryEfficientSiLU: (np.nan, np.inf),
    forms.HardswishHardsigmoid: (np.nan, np.inf),
    forms.HardswishHardtanh: (np.nan, np.inf),
    forms.HardswishStatic: (np.nan, np.inf),
    forms.HardswishReLU6: (np.nan, np.inf),
    forms.HardsigmoidReLU6: (0.0, 1.0),
    forms.MishSoftplus: (np.nan, np.inf),
    forms.MemoryEfficientMish: (np.nan, np.inf),
    forms.GELUTanh: (np.nan, np.inf),
    forms.QuickGELU: (np.nan, np.inf),
    forms.LogSigmoidSoftplus: (-np.inf, -0.0),
    forms.LogSigmoidStable: (-np.inf, 0.0),
    forms.SoftplusWhere: (0.0, np.inf),
    forms.CELUElu: (-1.0, np.inf),
    forms.ThresholdWhere: (20.0, np.inf),
    forms.SoftshrinkClamp: (-np.inf, np.inf),
    forms.HardshrinkWhere: (-np.inf, np.inf),
    forms.RReLULeakyReLU: (-np.inf, np.inf),
    forms.PReLURelu: (-np.inf, np.inf),
    forms.SquaredReLU: (0.0, np.inf),
    forms.Snake: (np.nan, np.nan),
    forms.Squareplus: (np.nan, np.inf),
}
ARGUMENTS = {forms.ThresholdWhere: (0.1, 20)}

# Where a form gives inf for a finite number: from this part of the largest on, which sides.
OVERFLOWS = {
    forms.HardswishHardtanh: (lambda largest: largest / 6, (1,)),
    forms.HardswishStatic: (lambda largest: largest / 6, (1,)),
    forms.HardswishReLU6: (lambda largest: largest / 6, (1,)),
    forms.SquaredReLU: (math.sqrt, (1,)),
    forms.Squareplus: (math.sqrt, (1, -1)),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", INFINITIES, ids=lambda form: form.__name__)
def test_nan_and_infinities_are_as_documented(form, dtype):
    module = form(*ARGUMENTS.get(form, ())).to(dtype)
    x = np.array([np.nan, -np.inf, np.inf], DTYPES[dtype])
    actual = evaluate(module, x)
    np.testing.assert_array_equal(actual, [np.nan, *INFINITIES[form]])
    zeros = actual == 0
    np.testing.assert_array_equal(
        np.signbit(actual[zeros]), np.signbit(np.array([np.nan, *INFINITIES[form]])[zeros])
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("form", INFINITIES, ids=lambda form: form.__name__)
def test_finite_numbers_stay_finite_but_where_documented(form, dtype):
    module = form(*ARGUMENTS.get(form, ())).to(dtype)
    largest = float(np.finfo(DTYPES[dtype]).max)
    x = np.array([-largest, largest], DTYPES[dtype])
    limit, sides = OVERFLOWS.get(form, (lambda size: size, ()))
    expected = [not np.isin(side, sides) for side in (-1, 1)]
    np.testing.assert_array_equal(np.isfinite(evaluate(module, x)), expected)
    below = 0.999 * limit(largest) * np.array([-1, 1], DTYPES[dtype])
    assert np.isfinite(evaluate(module, below)).all()
    above = min(1.001 * limit(largest), largest) * np.array([-1, 1], DTYPES[dtype])
    np.testing.assert_array_equal(np.isfinite(evaluate(module, above)), expected)


CHANNELWISE = ("swiglu", "geglu", "reglu", "frelu", "acon-c", "meta-acon-c", "logsoftmax")


@pytest.mark.parametrize("channel", [1, 5])
@pytest.mark.parametrize("name", CHANNELWISE)
def test_nan_gives_nan(name, channel):
    module, x = seeded(FORMULAS[name][0]), image()
    assert np.isfinite(evaluate(module, x)).all()
    x[0, channel, 2, 3] = np.nan
    actual = evaluate(module, x)
    assert np.isnan(actual[0, channel % actual.shape[1], 2, 3])


def test_hardsigmoid_form_of_hardswish_has_no_overflow_where_the_native_has():
    x = np.array([np.finfo(np.float32).max], np.float32)
    np.testing.assert_array_equal(evaluate(forms.HardswishHardsigmoid(), x), x)
    assert np.isinf(evaluate(nn.Hardswish(), x)).all()


def test_celu_form_overflows_above_alpha_times_the_largest():
    largest = np.finfo(np.float32).max
    x = np.array([0.499 * largest, 0.501 * largest], np.float32)
    np.testing.assert_array_equal(evaluate(forms.CELUElu(0.5), x), [x[0], np.inf])
    np.testing.assert_array_equal(evaluate(nn.CELU(0.5), x), x)


def test_softshrink_form_gives_a_positive_zero_inside():
    x = np.array([-0.5, -0.3, -0.0, 0.0, 0.3, 0.5], np.float32)
    assert not np.signbit(evaluate(forms.SoftshrinkClamp(), x)).any()


def test_gelu_form_keeps_its_tail():
    """Against x * sigmoid(2u) = x / (1 + exp(-2u)) in float64, where all digits are left."""
    x = np.linspace(-12, -5, 1000)
    u = np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)
    truth = x / (1 + np.exp(-2 * u))
    form, native = (
        evaluate(module, x.astype(np.float32))
        for module in (forms.GELUTanh(), nn.GELU(approximate="tanh"))
    )
    kept = np.abs(truth) > 1e-36  # below, the exponential of the sigmoid overflows
    # exp of 2u near -80, rounded to float32: off by 80 * 6e-8 relative, more for the cubic before.
    np.testing.assert_allclose(form[kept], truth[kept], rtol=1e-4)
    assert np.max(np.abs(native / truth - 1)) > 0.5


def test_logsigmoid_forms_are_finite_where_the_logarithm_is_not():
    x = np.linspace(-120, 0, 500).astype(np.float32)
    with np.errstate(divide="ignore"):
        naive = np.log(expit(x))
    assert np.isinf(naive).any()
    for form in (forms.LogSigmoidSoftplus(), forms.LogSigmoidStable()):
        assert np.isfinite(evaluate(form, x)).all()


def test_logsigmoid_softplus_is_off_in_float64_only_as_documented():
    x = np.linspace(-40, -20.0001, 1000)
    off = np.abs(evaluate(forms.LogSigmoidSoftplus(), x) - evaluate(nn.LogSigmoid(), x))
    assert 1.9e-9 < off.max() < 2.1e-9


def test_logsigmoid_stable_loses_its_tail_in_float32():
    x = np.array([10.0, 17.5], np.float32)
    kept, lost = evaluate(forms.LogSigmoidStable(), x)
    assert kept < 0
    assert lost == 0


def test_softplus_form_takes_thresholds_above_20_for_20():
    x = np.linspace(19, 40, 1000)
    form = evaluate(forms.SoftplusWhere(threshold=35.0), x)
    native = evaluate(nn.Softplus(threshold=35.0), x)
    assert 1e-9 < np.max(np.abs(form - native)) < 2.1e-9
    np.testing.assert_array_equal(
        evaluate(forms.SoftplusWhere(threshold=35.0), x.astype(np.float32)),
        evaluate(nn.Softplus(threshold=35.0), x.astype(np.float32)),
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_logsoftmax_form_has_the_special_rows_of_the_native(dtype):
    rows = [[1, -np.inf, 2], [1, np.inf, 2], [1, np.nan, 2], [-np.inf] * 3, [-3e38, 3e38, 0]]
    x = np.array(rows, DTYPES[dtype])
    actual = evaluate(forms.LogSoftmaxShifted(-1), x)
    np.testing.assert_allclose(actual, evaluate(nn.LogSoftmax(-1), x), rtol=2e-7)
    assert np.isnan(actual).any(1).tolist() == [False, True, True, True, False]
    assert actual[0, 1] == -np.inf


# ---- gradients ----


def differentiable_points():
    """A grid and both sides of each knee, but no knee itself, in float64.

    Two units away: next to 3, x + 3 rounds to 6.
    """
    points = np.concatenate([np.linspace(-30, 30, 20_001), around(np.float64)])
    knees = np.array([-3.0, 3.0, -0.5, 0.5, -2.0, 2.0, 0.1, 1.0, 5.0, 20.0, -20.0])
    nearest = np.abs(points[:, None] - knees).min(1)
    return points[nearest >= 2 * np.spacing(np.abs(points))]


# Largest difference of the gradients; 1e-13 where not named, some roundings of numbers up to 60.
GRADIENT_OFF = {
    # PyTorch's own backward of hardsigmoid has 1/6 in float32, in float64 too: 5e-9 off, times 3.
    "hardswish-hardsigmoid": 1.5e-8,
    "hardsigmoid-relu6": 5e-9,
    # Both linear below -20, as their docstring says, where exp(-20) is 2.1e-9.
    "logsigmoid-softplus": 2.1e-9,
}


@pytest.mark.parametrize("name", NATIVE)
def test_gradients_are_the_native_ones(name):
    form, native = (build().double() for build in NATIVE[name])
    x = differentiable_points()
    if name == "prelu":
        x = x[x != 0][:, None]
    actual, expected = gradient(form, x), gradient(native, x)
    assert np.max(np.abs(actual - expected)) <= GRADIENT_OFF.get(name, 1e-13)


def test_gradient_of_gelu_form_survives_huge_numbers():
    """An x^2 that overflows would make it 0 * inf."""
    assert gradient(forms.GELUTanh(), np.array([-1e200, 1e200])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("form", [forms.LogSigmoidSoftplus, forms.LogSigmoidStable])
def test_gradient_of_logsigmoid_at_zero_is_a_half(form):
    assert gradient(form(), np.zeros(3)).tolist() == [0.5] * 3


def test_gradient_of_prelu_at_zero_is_as_documented():
    assert gradient(forms.PReLURelu(), np.zeros((3, 1))).tolist() == [[0.0]] * 3
    assert gradient(nn.PReLU().double(), np.zeros((3, 1))).tolist() == [[0.25]] * 3


ALL = {name: build for name, (build, _) in (*NATIVE.items(), *FORMULAS.items())}


def test_every_form_is_tested():
    written = {
        cls
        for cls in vars(forms).values()
        if inspect.isclass(cls) and issubclass(cls, nn.Module) and cls.__module__ == forms.__name__
    }
    assert written == {type(build()) for build in ALL.values()}
    assert written == set(INFINITIES) | {type(ALL[name]()) for name in CHANNELWISE}


@pytest.mark.parametrize("name", ALL)
def test_gradcheck(name):
    """Against finite differences, at numbers that lie between the knees."""
    torch.manual_seed(1)
    x = torch.empty(2, 8, 2, 3, dtype=torch.float64).uniform_(-4, 4)
    x += 0.01 * (x - torch.round(x, decimals=1)).abs().lt(0.005)
    assert gradcheck(seeded(ALL[name]), (x.requires_grad_(),))


# ---- memory and mutation ----


def saved_tensors(module):
    """How many different tensors a forward pass keeps for backward."""
    kept = []
    x = torch.randn(64, requires_grad=True)
    with saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        module(x)
    return len({tensor.data_ptr() for tensor in kept}), len(kept)


@pytest.mark.parametrize(
    ("efficient", "plain", "native"),
    [
        (forms.MemoryEfficientSiLU, forms.SiLUSigmoid, nn.SiLU),
        (forms.MemoryEfficientMish, forms.MishSoftplus, nn.Mish),
    ],
)
def test_memory_efficient_forms_save_one_tensor(efficient, plain, native):
    assert saved_tensors(efficient()) == saved_tensors(native()) == (1, 1)
    assert saved_tensors(plain())[0] == 2


@pytest.mark.parametrize("name", ALL)
def test_the_input_is_left_as_it_was(name):
    module = seeded(ALL[name])
    x = torch.from_numpy(image())
    for given in (x.clone(), x.clone().transpose(2, 3), x.clone().requires_grad_()):
        before = given.detach().clone()
        module(given)
        assert torch.equal(given.detach(), before)


# ---- tracing and scripting ----

STATIC = "hardswish-hardtanh-static"
UNSAVABLE = ("silu-memory-efficient", "mish-memory-efficient")


def wide_batch():
    """`(2, 8, 5, 6)` float64 with numbers on all sides of every knee and some special ones."""
    batch = image() * 4
    batch[0, 0, 0] = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e300]
    return torch.from_numpy(batch)


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("name", ALL)
def test_traced_is_eager(name):
    module = seeded(ALL[name])
    traced = torch.jit.trace(module, torch.from_numpy(image()), check_trace=False)
    assert_same(traced(wide_batch()), module(wide_batch()))


@pytest.mark.parametrize("name", sorted(ALL.keys() - {STATIC}))
def test_scripted_and_saved_is_eager(name):
    module = seeded(ALL[name])
    scripted = torch.jit.script(module)
    if name not in UNSAVABLE:
        scripted = torch.jit.load(io.BytesIO(scripted.save_to_buffer()))
    assert_same(scripted(wide_batch()), module(wide_batch()))


@pytest.mark.parametrize("inplace", [False, True])
def test_inplace_is_what_the_exporter_sees(inplace):
    traced = torch.jit.trace(forms.HardswishHardtanh(inplace), torch.zeros(3))
    kinds = {node.kind() for node in traced.graph.nodes()}
    assert ("aten::hardtanh_" in kinds, "aten::hardtanh" in kinds) == (inplace, not inplace)


def test_a_static_forward_cannot_be_scripted():
    """Scripting takes the first parameter for the module, which has no `+`."""
    with pytest.raises(RuntimeError, match="has no attribute or method '__add__'"):
        torch.jit.script(forms.HardswishStatic())


@pytest.mark.parametrize("name", UNSAVABLE)
def test_an_autograd_function_cannot_be_saved_as_torchscript(name):
    traced = torch.jit.trace(ALL[name](), torch.zeros(3))
    for module in (traced, torch.jit.script(ALL[name]())):
        with pytest.raises(RuntimeError, match="Could not export Python function call"):
            module.save_to_buffer()
