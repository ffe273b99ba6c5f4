from __future__ import annotations

import dataclasses

import pytest

from exportcheck.matrix import (
    LEGEND,
    MARKS,
    Column,
    error_text,
    failures,
    known_failures,
    lay_out,
    totals,
    verdict,
)
from exportcheck.results import Blame, Culprit, Known, Report, Stage, Status
from tests.conftest import comparison, result


def test_rows_and_columns_come_in_the_order_of_catalogue_and_targets(report):
    matrix = lay_out(report)
    assert list(matrix.families) == ["softshrink", "mish", "logsigmoid", "celu"]
    assert matrix.families["logsigmoid"] == ("logsigmoid", "logsigmoid-softplus")
    assert [c.target for c in matrix.columns] == [
        "torchscript-trace",
        "torchscript-script",
        "torch-export",
        "onnx-trace-opset17",
        "coreml-fp32",
        "coreml-fp16",
    ]
    assert [c.simulated for c in matrix.columns] == [False] * 4 + [True] * 2


def test_names_of_another_version_come_last_and_are_kept(report):
    case = dataclasses.replace(report.results[0].case, activation="new", target="new-target")
    extra = dataclasses.replace(report.results[0], case=case, family="new")
    matrix = lay_out(Report((extra, *report.results)))
    assert list(matrix.families)[-1] == "new"
    assert matrix.columns[-1] == Column("new-target", "onnxruntime")
    assert (matrix.columns[-1].group, matrix.columns[-1].label) == ("", "new-target")


def one(status, network="bare", error=0.0, notes=()):
    facts = {"comparisons": {"grid": comparison(error=error)}, "notes": notes, "network": network}
    return result("relu", "relu", "torch-export", "torch", status, Stage.COMPARE, **facts)


def test_a_cell_shows_its_worst_network():
    results = (one(Status.PASS), one(Status.MISMATCH, "conv"), one(Status.PASS, "linear"))
    (cell,) = lay_out(Report(results)).cells.values()
    assert cell.worst.case.network == "conv"
    results = (one(Status.PASS, error=1e-7), one(Status.PASS, "conv", 1e-6))
    (cell,) = lay_out(Report(results)).cells.values()
    assert cell.worst.max_error == 1e-6


def test_unavailable_is_worse_than_a_pass_and_a_note_in_any_network_shows():
    (cell,) = lay_out(Report((one(Status.PASS), one(Status.UNAVAILABLE, "conv")))).cells.values()
    assert cell.worst.status is Status.UNAVAILABLE
    assert not cell.noted
    noted = (one(Status.PASS, error=1e-7), one(Status.PASS, "conv", notes=("nan: …",)))
    (cell,) = lay_out(Report(noted)).cells.values()
    assert cell.noted


def test_equal_failures_are_told_once(report):
    twice = dataclasses.replace(
        report.results[0], case=dataclasses.replace(report.results[0].case, network="conv")
    )
    told = failures(Report((*report.results, twice)))
    assert sum(len(f.results) for f in told) == len(report.failures) + 1
    (known,) = (f for f in told if f.known)
    assert known.networks == ("bare", "conv")
    assert known.targets == ("onnx-trace-opset17",)
    assert known.blame == report.results[0].blame


def test_failures_of_different_fault_are_told_apart(report):
    first = report.results[0]
    case = dataclasses.replace(first.case, target="coreml-fp32", runtime="mil-numpy")
    blame = Blame(Culprit.EXPORTER, "the file gives the same wrong numbers elsewhere")
    other = dataclasses.replace(first, case=case, blame=blame)
    told = failures(Report((first, other)))
    assert [(f.targets, f.blame) for f in told] == [
        (("onnx-trace-opset17",), first.blame),
        (("coreml-fp32",), blame),
    ]


def test_new_failures_come_before_known_ones(report):
    assert [f.known is None for f in failures(report)] == [True] * 4 + [False]


def test_known_failures_are_grouped_by_limitation(report):
    (known,) = {r.known for r in report.known}
    assert known_failures(report) == {known: report.known}


