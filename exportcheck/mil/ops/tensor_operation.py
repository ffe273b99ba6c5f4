"""Operators that make, join, cut, order and count tensors.

Where only positions change, floats move untouched, NaN and infinities included.

Source: `iOS15/tensor_operation.py`, `iOS16/tensor_operation.py` and `iOS17/tensor_operation.py` in
coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings are the operators' specification;
what `non_maximum_suppression` does beyond it is what `tests/iOS14/test_tensor_operation.py` beside
them expects.
"""

from __future__ import annotations

import math
from typing import Any, SupportsIndex

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op
def fill(shape: Array, value: float | Array = 0.0) -> Array:
    """A tensor of `shape` full of `value`."""
    return np.full(tuple(shape), value)


@op(since="CoreML6")
def fill_like(ref_tensor: Array, value: float | Array = 0.0) -> Array:
    """A tensor of the shape of `ref_tensor` full of `value`, whose type it has."""
    return np.full(ref_tensor.shape, value)


@op
def range_1d(end: Array, start: Array, step: Array) -> Array:
    """`start` + i * `step` for i = 0, 1, ... as long as that has not reached `end`.

    There are ceil((end - start) / step) elements, worked out in the inputs' own precision, so that
    0 to 0.6 by 0.2 has three elements in fp32 as it has in decimals; none where that is negative.
    A step of 0 is an error.
    """
    count = max(math.ceil(np.true_divide(end - start, step)), 0)
    return np.asarray(start + np.arange(count, dtype=np.float64) * step)


@op
def identity(x: Any) -> tuple[Any]:
    """`x`, which may be a tensor, a list or a dictionary."""
    return (x,)  # by itself, a list that is a tuple would pass for several outputs


@op
def shape(x: Array) -> Array:
    """The sizes of x, shape (rank,)."""
    return np.array(x.shape, np.int32)


@op(variadic=["values"])
def concat(values: tuple[Array, ...], axis: SupportsIndex, interleave: bool = False) -> Array:
    """The values one after the other along `axis`; a scalar counts as a vector of one.

    With `interleave` the first of each, then the second of each, and so on.
    """
    parts = [np.atleast_1d(value) for value in values]
    at = range(parts[0].ndim)[axis]
    if not interleave:
        return np.concatenate(parts, at)
    together = np.stack(parts, at + 1)
    return together.reshape(*together.shape[:at], -1, *together.shape[at + 2 :])


@op(variadic=["values"])
def stack(values: tuple[Array, ...], axis: SupportsIndex) -> Array:
    """The values, all of one shape, side by side along a new axis `axis` of the result."""
    return np.stack(values, int(axis))


@op
def split(
    x: Array,
    axis: SupportsIndex,
    num_splits: SupportsIndex | None = None,
    split_sizes: Array | None = None,
) -> tuple[Array, ...]:
    """`x` cut along `axis` into parts of `split_sizes`, or else `num_splits` parts of one size.

    The sizes must add up to the size of the axis, and `num_splits` divide it.
    """
    size = x.shape[axis]
    if split_sizes is None:
        if num_splits is None:
            raise ValueError("neither num_splits nor split_sizes is given")
        return tuple(np.split(x, int(num_splits), int(axis)))
    ends = np.cumsum(split_sizes)
    if split_sizes.min() < 0 or ends[-1] != size:
        raise ValueError(f"sizes {split_sizes.tolist()} do not add up to {size}")
    return tuple(np.split(x, ends[:-1], int(axis)))


@op
def tile(x: Array, reps: Array) -> Array:
    """`x` repeated reps[i] times along axis i."""
    return np.tile(x, tuple(reps))


@op
def flatten2d(x: Array, axis: SupportsIndex = 1) -> Array:
    """`x` as a matrix: the axes before `axis` are its rows, the others its columns."""
    at = int(axis) + (x.ndim if int(axis) < 0 else 0)
    return x.reshape(math.prod(x.shape[:at]), math.prod(x.shape[at:]))


