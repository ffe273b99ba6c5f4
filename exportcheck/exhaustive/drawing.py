"""The error along the whole line as an SVG, and all figures as JSON."""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from exportcheck.exhaustive import line
from exportcheck.exhaustive.proof import Proof, profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_WIDTH, _LEFT, _RIGHT = 960, 64, 16
_HEIGHT, _GAP, _TOP = 120, 56, 56
_TICKS = (-1e30, -1e15, -1.0, -1e-15, -1e-30, 1e-30, 1e-15, 1.0, 1e15, 1e30)
_ULPS = (0, 10, 1_000, 1_000_000, 1_000_000_000)

_HEAD = "largest error in ULP, equally many float32 numbers to each length of the line"
_STYLE = """
text { font: 12px sans-serif; fill: #333 } .title { font-weight: bold } .grid { stroke: #ddd }
.error { fill: #c33; stroke: #c33; stroke-width: .5 } .untried { fill: #eee }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .grid { stroke: #444 } .untried { fill: #333 }
  .error { fill: #f66; stroke: #f66 }
  .ground { fill: #111 }
} .ground { fill: #fff }
"""


def draw(name: str, proof: Proof) -> str:
    """An SVG: for each pair of sides the largest ULP of each stretch, over all finite numbers."""
    plots = [
        (f"{run}, beside {side}", profile(proof, run, side))
        for run in proof.figures.runs
        for side in ("eager", "float64")[: 2 if proof.truth else 1]
    ]
    if proof.truth:
        plots.insert(0, ("eager, beside float64", profile(proof, "", "")))
    height = _TOP + len(plots) * (_HEIGHT + _GAP)
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        f"<title>{escape(name)}: error at every float32 number</title><style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}"/>',
        f'<text class="title" x="{_LEFT}" y="20">{escape(name)}: {_HEAD}</text>',
    ]
    for number, (title, values) in enumerate(plots):
        body += _plot(title, values, _TOP + number * (_HEIGHT + _GAP))
    return "\n".join([*body, "</svg>", ""])


def _plot(title: str, values: Sequence[int | None], top: int) -> Iterator[str]:
    bottom = top + _HEIGHT
    yield f'<text x="{_LEFT}" y="{top - 6}">{escape(title)}</text>'
    for ulp in _ULPS:
        y = bottom - _level(ulp)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{ulp:.0e}</text>'.replace(
            "e+0", "e"
        )
    for tick in _TICKS:
        x = _across(_place(tick), len(values))
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
        yield f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>'
    step = (_WIDTH - _LEFT - _RIGHT) / len(values)
    bars: list[str] = []
    untried: list[str] = []
    for place, largest in enumerate(values):
        box = f"M{_across(place, len(values)):.2f} {bottom}h{step:.2f}"
        if largest is None:
            untried.append(f"{box}V{top}h-{step:.2f}z")
        elif largest:
            bars.append(f"{box}V{bottom - _level(largest):.1f}h-{step:.2f}z")
    yield f'<path class="untried" d="{"".join(untried)}"/>'
    yield f'<path class="error" d="{"".join(bars)}"/>'


def _level(ulp: int) -> float:
    """Pixels above the axis: logarithmic, 2^32 ULP being the top."""
    return math.log2(1 + ulp) / 32 * _HEIGHT


def _across(place: float, count: int) -> float:
    return _LEFT + place / count * (_WIDTH - _LEFT - _RIGHT)


def _place(number: float) -> float:
    """Where a number stands among the pieces from left to right."""
    (bits,) = struct.unpack("<I", struct.pack("<f", abs(number)))
    half = len(line.rightward()) / 2
    return half + math.copysign(bits / line.PIECE, number)


def figures_to_json(name: str, proof: Proof) -> str:
    """All figures, and for each run the outcome in words."""
    runs = {run: proof.sentence(figures) for run, figures in proof.figures.runs.items()}
    return json.dumps(
        {
            "name": name,
            "tried": proof.tried,
            "outcomes": runs,
            "refused": dict(proof.refused),
            "figures": proof.figures.to_json(),
            "pieces": {str(p): proof.pieces[p].to_json() for p in sorted(proof.pieces)},
        }
    )
