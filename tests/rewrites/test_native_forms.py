"""Whatever of the catalogue fails on a target has a proved form, or there is a reason why not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from exportcheck.catalog import activations
from exportcheck.rewrites import find
from exportcheck.subject import subject
from tests.rewrites.table import NO_FORM, failing, rewritten

FAILING = failing()
QUICK = ("torchscript-script", "torchscript-trace", "onnx-trace-opset17", "coreml-fp32")
"""The targets that take the least time to export to."""


def test_the_table_speaks_of_every_native_activation_that_fails():
    forms = {activation for activation, _ in FAILING}
    native = {a.name for a in activations().values() if a.name in forms and a.form == "native"}
    assert {"logsigmoid", "celu", "softshrink", "rrelu", "gelu-tanh", "logsoftmax-dim1"} <= native


def first_networks():
    seen = {}
    for (activation, network), targets in FAILING.items():
        seen.setdefault(activation, (activation, network, targets))
    return list(seen.values())


@pytest.mark.parametrize(
    ("activation", "network", "targets"), first_networks(), ids=[r[0] for r in first_networks()]
)
def test_a_form_is_offered(activation, network, targets):
    target = next((name for name in QUICK if name in targets), targets[0])
    found, _ = find(subject(activation, network), [target])
    assert [one.targets for one in found] == [(target,)]
    assert found[0].code


@pytest.mark.slow
@pytest.mark.parametrize(("activation", "network"), FAILING)
def test_a_form_is_offered_for_every_target(activation, network):
    _, _, left = rewritten(activation, network, FAILING[activation, network])
    assert "?" not in left


def test_where_there_is_no_form_the_function_jumps_where_float16_rounds():
    """softplus-threshold1 jumps by 0.31 at 1; the convolution before it is rounded to float16."""
    ((activation, network, target),) = NO_FORM
    what = subject(activation, network)
    model = what.build()
    (given,) = what.inputs("float16")
    with torch.no_grad():
        before = model[:2](torch.from_numpy(given.values)).numpy()
    threshold = model[2].threshold
    crossing = np.abs(before - threshold) < np.abs(before) * np.finfo(np.float16).eps
    assert crossing.any(), "rounded to float16, some land on the other side"
    with torch.no_grad():
        below, above = model[2](torch.tensor([threshold, np.nextafter(np.float32(1), 2)]))
    assert below - above == pytest.approx(0.3133, abs=1e-4)
    assert target == "coreml-fp16"
