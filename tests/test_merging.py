from __future__ import annotations

import dataclasses

import pytest

from exportcheck.errors import UsageError
from exportcheck.merging import merge
from exportcheck.records import report_from_json, report_to_json
from exportcheck.results import Case, Report, Stage, Status
from tests.conftest import comparison, result

LINUX = {"platform": "Linux", "machine": "x86_64", "versions": {"torch": "2.13.0"}}
MAC = {"platform": "Darwin", "machine": "arm64", "versions": {"torch": "2.13.0"}}


def one(runtime, status=Status.PASS, error=1e-7, **facts):
    figures = {"grid": comparison(error=error)}
    stage = Stage.COMPARE
    return result(
        "relu", "relu", "coreml-fp32", runtime, status, stage, comparisons=figures, **facts
    )


HERE = Report((one("mil-numpy"),), LINUX)
THERE = Report((one("coreml"),), MAC)


def test_every_cell_keeps_where_it_ran():
    joined = merge({"a.json": HERE, "b.json": THERE})
    assert {r.case.runtime: r.machine for r in joined.results} == {
        "mil-numpy": "Linux x86_64",
        "coreml": "Darwin arm64",
    }
    assert joined.machines == {"Linux x86_64": LINUX, "Darwin arm64": MAC}
    assert joined.environment["versions"] == {"torch": "2.13.0"}
    assert "platform" not in joined.environment
    assert joined.counts()["pass"] == 2


def test_a_merged_report_can_be_written_read_and_merged_again():
    first = merge({"a": HERE, "b": THERE})
    first = report_from_json(report_to_json(first))
    third = Report((one("other"),), {**LINUX, "machine": "aarch64"})
    joined = merge({"ab": first, "c": third})
    assert [r.machine for r in joined.results] == ["Linux x86_64", "Darwin arm64", "Linux aarch64"]
    assert list(joined.machines) == ["Linux x86_64", "Darwin arm64", "Linux aarch64"]


def test_reports_of_one_machine_name_none():
    joined = merge({"a": HERE, "b": Report((one("coreml"),), LINUX)})
    assert joined.environment == LINUX
    assert {r.machine for r in joined.results} == {""}


def test_one_report_is_itself():
    assert merge({"a": HERE}) == HERE


def test_machines_of_the_same_name_are_numbered():
    newer = {**LINUX, "versions": {"torch": "2.14.0"}}
    joined = merge({"a": HERE, "b": Report((one("coreml"),), newer)})
    assert [r.machine for r in joined.results] == ["Linux x86_64", "Linux x86_64 (2)"]


def test_duplicates_that_agree_are_kept_once_as_they_stand_first():
    again = Report((one("mil-numpy", error=1.5e-7),), MAC)
    (kept,) = merge({"a": HERE, "b": again}).results
    assert kept.max_error == 1e-7
    assert kept.machine == "Linux x86_64"


@pytest.mark.parametrize("other", [one("mil-numpy", Status.ERROR), one("mil-numpy", error=1e-3)])
def test_duplicates_that_contradict_each_other_are_an_error(other):
    with pytest.raises(UsageError) as caught:
        merge({"a.json": HERE, "b.json": Report((other,), MAC)})
    for word in (other.id, "a.json", "b.json", "contradict"):
        assert word in str(caught.value)


def test_of_many_contradictions_some_are_named():
    def many(status):
        return Report(tuple(one(f"r{i}", status, network="bare") for i in range(9)), LINUX)

    with pytest.raises(UsageError, match="and 6 more") as caught:
        merge({"a": many(Status.PASS), "b": many(Status.ERROR)})
    assert "\n" not in str(caught.value)


def test_what_one_did_not_finish_another_may_have():
    case = HERE.results[0].case
    other = Case("celu", "bare", "coreml-fp32", "coreml", "torch-2.13")
    there = dataclasses.replace(THERE, unfinished=(case, other), stale=("gone/*",))
    joined = merge({"a": dataclasses.replace(HERE, stale=("gone/*",)), "b": there})
    assert joined.unfinished == (other,)
    assert joined.stale == ("gone/*",)