def test_a_cell_is_known_when_all_its_failures_are():
    known = Known("*", "as ever")
    bare, conv = one(Status.ERROR), one(Status.ERROR, "conv")
    both = tuple(dataclasses.replace(r, known=known) for r in (bare, conv))
    assert [
        cell.mark
        for results in (both, (both[0], conv), (bare, conv), (one(Status.PASS),))
        for cell in lay_out(Report(results)).cells.values()
    ] == ["✗°", "✗", "✗", "✓"]


def test_every_mark_is_in_the_legend():
    assert set(MARKS) == set(Status)
    for mark in MARKS.values():
        assert mark in LEGEND


def test_the_totals_name_what_the_report_counts(report):
    text = totals(report)
    assert text.startswith(f"{len(report.results)} cases: 3 pass (1 with a note), 1 mismatch")
    assert text.endswith("; known: 1, new: 4, fixed: 1, unfinished: 1")
    assert totals(Report(())) == "0 cases: 0 pass"


@pytest.mark.parametrize(
    ("results", "more", "text"),
    [
        ((one(Status.PASS),), {}, "as expected: no failure"),
        ((one(Status.ERROR),), {}, "not as expected: 1 new"),
        ((), {"stale": ("a", "b")}, "not as expected: 2 stale"),
        (
            (one(Status.PASS), one(Status.UNAVAILABLE)),
            {},
            "as expected: no failure, 1 of 2 unavailable",
        ),
        ((one(Status.UNAVAILABLE),), {}, "nothing could be checked: 1 of 1 unavailable"),
        (
            (one(Status.UNAVAILABLE),),
            {"stale": ("a",)},
            "nothing could be checked: 1 of 1 unavailable, 1 stale",
        ),
    ],
)
def test_the_verdict(results, more, text):
    assert verdict(Report(results, **more)) == text


def test_the_verdict_on_everything_at_once(report):
    assert verdict(report) == "not as expected: 4 new, 1 fixed, 1 stale, 1 unfinished"


@pytest.mark.parametrize(
    ("error", "text"),
    [(0.0, "0"), (1.19e-7, "1e-07"), (0.313, "3e-01"), (float("inf"), "inf"), (None, "?")],
)
def test_errors_are_never_rounded_to_zero(error, text):
    assert error_text(error) == text


def test_a_failure_says_in_which_targets_the_same_activation_passes():
    def of(target, status, network="bare"):
        stage = Stage.COMPARE if status is Status.PASS else Stage.EXPORT
        return result("celu", "celu", target, "x", status, stage, network=network, message="no")

    report = Report(
        (
            of("coreml-fp32", Status.ERROR),
            of("coreml-fp32", Status.ERROR, "conv"),
            of("torch-export", Status.PASS),
            of("torch-export", Status.PASS, "conv"),
            of("onnx-trace-opset17", Status.PASS),
            of("onnx-dynamo-opset18", Status.PASS),
            of("onnx-dynamo-opset18", Status.TIMEOUT, "conv"),
        )
    )
    told = {f.targets: f.works_in for f in failures(report)}
    assert told["coreml-fp32",] == ("torch-export",)
    assert told["onnx-dynamo-opset18",] == ("torch-export",)


def test_toolchains_do_not_mix():
    """Neither in a cell, nor in what is said of where a failing activation passes."""

    def of(toolchain, target, status):
        one = result("silu", "silu", target, "onnxruntime", status, Stage.EXPORT)
        case = dataclasses.replace(one.case, toolchain=toolchain)
        return dataclasses.replace(one, case=case)

    old = of("torch-1.7", "onnx-trace-opset12", Status.ERROR)
    works = of("torch-1.7", "onnx-trace-opset9", Status.PASS)
    new = of("torch-1.8", "onnx-trace-opset12", Status.PASS)
    matrix = lay_out(Report((old, works, new)))
    assert [(c.group, c.label, c.toolchain) for c in matrix.columns] == [
        ("torch-1.7 ONNX trace", "9", "torch-1.7"),
        ("torch-1.7 ONNX trace", "12", "torch-1.7"),
        ("torch-1.8 ONNX trace", "12", "torch-1.8"),
    ]
    assert [matrix.cells["silu", c].worst.status for c in matrix.columns] == [
        Status.PASS,
        Status.ERROR,
        Status.PASS,
    ]
    (failure,) = failures(Report((old, works, new)))
    assert failure.works_in == ("onnx-trace-opset9",)
    assert [c.group for c in lay_out(Report((new,))).columns] == ["ONNX trace"]
