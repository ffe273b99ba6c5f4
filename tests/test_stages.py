"""What goes wrong today, as FIELD knows it: the tool must find all of it by itself.

Each row is a cell of the matrix with the status and stage it must show, and words of its cause or
of its note. Rows that pass are the hand-written forms and right conversions beside the wrong ones.
"""

from __future__ import annotations

import weakref

import pytest

from exportcheck import stages
from exportcheck.results import Case, Stage, Status
from exportcheck.stages import check
from exportcheck.subject import subject
from exportcheck.targets import targets

PASS, MISMATCH, ERROR = Status.PASS, Status.MISMATCH, Status.ERROR
TRACE = ("onnx-trace-opset13", "onnx-trace-opset17", "onnx-trace-opset20")
DYNAMO = ("onnx-dynamo-opset18",)
COREML = ("coreml-fp32", "coreml-fp16", "coreml-export-fp32")
COREML_TRACE = ("coreml-fp32", "coreml-fp16")
COREML_EXPORT = ("coreml-export-fp32",)

# activation, targets, status, stage, words of the message (failures) or of a note (passes)
ROWS = [
    ("logsigmoid", TRACE + DYNAMO, MISMATCH, Stage.COMPARE, "-inf where eager gives -"),
    ("logsigmoid", COREML, ERROR, Stage.EXPORT, "log_sigmoid"),
    ("logsigmoid-softplus", TRACE + DYNAMO, PASS, Stage.COMPARE, None),
    (
        "softplus-threshold1",
        TRACE,
        MISMATCH,
        Stage.COMPARE,
        "1.3132617 where eager gives 1.0000001",
    ),
    ("softplus-threshold1", DYNAMO, PASS, Stage.COMPARE, None),
    ("softplus-threshold1", COREML, MISMATCH, Stage.COMPARE, "where eager gives 1.00"),
    ("softplus-threshold1-where", TRACE + DYNAMO + COREML, PASS, Stage.COMPARE, None),
    ("threshold-0.1-20", TRACE, ERROR, Stage.EXPORT, "SymbolicValueError"),
    ("threshold-0.1-20", DYNAMO, PASS, Stage.COMPARE, None),
    ("threshold-0.1-20", ("torchscript-script",), ERROR, Stage.EXPORT, "instead found type 'int'"),
    ("threshold-0.1-20-where", (*TRACE, *DYNAMO, "torchscript-script"), PASS, Stage.COMPARE, None),
    ("rrelu", TRACE, PASS, Stage.COMPARE, None),
    ("rrelu", DYNAMO, ERROR, Stage.EXPORT, "ConversionError"),
    ("rrelu", COREML_TRACE, PASS, Stage.COMPARE, None),
    ("rrelu-leakyrelu", TRACE + DYNAMO + COREML, PASS, Stage.COMPARE, None),
    ("softshrink", TRACE, PASS, Stage.COMPARE, "nan: nan-lost"),
    ("softshrink", DYNAMO, PASS, Stage.COMPARE, None),
    ("softshrink", COREML_TRACE, ERROR, Stage.EXPORT, "softshrink"),
    ("softshrink", COREML_EXPORT, PASS, Stage.COMPARE, None),
    ("softshrink-clamp", TRACE + DYNAMO + COREML, PASS, Stage.COMPARE, None),
    ("hardshrink", TRACE, PASS, Stage.COMPARE, "nan: nan-lost"),
    ("hardshrink", DYNAMO, PASS, Stage.COMPARE, None),
    ("hardshrink", COREML, ERROR, Stage.EXPORT, ""),
    ("hardshrink-where", TRACE + DYNAMO + COREML, PASS, Stage.COMPARE, None),
    ("celu", TRACE + DYNAMO, PASS, Stage.COMPARE, None),
    ("celu", COREML, ERROR, Stage.EXPORT, "celu"),
    ("celu-elu", COREML, PASS, Stage.COMPARE, None),
    ("gelu-tanh", TRACE[:2], PASS, Stage.COMPARE, "largest: inf-made"),
    ("gelu-tanh", TRACE[2:], PASS, Stage.COMPARE, None),
    ("gelu-tanh", COREML_EXPORT, MISMATCH, Stage.COMPARE, "-0.0092798"),
    ("gelu-tanh", DYNAMO, PASS, Stage.COMPARE, None),
    ("silu", TRACE + DYNAMO, PASS, Stage.COMPARE, "vanished"),
    ("silu", COREML, PASS, Stage.COMPARE, None),
    ("sigmoid", TRACE + DYNAMO, PASS, Stage.COMPARE, "vanished"),
    # It is eager that overflows: x*6/6 of the largest numbers. ONNX Runtime keeps them.
    ("hardswish", TRACE + DYNAMO, PASS, Stage.COMPARE, "largest: eager-off"),
    ("hardswish", COREML, PASS, Stage.COMPARE, "infinities to nan: nan-lost"),
    ("hardswish-hardtanh", TRACE + DYNAMO + COREML, PASS, Stage.COMPARE, None),
    ("mish-memory-efficient", TRACE + DYNAMO, PASS, Stage.COMPARE, None),
    ("mish-memory-efficient", COREML_TRACE, ERROR, Stage.EXPORT, "pythonop"),
    ("mish-memory-efficient", COREML_EXPORT, PASS, Stage.COMPARE, None),
    ("mish-memory-efficient", ("torchscript-trace",), ERROR, Stage.SAVE, "_MishFunction"),
    ("silu-inplace", COREML_EXPORT, ERROR, Stage.EXPORT, "input mutation"),
]


