"""A report laid out as people read it: forms by family down, targets across, one state a cell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.results import INCOMPARABLE, Result, Status
from exportcheck.targets import targets

if TYPE_CHECKING:
    from exportcheck.results import Blame, Known, Report

MARKS = {
    Status.PASS: "✓",
    Status.MISMATCH: "≠",
    Status.ERROR: "✗",
    Status.CRASH: "☠",
    Status.TIMEOUT: "⧖",
    Status.UNAVAILABLE: "–",
}
NOTED_MARK = "~"
KNOWN_MARK = "°"
"""Stands behind the mark of a failure that a limitation names."""

LEGEND = (
    "✓ passes  ~ passes, with a note  ≠ wrong numbers  ✗ fails at a stage  ☠ crash  ⧖ timeout  "
    "– not available here  ° a known failure; the figure is the worst error, "
    "|actual - eager| / max(1, |eager|)"
)

# Worst first: a cell is what its worst network is.
_SEVERITY = (
    Status.CRASH,
    Status.TIMEOUT,
    Status.ERROR,
    Status.MISMATCH,
    Status.UNAVAILABLE,
    Status.PASS,
)


@dataclass(frozen=True)
class Column:
    """A target run by one runtime."""

    target: str
    runtime: str
    toolchain: str = ""
    """Empty where the report has one only."""

    @property
    def group(self) -> str:
        """Heading over several columns; empty for a target that this version does not know."""
        known = targets().get(self.target)
        return " ".join(filter(None, (self.toolchain, known.group if known else "")))

    @property
    def label(self) -> str:
        """What tells it from its neighbours."""
        known = targets().get(self.target)
        return known.label if known else self.target

    @property
    def simulated(self) -> bool:
        """Whether its numbers come from a reference evaluator."""
        known = targets().get(self.target)
        runtimes = known.runtimes if known else ()
        return any(r.simulated and r.name == self.runtime for r in runtimes)


@dataclass(frozen=True)
class Cell:
    """One form in one column, over all networks."""

    results: tuple[Result, ...]

    @cached_property
    def worst(self) -> Result:
        """The result that decides what the cell shows: worst status, then largest error."""
        return min(
            self.results, key=lambda r: (_SEVERITY.index(r.status), -(r.max_error or 0.0), r.id)
        )

    @property
    def noted(self) -> bool:
        """Whether it passes with a note."""
        return self.worst.status is Status.PASS and any(r.notes for r in self.results)

    @property
    def known(self) -> bool:
        """Whether it fails and a limitation names every failure in it."""
        failed = [r for r in self.results if r.status.failed]
        return bool(failed) and all(r.known for r in failed)

    @property
    def mark(self) -> str:
        """The state in one or two characters, as the legend has it."""
        if self.noted:
            return NOTED_MARK
        return MARKS[self.worst.status] + (KNOWN_MARK if self.known else "")

    @property
    def figure(self) -> str:
        """The worst error, what became of NaN or infinity, what else differs, or the stage."""
        if self.worst.status is Status.PASS:
            return error_text(self.worst.max_error)
        if self.worst.status is not Status.MISMATCH:
            return self.worst.stage.value
        gating = [c for c in self.worst.comparisons.values() if c.gates]
        for kind in (*INCOMPARABLE, "nan", "inf"):
            if any(k.startswith(kind) for c in gating for k in c.kinds):
                return kind
        return error_text(self.worst.max_error)


def error_text(error: float | None) -> str:
    """An error in five characters: `0`, `3e-07`, `inf`; never rounded to zero."""
    if error is None:
        return "?"
    if error == 0 or not math.isfinite(error):
        return f"{error:g}"
    return f"{error:.0e}"


@dataclass(frozen=True)
class Matrix:
    """The cells of a report."""

    columns: tuple[Column, ...]
    families: dict[str, tuple[str, ...]]
    cells: dict[tuple[str, Column], Cell]


def lay_out(report: Report) -> Matrix:
    """The matrix of `report`, rows in the catalogue's order, what it does not know last."""
    grouped: dict[tuple[str, Column], list[Result]] = {}
    forms: dict[str, str] = {}
    toolchains = list(dict.fromkeys(result.case.toolchain for result in report.results))
    for result in report.results:
        case = result.case
        column = Column(case.target, case.runtime, case.toolchain if toolchains[1:] else "")
        grouped.setdefault((result.case.activation, column), []).append(result)
        forms.setdefault(result.case.activation, result.family or result.case.activation)
    rows, order = list(activations()), list(targets())
    families: dict[str, tuple[str, ...]] = {}
    for form in sorted(forms, key=lambda name: (_place(name, rows), name)):
        families[forms[form]] = (*families.get(forms[form], ()), form)
    columns = sorted(
        {column for _, column in grouped},
        key=lambda c: (_place(c.toolchain, toolchains), _place(c.target, order), c.runtime),
    )
    cells = {key: Cell(tuple(results)) for key, results in grouped.items()}
    return Matrix(tuple(columns), families, cells)


