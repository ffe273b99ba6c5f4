"""A proof over every input on a terminal: the outcome, the figures, the error along the line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exportcheck.escaping import printable
from exportcheck.exhaustive import line
from exportcheck.exhaustive.gauge import NEAR
from exportcheck.exhaustive.proof import Outcome, Proof, profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from exportcheck.exhaustive.figures import Gap, RunFigures

_STYLES = {
    Outcome.ULP: "bold green",
    Outcome.TOLERANCE: "bold yellow",
    Outcome.REFUTED: "bold red",
    Outcome.PARTIAL: "bold",
}

_MARKS = (
    (0, "─"),
    (1, "▁"),
    (2, "▂"),
    (4, "▃"),
    (16, "▄"),
    (NEAR, "▅"),
    (2**12, "▆"),
    (2**20, "▇"),
)
_MOST, _UNTRIED = "█", "·"
STRIP_LEGEND = (
    "─ 0  ▁ 1  ▂ 2  ▃ 4  ▄ 16  ▅ 83  ▆ 4 096  ▇ 1 048 576  █ more ULP at most  · not tried"
)
_WIDTH = 80


def compose(name: str, proof: Proof) -> Iterator[RenderableType]:
    """Each outcome, runs of equal figures as one, then the figures and the strips."""
    yield Text(f"{printable(name)} at every float32 number", style="bold")
    groups = _groups(proof)
    for names, run in groups:
        text = Text(f"  {', '.join(names)}: ")
        text.append(printable(proof.sentence(run)), style=_STYLES[proof.outcome(run)])
        yield text
    for run_name, reason in proof.refused.items():
        yield Text(f"  {run_name}: not tried: {printable(reason)}", style="dim")
    yield Padding(_table(proof, groups), (1, 0, 0, 2), expand=False)
    for names, _ in groups:
        yield Text(f"  {names[0]} beside eager, its largest error along the line", style="dim")
        yield from _strip(profile(proof, names[0], "eager"))
    if proof.truth:
        yield Text("  eager beside float64", style="dim")
        yield from _strip(profile(proof, "", ""))
    yield Text(f"  {STRIP_LEGEND}", style="dim")


def _groups(proof: Proof) -> list[tuple[list[str], RunFigures]]:
    """Runs with the same figures piece by piece, together."""
    found: dict[str, tuple[list[str], RunFigures]] = {}
    for name, run in proof.figures.runs.items():
        key = json.dumps([run.eager.to_json(), run.truth.to_json(), run.judged.to_json()])
        found.setdefault(key, ([], run))[0].append(name)
    return list(found.values())


def _table(proof: Proof, groups: Sequence[tuple[list[str], RunFigures]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        "",
        "beside",
        "max ULP",
        "at x",
        "is",
        "where it is",
        "differ",
        "NaN",
        "inf",
        "±0",
    ):
        table.add_column(head, justify="left" if head in ("", "beside") else "right")
    if proof.truth:
        table.add_row("eager", "float64", *_cells(proof.figures.eager, counted=False))
    for names, run in groups:
        short = names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        table.add_row(short, "eager", *_cells(run.eager, counted=True))
        if proof.truth:
            table.add_row("", "float64", *_cells(run.truth, counted=False))
    return table


def _cells(gap: Gap, *, counted: bool) -> Iterator[str]:
    yield _count(gap.ulp)
    yield from (f"{line.number(bits):.9g}" for bits in gap.at) if gap.at else ("", "", "")
    yield _count(gap.differ) if counted else ""
    yield from map(_count, (gap.nan, gap.inf, gap.signs))


def _count(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _strip(values: Sequence[int | None]) -> Iterator[Text]:
    """Marks by the largest error of each stretch, and under them where the stretches are."""
    marks = []
    for column in range(_WIDTH):
        part = values[len(values) * column // _WIDTH : len(values) * (column + 1) // _WIDTH]
        tried = [value for value in part if value is not None]
        marks.append(_mark(max(tried)) if tried else _UNTRIED)
    yield Text(f"  {''.join(marks)}")
    # Stretches are of equally many numbers; ±1 stand in the middle of each half.
    quarter = _WIDTH // 4
    scale = (
        f"{'-3.4e38':<{quarter - 1}}{'-1':<{quarter + 1}}{'0':<{quarter}}{'1':<{quarter - 6}}3.4e38"
    )
    yield Text(f"  {scale}", style="dim")


def _mark(ulp: int) -> str:
    return next((mark for most, mark in _MARKS if ulp <= most), _MOST)
