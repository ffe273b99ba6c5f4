"""Verdicts: each kind of guilt planted or found, with the evidence that decides it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import exportcheck
from exportcheck import catalog, subject
from exportcheck.catalog import Activation
from exportcheck.compare import tolerance_for
from exportcheck.judge import compared
from exportcheck.mismatch import Mismatch
from exportcheck.records import result_to_json
from exportcheck.results import Case, Culprit, Status
from exportcheck.runtimes.onnxruntime import OnnxRuntime
from exportcheck.stages import check
from exportcheck.targets import targets
from exportcheck.targets.interface import Opinion
from exportcheck.triage import blame_mismatch


def blame_of(activation, target, network="bare"):
    runtime = next(r for r in targets()[target].runtimes if r.name != "coreml")
    result = check(Case(activation, network, target, runtime.name, "here"))
    assert result.status is Status.MISMATCH, result.message
    return result.blame


def mismatch(what, target, runtime, path):
    """The case as `check` would have it, on a file that already lies at `path`."""
    tolerance = tolerance_for(target.precision, what.network)
    run = runtime.load(path).run
    given, expected = what.inputs(target.precision), what.expected(target.precision)
    outputs = {c.name: run((c.values,)) for c in given}
    comparisons = {
        name: comparison
        for c in given
        for name, comparison in compared(what, c, outputs[c.name], expected[c.name], tolerance)
    }
    return Mismatch(what, given, target, runtime, path, run, outputs, comparisons, tolerance)


@pytest.mark.parametrize(
    ("activation", "target", "culprit", "words"),
    [
        (
            "logsigmoid",
            "onnx-trace-opset17",
            Culprit.RUNTIME_KERNEL,
            "Sigmoid: right by onnx.reference",
        ),
        (
            "logsigmoid",
            "onnx-dynamo-opset18",
            Culprit.RUNTIME_KERNEL,
            "Sigmoid: right by onnx.reference",
        ),
        ("softplus-threshold1", "onnx-trace-opset13", Culprit.EXPORTER, "onnx.reference"),
        ("softplus-threshold1", "coreml-fp32", Culprit.EXPORTER, "value inference"),
        ("softplus-threshold1", "coreml-fp16", Culprit.EXPORTER, "same wrong numbers"),
        ("gelu-tanh", "coreml-export-fp32", Culprit.EXPORTER, "value inference"),
        ("logsoftmax-dim1", "coreml-fp32", Culprit.EXPORTER, "value inference"),
        ("logsoftmax-dim1", "coreml-fp16", Culprit.PRECISION, "float16"),
    ],
)
def test_what_is_wrong_today_is_blamed_on_whoever_did_it(activation, target, culprit, words):
    blame = blame_of(activation, target)
    assert blame.culprit is culprit, blame
    assert words in blame.text
    assert blame.evidence


def test_what_has_two_culprits_has_two_verdicts_each_with_its_points():
    """ONNX Runtime's Sigmoid is wrong from -18 on; in the tails log(sigmoid(x)) itself is -inf."""
    blame = blame_of("logsigmoid", "onnx-trace-opset17")
    assert blame.culprit is Culprit.RUNTIME_KERNEL
    assert blame.also == (Culprit.EXPORTER,)
    kernel, exporter, *_ = blame.text.split("; ")
    assert "right by onnx.reference, the same file (" in kernel
    assert "knees" in kernel
    assert exporter.startswith("exporter: onnx.reference, the same file, gives the same wrong")
    assert exporter.endswith("points, in knees, tails)")
    found = {e.tried: e.found for e in blame.evidence}["onnx.reference, the same file"]
    assert "agrees with eager at" in found
    assert "the same wrong numbers at" in found


