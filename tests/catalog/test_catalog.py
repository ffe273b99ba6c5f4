from __future__ import annotations

import inspect
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

import exportcheck.catalog
from exportcheck.catalog import activations
from exportcheck.catalog.interface import ALL_NETWORKS
from exportcheck.networks import CHANNELS, NETWORKS
from exportcheck.subject import FromCatalogue, Subject, import_object
from tests.catalog.formula import evaluate

CATALOGUE = tuple(activations().values())
by_name = pytest.mark.parametrize("activation", CATALOGUE, ids=lambda a: a.name)


def module_of(activation):
    """The bare activation, its parameters off their initial values, in float64."""
    return Subject(FromCatalogue(activation, "bare")).build().double()


# ---- what must be there ----

NOT_ACTIVATIONS = {"MultiheadAttention"}  # a layer with projections, filed under activations


def test_every_activation_class_of_torch_is_there():
    classes = {f"torch.nn.{name}" for name in torch.nn.modules.activation.__all__}
    assert classes - {a.module for a in CATALOGUE} == {f"torch.nn.{n}" for n in NOT_ACTIVATIONS}


FORMS = "exportcheck.forms."
REQUIRED = {
    "silu": ("torch.nn.SiLU", {}),
    "silu-inplace": ("torch.nn.SiLU", {"inplace": True}),
    "silu-sigmoid": (FORMS + "SiLUSigmoid", {}),
    "silu-memory-efficient": (FORMS + "MemoryEfficientSiLU", {}),
    "hardswish": ("torch.nn.Hardswish", {}),
    "hardswish-inplace": ("torch.nn.Hardswish", {"inplace": True}),
    "hardswish-hardsigmoid": (FORMS + "HardswishHardsigmoid", {}),
    "hardswish-hardtanh": (FORMS + "HardswishHardtanh", {}),
    "hardswish-hardtanh-inplace": (FORMS + "HardswishHardtanh", {"inplace": True}),
    "hardswish-hardtanh-static": (FORMS + "HardswishStatic", {}),
    "hardswish-relu6": (FORMS + "HardswishReLU6", {}),
    "mish": ("torch.nn.Mish", {}),
    "mish-softplus": (FORMS + "MishSoftplus", {}),
    "mish-memory-efficient": (FORMS + "MemoryEfficientMish", {}),
    "gelu": ("torch.nn.GELU", {}),
    "gelu-tanh": ("torch.nn.GELU", {"approximate": "tanh"}),
    "gelu-quick": (FORMS + "QuickGELU", {}),
    "frelu": (FORMS + "FReLU", {"channels": CHANNELS}),
    "acon-c": (FORMS + "AconC", {"channels": CHANNELS}),
    "meta-acon-c": (FORMS + "MetaAconC", {"channels": CHANNELS}),
    "relu": ("torch.nn.ReLU", {}),
    "relu6": ("torch.nn.ReLU6", {}),
    "elu": ("torch.nn.ELU", {}),
    "prelu": ("torch.nn.PReLU", {}),
    "prelu-per-channel": ("torch.nn.PReLU", {"num_parameters": CHANNELS}),
    "leakyrelu": ("torch.nn.LeakyReLU", {}),
    "leakyrelu-0.1": ("torch.nn.LeakyReLU", {"negative_slope": 0.1}),
    "threshold-0.1-20": ("torch.nn.Threshold", {"threshold": 0.1, "value": 20}),
    "hardtanh": ("torch.nn.Hardtanh", {}),
    "sigmoid": ("torch.nn.Sigmoid", {}),
    "tanh": ("torch.nn.Tanh", {}),
    "logsigmoid": ("torch.nn.LogSigmoid", {}),
    "softplus": ("torch.nn.Softplus", {}),
    "softplus-beta2-threshold10": ("torch.nn.Softplus", {"beta": 2.0, "threshold": 10.0}),
    "softplus-threshold1": ("torch.nn.Softplus", {"threshold": 1.0}),
    "softshrink": ("torch.nn.Softshrink", {}),
    "hardshrink": ("torch.nn.Hardshrink", {}),
    "softsign": ("torch.nn.Softsign", {}),
    "tanhshrink": ("torch.nn.Tanhshrink", {}),
    **{f"softmin-dim{dim}": ("torch.nn.Softmin", {"dim": dim}) for dim in (0, 1, -1)},
    **{f"softmax-dim{dim}": ("torch.nn.Softmax", {"dim": dim}) for dim in (0, 1, -1)},
    **{f"logsoftmax-dim{dim}": ("torch.nn.LogSoftmax", {"dim": dim}) for dim in (0, 1, -1)},
    "softmax2d": ("torch.nn.Softmax2d", {}),
    "celu": ("torch.nn.CELU", {}),
    "celu-alpha0.5": ("torch.nn.CELU", {"alpha": 0.5}),
    "selu": ("torch.nn.SELU", {}),
    "glu": ("torch.nn.GLU", {"dim": 1}),
    "hardsigmoid": ("torch.nn.Hardsigmoid", {}),
    "rrelu": ("torch.nn.RReLU", {}),
    "swiglu": (FORMS + "SwiGLU", {"dim": 1}),
    "geglu": (FORMS + "GEGLU", {"dim": 1}),
    "reglu": (FORMS + "ReGLU", {"dim": 1}),
    "squared-relu": (FORMS + "SquaredReLU", {}),
    "snake": (FORMS + "Snake", {}),
    "squareplus": (FORMS + "Squareplus", {}),
}


