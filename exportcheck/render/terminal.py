"""The matrix, the failures and the totals for a terminal of any width."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exportcheck.matrix import Cell, Column, Failure, Matrix, failures, lay_out
from exportcheck.results import Report, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

_NAME_WIDTH = 33
_CELL_WIDTH = 9

_STYLES = {
    Status.PASS: "green",
    Status.MISMATCH: "bold red",
    Status.ERROR: "red",
    Status.CRASH: "bold magenta",
    Status.TIMEOUT: "magenta",
    Status.UNAVAILABLE: "dim",
}
_MARKS = {
    Status.PASS: "✓",
    Status.MISMATCH: "≠",
    Status.ERROR: "✗",
    Status.CRASH: "☠",
    Status.TIMEOUT: "⧖",
    Status.UNAVAILABLE: "–",
}
_NOTED_STYLE = "yellow"
LEGEND = (
    "✓ passes  ~ passes, with a note  ≠ wrong numbers  ✗ fails at a stage  ☠ crash  ⧖ timeout  "
    "– not available here; the figure is the worst error, |actual - eager| / max(1, |eager|)"
)


def render(report: Report, *, width: int = 160, color: bool = False) -> str:
    """The report as text for a terminal `width` columns wide, with colours on demand."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=max(width, _NAME_WIDTH + 2 * _CELL_WIDTH),
        force_terminal=color,
        color_system="truecolor" if color else None,
        highlight=False,
        no_color=not color,
    )
    console.print(compose(report, console.width))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def compose(report: Report, width: int) -> RenderableType:
    """What `render` prints, for whoever has a console of their own."""
    matrix = lay_out(report)
    parts: list[RenderableType] = []
    for columns in _fitting(matrix.columns, width):
        parts += [_table(matrix, columns), ""]
    if any(column.simulated for column in matrix.columns):
        runtimes = {c.runtime for c in matrix.columns if c.simulated}
        parts.append(
            Text(f"* numbers by {', '.join(sorted(runtimes))} (simulated), not by Apple's runtime")
        )
    parts.append(Text(LEGEND, style="dim"))
    failed = failures(report)
    if failed:
        parts += ["", Text("Failures", style="bold"), *_failures(failed)]
    parts += ["", totals(report)]
    return Group(*parts)


def _fitting(columns: Sequence[Column], width: int) -> Iterator[Sequence[Column]]:
    """The columns in runs that fit beside the names."""
    fitting = max(1, (width - _NAME_WIDTH) // (_CELL_WIDTH + 1))
    for start in range(0, len(columns), fitting):
        yield columns[start : start + fitting]


def _table(matrix: Matrix, columns: Sequence[Column]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    table.add_column("family / form", width=_NAME_WIDTH - 1, no_wrap=True)
    for column in columns:
        head = "\n".join((*column.group.split(), column.label.replace(" ", "\n")))
        star = "*" if column.simulated else ""
        table.add_column(head + star, width=_CELL_WIDTH, no_wrap=True, vertical="bottom")
    for family, forms in matrix.families.items():
        if len(forms) > 1 or forms[0] != family:
            table.add_row(Text(family, style="bold"))
        indent = "" if forms == (family,) else "  "
        for form in forms:
            cells = (matrix.cells.get((form, column)) for column in columns)
            table.add_row(indent + form, *(_cell(cell) for cell in cells))
    return table


def _cell(cell: Cell | None) -> Text:
    """For example `✓ 1e-07`, `≠ inf`, `✗ export`; empty where nobody asked for the case."""
    if cell is None:
        return Text("")
    result = cell.worst
    if cell.noted:
        return Text(f"~ {error_text(result.max_error)}", style=_NOTED_STYLE)
    style, mark = _STYLES[result.status], _MARKS[result.status]
    if result.status is Status.PASS:
        return Text(f"{mark} {error_text(result.max_error)}", style=style)
    if result.status is Status.MISMATCH:
        return Text(f"{mark} {_mismatch(cell)}", style=style)
    return Text(f"{mark} {result.stage.value}", style=style)


def _mismatch(cell: Cell) -> str:
    """`nan` or `inf` where such a value was made or lost, else the error."""
    gating = [c for c in cell.worst.comparisons.values() if c.gates]
    for kind in ("nan", "inf"):
        if any(k.startswith(kind) for c in gating for k in c.kinds):
            return kind
    return error_text(cell.worst.max_error)


def error_text(error: float | None) -> str:
    """An error in five characters: `0`, `3e-07`, `inf`."""
    if error is None:
        return "?"
    if error == 0 or not math.isfinite(error):
        return f"{error:g}"
    return f"{error:.0e}"


def _failures(failed: Sequence[Failure]) -> Iterator[RenderableType]:
    """Where, at which stage, and beneath it the first line of the cause."""
    for failure in failed:
        line = Text()
        line.append(f"{_MARKS[failure.status]} ", style=_STYLES[failure.status])
        line.append(failure.activation, style="bold")
        line.append(f"  {', '.join(failure.targets)}")
        line.append(f"  ({', '.join(failure.networks)})", style="dim")
        line.append(f"  {failure.stage}", style=_STYLES[failure.status])
        yield line
        cause = Text(printable(failure.cause), overflow="ellipsis", no_wrap=True)
        yield Padding(cause, (0, 0, 0, 4))


def printable(text: str) -> str:
    """`text` with control characters shown, not obeyed: a message must not steer the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def totals(report: Report) -> Text:
    """For example `2580 cases: 2400 pass (300 with a note), 100 mismatch, 80 error`."""
    counts = report.counts()
    noted = counts.pop("noted")
    parts = []
    for status, count in counts.items():
        if count or status == Status.PASS.value:
            remark = f" ({noted} with a note)" if status == Status.PASS.value and noted else ""
            parts.append(f"{count} {status}{remark}")
    return Text(f"{len(report.results)} cases: {', '.join(parts)}", style="bold")