class Linear(nn.Module):
    """One class of inputs, and both culprits in it."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)
        with torch.no_grad():
            self.linear.weight.mul_(60)

    def forward(self, x):
        return nn.functional.logsigmoid(self.linear(x))


def test_the_verdict_on_one_input_class_may_be_two():
    report = exportcheck.check(Linear(), torch.randn(16, 4), targets=["onnx-trace-opset17"])
    (result,) = report.results
    assert result.blame.culprit is Culprit.RUNTIME_KERNEL
    assert result.blame.text.startswith("Sigmoid: right by onnx.reference")


def test_an_opinion_that_is_wrong_in_another_way_convicts_nobody_of_what_it_gets_right(
    tmp_path, monkeypatch
):
    class Guessing(OnnxRuntime):
        """Whose only second opinion is right by chance, at a tenth of the points."""

        def opinions(self, path):
            def run(inputs):
                (right,) = eager.outputs
                return (
                    np.where(np.arange(right.size).reshape(right.shape) % 10, right + 5, right),
                )

            return [Opinion("a guess", lambda: run, Culprit.RUNTIME_KERNEL, independent=True)]

    what = subject.subject("relu", "linear")
    eager = what.expected("float32")["normal"]
    target = targets()["onnx-trace-opset17"]
    monkeypatch.setattr("exportcheck.triage._sibling_opinions", lambda case: [])
    target.save(target.export(Halved(what.build()), what.example()), tmp_path / "model.onnx")
    blame = blame_mismatch(mismatch(what, target, Guessing(), tmp_path / "model.onnx"))
    assert blame.culprit is Culprit.UNDECIDED
    assert [(e.tried, e.found) for e in blame.evidence] == [("a guess", "wrong in another way")]


class Halved(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return self.inner(x) / 2


def test_off_macos_no_verdict_names_apples_runtime():
    for target in ("coreml-fp32", "coreml-fp16"):
        blame = blame_of("logsoftmax-dim-1", target)
        told = blame.text + "".join(e.tried + e.found for e in blame.evidence)
        assert "Apple" not in told
        assert blame.culprit not in (Culprit.RUNTIME_KERNEL, Culprit.RUNTIME_OPTIMIZER)


def test_a_planted_fusion_is_blamed_on_the_optimizer_by_name(tmp_path):
    what, target = subject.subject("gelu", "bare"), targets()["onnx-trace-opset13"]
    target.save(target.export(what.build(), what.example()), tmp_path / "model.onnx")
    planted = OnnxRuntime(session_config=(("optimization.enable_gelu_approximation", "1"),))
    case = mismatch(what, target, planted, tmp_path / "model.onnx")
    blame = blame_mismatch(case)
    assert blame.culprit is Culprit.RUNTIME_OPTIMIZER
    assert blame.text == "GeluApproximation: right by onnxruntime, optimizations off"
    assert blame.evidence[0].tried == "onnxruntime, optimizations off"
    assert blame.evidence[0].found == "agrees with eager"


class Noisy(nn.Module):
    def forward(self, x):
        return x + 0.01 * torch.rand_like(x)


class Counting(nn.Module):
    """Adds how often it was called: stateful, not random."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x + self.calls


class Cancelling(nn.Module):
    """x by a detour: float32 loses the digits that float64 keeps."""

    def __init__(self, much=1e5):
        super().__init__()
        self.much = much

    def forward(self, x):
        return (self.much + x) - self.much


@pytest.fixture
def planted(monkeypatch):
    """Puts a module of this file into the catalogue."""

    def plant(module):
        name = module.__name__.lower()
        entry = Activation(name, name, f"{__name__}.{module.__name__}", "?", "tests")
        monkeypatch.setitem(catalog.activations(), name, entry)
        subject.subject.cache_clear()
        return name

    return plant


@pytest.mark.parametrize("module", [Noisy, Counting])
def test_a_module_that_never_repeats_itself_is_random_whatever_the_export_did(planted, module):
    blame = blame_of(planted(module), "onnx-trace-opset17")
    assert blame.culprit is Culprit.RANDOM
    assert "eager, twice" in [e.tried for e in blame.evidence]


def test_a_frozen_random_number_in_the_file_is_seen_as_random(planted):
    assert blame_of(planted(Noisy), "torchscript-trace").culprit is Culprit.RANDOM


