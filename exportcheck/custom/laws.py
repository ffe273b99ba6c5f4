"""What kind of function a module is: whether elementwise, and where its law may change."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from exportcheck.judge import described
from exportcheck.trees import arrays

if TYPE_CHECKING:
    from torch import nn

LIMIT = 30.0
_PARTS = 4096
_CALLS = 16
_BISECTIONS = 26
_SUSPECTS = 128
_CHANNELS = 8


@dataclass(frozen=True)
class Law:
    """What the inputs of a module depend on.

    Attributes:
        elementwise: whether each output depends on the one input at the same place only.
        knees: inputs where the function changes its law, zero and those that were seen first, then
            those that only may be.
        refuses: what it raised, where it takes ordinary numbers and not NaN or large ones.
    """

    elementwise: bool = False
    knees: tuple[float, ...] = (0.0,)
    refuses: str = ""


def law_of(module: nn.Module, batch: np.ndarray, *, traced: bool = True) -> Law:
    """The law of a module of one float input; found by trying.

    Args:
        module: in eval mode.
        batch: an input that it accepts, of a floating type.
        traced: whether it may be traced, for the numbers in its graph.
    """
    try:
        elementwise = _elementwise(module, batch)
    except Exception as error:  # whoever refuses some numbers is known on ordinary ones only
        return Law(refuses=described(error).splitlines()[0])
    if not elementwise:
        return Law()
    numbers = constants(module, batch) if traced else ()
    found = dict.fromkeys((0.0, *_kinks(module, batch), *numbers))
    return Law(True, tuple(x for x in found if abs(x) <= 100 * LIMIT))


def _elementwise(module: nn.Module, batch: np.ndarray) -> bool:
    """Whether outputs stay bit for bit where inputs do, whatever happens to the others.

    Half of the inputs become large, small, or NaN; two other halves take their turn, so that a
    mean, a maximum or a neighbour shows.
    """
    before = _outputs(module, batch)
    if len(before) != 1 or before[0].shape != batch.shape or batch.size < 2:
        return False
    random = np.random.RandomState(7)
    for value in (100.0, -100.0, np.nan):
        chosen = random.permutation(np.arange(batch.size) % 2 == 0).reshape(batch.shape)
        for mask in (chosen, ~chosen):
            (after,) = _outputs(module, np.where(mask, value, batch).astype(batch.dtype))
            if not np.array_equal(after[~mask], before[0][~mask], equal_nan=True):
                return False
    return True


def _outputs(module: nn.Module, batch: np.ndarray) -> tuple[np.ndarray, ...]:
    import torch

    with torch.no_grad():
        return arrays(module(torch.from_numpy(batch.copy())))


def constants(module: nn.Module, batch: np.ndarray) -> Sequence[float]:
    """The numbers in the module's graph, and their opposites: a knee may lie there.

    And threshold / beta, where a softplus gives way to a straight line. Of a module that cannot be
    traced, that one alone.
    """
    import torch

    try:
        example = torch.from_numpy(batch.copy())
        graph = torch.jit.trace(module, example, check_trace=False, strict=False).inlined_graph
    except Exception:  # what cannot be traced shows no constants; its law is found by trying too
        return _signed(_softplus_knees(module))
    found: list[float] = []
    for node in graph.findAllNodes("aten::softplus", True):
        beta, threshold = (value.toIValue() for value in list(node.inputs())[1:])
        found += [threshold / beta] if beta else []
    found += _softplus_knees(module)
    for node in graph.findAllNodes("prim::Constant", True):
        value = node.output().toIValue()
        values = [value] if isinstance(value, (int, float)) else []
        if isinstance(value, torch.Tensor) and value.numel() <= 16 and not value.is_complex():
            values = [float(x) for x in value.flatten().tolist()]
        found += [float(v) for v in values if not isinstance(v, bool) and math.isfinite(v)]
    return _signed(found)


def _signed(values: Sequence[float]) -> Sequence[float]:
    return [sign * value for value in dict.fromkeys(values) for sign in (1.0, -1.0)]


def _softplus_knees(module: nn.Module) -> Sequence[float]:
    """threshold / beta of each part that has both: beta * x is what is held against threshold."""
    pairs = ((getattr(m, "threshold", None), getattr(m, "beta", None)) for m in module.modules())
    return [
        float(threshold / beta)
        for threshold, beta in pairs
        if isinstance(threshold, (int, float)) and isinstance(beta, (int, float)) and beta
    ]


def _kinks(module: nn.Module, batch: np.ndarray) -> Iterator[float]:
    """Where the function or its slope jumps within ±30, in float64, by bisection.

    Between three neighbours the second difference over their distance goes to zero as they close
    up, unless there is a jump between them. Every suspect interval keeps its place in the batch,
    for a function may be another one in each channel.
    """
    try:
        wide = copy.deepcopy(module).double()
        _outputs(wide, batch.astype(np.float64))
    except Exception:  # a module may insist on float32; its graph's constants are knees anyway
        return
    parts = min(_PARTS, _CALLS * batch.size)

    def function(points: np.ndarray) -> np.ndarray:
        filled = np.resize(points, (math.ceil(parts / batch.size), *batch.shape))
        return np.concatenate([_outputs(wide, one)[0].ravel() for one in filled])[:parts]

    # In no order, so that every channel sees all of the range, and that much farther apart.
    points = np.random.RandomState(3).permutation(np.linspace(-LIMIT, LIMIT, parts))
    width = 2 * LIMIT / parts * _CHANNELS
    bends = _bend([function(points + k * width) for k in (-1, 0, 1)], width)
    suspects = np.argsort(-bends)[:_SUSPECTS]
    middle = points.copy()
    for _ in range(_BISECTIONS):
        width /= 2
        ladder = [function(middle + k * width) for k in (-2, -1, 0, 1, 2)]
        three = np.stack([_bend(ladder[k : k + 3], width) for k in (0, 1, 2)])
        middle = middle + (np.argmax(three, axis=0) - 1) * width
    size = np.maximum(np.abs(middle), np.abs(np.stack(ladder)).max(axis=0)).clip(1.0)
    for x, bend in zip(middle[suspects], (three.max(axis=0) / size)[suspects]):
        if bend > 1e-3:
            # As exact as the bisection is; and -0.0 is 0.0.
            yield round(float(f"{x:.7g}"), 8) + 0.0


def _bend(three: Sequence[np.ndarray], width: float) -> np.ndarray:
    """The second difference over the distance; none where it is not finite."""
    with np.errstate(all="ignore"):
        bend = np.abs(three[0] - 2 * three[1] + three[2]) / width
    return np.where(np.isfinite(bend), bend, 0.0)
