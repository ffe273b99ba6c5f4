from __future__ import annotations

import dataclasses
import json
import math

import pytest

from exportcheck.records import SCHEMA, report_from_json, report_to_json, result_to_json
from exportcheck.results import Change, ChangeKind, Culprit, Report


@pytest.fixture
def whole(report) -> Report:
    """A report that has everything a report can have."""
    results = [dataclasses.replace(r, machine="Linux x86_64") for r in report.results]
    blame = dataclasses.replace(results[0].blame, also=(Culprit.EXPORTER,))
    results[0] = dataclasses.replace(results[0], blame=blame)
    changes = (Change(ChangeKind.FIXED, results[0].id, "was error at export"),)
    return dataclasses.replace(report, results=tuple(results), changes=changes)


def test_json_and_back_is_the_same_report(whole):
    text = json.dumps(report_to_json(whole), allow_nan=False)
    back = report_from_json(json.loads(text))
    for before, after in zip(whole.results, back.results, strict=True):
        assert dataclasses.asdict(after) == dataclasses.asdict(before)
    assert dataclasses.replace(back, results=()) == dataclasses.replace(whole, results=())


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


@pytest.mark.parametrize("schema", ["2.0", "0.9", None, 17])
def test_another_major_schema_is_refused(report, schema):
    data = {**report_to_json(report), "schema": schema}
    with pytest.raises(ValueError, match="schema"):
        report_from_json(data)


def test_a_newer_minor_schema_is_read(report):
    data = {**report_to_json(report), "schema": SCHEMA.split(".")[0] + ".99", "more": 1}
    assert len(report_from_json(data).results) == len(report.results)