@pytest.mark.parametrize(
    ("much", "culprit", "words"),
    [
        # As wrong as what is excused may be no more, but a hundred times nearer than eager.
        (1e3, Culprit.EAGER, "float64 is much nearer to the export than to eager"),
        # A longer detour still: the export is off by more, and eager is off by far too much.
        (3e5, Culprit.PRECISION, "float64 agrees with neither side"),
    ],
)
def test_where_eager_is_off_float64_says_who_is_to_blame(planted, tmp_path, much, culprit, words):
    what = subject.subject(planted(Cancelling), "bare")
    target = targets()["torchscript-trace"]
    target.save(torch.jit.trace(Cancelling(much), what.example()), tmp_path / "model.pt")
    blame = blame_mismatch(mismatch(what, target, target.runtimes[0], tmp_path / "model.pt"))
    assert blame.culprit is culprit
    assert blame.text.startswith(words)


def test_a_wrong_torchscript_file_is_blamed_on_the_exporter(tmp_path):
    what, target = subject.subject("relu", "bare"), targets()["torchscript-trace"]
    target.save(torch.jit.trace(nn.LeakyReLU(0.2), what.example()), tmp_path / "model.pt")
    blame = blame_mismatch(mismatch(what, target, target.runtimes[0], tmp_path / "model.pt"))
    assert blame.culprit is Culprit.EXPORTER


def test_without_a_second_opinion_the_verdict_is_undecided_with_the_evidence(tmp_path):
    class Alone(OnnxRuntime):
        def opinions(self, path):
            return [o for o in super().opinions(path) if "reference" not in o.tried]

    what, target = subject.subject("logsigmoid", "bare"), targets()["onnx-trace-opset17"]
    target.save(target.export(what.build(), what.example()), tmp_path / "model.onnx")
    blame = blame_mismatch(mismatch(what, target, Alone(), tmp_path / "model.onnx"))
    assert blame.culprit is Culprit.UNDECIDED
    assert {e.found for e in blame.evidence} == {"the same wrong numbers"}


def test_an_opinion_that_cannot_be_had_is_said_and_convicts_nobody(tmp_path, monkeypatch):
    def broken(*args):
        raise RuntimeError("no such evaluator")

    monkeypatch.setattr("exportcheck.runtimes.onnxruntime._reference", broken)
    blame = blame_of("logsigmoid", "onnx-trace-opset17")
    assert blame.culprit is Culprit.UNDECIDED
    found = {e.tried: e.found for e in blame.evidence}
    assert "no such evaluator" in found["onnx.reference, the same file"]


def test_the_evidence_is_in_the_json():
    result = check(Case("logsigmoid", "bare", "onnx-trace-opset17", "onnxruntime", "here"))
    blame = result_to_json(result)["blame"]
    assert blame["culprit"] == "runtime-kernel"
    assert {"tried", "found"} == set(blame["evidence"][0])


def test_what_passes_is_not_judged():
    result = check(Case("relu", "bare", "onnx-trace-opset17", "onnxruntime", "here"))
    assert result.blame is None
    assert np.isfinite(result.max_error)


class FractionOfConvolution(nn.Module):
    """A convolution has no value inference in coremltools, so nothing repeats the wrong numbers."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, x):
        return self.conv(x) % 1.0


def test_the_graph_pass_that_is_guilty_is_named():
    """apple/coremltools#2761: the floor of a division by one is taken for nothing."""
    report = exportcheck.check(
        FractionOfConvolution(), torch.rand(2, 3, 4, 4), targets=["coreml-fp32"]
    )
    (result,) = report.results
    assert result.blame.culprit is Culprit.EXPORTER
    assert result.blame.text == "right by coreml-fp32 without common::noop_elimination"
    found = {e.tried: e.found for e in result.blame.evidence}
    assert found["coreml-fp32 without coremltools' graph passes"] == "agrees with eager"
    assert found["coreml-fp32 without common::noop_elimination"] == "agrees with eager"


def test_variants_are_asked_only_where_a_target_has_them():
    assert not hasattr(targets()["torchscript-trace"], "variants")
    assert list(targets()["coreml-fp16"].variants) == []
    first, *others = targets()["coreml-fp32"].variants
    assert first.without == "*"
    assert len({one.without for one in others}) == len(others) > 50
