"""Operators that give the elements of a tensor another shape or order, or take a part of it.

None of them computes: floats move untouched, NaN and infinities included.

Source: `tensor_transformation.py` of iOS15, iOS16, iOS17 and iOS18 in coremltools 9.0,
converters/mil/mil/ops/defs, whose docstrings are the operators' specification. In what order the
blocks of `depth_to_space`, `space_to_batch` and their inverses lie, they leave open; the converter
from TensorFlow takes them for TensorFlow's own, and `tests/iOS14/test_tensor_transformation.py`
shows it for `space_to_batch`.
"""

from __future__ import annotations

from typing import Sequence, SupportsIndex, Tuple, Union

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray
Index = Tuple[Union[int, slice], ...]


@op
def expand_dims(x: Array, axes: Array) -> Array:
    """`x` with new axes of size 1, which are `axes` of the result."""
    return np.expand_dims(x, tuple(axes.tolist()))


@op
def squeeze(x: Array, axes: Array | None = None) -> Array:
    """`x` without those of `axes` (by default of all its axes) that have size 1."""
    of = range(x.ndim) if axes is None else axes.tolist()
    return np.squeeze(x, tuple(axis for axis in of if x.shape[axis] == 1))


@op
def transpose(x: Array, perm: Array) -> Array:
    """`x` with its axis perm[i] as axis i; negative ones count from the last."""
    return np.transpose(x, perm.tolist())


@op
def reverse(x: Array, axes: Array | None = None) -> Array:
    """`x` back to front along `axes`, by default along all."""
    return np.flip(x, None if axes is None else tuple(axes.tolist()))


@op
def reverse_sequence(
    x: Array, lengths: Array, seq_axis: SupportsIndex = 0, batch_axis: SupportsIndex = 0
) -> Array:
    """`x` with its first lengths[i] elements on `seq_axis` reversed, i the place on `batch_axis`.

    The elements after them stay where they are.
    """
    along, across = range(x.ndim)[seq_axis], range(x.ndim)[batch_axis]
    if along == across:
        raise ValueError(f"the sequences run along axis {along}, which is also the batch axis")
    place = np.arange(x.shape[along])
    before = np.asarray(lengths, np.int64)[:, None]
    source = np.where(place < before, before - 1 - place, place)
    others = tuple(axis for axis in range(x.ndim) if axis not in (along, across))
    source = np.expand_dims(source if across < along else source.T, others)
    return np.take_along_axis(x, source, along)


@op
def reshape(x: Array, shape: Array) -> Array:
    """`x` in `shape`; a size may be -1, what is left, and 0 copies the size at the same place in x.

    0 is an error where x has another rank than `shape`.
    """
    if 0 in shape and len(shape) != x.ndim:
        raise ValueError(f"0 in shape {shape.tolist()} for a tensor of rank {x.ndim}")
    return x.reshape([s or x.shape[i] for i, s in enumerate(shape.tolist())])


@op(name="reshape", since="CoreML7")
def reshape_ios17(x: Array, shape: Array) -> Array:
    """The same, where 0 copies the size at the place counted from the last, and past it is 1."""
    sizes = shape.tolist()
    known = (1,) * len(sizes) + x.shape
    return x.reshape([s or known[i - len(sizes)] for i, s in enumerate(sizes)])


@op(since="CoreML6", variadic=["ref_tensors", "begins", "ends", "end_masks"])
def reshape_like(
    x: Array,
    ref_tensors: tuple[Array, ...],
    begins: tuple[SupportsIndex, ...],
    ends: tuple[SupportsIndex, ...],
    end_masks: tuple[bool, ...],
) -> Array:
    """`x` in the shape joined from ref_tensors[i].shape[begins[i] : ends[i]], end masked or not."""
    sizes: list[int] = []
    for like, begin, end, to_end in zip(ref_tensors, begins, ends, end_masks):
        sizes += like.shape[begin:] if to_end else like.shape[begin:end]
    return x.reshape(sizes)


@op
def slice_by_index(
    x: Array,
    begin: Array,
    end: Array,
    stride: Array | None = None,
    begin_mask: Array | None = None,
    end_mask: Array | None = None,
    squeeze_mask: Array | None = None,
) -> Array:
    """x[begin[0] : end[0] : stride[0], ...] as Python slices, bounds past either end included.

    A masked bound is left out, x[: end]. Where `squeeze_mask` holds it is x[begin], without the
    axis, and an index outside an error.
    """
    return np.asarray(x[_index(begin, end, stride, begin_mask, end_mask, squeeze_mask)])


@op(since="CoreML8")
def slice_update(
    x: Array,
    update: Array,
    begin: Array,
    end: Array,
    stride: Array | None = None,
    begin_mask: Array | None = None,
    end_mask: Array | None = None,
    squeeze_mask: Array | None = None,
) -> Array:
    """A copy of x whose part that `slice_by_index` would give is `update`, of the same shape."""
    index = _index(begin, end, stride, begin_mask, end_mask, squeeze_mask)
    result = x.copy()
    if update.shape != result[index].shape:
        raise ValueError(f"update has shape {update.shape} for a part {result[index].shape}")
    result[index] = update
    return result


