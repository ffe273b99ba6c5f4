"""Every figure of the tolerance table is as tight as it can usefully be.

For each entry there is a conversion gone slightly wrong, of a kind that happens, that the table
catches and that would slip through if this one entry were ten times as large.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from exportcheck.compare import TOLERANCES, compare
from exportcheck.subject import subject


def judged(network, precision, name, wrong, tolerance):
    """Whether the wrong numbers pass on every gating class of this activation."""
    what = subject(name, network)
    expected = what.expected(precision)
    return all(
        compare(
            wrong(c.values, expected[c.name].outputs[0]).astype(np.float32),
            expected[c.name].outputs[0],
            tolerance,
            inputs=c.values if what.elementwise else None,
        ).close
        for c in what.inputs(precision)
        if c.gates and c.name != "infinities"
    )


def sixth_rounded(digits):
    """Hardsigmoid's slope 1/6 written with so many digits, as a file's attribute may be."""
    return lambda x, y: y * (round(1 / 6, digits) * 6)


def tail_cut(limit):
    """A sigmoid that is 0 below -limit: x*sigmoid(x) is 0 there."""
    return lambda x, y: np.where(x < -limit, 0, y)


def scaled(factor):
    """An output scale that lost its last digits, as when it was stored quantized."""
    return lambda x, y: y * factor


def shifted(offset):
    """A bias that was stored with too few digits."""
    return lambda x, y: y + offset


# precision, kind of network, entry -> activation, network, the wrong conversion
WRONG = {
    ("float32", "bare", "rtol"): ("hardswish", "bare", sixth_rounded(5)),
    ("float32", "bare", "atol"): ("silu", "bare", tail_cut(14)),
    ("float32", "network", "rtol"): ("relu", "conv", scaled(1 + 5e-4)),
    ("float32", "network", "atol"): ("relu", "conv", shifted(8e-6)),
    ("float16", "bare", "rtol"): ("hardswish", "bare", sixth_rounded(2)),
    ("float16", "bare", "atol"): ("silu", "bare", tail_cut(5)),
    ("float16", "network", "rtol"): ("relu", "linear", scaled(1.06)),
    ("float16", "network", "atol"): ("relu", "linear", shifted(0.03)),
}


def test_every_entry_of_the_table_has_its_wrong_conversion():
    assert set(WRONG) == {(*key, entry) for key in TOLERANCES for entry in ("rtol", "atol")}


@pytest.mark.parametrize("key", WRONG, ids="-".join)
def test_an_entry_ten_times_as_large_lets_a_wrong_conversion_through(key):
    precision, kind, entry = key
    activation, network, wrong = WRONG[key]
    tolerance = TOLERANCES[precision, kind]
    assert judged(network, precision, activation, lambda x, y: y, tolerance)
    assert not judged(network, precision, activation, wrong, tolerance)
    loose = dataclasses.replace(tolerance, **{entry: 10 * getattr(tolerance, entry)})
    assert judged(network, precision, activation, wrong, loose)


@pytest.mark.parametrize("tolerance", TOLERANCES.values(), ids=map("-".join, TOLERANCES))
def test_every_entry_has_its_reason(tolerance):
    assert len(tolerance.reason) > 20
