"""Strips: forms down, versions across, a state in each cell; however a history is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.history.axes import axes, versions_text
from exportcheck.history.statements import WORDS, State, Statement, state_of
from exportcheck.history.tracks import option, ran_in, tracks
from exportcheck.matrix import error_text
from exportcheck.results import Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from exportcheck.history.axes import Axis
    from exportcheck.history.runs import History, Run
    from exportcheck.history.tracks import Track

LEGEND = (
    "✓ works  ~ works, with a note  ◐ works alone, fails between layers  ○ converts, was not run  "
    "≠ wrong numbers  ✗ fails  ☠ crashes or hangs  ⊘ says nothing: ReLU fails there too  "
    "– not there yet  blank: not measured"
)


@dataclass(frozen=True)
class Row:
    """A form; its statements are in the order of the strip's runs, None where it was not run."""

    form: str
    kind: str
    statements: tuple[Statement | None, ...]


@dataclass(frozen=True, eq=False)
class Strip:
    """One track along one axis."""

    track: Track
    axis: Axis
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """For example `Core ML, float32, by coremltools on torch 1.7.1`."""
        fixed = f" on {self.axis.fixed}" if self.axis.fixed else ""
        return f"{self.track.title}, by {self.axis.package}{fixed}"

    @property
    def other(self) -> str:
        """The package that moves beside the axis' own; empty where none does."""
        others = [p for p in self.track.packages if p != self.axis.package]
        return others[0] if others and not self.axis.fixed else ""

    @property
    def heads(self) -> tuple[tuple[str, str], ...]:
        """Above each run: the axis' version and that of `other`."""
        return tuple(
            (self.axis.label(run), short_version(run, self.other)) for run in self.axis.runs
        )


def short_version(run: Run, package: str) -> str:
    """The version of `package` without what follows a plus sign; empty where it has none."""
    return run.versions.get(package, "").partition("+")[0]


def strips(
    history: History, forms: Sequence[str], keep: Callable[[Track], bool] = lambda _: True
) -> tuple[Strip, ...]:
    """Every strip on which one of `forms` was run, native forms above hand-written ones."""
    ordered = sorted(forms, key=_rank)
    found = []
    for track in tracks(history.runs):
        if not keep(track):
            continue
        for axis in axes(history, track):
            rows = tuple(_row(axis, form, track) for form in ordered)
            rows = tuple(row for row in rows if any(row.statements))
            if rows:
                found.append(Strip(track, axis, rows))
    return tuple(found)


COREML_REMARK = (
    "Core ML off macOS: ML programs are run by mil-numpy (simulated), the neural networks of "
    "coremltools 4 are only converted."
)


def uneventful(strip: Strip) -> bool:
    """Whether every form passes in every run that it was tried in, between layers too."""
    return all(one is None or one.state.passes for row in strip.rows for one in row.statements)


def quiet_text(quiet: Sequence[Strip]) -> str:
    """What is said of strips in which nothing happened."""
    parts = []
    for strip in quiet:
        versions = f"{strip.axis.package} {versions_text(strip.axis, strip.axis.runs)}"
        fixed = f" on {strip.axis.fixed}" if strip.axis.fixed else ""
        parts.append(f"{strip.track.title} ({versions}{fixed})")
    return f"Every form works in every version measured: {'; '.join(parts)}."


def _row(axis: Axis, form: str, track: Track) -> Row:
    known = activations().get(form)
    statements = tuple(state_of(run, form, track) for run in axis.runs)
    return Row(form, known.form if known else "", statements)


_KINDS = ("native", "in-place", "hand-written", "autograd")


def _rank(form: str) -> tuple[int, int]:
    """Native forms first; of a kind in the catalogue's order."""
    known = list(activations())
    place = known.index(form) if form in known else len(known)
    kind = activations()[form].form if form in known else ""
    return (_KINDS.index(kind) if kind in _KINDS else len(_KINDS), place)


def detail(statement: Statement) -> str:
    """A statement in words: `works, opset 12, error 7e-07`, `fails at export: …`."""
    compared = statement.outcome.stage is Stage.COMPARE
    where = (ran_in if compared else option)(statement.column)
    outcome = statement.outcome
    words = WORDS[statement.state]
    if statement.state.works:
        error = error_text(outcome.max_error)
        parts = [words, where, f"worst error {error}", *outcome.notes]
        parts += [
            f"{net} {one.stage.value}: {one.message}" for net, one in statement.between.items()
        ]
        return "; ".join((", ".join(parts[:3]), *parts[3:]))
    if statement.state.failed or statement.state is State.BLOCKED:
        words += f" at {outcome.stage.value}" if statement.state is not State.WRONG else ""
    return f"{words}, {where}" + (f": {outcome.message}" if outcome.message else "")


def by_option(statement: Statement) -> Mapping[str, State]:
    """The state of each column of the track, by opset or runtime."""
    return {option(column): state for column, state in statement.states.items()}
