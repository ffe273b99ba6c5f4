from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck import forms
from exportcheck.custom.guessing import sample
from exportcheck.custom.laws import law_of
from exportcheck.custom.module_spec import InputSpec
from tests.user_code import good

BATCH = sample(InputSpec((2, 8, 16, 16)))


class MeanGate(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(x.mean())


class Mostly(nn.Module):
    """Elementwise but for a branch that one large number decides."""

    def forward(self, x):
        return torch.relu(x) if bool(x.max() < 50) else x


class Neighbour(nn.Module):
    def forward(self, x):
        return x + 0.001 * torch.roll(x, 1, -1)


class PerChannel(nn.Module):
    def forward(self, x):
        return torch.clamp(x, max=torch.arange(8.0).reshape(1, 8, 1, 1) + 0.3)


@pytest.mark.parametrize(
    ("module", "elementwise"),
    [
        (nn.ReLU(), True),
        (nn.PReLU(8), True),
        (nn.BatchNorm2d(8).eval(), True),
        (good.Hard(), True),
        (PerChannel(), True),
        (nn.Softmax(1), False),
        (nn.LayerNorm(16), False),
        (nn.MaxPool2d(3, 1, 1), False),
        (nn.Conv2d(8, 8, 1), False),
        (nn.AdaptiveAvgPool2d(1), False),
        (MeanGate(), False),
        (Mostly(), False),
        (Neighbour(), False),
        (good.Wary(), False),
    ],
)
def test_elementwise_is_found_by_disturbing_the_others(module, elementwise):
    assert law_of(module, BATCH).elementwise is elementwise


@pytest.mark.parametrize(
    ("module", "knees"),
    [
        (nn.Hardswish(), {-3.0, 3.0}),
        (forms.HardswishHardtanh(), {-3.0, 3.0}),
        (nn.ReLU6(), {0.0, 6.0}),
        (nn.Hardshrink(0.7), {-0.7, 0.7}),
        (nn.Threshold(0.1, 20), {0.1}),
        (nn.Softplus(threshold=1), {1.0}),
        (nn.PReLU(8), {0.0}),
        (nn.Hardtanh(-1.25, 2.5), {-1.25, 2.5}),
    ],
)
def test_kinks_and_jumps_are_found_wherever_they_come_from(module, knees):
    found = law_of(module, BATCH).knees
    for knee in knees:
        assert min(abs(x - knee) for x in found[: 1 + 2 * len(knees)]) < 1e-6 * max(1, abs(knee))


def test_a_knee_of_its_own_in_each_channel_is_found():
    found = np.array(law_of(PerChannel(), BATCH).knees)
    near = [np.abs(found - (channel + 0.3)).min() < 1e-5 for channel in range(8)]
    assert sum(near) >= 4


def test_a_softplus_is_probed_where_beta_times_x_is_the_threshold():
    class Called(nn.Module):
        def forward(self, x):
            return nn.functional.softplus(x, 2.0, 10.0)

    class Untraced(forms.SoftplusWhere):
        def forward(self, x):
            return super().forward(x) if not torch.jit.is_tracing() else None

    for module in (nn.Softplus(2.0, 10.0), Called(), Untraced(2.0, 10.0)):
        assert 5.0 in law_of(module, BATCH).knees


@pytest.mark.parametrize("module", [nn.SiLU(), nn.GELU(), nn.Tanh(), nn.Mish()])
def test_a_smooth_function_has_none_but_zero(module):
    assert law_of(module, BATCH).knees == (0.0,)


def test_constants_of_the_graph_are_candidates():
    assert {4.0, -4.0} <= set(law_of(forms.Squareplus(), BATCH).knees)


def test_whoever_insists_on_float32_still_has_a_law():
    class Single(nn.Module):
        def forward(self, x):
            return (
                torch.relu(x)
                + torch.zeros(16, dtype=torch.float32).to(x.device).view_as(x[0, 0, 0]) * x.float()
            )

    assert law_of(Single(), BATCH).elementwise
