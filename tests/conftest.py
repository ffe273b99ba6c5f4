from __future__ import annotations

import os
import sys

import pytest

from exportcheck.results import (
    Blame,
    Case,
    Comparison,
    Culprit,
    Evidence,
    Known,
    Operator,
    Report,
    Result,
    Stage,
    Status,
    Worst,
)

# As in the workers: numbers must not depend on how many cores a machine has.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path_factory, monkeypatch):
    """A result that another test, or the user, left behind would hide what a test is about."""
    monkeypatch.setenv("EXPORTCHECK_CACHE", str(tmp_path_factory.mktemp("cache")))


HOSTILE_TEXT = "a | b <script>alert(1)</script> ]]> `c` \x1b[31m \ud800 \u202e & %0A::error::"
"""What a message may hold that means something in one of the formats."""


def pytest_addoption(parser):
    parser.addoption("--golden", action="store_true", help="write golden files anew")


def pytest_collection_modifyitems(items):
    off_macos = pytest.mark.skip(reason="needs Apple's Core ML runtime, which is on macOS only")
    for item in items:
        if item.get_closest_marker("macos") and sys.platform != "darwin":
            item.add_marker(off_macos)


@pytest.fixture
def golden(request):
    """Compares text with the golden file of this name beside the test, or writes it."""

    def compare(name: str, text: str) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare


def comparison(*, close=True, gates=True, error=0.0, kinds=None, worst=None) -> Comparison:
    return Comparison(
        close=close,
        gates=gates,
        max_error=error,
        max_abs_error=error,
        max_rel_error=error,
        max_ulp_error=round(error * 2**23, 1),
        mismatched=0 if close else 3,
        total=4096,
        kinds=kinds or {},
        worst=worst,
    )


def result(activation, family, target, runtime, status, stage, **facts) -> Result:
    case = Case(activation, facts.pop("network", "bare"), target, runtime, "torch-2.13")
    return Result(case, family, status, stage, **facts)


@pytest.fixture
def report() -> Report:
    """A report with every status, every stage, notes, and text that wants to break its format.

    One failure is known, one known failure passes, one limitation is stale, one case unfinished.
    """
    worst = Worst(input=-18.0, actual=float("-inf"), expected=-18.0, truth=-18.0, index=(0, 1))
    results = [
        result(
            "logsigmoid",
            "logsigmoid",
            "onnx-trace-opset17",
            "onnxruntime",
            Status.MISMATCH,
            Stage.COMPARE,
            message="grid: inf-made 3 of 4096: -inf where eager gives -18 at x = -18",
            comparisons={
                "grid": comparison(close=False, error=0.0758, kinds={"inf-made": 3}, worst=worst),
                "nan": comparison(gates=False),
            },
            blame=Blame(
                Culprit.RUNTIME_KERNEL,
                "onnxruntime's Sigmoid",
                (Evidence("onnx.reference, the same file", "agrees with eager"),),
                (Operator("Sigmoid", "bare", "functional.py:12"),),
            ),
            graph_ops={"exported": {"Log": 1, "Sigmoid": 1}, "optimized": {"Log": 1, "Sigmoid": 1}},
            actual={"opset": 17, "asked_opset": 17},
            versions={"torch": "2.13.0"},
            durations_s={"build": 0.01, "export": 0.5},
            known=Known(
                "logsigmoid/*/onnx-*/onnxruntime/*",
                "onnxruntime's Sigmoid is 0 below -18",
                "https://example.org/issues/1",
            ),
        ),
        result(
            "logsigmoid-softplus",
            "logsigmoid",
            "onnx-trace-opset17",
            "onnxruntime",
            Status.PASS,
            Stage.COMPARE,
            comparisons={"grid": comparison(error=9.5e-7)},
        ),
        result(
            "softshrink",
            "softshrink",
            "onnx-trace-opset17",
            "onnxruntime",
            Status.PASS,
            Stage.COMPARE,
            notes=("nan: nan-lost 4096 of 4096: 0 where eager gives nan at x = nan",),
            comparisons={"grid": comparison(error=0.0)},
        ),
    ]
    others = {
        Stage.BUILD: (Status.UNAVAILABLE, "this version of torch.nn has no Mish"),
        Stage.EXPORT: (Status.ERROR, f"SymbolicValueError: {HOSTILE_TEXT}"),
        Stage.SAVE: (Status.ERROR, "RuntimeError:\nCould not export Python function call"),
        Stage.LOAD: (Status.CRASH, "the worker died of signal SIGSEGV"),
        Stage.RUN: (Status.TIMEOUT, "no answer within 120 s; the worker was ended"),
    }
    results += [
        result("mish", "mish", target, runtime, status, stage, message=message)
        for (stage, (status, message)), (target, runtime) in zip(
            others.items(),
            (
                ("torchscript-trace", "libtorch"),
                ("torchscript-script", "libtorch"),
                ("torch-export", "torch"),
                ("coreml-fp32", "mil-numpy"),
                ("coreml-fp16", "mil-numpy"),
            ),
            strict=True,
        )
    ]
    results.append(
        result(
            "celu",
            "celu",
            "onnx-trace-opset17",
            "onnxruntime",
            Status.PASS,
            Stage.COMPARE,
            comparisons={"grid": comparison(error=1e-7)},
            known=Known("celu/*/onnx-trace-opset17/*", "no kernel for it"),
        )
    )
    return Report(
        tuple(results),
        {"exportcheck": "0.1.0", "versions": {"torch": "2.13.0"}},
        unfinished=(Case("celu", "conv", "onnx-trace-opset17", "onnxruntime", "torch-2.13"),),
        stale=("no-such-activation/*",),
    )