def _place(name: str, known: list[str]) -> int:
    return known.index(name) if name in known else len(known)


@dataclass(frozen=True)
class Failure:
    """Results that fail at the same stage for the same cause by the same fault, told once."""

    activation: str
    stage: str
    status: Status
    cause: str
    known: Known | None
    results: tuple[Result, ...]
    works_in: tuple[str, ...]
    """The targets where the same activation passes in the same networks and toolchains."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets it happens in."""
        return tuple(dict.fromkeys(r.case.target for r in self.results))

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it happens in."""
        return tuple(dict.fromkeys(r.case.network for r in self.results))

    @property
    def blame(self) -> Blame | None:
        """Whose fault it is; the evidence is that of the first result."""
        return self.results[0].blame


def failures(report: Report) -> tuple[Failure, ...]:
    """The failures of `report` in the order of its results, new ones first, equal ones joined."""
    told: dict[tuple[str, str, Status, str, Known | None, str], list[Result]] = {}
    for r in (*report.new, *report.known):
        key = (r.case.activation, r.stage.value, r.status, r.first_line, r.known)
        fault = r.blame.sentence if r.blame else ""
        told.setdefault((*key, fault), []).append(r)
    passed: dict[str, dict[str, set[tuple[str, str]]]] = {}
    for r in report.results:
        if r.status is Status.PASS:
            targets_of = passed.setdefault(r.case.activation, {})
            targets_of.setdefault(r.case.target, set()).add((r.case.network, r.case.toolchain))
    return tuple(
        Failure(*key[:5], tuple(results), _works_in(passed.get(key[0], {}), results))
        for key, results in told.items()
    )


def _works_in(passed: dict[str, set[tuple[str, str]]], failed: list[Result]) -> tuple[str, ...]:
    wanted = {(r.case.network, r.case.toolchain) for r in failed}
    return tuple(target for target, where in passed.items() if wanted <= where)


def known_failures(report: Report) -> dict[Known, tuple[Result, ...]]:
    """The known failures by the limitation that names them, in the order of the results."""
    grouped: dict[Known, list[Result]] = {}
    for result in report.known:
        if result.known is not None:
            grouped.setdefault(result.known, []).append(result)
    return {known: tuple(results) for known, results in grouped.items()}


def totals(report: Report) -> str:
    """For example `90 cases: 80 pass (9 with a note), 10 error; known: 8, new: 2`."""
    counts = report.counts()
    noted = counts["noted"]
    parts = []
    for status in Status:
        if counts[status] or status is Status.PASS:
            remark = f" ({noted} with a note)" if status is Status.PASS and noted else ""
            parts.append(f"{counts[status]} {status.value}{remark}")
    cases = "1 case" if len(report.results) == 1 else f"{len(report.results)} cases"
    text = f"{cases}: {', '.join(parts)}"
    wanted = ("known", "new") if report.failures else ()
    rest = [
        f"{name}: {counts[name]}"
        for name in ("known", "new", "fixed", "unfinished")
        if counts[name] or name in wanted
    ]
    return f"{text}; {', '.join(rest)}" if rest else text


def verdict(report: Report) -> str:
    """Whether all is as expected: `not as expected: 2 new, 1 fixed`, in one line."""
    counts = {
        "new": len(report.new),
        "fixed": len(report.fixed),
        "stale": len(report.stale),
        "unfinished": len(report.unfinished),
    }
    found = [f"{count} {what}" for what, count in counts.items() if count]
    missing = f"{len(report.unavailable)} of {len(report.results)} unavailable"
    if report.unchecked:
        return f"nothing could be checked: {', '.join([missing, *found])}"
    if found:
        return f"not as expected: {', '.join(found)}"
    text = "every failure is known" if report.failures else "no failure"
    return f"as expected: {text}" + f", {missing}" * bool(report.unavailable)
