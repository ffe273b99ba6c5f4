from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from exportcheck.catalog import activations
from exportcheck.errors import Unavailable
from exportcheck.networks import EXAMPLE_SHAPES
from exportcheck.subject import (
    FromCatalogue,
    Subject,
    import_object,
    run_eager,
    subject,
    writes_to_its_input,
)


def subject_of(name, network="bare", **changes):
    return Subject(FromCatalogue(replace(activations()[name], **changes), network))


@pytest.mark.parametrize("network", ["bare", "conv", "linear"])
def test_every_build_has_the_same_weights_and_is_another_module(network):
    what = subject_of("prelu-per-channel", network)
    first = what.build()
    torch.rand(7)  # whatever an exporter draws in between
    second = what.build()
    assert first is not second
    weights = first.state_dict()
    assert weights.keys() == second.state_dict().keys()
    for name, value in second.state_dict().items():
        assert torch.equal(value, weights[name]), name
        assert value.data_ptr() != weights[name].data_ptr()


@pytest.mark.parametrize("network", ["bare", "conv"])
def test_it_is_in_eval_mode(network):
    assert not any(m.training for m in subject_of("rrelu", network).build().modules())


def test_a_class_that_this_pytorch_lacks_is_unavailable():
    with pytest.raises(Unavailable, match=r"this version of torch\.nn has no NoSuchThing"):
        subject_of("relu", module="torch.nn.NoSuchThing").build()


def test_an_argument_that_this_pytorch_lacks_is_unavailable():
    with pytest.raises(Unavailable, match=r"torch\.nn\.GELU of this version takes no novelty"):
        subject_of("gelu", kwargs={"novelty": 1}).build()


def test_a_wrong_value_of_an_argument_is_an_error():
    with pytest.raises(AssertionError):
        subject_of("rrelu", module="torch.nn.Hardtanh", kwargs={"min_val": 2.0}).build()


def test_an_activation_that_is_not_in_the_catalogue_is_unavailable():
    with pytest.raises(Unavailable, match="no activation 'nosuch'"):
        subject("nosuch", "bare")


def test_the_subject_of_a_case_is_kept():
    assert subject("relu", "bare") is subject("relu", "bare")
    assert subject("relu", "bare") is not subject("relu", "conv")


def test_import_object():
    assert import_object("torch.nn.ReLU") is torch.nn.ReLU


@pytest.mark.parametrize(
    ("name", "network", "elementwise"),
    [("relu", "bare", True), ("relu", "conv", False), ("softmax-dim1", "bare", False)],
)
def test_elementwise(name, network, elementwise):
    assert subject_of(name, network).elementwise is elementwise


@pytest.mark.parametrize("network", EXAMPLE_SHAPES)
def test_example_is_a_batch_of_ordinary_numbers(network):
    (x,) = subject_of("relu", network).example()
    assert x.shape == EXAMPLE_SHAPES[network]
    assert x.dtype == torch.float32
    assert torch.isfinite(x).all()
    assert 0.1 < (x < 0).float().mean() < 0.9


@pytest.mark.parametrize(
    ("network", "names"), [("bare", {"grid", "knees", "nan"}), ("conv", {"normal"})]
)
def test_inputs_and_expected_have_the_same_classes(network, names):
    what = subject_of("relu", network)
    given = {c.name for c in what.inputs("float32")}
    assert names <= given == set(what.expected("float32"))
    assert what.inputs("float32") is what.inputs("float32")
    assert what.inputs("float32") is not what.inputs("float16")


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("name", ["silu", "silu-inplace", "hardswish-inplace", "relu-inplace"])
def test_expected_is_eager_on_inputs_that_stay_as_they_were(name, dtype):
    what = subject_of(name)
    before = {c.name: c.values.copy() for c in what.inputs(dtype)}
    expected = what.expected(dtype)
    module = what.build()
    for given in what.inputs(dtype):
        np.testing.assert_array_equal(given.values, before[given.name])
        with torch.no_grad():
            wanted = module(torch.from_numpy(given.values.copy())).numpy()
        (output,), (truth,) = expected[given.name].outputs, expected[given.name].truth
        np.testing.assert_array_equal(output, wanted)
        assert output.dtype == np.float32
        assert truth.dtype == np.float64


def test_truth_is_what_float64_gives():
    """At the largest float32 the native Hardswish overflows in float32 only."""
    what = subject_of("hardswish")
    largest = what.expected("float32")["largest"]
    x = {c.name: c.values for c in what.inputs("float32")}["largest"]
    at_largest = x == np.finfo(np.float32).max
    assert np.isinf(largest.outputs[0][at_largest]).all()
    np.testing.assert_array_equal(largest.truth[0][at_largest], x[at_largest])


class Pair(torch.nn.Module):
    def forward(self, x):
        x += 1
        return x, -x


def test_run_eager_copies_widens_and_takes_several_outputs():
    values = np.arange(3, dtype=np.float32)
    outputs = run_eager(Pair(), (values,))
    assert [o.tolist() for o in outputs] == [[1, 2, 3], [-1, -2, -3]]
    assert values.tolist() == [0, 1, 2]
    assert [o.dtype for o in outputs] == [np.float32] * 2
    assert [o.dtype for o in run_eager(Pair(), (values,), double=True)] == [np.float64] * 2


def test_nan_that_stays_is_not_written():
    given = (torch.tensor([math.nan, 1.0]),)
    assert not writes_to_its_input(nn.ReLU(inplace=True), given)
    assert writes_to_its_input(nn.Hardtanh(0.0, 0.5, inplace=True), given)
