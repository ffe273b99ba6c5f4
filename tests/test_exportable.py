"""Whole models as people write them, made exportable in place and back."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from exportcheck.errors import UsageError
from exportcheck.exportable import make_exportable
from exportcheck.rewrites.trying import failures
from exportcheck.targets import targets
from tests.rewrites.test_finding import subject_of

TRACE, SCRIPT, ONNX = "torchscript-trace", "torchscript-script", "onnx-trace-opset17"
COREML = "coreml-fp32"


# A detector's backbone in the manner of YOLO: Hardswish in its convolutions, LogSigmoid gates.


class Conv(nn.Module):
    def __init__(self, inside, outside, size=1, stride=1, act=None):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, stride, size // 2, bias=False)
        self.bn = nn.BatchNorm2d(outside)
        self.act = act or nn.Hardswish(inplace=True)

    def forward(self, x):
        return self.act(self.bn(self.conv(x)))


class Bottleneck(nn.Module):
    def __init__(self, width, act):
        super().__init__()
        self.cv1 = Conv(width, width)
        self.cv2 = Conv(width, width, 3, act=act)

    def forward(self, x):
        return x + self.cv2(self.cv1(x))


class C3(nn.Module):
    def __init__(self, width, depth, act):
        super().__init__()
        half = width // 2
        self.cv1, self.cv2 = Conv(width, half), Conv(width, half)
        self.cv3 = Conv(2 * half, width)
        self.m = nn.Sequential(*(Bottleneck(half, act) for _ in range(depth)))

    def forward(self, x):
        return self.cv3(torch.cat((self.m(self.cv1(x)), self.cv2(x)), 1))


class SPPF(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cv1, self.cv2 = Conv(width, width // 2), Conv(width * 2, width)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        pyramid = [self.cv1(x)]
        pyramid += [self.pool(pyramid[-1])]
        pyramid += [self.pool(pyramid[-1])]
        pyramid += [self.pool(pyramid[-1])]
        return self.cv2(torch.cat(pyramid, 1))


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        gate = nn.LogSigmoid()
        self.stem = Conv(3, 8, 3, 2)
        self.stage = nn.Sequential(Conv(8, 16, 3, 2), C3(16, 2, gate), SPPF(16))
        self.head = nn.Conv2d(16, 12, 1)
        self.score = gate

    def forward(self, x):
        x = self.head(self.stage(self.stem(x)))
        boxes, scores = x.split((4, 8), 1)
        return boxes, self.score(scores)


# A transformer encoder with the tanh GELU of GPT-2 and CELU projections.


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).reshape(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) / (width // self.heads) ** 0.5, -1)
        return self.out((weights @ v).transpose(1, 2).reshape(batch, length, width))


class Layer(nn.Module):
    def __init__(self, width, heads, act):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), act, nn.Linear(4 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Pooler(nn.Module):
    """Calls a native function, and keeps what it does not need a module for."""

    def __init__(self, width):
        super().__init__()
        self.project = nn.Linear(width, 8)

    def forward(self, x):
        return F.celu(self.project(x.mean(1)), 0.5)


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(6, 16)
        acts = nn.GELU(approximate="tanh"), nn.CELU(1.5)
        self.layers = nn.ModuleList(Layer(16, 2, act) for act in acts)
        self.pool = Pooler(16)
        self.classes = nn.LogSoftmax(-1)

    def forward(self, x):
        x = self.embed(x)
        for layer in self.layers:
            x = layer(x)
        return self.classes(self.pool(x))


class Denoiser(nn.Sequential):
    """A shrinkage network: one threshold for each layer."""

    def __init__(self):
        super().__init__(
            nn.Linear(12, 16),
            nn.Softshrink(0.2),
            nn.Linear(16, 16),
            nn.Hardshrink(0.3),
            nn.PReLU(16),
            nn.Linear(16, 12),
            nn.Threshold(-0.5, -1),
        )


MODELS = {
    "detector": (Detector, (1, 3, 32, 32), [ONNX, COREML], {"stage.1.m.0.cv2.act"}),
    "transformer": (
        Transformer,
        (2, 5, 6),
        [TRACE, COREML],
        {"layers.1.mlp.1", "pool"},
    ),
    "denoiser": (Denoiser, (4, 12), [SCRIPT, ONNX, COREML], {"1", "3", "4", "6"}),
}


def made(kind):
    torch.manual_seed(0)
    model = kind().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def flat(outputs):
    return outputs if isinstance(outputs, tuple) else (outputs,)


def run_back(model, x, name, folder):
    """The outputs of `model` from `x`, by way of the file that `name` saves."""
    target = targets()[name]
    runtime = next(r for r in target.runtimes if r.missing() is None)
    path = folder / f"model{target.suffix}"
    target.save(target.export(copy.deepcopy(model), (x,)), path)
    return runtime.load(path).run((x.numpy(),))


@pytest.mark.parametrize("name", MODELS)
def test_a_whole_model_exports_with_equal_outputs(name, tmp_path):
    kind, shape, names, paths = MODELS[name]
    model, x = made(kind), torch.randn(shape)
    before = flat(model(x))
    keys = list(model.state_dict())
    swaps = make_exportable(model, targets=names, example_inputs=x)
    assert {one.path for one in swaps} == paths
    assert list(model.state_dict()) == keys
    for target in names:
        for actual, expected in zip(run_back(model, x, target, tmp_path), before, strict=True):
            np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    swaps.undo()
    assert all(torch.equal(a, b) for a, b in zip(flat(model(x)), before, strict=True))


@pytest.mark.parametrize(
    ("name", "target"), [("detector", COREML), ("transformer", COREML), ("denoiser", ONNX)]
)
def test_without_it_the_model_does_not_export(name, target, tmp_path):
    kind, shape, _, _ = MODELS[name]
    with pytest.raises((NotImplementedError, torch.onnx.errors.SymbolicValueError)):
        run_back(made(kind), torch.randn(shape), target, tmp_path)


@pytest.fixture
def denoiser():
    return made(Denoiser)


X = torch.linspace(-3, 3, 48).reshape(4, 12)


def test_only_what_fails_on_an_asked_target_is_touched(denoiser):
    kinds = [type(m) for m in denoiser]
    assert not make_exportable(denoiser, targets=[TRACE], example_inputs=X)
    assert [type(m) for m in denoiser] == kinds
    (swapped,) = make_exportable(denoiser, targets=[SCRIPT], example_inputs=X)
    assert (swapped.path, swapped.targets) == ("6", (SCRIPT,))


def test_each_swap_says_what_was_proved_and_how_to_write_it(denoiser):
    (swapped,) = make_exportable(denoiser, targets=[ONNX], example_inputs=X)
    assert swapped.original == "Threshold(threshold=-0.5, value=-1)"
    assert swapped.replacement == "ThresholdWhere(threshold=-0.5, value=-1)"
    assert swapped.proof[0].startswith("equal in float32 on given, grid")
    other = made(Denoiser)
    expected = other(X)
    exec(swapped.code, {"model": other})
    torch.testing.assert_close(other(X), expected)


def test_a_with_block_undoes_at_its_end(denoiser):
    with make_exportable(denoiser, targets=[ONNX], example_inputs=X) as swaps:
        assert type(denoiser[6]).__name__ == "ThresholdWhere"
        assert len(swaps) == 1
    assert type(denoiser[6]) is nn.Threshold
    swaps.undo()
    assert type(denoiser[6]) is nn.Threshold


def test_everything_that_others_hold_on_to_stays(denoiser):
    denoiser.train()
    denoiser[4].eval()
    kept, parameters = list(denoiser), dict(denoiser.named_parameters())
    modes = [m.training for m in denoiser.modules()]
    seen = []
    forward = denoiser[1].register_forward_hook(lambda *args: seen.append("forward"))
    denoiser[1].register_full_backward_hook(lambda *args: seen.append("backward"))
    with make_exportable(denoiser, targets=[COREML, ONNX], example_inputs=X) as swaps:
        assert len(swaps) == 4
        assert seen == [], "hooks do not run on our account"
        assert list(denoiser) == kept
        assert [m.training for m in denoiser.modules()] == modes
        assert all(p is parameters[n] for n, p in denoiser.named_parameters())
        denoiser(X).sum().backward()
        assert seen == ["forward", "backward"]
        forward.remove()
        denoiser(X)
        assert seen == ["forward", "backward"]
    assert denoiser[4].weight.grad is not None


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_the_dtype_stays(denoiser, dtype):
    denoiser.to(dtype)
    swaps = make_exportable(denoiser, targets=[COREML], example_inputs=X.to(dtype))
    assert {one.path for one in swaps} == {"1", "3", "4"}
    assert {p.dtype for p in denoiser.parameters()} == {dtype}
    assert denoiser(X.to(dtype)).dtype is dtype


def test_a_module_in_several_places_is_swapped_once():
    shared = nn.CELU()
    model = nn.Sequential(nn.Linear(4, 4), shared, nn.Linear(4, 4), shared).eval()
    swaps = make_exportable(model, targets=[COREML], example_inputs=torch.randn(2, 4))
    assert [one.path for one in swaps] == ["1"]
    assert model[1] is model[3] is shared


def test_modules_that_are_alike_are_tried_once(monkeypatch):
    from exportcheck import exportable

    tried = []

    def counting(subject, names):
        tried.append(subject.name)
        return failures(subject, names)

    monkeypatch.setattr(exportable, "failures", counting)
    model = nn.Sequential(nn.CELU(), nn.CELU(), nn.CELU(0.5), nn.Linear(4, 4), nn.CELU()).eval()
    swaps = make_exportable(model, targets=[COREML], example_inputs=torch.randn(2, 4))
    assert [one.path for one in swaps] == ["0", "1", "2", "4"]
    assert tried == ["CELU", "CELU"]


def test_the_model_itself_may_be_at_fault():
    model = nn.LogSigmoid()
    with make_exportable(model, targets=[COREML], example_inputs=torch.randn(2, 4)) as swaps:
        assert [one.path for one in swaps] == [""]
        assert not failures(subject_of(lambda: copy.deepcopy(model)), [COREML])
    assert type(model) is nn.LogSigmoid


def test_example_inputs_may_be_left_out(denoiser):
    swaps = make_exportable(denoiser, targets=["coreml-fp32"])
    assert {one.path for one in swaps} >= {"1", "3"}


class Residual(nn.Module):
    """The residual reads what the activation wrote over."""

    def __init__(self):
        super().__init__()
        self.act = nn.Threshold(0.1, 20, inplace=True)

    def forward(self, x):
        x = x * 1
        return x + self.act(x)


def test_a_swap_that_changes_the_whole_is_taken_back():
    model = nn.Sequential(Residual(), nn.CELU()).eval()
    swaps = make_exportable(model, targets=[ONNX, COREML], example_inputs=torch.randn(2, 4))
    assert [one.path for one in swaps] == ["1"]
    assert type(model[0].act) is nn.Threshold
    (refuted,) = [one for one in swaps.refuted if "whole" in one.why]
    assert refuted.path == "0.act"
    assert refuted.why.startswith(
        "alone it is equal, but the whole model changes: output 0: finite"
    )


def test_a_form_for_eval_only_is_not_put_into_a_model_that_trains():
    model = nn.Sequential(nn.Linear(4, 4), nn.RReLU())
    example = torch.randn(2, 4)
    swaps = make_exportable(model.train(), targets=["onnx-dynamo-opset18"], example_inputs=example)
    assert not swaps
    assert "in training the two differ" in swaps.refuted[-1].why
    swaps = make_exportable(model.eval(), targets=["onnx-dynamo-opset18"], example_inputs=example)
    assert [one.path for one in swaps] == ["1"]


def test_targets_are_names_or_patterns(denoiser):
    swaps = make_exportable(denoiser, targets=["torchscript-s*"], example_inputs=(X,))
    assert [one.path for one in swaps] == ["6"]
    with pytest.raises(UsageError, match="no target 'onyx-\\*'; there are: torchscript-trace, "):
        make_exportable(denoiser, targets=["onyx-*"], example_inputs=X)


def test_example_inputs_that_do_not_fit_are_said(denoiser):
    with pytest.raises(UsageError, match="does not take the example inputs: RuntimeError: mat1"):
        make_exportable(denoiser, targets=[ONNX], example_inputs=torch.randn(2, 3))


def test_nothing_is_printed(capfd):
    model = nn.Sequential(nn.Threshold(0.1, 20)).eval()
    make_exportable(model, targets=[ONNX], example_inputs=torch.randn(2, 4))
    assert capfd.readouterr() == ("", "")