@pytest.mark.parametrize("name", REQUIRED)
def test_every_required_form_is_there(name):
    activation = activations()[name]
    assert (activation.module, activation.kwargs) == REQUIRED[name]


def test_every_form_of_this_package_is_there():
    forms = import_object("exportcheck.forms.nn").Module.__subclasses__()
    written = {f"{c.__module__}.{c.__name__}" for c in forms if c.__module__ + "." == FORMS}
    assert written == {a.module for a in CATALOGUE if a.module.startswith(FORMS)}


# ---- what an entry says of itself ----


def test_one_reference_a_family_and_it_comes_first():
    families = {}
    for activation in CATALOGUE:
        families.setdefault(activation.family, []).append(activation)
    for family, members in families.items():
        assert [m.reference for m in members] == [True] + [False] * (len(members) - 1), family
    order = [activation.family for activation in CATALOGUE]
    assert order == [family for family, members in families.items() for _ in members]


def test_two_activations_of_one_name_are_refused(monkeypatch):
    twice = [SimpleNamespace(ACTIVATIONS=CATALOGUE[:1])] * 2
    monkeypatch.setattr(exportcheck.catalog, "modules", lambda package: twice)
    with pytest.raises(ValueError, match="same name"):
        exportcheck.catalog.activations.__wrapped__()


@by_name
def test_module_builds_and_form_says_what_it_is(activation):
    built = import_object(activation.module)(**activation.kwargs)
    assert isinstance(built, nn.Module)
    native = activation.module.startswith("torch.nn.")
    assert (activation.form in ("native", "in-place")) == native
    assert (activation.form == "in-place") == (native and getattr(built, "inplace", False))
    assert (activation.form == "autograd") == ("memory-efficient" in activation.name)


@by_name
def test_networks_are_known_and_take_it(activation):
    assert activation.networks
    assert set(activation.networks) <= set(ALL_NETWORKS) == set(NETWORKS)
    assert set(activation.networks) == {name for name in NETWORKS if takes(name, activation)}


def takes(network, activation):
    """Whether the network runs and gives numbers of the rank that went in."""
    subject = Subject(FromCatalogue(activation, network))
    (x,) = subject.example()
    try:
        with torch.no_grad():
            output = subject.build()(x)
    except (RuntimeError, ValueError, IndexError, AssertionError):
        return False  # how PyTorch refuses an input of another rank
    return output.dim() == x.dim() and bool(torch.isfinite(output).all())


# Arguments that only fit an activation to the channels of the networks.
FITTED = {"channels": CHANNELS, "num_parameters": CHANNELS}


@by_name
def test_arguments_other_than_the_defaults_stand_in_the_name(activation):
    parameters = inspect.signature(import_object(activation.module)).parameters
    for key, value in activation.kwargs.items():
        assert value != parameters[key].default or isinstance(value, bool)
        if "halves of the channels" in activation.formula:
            assert (key, value) == ("dim", 1)
        elif key in FITTED:
            assert value == FITTED[key]
            assert key == "channels" or "per-channel" in activation.name
        else:
            assert (key if value is True else f"{value:g}" if key != "approximate" else value) in (
                activation.name
            )


# ---- the formula ----

# Where the text and the module may differ by more than some roundings, in parts of max(1, |x|).
TEXT_OFF = {
    "selu": 4e-5,  # the constants stand there with five digits
    "logsigmoid-softplus": 2.1e-9,  # F.softplus is linear above 20
}


def names_for(activation, module, x):
    """What the formulas speak of: x, the halves, arguments, weights and layers."""
    names = {"x": x}
    signature = inspect.signature(type(module))
    if activation.module.startswith(FORMS):
        names.update(signature.bind(**activation.kwargs).arguments)
        names.update({k: p.default for k, p in signature.parameters.items() if k not in names})
    for name, parameter in module.named_parameters(recurse=False):
        values = parameter.detach().numpy()
        wide = values.reshape(-1, 1, 1) if name == "weight" else values
        names[{"weight": "a", "beta": "b"}.get(name, name)] = wide
    if "halves" in activation.formula:
        names["a"], names["b"] = np.split(x, 2, axis=1)
    layers = {"BN": "bn", "conv3x3": "conv", "fc1": "fc1", "fc2": "fc2"}
    for name, attribute in layers.items():
        if hasattr(module, attribute):
            names[name] = called(getattr(module, attribute))
    return names


def called(layer):
    def call(x):
        with torch.no_grad():
            return layer(torch.from_numpy(x)).numpy()

    return call


