from __future__ import annotations

import pytest
import torch
from torch import nn

import exportcheck
from exportcheck.refusal import _operators_in
from exportcheck.results import Case, Culprit, Stage, Status
from exportcheck.stages import check
from exportcheck.targets import targets


def blame_of(activation, target, network="conv"):
    runtime = next(r for r in targets()[target].runtimes if r.name != "coreml")
    result = check(Case(activation, network, target, runtime.name, "here"))
    assert result.status is Status.ERROR
    assert result.stage in (Stage.EXPORT, Stage.SAVE)
    return result.blame


@pytest.mark.parametrize(
    ("activation", "target", "operator", "place", "source"),
    [
        ("celu", "coreml-fp32", "aten::celu", "2", "torch/nn/modules/activation.py:"),
        ("logsigmoid", "coreml-export-fp32", "aten::log_sigmoid", "2", "torch/nn/modules/"),
        ("threshold-0.1-20", "onnx-trace-opset13", "aten::threshold", "2", "torch/nn/modules/"),
        ("threshold-0.1-20", "torchscript-script", "aten::threshold", "2", "torch/nn/modules/"),
        ("rrelu", "onnx-dynamo-opset18", "aten::rrelu", "2", "torch/nn/modules/activation.py:"),
        ("mish-memory-efficient", "coreml-fp16", "_MishFunction", "2", "exportcheck/forms.py:"),
        ("mish-memory-efficient", "torchscript-trace", "_MishFunction", "2", "exportcheck/forms"),
    ],
)
def test_the_operator_its_module_and_its_line_are_named(
    activation, target, operator, place, source
):
    blame = blame_of(activation, target)
    assert blame.culprit is Culprit.EXPORTER
    (found,) = blame.operators
    assert (found.name, found.module) == (operator, place)
    assert found.source.startswith(source)
    assert found.name in blame.text


class WithDefault(nn.Module):
    def forward(self, x, beta=1.0):
        return x * torch.sigmoid(beta * x)


def test_a_default_argument_that_became_an_input_is_the_exporters_doing():
    """torch.onnx's tracing exporter adds every default to what it was given."""
    report = exportcheck.check(WithDefault(), torch.rand(4, 4), targets=["onnx-trace-opset17"])
    (result,) = report.results
    assert result.stage is Stage.RUN
    assert result.blame.culprit is Culprit.EXPORTER
    assert "more inputs than forward was called with" in result.blame.text


def test_an_in_place_write_to_the_input_is_named():
    (operator,) = blame_of("silu-inplace", "coreml-export-fp32", "bare").operators
    assert operator.name == "aten::silu_"


@pytest.mark.parametrize(
    ("message", "operators"),
    [
        ("No ONNX function found for <OpOverload(op='aten.rrelu', overload='x')>.", ["aten.rrelu"]),
        ("Exporting the operator 'aten::hardswish' to ONNX opset version 12 is not", ["hardswish"]),
        ("ONNX export of operator threshold, non-zero threshold.", ["threshold"]),
        ("PyTorch convert function for op 'celu' not implemented.", ["celu"]),
        ("Unsupported fx node log_sigmoid, kind log_sigmoid", ["log_sigmoid"]),
        ("\nCould not export Python function call '_MishFunction'. Remove", ["_MishFunction"]),
        ("prelu op: rank 3 or rank 5 input is only supported", ["prelu"]),
        ("something else entirely", []),
    ],
)
def test_operators_are_read_from_messages(message, operators):
    assert list(_operators_in(message)) == operators


def test_every_missing_operator_is_found_not_only_the_first():
    import torch
    from torch import nn

    module = nn.Sequential(nn.LogSigmoid(), nn.CELU(), nn.ReLU(), nn.Softshrink())
    missing = targets()["coreml-fp32"].untranslated(module, (torch.zeros(1, 8),))
    assert list(missing) == ["aten::log_sigmoid", "aten::celu", "aten::softshrink"]
    missing = targets()["coreml-export-fp32"].untranslated(module, (torch.zeros(1, 8),))
    assert {"aten::log_sigmoid", "aten::celu"} <= set(missing)
