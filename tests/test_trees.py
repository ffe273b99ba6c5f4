from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from exportcheck.trees import arrays, leaves

Pair = namedtuple("Pair", "a b")


@dataclass
class Output:
    logits: int
    hidden: object


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (1, [1]),
        (None, []),
        ((1, [2, (3,)], None), [1, 2, 3]),
        ({"b": 1, "a": {"c": 2}}, [1, 2]),
        (OrderedDict(z=1, y=[2, 3]), [1, 2, 3]),
        (Pair(1, (2, 3)), [1, 2, 3]),
        (Output(1, Pair(2, None)), [1, 2]),
        ((), []),
    ],
)
def test_leaves_come_in_the_order_of_the_tree(tree, expected):
    assert list(leaves(tree)) == expected


def test_exporters_flatten_in_the_same_order():
    from torch.utils._pytree import tree_leaves

    tree = {"b": torch.zeros(1), "a": [torch.zeros(2), (torch.zeros(3),)]}
    assert [t.shape for t in leaves(tree)] == [t.shape for t in tree_leaves(tree)]


def test_only_tensors_become_arrays():
    found = arrays({"x": torch.ones(2, requires_grad=True), "n": 3, "i": torch.tensor([1, 2])})
    assert [a.dtype for a in found] == [np.float32, np.int64]
    assert found[0].tolist() == [1.0, 1.0]


def test_what_numpy_lacks_is_widened():
    (half,) = arrays(torch.tensor([1.5], dtype=torch.bfloat16))
    assert (half.dtype, half.tolist()) == (np.float32, [1.5])
    (pair,) = arrays(torch.tensor([1 + 2j]))
    assert pair.tolist() == [[1.0, 2.0]]
