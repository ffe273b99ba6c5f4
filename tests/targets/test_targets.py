"""What every target must keep to, and what each one's file says of itself."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from exportcheck.errors import Unavailable
from exportcheck.targets import targets
from exportcheck.targets.coreml import unregistered
from exportcheck.targets.onnx import Onnx
from exportcheck.targets.torch_export import exported_program
from exportcheck.targets.torchscript import _forget_classes

ALL = list(targets().values())
RUN = [target for target in ALL if target.name != "coreml-neuralnetwork"]


@pytest.mark.parametrize("target", ALL, ids=lambda t: t.name)
def test_names_and_declarations(target):
    assert target.name == target.name.lower().replace(" ", "-")
    assert target.precision in ("float32", "float16")
    assert target.runtimes
    assert set(target.siblings) <= set(targets())
    for runtime in target.runtimes:
        assert "/" not in runtime.name
        assert runtime.distributions


def test_the_targets_are_those_of_the_table():
    assert list(targets()) == [
        "torchscript-trace",
        "torchscript-script",
        "torch-export",
        "onnx-trace-opset9",
        "onnx-trace-opset11",
        "onnx-trace-opset12",
        "onnx-trace-opset13",
        "onnx-trace-opset14",
        "onnx-trace-opset17",
        "onnx-trace-opset20",
        "onnx-dynamo-opset18",
        "onnx-dynamo-opset20",
        "onnx-dynamo-opset23",
        "coreml-fp32",
        "coreml-fp16",
        "coreml-export-fp32",
        "coreml-neuralnetwork",
    ]


def test_a_neural_network_is_converted_and_not_run(tmp_path):
    """coremltools 9 still makes one when asked, which the target's own version does unasked."""
    import coremltools as ct

    target = targets()["coreml-neuralnetwork"]
    path = tmp_path / f"model{target.suffix}"
    traced = torch.jit.trace(nn.Sequential(nn.Linear(8, 4), nn.ReLU()).eval(), torch.zeros(2, 8))
    inputs = [ct.TensorType("x0", shape=(2, 8))]
    target.save(ct.convert(traced, inputs=inputs, convert_to="neuralnetwork"), path)
    inspection = target.inspect(path)
    assert inspection.actual["specification_version"] >= 4
    assert inspection.graph_ops["exported"] == {"activation": 1, "innerProduct": 1}
    with pytest.raises(Unavailable, match="converts, not run"):
        target.runtimes[-1].load(path)


@pytest.mark.parametrize("target", RUN, ids=lambda t: t.name)
def test_a_file_is_written_read_back_and_run(target, tmp_path):
    example = (torch.randn(2, 8),)
    module = nn.Sequential(nn.Linear(8, 4), nn.ReLU()).eval()
    path = tmp_path / f"model{target.suffix}"
    target.save(target.export(module, example), path)
    inspection = target.inspect(path)
    assert ("size_bytes" in inspection.actual) == (target.group != "torch.jit")
    assert inspection.graph_ops["exported"]
    (y,) = target.runtimes[-1].load(path).run((example[0].numpy(),))
    tolerance = 1e-2 if target.precision == "float16" else 1e-6
    torch.testing.assert_close(
        torch.from_numpy(y), module(*example).detach(), rtol=tolerance, atol=tolerance
    )


@pytest.mark.filterwarnings("ignore")
def test_the_opset_is_the_files_not_the_one_asked_for(tmp_path):
    """The dynamo exporter writes 18 when asked for 13, with no more than a warning."""
    target = Onnx("dynamo", 13)
    target.save(target.export(nn.ReLU(), (torch.zeros(2, 8),)), tmp_path / "model.onnx")
    actual = target.inspect(tmp_path / "model.onnx").actual
    assert (actual["asked_opset"], actual["opset"]) == (13, 18)


def test_an_invalid_onnx_file_fails_its_inspection(tmp_path):
    import onnx

    node = onnx.helper.make_node("NoSuchOperator", ["x"], ["y"])
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([node], "g", [value], [])
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opset), tmp_path / "bad.onnx")
    with pytest.raises(onnx.checker.ValidationError, match="NoSuchOperator"):
        Onnx("trace", 17).inspect(tmp_path / "bad.onnx")


@pytest.mark.parametrize("mode", ["trace", "script"])
def test_scripting_a_class_again_after_it_failed_says_the_same(mode):
    """Without care the second attempt in a process fails with "Can't redefine method"."""
    target = targets()[f"torchscript-{mode}"]
    messages = []
    for _ in range(2):
        try:
            target.export(nn.Sequential(nn.Threshold(0.1, 20)), (torch.zeros(2, 8),))
            messages.append("")
        except RuntimeError as error:
            messages.append(str(error))
    assert messages[0] == messages[1]
    assert bool(messages[0]) == (mode == "script")


def test_a_torch_without_a_way_to_clear_its_classes_has_them_cleared(monkeypatch):
    """As PyTorch before 1.8."""
    state = SimpleNamespace(_script_classes={"Threshold": object()})
    monkeypatch.setattr(torch.jit, "_state", state)
    _forget_classes()
    assert state._script_classes == {}


@pytest.mark.parametrize(
    ("export", "times"),
    [
        (lambda module, args: None, 1),
        (lambda module, args, strict=True: None, 1),
        (lambda module, args, strict=False: None, 0),
    ],
)
def test_a_strict_torch_export_begins_anew_for_each_case(monkeypatch, export, times):
    """TorchDynamo refuses the rest after so many modules, whichever case they were of."""
    resets = []
    monkeypatch.setattr(torch.export, "export", export)
    monkeypatch.setattr(torch._dynamo, "reset", lambda: resets.append(1))
    exported_program(nn.ReLU(), (torch.zeros(2),))
    assert len(resets) == times


def test_what_a_torch_does_not_have_is_unavailable(monkeypatch):
    monkeypatch.delattr(torch, "export")
    monkeypatch.setattr(torch.onnx, "export", lambda model, args, f: None)
    example = (torch.zeros(2, 8),)
    with pytest.raises(Unavailable, match=r"has no torch\.export"):
        targets()["torch-export"].export(nn.ReLU(), example)
    with pytest.raises(Unavailable, match="has no such exporter"):
        targets()["onnx-dynamo-opset18"].export(nn.ReLU(), example)


@pytest.mark.parametrize("names", [{"silu": len}, SimpleNamespace(get_func={"silu": len}.get)])
def test_the_operators_without_a_conversion_in_coremltools_of_then_and_now(monkeypatch, names):
    registry = "coremltools.converters.mil.frontend.torch.torch_op_registry._TORCH_OPS_REGISTRY"
    monkeypatch.setattr(registry, names)
    found = unregistered(["aten::silu", "aten::celu", "_MishFunction", "aten::celu"])
    assert found == ("aten::celu", "_MishFunction")
