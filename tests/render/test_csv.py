from __future__ import annotations

import csv
import io

import pytest

from exportcheck.render.csv import COLUMNS, render
from tests.render.test_formats import HOSTILE, hostile_report


def rows(report):
    return list(csv.DictReader(io.StringIO(render(report))))


def test_the_whole_text(report, golden):
    golden("matrix.csv", render(report))


def test_a_row_for_every_case(report):
    assert [row["id"] for row in rows(report)] == [
        *(r.id for r in report.results),
        *(case.id for case in report.unfinished),
    ]


def test_figures_are_those_of_the_gating_classes(report):
    assert rows(report)[0]["max_error"] == "0.0758"
    assert rows(report)[0]["mismatched"] == "3"
    assert rows(report)[3]["max_error"] == ""


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_makes_no_rows_no_columns_and_no_formula(text):
    found = rows(hostile_report(text))
    assert len(found) == len(rows(hostile_report("tame")))
    for row in found:
        assert set(row) == set(COLUMNS)
        assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())
