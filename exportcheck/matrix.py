"""A report laid out as people read it: forms by family down, targets across, one state a cell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from exportcheck.catalog import activations
from exportcheck.results import Result, Status
from exportcheck.targets import targets

if TYPE_CHECKING:
    from exportcheck.results import Report

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

    @property
    def group(self) -> str:
        """Heading over several columns; empty for a target that this version does not know."""
        known = targets().get(self.target)
        return known.group if known else ""

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
    for result in report.results:
        column = Column(result.case.target, result.case.runtime)
        grouped.setdefault((result.case.activation, column), []).append(result)
        forms.setdefault(result.case.activation, result.family or result.case.activation)
    rows, order = list(activations()), list(targets())
    families: dict[str, tuple[str, ...]] = {}
    for form in sorted(forms, key=lambda name: (_place(name, rows), name)):
        families[forms[form]] = (*families.get(forms[form], ()), form)
    columns = sorted({c for _, c in grouped}, key=lambda c: (_place(c.target, order), c.runtime))
    cells = {key: Cell(tuple(results)) for key, results in grouped.items()}
    return Matrix(tuple(columns), families, cells)


def _place(name: str, known: list[str]) -> int:
    return known.index(name) if name in known else len(known)


@dataclass(frozen=True)
class Failure:
    """Results that fail at the same stage for the same cause, told once."""

    activation: str
    stage: str
    status: Status
    cause: str
    results: tuple[Result, ...]

    @property
    def targets(self) -> tuple[str, ...]:
        """The targets it happens in."""
        return tuple(dict.fromkeys(r.case.target for r in self.results))

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks it happens in."""
        return tuple(dict.fromkeys(r.case.network for r in self.results))


def failures(report: Report) -> tuple[Failure, ...]:
    """The failures of `report` in the order of its results, equal ones joined."""
    grouped: dict[tuple[str, str, Status, str], list[Result]] = {}
    for result in report.failures:
        key = (result.case.activation, result.stage.value, result.status, result.first_line)
        grouped.setdefault(key, []).append(result)
    return tuple(Failure(*key, tuple(results)) for key, results in grouped.items())
