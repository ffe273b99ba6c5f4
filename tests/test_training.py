from __future__ import annotations

import pytest
import torch
from torch import nn

from exportcheck import catalog, subject, training
from exportcheck.catalog import Activation, activations
from exportcheck.training import training_facts

BATCH_BYTES = 2 * 8 * 16 * 16 * 4


def facts(name):
    return training_facts(subject.subject(name, "bare"))


@pytest.mark.parametrize("name", activations())
def test_the_gradient_of_every_form_is_that_of_its_family(name):
    """float64 rounding is 1e-15 or less; PyTorch rounds two of its own constants to float32."""
    rounded_constants = ("hardswish-hardsigmoid", "hardsigmoid-relu6", "logsigmoid-softplus")
    assert facts(name)["gradient_error"] <= (2e-8 if name in rounded_constants else 2e-14)


@pytest.mark.parametrize(
    ("efficient", "plain"),
    [("mish-memory-efficient", "mish-softplus"), ("silu-memory-efficient", "silu-sigmoid")],
)
def test_the_memory_efficient_forms_keep_half_of_the_plain_ones(efficient, plain):
    assert facts(efficient)["saved_bytes"] == BATCH_BYTES
    assert facts(plain)["saved_bytes"] == 2 * BATCH_BYTES
    assert (facts(efficient)["saved_tensors"], facts(plain)["saved_tensors"]) == (1, 2)


class WrongBackward(nn.Module):
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.relu(x)

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 0.9

    def forward(self, x):
        return WrongBackward.Function.apply(x)


class NoBackward(nn.Module):
    def forward(self, x):
        return x.detach()


@pytest.fixture
def planted(monkeypatch):
    def plant(module):
        name = module.__name__.lower()
        entry = Activation(name, "relu", f"{__name__}.{module.__name__}", "?", "tests")
        monkeypatch.setitem(catalog.activations(), name, entry)
        subject.subject.cache_clear()
        return name

    return plant


def test_a_wrong_backward_shows(planted):
    found = facts(planted(WrongBackward))
    assert found["gradient_reference"] == "relu"
    assert found["gradient_error"] > 0.1


def test_what_cannot_be_differentiated_is_said(planted):
    assert "does not require grad" in facts(planted(NoBackward))["error"]


def test_where_pytorch_does_not_tell_what_it_saves_the_gradient_is_still_known(monkeypatch):
    """As before 1.10."""
    monkeypatch.setattr(training, "_tells_what_it_saves", lambda: False)
    facts = training_facts.__wrapped__(subject.subject("silu-sigmoid", "bare"))
    assert set(facts) == {"gradient_error", "gradient_reference"}
