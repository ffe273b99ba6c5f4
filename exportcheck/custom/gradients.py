"""Whether a module's gradient is that of what it computes: autograd beside finite differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Tuple

import numpy as np

from exportcheck.judge import described
from exportcheck.subject import Subject
from exportcheck.trees import leaves

STEP = 1e-6
LIMIT = 1e-4
"""Slopes that differ by more, in proportion to max(1, slope), are different slopes.

Rounding in float64 over such a step makes 1e-8 of it, the curvature of an activation 1e-6.
"""

DIRECTIONS = 8


def gradient_facts(what: Subject) -> dict[str, Any]:
    """How far autograd is from the slopes to either side; `error` alone where it has no gradient.

    `gradient_error`: the largest distance of the gradient from what lies between the slope to the
    left and the slope to the right, which differ at a kink, over max(1, slope), in float64; of an
    elementwise module at every point of its grid, else in some directions. `gradient_right`:
    whether that is within `LIMIT`. `gradient_at`: the worst input, of an elementwise module.
    """
    try:
        slope, left, right, points = (_pointwise if what.elementwise else _directional)(what)
    except Exception as error:  # a module may refuse to be trained; that is what is to be told
        return {"error": described(error).splitlines()[0], "gradient_right": False}
    low, high = np.minimum(left, right), np.maximum(left, right)
    with np.errstate(all="ignore"):
        outside = np.maximum(0.0, np.maximum(low - slope, slope - high))
        errors = outside / np.maximum(1.0, np.abs(left))
    errors = np.where(np.isfinite(left) & np.isfinite(right), errors, 0.0)
    errors = np.where(np.isnan(errors), np.inf, errors)
    worst = int(np.argmax(errors))
    facts: dict[str, Any] = {
        "gradient_error": float(errors.flat[worst]),
        "gradient_right": bool(errors.flat[worst] <= LIMIT),
        "gradient_reference": "slopes to either side, float64",
    }
    if points is not None:
        facts["gradient_at"] = float(points.flat[worst])
    return facts


_Slopes = Tuple[np.ndarray, np.ndarray, np.ndarray, Any]
"""The gradient, the slopes to the left and to the right, and where; None where that has no name."""


def _pointwise(what: Subject) -> _Slopes:
    import torch

    module = what.build().double()
    x = torch.from_numpy(what.inputs("float32")[0].values.copy()).double()
    leaf = x.clone().requires_grad_()
    # An in-place module may not write to a leaf.
    (slope,) = torch.autograd.grad(module(leaf * 1).sum(), leaf)
    with torch.no_grad():
        before, here, after = (module(x + k * STEP) for k in (-1, 0, 1))
    return slope.numpy(), _over(here, before), _over(after, here), x.numpy()


def _over(upper: Any, lower: Any) -> np.ndarray:
    return np.asarray(((upper - lower) / STEP).numpy())


def _directional(what: Subject) -> _Slopes:
    import torch

    module = what.build().double()
    given = [t.double() if t.is_floating_point() else t for t in what.example()]
    varied = [index for index, tensor in enumerate(given) if tensor.is_floating_point()]
    generator = torch.Generator().manual_seed(0)

    def drawn(like: Any) -> Any:
        return torch.randn(like.shape, generator=generator, dtype=torch.float64)

    directions = [[drawn(given[index]) for index in varied] for _ in range(DIRECTIONS)]
    sources = [given[index].clone().requires_grad_() for index in varied]
    inputs = list(given)
    for index, leaf in zip(varied, sources):
        inputs[index] = leaf * 1
    weights: list[Any] = []
    total = _weighted(module(*inputs), weights, drawn)
    found = torch.autograd.grad(total, sources, allow_unused=True)
    gradient = [torch.zeros_like(given[i]) if g is None else g for g, i in zip(found, varied)]
    slopes = [sum(float((g * d).sum()) for g, d in zip(gradient, one)) for one in directions]

    def value(direction: Sequence[Any], step: float) -> float:
        moved = list(given)
        for index, along in zip(varied, direction):
            moved[index] = given[index] + step * along
        with torch.no_grad():
            return float(_weighted(module(*(t.clone() for t in moved)), weights, drawn))

    values = [[value(one, k * STEP) for k in (-1, 0, 1)] for one in directions]
    left = [(here - before) / STEP for before, here, _ in values]
    right = [(after - here) / STEP for _, here, after in values]
    return np.array(slopes), np.array(left), np.array(right), None


def _weighted(outputs: Any, weights: list[Any], drawn: Any) -> Any:
    """The sum of every output times its own weight, drawn the first time."""
    floats = [leaf for leaf in leaves(outputs) if hasattr(leaf, "is_floating_point")]
    floats = [leaf for leaf in floats if leaf.is_floating_point()]
    if not weights:
        weights += [drawn(leaf) for leaf in floats]
    return sum((leaf.double() * weight).sum() for leaf, weight in zip(floats, weights))
