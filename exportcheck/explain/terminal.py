"""An explanation for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from exportcheck.escaping import printable
from exportcheck.explain.braille import Canvas
from exportcheck.explain.explanation import sections
from exportcheck.history.strips import quiet_text, uneventful
from exportcheck.history.terminal import all_strips

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from exportcheck.explain.explanation import Explanation
    from exportcheck.explain.sentences import Sentence
    from exportcheck.explain.times import TimeCell, Times

PLOT_ROWS = 12
PLOT_COLUMNS = 60
_LAYERS = {1: "bold blue", 2: "yellow", 3: "dim"}


def compose(explanation: Explanation, width: int) -> RenderableType:
    """The explanation as something a console prints."""
    parts: list[RenderableType] = [*_head(explanation), *_plot(explanation, width)]
    parts += ["", _heading("Forms"), *_forms(explanation)]
    if explanation.strips:
        parts += ["", _heading("History, as measured"), *_history(explanation, width)]
    for heading, sentences in sections(explanation):
        parts += ["", _heading(heading), *_sentences(sentences)]
    if explanation.times:
        parts += ["", _heading("Time, beside the native form"), *_times(explanation)]
    if explanation.missing:
        parts += ["", _heading("Not known"), *(f"  {printable(m)}" for m in explanation.missing)]
    return Group(*parts)


def _heading(text: str) -> Text:
    return Text(text, style="bold underline")


def _head(explanation: Explanation) -> Iterator[RenderableType]:
    reference = explanation.reference
    line = Text(explanation.family, style="bold")
    yield line.append(f"  {reference.formula}", style="not bold")
    yield Text(reference.source, style="dim")
    yield from (Text(printable(one)) for one in explanation.verdict)


def _plot(explanation: Explanation, width: int) -> Iterator[RenderableType]:
    """The function and its derivative in Braille; nothing for a function of several numbers."""
    curve = explanation.curve
    if not curve:
        return
    low, high = min(*curve["y"], *curve["slope"], 0), max(*curve["y"], *curve["slope"], 0)
    x = (curve["x"][0], curve["x"][-1])
    canvas = Canvas(min(PLOT_COLUMNS, width - 10), PLOT_ROWS, x, (low, high))
    canvas.line(list(zip(curve["x"], curve["y"], strict=True)), 1)
    canvas.line(list(zip(curve["x"], curve["slope"], strict=True)), 2)
    canvas.line([(x[0], 0.0), (x[1], 0.0)], 3)
    canvas.line([(-1e-2, low), (1e-2, high)], 3)
    yield ""
    labels = {0: f"{high:.3g}", PLOT_ROWS - 1: f"{low:.3g}"}
    for number, row in enumerate(canvas.rows()):
        line = Text(f"{labels.get(number, ''):>7} ", style="dim")
        for character, layer in row:
            line.append(character, style=f"not dim {_LAYERS[layer]}" if layer else "")
        yield line
    ends = f"{x[0]:g}", f"{x[1]:g}"
    yield Text(f"{'':8}{ends[0]}{ends[1]:>{min(PLOT_COLUMNS, width - 10) - len(ends[0])}}", "dim")
    key = Text(f"{'':8}")
    yield key.append("━ f(x)", style=_LAYERS[1]).append("   ━ f′(x)", style=_LAYERS[2])


def _forms(explanation: Explanation) -> Iterator[RenderableType]:
    for form in explanation.forms:
        line = Text("  ").append(form.name, style="bold").append(f"  {form.kind}", style="dim")
        yield line.append(f"  {form.formula}")
        code = Syntax(
            form.code, "python", theme="ansi_dark", background_color="default", word_wrap=True
        )
        yield Padding(code, (0, 0, 0, 6))


def _history(explanation: Explanation, width: int) -> Iterator[RenderableType]:
    """The strips in which something happened; of the others, that nothing did."""
    quiet = [strip for strip in explanation.strips if uneventful(strip)]
    yield from all_strips([strip for strip in explanation.strips if strip not in quiet], width)
    if quiet:
        yield ""
        yield Text(quiet_text(quiet))


def _sentences(sentences: Sequence[Sentence]) -> Iterator[RenderableType]:
    for sentence in sentences:
        yield Padding(Text(printable(sentence.text)), (0, 0, 0, 2))
        if sentence.quote:
            yield Padding(Text(f"“{printable(sentence.quote)}”", style="italic"), (0, 0, 0, 6))
        yield Padding(Text(f"$ {sentence.command}", style="dim"), (0, 0, 0, 6))


def _times(explanation: Explanation) -> Iterator[RenderableType]:
    times = explanation.times
    assert times is not None  # the caller has looked
    yield Padding(times_table(times), (0, 0, 0, 2))
    yield Text(
        f"  How many times as long as {times.reference} in the same round: median, and in brackets "
        f"where the middle half of the rounds lies. Measured on {explanation.timed_on}.",
        style="dim",
    )
    yield Text(f"      $ exportcheck cost {explanation.family}", style="dim")


def times_table(times: Times) -> Table:
    """The ratios, forms down; the reference's own time stands above them."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("", no_wrap=True)
    for runtime, shape, _ in times.heads:
        table.add_column(Text(f"{runtime}\n{shape}", style="bold"))
    own = [f"{microseconds:g} µs" for _, _, microseconds in times.heads]
    table.add_row(Text(times.reference, style="bold"), *own)
    for form, cells in times.rows.items():
        table.add_row(form, *map(_time, cells))
    return table


def _time(cell: TimeCell | None) -> Text:
    if cell is None:
        return Text("–", style="dim")
    return Text(cell.text, style={-1: "green", 0: "", 1: "red"}[cell.differs])
