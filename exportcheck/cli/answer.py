"""The answer of `exportcheck check` on a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.syntax import Syntax
from rich.text import Text

from exportcheck.escaping import brief, printable
from exportcheck.matrix import MARKS, Column, Failure, failures, totals
from exportcheck.render.terminal import tables
from exportcheck.verdicts import advice, listed, names, notes, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

    from exportcheck.results import Report

_NOTES = 6
_CAUSE = 300
_NAMES = 4
_SHAPES = 6
_NO_FORM = "no form was found to try"
_LOOKED_FOR = (
    "looked for: native activations among the modules, and in the forward of each, calls of their "
    "functions, branches on data, writes in place; not in what it calls: helpers, super()"
)


def compose(
    report: Report,
    width: int,
    facts: Mapping[str, Mapping[str, Any]],
    rewrites: Mapping[str, Mapping[str, Any]],
    held: Mapping[str, Mapping[str, Any]],
    *,
    reproduced: bool = False,
    verbose: bool = False,
) -> RenderableType:
    """The verdicts, the matrix, each failure with what to do, and the forms that were proved.

    Args:
        report: all results.
        width: of the terminal.
        facts: what was found out about each user's module, by the name of its cases.
        rewrites: `found`, `refuted` and `code`, by the same names.
        held: `proof` or `refuted` of being the reference, by the same names.
        reproduced: whether what a maintainer needs has been written already.
        verbose: whether every note and every refuted form is shown.
    """
    rows = list(dict.fromkeys(r.case.activation for r in report.results))
    parts: list[RenderableType] = []
    for name in rows:
        parts += _head(name, report, facts.get(name), held.get(name))
        parts += _beside_reference(held.get(name))
    parts += ["", *tables(report, width)]
    failed = failures(report)
    for failure in failed:
        forms = rewrites.get(failure.activation, {}).get("found", ())
        todo = [*_form_for(failure, forms), *advice(failure, report)]
        if not todo and not reproduced:
            todo = ["--repro DIR writes what a maintainer needs to look at it"]
        parts += ["", *_failure(failure, todo)]
    for name in rows:
        parts += _notes(name, report, verbose)
        parts += _forms(rewrites.get(name, {}), verbose)
        if name in rewrites and not any(rewrites[name].get(k) for k in ("found", "refuted")):
            parts += ["", Text(_NO_FORM, style="bold"), _indented(_LOOKED_FOR, "dim")]
    wrong = [name for name, one in held.items() if one["refuted"]]
    astray = [name for name in rows if _astray(facts.get(name))]
    last = f"{totals(report)}{f'; not the reference: {len(wrong)}' if wrong else ''}"
    last += f"; gradient wrong: {len(astray)}" if astray else ""
    return _Trimmed(Group(*parts, "", Text(last, style="bold")))


@dataclass(frozen=True)
class _Trimmed:
    """What rich fills up with blanks, without them: whoever copies a line wants none."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.inner, options, pad=False):
            while line and not line[-1].text.rstrip(" "):
                line.pop()
            yield from line[:-1]
            for last in line[-1:]:
                yield Segment(last.text.rstrip(" "), last.style)
            yield Segment.line()


def _head(
    name: str,
    report: Report,
    facts: Mapping[str, Any] | None,
    held: Mapping[str, Any] | None,
) -> Iterator[RenderableType]:
    """The verdict in one line, and what it was reached with."""
    results = [r for r in report.results if r.case.activation == name]
    refuted = bool(held and held["refuted"])
    astray = _astray(facts)
    good = not refuted and not astray and not any(r.status.failed for r in results)
    text = Text.assemble((printable(name), "bold"), " ")
    claim = f"{'is not the reference; it ' if refuted else ''}{verdict(report, name)}"
    claim += "; its gradient is wrong" if astray else ""
    text.append(printable(claim), style="bold green" if good else "bold red")
    yield text
    if facts is None:
        return
    guess = f" (guessed: {facts['guess']}; else say --input)" if facts["guess"] else ""
    kind = "elementwise" if facts["elementwise"] else ""
    if facts["knees"]:
        kind += f", probed around {', '.join(f'{x:g}' for x in facts['knees'])}"
    count = facts["parameters"]
    sizes = f"{count or 'no'} parameter{'' if count == 1 else 's'}"
    said = [
        f"{facts['place']}: {_counted(facts['inputs'])}{guess} -> {_counted(facts['outputs'])}",
        f"{'; '.join(filter(None, (kind, sizes)))}; checked on {', '.join(facts['classes'])}",
    ]
    if facts["left_out"]:
        said[-1] += f", not on {', '.join(facts['left_out'])}: it has too many parameters"
    if facts["moved"]:
        said.append(f"moved apart, for they were all alike: {_enumerated(facts['moved'])}")
    said += facts["notes"]
    for line in said:
        yield Text(f"  {printable(line)}", style="dim")
    if "training" in facts:
        yield _gradient(facts["training"])


