from __future__ import annotations

from dataclasses import replace

import pytest

from exportcheck.errors import UsageError
from exportcheck.history.adding import MESSAGE_LIMIT, added, runs_of
from exportcheck.history.runs import Column, History
from exportcheck.results import Case, Stage, Status
from tests.conftest import comparison
from tests.history.runs import (
    NO_CLASS,
    ONNX9,
    ONNX12,
    PASS,
    REFUSED,
    TOOLCHAINS,
    by_name,
    cell,
    history,
    report,
    reports,
)

SEVEN = "torch-1.7"


def only(*results):
    (run,) = History(runs_of(report(*results), "r.json")).runs
    return run


def test_a_cell_says_what_the_result_said():
    run = by_name(history())[SEVEN]
    outcome = run.outcome("hardswish", "bare", Column(*ONNX12))
    assert (outcome.status, outcome.stage, outcome.message) == REFUSED
    assert outcome.max_error is None
    passed = run.outcome("hardswish-hardtanh", "bare", Column(*ONNX12))
    assert (passed.status, passed.max_error, passed.message) == (Status.PASS, 7e-07, "")
    assert run.versions == dict(sorted(TOOLCHAINS[SEVEN].items()))
    assert run.environment["platform"] == "Linux"


def test_a_cell_that_was_not_run_is_empty_and_not_inferred():
    run = by_name(history())[SEVEN]
    assert run.outcome("relu", "bare", Column(*ONNX9)) is None
    assert run.outcome("relu", "conv", Column(*ONNX12)) is None
    assert run.outcome("mish", "bare", Column(*ONNX12)) is None
    assert run.outcome("relu", "bare", Column("coreml-fp32", "mil-numpy")) is None
    assert run.saved_bytes("hardswish-hardtanh") == 49152
    assert run.saved_bytes("relu") is None


def test_what_is_kept_of_a_pass_and_of_a_failure():
    noted = cell(
        SEVEN, "relu", ONNX12, PASS, notes=("nan: nan-lost 4096 of 4096: 0 where eager gives nan",)
    )
    long = cell(SEVEN, "relu", ONNX9, (Status.ERROR, Stage.EXPORT, "E: " + "x" * 999))
    wrong = cell(
        SEVEN,
        "hardswish",
        ONNX12,
        (Status.MISMATCH, Stage.COMPARE, "grid: 3 of 4096"),
        comparisons={
            "grid": comparison(close=False, error=0.27123),
            "nan": comparison(gates=False, error=9.0),
        },
    )
    run = only(noted, long, wrong)
    assert run.outcome("relu", "bare", Column(*ONNX12)).notes == ("nan: nan-lost",)
    assert len(run.outcome("relu", "bare", Column(*ONNX9)).message) == MESSAGE_LIMIT
    assert run.outcome("hardswish", "bare", Column(*ONNX12)).max_error == 0.3


def test_operators_are_the_bare_forms_and_partitions_those_between_convolutions():
    mobile = {"NNAPI": {"nodes": 4, "supported": 3, "partitions": 2}}
    run = only(
        cell(SEVEN, "relu", ONNX12, PASS, graph_ops={"exported": {"Relu": 1}, "optimized": {}}),
        cell(SEVEN, "relu", ONNX12, PASS, "conv", actual={"mobile": mobile}),
        cell(SEVEN, "relu", ONNX9, PASS, "conv", actual={"mobile": {"error": "no tool"}}),
    )
    assert run.operators("relu", Column(*ONNX12)) == {"Relu": 1}
    assert run.mobile("relu", Column(*ONNX12)) == mobile
    assert run.mobile("relu", Column(*ONNX9)) == {}
    assert run.operators("relu", Column(*ONNX9)) == {}


def test_adding_replaces_the_same_toolchain_only():
    before = history()
    one = report(cell(SEVEN, "hardswish", ONNX12, PASS))
    after, said = added(before, runs_of(one, "r.json"), replace=True)
    assert said == ["torch-1.7: 1 cell in place of older ones"]
    assert {k: v for k, v in after.data.items() if k != SEVEN} == {
        k: v for k, v in before.data.items() if k != SEVEN
    }
    assert by_name(after)[SEVEN].count == 1


def test_no_cell_is_lost_by_the_way():
    one = runs_of(report(cell(SEVEN, "hardswish", ONNX12, PASS)), "r.json")
    with pytest.raises(UsageError, match=r"6 cells that the new run has not.*--replace"):
        added(history(), one, replace=False)
    again, _ = added(history(), runs_of(reports()[SEVEN], "r.json"), replace=False)
    assert again == history()


def test_other_versions_take_a_place_only_when_told_to():
    other = {**TOOLCHAINS[SEVEN], "torch": "1.7.0"}
    more = [replace(one, versions=other) for one in reports()[SEVEN].results]
    runs = runs_of(report(*more), "r.json")
    with pytest.raises(UsageError, match=r"other versions \(torch 1\.7\.1 → 1\.7\.0\).*--replace"):
        added(history(), runs, replace=False)
    _, said = added(history(), runs, replace=True)
    assert said == ["torch-1.7: 7 cells in place of older ones (torch 1.7.1 → 1.7.0)"]


@pytest.mark.parametrize(
    ("results", "complaint"),
    [
        (
            [
                cell(SEVEN, "relu", ONNX12, PASS),
                cell(SEVEN, "relu", ONNX9, PASS, versions={"torch": "1.7.0"}),
            ],
            r"r\.json, torch-1\.7 was run with torch 1\.7\.1 and with 1\.7\.0",
        ),
        (
            [
                cell(SEVEN, "relu", ONNX12, PASS, machine="here"),
                cell(SEVEN, "relu", ONNX9, PASS, machine="there"),
            ],
            r"several machines \(here, there\)",
        ),
        (
            [cell(SEVEN, "relu", ONNX12, PASS, versions={"torch": "banana"})],
            r"r\.json, torch-1\.7, versions\.torch: 'banana' is no version",
        ),
        ([cell(SEVEN, "relu", ONNX12, NO_CLASS)], "nothing of it could run: this version"),
    ],
)
def test_what_is_no_run_of_a_toolchain(results, complaint):
    with pytest.raises(UsageError, match=complaint):
        runs_of(report(*results), "r.json")


def test_a_package_that_was_missing_is_in_no_way():
    versions = {"torch": "1.7.1", "coremltools": "missing"}
    run = only(cell(SEVEN, "relu", ONNX12, PASS, versions=versions))
    assert str(run.version("coremltools")) == "0"


def test_an_unfinished_run_is_none():
    case = Case("relu", "bare", *ONNX12, SEVEN)
    with pytest.raises(UsageError, match="1 cases did not finish"):
        runs_of(replace(report(), unfinished=(case,)), "r.json")


def test_several_toolchains_in_one_report():
    machines = {SEVEN: {"python": "3.8"}, "torch-1.8": {"python": "3.9"}}
    one = replace(
        report(
            cell(SEVEN, "relu", ONNX12, PASS, machine=SEVEN),
            cell("torch-1.8", "relu", ONNX12, PASS, machine="torch-1.8"),
        ),
        environment={"machines": machines},
    )
    runs = runs_of(one, "r.json")
    assert {name: run["environment"] for name, run in runs.items()} == machines
