"""Convolutions. `x` is [n, C_in, *d_in] with one to three spatial dimensions.

Everything is one matrix product a block of output positions: the taps of a kernel are laid out as
rows (`im2col`), in blocks small enough that the copy stays in the cache. Zeros stand outside of
`x`, so an infinite weight on them gives NaN, as an infinite or NaN element of `x` does wherever a
window covers it.

Source: `iOS15/conv.py` and `iOS17/conv.py` in coremltools 9.0, converters/mil/mil/ops/defs, whose
docstrings are the operators' specification, and Apple's tests beside them.
"""

from __future__ import annotations

from typing import Any, Iterable, Iterator, Sequence

import numpy as np
from numpy.lib.stride_tricks import as_strided

from exportcheck.errors import UnsupportedOperator
from exportcheck.mil.registry import op

Array = np.ndarray

_BLOCK = 1 << 20
"""Elements of the largest array of laid-out windows, 4 MB; from 1 to 16 MB speed hardly differs."""


def paddings(
    pad_type: str,
    pad: Array | None,
    sizes: Sequence[int],
    extents: Iterable[int],
    strides: Iterable[int],
) -> list[tuple[int, int]]:
    """How many elements to add before and after each spatial dimension.

    `same` makes the output ceil(size / stride) long; the odd element goes after, with `same_lower`
    before. (The docstring of `conv` gives another formula; Apple's tests bear out this one.)

    Args:
        pad_type: `valid`, `same`, `same_lower` or `custom`.
        pad: before and after each dimension in turn; only read when `custom`.
        sizes: the spatial sizes.
        extents: how far a window reaches, dilation included.
        strides: the step from one window to the next.

    Raises:
        ValueError: an unknown type.
    """
    pad_type = pad_type.lower()
    if pad_type == "valid":
        return [(0, 0)] * len(sizes)
    if pad_type == "custom":
        amounts = [0] * (2 * len(sizes)) if pad is None else [int(p) for p in pad]
        return list(zip(amounts[::2], amounts[1::2]))
    totals = [max(0, (-(-n // s) - 1) * s + k - n) for n, k, s in zip(sizes, extents, strides)]
    if pad_type == "same":
        return [(total // 2, total - total // 2) for total in totals]
    if pad_type == "same_lower":
        return [(total - total // 2, total // 2) for total in totals]
    raise ValueError(f"unknown pad_type {pad_type!r}")


@op
def conv(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    strides: Array | None = None,
    pad_type: str = "valid",
    pad: Array | None = None,
    dilations: Array | None = None,
    groups: int = 1,
) -> Array:
    """y[n, o, p] = bias[o] + sum over c, k of weight[o, c, k] * x[n, c, p * stride + k * dilation].

    `weight` is [C_out, C_in / groups, *K]: an output channel reads the channels of its group. The
    result is [n, C_out, *d_out], d_out = floor((d_in + pad - (K - 1) * dilation - 1) / stride) + 1.
    """
    kernel, groups = weight.shape[2:], int(groups)
    strides, dilations = _steps(strides, kernel), _steps(dilations, kernel)
    extents = _extents(kernel, dilations)
    around = paddings(pad_type, pad, x.shape[2:], extents, strides)
    windows = _windows(np.pad(x, [(0, 0), (0, 0), *around]), kernel, strides, dilations)
    size = windows.shape[-len(kernel) :]
    matrix = weight.reshape(groups, len(weight) // groups, -1)
    y = np.empty((len(x), len(weight), *size), np.result_type(x, weight))
    for n, block in _blocks(windows):
        columns = windows[n][block]
        positions = columns.shape[-len(kernel) :]
        product = matrix @ columns.reshape(groups, matrix.shape[-1], -1)
        y[n][block] = product.reshape(len(weight), *positions)
    return _biased(y, bias)


@op
def conv_quantized(
    x: Array,
    weight: Array,
    quantization_type: str,
    quant_scale: Array,
    quant_bias: Array,
    bias: Array | None = None,
    nbits: int = 8,
    strides: Array | None = None,
    pad_type: str = "valid",
    pad: Array | None = None,
    dilations: Array | None = None,
    groups: int = 1,
) -> Array:
    """`conv` with weight * quant_scale + quant_bias; those two hold for all or for each channel.

    Raises:
        UnsupportedOperator: `quantization_type` is `lut`, for which no input carries the table.
    """
    if quantization_type.lower() != "linear":
        raise UnsupportedOperator(f"conv_quantized: quantization_type {quantization_type!r}")
    rest = (1,) * (weight.ndim - 1)
    scale, shift = np.reshape(quant_scale, (-1, *rest)), np.reshape(quant_bias, (-1, *rest))
    return conv(x, weight * scale + shift, bias, strides, pad_type, pad, dilations, groups)


@op
def conv_transpose(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    pad: Array | None = None,
    output_shape: Array | None = None,
    pad_type: str = "valid",
    strides: Array | None = None,
    dilations: Array | None = None,
    groups: int = 1,
) -> Array:
    """Each x[n, c, p] adds weight[c, o, k] * x[n, c, p] to y[n, o, p * stride + k * dilation].

    `weight` is [C_in, C_out / groups, *K]. Of the whole result, (d_in - 1) * stride + (K - 1) *
    dilation + 1 long, `pad` is cut off; with `output_shape` as much after as leaves that size.
    `same` keeps d_in * stride or what `output_shape` says, cut evenly, the odd element at the end.
    Where more is asked for than there is, zeros follow (`bias` is added to them too).
    """
    kernel, groups = weight.shape[2:], int(groups)
    strides, dilations = _steps(strides, kernel), _steps(dilations, kernel)
    whole = [(n - 1) * s + e for n, s, e in zip(x.shape[2:], strides, _extents(kernel, dilations))]
    asked = None if output_shape is None else [int(n) for n in output_shape[2:]]
    kept = _kept(whole, x.shape[2:], strides, pad_type, pad, asked)
    channels = groups * weight.shape[1]
    room = [max(n, k.stop) for n, k in zip(whole, kept)]
    y = np.zeros((len(x), channels, *room), np.result_type(x, weight))
    matrices = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    columns = x.reshape(len(x), groups, len(weight) // groups, -1)
    for tap in np.ndindex(*kernel):
        matrix = matrices[(Ellipsis, *tap)].swapaxes(1, 2)
        reached = tuple(
            slice(t * d, t * d + (n - 1) * s + 1, s)
            for t, d, n, s in zip(tap, dilations, x.shape[2:], strides)
        )
        for sample, target in zip(columns, y):
            target[(slice(None), *reached)] += (matrix @ sample).reshape(channels, *x.shape[2:])
    inner: tuple[Any, ...] = (Ellipsis, *kept)
    return _biased(y[inner], bias)


def _steps(values: Array | None, kernel: Sequence[int]) -> Array:
    """`values`, one for each dimension; an absent input is all ones.

    They are checked because others would make windows reach outside of their array.
    """
    steps = np.ones(len(kernel), int) if values is None else np.asarray(values).astype(int)
    if steps.shape != (len(kernel),) or np.any(steps < 1):
        raise ValueError(f"strides or dilations {steps.tolist()} for {len(kernel)} dimensions")
    return steps


def _extents(kernel: Sequence[int], dilations: Array) -> list[int]:
    return [(k - 1) * int(d) + 1 for k, d in zip(kernel, dilations)]


def _biased(y: Array, bias: Array | None) -> Array:
    if bias is not None:
        y += bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y


def _windows(x: Array, kernel: Sequence[int], strides: Array, dilations: Array) -> Array:
    """A view [n, C, *K, *d_out] of `x`: element k of the window at position p."""
    extents = _extents(kernel, dilations)
    size = [(n - e) // int(s) + 1 for n, e, s in zip(x.shape[2:], extents, strides)]
    if min(size) < 1:
        raise ValueError(f"a window of {extents} does not fit into {list(x.shape[2:])}")
    steps = x.strides[2:]
    tap_steps = (int(d) * step for d, step in zip(dilations, steps))
    position_steps = (int(s) * step for s, step in zip(strides, steps))
    shape = (*x.shape[:2], *kernel, *size)
    return as_strided(x, shape, (*x.strides[:2], *tap_steps, *position_steps), writeable=False)


def _blocks(windows: Array) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Sample and index pairs that cut `windows` along its longest output axis."""
    spatial = (windows.ndim - 2) // 2
    size = windows.shape[-spatial:]
    longest = int(np.argmax(size))
    elements = int(np.prod(windows.shape[1:])) // size[longest]
    step = max(1, _BLOCK // max(1, elements))
    for n in range(len(windows)):
        for start in range(0, size[longest], step):
            cut: list[Any] = [Ellipsis, *[slice(None)] * spatial]
            cut[1 + longest] = slice(start, start + step)
            yield n, tuple(cut)


def _kept(
    whole: Sequence[int],
    sizes: Sequence[int],
    strides: Array,
    pad_type: str,
    pad: Array | None,
    asked: Sequence[int] | None,
) -> list[slice]:
    """The part of a transposed convolution's whole result to keep, by spatial dimension."""
    pad_type = pad_type.lower()
    if pad_type.startswith("same"):
        asked = [n * int(s) for n, s in zip(sizes, strides)] if asked is None else asked
        cut = [max(0, n - a) for n, a in zip(whole, asked)]
        before = [c // 2 if pad_type == "same" else c - c // 2 for c in cut]
    else:
        around = paddings(pad_type, pad, sizes, whole, strides)
        before = [b for b, _ in around]
        if asked is None:
            asked = [n - b - a for n, (b, a) in zip(whole, around)]
    return [slice(b, b + a) for b, a in zip(before, asked)]
