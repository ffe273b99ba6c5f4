"""What each edit makes of a `forward`, and what it leaves alone."""

from __future__ import annotations

import ast
import textwrap

import pytest
import torch

from exportcheck.custom.calling import function_module
from exportcheck.rewrites.edits import edits
from exportcheck.rewrites.edits.autograd_function import AutogradFunction
from exportcheck.rewrites.edits.branch import Branch
from exportcheck.rewrites.edits.in_place import InPlace
from exportcheck.rewrites.edits.masked_assignment import MaskedAssignment
from exportcheck.rewrites.edits.static_forward import StaticForward
from exportcheck.rewrites.rewriting import edited
from exportcheck.rewrites.rules.edited import Edited
from exportcheck.rewrites.sources import forward_of
from tests.rewrites import written

BY_NAME = {edit.__name__: edit for edit in edits()}


def candidate_of(module, *kinds):
    return edited(forward_of(module.eval()), kinds)


def functions_of(code):
    """Every function in `code` by name, each as its source."""
    tree = ast.parse(code)
    return {
        node.name: ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    }


def expected(source):
    return ast.unparse(ast.parse(textwrap.dedent(source)))


FORWARDS = [
    (
        StaticForward,
        written.StaticHardswish,
        """
        def forward(self, x):
            return x * F.hardtanh(x + 3, 0.0, 6.0) / 6.0
        """,
    ),
    (
        AutogradFunction,
        written.Swish,
        """
        def forward(self, x):
            return function_plain(x)
        """,
    ),
    (
        AutogradFunction,
        written.Rounded,
        """
        def forward(self, x):
            return straight_through_plain(x) * SLOPE
        """,
    ),
    (
        InPlace,
        written.InPlaceGate,
        """
        def forward(self, x):
            gate = x + 3
            gate = gate.clamp(0, 6).div(6)
            gate = F.relu(gate)
            y = F.silu(x)
            y = y * gate
            return y.mul(2.0)
        """,
    ),
    (
        InPlace,
        written.Counting,
        """
        def forward(self, x):
            self.total.add_(1)
            x[0].mul_(2.0)
            self.scale += 1
            x = x.add(self.total)
            return x
        """,
    ),
    (
        MaskedAssignment,
        written.Leaky,
        """
        def forward(self, x):
            y = x.clone()
            mask = x < 0
            y = torch.where(mask, SLOPE * x, y)
            y = torch.where(x > 4, torch.full_like(y, 4.0), y)
            y = torch.where((x > 3) & ~(x > 4), y * 2.0, y)
            return y
        """,
    ),
    (
        Branch,
        written.Branching,
        """
        def forward(self, x):
            mean = x.mean()
            y = torch.where(mean > self.limit, x * 2, x - 1)
            y = torch.where((y > 5).any(), y / 5, y)
            if x.dim() == 4:
                y = y + 1
            return torch.where(~(x.max() > 0), y, -y)
        """,
    ),
]


@pytest.mark.parametrize(
    ("edit", "kind", "source"), FORWARDS, ids=[f"{e.__name__}-{k.__name__}" for e, k, _ in FORWARDS]
)
def test_the_forward_that_an_edit_makes(edit, kind, source):
    candidate = candidate_of(kind(), edit)
    assert functions_of(candidate.code)["forward"] == expected(source)
    assert isinstance(candidate.module, kind)
    assert candidate.replacement == f"{kind.__name__} with {edit.does}"
    assert candidate.swap == f"{{place}}.__class__ = {kind.__name__}Exportable"


UNTOUCHED = [
    (StaticForward, written.Leaky),
    (AutogradFunction, written.Contextual),
    (AutogradFunction, written.StaticHardswish),
    (InPlace, written.Branching),
    (MaskedAssignment, written.RowPicker),
    (Branch, written.Stateful),
    (Branch, written.Shaped),
]


@pytest.mark.parametrize(("edit", "kind"), UNTOUCHED)
def test_what_an_edit_leaves_alone(edit, kind):
    assert candidate_of(kind(), edit) is None


@pytest.mark.parametrize(
    "kind", [written.Private, written.Inheriting, written.Undifferentiated, torch.nn.LogSigmoid]
)
def test_forwards_that_cannot_be_rewritten_safely(kind):
    assert forward_of(kind()) is None
    assert list(Edited().candidates(kind())) == []


def test_a_forward_without_source_at_hand_is_left_alone():
    scope = {}
    exec("def forward(self, x):\n    return x.mul_(2)", scope)
    assert forward_of(type("Made", (torch.nn.Module,), scope)()) is None


NATIVE = [
    ("LogSigmoidFunction", "gate = log_sigmoid_softplus(x)", "return -F.softplus(-x)"),
    ("CELUFunction", "celu_elu(x, alpha=self.alpha)", "return alpha * F.elu(x / alpha)"),
    (
        "SoftplusFunction",
        "softplus_where(x, beta=1.0, threshold=1.0)",
        "return torch.where(scaled > threshold, x, smooth)",
    ),
    ("GELUFunction", "return gate + gelu_tanh(x) + F.gelu(x)", "cubic = 1.0 + 0.044715"),
]


@pytest.mark.parametrize(("name", "call", "body"), NATIVE, ids=[n for n, _, _ in NATIVE])
def test_native_functions_become_those_of_a_form(name, call, body):
    code = candidate_of(written.Functional(), BY_NAME[name]).code
    assert call in code
    assert body in code


def test_edits_are_offered_alone_and_all_together():
    texts = [c.replacement for c in Edited().candidates(written.InPlaceGate())]
    assert texts == [
        "InPlaceGate with nothing done in place",
        "InPlaceGate with SiLUSigmoid for SiLU",
        "InPlaceGate with nothing done in place, SiLUSigmoid for SiLU",
    ]


def test_a_plain_function_becomes_another_function():
    module = function_module(written.quick, {})
    candidate = candidate_of(module, InPlace)
    assert functions_of(candidate.code)["quick_exportable"] == expected(
        """
        def quick_exportable(x):
            return F.logsigmoid(x).mul(2.0)
        """
    )
    assert candidate.swap == "quick = quick_exportable"
    x = torch.randn(3)
    assert torch.equal(candidate.module(x), written.quick(x))


def test_the_apply_of_an_autograd_function_becomes_a_plain_function():
    candidate = candidate_of(function_module(written.Swish.Function.apply, {}), AutogradFunction)
    assert set(functions_of(candidate.code)) == {"function_plain"}
    assert candidate.swap == "# in place of Function.apply(x0): function_plain(x0)"
    x = torch.randn(3)
    assert torch.equal(candidate.module(x), x * torch.sigmoid(x))


@pytest.mark.parametrize(
    ("edit", "kind"), [(edit, kind) for edit, kind, _ in FORWARDS if kind is not written.Counting]
)
def test_code_to_paste_runs_on_its_own_and_computes_the_same(edit, kind):
    module = kind().eval()
    candidate = candidate_of(module, edit)
    scope = {}
    exec(candidate.code, scope)
    pasted = scope[f"{kind.__name__}Exportable"]().eval()
    x = torch.randn(2, 8, 4, 4)
    assert torch.equal(pasted(x.clone()), module(x.clone()))


def test_the_candidate_has_source_for_torchscript_and_shares_what_the_original_has():
    module = written.StaticHardswish().eval()
    module.register_buffer("kept", torch.zeros(1))
    candidate = candidate_of(module, StaticForward)
    assert candidate.module.kept is module.kept
    x = torch.randn(5)
    assert torch.equal(torch.jit.script(candidate.module)(x), module(x))
