from __future__ import annotations

import dataclasses
import json
import math

import pytest

from exportcheck.results import (
    SCHEMA,
    Report,
    Status,
    report_from_json,
    report_to_json,
    result_to_json,
)


def test_json_and_back_is_the_same_report(report):
    text = json.dumps(report_to_json(report), allow_nan=False)
    back = report_from_json(json.loads(text))
    assert [r.id for r in back.results] == [r.id for r in report.results]
    for before, after in zip(report.results, back.results, strict=True):
        assert dataclasses.asdict(after) == dataclasses.asdict(before)


def test_outside_checks_find_the_names_they_read(report):
    data = report_to_json(report)
    assert list(data)[:2] == ["schema", "environment"]
    names = "id activation family network target runtime toolchain status stage message"
    for result in data["results"]:
        assert set(f"{names} comparisons actual durations_s versions".split()) <= set(result)
        assert result["id"].split("/")[:2] == [result["activation"], result["network"]]


def test_values_that_json_lacks_are_strings(report):
    worst = result_to_json(report.results[0])["comparisons"]["grid"]["worst"]
    assert worst["actual"] == "-inf"
    assert math.isinf(
        report_from_json(report_to_json(report)).results[0].comparisons["grid"].worst.actual
    )


def test_counts_name_every_status_and_add_up(report):
    counts = report.counts()
    assert counts == {
        "pass": 2,
        "mismatch": 1,
        "error": 2,
        "crash": 1,
        "timeout": 1,
        "unavailable": 1,
        "noted": 1,
    }
    assert sum(counts[status.value] for status in Status) == len(report.results)


def test_unavailable_is_no_failure(report):
    assert {r.status for r in report.failures} == set(Status) - {Status.PASS, Status.UNAVAILABLE}


def test_the_error_of_a_result_is_that_of_its_gating_classes(report):
    assert report.results[0].max_error == 0.0758
    assert report.results[3].max_error is None


def test_a_first_line_that_announces_the_next_is_joined_with_it(report):
    by_stage = {r.stage.value: r.first_line for r in report.results}
    assert by_stage["save"] == "RuntimeError: Could not export Python function call"
    assert report.results[1].first_line == ""


@pytest.mark.parametrize("schema", ["2.0", "0.9", None, 17])
def test_another_major_schema_is_refused(report, schema):
    data = {**report_to_json(report), "schema": schema}
    with pytest.raises(ValueError, match="schema"):
        report_from_json(data)


def test_a_newer_minor_schema_is_read(report):
    data = {**report_to_json(report), "schema": SCHEMA.split(".")[0] + ".99", "more": 1}
    assert len(report_from_json(data).results) == len(report.results)


def test_an_empty_report_counts_nothing():
    assert set(Report(()).counts().values()) == {0}
