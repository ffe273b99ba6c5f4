"""A folder is run as a maintainer would: from inside of it, by a script that names nothing of ours.

What goes through torch.export takes seconds in a new process and is left to the slow set.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.custom.module_spec import ModuleSpec, parse_input
from exportcheck.custom.modules import module_subject
from exportcheck.custom.reproducing import reproduce
from exportcheck.results import Case, Result, Stage, Status
from exportcheck.subject import subject
from exportcheck.targets import targets

GOOD = str(Path(__file__).parents[1] / "user_code" / "good.py")


def run(folder: Path):
    return subprocess.run(
        [sys.executable, "repro.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def written(folder, target, name, *inputs, args=(), ended=None):
    runtime = next(r.name for r in targets()[target].runtimes if r.name != "coreml")
    if ":" in name:
        spec = ModuleSpec(f"{GOOD}{name}", args, tuple(map(parse_input, inputs)))
        case = Case(spec.name, "bare", target, runtime, "here")
        return reproduce(module_subject(spec, "bare"), case, spec, folder, ended)
    case = Case(name, "bare", target, runtime, "here")
    return reproduce(subject(name, "bare"), case, None, folder, ended)


@pytest.mark.parametrize(
    ("target", "name", "words", "code"),
    [
        # A submodule of PyTorch's own, an instance, a function, a class of ours, native ones.
        ("coreml-fp32", ":Block", "convert function for op 'log_sigmoid'", "nn.LogSigmoid()"),
        ("onnx-trace-opset17", ":sharp", "wrong numbers", "nn.Softplus(beta=1.0, threshold=1)"),
        ("torchscript-trace", ":Square", "Could not export Python function", "Square.apply(x0)"),
        ("torchscript-script", ":Loose", "found type 'int'", "from good import Loose"),
        ("torchscript-trace", "mish-memory-efficient", "Could not export", "class _MishFunction"),
        ("torchscript-script", "threshold-0.1-20", "instead found type 'int'", "nn.Threshold("),
    ],
)
def test_the_folder_shows_the_failure_without_this_package(tmp_path, target, name, words, code):
    written(tmp_path, target, name)
    done = run(tmp_path)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr
    assert code in (tmp_path / "repro.py").read_text()
    issue = (tmp_path / "ISSUE.md").read_text()
    assert code in issue
    assert "- torch 2." in issue
    assert "exportcheck" not in issue + (tmp_path / "repro.py").read_text()


@pytest.mark.parametrize(
    ("target", "name", "inputs"),
    [
        ("torchscript-trace", ":Slopes", ("2x5x4",)),
        ("torchscript-script", ":swish", ()),
        pytest.param("torch-export", ":Named", ("2x3", "2x3:bool"), marks=pytest.mark.slow),
        ("onnx-trace-opset17", ":Named", ("2x3", "2x3:bool")),
        pytest.param("onnx-dynamo-opset18", ":Tokens", (), marks=pytest.mark.slow),
    ],
)
def test_what_works_ends_with_0_weights_and_all(tmp_path, target, name, inputs):
    """So a maintainer sees when it is mended; and the script is not one that cannot succeed."""
    written(tmp_path, target, name, *inputs)
    done = run(tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["right"]), done.stderr


def test_onnx_comes_in_the_layout_of_its_own_backend_tests(tmp_path):
    import onnx
    import onnxruntime

    written(tmp_path, "onnx-trace-opset17", ":sharp")
    data = tmp_path / "test_data_set_0"
    tensors = [onnx.load_tensor(str(data / name)) for name in ("input_0.pb", "output_0.pb")]
    given, expected = map(onnx.numpy_helper.to_array, tensors)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    assert [t.name for t in tensors] == [
        session.get_inputs()[0].name,
        session.get_outputs()[0].name,
    ]
    (actual,) = session.run(None, {tensors[0].name: given})
    assert not np.allclose(actual, expected)
    eager = nn.Softplus(threshold=1)(torch.from_numpy(given.copy())).numpy()
    np.testing.assert_array_equal(eager, expected)


@pytest.mark.parametrize(
    "target",
    [
        "onnx-trace-opset17",
        pytest.param("onnx-dynamo-opset18", marks=pytest.mark.slow),
        pytest.param("torch-export", marks=pytest.mark.slow),
    ],
)
def test_dynamic_axes_are_in_the_script(tmp_path, target):
    spec = ModuleSpec(f"{GOOD}:Hard", (), (parse_input("2x3"),), dynamic=(0,))
    case = Case(spec.name, "bare", target, targets()[target].runtimes[0].name, "here")
    reproduce(module_subject(spec, "bare"), case, spec, tmp_path)
    assert run(tmp_path).returncode == 0
    assert "(0,)" in (tmp_path / "repro.py").read_text()


def test_a_reduced_module_of_the_users_is_taken_out_of_the_whole(tmp_path):
    small = written(tmp_path, "torchscript-script", ":Outer")
    assert small.path == "inner"
    script = (tmp_path / "repro.py").read_text()
    assert 'module = Outer().get_submodule("inner")' in script
    assert run(tmp_path).returncode == 1
    assert "The module is `inner` of a larger one" in (tmp_path / "ISSUE.md").read_text()


def test_what_ended_its_process_is_not_tried_again(tmp_path):
    case = Case("good.py:Hard", "bare", "torchscript-trace", "libtorch", "here")
    ended = Result(case, "", Status.CRASH, Stage.EXPORT, "the worker died of signal SIGSEGV")
    small = written(tmp_path, "torchscript-trace", ":Hard", ended=ended)
    assert small.path == ""
    assert not (tmp_path / "model.pt").exists()
    assert "SIGSEGV" in (tmp_path / "ISSUE.md").read_text()
    assert run(tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("target", "name", "addressed"),
    [
        ("onnx-trace-opset17", "logsigmoid", "pytorch/pytorch/issues (torch.onnx) and"),
        ("onnx-trace-opset17", "logsigmoid", "microsoft/onnxruntime/issues"),
        ("coreml-fp16", "logsoftmax-dim1", "to: nobody"),
    ],
)
def test_an_issue_is_addressed_to_those_who_can_mend_it(tmp_path, target, name, addressed):
    written(tmp_path, target, name)
    assert addressed in (tmp_path / "ISSUE.md").read_text().splitlines()[0]
