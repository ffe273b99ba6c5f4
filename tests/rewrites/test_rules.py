"""What is offered for what, before anything is proved."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck import forms
from exportcheck.catalog import activations
from exportcheck.rewrites.known_forms import known_forms
from exportcheck.rewrites.rules import candidates, rules
from tests.rewrites import written


def texts(module):
    return [candidate.replacement for candidate in candidates(module)]


OFFERED = [
    (nn.LogSigmoid(), ["LogSigmoidSoftplus()", "LogSigmoidStable()"]),
    (nn.Softplus(2.0, 10.0), ["SoftplusWhere(beta=2.0, threshold=10.0)"]),
    (nn.Softshrink(0.25), ["SoftshrinkClamp(lambd=0.25)"]),
    (nn.Hardshrink(0.25), ["HardshrinkWhere(lambd=0.25)"]),
    (nn.CELU(0.75), ["CELUElu(alpha=0.75)"]),
    (nn.Threshold(0.5, 2.0), ["ThresholdWhere(threshold=0.5, value=2.0)"]),
    (nn.Threshold(0.5, 2), ["Threshold(value=2.0)", "ThresholdWhere(threshold=0.5, value=2)"]),
    (nn.RReLU(0.2, 0.4), ["RReLULeakyReLU(lower=0.2, upper=0.4)"]),
    (nn.PReLU(4), ["PReLURelu(num_parameters=4, init=0.25)"]),
    (nn.GELU(approximate="tanh"), ["GELUTanh()"]),
    (nn.GELU(), []),
    (nn.LogSoftmax(2), ["LogSoftmaxShifted(dim=2)"]),
    (nn.SiLU(), ["SiLUSigmoid()"]),
    (nn.SiLU(inplace=True), ["SiLU(inplace=False)", "SiLUSigmoid()"]),
    (nn.Mish(), ["MishSoftplus()"]),
    (nn.Hardsigmoid(), ["HardsigmoidReLU6()"]),
    (nn.ReLU(), []),
    (nn.Conv2d(3, 3, 1), []),
    (nn.Sequential(nn.LogSigmoid()), []),
]


@pytest.mark.parametrize(("module", "expected"), OFFERED, ids=lambda x: str(x)[:40])
def test_what_is_offered(module, expected):
    assert texts(module) == expected


def test_hardswish_is_offered_every_spelling():
    names = [text.partition("(")[0] for text in texts(nn.Hardswish())]
    assert names == [
        "HardswishHardsigmoid",
        "HardswishHardtanh",
        "HardswishStatic",
        "HardswishReLU6",
    ]


def test_every_form_of_a_family_with_a_native_one_is_known():
    """A line in the catalogue is all that a new form costs."""
    natives = {a.family for a in activations().values() if a.reference and a.form == "native"}
    written_by_hand = {
        a.module for a in activations().values() if a.family in natives and a.form == "hand-written"
    }
    assert {known.form for known in known_forms()} == written_by_hand


def test_a_subclass_that_computes_the_same_is_offered_the_form():
    class Named(nn.CELU):
        """A name of its own."""

    assert texts(Named(0.5)) == ["CELUElu(alpha=0.5)"]


def test_a_subclass_with_a_forward_of_its_own_is_not():
    class Other(nn.CELU):
        def forward(self, x):
            return x

    assert texts(Other(0.5)) == []


def test_nothing_is_offered_where_an_instance_has_a_forward_of_its_own():
    module = nn.LogSigmoid()
    module.forward = torch.tanh
    assert texts(module) == []


def test_nothing_is_offered_for_what_torchscript_compiled():
    assert texts(torch.jit.script(nn.LogSigmoid())) == []


def test_offering_changes_nothing():
    module = nn.Threshold(0.5, 2, inplace=True)
    before = dict(vars(module))
    list(candidates(module))
    assert vars(module) == before


@pytest.mark.parametrize(
    ("module", "swap"),
    [
        (nn.CELU(0.5), "{places} = CELUElu(alpha=0.5)"),
        (nn.PReLU(4), "{place}.__class__ = PReLURelu"),
        (nn.SiLU(inplace=True), "{place}.inplace = False"),
        (nn.Threshold(0.5, 2), "{place}.value = 2.0"),
    ],
)
def test_the_line_that_swaps_it_in(module, swap):
    assert next(candidates(module)).swap == swap


def test_hooks_are_kept_and_so_is_what_the_form_computes_from_its_arguments():
    module = nn.RReLU(0.25, 0.5)
    module.register_forward_hook(lambda module, given, output: output * 2)
    (candidate,) = candidates(module)
    assert candidate.swap == "{place}.__class__ = RReLULeakyReLU\n{place}.slope = 0.375"
    exec(candidate.code + candidate.swap.format(place="module"), {"module": module})
    assert module(-torch.ones(())) == -0.75


def test_the_parameters_stay_the_same_objects():
    module = nn.PReLU(4)
    (candidate,) = candidates(module)
    assert type(candidate.module) is forms.PReLURelu
    assert candidate.module.weight is module.weight


class Sized(nn.Module):
    """Integers that stand for a size, for a float, and for nobody knows what."""

    size: int
    scale: float

    def __init__(self, size, scale, other, flag=True):
        super().__init__()
        self.size, self.scale, self.other, self.flag = size, scale, other, flag
        self.made = 3


def test_integers_become_floats_where_they_may_be():
    (candidate,) = candidates(Sized(1, 2, 3))
    assert candidate.replacement == "Sized(scale=2.0, other=3.0)"
    assert candidate.module.size == 1
    assert candidate.module.flag is True


def test_script_is_offered_for_what_branches_and_can_be_scripted():
    (candidate,) = [c for c in candidates(written.Branching()) if "script" in c.replacement]
    assert candidate.swap == "{places} = torch.jit.script({place})"
    assert isinstance(candidate.module, torch.jit.ScriptModule)
    assert "script" not in " ".join(texts(written.Leaky()))
    assert "script" not in " ".join(texts(written.Unscriptable()))


def test_rules_are_found_in_the_folder():
    names = {type(rule).__name__ for rule in rules()}
    assert names == {"OutOfPlace", "FloatArguments", "Edited", "Native", "Scripted"}
