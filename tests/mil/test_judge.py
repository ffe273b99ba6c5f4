"""The judge judged: of what Apple's tests compare they reject nearly all when it is made wrong."""

from __future__ import annotations

import subprocess
from collections import Counter

import pytest

from tests.mil.apple_suite import FAILED, PASSED, SPOIL
from tests.mil.coremltools_suite import results_of

# Modules whose tests use large and small, integer and float, signed and unsigned values.
MODULES = (
    "iOS14/test_conv.py",
    "iOS14/test_elementwise_binary.py",
    "iOS14/test_elementwise_unary.py",
    "iOS14/test_linear.py",
    "iOS14/test_pool.py",
    "iOS14/test_reduction.py",
    "iOS16/test_constexpr_ops.py",
    "iOS17/test_activation.py",
    "iOS18/test_transformers.py",
)


@pytest.fixture(scope="module")
def outcomes():
    """Kind of wrong -> outcome -> number of tests."""
    arguments = [*MODULES, "--mil-sample", "1", "--mil-wrong", ",".join(SPOIL), "-q", "--tb=no"]
    results = results_of(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    counts = {kind: Counter() for kind in SPOIL}
    for test, (outcome, _) in results.items():
        counts[test.rpartition("mil=")[2]][outcome] += 1
    return counts


# Not every comparison can notice everything: a result of zeros is not scaled, a matrix that is its
# own transpose has no swapped axes, and a vector has none to swap.
@pytest.mark.parametrize(
    ("kind", "share"), [("scale", 0.9), ("zeros", 0.9), ("nan", 1.0), ("axes", 0.8)]
)
def test_wrong_values_fail(kind, share, outcomes):
    failed, passed = outcomes[kind][FAILED], outcomes[kind][PASSED]
    assert failed + passed >= 45
    assert failed >= share * (failed + passed)
