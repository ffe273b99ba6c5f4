from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.rewrites.slopes import CLOSE, difference, gradients

X = np.linspace(-3, 5, 33, dtype=np.float32)


class Scaled(nn.Module):
    def __init__(self, slope):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    def forward(self, x):
        return x * self.slope


def between(one: nn.Module, other: nn.Module):
    mine, theirs = (gradients(module, (X,), True) for module in (one, other))
    return difference(mine, theirs, other, X.astype(np.float64))


@pytest.mark.parametrize(("off", "same"), [(0.5 * CLOSE, True), (2 * CLOSE, False)])
def test_a_float32_epsilon_is_allowed_and_no_more(off, same):
    found, _ = between(Scaled(1.0 + off), Scaled(1.0))
    assert (found is None) == same
    assert same or found.of == "0"


def test_the_gradient_of_a_parameter_counts_too():
    class Other(Scaled):
        def forward(self, x):
            return x * self.slope.detach()

    found, _ = between(Other(1.0), Scaled(1.0))
    assert found.of == "slope"


def test_at_a_kink_there_is_no_gradient_to_keep():
    class Above(nn.Module):
        def forward(self, x):
            return torch.where(x >= 0, x, 0 * x)

    found, kink = between(Above(), nn.ReLU())
    assert found is None
    assert (kink.input, kink.actual, kink.expected) == (0.0, 1.0, 0.0)