def result_of(activation, target, network="bare"):
    runtime = next(r for r in targets()[target].runtimes if r.name != "coreml")
    return check(Case(activation, network, target, runtime.name, "here"))


@pytest.mark.parametrize(
    ("activation", "target", "status", "stage", "words"),
    [
        pytest.param(activation, target, *rest, id=f"{activation}-{target}")
        for activation, names, *rest in ROWS
        for target in names
    ],
)
def test_what_goes_wrong_today_is_found(activation, target, status, stage, words):
    result = result_of(activation, target)
    assert (result.status, result.stage) == (status, stage), result.message
    if status is not Status.PASS:
        assert words in result.message
    elif words:
        assert any(words in note for note in result.notes), result.notes


@pytest.mark.parametrize("target", TRACE + DYNAMO)
def test_the_hardtanh_form_of_hardswish_is_bit_exact_and_the_native_one_is_not(target):
    def worst(activation):
        return max(c.max_ulp_error for c in result_of(activation, target).comparisons.values())

    assert worst("hardswish-hardtanh") == 0
    assert worst("hardswish") > 0


def test_facts_are_read_back_from_the_file():
    result = result_of("hardswish", "onnx-trace-opset17")
    assert result.actual["opset"] == result.actual["asked_opset"] == 17
    assert result.graph_ops["exported"] == {"HardSwish": 1}
    assert result.graph_ops["optimized"]
    assert result.versions["onnxruntime"]
    assert set(result.durations_s) == {stage.value for stage in Stage}


def test_core_ml_numbers_off_macos_are_called_simulated():
    result = result_of("relu", "coreml-fp16")
    assert result.actual["computed_by"] == "mil-numpy (simulated)"
    assert result.actual["precision"] == "float16"


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (Case("relu", "bare", "no-target", "x", "here"), "no target 'no-target'"),
        (Case("relu", "bare", "coreml-fp32", "libtorch", "here"), "no runtime 'libtorch'"),
        (Case("no-activation", "bare", "torch-export", "torch", "here"), "no activation"),
    ],
)
def test_a_case_of_another_version_is_unavailable_and_says_why(case, words):
    result = check(case)
    assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.BUILD)
    assert words in result.message


def test_an_activation_that_this_torch_lacks_is_unavailable(monkeypatch):
    import torch

    monkeypatch.delattr(torch.nn, "Mish")
    result = result_of("mish", "torch-export")
    assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.BUILD)
    assert result.message == "this version of torch.nn has no Mish"


def test_stages_are_announced_in_order():
    seen = []
    check(Case("relu", "bare", "torch-export", "torch", "here"), seen.append)
    assert seen == list(Stage)


def test_a_form_that_is_written_with_what_this_torch_lacks_is_unavailable(monkeypatch):
    import torch

    monkeypatch.delattr(torch, "amax")
    case = Case("logsoftmax-dim1-shifted", "bare", "torchscript-trace", "libtorch", "t")
    fresh = subject.__wrapped__(case.activation, case.network)
    result = check(case, find=lambda: fresh)
    assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.BUILD)
    assert (
        result.message == "not with this version of PyTorch: module 'torch' has no attribute 'amax'"
    )


def test_nothing_of_a_failed_export_is_held_while_the_culprit_is_looked_for(monkeypatch):
    """A graph that is alive then ends the process in PyTorch 1.7."""
    held = []

    class Graph:
        pass

    def export(self, module, example, dynamic=()):
        try:
            graph = Graph()
            held.append(weakref.ref(graph))
            raise KeyError("inner")
        except KeyError as error:
            raise RuntimeError("no translation") from error

    def blame(*arguments):
        held.append(held[0]())

    target = targets()["torchscript-trace"]
    monkeypatch.setattr(type(target), "export", export)
    monkeypatch.setattr(stages, "blame_failure", blame)
    check(Case("relu", "bare", "torchscript-trace", "libtorch", "t"))
    assert held[1] is None
