from __future__ import annotations

import dataclasses
import json
from xml.etree import ElementTree as Xml

import pytest

from exportcheck.render.json import render
from exportcheck.results import Report, Status


@pytest.fixture
def better(tmp_path, report):
    """A file of the shared report with one failure less and other versions."""
    results = tuple(
        dataclasses.replace(r, status=Status.PASS) if r.status is Status.TIMEOUT else r
        for r in report.results
    )
    path = tmp_path / "better.json"
    path.write_text(render(Report(results, {"versions": {"torch": "2.14.0"}})), "utf-8")
    return path


def test_fixed_cells_and_another_environment_are_told_and_are_no_failure(cli, results, better):
    done = cli("diff", results, better)
    assert done.code == 0
    assert "fixed: mish/bare/coreml-fp16/mil-numpy/torch-2.13" in done.out
    assert "environment: torch  2.13.0 -> 2.14.0" in done.out
    assert "1 case: 1 pass" in done.out


def test_a_new_failure_is_1(cli, results, better):
    done = cli("diff", better, results)
    assert done.code == 1
    assert "new-failure: mish/bare/coreml-fp16/mil-numpy/torch-2.13" in done.out
    assert "not as expected: 1 new" in done.out


def test_nothing_changed(cli, results):
    done = cli("diff", results, results)
    assert done.code == 0
    assert "nothing has changed" in done.err


def test_formats(cli, results, better):
    data = json.loads(cli("diff", better, results, "-f", "json").out)
    assert [c["kind"] for c in data["changes"]] == ["new-failure", "environment", "environment"]
    suites = Xml.fromstring(cli("diff", better, results, "-f", "junit").out)
    assert (suites.get("tests"), suites.get("errors")) == ("1", "1")
    assert "- new-failure: `mish/bare" in cli("diff", better, results, "-f", "markdown").out
    assert cli("diff", better, results, "-f", "github").out.startswith("::error title=mish")


def test_a_file_that_is_none(cli, results, tmp_path):
    done = cli("diff", results, tmp_path / "none.json")
    assert (done.code, done.err.count("\n")) == (2, 1)
