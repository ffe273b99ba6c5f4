"""Moves weights apart that a constructor leaves all alike: mixed up channels would go unseen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import nn


def unsettle(module: nn.Module) -> list[str]:
    """Moves parameters, and statistics of batch norms, of several elements that are all alike.

    Returns:
        The names of what was moved.
    """
    import torch

    moved = []
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if _alike(parameter):
                parameter.add_(0.1 * torch.randn_like(parameter))
                moved.append(name)
        for name, statistic in module.named_buffers():
            kind = name.rpartition(".")[2]
            if kind == "running_mean" and _alike(statistic):
                statistic.normal_(0.0, 0.2)
                moved.append(name)
            if kind == "running_var" and _alike(statistic):
                statistic.uniform_(0.5, 1.5)
                moved.append(name)
    return moved


def _alike(tensor: torch.Tensor) -> bool:
    """Whether it has several elements, floats, all of them the same."""
    several = tensor.is_floating_point() and tensor.numel() > 1
    return several and bool((tensor == tensor.flatten()[0]).all())
