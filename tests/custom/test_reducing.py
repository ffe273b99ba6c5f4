from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from exportcheck.custom.guessing import guess
from exportcheck.custom.modules import FromModule
from exportcheck.custom.reducing import BUDGET_S, reduce
from exportcheck.custom.resolving import Resolved
from exportcheck.results import Case, Stage, Status
from exportcheck.subject import Subject


class Head(nn.Module):
    """The list is no module that is called; the culprit stands inside of it."""

    def __init__(self, act) -> None:
        super().__init__()
        self.steps = nn.ModuleList([nn.Conv2d(8, 8, 1), nn.Sequential(nn.ReLU(), act)])

    def forward(self, x):
        for step in self.steps:
            x = step(x)
        return x


class Own(nn.Module):
    """Calls the operator itself: no submodule is to blame."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(8, 8, 1)

    def forward(self, x):
        return torch.celu(self.mix(x))


def subject(module) -> Subject:
    torch.manual_seed(0)
    module = module.eval()
    resolved = Resolved(lambda: copy.deepcopy(module), "", ready=True)
    return Subject(FromModule("m", resolved, guess(module, "")))


def case(target, runtime):
    return Case("m", "bare", target, runtime, "here")


COREML = case("coreml-fp32", "mil-numpy")


@pytest.mark.parametrize(
    ("module", "cell", "path"),
    [
        (nn.Sequential(nn.Conv2d(8, 8, 1), Head(nn.LogSigmoid())), COREML, "1.steps.1.1"),
        (Head(nn.Softplus(threshold=1)), case("onnx-trace-opset17", "onnxruntime"), "steps.1.1"),
        (nn.Sequential(nn.ReLU(), Own()), COREML, "1"),
        (nn.LogSigmoid(), COREML, ""),
    ],
)
def test_the_smallest_submodule_that_fails_the_same_way(module, cell, path):
    found = reduce(subject(module), cell)
    assert found.path == path
    assert type(found.what.build()) is type(module.get_submodule(path))
    assert found.result.status in (Status.ERROR, Status.MISMATCH)


def test_another_way_to_fail_is_no_reduction():
    """Alone, each of the two refuses another operator first."""
    module = nn.Sequential(nn.CELU(), nn.LogSigmoid())
    found = reduce(subject(module), COREML)
    assert found.path == "0"
    assert found.result.stage is Stage.EXPORT


def test_time_is_bounded():
    ticks = iter([0.0, BUDGET_S + 1])
    module = nn.Sequential(nn.ReLU(), nn.LogSigmoid())
    assert reduce(subject(module), COREML, lambda: next(ticks)).path == ""
