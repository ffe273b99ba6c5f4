"""Results and reports as JSON objects, and back.

Standard library only: host and worker, the oldest Python included, share this file.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from enum import Enum
from typing import Any

from exportcheck.results import (
    Blame,
    Case,
    Change,
    ChangeKind,
    Comparison,
    Culprit,
    Curve,
    Evidence,
    Known,
    Operator,
    Report,
    Result,
    Stage,
    Status,
    Worst,
)

SCHEMA = "1.2"
"""Version of the JSON form: the major part changes when a reader of the old one would misread."""


_OFTEN_EMPTY = ("curves", "training", "blame", "known", "machine", "log")
"""What is left out where it is empty: thousands of results pass and have none of it."""


def result_to_json(result: Result) -> dict[str, Any]:
    """The JSON object of one result, NaN and infinities as strings: `nan`, `inf`, `-inf`."""
    plain = _all_of(result)
    return {name: value for name, value in plain.items() if value or name not in _OFTEN_EMPTY}


def _all_of(result: Result) -> dict[str, Any]:
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
        "curves": {k: _curve_to_json(c) for k, c in result.curves.items()},
        "tolerance": _plain(result.tolerance),
        "blame": _blame_to_json(result.blame) if result.blame else None,
        "actual": _plain(result.actual),
        "training": _plain(result.training),
        "graph_ops": result.graph_ops,
        "durations_s": {k: round(v, 4) for k, v in result.durations_s.items()},
        "versions": result.versions,
        "log": result.log,
        "known": asdict(result.known) if result.known else None,
        "machine": result.machine,
    }


def _comparison_to_json(comparison: Comparison) -> dict[str, Any]:
    worst = comparison.worst
    plain: dict[str, Any] = {
        "close": comparison.close,
        "gates": comparison.gates,
        "max_error": _number(comparison.max_error),
        "max_abs_error": _number(comparison.max_abs_error),
        "max_rel_error": _number(comparison.max_rel_error),
        "max_ulp_error": _number(comparison.max_ulp_error),
        "mismatched": comparison.mismatched,
        "total": comparison.total,
        "kinds": comparison.kinds,
        "accuracy": comparison.accuracy,
        "worst": None
        if worst is None
        else {
            "input": _number(worst.input),
            "actual": _number(worst.actual),
            "expected": _number(worst.expected),
            "truth": _number(worst.truth),
            "index": list(worst.index),
        },
    }
    if comparison.detail:
        plain["detail"] = comparison.detail
    return plain


def _curve_to_json(curve: Curve) -> dict[str, Any]:
    """Thousands of points a report, so that each is looked at once."""
    finite = math.isfinite
    return {
        name: [point if finite(point) else str(point) for point in points]
        for name, points in vars(curve).items()
    }


def _blame_to_json(blame: Blame) -> dict[str, Any]:
    plain: dict[str, Any] = _plain(asdict(blame))
    return plain if blame.also else {k: v for k, v in plain.items() if k != "also"}


def _number(value: float | None) -> float | str | None:
    """`value` to nine digits, which tell any two float32 numbers apart."""
    if value is None or value == 0:
        return value
    return float(f"{value:.9g}") if math.isfinite(value) else str(value)


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
        case=_case_from_json(data),
        family=data["family"],
        status=Status(data["status"]),
        stage=Stage(data["stage"]),
        message=data.get("message", ""),
        notes=tuple(data.get("notes", ())),
        comparisons={k: _comparison_from_json(c) for k, c in data.get("comparisons", {}).items()},
        curves={k: _curve_from_json(c) for k, c in data.get("curves", {}).items()},
        tolerance=data.get("tolerance", {}),
        blame=_blame_from_json(data.get("blame")),
        actual=data.get("actual", {}),
        training=data.get("training", {}),
        graph_ops=data.get("graph_ops", {}),
        durations_s=data.get("durations_s", {}),
        versions=data.get("versions", {}),
        log=data.get("log", ""),
        known=_known_from_json(data.get("known")),
        machine=data.get("machine", ""),
    )


def _case_from_json(data: dict[str, Any]) -> Case:
    return Case(
        data["activation"], data["network"], data["target"], data["runtime"], data["toolchain"]
    )


def _blame_from_json(data: dict[str, Any] | None) -> Blame | None:
    if not data:
        return None
    return Blame(
        culprit=Culprit(data["culprit"]),
        text=data["text"],
        evidence=tuple(Evidence(e["tried"], e["found"]) for e in data["evidence"]),
        operators=tuple(
            Operator(o["name"], o.get("module", ""), o.get("source", "")) for o in data["operators"]
        ),
        also=tuple(map(Culprit, data.get("also", ()))),
    )


def _known_from_json(data: dict[str, Any] | None) -> Known | None:
    return Known(data["pattern"], data["reason"], data.get("issue", "")) if data else None


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
        accuracy=data.get("accuracy", ""),
        detail=data.get("detail", ""),
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


def _curve_from_json(data: dict[str, Any]) -> Curve:
    names = ("input", "actual", "expected", "ulp")
    return Curve(*(tuple(float(point) for point in data[name]) for name in names))


def report_to_json(report: Report) -> dict[str, Any]:
    """The JSON object of a whole report, `schema` first."""
    return {
        "schema": SCHEMA,
        "environment": report.environment,
        "counts": report.counts(),
        "unfinished": [asdict(case) for case in report.unfinished],
        "stale": list(report.stale),
        "changes": [_plain(asdict(change)) for change in report.changes],
        "results": [result_to_json(result) for result in report.results],
    }


def report_from_json(data: dict[str, Any]) -> Report:
    """The report that `report_to_json` wrote; newer minor versions are read.

    Raises:
        KeyError: a required name is absent.
        ValueError: the major version of `schema` is another one.
    """
    seen = str(data.get("schema"))
    if seen.split(".")[0] != SCHEMA.split(".")[0]:
        raise ValueError(f"schema {seen!r} where {SCHEMA} was expected: write the file anew")
    return Report(
        results=tuple(result_from_json(r) for r in data["results"]),
        environment=data["environment"],
        unfinished=tuple(_case_from_json(c) for c in data.get("unfinished", ())),
        stale=tuple(data.get("stale", ())),
        changes=tuple(
            Change(ChangeKind(c["kind"]), c["subject"], c["text"]) for c in data.get("changes", ())
        ),
    )
