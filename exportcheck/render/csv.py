"""A row a case, for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from exportcheck.escaping import brief, spreadsheet

if TYPE_CHECKING:
    from exportcheck.results import Report, Result

FILE_NAME = "matrix.csv"

COLUMNS = (
    "id",
    "activation",
    "family",
    "network",
    "target",
    "runtime",
    "toolchain",
    "machine",
    "status",
    "stage",
    "verdict",
    "reason",
    "issue",
    "cause",
    "culprit",
    "blame",
    "notes",
    "max_error",
    "max_abs_error",
    "max_rel_error",
    "max_ulp_error",
    "mismatched",
    "total",
    "operators",
    "seconds",
)


def render(report: Report) -> str:
    """The report as CSV with a heading; a case without a result has the status `unfinished`."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for result in report.results:
        writer.writerow({name: spreadsheet(brief(text)) for name, text in _row(result).items()})
    for case in report.unfinished:
        names = {"id": case.id, **vars(case), "status": "unfinished"}
        writer.writerow({name: spreadsheet(text) for name, text in names.items()})
    return stream.getvalue()


def _row(result: Result) -> dict[str, str]:
    blame, known = result.blame, result.known
    gating = [c for c in result.comparisons.values() if c.gates]
    figures = {
        name: f"{max(getattr(c, name) for c in gating):.6g}" if gating else ""
        for name in ("max_error", "max_abs_error", "max_rel_error", "max_ulp_error")
    }
    return {
        "id": result.id,
        **vars(result.case),
        "family": result.family,
        "machine": result.machine,
        "status": result.status.value,
        "stage": result.stage.value,
        "verdict": _verdict(result),
        "reason": known.reason if known else "",
        "issue": known.issue if known else "",
        "cause": result.first_line,
        "culprit": blame.culprit.value if blame else "",
        "blame": blame.text if blame else "",
        "notes": "; ".join(result.notes),
        **figures,
        "mismatched": str(sum(c.mismatched for c in gating)) if gating else "",
        "total": str(sum(c.total for c in gating)) if gating else "",
        "operators": " ".join(
            f"{op}:{n}" for op, n in result.graph_ops.get("exported", {}).items()
        ),
        "seconds": f"{sum(result.durations_s.values()):.3f}",
    }


def _verdict(result: Result) -> str:
    """What the limitations make of it: `new`, `known`, `fixed`, or nothing."""
    if result.status.failed:
        return "known" if result.known else "new"
    return "fixed" if result.fixed else ""
