"""How many elements an operator would make, worked out before it makes them.

A model of a few bytes can ask for more memory than there is: `fill` of a shape, `tile`, a broadcast
of two vectors. Operators whose result is no larger than their inputs need no line here.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Iterable, Mapping

import numpy as np

from exportcheck.mil.ir import MAX_ELEMENTS

Inputs = Mapping[str, Any]
Rule = Callable[[Inputs], float]


def check(operator: str, inputs: Inputs) -> None:
    """Nothing, if `operator`, MIL's name, may make as many elements as `inputs` ask for.

    Raises:
        ValueError: they are more than any tensor may have.
    """
    rule = _RULES.get(operator)
    count = rule(inputs) if rule else 0
    if count > MAX_ELEMENTS:
        raise ValueError(f"they ask for {count:.4g} elements, mil-numpy makes up to {MAX_ELEMENTS}")


def _product(sizes: Any) -> float:
    return math.prod(max(0, int(size)) for size in np.ravel(sizes))


def _number(value: Any) -> float:
    return float(np.max(value))


def _by_shape(i: Inputs) -> float:
    return _product(i["shape"]) if "shape" in i else 0


def _padded(shape: Iterable[int], pad: Any) -> float:
    """The elements of a tensor of `shape` whose last axes grow by `pad`, (before, after) each."""
    sizes = list(shape)
    widths = np.ravel(pad).reshape(-1, 2).sum(1, dtype=np.int64).tolist()
    grown = (size + width for size, width in zip(sizes[len(sizes) - len(widths) :], widths))
    return _product(sizes[: len(sizes) - len(widths)]) * _product(list(grown))


def _window(i: Inputs) -> float:
    return _padded(i["x"].shape, i["pad"]) if "pad" in i else 0


def _transposed(i: Inputs) -> float:
    """A transposed convolution before its padding is cut off."""
    x, weight = i["x"], i["weight"]
    kernel = weight.shape[2:]
    strides, dilations = (i.get(name, (1,) * len(kernel)) for name in ("strides", "dilations"))
    spatial = (
        (size - 1) * int(stride) + (k - 1) * int(dilation) + 1
        for size, k, stride, dilation in zip(x.shape[2:], kernel, strides, dilations)
    )
    channels = weight.shape[1] * int(i.get("groups", 1))
    wanted = _product(i.get("output_shape", 0))
    return max(wanted, x.shape[0] * channels * _product(list(spatial)))


def _resized(i: Inputs, height: float, width: float) -> float:
    """One axis is resized after the other, so that the first may be the larger one."""
    *others, h, w = i["x"].shape
    return _product(others) * max(h, height) * max(w, width)


def _to_target(i: Inputs) -> float:
    return _resized(i, *(_number(i.get(f"target_size_{n}", 1)) for n in ("height", "width")))


def _by_scale(i: Inputs) -> float:
    h, w = i["x"].shape[-2:]
    scales = (_number(i.get(f"scale_factor_{n}", 1)) for n in ("height", "width"))
    return _resized(i, *(size * scale for size, scale in zip((h, w), scales)))


def _resized_to_shape(i: Inputs) -> float:
    count = min(len(i["shape"]), i["x"].ndim)
    sizes = zip(i["x"].shape[-count:], i["shape"][-count:])
    return _product(i["x"].shape[:-count]) * _product([max(n, int(m)) for n, m in sizes])


def _sampled(i: Inputs) -> float:
    """Every channel at every point of a grid."""
    x = i["x"]
    if "coordinates" in i:
        return x.shape[1] * _product(i["coordinates"].shape[:-1])
    if "output_height" in i:
        return _product(x.shape[:2]) * _number(i["output_height"]) * _number(i["output_width"])
    regions = len(i["boxes"]) if "boxes" in i else len(x) * len(i["roi"])
    size = _number(i.get("target_height", 1)) * _number(i.get("target_width", 1))
    return regions * x.shape[1] * size


def _broadcast(i: Inputs) -> float:
    return _product(_broadcast_shape(*(np.shape(value) for value in i.values())))


def _broadcast_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """As `np.broadcast_shapes`, which NumPy has since 1.20 only; takes no memory."""
    one = np.empty((), bool)
    return np.broadcast(*(np.broadcast_to(one, shape) for shape in shapes)).shape


def _matmul(i: Inputs) -> float:
    x, y = i["x"], i["y"]
    if min(x.ndim, y.ndim) < 2:
        return 0  # a product with a vector is no larger than the other one
    rows = x.shape[-1 if i.get("transpose_x", False) else -2]
    columns = y.shape[-2 if i.get("transpose_y", False) else -1]
    return _product(_broadcast_shape(x.shape[:-2], y.shape[:-2])) * rows * columns


def _gathered(i: Inputs) -> float:
    x, indices = i["x"], i["indices"]
    shared = _product(x.shape[: int(i.get("batch_dims", 0))])
    return x.size / max(1, x.shape[int(i.get("axis", 0))] * shared) * indices.size


def _windows(i: Inputs) -> float:
    # Each element is in at most size / stride windows; the stride may be anything from 1 on.
    return i["x"].size * min(_number(i["size"]), i["x"].shape[int(i["axis"])])


def _list_blank(i: Inputs) -> float:
    sizes = [int(size) for size in i.get("elem_shape", ()) if not isinstance(size, str)]
    return max(_product(sizes), _number(i.get("init_length", 1)))


def _categories(i: Inputs) -> float:
    return _product(i["x"].shape[:-1]) * _number(i.get("size", 1))


_RULES: dict[str, Rule] = {
    "fill": _by_shape,
    "random_bernoulli": _by_shape,
    "random_normal": _by_shape,
    "random_uniform": _by_shape,
    "random_categorical": _categories,
    "constexpr_lut_to_dense": _by_shape,
    "constexpr_sparse_to_dense": _by_shape,
    "range_1d": lambda i: _number((i["end"] - i["start"]) / i["step"]),
    "one_hot": lambda i: i["indices"].size * _number(i["one_hot_vector_size"]),
    "tile": lambda i: i["x"].size * _product(i["reps"]),
    "pad": lambda i: _padded(i["x"].shape, i["pad"]),
    "concat": lambda i: sum(np.size(value) for value in i["values"]),
    "stack": lambda i: sum(np.size(value) for value in i["values"]),
    "gather": _gathered,
    "matmul": _matmul,
    "linear": lambda i: _product(i["x"].shape[:-1]) * len(i["weight"]),
    "make_list": _list_blank,
    "list_write": lambda i: _number(i["index"]) + 1,
    "list_scatter": lambda i: _number(i["indices"]) + 1 if np.size(i["indices"]) else 0,
    "space_to_batch": lambda i: _padded(i["x"].shape, i["paddings"]),
    "sliding_windows": _windows,
    "non_maximum_suppression": lambda i: _number(i["max_boxes"]) * max(1, i["boxes"].shape[0]),
    "local_response_norm": lambda i: _number(i["size"]),
    "resize_nearest_neighbor": _to_target,
    "resize_bilinear": _to_target,
    "upsample_nearest_neighbor": _by_scale,
    "upsample_bilinear": _by_scale,
    "resize": _resized_to_shape,
    "resample": _sampled,
    "affine": _sampled,
    "crop_resize": _sampled,
    "conv": _window,
    "conv_quantized": _window,
    "avg_pool": _window,
    "max_pool": _window,
    "l2_pool": _window,
    "conv_transpose": _transposed,
}
_ELEMENTWISE = (
    "add sub mul real_div floor_div mod pow maximum minimum equal not_equal less less_equal "
    "greater greater_equal logical_and logical_or logical_xor select"
)
_RULES.update((name, _broadcast) for name in _ELEMENTWISE.split())
