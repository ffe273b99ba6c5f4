"""JSON, one result a line, so that two reports can be compared with `diff`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from exportcheck.records import report_to_json

if TYPE_CHECKING:
    from exportcheck.results import Report

FILE_NAME = "matrix.json"


def render(report: Report) -> str:
    """The report as JSON text; NaN and infinities are strings, so that any reader takes it."""
    data = report_to_json(report)
    results = ",\n".join(
        json.dumps(r, allow_nan=False, separators=(",", ":")) for r in data.pop("results")
    )
    head = json.dumps(data, indent=1, allow_nan=False)[:-2]
    return f'{head},\n "results": [\n{results}\n]\n}}\n'