def _counted(texts: Sequence[str]) -> str:
    """`float32 2x8, 3 of int64 2`: neighbours that are alike told once."""
    runs = [(text, len(list(alike))) for text, alike in groupby(texts)]
    shown = [text if count == 1 else f"{count} of {text}" for text, count in runs[:_SHAPES]]
    return ", ".join(shown) + (f", … ({len(texts)} in all)" if len(runs) > _SHAPES else "")


def _enumerated(found: Sequence[str]) -> str:
    more = len(found) - _NAMES
    return ", ".join(found[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def _beside_reference(held: Mapping[str, Any] | None) -> Iterator[RenderableType]:
    if held is None:
        return
    proof, refuted = held["proof"], held["refuted"]
    if refuted:
        yield Text(f"  not the reference: {printable(refuted['why'])}", style="bold red")
        return
    yield Text("  proved equal to the reference:", style="bold green")
    for line in (*proof["lines"], *proof["remarks"]):
        yield _indented(line, "dim")


def _astray(facts: Mapping[str, Any] | None) -> bool:
    """Whether a gradient was asked for and is not right."""
    return bool(facts and "training" in facts and not facts["training"]["gradient_right"])


def _gradient(training: Mapping[str, Any]) -> Text:
    right = training["gradient_right"]
    if "error" in training:
        text = f"  gradient: none ({training['error']})"
    else:
        where = f" at x = {training['gradient_at']:g}" if "gradient_at" in training else ""
        text = (
            f"  gradient: {'right' if right else 'wrong'}, off by "
            f"{training['gradient_error']:.1e} from {training['gradient_reference']}"
            f"{'' if right else where}"
        )
    return Text(printable(text), style="dim" if right else "bold red")


def _form_for(failure: Failure, found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """To use the first of the forms that helps, where one does."""
    helped = (one for one in found if set(failure.targets) & set(one["targets"]))
    for one in islice(helped, 1):
        yield f"use the form below, {one['replacement']}"


def _failure(failure: Failure, todo: Sequence[str]) -> Iterator[RenderableType]:
    """Where, the operator and its line, the cause, the blame, what to do."""
    line = Text()
    line.append(f"{MARKS[failure.status]} {printable(failure.activation)}", style="bold red")
    line.append(f"  {', '.join(failure.targets)}")
    line.append(f"  {failure.stage}", style="red")
    yield line
    for operator in failure.blame.operators if failure.blame else ():
        where = ", ".join(filter(None, (operator.module, operator.source)))
        yield _indented(f"{operator.name}{f' in {where}' if where else ''}", "yellow")
    yield _indented(failure.cause)
    if failure.blame:
        yield _indented(f"blame: {failure.blame.sentence}")
    for text in todo:
        yield _indented(f"do: {text}", "bold")


def _notes(name: str, report: Report, verbose: bool) -> Iterator[RenderableType]:
    found = list(notes(report, name))
    if not found:
        return
    results = [r for r in report.results if r.case.activation == name]
    asked = list(dict.fromkeys(Column(r.case.target, r.case.runtime) for r in results))
    yield from ("", Text(f"notes on {printable(name)}, which fail nothing", style="bold"))
    shown = found if verbose else found[:_NOTES]
    for text, columns in shown:
        yield _indented(f"{text} ({listed(names(columns, asked))})", "yellow")
    if len(shown) < len(found):
        yield _indented(f"and {len(found) - len(shown)} more: -v shows them", "dim")


def _forms(rewrites: Mapping[str, Any], verbose: bool) -> Iterator[RenderableType]:
    """Every form that was proved, the code to paste for all of them, and what was refused."""
    for one in rewrites.get("found", ()):
        place = f"{one['path']}: " if one["path"] else ""
        title = f"{place}{one['original']} -> {one['replacement']}"
        yield from ("", Text(printable(title), style="bold green"))
        for line in one["proof"]:
            yield _indented(line, "dim")
    if rewrites.get("found"):
        yield from _code(rewrites["found"], rewrites["code"])
    refuted: Sequence[Mapping[str, Any]] = rewrites.get("refuted", ())
    if refuted and (verbose or not rewrites.get("found")):
        yield from ("", Text("forms that were tried and refused", style="bold"))
        for text in dict.fromkeys(f"{one['replacement']}: {one['why']}" for one in refuted):
            yield _indented(text, "dim")


def _code(found: Sequence[Mapping[str, Any]], code: str) -> Iterator[RenderableType]:
    """What to paste; neither indented nor padded: it is there to be copied."""
    swaps = "\n".join(one["swap"] for one in found)
    if re.search(r"\bmodel\b", swaps):
        yield from (
            "",
            Text("to paste, where `model` is the module that was checked", style="bold"),
        )
        if "torch.jit.script" not in swaps:
            targets = list(dict.fromkeys(name for one in found for name in one["targets"]))
            call = f"exportcheck.make_exportable(model, targets={targets})"
            yield _indented(f"from Python the same is done by {call}", "dim")
    yield from ("", Syntax("", "python", background_color="default").highlight(code))


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(Text(printable(brief(text, _CAUSE)), style=style), (0, 0, 0, 4), expand=False)
