"""Attention.

Source: `iOS18/transformers.py` in coremltools 9.0, converters/mil/mil/ops/defs.
"""

from __future__ import annotations

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op(since="CoreML8")
def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, attn_mask: Array | None = None
) -> Array:
    """softmax(query key^T / sqrt(E) + mask) value, the softmax over the keys.

    `query` is (..., L, E), `key` (..., S, E), `value` (..., S, EV), the result (..., L, EV). A mask
    of bool counts as 0 where it holds and -inf elsewhere; it broadcasts to (..., L, S). A query
    whose keys are all masked gives NaN, as the formula has it.
    """
    scale = np.sqrt(query.shape[-1]).astype(query.dtype)
    scores = np.matmul(query, np.swapaxes(key, -1, -2)) / scale
    if attn_mask is not None and attn_mask.dtype == bool:
        scores = np.where(attn_mask, scores, -np.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    attended: Array = np.matmul(weights / weights.sum(axis=-1, keepdims=True), value)
    return attended
