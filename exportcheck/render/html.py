"""One self-contained page: the matrix, every cell's evidence, every function's card; no network."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from exportcheck.catalog import activations
from exportcheck.matrix import failures, lay_out, totals, verdict
from exportcheck.pages import Pool, page, read
from exportcheck.records import result_to_json
from exportcheck.results import Status
from exportcheck.support import state_support

if TYPE_CHECKING:
    from exportcheck.matrix import Cell, Column, Matrix
    from exportcheck.results import Report, Result

FILE_NAME = "matrix.html"

TEXT_LIMIT = 6_000
"""Characters that the page keeps of a message, from its start, and of a log, from its end."""

_SHARED = [
    "network",
    "toolchain",
    "stage",
    "message",
    "notes",
    "blame",
    "comparisons",
    "curves",
    "tolerance",
    "actual",
    "training",
    "graph_ops",
    "durations_s",
    "versions",
    "log",
    "known",
    "machine",
]
"""What a result has beside its place and its state; equal values are stored once."""


def render(report: Report) -> str:
    """The page, the same bytes for the same report."""
    folder = resources.files("exportcheck.render") / "html"
    scripts = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".js")), key=lambda file: file.name
    )
    return page(folder / "page.html", [folder / "page.css"], scripts, _data(report))


def _data(report: Report) -> dict[str, Any]:
    matrix, pool = lay_out(report), Pool()
    index: dict[str, int] = {}
    drawings = json.loads(read(resources.files("exportcheck.catalog") / "curves.json"))
    families = [
        {**_family(matrix, family, pool, index), "curve": drawings.get(family)}
        for family in matrix.families
    ]
    around = {
        "totals": totals(report),
        "verdict": verdict(report),
        "green": report.green,
        "counts": report.counts(),
        "fields": ["state", *_SHARED],
        "columns": [_column(column) for column in matrix.columns],
        "failures": _failures(report, index),
        "stale": list(report.stale),
        "unfinished": [case.id for case in report.unfinished],
        "fixed": [index[_key(result)] for result in report.fixed],
        "changes": [[c.kind.value, c.subject, c.text] for c in report.changes],
        "machines": report.machines,
    }
    return {**_clipped(around), "families": families, "pool": pool.values}


def _column(column: Column) -> dict[str, Any]:
    return {
        "target": column.target,
        "runtime": column.runtime,
        "group": column.group,
        "label": column.label,
        "simulated": column.simulated,
    }


def _family(matrix: Matrix, family: str, pool: Pool, index: dict[str, int]) -> dict[str, Any]:
    statements = [state_support(matrix, family, column) for column in matrix.columns]
    return {
        "name": family,
        "support": [s and [s.support.value, s.form] for s in statements],
        "forms": [
            {
                **_declaration(form),
                "cells": [
                    _cell(matrix.cells.get((form, column)), pool, index)
                    for column in matrix.columns
                ],
            }
            for form in matrix.families[family]
        ],
    }


def _declaration(form: str) -> dict[str, Any]:
    """What the catalogue says of `form`; its name alone where it does not know it."""
    known = activations().get(form)
    if known is None:
        return {"name": form}
    return {
        "name": form,
        "kind": known.form,
        "reference": known.reference,
        "formula": known.formula,
        "source": known.source,
        "module": known.module,
        "arguments": ", ".join(f"{name}={value!r}" for name, value in known.kwargs.items()),
    }


def _cell(cell: Cell | None, pool: Pool, index: dict[str, int]) -> dict[str, Any] | None:
    if cell is None:
        return None
    for result in cell.results:
        index[_key(result)] = len(index)
    return {
        "state": "noted" if cell.noted else cell.worst.status.value,
        "figure": cell.figure,
        "known": cell.known,
        "results": [_result(result, pool) for result in cell.results],
    }


def _key(result: Result) -> str:
    return f"{result.id}\n{result.machine}"


def _result(result: Result, pool: Pool) -> list[Any]:
    """The state, then the values of `_SHARED` by their place in `pool`."""
    plain = result_to_json(result)
    figures = {
        "comparisons": [pool.place([k, _rounded(c)]) for k, c in plain["comparisons"].items()],
        "curves": {name: pool.place(c) for name, c in plain.get("curves", {}).items()},
        "durations_s": {k: float(f"{v:.2g}") for k, v in plain["durations_s"].items()},
    }
    values = {k: figures[k] if k in figures else _clipped(plain.get(k), k) for k in _SHARED}
    noted = result.status is Status.PASS and bool(result.notes)
    return ["noted" if noted else result.status.value, *map(pool.place, values.values())]


def _clipped(value: Any, key: str = "") -> Any:
    """`value` with every long text in it cut: logs to their end, everything else to its start."""
    if isinstance(value, dict):
        return {_clipped(k): _clipped(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_clipped(v, key) for v in value]
    left_out = len(value) - TEXT_LIMIT if isinstance(value, str) else 0
    if left_out <= 0:
        return value
    remark = f"[{left_out} characters left out]"
    if key == "log":
        return f"{remark}\n{value[-TEXT_LIMIT:]}"
    return f"{value[:TEXT_LIMIT]}\n{remark}"


def _rounded(comparison: dict[str, Any]) -> dict[str, Any]:
    """Errors to three digits, as they are shown; the worst point stays as it is."""
    return {
        name: float(f"{value:.3g}") if isinstance(value, float) else value
        for name, value in comparison.items()
    }


def _failures(report: Report, index: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "form": failure.activation,
            "stage": failure.stage,
            "status": failure.status.value,
            "cause": failure.cause,
            "culprit": failure.blame.culprit.value if failure.blame else "",
            "blame": failure.blame.text if failure.blame else "",
            "known": failure.known
            and {"reason": failure.known.reason, "issue": failure.known.issue},
            "results": [index[_key(result)] for result in failure.results],
        }
        for failure in failures(report)
    ]
