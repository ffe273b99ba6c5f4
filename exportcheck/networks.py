"""The tiny networks that an activation is wrapped in, eight channels wide, weights seeded.

Each is `Callable[[Module], Module]`; `EXAMPLE_SHAPES` says what it takes. A gated activation halves
its channels, so the layer behind it is sized by trying the activation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

if TYPE_CHECKING:
    from torch import nn

CHANNELS = 8

EXAMPLE_SHAPES: dict[str, tuple[int, ...]] = {
    "bare": (2, CHANNELS, 16, 16),
    "conv": (2, 3, 16, 16),
    "linear": (4, 16),
}


def bare(activation: nn.Module) -> nn.Module:
    """The activation alone, so that inputs hit it directly."""
    return activation


def conv(activation: nn.Module) -> nn.Module:
    """Conv-BN-activation-Conv, `(N, 3, H, W)` to `(N, 4, H, W)`: where converters fuse."""
    from torch import nn

    inside = _width(activation, (1, CHANNELS, 4, 4))
    return nn.Sequential(
        nn.Conv2d(3, CHANNELS, 3, padding=1, bias=False),
        nn.BatchNorm2d(CHANNELS),
        activation,
        nn.Conv2d(inside, 4, 3, padding=1),
    )


def linear(activation: nn.Module) -> nn.Module:
    """Linear-activation-Linear, `(N, 16)` to `(N, 4)`."""
    from torch import nn

    inside = _width(activation, (1, CHANNELS))
    return nn.Sequential(nn.Linear(16, CHANNELS), activation, nn.Linear(inside, 4))


def _width(activation: nn.Module, shape: tuple[int, ...]) -> int:
    """How many channels the activation, in eval mode, makes of `shape`."""
    import torch

    with torch.no_grad():
        return int(activation.eval()(torch.zeros(shape)).shape[1])


NETWORKS: dict[str, Callable[[Any], Any]] = {"bare": bare, "conv": conv, "linear": linear}


def randomise(module: nn.Module) -> None:
    """Moves every parameter and running statistic off its initial value, from torch's generator.

    A slope that all channels share, or a batch norm with mean 0 and variance 1, would hide an
    exporter that mixes channels up or drops the layer.
    """
    import torch
    from torch import nn

    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
        for layer in module.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.running_mean.normal_(0.0, 0.2)  # type: ignore[union-attr]  # always tracked
                layer.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]  # always tracked
