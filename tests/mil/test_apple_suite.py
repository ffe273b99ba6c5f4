"""Two cases of each of Apple's operator tests; the whole suite runs by `make coremltools-suite`."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace

import pytest

from tests.mil import apple_suite
from tests.mil.apple_suite import FAILED, JUDGE, PASSED, outcome
from tests.mil.coremltools_suite import Expectation, compared, report, results_of


@pytest.fixture(scope="module")
def sample():
    arguments = ["--mil-sample", "2", "-q", "--tb=no", "-rN"]
    return results_of(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_what_compares_agrees_and_nothing_stopped_comparing(sample):
    assert Expectation.read().problems(sample, "sample") == []


def test_sample_reaches_every_module_and_year(sample):
    modules = {test.partition("::")[0] for test in compared(sample)}
    assert len(modules) >= 39
    assert {m.partition("/")[0] for m in modules} == {"iOS14", "iOS15", "iOS16", "iOS17", "iOS18"}


RESULTS = {
    "a.py::one[x]": [PASSED, ""],
    "a.py::one[y]": [FAILED, "0.5 is not 0.6"],
    "b.py::two": [PASSED, apple_suite.AT_FP16_TOLERANCE],
    "b.py::three": ["does not predict", ""],
}


@pytest.mark.parametrize(
    ("failures", "number", "problems"),
    [
        ({r"one\[y": "why"}, 3, []),
        ({}, 3, ["fails: a.py::one[y]: 0.5 is not 0.6"]),
        ({r"one\[": "why"}, 3, ["passes, though listed as a failure: a.py::one[x]"]),
        ({r"one\[y": "why", "four": "gone"}, 3, ["listed as a failure, but no such test: four"]),
        ({r"one\[y": "why"}, 4, ["3 compare, 4 did before"]),
    ],
)
def test_everything_unexpected_is_a_problem(failures, number, problems):
    assert Expectation({"whole": number}, failures).problems(RESULTS, "whole") == problems


def test_report_counts_and_explains():
    written = report(RESULTS, Expectation({}, {r"one\[y": "for a reason"}))
    assert "| a | 2 | 2 | 1 | 0 | 1 |" in written
    assert "| b | 2 | 1 | 1 | 1 | 0 |" in written
    assert "| together | 4 | 3 | 2 | 1 | 1 |" in written
    assert "| `a.py::one` | 1 | for a reason |" in written
    assert "| does not predict |  | 1 |" in written


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        ({"predictions": 1, "comparisons": 1}, (PASSED, "")),
        ({"predictions": 1, "comparisons": 0}, ("does not compare what it predicts", "")),
        ({"predictions": 0, "comparisons": 0}, ("does not predict", "")),
        (
            {"predictions": 1, "comparisons": 0, "refused": True},
            ("expects an error, and gets one", ""),
        ),
        (
            {"predictions": 1, "comparisons": 1, "loosened": True},
            (PASSED, "at the tolerance of fp16"),
        ),
        ({"neural_network": True}, ("about the neural network format", "")),
    ],
)
def test_a_pass_counts_only_where_something_was_compared(happened, expected, monkeypatch):
    for name, value in {"loaded": True, **happened}.items():
        monkeypatch.setattr(JUDGE, name, value)
    assert outcome(SimpleNamespace(outcome="passed"), None) == expected