def _index(
    begin: Array,
    end: Array,
    stride: Array | None,
    begin_mask: Array | None,
    end_mask: Array | None,
    squeeze_mask: Array | None,
) -> Index:
    """What NumPy takes for the part of a tensor that these inputs of `slice_by_index` name."""
    unset: Sequence[bool] = (False,) * len(begin)
    masks = [unset if mask is None else mask for mask in (begin_mask, end_mask, squeeze_mask)]
    steps = (1,) * len(begin) if stride is None else stride.tolist()
    index: list[int | slice] = []
    for first, last, step, from_start, to_end, single in zip(
        begin.tolist(), end.tolist(), steps, *masks
    ):
        if single:
            index.append(0 if from_start else first)
        else:
            index.append(slice(None if from_start else first, None if to_end else last, step))
    return tuple(index)


@op
def slice_by_size(x: Array, begin: Array, size: Array) -> Array:
    """`x` from begin[i] on, size[i] elements along axis i; all that are left where size[i] is -1.

    A negative `begin` counts from the end. A part that does not lie within x is an error.
    """
    index: list[slice] = []
    for whole, given, count in zip(x.shape, begin.tolist(), size.tolist()):
        first = given + whole if given < 0 else given
        last = whole if count == -1 else first + count
        if not 0 <= first <= last <= whole:
            raise IndexError(f"{count} elements from {given} on an axis of size {whole}")
        index.append(slice(first, last))
    return np.asarray(x[tuple(index)])


@op
def sliding_windows(
    x: Array, axis: SupportsIndex, size: SupportsIndex, stride: SupportsIndex = 1
) -> Array:
    """x[stride * i + j] along `axis` as two axes: i, the window, and j, the place within `size`."""
    at = range(x.ndim)[axis]
    count = (x.shape[at] - int(size)) // int(stride) + 1
    starts: Array = np.arange(count) * int(stride)
    windows: Array = np.take(x, starts[:, None] + np.arange(int(size)), at)
    return windows


@op
def depth_to_space(x: Array, block_size: SupportsIndex) -> Array:
    """y[n, c, h * b + i, w * b + j] = x[n, (i * b + j) * C + c, h, w].

    b is the block's size, C the number of channels of y.
    """
    b = int(block_size)
    n, channels, h, w = x.shape
    blocks = x.reshape(n, b, b, channels // (b * b), h, w)
    return blocks.transpose(0, 3, 4, 1, 5, 2).reshape(n, -1, h * b, w * b)


@op
def space_to_depth(x: Array, block_size: SupportsIndex) -> Array:
    """y[n, (i * b + j) * C + c, h, w] = x[n, c, h * b + i, w * b + j].

    b is the block's size, C the number of channels of x.
    """
    b = int(block_size)
    n, channels, h, w = x.shape
    blocks = x.reshape(n, channels, h // b, b, w // b, b)
    return blocks.transpose(0, 3, 5, 1, 2, 4).reshape(n, -1, h // b, w // b)


@op
def pixel_shuffle(x: Array, upscale_factor: SupportsIndex) -> Array:
    """y[n, c, h * f + i, w * f + j] = x[n, (c * f + i) * f + j, h, w]; f the factor."""
    f = int(upscale_factor)
    n, channels, h, w = x.shape
    blocks = x.reshape(n, channels // (f * f), f, f, h, w)
    return blocks.transpose(0, 1, 4, 2, 5, 3).reshape(n, -1, h * f, w * f)


@op(since="CoreML6")
def pixel_unshuffle(x: Array, downscale_factor: SupportsIndex) -> Array:
    """y[n, (c * f + i) * f + j, h, w] = x[n, c, h * f + i, w * f + j]; f the factor."""
    f = int(downscale_factor)
    n, channels, h, w = x.shape
    blocks = x.reshape(n, channels, h // f, f, w // f, f)
    return blocks.transpose(0, 1, 3, 5, 2, 4).reshape(n, -1, h // f, w // f)


@op
def space_to_batch(x: Array, block_shape: Array, paddings: Array) -> Array:
    """y[(i * b + j) * N + n, c, h, w] = x[n, c, h * a + i, w * b + j], x padded with zeros first.

    (a, b) is the block, N the batch size of x; `paddings` are (before, after) of height and width.
    """
    a, b = block_shape.tolist()
    padded = np.pad(x, [(0, 0), (0, 0), *paddings.tolist()], "constant")
    n, channels, h, w = padded.shape
    blocks = padded.reshape(n, channels, h // a, a, w // b, b)
    return blocks.transpose(3, 5, 0, 1, 2, 4).reshape(n * a * b, channels, h // a, w // b)


@op
def batch_to_space(x: Array, block_shape: Array, crops: Array) -> Array:
    """y[n, c, h * a + i, w * b + j] = x[(i * b + j) * N + n, c, h, w], then cropped.

    (a, b) is the block, N the batch size of y; `crops` are (before, after) of height and width.
    """
    a, b = block_shape.tolist()
    n, channels, h, w = x.shape
    blocks = x.reshape(a, b, n // (a * b), channels, h, w)
    whole = blocks.transpose(2, 3, 4, 0, 5, 1).reshape(-1, channels, h * a, w * b)
    (top, bottom), (left, right) = crops.tolist()
    return whole[:, :, top : h * a - bottom, left : w * b - right]
