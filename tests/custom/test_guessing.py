from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.custom.guessing import guess, sample
from exportcheck.custom.module_spec import InputSpec
from exportcheck.errors import BadModule
from tests.user_code import bad, good


@pytest.mark.parametrize(
    ("module", "shape", "how"),
    [
        (good.Hard(), (2, 8, 16, 16), "NCHW, 8 channels"),
        (good.Block(), (2, 3, 16, 16), "NCHW, 3 channels from first.in_channels"),
        (nn.PReLU(5), (2, 5, 16, 16), "5 channels from num_parameters"),
        (good.Slopes(), (2, 5, 16, 16), "5 channels from the shape of slope"),
        (nn.Linear(6, 2), (4, 6), "(N, C), 6 channels from in_features"),
        # A width of 16 must not be taken for the last side of an image.
        (nn.Linear(16, 2), (4, 16), "(N, C), 16 channels from in_features"),
        (nn.LayerNorm(12), (4, 12), "(N, C), 12 channels from normalized_shape"),
        (good.Rows(), (2, 12, 6), "(N, L, C), 6 channels from mix.in_features"),
        (nn.Conv1d(4, 2, 3), (2, 4, 32), "(N, C, L)"),
        (nn.Conv3d(2, 2, 3), (1, 2, 8, 16, 16), "(N, C, D, H, W)"),
        (nn.Sequential(*(nn.MaxPool2d(2) for _ in range(5))), (2, 8, 32, 32), "NCHW"),
    ],
)
def test_the_layout_is_found_by_trying(module, shape, how):
    found = guess(module.eval(), "here.py:1")
    assert [one.shape for one in found.inputs] == [shape]
    assert how in found.how


def test_indices_stay_within_an_embedding():
    (found,) = guess(good.Tokens(), "").inputs
    assert (found.dtype, found.low, found.high) == ("int64", 0.0, 9.0)
    assert set(np.unique(sample(found))) <= set(range(10))


def test_as_many_inputs_as_forward_demands():
    from exportcheck.custom.calling import function_module

    assert len(guess(function_module(good.gate, {}), "").inputs) == 2


def test_a_shape_that_nothing_fits_says_what_was_tried():
    with pytest.raises(BadModule) as caught:
        guess(bad.Shape(), "here.py:1")
    text = str(caught.value)
    assert "expected 5, got 4" in text
    assert "--input" in text
    assert "2x12x3" in text


def test_a_failure_that_is_none_of_the_shape_is_told_alone():
    with pytest.raises(BadModule) as caught:
        guess(bad.Divides(), "here.py:1")
    assert str(caught.value).endswith("ZeroDivisionError: integer division or modulo by zero")


@pytest.mark.parametrize("module", [bad.Exits(), bad.Cuda()])
def test_what_no_shape_can_mend_ends_it_at_once(module, monkeypatch):
    calls = []
    forward = type(module).forward
    monkeypatch.setattr(
        type(module), "forward", lambda self, x: (calls.append(1), forward(self, x))[1]
    )
    with pytest.raises(BadModule):
        guess(module, "here.py:1")
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("spec", "low", "high"),
    [
        (InputSpec((1000,)), -10, 10),
        (InputSpec((1000,), low=0.25, high=0.5), 0.25, 0.5),
        (InputSpec((1000,), "int32", 5, 7), 5, 7),
        (InputSpec((1000,), "uint8"), 0, 3),
        (InputSpec((1000,), "bool"), 0, 1),
        (InputSpec((1000,), "float16"), -10, 10),
    ],
)
def test_a_sample_fills_its_range_and_repeats(spec, low, high):
    values = sample(spec)
    assert values.dtype == spec.dtype
    assert values.shape == spec.shape
    assert low <= values.min() < values.max() <= high
    assert np.array_equal(values, sample(spec))
    assert not np.array_equal(values, sample(spec, 1))
    if spec.dtype.startswith("int"):
        assert {values.min(), values.max()} == {low, high}


def test_floats_are_rounded_to_the_type_that_is_computed_in():
    values = sample(InputSpec((100,)), dtype="float16")
    assert np.array_equal(values, values.astype("float16").astype("float32"))
    assert torch.from_numpy(values).dtype == torch.float32
