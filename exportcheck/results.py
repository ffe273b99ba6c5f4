"""The words in which everything here speaks: a case, its stages, its result, a report of results.

Standard library only: host and worker, the oldest Python included, share this file.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any

SCHEMA = "1.0"
"""Version of the JSON form: the major part changes when a reader of the old one would misread."""


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


@dataclass(frozen=True)
class Comparison:
    """The figures of one input class; errors are over the elements finite on both sides.

    Attributes:
        close: whether every element is within tolerance or excused.
        gates: whether differences here fail the case.
        max_error: largest |actual - expected| / max(1, |expected|), the one figure a cell shows.
        max_abs_error: largest |actual - expected|.
        max_rel_error: largest |actual - expected| / |expected|.
        max_ulp_error: largest error in units in the last place, those up to one epsilon left out.
        mismatched: how many elements are wrong.
        total: how many there are.
        kinds: kind of difference -> how many.
        worst: the point that differs most.
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
    """A verdict in one sentence, with what it rests on."""

    culprit: Culprit
    text: str
    evidence: tuple[Evidence, ...] = ()
    operators: tuple[Operator, ...] = ()


@dataclass(frozen=True)
class Result:
    """All that is known of one case after it ran."""

    case: Case
    family: str
    status: Status
    stage: Stage
    message: str = ""
    notes: tuple[str, ...] = ()
    comparisons: dict[str, Comparison] = field(default_factory=dict)
    tolerance: dict[str, Any] = field(default_factory=dict)
    blame: Blame | None = None
    actual: dict[str, Any] = field(default_factory=dict)
    graph_ops: dict[str, dict[str, int]] = field(default_factory=dict)
    durations_s: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    log: str = ""

    @property
    def id(self) -> str:
        """The id of the case."""
        return self.case.id

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


@dataclass(frozen=True)
class Report:
    """Results in stable order and the environment they were measured in."""

    results: tuple[Result, ...]
    environment: dict[str, Any] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many results have each status, all named, plus `noted` (passes with a note)."""
        seen = Counter(result.status for result in self.results)
        counts = {status.value: seen[status] for status in Status}
        counts["noted"] = sum(r.status is Status.PASS and bool(r.notes) for r in self.results)
        return counts

    @property
    def failures(self) -> tuple[Result, ...]:
        """The results whose status counts against the export."""
        return tuple(r for r in self.results if r.status.failed)


def result_to_json(result: Result) -> dict[str, Any]:
    """The JSON object of one result, NaN and infinities as strings: `nan`, `inf`, `-inf`."""
    case = result.case
    return {
        "id": case.id,
        "activation": case.activation,
        "family": result.family,
        "network": case.network,
        "target": case.target,
        "runtime": case.runtime,
        "toolchain": case.toolchain,
        "status": result.status.value,
        "stage": result.stage.value,
        "message": result.message,
        "notes": list(result.notes),
        "comparisons": {k: _comparison_to_json(c) for k, c in result.comparisons.items()},
        "tolerance": _plain(result.tolerance),
        "blame": _plain(asdict(result.blame)) if result.blame else None,
        "actual": _plain(result.actual),
        "graph_ops": result.graph_ops,
        "durations_s": {k: round(v, 4) for k, v in result.durations_s.items()},
        "versions": result.versions,
        "log": result.log,
    }


def _comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    worst = comparison.worst
    plain = {
        "close": comparison.close,
        "gates": comparison.gates,
        "max_error": comparison.max_error,
        "max_abs_error": comparison.max_abs_error,
        "max_rel_error": comparison.max_rel_error,
        "max_ulp_error": comparison.max_ulp_error,
        "mismatched": comparison.mismatched,
        "total": comparison.total,
        "kinds": comparison.kinds,
        "worst": None
        if worst is None
        else {
            "input": worst.input,
            "actual": worst.actual,
            "expected": worst.expected,
            "truth": worst.truth,
            "index": list(worst.index),
        },
    }
    return dict(_plain(plain))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def result_from_json(data: dict[str, Any]) -> Result:
    """The result that `result_to_json` wrote.

    Raises:
        KeyError: a required name is absent.
        ValueError: a status or a stage is unknown.
    """
    return Result(
        case=Case(*(data[k] for k in ("activation", "network", "target", "runtime", "toolchain"))),
        family=data["family"],
        status=Status(data["status"]),
        stage=Stage(data["stage"]),
        message=data.get("message", ""),
        notes=tuple(data.get("notes", ())),
        comparisons={k: _comparison_from_json(c) for k, c in data.get("comparisons", {}).items()},
        tolerance=data.get("tolerance", {}),
        blame=_blame_from_json(data.get("blame")),
        actual=data.get("actual", {}),
        graph_ops=data.get("graph_ops", {}),
        durations_s=data.get("durations_s", {}),
        versions=data.get("versions", {}),
        log=data.get("log", ""),
    )


def _blame_from_json(data: dict[str, Any] | None) -> Blame | None:
    if not data:
        return None
    return Blame(
        culprit=Culprit(data["culprit"]),
        text=data["text"],
        evidence=tuple(Evidence(**e) for e in data["evidence"]),
        operators=tuple(Operator(**o) for o in data["operators"]),
    )


def _comparison_from_json(data: dict[str, Any]) -> Comparison:
    worst = data["worst"]
    return Comparison(
        close=data["close"],
        gates=data["gates"],
        max_error=float(data["max_error"]),
        max_abs_error=float(data["max_abs_error"]),
        max_rel_error=float(data["max_rel_error"]),
        max_ulp_error=float(data["max_ulp_error"]),
        mismatched=data["mismatched"],
        total=data["total"],
        kinds=data["kinds"],
        worst=None
        if worst is None
        else Worst(
            input=None if worst["input"] is None else float(worst["input"]),
            actual=float(worst["actual"]),
            expected=float(worst["expected"]),
            truth=None if worst["truth"] is None else float(worst["truth"]),
            index=tuple(worst["index"]),
        ),
    )


def report_to_json(report: Report) -> dict[str, Any]:
    """The JSON object of a whole report, `schema` first."""
    return {
        "schema": SCHEMA,
        "environment": report.environment,
        "counts": report.counts(),
        "results": [result_to_json(result) for result in report.results],
    }


def report_from_json(data: dict[str, Any]) -> Report:
    """The report that `report_to_json` wrote; newer minor versions are read.

    Raises:
        ValueError: the major version of `schema` is another one.
    """
    seen = str(data.get("schema"))
    if seen.split(".")[0] != SCHEMA.split(".")[0]:
        raise ValueError(f"schema {seen!r} where {SCHEMA} was expected: write the file anew")
    return Report(tuple(result_from_json(r) for r in data["results"]), data["environment"])
