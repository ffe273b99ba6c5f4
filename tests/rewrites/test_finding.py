"""From a module that fails to what is at fault in it, and to code that works."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from exportcheck.custom.calling import function_module
from exportcheck.custom.guessing import Guess
from exportcheck.custom.module_spec import InputSpec
from exportcheck.custom.modules import FromModule
from exportcheck.custom.resolving import Resolved
from exportcheck.rewrites import find, joined
from exportcheck.rewrites.trying import Swapped, failures
from exportcheck.subject import Subject, subject
from tests.rewrites import written

TRACE, SCRIPT, ONNX = "torchscript-trace", "torchscript-script", "onnx-trace-opset17"
COREML, COREML_EXPORT = "coreml-fp32", "coreml-export-fp32"


def subject_of(module, source=FromModule):
    spec = InputSpec((2, 8, 16, 16))
    torch.manual_seed(0)
    return Subject(source("mine", Resolved(module, "mine.py:1"), Guess((spec,), "")))


class Gating(FromModule):
    """Where every input class counts, as it does where a run is strict."""

    def inputs(self, dtype):
        return tuple(replace(one, gates=True) for one in super().inputs(dtype))


def test_a_bare_activation():
    (found,), refuted = find(subject("logsigmoid", "bare"), [ONNX])
    assert (found.path, found.original) == ("", "LogSigmoid()")
    assert found.replacement == "LogSigmoidSoftplus()"
    assert found.targets == (ONNX,)
    assert found.proof[-1] == f"passes {ONNX}"
    assert found.code.endswith("model = LogSigmoidSoftplus()\n")
    assert refuted == []


class Block(nn.Module):
    def __init__(self, act):
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.act = act

    def forward(self, x):
        return x + self.act(self.conv(x))


class Deep(nn.Module):
    def __init__(self, *acts):
        super().__init__()
        self.stem = nn.ReLU(inplace=True)
        self.blocks = nn.ModuleList(Block(act) for act in acts)

    def forward(self, x):
        x = self.stem(x + 1)
        for block in self.blocks:
            x = block(x)
        return x


def test_a_submodule_deep_inside_is_located_and_only_it():
    what = subject_of(lambda: Deep(nn.SiLU(), nn.LogSigmoid(), nn.Hardswish()).eval())
    (found,), _ = find(what, [COREML])
    assert found.path == "blocks.1.act"
    assert found.code.endswith("model.blocks[1].act = LogSigmoidSoftplus()\n")


def test_the_line_that_swaps_it_in_works():
    what = subject_of(lambda: Deep(nn.SiLU(), nn.CELU(0.5)).eval())
    (found,), _ = find(what, [COREML])
    model = what.build()
    x = torch.randn(1, 8, 16, 16)
    before = model(x)
    exec(found.code, {"model": model})
    assert type(model.blocks[1].act).__name__ == "CELUElu"
    torch.testing.assert_close(model(x), before)


def test_two_at_fault_are_both_replaced():
    what = subject_of(lambda: Deep(nn.LogSigmoid(), nn.CELU(0.5)).eval())
    found, _ = find(what, [COREML])
    assert [one.path for one in found] == ["blocks.0.act", "blocks.1.act"]
    assert all(one.targets == (COREML,) for one in found)


def test_a_module_in_two_places_is_replaced_once():
    shared = nn.CELU()
    found, _ = find(subject_of(lambda: Deep(shared, shared).eval()), [COREML])
    assert [one.path for one in found] == ["blocks.0.act"]


class Shared(nn.Module):
    """The first activation stands in two places, and somebody hooked into the second."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.LogSigmoid(), nn.CELU(0.5)
        self.c, self.more = self.a, nn.ModuleList([nn.LogSigmoid()])
        self.b.register_forward_hook(lambda module, given, output: output * 2)

    def forward(self, x):
        return self.a(x) + self.b(-x) * self.c(x) + self.more[0](x)


def test_what_is_printed_works_as_pasted():
    what = subject_of(lambda: Shared().eval())
    found, refuted = find(what, [COREML])
    assert refuted == []
    assert [one.swap for one in found] == [
        "model.a = model.c = LogSigmoidSoftplus()\n",
        "model.b.__class__ = CELUElu\n",
        "model.more[0] = LogSigmoidSoftplus()\n",
    ]
    code = joined([(one.definition, one.swap) for one in found])
    assert code.count("class LogSigmoidSoftplus") == 1
    model = what.build()
    scope = {"model": model, "__name__": "pasted"}
    exec(code, scope)
    assert {type(m).__name__ for m in model.children()} == {
        "LogSigmoidSoftplus",
        "CELUElu",
        "ModuleList",
    }
    assert failures(Swapped(what, model), [COREML]) == {}


def test_code_that_does_not_do_it_is_not_offered(monkeypatch):
    """What is proved is the code and not only the module."""
    from exportcheck.rewrites.rules import native

    real = native._candidate

    def forgetful(known, module):
        candidate = real(known, module)
        return replace(candidate, swap="{place}.other = None")

    monkeypatch.setattr(native, "_candidate", forgetful)
    found, refuted = find(subject_of(lambda: Deep(nn.LogSigmoid()).eval()), [COREML])
    assert found == []
    assert any("LogSigmoidSoftplus" in r.replacement and "too" in r.why for r in refuted)


class ByFunction(nn.Module):
    def forward(self, x):
        return x * F.celu(x, 0.5)


