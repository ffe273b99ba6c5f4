"""A history for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from exportcheck.escaping import printable
from exportcheck.history.overview import FAMILY_LEGEND, STAND_INS
from exportcheck.history.statements import MARKS, State
from exportcheck.history.strips import COREML_REMARK, LEGEND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import RenderableType

    from exportcheck.history.overview import Overview, Support
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
    State.BLOCKED: "dim",
    State.UNAVAILABLE: "dim",
}

_GAP = 2


def compose(overviews: Sequence[Overview], strips: Sequence[Strip], width: int) -> RenderableType:
    """Families along the tracks, and forms along them; says so where there are neither."""
    parts: list[RenderableType] = []
    for overview in overviews:
        rows = [
            (Text(printable(family)), [_support(one) for one in supports])
            for family, supports in overview.rows.items()
        ]
        parts += [*_tables(overview.strip, rows, width), ""]
    for strip in strips:
        parts += [*strip_tables(strip, width), ""]
    if not parts:
        return Text("Nothing of this has been measured: exportcheck history add RESULTS.json")
    form = Text(f"Of a whole function: {FAMILY_LEGEND}", style="dim")
    shown = [*(one.strip for one in overviews), *strips]
    return Group(*parts, legend(shown), *([form] if overviews else []))


def _support(support: Support | None) -> Text:
    if support is None:
        return Text("")
    known = support.state in STAND_INS
    return Text(support.mark, style="bold blue" if known else STYLES[State(support.state)])


def strip_tables(strip: Strip, width: int) -> Iterator[RenderableType]:
    """The strip under its title, as many runs at a time as fit."""
    rows = [
        (
            Text(printable(row.form), style="bold" if row.kind in ("native", "in-place") else ""),
            [_mark(one) for one in row.statements],
        )
        for row in strip.rows
    ]
    return _tables(strip, rows, width)


def _tables(
    strip: Strip, rows: Sequence[tuple[Text, list[Text]]], width: int
) -> Iterator[RenderableType]:
    yield Text(strip.title, style="bold")
    runs = len(strip.axis.runs)
    cell = max(len(label) for head in strip.heads for label in head)
    names = max(
        len(name) for name in (strip.axis.package, strip.other, *(n.plain for n, _ in rows))
    )
    room = width - names - _GAP
    gap = _GAP if runs * (cell + _GAP) <= room else 1
    fitting = max(1, room // (cell + gap))
    for start in range(0, runs, fitting):
        some = slice(start, start + fitting)
        table = _empty_table(strip, some, names, cell, gap)
        for name, cells in rows:
            table.add_row(name, *cells[some])
        yield table


def _empty_table(strip: Strip, some: slice, names: int, cell: int, gap: int) -> Table:
    table = Table(box=None, padding=(0, gap, 0, 0), pad_edge=False, show_edge=False)
    head = f"{strip.axis.package}\n{strip.other}".rstrip()
    table.add_column(Text(head, style="dim"), width=names + _GAP - gap, no_wrap=True)
    for label, other in strip.heads[some]:
        text = Text(label, style="bold")
        if strip.other:
            text.append(f"\n{other or '–'}", style="not bold dim")
        table.add_column(text, width=cell, no_wrap=True)
    return table


def _mark(statement: Statement | None) -> Text:
    if statement is None:
        return Text("")
    return Text(MARKS[statement.state], style=STYLES[statement.state])


def legend(strips: Iterable[Strip]) -> Text:
    """What the marks mean, and whose numbers Core ML's are."""
    coreml = any(strip.track.title.startswith("Core ML") for strip in strips)
    return Text(LEGEND + (f"\n{COREML_REMARK}" if coreml else ""), style="dim")


def all_strips(strips: Sequence[Strip], width: int) -> list[RenderableType]:
    """Every strip, a blank line after each, and the legend."""
    parts: list[RenderableType] = []
    for strip in strips:
        parts += [*strip_tables(strip, width), ""]
    return [*parts, legend(strips)] if parts else []
