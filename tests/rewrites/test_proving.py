"""A rewrite is believed only where it is the original: wrong ones are refuted, with an input."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from exportcheck import forms
from exportcheck.rewrites.edits.branch import Branch
from exportcheck.rewrites.edits.masked_assignment import MaskedAssignment
from exportcheck.rewrites.interface import Candidate, Proof, Refuted
from exportcheck.rewrites.parts import part
from exportcheck.rewrites.proving import prove
from exportcheck.rewrites.reference import same
from exportcheck.rewrites.rewriting import edited
from exportcheck.rewrites.sources import forward_of
from tests.rewrites import written

BATCH = np.random.RandomState(0).standard_normal((2, 8, 16, 16)).astype("float32") * 2


def proved(original, other, batch=BATCH, **options):
    original, other = original.eval(), other.eval()
    what = part(original, [batch], inside=False)
    return prove(what, original, Candidate("other", other, "", "", **options), "some.path")


class Function(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def wrong_gate(x):
    """Hardswish's gate in the order of operations that people get wrong."""
    return x * x.clamp(0, 6).add(3).div(6)


def onnx_hardsigmoid(x):
    """HardSigmoid with ONNX's default alpha in the place of 1/6."""
    return (0.2 * x + 0.5).clamp(0, 1)


def tanh_gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def without_threshold(x):
    return torch.log1p(torch.exp(x.clamp(max=80)))


def test_that_the_original_writes_to_its_input_is_said():
    overwriting = Function(lambda x: x.mul_(torch.sigmoid(x)))
    found = proved(overwriting, Function(lambda x: x * torch.sigmoid(x)))
    assert found.remarks == ("the original writes to its input, which this leaves as it was",)
    assert proved(nn.SiLU(), nn.SiLU()).remarks == ()


WRONG = {
    "hardswish with the gate's operations in another order": (nn.Hardswish(), wrong_gate),
    "hardsigmoid with alpha 0.2 for 1/6": (nn.Hardsigmoid(), onnx_hardsigmoid),
    "gelu by tanh for the one by erf": (nn.GELU(), tanh_gelu),
    "softplus without its threshold": (nn.Softplus(threshold=1.0), without_threshold),
    "relu6 for relu": (nn.ReLU(), F.relu6),
    "logsigmoid as log of sigmoid": (nn.LogSigmoid(), lambda x: torch.log(torch.sigmoid(x))),
    "softshrink of another lambda": (nn.Softshrink(0.5), lambda x: x - x.clamp(-0.5001, 0.5)),
    "slope for one channel only": (nn.PReLU(8), lambda x: F.leaky_relu(x, 0.2)),
    "celu of another alpha": (nn.CELU(0.5), lambda x: F.celu(x, 0.51)),
}


@pytest.mark.parametrize(("original", "function"), WRONG.values(), ids=WRONG)
def test_a_wrong_rewrite_is_refuted_with_the_input_that_refutes_it(original, function):
    found = proved(original, Function(function))
    assert isinstance(found, Refuted)
    assert found.path == "some.path"
    assert f"at x = {found.input:.8g}" in found.why
    x = torch.full((1, 8, 1, 1), found.input)
    actual, expected = (m.eval()(x.clone()) for m in (Function(function), original))
    assert not torch.allclose(actual, expected, rtol=1e-5, atol=1e-6)
    assert np.isclose(actual.detach().numpy(), found.actual, rtol=1e-5).any()
    assert np.isclose(expected.detach().numpy(), found.expected, rtol=1e-5).any()


RIGHT = {
    "hardswish": (nn.Hardswish(), forms.HardswishHardtanh()),
    "hardswish in place": (nn.Hardswish(inplace=True), forms.HardswishHardtanh()),
    "gelu": (nn.GELU(approximate="tanh"), forms.GELUTanh()),
    "logsigmoid": (nn.LogSigmoid(), forms.LogSigmoidSoftplus()),
    "softplus": (nn.Softplus(2.0, 10.0), forms.SoftplusWhere(2.0, 10.0)),
    "silu": (nn.SiLU(), forms.MemoryEfficientSiLU()),
    "logsoftmax": (nn.LogSoftmax(1), forms.LogSoftmaxShifted(1)),
}


@pytest.mark.parametrize(("original", "form"), RIGHT.values(), ids=RIGHT)
def test_a_right_rewrite_is_proved(original, form):
    found = proved(original, form)
    assert isinstance(found, Proof), found
    text = "\n".join(found.lines)
    for claim in ("equal in float32 on", "equal in float64", "the same gradient in float64"):
        assert claim in text
    assert found.when_training


def test_every_input_class_is_named_in_the_proof():
    lines = proved(nn.Hardswish(), forms.HardswishHardtanh()).lines
    assert "grid, knees, tails, infinities, the other's knees" in lines[0]
    assert lines[1].startswith("special values alike: ")
    for name in ("nan", "zeros", "subnormals", "largest"):
        assert name in lines[1]