@op
def pad(x: Array, pad: Array, mode: str = "constant", constant_val: float | Array = 0.0) -> Array:
    """`x` with pad[2i] elements before and pad[2i + 1] after, along the last len(pad) / 2 axes.

    They are `constant_val`, or the inside mirrored without repeating the edge ("reflect"), or the
    edge itself ("replicate"). "reflect" takes less than the size of the axis.
    """
    given = pad.reshape(-1, 2).tolist()
    widths = [[0, 0]] * (x.ndim - len(given)) + given
    if mode == "constant":
        return np.pad(x, widths, "constant", constant_values=constant_val)
    if mode == "replicate":
        return np.pad(x, widths, "edge")
    if mode != "reflect":
        raise ValueError(f"unknown mode {mode!r}")
    if any(max(width) >= max(size, 1) for width, size in zip(widths, x.shape)):
        raise ValueError(f"reflects {widths} elements of shape {x.shape}")
    return np.pad(x, widths, "reflect")


@op
def band_part(x: Array, lower: SupportsIndex = -1, upper: SupportsIndex = -1) -> Array:
    """`x` where row - column <= lower and column - row <= upper, 0 elsewhere; -1 sets no bound.

    Rows and columns are the last two axes. NaN and infinities outside the band are gone.
    """
    rows, columns = x.shape[-2:]
    below = np.arange(rows)[:, None] - np.arange(columns)
    inside = (below <= (int(lower) if int(lower) >= 0 else rows)) & (
        -below <= (int(upper) if int(upper) >= 0 else columns)
    )
    return np.where(inside, x, x.dtype.type(0))


@op
def cumsum(
    x: Array, axis: SupportsIndex = 0, exclusive: bool = False, reverse: bool = False
) -> Array:
    """y[i] = x[0] + ... + x[i] along `axis`, less x[i] if `exclusive`, from the end if `reverse`.

    Floats are added in float64, integers wrap around. From a NaN on, or inf and -inf, all is NaN.
    """
    ordered = np.flip(x, int(axis)) if reverse else x
    sums = np.cumsum(ordered, int(axis), np.float64 if x.dtype.kind == "f" else x.dtype)
    if exclusive:
        sums = np.moveaxis(sums, int(axis), 0)
        sums = np.concatenate([np.zeros_like(sums[:1]), sums[:-1]])
        sums = np.moveaxis(sums, 0, int(axis))
    return np.flip(sums, int(axis)) if reverse else sums


@op
def argsort(x: Array, axis: SupportsIndex = -1, ascending: bool = False) -> Array:
    """The positions along `axis` in falling or rising order of x; of equals the first comes first.

    NaN counts as greater than inf.
    """
    if ascending:
        return np.argsort(x, int(axis), kind="stable")
    # Not argsort(-x), which unsigned integers and the least signed one do not survive.
    backwards = np.argsort(np.flip(x, int(axis)), int(axis), kind="stable")
    indices: Array = x.shape[axis] - 1 - np.flip(backwards, int(axis))
    return indices


@op
def topk(
    x: Array,
    k: SupportsIndex = 1,
    axis: SupportsIndex = -1,
    ascending: bool = False,
    sort: bool = True,
    return_indices: bool = True,
    output_indices_dtype: str = "int32",
) -> Array | tuple[Array, Array]:
    """The first `k` values in the order of `argsort` (all for -1), and where they stand.

    Sorted even if `sort` is false, which leaves the order open.
    """
    count = x.shape[axis] if int(k) == -1 else int(k)
    if not 0 <= count <= x.shape[axis]:
        raise ValueError(f"k is {count} on an axis of size {x.shape[axis]}")
    indices = np.take(argsort(x, axis, ascending), np.arange(count), int(axis))
    values = np.take_along_axis(x, indices, int(axis))
    return (values, indices) if return_indices else values


@op
def non_zero(x: Array) -> Array:
    """The positions of the elements that are not 0, a row each, in order; NaN is not 0."""
    return np.argwhere(x)


