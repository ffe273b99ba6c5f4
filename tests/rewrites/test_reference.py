from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck import forms
from exportcheck.errors import BadModule
from exportcheck.rewrites import Proof, Refuted, same, same_as
from exportcheck.subject import subject


def test_weights_of_the_same_names_are_shared_before_comparing():
    reference, other = nn.PReLU(8, init=0.1), forms.PReLURelu(8, init=0.7)
    assert isinstance(same(reference, other), Proof)
    assert other.weight[0].item() == pytest.approx(0.7)


def test_inputs_are_found_where_none_are_given():
    assert isinstance(same(nn.Linear(5, 3), nn.Linear(5, 3)), Proof)


def test_inputs_may_be_given():
    assert isinstance(same(nn.ReLU(), nn.ReLU6(), [np.full((2, 3), 7.0, "float32")]), Refuted)


@pytest.mark.parametrize("name", ["torch.nn.Hardswish", "torch.nn:Hardswish"])
def test_a_subject_is_what_it_claims_to_be(name):
    assert isinstance(same_as(name, subject("hardswish-relu6", "bare")), Proof)


def test_a_subject_is_not_what_it_claims_to_be():
    found = same_as("torch.nn.GELU", subject("gelu-tanh", "bare"))
    assert found.replacement == "GELU"
    assert np.isfinite(found.input)
    assert "where the reference gives" in found.why
    x = torch.tensor(found.input)
    assert nn.GELU()(x).item() == pytest.approx(found.expected, rel=1e-5)
    assert nn.GELU("tanh")(x).item() == pytest.approx(found.actual, rel=1e-5)


def test_arguments_of_the_reference():
    what = subject("gelu-tanh-explicit", "bare")
    assert isinstance(same_as("torch.nn.GELU", what), Refuted)
    assert isinstance(same_as("torch.nn.GELU", what, (("approximate", "'tanh'"),)), Proof)


def test_a_reference_that_does_not_exist():
    with pytest.raises(BadModule, match="NoSuchThing"):
        same_as("torch.nn.NoSuchThing", subject("relu", "bare"))
