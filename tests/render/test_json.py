from __future__ import annotations

import json

from exportcheck.records import report_from_json, report_to_json
from exportcheck.render.json import render
from exportcheck.results import Report


def test_it_is_the_json_of_the_report_one_result_a_line(report):
    text = render(report)
    assert json.loads(text) == report_to_json(report)
    assert sum(line.startswith('{"id"') for line in text.splitlines()) == len(report.results)
    assert "NaN" not in text
    assert "Infinity" not in text


def test_the_same_report_gives_the_same_bytes(report):
    assert render(report) == render(report_from_json(json.loads(render(report))))


def test_an_empty_report_is_valid(report):
    assert json.loads(render(Report(()))) == report_to_json(Report(()))
