"""What every target must keep to, and what each one's file says of itself."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck.targets import targets
from exportcheck.targets.onnx import Onnx

ALL = list(targets().values())


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
        "onnx-trace-opset13",
        "onnx-trace-opset17",
        "onnx-trace-opset20",
        "onnx-dynamo-opset18",
        "onnx-dynamo-opset20",
        "onnx-dynamo-opset23",
        "coreml-fp32",
        "coreml-fp16",
        "coreml-export-fp32",
    ]


@pytest.mark.parametrize("target", ALL, ids=lambda t: t.name)
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
