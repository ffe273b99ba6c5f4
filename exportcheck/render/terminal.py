"""The matrix, the failures and the totals for a terminal of any width."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from exportcheck.escaping import brief, printable
from exportcheck.matrix import (
    LEGEND,
    MARKS,
    Cell,
    Column,
    Failure,
    Matrix,
    failures,
    known_failures,
    lay_out,
    totals,
    verdict,
)
from exportcheck.results import Report, Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

FILE_NAME = "matrix.txt"

_NAME_WIDTH = 33
_CELL_WIDTH = 9
_SHOWN_UNFINISHED = 5

_STYLES = {
    Status.PASS: "green",
    Status.MISMATCH: "bold red",
    Status.ERROR: "red",
    Status.CRASH: "bold magenta",
    Status.TIMEOUT: "magenta",
    Status.UNAVAILABLE: "dim",
}
_NOTED_STYLE = "yellow"


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
    parts = tables(report, width)
    for heading, lines in _sections(report):
        if lines:
            parts += ["", Text(heading, style="bold"), *lines]
    style = "bold green" if report.green else "bold red"
    parts += ["", Text(totals(report), style="bold"), Text(verdict(report), style=style)]
    return Group(*parts)


def tables(report: Report, width: int) -> list[RenderableType]:
    """The matrix, as many columns at a time as fit, with its legend; none without results."""
    matrix = lay_out(report)
    parts: list[RenderableType] = []
    for columns in _fitting(matrix.columns, width):
        parts += [_table(matrix, columns), ""]
    if any(column.simulated for column in matrix.columns):
        runtimes = {c.runtime for c in matrix.columns if c.simulated}
        parts.append(
            Text(f"* numbers by {', '.join(sorted(runtimes))} (simulated), not by Apple's runtime")
        )
    if report.results:
        parts.append(Text(LEGEND, style="dim"))
    return parts


def _sections(report: Report) -> Iterator[tuple[str, Sequence[RenderableType]]]:
    """What stands below the matrix, the calls to act last, where a terminal stops scrolling."""
    yield (
        "Known failures",
        [
            _line(f"{known.pattern} ({len(results)})", f"{known.reason} {known.issue}")
            for known, results in known_failures(report).items()
        ],
    )
    yield "Changes", [_line(f"{c.kind.value}: {c.subject}", c.text) for c in report.changes]
    yield "Not finished", _shortened([case.id for case in report.unfinished])
    yield (
        "Limitations that match no case: remove them",
        [_line(pattern, "") for pattern in report.stale],
    )
    yield (
        "Known failures that pass now: remove the limitation",
        [_line(r.id, f"limitation {r.known.pattern}") for r in report.fixed if r.known],
    )
    new = [failure for failure in failures(report) if failure.known is None]
    yield "Failures", list(_failures(new))


def _shortened(ids: Sequence[str]) -> list[RenderableType]:
    """The first of them: an interrupted run leaves thousands, which the other formats name."""
    more = len(ids) - _SHOWN_UNFINISHED
    rest = [Text(f"  and {more} more", style="dim")] if more > 0 else []
    return [*(_line(one, "") for one in ids[:_SHOWN_UNFINISHED]), *rest]


def _line(head: str, text: str) -> RenderableType:
    line = Text(f"  {printable(head)}", overflow="ellipsis", no_wrap=True)
    return line.append(f"  {printable(brief(text.strip()))}".rstrip(), style="dim")


def _fitting(columns: Sequence[Column], width: int) -> Iterator[Sequence[Column]]:
    """The columns in runs that fit beside the names."""
    fitting = max(1, (width - _NAME_WIDTH) // (_CELL_WIDTH + 1))
    for start in range(0, len(columns), fitting):
        yield columns[start : start + fitting]


def _table(matrix: Matrix, columns: Sequence[Column]) -> Table:
    # The gap is part of the columns, for rich lays out each padded cell twice.
    table = Table(box=None, padding=0, header_style="bold", pad_edge=False)
    table.add_column("family / form", width=_NAME_WIDTH, no_wrap=True)
    for column in columns:
        words = (*column.group.split(), *column.label.split())
        star = "*" if column.simulated else ""
        head = Text("\n".join(map(printable, words)) + star)
        table.add_column(head, width=_CELL_WIDTH + 1, no_wrap=True, vertical="bottom")
    for family, forms in matrix.families.items():
        if len(forms) > 1 or forms[0] != family:
            table.add_row(_name(family, style="bold"))
        indent = "" if forms == (family,) else "  "
        for form in forms:
            cells = (matrix.cells.get((form, column)) for column in columns)
            table.add_row(_name(indent + form), *(_cell(cell) for cell in cells))
    return table


def _name(name: str, style: str = "") -> Text:
    """A name with the gap behind it, cut where it is too long."""
    text = Text(printable(name), style=style)
    text.truncate(_NAME_WIDTH - 1, overflow="ellipsis")
    return text


def _cell(cell: Cell | None) -> Text:
    """For example `✓ 1e-07`, `≠ inf`, `✗°export`; empty where nobody asked for the case."""
    if cell is None:
        return Text("")
    style = _NOTED_STYLE if cell.noted else _STYLES[cell.worst.status]
    if cell.known:
        return Text(f"{cell.mark}{cell.figure}", style=f"not bold {style} dim")
    return Text(f"{cell.mark} {cell.figure}", style=style)


def _failures(failed: Sequence[Failure]) -> Iterator[RenderableType]:
    """Where, at which stage, and beneath it the first line of the cause and who is to blame."""
    for failure in failed:
        line = Text()
        line.append(f"{MARKS[failure.status]} ", style=_STYLES[failure.status])
        line.append(printable(failure.activation), style="bold")
        line.append(f"  {printable(', '.join(failure.targets))}")
        line.append(f"  ({printable(', '.join(failure.networks))})", style="dim")
        line.append(f"  {failure.stage}", style=_STYLES[failure.status])
        yield line
        yield _indented(failure.cause)
        if failure.blame:
            yield _indented(failure.blame.sentence)
        if failure.works_in:
            yield _indented(f"works in: {', '.join(failure.works_in)}")


def _indented(text: str) -> RenderableType:
    line = Text(printable(brief(text)), overflow="ellipsis", no_wrap=True)
    return Padding(line, (0, 0, 0, 4))
