from __future__ import annotations

from xml.etree import ElementTree as Xml

import pytest

from exportcheck.render.junit import render
from exportcheck.results import Report, Stage, Status
from tests.conftest import result
from tests.render.test_formats import HOSTILE, hostile_report


def outcomes(report: Report) -> dict[str, str]:
    """Name of each test case -> tag and type of what is not a pass."""
    cases = Xml.fromstring(render(report)).iter("testcase")
    told = {case.get("name"): case.find("*[@type]") for case in cases}
    return {n: "pass" if e is None else f"{e.tag} {e.get('type')}" for n, e in told.items()}


def test_the_whole_text(report, golden):
    golden("junit.xml", render(report))


def test_a_suite_for_each_target_and_one_for_stale_limitations(report):
    suites = Xml.fromstring(render(report)).findall("testsuite")
    targets = dict.fromkeys(r.case.target for r in report.results)
    assert [suite.get("name") for suite in suites] == [*targets, "limitations"]


def test_what_becomes_of_each_result(report):
    told = outcomes(report)
    assert [told[r.id] for r in report.results] == [
        "skipped known",
        "pass",
        "pass",
        "skipped unavailable",
        "error error",
        "error error",
        "error crash",
        "error timeout",
        "failure fixed",
    ]
    assert told[report.unfinished[0].id] == "error unfinished"
    assert told["no-such-activation/*"] == "failure stale"


def test_a_run_that_has_not_begun_is_not_green(report):
    cases = tuple(r.case for r in report.results)
    suites = Xml.fromstring(render(Report((), unfinished=cases)))
    assert suites.get("tests") == suites.get("errors") == str(len(cases))


def test_new_wrong_numbers_are_a_failure_with_the_whole_message_and_the_log():
    facts = {"message": "first line\nsecond line", "log": "a log"}
    wrong = result("relu", "relu", "torch-export", "torch", Status.MISMATCH, Stage.COMPARE, **facts)
    case = next(Xml.fromstring(render(Report((wrong,)))).iter("testcase"))
    assert case.find("failure").get("message") == "first line"
    assert case.find("failure").text == "first line\nsecond line"
    assert case.find("system-out").text == "a log"


def test_figures_are_properties(report):
    case = next(Xml.fromstring(render(report)).iter("testcase"))
    properties = {p.get("name"): p.get("value") for p in case.iter("property")}
    assert properties["grid.max_error"] == "0.0758"
    assert properties["grid.mismatched"] == "3 of 4096"
    assert properties["culprit"] == "runtime-kernel"
    assert properties["opset"] == "17"


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_stays_text(text):
    tame, hostile = (Xml.fromstring(render(hostile_report(t))) for t in ("tame", text))
    assert [e.tag for e in hostile.iter()] == [e.tag for e in tame.iter()]
    assert [sorted(e.keys()) for e in hostile.iter()] == [sorted(e.keys()) for e in tame.iter()]
