"""Whether two modules have the same gradient, in float64, by autograd."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from exportcheck.trees import leaves

if TYPE_CHECKING:
    from torch import nn

CLOSE = 2.0**-23
"""Gradients that differ by no more, in proportion to max(1, gradient), are one: a float32 epsilon.
PyTorch's own are no better in float64: softplus is a straight line from 20 on, 2e-9 off, and the
gradient of celu(x, 0.3) was measured to be 4e-8 off exp(x / 0.3)."""

_NEAR = 1e-6
_KINK = 1e-3
"""A gradient that changes by more within 2e-6 has a jump there."""


@dataclass(frozen=True)
class Slope:
    """The first place where gradients differ.

    Attributes:
        of: the input or parameter.
        input: the input there; None where the module is not elementwise.
        actual: the one gradient.
        expected: the other.
    """

    of: str
    input: float | None
    actual: float
    expected: float

    def __str__(self) -> str:
        where = "" if self.input is None else f" at x = {self.input:.8g}"
        return f"{self.actual:.8g} for {self.expected:.8g}{where}"


def gradients(
    module: nn.Module, arrays: tuple[np.ndarray, ...], elementwise: bool
) -> dict[str, np.ndarray]:
    """Gradients by input (`0`, `1`) and parameter of the sum of the outputs.

    The outputs are weighted, or a sum that is always 1, as softmax's, would have none; those of an
    elementwise module are not: each gradient is then that of one point.

    Raises:
        Exception: the module refuses to be differentiated.
    """
    import torch

    wide = copy.deepcopy(module).double()
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    tensors = [t.double() if t.is_floating_point() else t for t in tensors]
    sources: dict[str, Any] = {
        str(i): t.requires_grad_() for i, t in enumerate(tensors) if t.is_floating_point()
    }
    sources.update((n, p) for n, p in wide.named_parameters() if p.requires_grad)
    # An in-place module may not write to a leaf.
    outputs = wide(*(t * 1 if t.requires_grad else t for t in tensors))
    found = torch.autograd.grad(
        _total(outputs, elementwise), list(sources.values()), allow_unused=True
    )
    return {
        name: (torch.zeros_like(source) if g is None else g).detach().numpy()
        for (name, source), g in zip(sources.items(), found)
    }


def _total(outputs: Any, elementwise: bool) -> Any:
    import torch

    floats = [x for x in leaves(outputs) if torch.is_tensor(x) and x.is_floating_point()]
    if elementwise:
        return sum(x.sum() for x in floats)
    weights = [torch.linspace(0.5, 1.5, x.numel(), dtype=x.dtype).reshape(x.shape) for x in floats]
    return sum((x * weight).sum() for x, weight in zip(floats, weights))


def difference(
    mine: dict[str, np.ndarray],
    theirs: dict[str, np.ndarray],
    original: nn.Module,
    points: np.ndarray | None,
) -> tuple[Slope | None, Slope | None]:
    """Where a gradient is not that of `original`; and the same at a kink, where that has none.

    Points where the original's gradient is not finite do not count.

    Args:
        mine: gradients of the other module.
        theirs: of the original.
        original: asked for its gradient around points where the two differ.
        points: the input of an elementwise module; None of any other.
    """
    at_kink = None
    for name in theirs:
        if name not in mine:
            return Slope(name, None, float("nan"), float(theirs[name].flat[0])), None
        wrong = _far(mine[name], theirs[name])
        here = points if name == "0" else None
        if here is not None and wrong.any():
            kinks = wrong & np.isfinite(mine[name]) & _kinks(original, here)
            at_kink = _at(name, mine, theirs, kinks, here)
            wrong &= ~kinks
        found = _at(name, mine, theirs, wrong, here)
        if found is not None:
            return found, at_kink
    return None, at_kink


def _far(actual: np.ndarray, expected: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        near = np.abs(actual - expected) <= CLOSE * np.maximum(1.0, np.abs(expected))
    return np.isfinite(expected) & ~near


def _kinks(original: nn.Module, x: np.ndarray) -> np.ndarray:
    """Where the gradient of an elementwise module jumps."""
    step = _NEAR * np.maximum(1.0, np.abs(x.astype(np.float64)))
    left, right = (gradients(original, (x + side * step,), True)["0"] for side in (-1, 1))
    with np.errstate(all="ignore"):
        return np.abs(left - right) > _KINK * np.maximum(1.0, np.abs(left))


def _at(
    name: str,
    mine: dict[str, np.ndarray],
    theirs: dict[str, np.ndarray],
    marked: np.ndarray,
    inputs: np.ndarray | None,
) -> Slope | None:
    if not marked.any():
        return None
    first = int(np.argmax(marked))
    x = None if inputs is None else float(inputs.flat[first])
    return Slope(name, x, float(mine[name].flat[first]), float(theirs[name].flat[first]))
