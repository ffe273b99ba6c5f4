"""The words in which everything here speaks: a case, its stages, its result, a report of results.

Standard library only: host and worker, the oldest Python included, share this file.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Stage(str, Enum):
    """How far a case went; the last stage reached stands in its result."""

    BUILD = "build"
    EXPORT = "export"
    SAVE = "save"
    LOAD = "load"
    RUN = "run"
    COMPARE = "compare"


class Status(str, Enum):
    """What became of a case."""

    PASS = "pass"
    MISMATCH = "mismatch"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"

    @property
    def failed(self) -> bool:
        """Whether this counts against the export; `unavailable` says nothing about it."""
        return self not in (Status.PASS, Status.UNAVAILABLE)


@dataclass(frozen=True)
class Case:
    """One cell of the matrix, named by five names."""

    activation: str
    network: str
    target: str
    runtime: str
    toolchain: str

    @property
    def id(self) -> str:
        """The one string that selection, limitations, cache and reports use."""
        return "/".join((self.activation, self.network, self.target, self.runtime, self.toolchain))


@dataclass(frozen=True)
class Worst:
    """The point that differs most; `input` is None where the function is not elementwise."""

    input: float | None
    actual: float
    expected: float
    truth: float | None
    index: tuple[int, ...]


NOT_RUN = "not-run"
"""The runtime of what is converted only: nothing here could run it."""

INCOMPARABLE = ("outputs", "shape", "dtype")
"""Kinds of difference that leave no numbers to compare: how many outputs there are, and of what."""


@dataclass(frozen=True)
class Comparison:
    """The figures of one input class; errors are over the elements finite on both sides.

    Attributes:
        close: whether every element is within tolerance or excused.
        gates: whether differences here fail the case.
        max_error: largest |actual - expected| / max(1, |expected|), the one figure a cell shows.
        max_abs_error: largest |actual - expected|.
        max_rel_error: largest |actual - expected| / |expected|, expected not being 0.
        max_ulp_error: largest error in units in the last place, those up to one epsilon left out.
        mismatched: how many elements are wrong.
        total: how many there are.
        kinds: kind of difference -> how many.
        worst: the point that differs most.
        accuracy: the export beside eager, both held against float64: `more` where its largest error
            is less than half of eager's, `less` where it is more than twice that, else `as`; empty
            where float64 is not known.
        detail: what stands where what was expected, for outputs that cannot be compared at all.
    """

    close: bool
    gates: bool
    max_error: float
    max_abs_error: float
    max_rel_error: float
    max_ulp_error: float
    mismatched: int
    total: int
    kinds: dict[str, int] = field(default_factory=dict)
    worst: Worst | None = None
    accuracy: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Curve:
    """Some points of one input class by rising input, float32 values; what a plot is drawn from.

    Attributes:
        input: the inputs.
        actual: what the exported model gave.
        expected: what eager PyTorch gave.
        ulp: the error in units in the last place as in `Comparison`; infinite where a NaN or an
            infinity stands on one side only.
    """

    input: tuple[float, ...]
    actual: tuple[float, ...]
    expected: tuple[float, ...]
    ulp: tuple[float, ...]


class Culprit(str, Enum):
    """Whose fault a difference or a failure is; given only where the evidence decides it."""

    EXPORTER = "exporter"
    RUNTIME_KERNEL = "runtime-kernel"
    RUNTIME_OPTIMIZER = "runtime-optimizer"
    PRECISION = "precision"
    EAGER = "eager"
    RANDOM = "random"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Evidence:
    """A second opinion: what was tried and what came of it."""

    tried: str
    found: str


@dataclass(frozen=True)
class Operator:
    """An operator that stands in the way: where in the module, and the line that calls it."""

    name: str
    module: str = ""
    source: str = ""


@dataclass(frozen=True)
class Blame:
    """A verdict in one sentence, with what it rests on.

    Attributes:
        culprit: who made most of the numbers wrong.
        text: the rest of the sentence.
        evidence: the second opinions.
        operators: that stand in the way.
        also: who else made some of the numbers wrong, as the text says.
    """

    culprit: Culprit
    text: str
    evidence: tuple[Evidence, ...] = ()
    operators: tuple[Operator, ...] = ()
    also: tuple[Culprit, ...] = ()

    @property
    def sentence(self) -> str:
        """The culprit and the verdict: `runtime-kernel: …`."""
        return f"{self.culprit.value}: {self.text}"


@dataclass(frozen=True)
class Known:
    """The limitation that a result falls under: it is said to fail, why, and who follows it."""

    pattern: str
    reason: str
    issue: str = ""


TRACE_FIXES = "the trace fixes what forward decides by data at "
"""How the note begins that names the lines where a trace kept what one run decided."""


@dataclass(frozen=True)
class Result:
    """All that is known of one case after it ran.

    `known` and `machine` are the host's: the limitation that names the case, and, in a report
    joined from several, where it ran.
    """

    case: Case
    family: str
    status: Status
    stage: Stage
    message: str = ""
    notes: tuple[str, ...] = ()
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    curves: dict[str, Curve] = field(default_factory=dict)
    tolerance: dict[str, Any] = field(default_factory=dict)
    blame: Blame | None = None
    actual: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    graph_ops: dict[str, dict[str, int]] = field(default_factory=dict)
    durations_s: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    log: str = ""
    known: Known | None = None
    machine: str = ""

    @property
    def id(self) -> str:
        """The id of the case."""
        return self.case.id

    @property
    def new(self) -> bool:
        """Whether it fails and no limitation says so."""
        return self.status.failed and self.known is None

    @property
    def fixed(self) -> bool:
        """Whether it passes although a limitation says that it fails."""
        return self.status is Status.PASS and self.known is not None

    @property
    def unchecked(self) -> bool:
        """Whether it says nothing of the export; what is not meant to be run was converted."""
        converts = self.case.runtime == NOT_RUN and self.stage is Stage.LOAD
        return self.status is Status.UNAVAILABLE and not converts

    @property
    def reportable(self) -> bool:
        """Whether it is a mistake of an exporter or a runtime that its makers should hear of."""
        ours = (Culprit.PRECISION, Culprit.EAGER, Culprit.RANDOM)
        baked = any(note.startswith(TRACE_FIXES) for note in self.notes)
        return not baked and not (self.blame and self.blame.culprit in ours)

    @property
    def max_error(self) -> float | None:
        """The largest finite error over the gating input classes; None before any comparison."""
        errors = [c.max_error for c in self.comparisons.values() if c.gates]
        return max(errors) if errors else None

    @property
    def first_line(self) -> str:
        """The cause in one line; a line that announces the next one is joined with it."""
        lines = [line.strip() for line in self.message.splitlines() if line.strip()]
        return " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1])


class ChangeKind(str, Enum):
    """How a cell, or the environment, differs between two reports."""

    NEW_FAILURE = "new-failure"
    OTHER_FAILURE = "other-failure"
    FIXED = "fixed"
    NUMBERS = "numbers"
    OPERATORS = "operators"
    ADDED = "added"
    GONE = "gone"
    ENVIRONMENT = "environment"


@dataclass(frozen=True)
class Change:
    """One difference between two reports: of which case or part of the environment, and what."""

    kind: ChangeKind
    subject: str
    text: str


@dataclass(frozen=True)
class Report:
    """Results in stable order and the environment they were measured in.

    Attributes:
        results: one for each case that has finished.
        environment: what `environment.describe` says; with `machines`, a name to an environment,
            where the results of several were joined.
        unfinished: the cases that were asked for and have no result.
        stale: patterns of limitations that match no case there is.
        changes: against an older report, where there was one to compare with.
    """

    results: tuple[Result, ...]
    environment: dict[str, Any] = field(default_factory=dict)
    unfinished: tuple[Case, ...] = ()
    stale: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()

    def counts(self) -> dict[str, int]:
        """How many results have each status, all named, and how many are worth a second look.

        `noted` are passes with a note; `known`, `new` and `fixed` are what the limitations make of
        the results; `unfinished` are the cases without one.
        """
        seen = Counter(result.status for result in self.results)
        counts = {status.value: seen[status] for status in Status}
        counts["noted"] = sum(r.status is Status.PASS and bool(r.notes) for r in self.results)
        counts["known"] = len(self.known)
        counts["new"] = len(self.new)
        counts["fixed"] = len(self.fixed)
        counts["unfinished"] = len(self.unfinished)
        return counts

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results whose status counts against the export."""
        return tuple(r for r in self.results if r.status.failed)

    @property
    def known(self) -> tuple[Result, ...]:
        """The failures that a limitation names."""
        return tuple(r for r in self.failures if r.known is not None)

    @property
    def new(self) -> tuple[Result, ...]:
        """The failures that no limitation names."""
        return tuple(r for r in self.results if r.new)

    @property
    def fixed(self) -> tuple[Result, ...]:
        """The results that pass although a limitation says that they fail."""
        return tuple(r for r in self.results if r.fixed)

    @property
    def unavailable(self) -> tuple[Result, ...]:
        """The results without one: a class, a package or a runtime was not there."""
        return tuple(r for r in self.results if r.status is Status.UNAVAILABLE)

    @property
    def unchecked(self) -> bool:
        """Whether nothing of what was asked for could be checked."""
        return bool(self.results) and all(r.unchecked for r in self.results)

    @property
    def green(self) -> bool:
        """Whether all is as expected: nothing new, nothing fixed, stale, unfinished or unchecked.

        What is unavailable is no failure, but where all of it is, nothing has been shown.
        """
        wrong = self.new or self.fixed or self.stale or self.unfinished
        return not (wrong or self.unchecked)

    @property
    def machines(self) -> dict[str, dict[str, Any]]:
        """The environments by name, one without a name where nothing was joined."""
        return self.environment.get("machines") or {"": self.environment}