def test_a_function_in_a_forward_that_somebody_wrote():
    (found,), _ = find(subject_of(lambda: nn.Sequential(ByFunction()).eval()), [COREML])
    assert found.path == "0"
    assert "x * celu_elu(x, alpha=0.5)" in found.code
    assert found.code.endswith("model[0].__class__ = ByFunctionExportable\n")


def test_a_plain_function():
    what = subject_of(lambda: function_module(written.quick, {}))
    (found,), _ = find(what, [COREML])
    assert "def quick_exportable(x):\n    return log_sigmoid_softplus(x).mul_(2.0)" in found.code


WRITTEN = [
    (written.StaticHardswish, SCRIPT, "StaticHardswish with forward a method"),
    (written.Swish, COREML, "Swish with a plain function for an autograd.Function"),
    (written.Swish, TRACE, "Swish with a plain function for an autograd.Function"),
    (written.InPlaceGate, COREML_EXPORT, "InPlaceGate with nothing done in place"),
    (written.Branching, "torch-export", "Branching with torch.where for a branch on data"),
]


@pytest.mark.parametrize(("kind", "target", "replacement"), WRITTEN)
def test_what_people_write(kind, target, replacement):
    what = subject_of(lambda: kind().eval())
    assert failures(what, [target])
    (found,), _ = find(what, [target])
    assert found.replacement == replacement
    assert found.targets == (target,)


class Looping(nn.Module):
    """A loop on data: nothing but TorchScript keeps it."""

    def forward(self, x):
        halvings = 0
        while x.abs().max() > 1 and halvings < 8:
            x = x / 2
            halvings += 1
        return x


def test_script_in_place_of_trace():
    what = subject_of(lambda: nn.Sequential(Looping()).eval(), Gating)
    assert failures(what, [TRACE])
    (found,), _ = find(what, [TRACE])
    assert found.path == "0"
    assert found.replacement == "torch.jit.script(Looping)"
    model = what.build()
    exec(found.code, {"model": model})
    assert isinstance(model[0], torch.jit.ScriptModule)


def test_an_integer_argument():
    what = subject_of(lambda: nn.Sequential(nn.Threshold(0.0, 3)).eval())
    assert failures(what, [SCRIPT])
    (found,), _ = find(what, [SCRIPT])
    assert found.replacement == "Threshold(value=3.0)"
    assert found.code == "model[0].value = 3.0\n"


def test_in_place_on_the_input_of_the_whole():
    (found,), _ = find(subject("silu-inplace", "bare"), [COREML_EXPORT])
    assert found.replacement == "SiLU(inplace=False)"


def test_in_place_inside_a_model_is_nobodys_fault():
    what = subject_of(lambda: Deep(nn.SiLU(inplace=True), nn.CELU()).eval())
    found, _ = find(what, [COREML_EXPORT])
    assert [one.path for one in found] == ["blocks.1.act"]


class Estimator(nn.Module):
    def forward(self, x):
        return written.straight_through(x)


def test_a_wrong_candidate_is_refused_with_its_input():
    found, refuted = find(subject_of(lambda: Estimator().eval()), [COREML])
    assert found == []
    assert "its gradient differs" in refuted[0].why
    assert refuted[0].input is not None


def test_an_equal_one_that_does_not_help_is_refused_too():
    _, refuted = find(subject("threshold-0.1-20", "bare"), [ONNX])
    assert refuted[0].replacement == "Threshold(value=20.0)"
    assert refuted[0].why.startswith(f"it is equal, but {ONNX} fails with it too: Symbolic")


def test_what_shows_in_the_whole_only_is_found_there(monkeypatch):
    """Nothing fails alone: every candidate is tried in its place."""
    from exportcheck.rewrites import choosing, finding

    def only_the_whole(what, names):
        modules = what.build().modules()  # a scripted one is called what it was
        bad = [m for m in modules if getattr(m, "original_name", type(m).__name__) == "CELU"]
        whole = len(list(what.build().modules())) > 3
        return dict.fromkeys(names, "it fails") if bad and whole else {}

    monkeypatch.setattr(finding, "failures", only_the_whole)
    monkeypatch.setattr(choosing, "failures", only_the_whole)
    (found,), _ = find(subject_of(lambda: Deep(nn.CELU(0.5)).eval()), [COREML])
    assert found.path == "blocks.0.act"


def test_nothing_is_offered_where_nothing_is_known():
    assert find(subject("relu", "conv"), [COREML]) == ([], [])


def test_the_answer_is_json():
    found, refuted = find(subject("threshold-0.1-20", "bare"), [ONNX])
    assert json.loads(json.dumps([asdict(one) for one in (*found, *refuted)]))


def test_odd_names_are_reached():
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.by_name = nn.ModuleDict({"a-b": nn.CELU()})
            self.add_module("1x", nn.CELU(0.5))

        def forward(self, x):
            return self._modules["1x"](self.by_name["a-b"](x))

    what = subject_of(lambda: Odd().eval())
    found, _ = find(what, [COREML])
    model = what.build()
    x = torch.randn(1, 8, 4, 4)
    before = model(x)
    for one in found:
        exec(one.code, {"model": model})
    assert {type(m).__name__ for m in model.modules()} == {"Odd", "ModuleDict", "CELUElu"}
    np.testing.assert_allclose(model(x).numpy(), before.numpy(), atol=1e-6)


def test_celu_has_its_form_whatever_alpha_is():
    """PyTorch's own gradient of celu(x, 0.3) is 4e-8 off in float64."""
    (found,), refuted = find(subject_of(lambda: nn.CELU(0.3).eval()), [COREML])
    assert found.replacement.startswith("CELUElu")
    assert refuted == []
