"""Random tensors.

The distributions are Core ML's, the values cannot be: its generator is not known. Every value is
reproducible here. With `seed` -1, which in Core ML means unseeded, an operator draws from a
generator seeded with its own name, so that two operators of a program differ and two predictions do
not. Executed again within one prediction, in a loop, an operator goes on in its sequence.

Source: `iOS15/random.py` in coremltools 9.0, converters/mil/mil/ops/defs.
"""

from __future__ import annotations

import zlib
from typing import MutableMapping, Union
from weakref import WeakKeyDictionary

import numpy as np

from exportcheck.mil import ir
from exportcheck.mil.evaluator import Context, Evaluator
from exportcheck.mil.registry import op

Array = np.ndarray
Number = Union[float, Array]

_UNSEEDED = -1
_GENERATORS: MutableMapping[Evaluator, dict[str, np.random.Generator]] = WeakKeyDictionary()
"""The generators that a run has begun to use, by the operator's name; a run is one evaluator."""


def _generator(context: Context, seed: int | Array) -> np.random.Generator:
    begun = _GENERATORS.setdefault(context.evaluator, {})
    name = context.operation.name
    if name not in begun:
        number = zlib.crc32(name.encode()) if int(seed) == _UNSEEDED else int(seed) % 2**32
        begun[name] = np.random.default_rng(number)
    return begun[name]


@op
def random_uniform(
    shape: Array,
    context: Context,
    low: Number = 0.0,
    high: Number = 1.0,
    seed: int | Array = _UNSEEDED,
) -> Array:
    """Uniform in [low, high); `low` where both are equal; in (high, low] where high < low."""
    declared = context.outputs[0]
    assert isinstance(declared, ir.TensorType)
    dtype = ir.NUMPY_DTYPES[declared.dtype]
    start, end = np.asarray(low, dtype), np.asarray(high, dtype)
    drawn = _generator(context, seed).random(tuple(shape))
    values = start + (end - start.astype(np.float64)) * drawn
    # Rounding to the declared type could reach `high`.
    return np.minimum(values, np.nextafter(end, start)) if end > start else values


@op
def random_normal(
    shape: Array,
    context: Context,
    mean: Number = 0.0,
    stddev: Number = 1.0,
    seed: int | Array = _UNSEEDED,
) -> Array:
    """mean + stddev * n with n of the standard normal distribution."""
    return mean + stddev * _generator(context, seed).standard_normal(tuple(shape))


@op
def random_bernoulli(
    shape: Array,
    context: Context,
    prob: Number = 0.5,
    seed: int | Array = _UNSEEDED,
) -> Array:
    """1 with probability `prob`, else 0."""
    return _generator(context, seed).random(tuple(shape)) < prob


@op
def random_categorical(
    x: Array,
    context: Context,
    mode: str = "logits",
    size: int | Array = 1,
    seed: int | Array = _UNSEEDED,
) -> Array:
    """`size` independent indices for each row along the last axis, put in place of that axis.

    Index i comes with probability softmax(x)[i], or in mode `probs` x[i] / sum(x). A row that gives
    no distribution (NaN, only -inf, only zeros) gives NaN.
    """
    if mode not in ("logits", "probs"):
        raise ValueError(f"unknown mode {mode!r}")
    rows = x.astype(np.float64).reshape(-1, x.shape[-1])
    if mode == "logits":
        rows = np.exp(rows - rows.max(axis=-1, keepdims=True))
    upto = np.cumsum(rows, axis=-1)
    upto /= upto[:, -1:]
    defined = np.isfinite(upto).all(axis=-1, keepdims=True)
    drawn = _generator(context, seed).random((len(rows), int(size)))
    # One search serves all rows: row k looks between k and k + 1.
    offset = np.arange(len(rows))[:, np.newaxis]
    sorted_ends = (np.where(defined, upto, 1) + offset).ravel()
    found = np.searchsorted(sorted_ends, drawn + offset, side="right") - offset * x.shape[-1]
    return np.where(defined, found, np.nan).reshape(*x.shape[:-1], int(size))
