from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.catalog import activations
from exportcheck.compare import tolerance_for
from exportcheck.custom.guessing import guess
from exportcheck.custom.modules import FromModule
from exportcheck.custom.resolving import Resolved
from exportcheck.rounding import CEILINGS, MARGIN, tolerance_of
from exportcheck.subject import FromCatalogue, Subject


def subject(module) -> Subject:
    resolved = Resolved(lambda: module, "", ready=True)
    return Subject(FromModule("m", resolved, guess(module, "")))


class Cancels(nn.Module):
    """What is left of two large numbers: badly conditioned on purpose."""

    def __init__(self, size: float) -> None:
        super().__init__()
        self.size = size

    def forward(self, x):
        return (x + self.size - self.size) + x.mean() * 0


@pytest.mark.parametrize("network", ["bare", "conv"])
def test_the_catalogue_is_judged_by_the_table(network):
    what = Subject(FromCatalogue(activations()["relu"], network))
    assert tolerance_of(what, "float32") == tolerance_for("float32", network)


def test_an_elementwise_module_is_judged_as_an_activation():
    assert tolerance_of(subject(nn.SiLU()), "float16") == tolerance_for("float16", "bare")


def test_a_shallow_module_is_judged_as_a_network():
    torch.manual_seed(0)
    found = tolerance_of(subject(nn.Linear(6, 4)), "float32")
    assert found == tolerance_for("float32", "linear")


def test_rounding_of_its_own_is_allowed_for_some_times_over():
    what = subject(Cancels(1000.0))
    base = tolerance_for("float32", "conv")
    found = tolerance_of(what, "float32")
    expected = what.expected("float32")["normal"]
    error = np.abs(expected.outputs[0] - expected.truth[0]).max()
    scale = np.abs(expected.truth[0]).max()
    assert found.atol == pytest.approx(MARGIN * error / scale)
    assert found.atol > base.atol
    assert "rounding error" in found.reason


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_no_module_is_so_bad_that_anything_passes(precision):
    assert tolerance_of(subject(Cancels(1e7)), precision).atol == CEILINGS[precision]
