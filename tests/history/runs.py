"""A small history made by hand: three PyTorch versions, and two of coremltools over one of them."""

from __future__ import annotations

from dataclasses import replace

from exportcheck.history.adding import runs_of
from exportcheck.history.runs import History, Run
from exportcheck.results import Report, Stage, Status
from tests.conftest import comparison
from tests.conftest import result as conftest_result

ONNX12 = ("onnx-trace-opset12", "onnxruntime")
ONNX9 = ("onnx-trace-opset9", "onnxruntime")
NETWORK = ("coreml-neuralnetwork", "not-run")
PROGRAM = ("coreml-fp32", "mil-numpy")

PASS = (Status.PASS, Stage.COMPARE, "")
NO_CLASS = (Status.UNAVAILABLE, Stage.BUILD, "this version of torch.nn has no such class")
REFUSED = (
    Status.ERROR,
    Stage.EXPORT,
    "RuntimeError: Exporting the operator hardswish to ONNX opset version 12 is not supported.",
)
NO_CONVERTER = (
    Status.ERROR,
    Stage.EXPORT,
    "RuntimeError: PyTorch convert function for op 'hardswish' not implemented",
)
NOT_RUN = (Status.UNAVAILABLE, Stage.LOAD, "converts, not run: macOS only")

TOOLCHAINS = {
    "torch-1.5": {"torch": "1.5.1", "onnxruntime": "1.3.0", "coremltools": "4.0b2"},
    "torch-1.7": {"torch": "1.7.1", "onnxruntime": "1.6.0", "coremltools": "4.1"},
    "torch-1.7+coremltools-5.2.0": {"torch": "1.7.1", "coremltools": "5.2.0"},
    "torch-1.8": {"torch": "1.8.1+cpu", "onnxruntime": "1.7.0", "coremltools": "4.1"},
}

FORMS = {
    "hardswish": "hardswish",
    "hardswish-hardtanh": "hardswish",
    "hardswish-relu6": "hardswish",
    "relu": "relu",
}


def cell(toolchain, form, column, outcome, network="bare", **facts):
    """One result; a pass has been compared, with an error of 7e-07."""
    status, stage, message = outcome
    compared = {"grid": comparison(error=7.1e-07)} if status is Status.PASS else {}
    given = {"comparisons": compared, "versions": TOOLCHAINS[toolchain], **facts}
    made = conftest_result(
        form, FORMS[form], *column, status, stage, message=message, network=network, **given
    )
    return replace(made, case=replace(made.case, toolchain=toolchain))


def report(*results) -> Report:
    """A report of those results, run on one Linux machine."""
    return Report(
        results,
        {"exportcheck": "0.1.0", "platform": "Linux", "machine": "x86_64", "python": "3.8.20"},
    )


def reports() -> dict[str, Report]:
    """One report a toolchain."""
    old, seven, over, eight = TOOLCHAINS
    return {
        old: report(
            cell(old, "hardswish", ONNX12, NO_CLASS),
            cell(old, "hardswish-hardtanh", ONNX12, PASS),
            cell(old, "relu", ONNX12, PASS),
        ),
        seven: report(
            cell(seven, "hardswish", ONNX9, REFUSED),
            cell(seven, "hardswish", ONNX12, REFUSED),
            cell(seven, "hardswish-hardtanh", ONNX9, REFUSED),
            cell(seven, "hardswish-hardtanh", ONNX12, PASS, training={"saved_bytes": 49152}),
            cell(seven, "relu", ONNX12, PASS),
            cell(seven, "hardswish", NETWORK, NO_CONVERTER),
            cell(seven, "hardswish-hardtanh", NETWORK, NOT_RUN),
        ),
        over: report(
            cell(over, "hardswish", PROGRAM, PASS), cell(over, "hardswish-hardtanh", PROGRAM, PASS)
        ),
        eight: report(
            cell(eight, "hardswish", ONNX12, PASS, training={"saved_bytes": 16384}),
            cell(
                eight,
                "hardswish-hardtanh",
                ONNX12,
                PASS,
                comparisons={"grid": comparison(error=0.0)},
                graph_ops={"exported": {"Add": 1, "Clip": 1, "Div": 1, "Mul": 1}},
                training={"saved_bytes": 49152},
            ),
            cell(eight, "relu", ONNX12, PASS),
        ),
    }


def history(*names) -> History:
    """The history of those toolchains, of all where none is named."""
    made = History()
    for name, one in reports().items():
        if not names or name in names:
            made = made.with_runs(runs_of(one, name))
    return made


def by_name(some: History) -> dict[str, Run]:
    """The runs of a history by toolchain."""
    return {run.toolchain: run for run in some.runs}