@by_name
def test_formula_says_what_the_module_computes(activation):
    module = module_of(activation)
    knees = np.array([k + d for k in activation.knees for d in (-1e-6, 0, 1e-6)])
    x = np.random.default_rng(0).permutation(np.linspace(-30, 30, 4096))
    x[: knees.size] = knees
    x = x.reshape(2, CHANNELS, 16, 16)
    with torch.no_grad():
        actual = module(torch.from_numpy(x.copy())).numpy()
    expected = evaluate(activation.formula, names_for(activation, module, x))
    scale = max(1, np.abs(expected).max()) if not activation.elementwise else np.maximum(1, abs(x))
    assert np.max(np.abs(actual - expected) / scale) <= TEXT_OFF.get(activation.name, 1e-14)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x above 2, x/2 below", [0.5, 1.0, 3.0]),
        ("x-0.5 above 2.5, 2x below 1.5, else 7", [2.0, 7.0, 2.5]),
        ("0 where |x-2| <= 0.5, else x^2", [1.0, 0.0, 9.0]),
        ("d*b, b=x-1, d=2x, one a", [0.0, 4.0, 12.0]),
        ("x/sum(x) over dim 0", [1 / 6, 2 / 6, 3 / 6]),
        ("max(x,2)-max(1,x)", [1.0, 0.0, 0.0]),
    ],
)
def test_the_reader_of_formulas(text, value):
    if "sum" not in text:
        text = text.replace(" over dim 0", "")
    np.testing.assert_allclose(evaluate(text, {"x": np.array([1.0, 2.0, 3.0])}), value)


@pytest.mark.parametrize("text", ["x above 2", "x, 2x", "x, see the paper"])
def test_the_reader_of_formulas_takes_no_nonsense(text):
    with pytest.raises((AssertionError, SyntaxError)):
        evaluate(text, {"x": np.ones(3)})


# ---- elementwise and knees ----


@by_name
def test_elementwise_is_what_a_change_of_one_input_shows(activation):
    """True exactly when a change of any one input element changes that output element only."""
    module = module_of(activation)
    x = torch.from_numpy(np.random.default_rng(1).standard_normal((2, CHANNELS, 4, 4)))
    with torch.no_grad():
        before = module(x.clone())
        spread = []
        for place in ((0, 0, 0, 0), (0, 1, 2, 3), (1, 5, 1, 1), (1, 7, 3, 3)):
            changed = x.clone()
            changed[place] += 3.0
            after = module(changed)
            differs = (after != before).nonzero().tolist()
            spread.append(differs != [list(place)])
    assert activation.elementwise == (not any(spread))


def slope(module, x):
    x = torch.from_numpy(x.copy()).requires_grad_()
    (gradient,) = torch.autograd.grad(module(x * 1.0).sum(), x)
    return gradient.numpy()


def value(module, x):
    with torch.no_grad():
        return module(torch.from_numpy(x.copy())).numpy()


def laws_change(module, points):
    """Whether the value, the slope or the curvature jumps at each of `points`.

    Jumps down to 1e-10 count, for that of Softplus at its threshold is 2e-9.
    """
    near = 1e-13
    jump = np.abs(value(module, points + near) - value(module, points - near)) > 1e-10
    kink = np.abs(slope(module, points + near) - slope(module, points - near)) > 1e-10
    step = 1e-4
    left, middle_left = slope(module, points - step), slope(module, points - near)
    middle_right, right = slope(module, points + near), slope(module, points + step)
    bend = np.abs((right - middle_right) - (middle_left - left)) / step > 1e-2
    return jump | kink | bend


# Where no law changes but a usual way to compute the function fails in float32: sigmoid in ONNX
# Runtime is 0, the exponential is subnormal, then 0. The native softplus form has a law at -20.
NUMERIC_KNEES = {"logsigmoid": {-18.0, -88.0, -104.0}}


@pytest.mark.parametrize(
    "activation", [a for a in CATALOGUE if a.elementwise], ids=lambda a: a.name
)
def test_knees_are_where_the_law_changes(activation):
    module = module_of(activation)
    candidates = np.unique(np.append(np.arange(-600, 601) / 20, activation.knees))
    batch = np.broadcast_to(candidates, (1, CHANNELS, 1, candidates.size)).copy()
    changes = candidates[laws_change(module, batch)[0, 0, 0]]
    allowed = NUMERIC_KNEES.get(activation.family, set()) | {0.0}
    assert 0.0 in activation.knees
    assert set(changes.tolist()) | allowed == set(activation.knees) | {0.0}


def test_a_knee_that_is_not_there_is_found():
    relu = activations()["relu"]
    wrong = replace(relu, knees=(0.0, 1.0))
    with pytest.raises(AssertionError):
        test_knees_are_where_the_law_changes(wrong)
    with pytest.raises(AssertionError):
        test_knees_are_where_the_law_changes(replace(activations()["relu6"], knees=(0.0,)))
