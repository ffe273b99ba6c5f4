"""torch 1.7.1 for real: why the hand-written forms were written.

Run by `make test-toolchain`, which installs it into the user's own cache where it is not there.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from exportcheck.reading import read
from exportcheck.results import Stage, Status

pytestmark = pytest.mark.toolchain

# The tests have a cache of their own, and a gigabyte is not downloaded for each of them.
_CACHE = os.environ.get("EXPORTCHECK_CACHE", "")
EXPORTCHECK = (sys.executable, "-m", "exportcheck")


def exportcheck(*arguments, folder=None):
    environment = {**os.environ, "EXPORTCHECK_CACHE": _CACHE}
    return subprocess.run(
        (*EXPORTCHECK, *arguments), env=environment, cwd=folder, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def installed():
    done = exportcheck("toolchains", "install", "torch-1.7")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def results(installed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("torch-1.7")
    done = exportcheck(
        *("all", "--no-cache", "--toolchain", "torch-1.7", "--network", "bare"), folder=folder
    )
    assert done.returncode == 1, done.stderr
    report = read(folder / "reports/matrix.json")
    assert report.environment["python"].startswith("3.8.")
    versions = report.environment["versions"]
    assert (versions["torch"], versions["onnx"]) == ("1.7.1", "1.8.0")
    assert (versions["onnxruntime"], versions["coremltools"]) == ("1.6.0", "4.1")
    return {(r.case.activation, r.case.target): r for r in report.results}


ONNX = ("onnx-trace-opset9", "onnx-trace-opset11", "onnx-trace-opset12")


@pytest.mark.parametrize(
    ("activation", "operator"),
    [
        ("hardswish", "hardswish"),
        ("silu", "silu"),
        ("hardsigmoid", "hardsigmoid"),
        ("hardswish-hardsigmoid", "hardsigmoid"),
    ],
)
@pytest.mark.parametrize("target", ONNX)
def test_the_native_ones_do_not_export_to_onnx(results, activation, operator, target):
    result = results[activation, target]
    assert (result.status, result.stage) == (Status.ERROR, Stage.EXPORT)
    assert f"Exporting the operator {operator} to ONNX opset version" in result.message
    assert result.versions["torch"] == "1.7.1"


@pytest.mark.parametrize("activation", ["hardswish-hardtanh", "silu-sigmoid", "mish-softplus"])
@pytest.mark.parametrize("target", ONNX)
def test_the_hand_written_ones_do_and_compute_the_same(results, activation, target):
    result = results[activation, target]
    assert result.status is Status.PASS
    assert result.max_error < 2e-6  # that of ONNX Runtime's Sigmoid, which is 0 below -18


def test_in_core_ml_too_the_native_ones_have_no_converter_and_the_forms_have(results):
    for activation in ("hardswish", "silu"):
        result = results[activation, "coreml-neuralnetwork"]
        assert (result.status, result.stage) == (Status.ERROR, Stage.EXPORT)
    for activation in ("hardswish-hardtanh", "silu-sigmoid"):
        result = results[activation, "coreml-neuralnetwork"]
        assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.LOAD)
        assert result.message.startswith("converts, not run")
        assert result.graph_ops["exported"]


def test_rrelu_is_random_in_onnx_although_it_was_exported_in_eval(results):
    result = results["rrelu", "onnx-trace-opset11"]
    assert result.status is Status.MISMATCH
    assert result.max_error > 0.1


def test_what_that_version_has_not_is_unavailable(results):
    result = results["mish", "onnx-trace-opset11"]
    assert (result.status, result.stage) == (Status.UNAVAILABLE, Stage.BUILD)
    assert result.message == "this version of torch.nn has no Mish"


def test_the_other_coremltools_runs_beside_the_same_torch(installed, tmp_path):
    name = "torch-1.7+coremltools-5.0"
    assert exportcheck("toolchains", "install", name).returncode == 0
    options = ("--toolchain", "torch-1.7", "--coremltools", "5.0", "--no-cache")
    exportcheck("all", *options, "--select", "silu/bare/*", folder=tmp_path)
    report = read(tmp_path / "reports/matrix.json")
    assert report.environment["versions"]["coremltools"] == "5.0"
    assert {(r.case.target, r.status) for r in report.results} == {
        ("coreml-fp32", Status.PASS),
        ("coreml-fp16", Status.PASS),
    }
    assert {r.case.toolchain for r in report.results} == {name}
