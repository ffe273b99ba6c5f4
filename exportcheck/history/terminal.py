"""A history for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from exportcheck.escaping import printable
from exportcheck.history.statements import MARKS, State
from exportcheck.history.strips import LEGEND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from exportcheck.history.statements import Statement
    from exportcheck.history.strips import Strip

STYLES = {
    State.WORKS: "green",
    State.NOTED: "yellow",
    State.PARTIAL: "yellow",
    State.CONVERTS: "cyan",
    State.WRONG: "bold red",
    State.FAILS: "bold red",
    State.CRASHES: "bold magenta",
    State.UNAVAILABLE: "dim",
}

_GAP = 2
_NAME_WIDTH = 30


def strip_tables(strip: Strip, width: int) -> Iterator[RenderableType]:
    """The strip under its title, as many runs at a time as fit."""
    yield Text(strip.title, style="bold")
    cell = max(len(label) for head in strip.heads for label in head)
    fitting = max(1, (width - _NAME_WIDTH) // (cell + _GAP))
    for start in range(0, len(strip.axis.runs), fitting):
        yield _table(strip, slice(start, start + fitting), cell)


def _table(strip: Strip, some: slice, cell: int) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
    head = f"{strip.axis.package}\n{strip.other}".rstrip()
    table.add_column(Text(head, style="dim"), width=_NAME_WIDTH - _GAP, no_wrap=True)
    for label, other in strip.heads[some]:
        text = Text(label, style="bold")
        if strip.other:
            text.append(f"\n{other or '–'}", style="not bold dim")
        table.add_column(text, width=cell, no_wrap=True)
    for row in strip.rows:
        native = row.kind in ("native", "in-place")
        name = Text(printable(row.form), style="bold" if native else "")
        table.add_row(name, *map(_mark, row.statements[some]))
    return table


def _mark(statement: Statement | None) -> Text:
    if statement is None:
        return Text("")
    return Text(MARKS[statement.state], style=STYLES[statement.state])


def legend() -> Text:
    """What the marks mean."""
    return Text(LEGEND, style="dim")


def all_strips(strips: Sequence[Strip], width: int) -> list[RenderableType]:
    """Every strip, a blank line after each, and the legend."""
    parts: list[RenderableType] = []
    for strip in strips:
        parts += [*strip_tables(strip, width), ""]
    return [*parts, legend()] if parts else []
