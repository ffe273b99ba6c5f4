from __future__ import annotations

import pytest

from exportcheck.matrix import Column, failures
from exportcheck.results import Blame, Culprit, Operator, Report, Stage, Status
from exportcheck.selection import runnable
from exportcheck.targets import targets
from exportcheck.verdicts import advice, listed, names, notes, verdict
from tests.conftest import comparison, result

ERROR, MISMATCH = Status.ERROR, Status.MISMATCH


def runtime(target: str) -> str:
    return next(r.name for r in targets()[target].runtimes if r.name != "coreml")


def cell(target, status=Status.PASS, stage=Stage.COMPARE, **facts):
    return result("my.py:A", "my.py:A", target, runtime(target), status, stage, **facts)


def lacking(name) -> Blame:
    operators = (Operator(name, "act", "my.py:9"),)
    return Blame(Culprit.EXPORTER, f"no translation for {name}", operators=operators)


TARGETS = list(dict.fromkeys(name for name, _ in runnable(anywhere=True)))
ONNX = [name for name in TARGETS if name.startswith("onnx-")]
COREML = [name for name in TARGETS if name.startswith("coreml-")]
TORCH = ["torchscript-trace", "torchscript-script", "torch-export"]


def report(**failed) -> Report:
    """All targets pass but those named, `onnx_trace_opset13=dict(status=…)`."""
    changes = {name.replace("_", "-"): facts for name, facts in failed.items()}
    return Report(tuple(cell(name, **changes.get(name, {})) for name in TARGETS))


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        ({}, "ships to TorchScript, torch.export, ONNX and Core ML (simulated)"),
        (
            {
                name.replace("-", "_"): {
                    "status": ERROR,
                    "stage": Stage.EXPORT,
                    "blame": lacking("aten::celu"),
                }
                for name in COREML
            },
            (
                "ships to TorchScript, torch.export and ONNX; "
                "Core ML fails: no translation for aten::celu"
            ),
        ),
        (
            {
                "onnx_trace_opset13": {"status": ERROR, "message": "Whatever: it says. More"},
                "onnx_trace_opset17": {"status": ERROR, "message": "Whatever: it says. More"},
                "torchscript_script": {"status": Status.CRASH, "message": "died of SIGSEGV"},
            },
            (
                "ships to TorchScript trace, torch.export, ONNX trace 20, ONNX dynamo and Core ML "
                "(simulated); TorchScript script crashes: died of SIGSEGV; "
                "ONNX trace 13 and 17 fail: Whatever: it says"
            ),
        ),
        (
            {
                "coreml_fp16": {
                    "status": MISMATCH,
                    "message": "grid: finite 3 of 4096: 1 where eager gives 2 at x = 3",
                    "blame": Blame(Culprit.PRECISION, "right without rounding to float16"),
                }
            },
            (
                "ships to TorchScript, torch.export, ONNX and Core ML fp32 and export fp32 "
                "(simulated); Core ML fp16 gives wrong numbers: precision"
            ),
        ),
    ],
)
def test_the_verdict_is_one_line(failed, expected):
    assert verdict(report(**failed), "my.py:A") == expected


def test_wrong_numbers_by_different_faults_are_told_apart():
    kernel = Blame(Culprit.RUNTIME_KERNEL, "Clip: right by onnx.reference, the same file")
    exporter = Blame(Culprit.EXPORTER, "wrong by coremltools' value inference too")
    wrong = {"status": MISMATCH, "message": "infinities: inf-lost 2048 of 4096"}
    found = verdict(
        report(
            onnx_trace_opset17={**wrong, "blame": kernel},
            coreml_fp32={**wrong, "blame": exporter},
        ),
        "my.py:A",
    )
    assert "ONNX trace 17 gives wrong numbers: runtime-kernel" in found
    assert "Core ML fp32 gives wrong numbers: exporter" in found


