from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck import forms, networks
from exportcheck.catalog.interface import ALL_NETWORKS
from exportcheck.networks import CHANNELS, EXAMPLE_SHAPES, NETWORKS


def built(network, activation, seed=0):
    torch.manual_seed(seed)
    module = NETWORKS[network](activation)
    networks.randomise(module)
    return module.eval()


def example(network):
    return torch.linspace(-3, 3, torch.Size(EXAMPLE_SHAPES[network]).numel()).reshape(
        EXAMPLE_SHAPES[network]
    )


def test_networks_have_the_names_of_the_catalogue():
    assert tuple(NETWORKS) == tuple(EXAMPLE_SHAPES) == ALL_NETWORKS


def test_bare_is_the_activation_itself():
    activation = nn.ReLU()
    assert networks.bare(activation) is activation


@pytest.mark.parametrize(
    ("network", "before", "after", "output"),
    [
        ("conv", [nn.Conv2d, nn.BatchNorm2d], [nn.Conv2d], (2, 4, 16, 16)),
        ("linear", [nn.Linear], [nn.Linear], (4, 4)),
    ],
)
@pytest.mark.parametrize("activation", [nn.ReLU, lambda: nn.GLU(1), lambda: forms.SwiGLU(1)])
def test_an_activation_sits_between_layers(network, before, after, output, activation):
    activation = activation()
    module = built(network, activation)
    assert module[len(before)] is activation
    assert [type(m) for m in module] == [*before, type(activation), *after]
    assert module(example(network)).shape == output


@pytest.mark.parametrize("network", ["conv", "linear"])
def test_the_layer_behind_a_gated_activation_is_half_as_wide(network):
    widths = [
        next(m[-1].parameters()).shape[1]
        for m in (built(network, nn.ReLU()), built(network, nn.GLU(1)))
    ]
    assert widths == [CHANNELS, CHANNELS // 2]


@pytest.mark.parametrize("network", ["conv", "linear"])
def test_the_activation_changes_what_comes_out(network):
    """Its layers being the same, a network must not hide which activation is inside."""
    relu, tanh = built(network, nn.ReLU()), built(network, nn.Tanh())
    assert (relu(example(network)) - tanh(example(network))).abs().max() > 0.01


def test_trying_the_width_leaves_no_trace_in_the_activation():
    module = built("conv", forms.FReLU(CHANNELS))
    assert module[2].bn.num_batches_tracked == 0


def test_randomise_moves_every_number_off_where_it_starts():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.PReLU(8))
    before = {k: v.clone() for k, v in module.state_dict().items()}
    networks.randomise(module)
    for name, value in module.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        assert (value != before[name]).all(), name
        assert value.flatten().unique().numel() == value.numel(), name
    assert (module[1].running_var > 0).all()


@pytest.mark.parametrize("network", NETWORKS)
def test_one_seed_gives_one_network(network):
    first, again, other = (built(network, nn.PReLU(8), seed) for seed in (0, 0, 1))
    x = example(network)
    assert torch.equal(first(x), again(x))
    assert not torch.equal(first(x), other(x))
