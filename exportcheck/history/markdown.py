"""A history as Markdown: the toolchains, then each track with every family, version by version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from exportcheck.escaping import markdown, markdown_code
from exportcheck.history.axes import places_text
from exportcheck.history.overview import FAMILY_LEGEND
from exportcheck.history.statements import MARKS
from exportcheck.history.strips import COREML_REMARK, LEGEND

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from exportcheck.history.overview import Overview, Support
    from exportcheck.history.runs import History
    from exportcheck.history.strips import Strip

FILE_NAME = "history.md"


def render(history: History, overviews: Sequence[Overview], strips: Sequence[Strip]) -> str:
    """The history as GitHub-flavoured Markdown, the same bytes for the same runs.

    Args:
        history: the runs.
        overviews: families along the tracks.
        strips: forms along the tracks, of those families that were asked for by name.
    """
    lines = [*_head(), *_toolchains(history)]
    for overview in overviews:
        lines += [f"## {markdown(overview.strip.title)}", "", *_overview(overview), ""]
    for strip in strips:
        lines += [f"## {markdown(strip.title)}", "", *strip_table(strip), ""]
    return "\n".join(lines)


def _head() -> Iterator[str]:
    yield "# Since when activations survive export"
    yield ""
    yield (
        "Every cell was measured: the same catalogue, checked inside each toolchain. What was not "
        "run is blank; nothing is inferred. Of an exporter's opsets the best counts. "
        f"{COREML_REMARK} `exportcheck explain FAMILY` quotes what failed, and says what stood in "
        "for it."
    )
    yield ""
    yield f"{markdown(LEGEND)}"
    yield ""
    yield f"Of a whole function: {markdown(FAMILY_LEGEND)}"
    yield ""


def _toolchains(history: History) -> Iterator[str]:
    yield "## Toolchains"
    yield ""
    yield from table_rows(
        ("toolchain", "packages", "ran on", "cells"),
        (
            (
                markdown_code(run.toolchain),
                markdown(", ".join(f"{n} {v}" for n, v in run.versions.items())),
                markdown(_ran_on(run.environment)),
                str(run.count),
            )
            for run in history.runs
        ),
    )
    yield ""


def _ran_on(environment: Mapping[str, str]) -> str:
    where = " ".join(environment[k] for k in ("platform", "machine") if k in environment)
    return f"{where}, Python {environment.get('python', '?')}"


def _heads(strip: Strip) -> list[str]:
    return [
        markdown(label) + (f"<br>{markdown(other or '–')}" if strip.other else "")
        for label, other in strip.heads
    ]


def _corner(strip: Strip) -> str:
    return strip.axis.package + (f"<br>{strip.other}" if strip.other else "")


def _overview(overview: Overview) -> Iterator[str]:
    """The table; its last column names the forms that stand in for the native one, if any do."""
    stand_ins = {f: _stand_ins(overview.strip, row) for f, row in overview.rows.items()}
    some = any(stand_ins.values())
    yield from table_rows(
        (_corner(overview.strip), *_heads(overview.strip), *(["in its place"] * some)),
        (
            (
                markdown_code(family),
                *("" if one is None else one.mark for one in row),
                *([stand_ins[family]] * some),
            )
            for family, row in overview.rows.items()
        ),
    )


def _stand_ins(strip: Strip, row: Sequence[Support | None]) -> str:
    """The forms, each with its versions where it does not stand in wherever one is needed."""
    found: dict[str, list[int]] = {}
    needed = []
    for place, one in enumerate(row):
        if one and one.forms:
            needed.append(place)
            for form in one.forms:
                found.setdefault(form, []).append(place)
    return ", ".join(
        markdown_code(form) + ("" if some == needed else f" ({places_text(strip.axis, some)})")
        for form, some in found.items()
    )


def strip_table(strip: Strip) -> Iterator[str]:
    """The strip as a table."""
    yield from table_rows(
        (_corner(strip), *_heads(strip)),
        (
            (
                markdown_code(row.form),
                *("" if s is None else MARKS[s.state] for s in row.statements),
            )
            for row in strip.rows
        ),
    )


def table_rows(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are Markdown already."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)
