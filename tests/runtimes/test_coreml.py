"""Apple's runtime through a stand-in off macOS, for real there; and the simulated one."""

from __future__ import annotations

import sys
import types
from typing import ClassVar

import numpy as np
import pytest

from exportcheck import subject
from exportcheck.errors import Unavailable
from exportcheck.results import Case, Culprit, Status
from exportcheck.runtimes import coreml
from exportcheck.runtimes.coreml import AppleCoreML, MilNumpy
from exportcheck.stages import check
from exportcheck.targets import targets


@pytest.fixture
def package(tmp_path):
    what, target = subject.subject("relu", "bare"), targets()["coreml-fp32"]
    target.save(target.export(what.build(), what.example()), tmp_path / "model.mlpackage")
    return tmp_path / "model.mlpackage"


class FakeMLModel:
    """Answers as `coremltools.models.MLModel` does on a Mac, by way of the evaluator."""

    made: ClassVar[list] = []

    def __init__(self, path, compute_units):
        self.path, self.compute_units = path, compute_units
        FakeMLModel.made.append(self)

    def get_spec(self):
        import coremltools

        return coremltools.utils.load_spec(self.path)

    def predict(self, inputs):
        from exportcheck import mil

        return mil.load(self.path).predict(inputs)


@pytest.fixture
def mac(monkeypatch):
    """A machine that says it is a Mac, with a stand-in for Apple's runtime."""
    monkeypatch.setattr(sys, "platform", "darwin")
    fake = types.SimpleNamespace(
        models=types.SimpleNamespace(MLModel=FakeMLModel),
        ComputeUnit=types.SimpleNamespace(CPU_ONLY="cpu"),
    )
    monkeypatch.setattr(coreml, "import_coremltools", lambda: fake)
    FakeMLModel.made.clear()


def test_off_macos_it_is_missing_and_says_what_to_do(monkeypatch, package):
    monkeypatch.setattr(sys, "platform", "linux")
    assert "macOS" in AppleCoreML().missing()
    with pytest.raises(Unavailable, match="macOS"):
        AppleCoreML().load(package)


def test_on_macos_it_predicts_on_the_cpu_with_the_models_own_names(mac, package):
    assert AppleCoreML().missing() is None
    run = AppleCoreML().load(package).run
    x = np.linspace(-3, 3, 4096, dtype=np.float32).reshape(2, 8, 16, 16)
    (y,) = run((x,))
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    assert FakeMLModel.made[0].compute_units == "cpu"
    assert FakeMLModel.made[0].path == str(package)


def test_a_wrong_apple_runtime_would_be_blamed_on_it(mac, package):
    (opinion,) = AppleCoreML().opinions(package)
    assert opinion.culprit is Culprit.RUNTIME_KERNEL
    assert "simulated" in opinion.tried


def test_a_case_with_apples_runtime_off_macos_is_unavailable(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    result = check(Case("relu", "bare", "coreml-fp32", "coreml", "here"))
    assert result.status is Status.UNAVAILABLE
    assert "macOS" in result.message


@pytest.mark.macos
def test_apples_runtime_for_real():
    result = check(Case("relu", "bare", "coreml-fp32", "coreml", "here"))
    assert result.status is Status.PASS


def test_the_simulated_one_says_so():
    assert MilNumpy().simulated
    assert not AppleCoreML().simulated


def test_value_inference_computes_the_same_file_independently(package):
    opinion = next(o for o in MilNumpy().opinions(package) if "value inference" in o.tried)
    x = np.linspace(-3, 3, 4096, dtype=np.float32).reshape(2, 8, 16, 16)
    (y,) = opinion.load()((x,))
    np.testing.assert_array_equal(y, np.maximum(x, 0))