@op
def one_hot(
    indices: Array,
    one_hot_vector_size: SupportsIndex,
    axis: SupportsIndex = -1,
    on_value: float | Array = 1,
    off_value: float | Array = 0,
) -> Array:
    """`on_value` at position indices[p] of a new axis `axis`, `off_value` at all others.

    An index outside 0 ... one_hot_vector_size - 1 gives `off_value` throughout.
    """
    hot = indices[..., None] == np.arange(int(one_hot_vector_size))
    return np.where(np.moveaxis(hot, -1, int(axis)), on_value, off_value)


@op
def non_maximum_suppression(
    boxes: Array,
    scores: Array,
    iou_threshold: float,
    score_threshold: float,
    max_boxes: SupportsIndex,
    per_class_suppression: bool = False,
) -> tuple[Array, Array, Array, Array]:
    """The best boxes, their scores, their indices and how many there are, for every batch entry.

    boxes (n, B, 4) as centre x, centre y, width, height; scores (n, B, K). A box counts with its
    greatest score. The best of those left is taken, and every box left whose area of intersection
    over union with it is greater than `iou_threshold` dropped (only if its greatest score is for
    the same class, with `per_class_suppression`); and so on for up to `max_boxes`. Boxes whose
    score is below `score_threshold` are left out, but where all are, the best one is taken. The
    rows left over are 0, their index is -1.
    """
    limit = int(max_boxes)
    kept = np.zeros((len(boxes), limit, 4), boxes.dtype)
    kept_scores = np.zeros((len(boxes), limit, scores.shape[2]), scores.dtype)
    indices = np.full((len(boxes), limit), -1, np.int32)
    counts = np.zeros(len(boxes), np.int32)
    for i in range(len(boxes)):
        found = _survivors(
            boxes[i], scores[i], iou_threshold, score_threshold, limit, per_class_suppression
        )
        counts[i] = count = len(found)
        indices[i, :count] = found
        kept[i, :count], kept_scores[i, :count] = boxes[i, found], scores[i, found]
    return kept, kept_scores, indices, counts


@op(name="non_maximum_suppression", since="CoreML7")
def non_maximum_suppression_ios17(
    boxes: Array,
    scores: Array,
    iou_threshold: float,
    max_boxes: SupportsIndex,
    per_class_suppression: bool = False,
) -> tuple[Array, Array, Array]:
    """The same with the boxes last, (n, 4, B) and (n, K, B), no least score and no count."""
    found = non_maximum_suppression(
        boxes.swapaxes(1, 2),
        scores.swapaxes(1, 2),
        iou_threshold,
        -np.inf,
        max_boxes,
        per_class_suppression,
    )
    return found[0].swapaxes(1, 2), found[1].swapaxes(1, 2), found[2]


def _survivors(
    boxes: Array,
    scores: Array,
    iou_threshold: float,
    score_threshold: float,
    max_boxes: int,
    per_class: bool,
) -> Array:
    """The indices of the boxes (B, 4) that survive, best first."""
    best, kinds = scores.max(-1), scores.argmax(-1)
    order = argsort(best)
    left = order[best[order] >= score_threshold]
    if not len(left):
        return order[: min(max_boxes, 1)]
    chosen: list[int] = []
    while len(left) and len(chosen) < max_boxes:
        first, left = left[0], left[1:]
        chosen.append(first)
        dropped = _overlap(boxes[first], boxes[left]) > iou_threshold
        if per_class:
            dropped &= kinds[left] == kinds[first]
        left = left[~dropped]
    return np.array(chosen, np.intp)


def _overlap(box: Array, others: Array) -> Array:
    """Area of intersection over union of `box` (4,) with each of `others` (m, 4); 0 if without."""
    low = np.maximum(box[:2] - box[2:] / 2, others[:, :2] - others[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, others[:, :2] + others[:, 2:] / 2)
    both = np.maximum(high - low, 0).prod(-1)
    union = box[2:].prod() + others[:, 2:].prod(-1) - both
    overlap: Array = np.divide(both, union, out=np.zeros_like(both), where=union > 0)
    return overlap