def test_what_differs_where_it_does_not_gate_is_said():
    (remark,) = proved(nn.CELU(0.5), forms.CELUElu(0.5)).remarks
    assert remark.startswith("largest: inf-made")


def test_a_difference_that_only_float64_shows_refutes():
    almost = proved(nn.Tanh(), Function(lambda x: torch.tanh(x.float()).to(x.dtype)))
    assert isinstance(almost, Refuted)
    assert almost.why.startswith("in float64, ")


def test_a_module_that_insists_on_float32_is_proved_without_float64_and_says_so():
    insisting = Function(lambda x: F.linear(x, torch.eye(16)))
    found = proved(insisting, insisting)
    assert "not compared in float64, in which the original cannot be run" in found.remarks


class Doubled(torch.autograd.Function):
    """Right numbers, and the gradient twice too large."""

    @staticmethod
    def forward(ctx, x):
        return torch.tanh(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


def test_another_gradient_refutes_with_the_point():
    found = proved(nn.Tanh(), Function(Doubled.apply))
    assert found.why.startswith("its gradient differs on ")
    assert found.actual > 1.9 * found.expected


def test_a_straight_through_estimator_is_not_its_plain_forward():
    rounded, plain = written.Rounded(), Function(lambda x: torch.round(x) * written.SLOPE)
    found = proved(rounded, plain)
    assert "its gradient differs" in found.why
    assert (found.actual, found.expected) == (0.0, pytest.approx(written.SLOPE))


def test_the_gradient_of_a_parameter_counts():
    class Detached(nn.PReLU):
        def forward(self, x):
            return F.prelu(x, self.weight.detach() + 0 * self.weight)

    found = proved(nn.PReLU(8), Detached(8))
    assert found.why.startswith("its gradient of weight differs")


def test_at_a_kink_any_finite_gradient_will_do_and_is_told():
    found = proved(nn.PReLU(8), forms.PReLURelu(8))
    assert isinstance(found, Proof), found
    assert found.remarks == (
        "at a kink, where there is no gradient, autograd says 0 for 0.25 at x = 0",
    )


def test_a_gradient_of_nan_refutes_even_at_a_kink():
    module = written.MaskedLogarithm().eval()
    plain = Function(lambda x: torch.where(x > 0, torch.log(x), torch.zeros_like(x)))
    found = proved(module, plain)
    assert found.why == "its gradient differs on knees: nan for 0 at x = 0"


def test_what_has_no_gradient_needs_none():
    sign = Function(lambda x: (x > 0).to(x.dtype))
    found = proved(sign, Function(lambda x: x.gt(0).to(x.dtype)))
    assert any(remark.startswith("no gradient: ") for remark in found.remarks)


def test_a_form_for_eval_only_is_told_from_one_for_training():
    found = proved(nn.RReLU(), forms.RReLULeakyReLU())
    assert isinstance(found, Proof)
    assert not found.when_training


def test_a_candidate_that_raises_is_refuted():
    def raising(x):
        raise ValueError("not today")

    assert proved(nn.ReLU(), Function(raising)).why == "it raises ValueError: not today"


def test_another_shape_is_refuted():
    assert "shape" in proved(nn.ReLU(), Function(lambda x: F.relu(x)[:1])).why


def branch_of(module):
    candidate = edited(forward_of(module.eval()), (Branch,))
    what = part(module, [BATCH], inside=False)
    return prove(what, module, candidate)


def test_a_masked_assignment_is_where():
    module = written.Leaky().eval()
    candidate = edited(forward_of(module), (MaskedAssignment,))
    what = part(module, [BATCH], inside=False)
    assert isinstance(prove(what, module, candidate), Proof)


def test_both_sides_of_a_branch_are_tried():
    assert isinstance(branch_of(written.Branching()), Proof)


def test_a_side_that_no_input_reaches_is_not_proved():
    found = branch_of(written.Unreached())
    assert "no input reaches line" in found.why
    assert "'return x * 2'" in found.why


def test_several_inputs_and_outputs():
    class Two(nn.Module):
        def forward(self, x, y):
            return x + y, F.relu(x * y)

    class Wrong(nn.Module):
        def forward(self, x, y):
            return x + y, F.relu(x) * y

    assert isinstance(same(Two(), Two(), [BATCH, BATCH + 1]), Proof)
    refuted = same(Two(), Wrong(), [BATCH, BATCH + 1])
    assert isinstance(refuted, Refuted)
    assert refuted.why.startswith("given[1]: finite")


def test_random_modules_are_equal_to_nothing():
    noisy = Function(lambda x: x + 0.1 * torch.rand_like(x))
    assert isinstance(proved(noisy, noisy), Refuted)
