from __future__ import annotations

import dataclasses

from exportcheck.matrix import Column, failures, lay_out
from exportcheck.results import Report, Stage, Status
from tests.conftest import comparison, result


def test_rows_and_columns_come_in_the_order_of_catalogue_and_targets(report):
    matrix = lay_out(report)
    assert list(matrix.families) == ["softshrink", "mish", "logsigmoid"]
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
    assert told[0].networks == ("bare", "conv")
    assert told[0].targets == ("onnx-trace-opset17",)
