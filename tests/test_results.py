from __future__ import annotations

import dataclasses

import pytest

from exportcheck.results import (
    NOT_RUN,
    TRACE_FIXES,
    Blame,
    Case,
    Culprit,
    Known,
    Report,
    Stage,
    Status,
)


def test_counts_name_every_status_and_add_up(report):
    counts = report.counts()
    assert counts == {
        "pass": 3,
        "mismatch": 1,
        "error": 2,
        "crash": 1,
        "timeout": 1,
        "unavailable": 1,
        "noted": 1,
        "known": 1,
        "new": 4,
        "fixed": 1,
        "unfinished": 1,
    }
    assert sum(counts[status.value] for status in Status) == len(report.results)


def test_unavailable_is_no_failure(report):
    assert {r.status for r in report.failures} == set(Status) - {Status.PASS, Status.UNAVAILABLE}


def with_known(report, *places):
    """The results alone, those at `places` under a limitation."""
    known = Known("*", "as ever")
    return Report(
        tuple(
            dataclasses.replace(r, known=known if place in places else None)
            for place, r in enumerate(report.results)
        )
    )


def test_limitations_part_failures_into_known_and_new(report):
    failing = [i for i, r in enumerate(report.results) if r.status.failed]
    some = with_known(report, *failing[:2])
    assert (some.counts()["known"], some.counts()["new"], some.counts()["fixed"]) == (2, 3, 0)
    assert {r.id for r in some.failures} == {r.id for r in (*some.known, *some.new)}
    assert not some.green
    assert with_known(report, *failing).green


def test_a_pass_that_a_limitation_names_is_fixed_and_not_green(report):
    every = with_known(report, *range(len(report.results)))
    assert every.fixed == tuple(r for r in every.results if r.status is Status.PASS)
    assert not every.green


def test_what_is_unavailable_is_neither_known_nor_fixed(report):
    (place,) = (i for i, r in enumerate(report.results) if r.status is Status.UNAVAILABLE)
    only = with_known(report, place)
    assert (only.known, only.fixed) == ((), ())


def test_an_unfinished_run_and_a_stale_limitation_are_not_green():
    case = Case("relu", "bare", "torch-export", "torch", "torch-2.13")
    assert Report(()).green
    assert not Report((), unfinished=(case,)).green
    assert Report((), unfinished=(case,)).counts()["unfinished"] == 1
    assert not Report((), stale=("nothing/*",)).green


def test_what_is_all_unavailable_is_not_green_unless_it_was_only_to_be_converted(report):
    (absent,) = report.unavailable
    assert Report((absent,)).unchecked
    assert not Report((absent,)).green
    assert not report.unchecked
    assert not Report(()).unchecked
    case = dataclasses.replace(absent.case, runtime=NOT_RUN)
    converted = dataclasses.replace(absent, case=case, stage=Stage.LOAD)
    assert Report((converted, absent)).green
    assert Report((dataclasses.replace(converted, stage=Stage.BUILD),)).unchecked


def test_machines_of_one_and_of_several():
    assert Report((), {"platform": "Linux"}).machines == {"": {"platform": "Linux"}}
    joined = {"machines": {"a": {"python": "3.11"}, "b": {"python": "3.12"}}}
    assert Report((), joined).machines == joined["machines"]


def test_the_error_of_a_result_is_that_of_its_gating_classes(report):
    assert report.results[0].max_error == 0.0758
    assert report.results[3].max_error is None


def test_a_first_line_that_announces_the_next_is_joined_with_it(report):
    by_stage = {r.stage.value: r.first_line for r in report.results}
    assert by_stage["save"] == "RuntimeError: Could not export Python function call"
    assert report.results[1].first_line == ""


def test_an_empty_report_counts_nothing():
    assert set(Report(()).counts().values()) == {0}


@pytest.mark.parametrize(
    ("culprit", "notes", "reportable"),
    [
        (Culprit.EXPORTER, (), True),
        (Culprit.RUNTIME_KERNEL, (), True),
        (Culprit.UNDECIDED, (), True),
        (Culprit.PRECISION, (), False),
        (Culprit.EAGER, (), False),
        (Culprit.EXPORTER, (f"{TRACE_FIXES}my.py:3",), False),
    ],
)
def test_what_is_nobody_elses_mistake_is_not_reported(report, culprit, notes, reportable):
    one = dataclasses.replace(report.failures[0], blame=Blame(culprit, "x"), notes=notes)
    assert one.reportable == reportable
