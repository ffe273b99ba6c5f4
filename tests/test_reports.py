"""What is committed in `reports/` is what today's code makes of the committed results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exportcheck.catalog import activations
from exportcheck.explain import html
from exportcheck.explain.costs import read_costs
from exportcheck.explain.costs import to_text as costs_text
from exportcheck.history import markdown
from exportcheck.history.adding import runs_of
from exportcheck.history.overview import overviews
from exportcheck.history.storing import read_history
from exportcheck.history.storing import to_text as history_text
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


HISTORY = read_history(REPORTS / "history.json")
COSTS = read_costs(REPORTS / "cost.json")
FAMILIES = list(dict.fromkeys(a.family for a in activations().values()))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("history.json", lambda: history_text(HISTORY)),
        ("cost.json", lambda: costs_text(COSTS)),
        ("history.md", lambda: markdown.render(HISTORY, overviews(HISTORY, FAMILIES), ())),
        ("history.html", lambda: html.render(HISTORY, COSTS, FAMILIES, "matrix.html")),
    ],
)
def test_the_committed_history_is_what_its_measurements_make(name, made):
    assert (REPORTS / name).read_text("utf-8") == made(), "run `make history-pages`"


def test_the_history_is_small_and_has_todays_results():
    assert len((REPORTS / "history.json").read_bytes()) <= 1_000_000
    assert HISTORY.data["torch-2.13"] == runs_of(REPORT, "matrix.json")["torch-2.13"]


def test_the_committed_results_have_a_cell_for_every_case_that_runs_off_macos():
    expected = {c.id for c in all_cases("torch-2.13") if c.runtime != "coreml"}
    assert {r.id for r in REPORT.results} == expected


def test_the_committed_run_was_as_expected():
    assert REPORT.green
