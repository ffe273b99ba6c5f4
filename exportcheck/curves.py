"""The few points from which reports draw: of a comparison, and of each function of the catalogue.

`python -m exportcheck.curves` writes the functions anew, into `catalog/curves.json`: pages are made
where there is no PyTorch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from exportcheck.compare import ulp_error
from exportcheck.results import Comparison, Curve

if TYPE_CHECKING:
    from typing import Mapping

    from exportcheck.catalog import Activation
    from exportcheck.subject import Expected, Subject
    from exportcheck.targets.interface import Arrays

BUCKETS = 32
"""Runs of equally many inputs that a whole class is divided into; each shows its worst point."""

NEIGHBOURS = 16
"""Inputs to either side of the worst one that are all kept."""

FUNCTIONS = Path(__file__).parent / "catalog" / "curves.json"
LIMIT = 8.0
STEPS = 81
KNEE_GAP = 1e-6
"""How far to either side of a knee a function is drawn; plots leave what lies between open."""


def curves(
    what: Subject,
    precision: str,
    outputs: Mapping[str, Arrays],
    expected: Mapping[str, Expected],
    comparisons: Mapping[str, Comparison],
) -> dict[str, Curve]:
    """The curve of each input class of an elementwise subject that differs; none for all others.

    Args:
        what: the subject.
        precision: of the program, which decides the inputs.
        outputs: what the exported model gave, by input class.
        expected: what eager PyTorch gave, by input class.
        comparisons: their comparisons; only classes with a worst point are drawn.
    """
    if not what.elementwise:
        return {}
    found: dict[str, Curve] = {}
    for given in what.inputs(precision):
        comparison = comparisons.get(given.name)
        if comparison is None or comparison.worst is None or not comparison.kinds:
            continue
        actual, eager = outputs[given.name][0], expected[given.name].outputs[0]
        curve = sample(given.values, actual, eager, comparison.worst.input)
        if curve is not None:
            found[given.name] = curve
    return found


def sample(
    inputs: np.ndarray, actual: np.ndarray, expected: np.ndarray, around: float | None
) -> Curve | None:
    """At most `BUCKETS` + 2 * `NEIGHBOURS` + 1 points, by rising input; None for less than three.

    One input may stand at many places; the place with the largest error is taken.

    Args:
        inputs: float32 of any shape; those that are not finite are left out.
        actual: same shape, what the exported model gave.
        expected: same shape, what eager PyTorch gave.
        around: the input whose neighbours are all kept.
    """
    finite = np.isfinite(inputs)
    x, a, e = inputs[finite], actual[finite], expected[finite]
    error = _ulp_or_infinity(a, e)
    order = np.lexsort((-error, x))
    _, first = np.unique(x[order], return_index=True)
    if first.size < 3:
        return None
    order = order[first]
    x, a, e, error = x[order], a[order], e[order], error[order]
    kept = {
        int(run[np.argmax(error[run])])
        for run in np.array_split(np.arange(x.size), BUCKETS)
        if run.size
    }
    if around is not None:
        worst = int(np.searchsorted(x, around))
        kept.update(range(max(0, worst - NEIGHBOURS), min(x.size, worst + NEIGHBOURS + 1)))
    chosen = sorted(kept)
    return Curve(
        input=_short(x[chosen]),
        actual=_short(a[chosen]),
        expected=_short(e[chosen]),
        ulp=_short(error[chosen], 4),
    )


def _ulp_or_infinity(a: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Error in ULP; infinity where one side is not finite and the other is not the same."""
    with np.errstate(all="ignore"):
        wide = np.abs(a.astype(np.float64) - e.astype(np.float64))
        sized = np.isfinite(a) & np.isfinite(e)
        same = (a == e) | (np.isnan(a) & np.isnan(e))
        ulp = ulp_error(np.where(sized, wide, 0.0), e)
    return np.where(sized, ulp, np.where(same, 0.0, np.inf))


def _short(values: np.ndarray, digits: int = 9) -> tuple[float, ...]:
    """Python floats of so many significant digits; nine hold every float32 exactly."""
    return tuple(float(f"{value:.{digits}g}") for value in values)


def functions() -> dict[str, dict[str, list[float]]]:
    """Each elementwise family's reference: `x`, `y` and `slope`, over [-8, 8], in float64.

    Parameters have their initial values; of a function with one a channel, the first is drawn.
    """
    from exportcheck.catalog import activations

    return {
        activation.family: _function(activation)
        for activation in activations().values()
        if activation.reference and activation.elementwise
    }


def _function(activation: Activation) -> dict[str, list[float]]:
    import torch

    from exportcheck.networks import CHANNELS
    from exportcheck.subject import SEED, import_object

    torch.manual_seed(SEED)
    module = import_object(activation.module)(**activation.kwargs).double().eval()
    points = {float(x) for x in np.linspace(-LIMIT, LIMIT, STEPS)}
    for knee in activation.knees:
        if abs(knee) < LIMIT:
            points = {x for x in points if x != knee} | {knee - KNEE_GAP, knee + KNEE_GAP}
    x = torch.tensor(sorted(points), dtype=torch.float64)
    batch = x.reshape(1, 1, 1, -1).repeat(1, CHANNELS, 1, 1).requires_grad_()
    y = module(batch)
    (slope,) = torch.autograd.grad(y.sum(), batch)
    return {
        "x": list(_short(x.numpy(), 7)),
        "y": list(_short(y.detach().numpy()[0, 0, 0], 5)),
        "slope": list(_short(slope.numpy()[0, 0, 0], 5)),
    }


def main() -> None:
    """Writes `catalog/curves.json`, one family a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(curve)}" for name, curve in functions().items())
    FUNCTIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
