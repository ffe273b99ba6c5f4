from __future__ import annotations

import numpy as np
import pytest
import torch
from coremltools.converters.mil.mil import Builder as mb

from tests.mil.support import operator, predict

F32 = np.float32
INF = np.inf
LN3 = np.log(3.0)


def f32(*values):
    return np.array(values, F32)


@pytest.mark.parametrize(
    ("query", "mask", "expected"),
    [
        # Keys (0) and (2), values (1, 0) and (0, 4), E = 1: weights are softmax of 0 and 2q.
        (0, None, [0.5, 2]),
        (LN3 / 2, None, [0.25, 3]),
        (1e20, None, [0, 4]),
        (-1e38, None, [1, 0]),
        (0, [0, LN3], [0.25, 3]),
        (0, [-INF, 0], [0, 4]),
        (0, [-INF, -INF], [np.nan, np.nan]),
        (0, [True, True], [0.5, 2]),
        (5, [True, False], [1, 0]),
        (0, [False, False], [np.nan, np.nan]),
        (np.nan, None, [np.nan, np.nan]),
        (INF, None, [np.nan, np.nan]),
    ],
)
def test_attention_by_hand(query, mask, expected):
    kind = bool if mask and isinstance(mask[0], bool) else F32
    result = operator("scaled_dot_product_attention")(
        f32([[query]]),
        f32([[0], [2]]),
        f32([[1, 0], [0, 4]]),
        None if mask is None else np.array([[mask]], kind),
    )
    np.testing.assert_allclose(result, [[expected]], rtol=1e-6)


def test_scores_are_divided_by_the_root_of_the_width():
    query = np.full((1, 1, 4), LN3, F32)
    key = f32([[0, 0, 0, 0], [1, 1, 0, 0]])
    value = f32([[1], [0]])
    result = operator("scaled_dot_product_attention")(query, key, value)
    np.testing.assert_allclose(result, [[[0.25]]], rtol=1e-6)


def random_case(lead, mask):
    rng = np.random.default_rng(7)
    arrays = [rng.normal(size=(*lead, *size)) for size in ((5, 8), (6, 8), (6, 3))]
    if mask == "bool":
        chosen = rng.random((5, 6)) < 0.6
        chosen[:, 0] = True
        return arrays, chosen
    return arrays, rng.normal(size=(*lead[:-1], 1, 5, 6)) if mask == "float" else None


def by_torch(arrays, mask):
    tensors = [torch.from_numpy(a) for a in arrays]
    mask = None if mask is None else torch.from_numpy(mask)
    return torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=mask).numpy()


@pytest.mark.parametrize("lead", [(2,), (2, 3), (2, 1, 3)])
@pytest.mark.parametrize("mask", [None, "bool", "float"])
def test_attention_against_torch(lead, mask):
    arrays, chosen = random_case(lead, mask)
    narrow = [a.astype(F32) for a in arrays]
    given = chosen.astype(F32) if mask == "float" else chosen
    result = operator("scaled_dot_product_attention")(*narrow, given)
    np.testing.assert_allclose(result, by_torch(arrays, chosen), atol=1e-6)


def test_saved_attention_against_torch(tmp_path):
    arrays, chosen = random_case((2, 3), "bool")
    inputs = {k: a.astype(F32) for k, a in zip(("q", "k", "v"), arrays, strict=True)}

    def build(q, k, v):
        return mb.scaled_dot_product_attention(query=q, key=k, value=v, attn_mask=chosen)

    (result,) = predict(build, inputs, tmp_path)
    np.testing.assert_allclose(result, by_torch(arrays, chosen), atol=1e-6)
