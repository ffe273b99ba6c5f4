from __future__ import annotations

import inspect
import math

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.custom.deciding import decided_by_data
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.custom.modules import module_subject
from exportcheck.results import Case, Status
from exportcheck.stages import check
from tests.user_code import good

X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


class Calling(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.tensor([1.5]))

    def forward(self, x):
        return self.function(self, x)


def scratch(x):
    y = torch.zeros(3)
    y[0] = x.sum()
    return x if y[0] else -x


def summed(x):
    y = torch.zeros(3)
    y.add_(x.sum())
    return x if y[0] else -x


def out(x):
    y = torch.zeros(2, 3)
    torch.abs(x, out=y)
    return x if y.max() > 1 else -x


def decisions(function):
    _, first = inspect.getsourcelines(function)
    count = len(inspect.getsource(function).splitlines())
    found = decided_by_data(Calling(function).eval(), (X,))
    assert all(line.startswith("tests/custom/test_deciding.py:") for line in found)
    lines = [int(line.rpartition(":")[2]) - first for line in found]
    assert all(0 <= line < count for line in lines)
    return lines


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x if x.sum() > 0 else -x,
        lambda self, x: x * 2 if (x == 123.0).any() else x,
        lambda self, x: x * x.mean().item(),
        lambda self, x: x * float(x[0, 0]),
        lambda self, x: x * int(x.max()),
        lambda self, x: x * math.sqrt(x.sum()),
        lambda self, x: x * [1, 2, 3][x.argmax() // 4],
        lambda self, x: x * x.tolist()[0][0],
        lambda self, x: torch.from_numpy(x.detach().numpy() * 2),
        lambda self, x: torch.from_numpy(np.asarray(x) * 2),
        lambda self, x: x if torch.equal(x, x.abs()) else -x,
        lambda self, x: x if 1.0 in x else -x,
        lambda self, x: x if self.weight * x.sum() > 0 else -x,
        lambda self, x: x if torch.ops.aten.relu(x).sum() else -x,
        lambda self, x: x if good.Square.apply(x).sum() else -x,
        lambda self, x: x if x.topk(1, 1)[1].max() else -x,
    ],
)
def test_whatever_makes_a_number_of_the_data_is_found_with_its_line(function):
    assert decisions(function) == [0]


@pytest.mark.parametrize(("function", "line"), [(scratch, 3), (summed, 3), (out, 3)])
def test_what_is_written_in_place_depends_on_the_data_too(function, line):
    found = decided_by_data(Calling(lambda self, x: function(x)), (X,))
    _, first = inspect.getsourcelines(function)
    assert found == (f"tests/custom/test_deciding.py:{first + line}",)


@pytest.mark.parametrize(
    "function",
    [
        lambda self, x: x * x.shape[0] if x.size(1) > 2 else x,
        lambda self, x: x * float(self.weight),
        lambda self, x: x if self.weight.sum() > 0 else -x,
        lambda self, x: x * len(x) / x.numel(),
        lambda self, x: torch.where(x.sum() > 0, x, -x),
        lambda self, x: sum(row for row in x),
        lambda self, x: x[x > 2],
        lambda self, x: x * torch.tensor(x.shape[-1]).sqrt().item(),
    ],
)
def test_sizes_weights_and_what_the_graph_can_do_decide_nothing(function):
    assert decisions(function) == []


def test_the_inputs_stay_what_they_were():
    given = X.clone()
    assert decided_by_data(Calling(lambda self, x: x.mul_(2)), (given,)) == ()
    assert torch.equal(given, X)


@pytest.mark.parametrize(
    ("target", "runtime", "noted"),
    [
        ("torchscript-trace", "libtorch", True),
        ("torchscript-script", "libtorch", False),
        ("onnx-trace-opset17", "onnxruntime", True),
        ("coreml-fp32", "mil-numpy", True),
    ],
)
def test_every_target_that_traces_notes_what_it_fixed(target, runtime, noted):
    what = module_subject(ModuleSpec("tests.user_code.good:Rare"), "bare")
    result = check(Case("Rare", "bare", target, runtime, "t"), find=lambda: what)
    assert result.status is Status.PASS
    _, first = inspect.getsourcelines(good.Rare.forward)
    note = f"the trace fixes what forward decides by data at tests/user_code/good.py:{first + 1}"
    assert (note in result.notes) is noted


def test_a_forward_that_does_not_bear_being_watched_is_noted(monkeypatch):
    def refuse(module, example):
        raise RuntimeError("no modes\nhere")

    monkeypatch.setattr("exportcheck.subject.decided_by_data", refuse)
    what = module_subject(ModuleSpec("tests.user_code.good:Hard", state=""), "linear")
    result = check(Case("h", "linear", "torchscript-trace", "libtorch", "t"), find=lambda: what)
    assert result.status is Status.PASS
    assert result.notes[0].endswith("is not known: RuntimeError: no modes")
