from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck.custom.gradients import LIMIT, gradient_facts
from exportcheck.custom.guessing import guess
from exportcheck.custom.modules import FromModule
from exportcheck.custom.resolving import Resolved
from exportcheck.subject import Subject
from tests.user_code import good


class Apply(nn.Module):
    def __init__(self, function, mix=False) -> None:
        super().__init__()
        self.function = function
        self.mix = mix

    def forward(self, x):
        y = self.function.apply(x)
        return y + y.mean() if self.mix else y


class Detached(nn.Module):
    def forward(self, x):
        return x.detach() * 2


def facts(module):
    source = FromModule("m", Resolved(lambda: module, "", ready=True), guess(module, ""))
    return source.elementwise, gradient_facts(Subject(source))


@pytest.mark.parametrize(
    "module",
    [
        nn.ReLU(),
        nn.ReLU(inplace=True),
        nn.Hardswish(),
        nn.Hardshrink(),
        nn.GELU(),
        nn.Softmax(1),
        nn.Conv2d(3, 4, 3),
        nn.Sequential(nn.Linear(6, 4), nn.Mish(), nn.Linear(4, 2)),
        Apply(good.Square),
        Apply(good.Square, mix=True),
    ],
)
def test_a_right_gradient_lies_between_the_slopes(module):
    _, found = facts(module.eval())
    assert found["gradient_right"], found
    assert found["gradient_error"] <= LIMIT


@pytest.mark.parametrize("mix", [False, True])
def test_a_wrong_backward_is_found(mix):
    elementwise, found = facts(Apply(good.WrongSquare, mix))
    assert elementwise is not mix
    assert not found["gradient_right"]
    assert found["gradient_error"] == pytest.approx(0.5, rel=0.5)
    assert ("gradient_at" in found) is elementwise


def test_a_module_without_a_gradient_says_so():
    _, found = facts(Detached())
    assert "does not require grad" in found["error"]
    assert not found["gradient_right"]


def test_integers_have_no_gradient_but_do_no_harm():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    _, found = facts(module)
    assert "error" in found
