"""What is committed in `reports/` is what today's code makes of the committed results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exportcheck.records import report_from_json
from exportcheck.render import formats
from exportcheck.selection import all_cases

REPORTS = Path(__file__).parents[1] / "reports"
DATA = json.loads((REPORTS / "matrix.json").read_text("utf-8"))
REPORT = report_from_json(DATA)


@pytest.mark.parametrize("name", ["markdown", "html", "junit", "badge", "json"])
def test_the_committed_file_is_what_the_format_makes_of_the_results(name):
    form = formats()[name]
    committed = (REPORTS / form.FILE_NAME).read_text("utf-8")
    assert form.render(REPORT) == committed, "run `make reports`"


def test_the_committed_results_have_a_cell_for_every_case_that_runs_off_macos():
    expected = {c.id for c in all_cases("torch-2.13") if c.runtime != "coreml"}
    assert {r.id for r in REPORT.results} == expected


def test_the_committed_run_was_as_expected():
    assert REPORT.green