def test_another_type_is_no_wrong_number():
    other = comparison(close=False, kinds={"dtype": 12})
    failed = {
        "status": MISMATCH,
        "message": "float32 where eager gives int64",
        "comparisons": {"normal": other},
        "blame": Blame(Culprit.EXPORTER, "the file says so"),
    }
    found = verdict(report(coreml_fp32=failed, coreml_fp16=failed), "my.py:A")
    assert found.endswith("; Core ML fp32 and fp16 give float32 where eager gives int64")


def test_nothing_ships_and_something_is_not_there():
    cells = [
        cell("torchscript-trace", Status.TIMEOUT, message="no answer"),
        cell("torch-export", Status.UNAVAILABLE, message="not installed"),
    ]
    found = verdict(Report(tuple(cells)), "my.py:A")
    assert found == "ships nowhere; TorchScript hangs: no answer; torch.export not tried here"


def test_the_worst_network_decides():
    cells = [
        cell("torch-export"),
        result(
            "my.py:A", "", "torch-export", "torch", ERROR, Stage.RUN, network="conv", message="no"
        ),
    ]
    assert verdict(Report(tuple(cells)), "my.py:A") == "ships nowhere; torch.export fails: no"


def test_other_modules_do_not_count():
    other = result("other", "other", "torch-export", "torch", ERROR, Stage.EXPORT)
    both = Report((cell("torch-export"), other))
    assert verdict(both, "my.py:A") == "ships to torch.export"


def test_a_verdict_never_breaks_the_line():
    long = {"torch_export": {"status": ERROR, "message": "Error: " + "word " * 100 + "\nmore"}}
    found = verdict(report(**long), "my.py:A")
    assert "\n" not in found
    assert len(found) < 250


def only_failure(**failed):
    whole = report(**failed)
    (failure,) = failures(whole)
    return advice(failure, whole)


@pytest.mark.parametrize(
    ("target", "facts", "words"),
    [
        ("coreml-fp16", {"blame": Blame(Culprit.PRECISION, "x")}, "FLOAT32 passes"),
        ("coreml-fp32", {"blame": Blame(Culprit.EAGER, "x")}, "nothing: the export"),
        ("onnx-trace-opset17", {"blame": Blame(Culprit.RUNTIME_KERNEL, "x")}, "report this one"),
        ("onnx-trace-opset17", {"blame": Blame(Culprit.RUNTIME_OPTIMIZER, "x")}, "switch that"),
        ("onnx-trace-opset17", {"blame": lacking("aten::celu")}, "which pass"),
        ("torchscript-script", {"blame": lacking("aten::celu")}, "trace it instead"),
        ("torch-export", {"blame": lacking("aten::relu_")}, "out of place"),
        ("coreml-fp32", {"blame": lacking("dictconstruct")}, "return a tuple"),
        ("torch-export", {"message": "Could not guard on data-dependent expression"}, "where"),
        ("torchscript-script", {"message": '"beta" was not annotated'}, "annotate it"),
        ("onnx-trace-opset17", {"message": "ValueError: Required inputs (['x'])"}, "an attribute"),
    ],
)
def test_there_is_something_to_do(target, facts, words):
    found = only_failure(**{target.replace("-", "_"): {"status": ERROR, **facts}})
    assert any(words in text for text in found), found


def test_no_advice_is_made_up():
    whole = {name.replace("-", "_"): {"status": ERROR, "message": "E: no"} for name in TARGETS}
    assert only_failure(**whole) == []


def test_names_of_columns():
    asked = [Column(name, runtime(name)) for name in TARGETS]
    assert names(asked, asked) == ["TorchScript", "torch.export", "ONNX", "Core ML"]
    some = [c for c in asked if c.target in ("onnx-trace-opset13", "onnx-dynamo-opset20")]
    assert names(some, asked) == ["ONNX trace 13", "ONNX dynamo 20"]
    assert names(some, some) == ["ONNX"]


def test_listed():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_each_note_is_told_once():
    noted = {name: {"notes": ("nan: nan-lost",)} for name in ("torch_export", "coreml_fp16")}
    ((text, columns),) = notes(report(**noted), "my.py:A")
    assert text == "nan: nan-lost"
    assert [c.target for c in columns] == ["torch-export", "coreml-fp16"]
