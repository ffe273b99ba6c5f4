"""Resizing and resampling of images, the last two dimensions of `x` unless said otherwise.

A resize reads `x` at points of a grid, one dimension after the other. With n elements read at m
points, grid point i of the sampling modes, before it is confined to [0, n - 1]:

* STRICT_ALIGN_CORNERS: i * (n - 1) / (m - 1), 0 where m is 1
* ALIGN_CORNERS: the same, but (n - 1) / 2 where m is 1
* DEFAULT: i * n / m
* OFFSET_CORNERS: (i + 0.5) * max(1, n - 1) / m
* UNALIGN_CORNERS: (i + 0.5) * n / m - 0.5

Between two elements values are interpolated linearly; a point on an element is that element,
whatever stands beside it.

Source: `iOS15/image_resizing.py`, `iOS16/image_resizing.py` and `iOS17/image_resizing.py` in
coremltools 9.0, converters/mil/mil/ops/defs, whose docstrings are the operators' specification,
and Apple's tests beside them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exportcheck.mil.registry import op

Array = np.ndarray


@op
def upsample_nearest_neighbor(
    x: Array, scale_factor_height: Any = 1, scale_factor_width: Any = 1
) -> Array:
    """y[i] = x[floor(i * n / m)] with m = floor(n * scale): the scale itself is not used again."""
    for axis, scale in ((-2, scale_factor_height), (-1, scale_factor_width)):
        size = x.shape[axis]
        scaled = _scaled(size, scale)
        x = np.take(x, np.arange(scaled) * size // max(1, scaled), axis)
    return x


@op
def resize_nearest_neighbor(x: Array, target_size_height: int, target_size_width: int) -> Array:
    """y[i] = x[floor((i + 0.5) * n / m)], m the target size."""
    for axis, target in ((-2, target_size_height), (-1, target_size_width)):
        x = np.take(x, _half_pixel(x.shape[axis], int(target)), axis)
    return x


@op
def upsample_bilinear(
    x: Array,
    scale_factor_height: Any = 1,
    scale_factor_width: Any = 1,
    align_corners: bool = True,
    half_pixel_centers: bool | None = None,
) -> Array:
    """Resizes to floor(n * scale) by the grid of STRICT_ALIGN_CORNERS if `align_corners`.

    Else by that of UNALIGN_CORNERS, or of DEFAULT where `half_pixel_centers` is given as False.

    Raises:
        ValueError: both options are set.
    """
    if align_corners and half_pixel_centers:
        raise ValueError("align_corners and half_pixel_centers exclude each other")
    mode = "STRICT_ALIGN_CORNERS" if align_corners else "UNALIGN_CORNERS"
    if not align_corners and half_pixel_centers is not None and not half_pixel_centers:
        mode = "DEFAULT"
    for axis, scale in ((-2, scale_factor_height), (-1, scale_factor_width)):
        size = x.shape[axis]
        x = _interpolated(x, _grid(size, _scaled(size, scale), mode), axis)
    return x


@op
def resize_bilinear(
    x: Array,
    target_size_height: int = 1,
    target_size_width: int = 1,
    sampling_mode: str = "DEFAULT",
) -> Array:
    """Resizes to the target size by the grid of `sampling_mode`."""
    for axis, target in ((-2, target_size_height), (-1, target_size_width)):
        x = _interpolated(x, _grid(x.shape[axis], int(target), sampling_mode), axis)
    return x


@op(since="CoreML7")
def resize(
    x: Array,
    shape: Array,
    resized_dims: int,
    interpolation_mode: str = "LINEAR",
    sampling_mode: str = "DEFAULT",
) -> Array:
    """Resizes the last `resized_dims` dimensions to the last sizes in `shape`; 0 keeps a size.

    NEAREST_NEIGHBOR reads x[floor((i + 0.5) * n / m)] in DEFAULT mode, as Apple's test expects, and
    in the others the element nearest to the grid point, the later of two. Linear results of an
    integer `x` are cut to integers.

    Raises:
        ValueError: an unknown mode.
    """
    for back in range(1, int(resized_dims) + 1):
        size = x.shape[-back]
        target = int(shape[-back]) or size
        points = _grid(size, target, sampling_mode)
        if interpolation_mode == "LINEAR":
            x = _interpolated(x, points, -back)
        elif interpolation_mode == "NEAREST_NEIGHBOR":
            nearest = np.floor(points + 0.5).astype(int)
            if sampling_mode == "DEFAULT":
                nearest = _half_pixel(size, target)
            x = np.take(x, nearest, -back)
        else:
            raise ValueError(f"unknown interpolation_mode {interpolation_mode!r}")
    return x


@op
def crop(x: Array, crop_height: Array, crop_width: Array) -> Array:
    """Cuts the given numbers of elements off both ends of the last two dimensions."""
    (top, bottom), (left, right) = np.ravel(crop_height), np.ravel(crop_width)
    return x[..., top : x.shape[-2] - bottom, left : x.shape[-1] - right]


@op
def crop_resize(
    x: Array,
    roi: Array,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Array:
    """Cuts N boxes out of the images `x` [B, C, H, W] and resizes each.

    `roi` is [N, 1, 4, 1, 1], every box cut out of every image: [N, B, C, height, width]; or [N, 1,
    5, 1, 1], an image's index before each box: [N, 1, C, height, width].
    """
    rows = roi.reshape(len(roi), -1)
    boxes = _boxes(rows[:, -4:], x, normalized_coordinates, spatial_scale, box_coordinate_mode)
    size = int(target_height), int(target_width)
    y = np.empty((len(rows), len(x) if rows.shape[1] == 4 else 1, x.shape[1], *size), x.dtype)
    for n, box in enumerate(boxes):
        images = x if rows.shape[1] == 4 else x[[int(rows[n, 0])]]
        y[n] = _cut_out(images, box, size, sampling_mode, float(pad_value))
    return y


@op(name="crop_resize", since="CoreML7")
def crop_resize_boxes(
    x: Array,
    boxes: Array,
    box_indices: Array | None = None,
    target_height: int = 1,
    target_width: int = 1,
    normalized_coordinates: bool = False,
    spatial_scale: float = 1.0,
    box_coordinate_mode: str = "CORNERS_HEIGHT_FIRST",
    sampling_mode: str = "DEFAULT",
    pad_value: float = 0.0,
) -> Array:
    """Cuts box n out of image `box_indices[n]` (image n if absent): [N, C, height, width]."""
    images = range(len(boxes)) if box_indices is None else box_indices
    corners = _boxes(boxes, x, normalized_coordinates, spatial_scale, box_coordinate_mode)
    size = int(target_height), int(target_width)
    y = np.empty((len(boxes), x.shape[1], *size), x.dtype)
    for n, (image, box) in enumerate(zip(images, corners)):
        y[n] = _cut_out(x[int(image)], box, size, sampling_mode, float(pad_value))
    return y


@op
def resample(
    x: Array,
    coordinates: Array,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Array:
    """y[b, c, h, w] is image x[b, c] at point coordinates[b, h, w], which is (across, down).

    Without `align_corners` a normalised coordinate spans the outer edges of the outer pixels, with
    it their centres. A point halfway between two pixels is `nearest` to the even one. A NaN
    coordinate gives NaN if `bilinear`; `nearest`, it is outside.
    """
    points = np.asarray(coordinates, np.float64)
    across = _unnormalized(points[..., 0], x.shape[3], coordinates_mode, bool(align_corners))
    down = _unnormalized(points[..., 1], x.shape[2], coordinates_mode, bool(align_corners))
    y = np.empty((*x.shape[:2], *points.shape[1:3]), x.dtype)
    for image, u, v, target in zip(x, across, down, y):
        target[...] = _sampled(image, u, v, sampling_mode, padding_mode, float(padding_value))
    return y


@op
def affine(
    x: Array,
    transform_matrix: Array,
    output_height: int,
    output_width: int,
    sampling_mode: str,
    padding_mode: str,
    padding_value: float,
    coordinates_mode: str,
    align_corners: bool,
) -> Array:
    """`resample` at (a0 * u + a1 * v + a2, b0 * u + b1 * v + b2), (u, v) the output's coordinates.

    Row b of `transform_matrix`, or its only row, is (a0, a1, a2, b0, b1, b2) for image b. A single
    output row or column has coordinate 0, the middle.
    """
    v, u = np.meshgrid(
        _normalized(int(output_height), bool(align_corners)),
        _normalized(int(output_width), bool(align_corners)),
        indexing="ij",
    )
    matrices = transform_matrix.reshape(-1, 2, 3).astype(np.float64)
    points = np.stack([u, v, np.ones_like(u)], axis=-1) @ matrices[:, None].swapaxes(-1, -2)
    points = np.broadcast_to(points, (len(x), *points.shape[1:]))
    return resample(
        x, points, sampling_mode, padding_mode, padding_value, coordinates_mode, align_corners
    )


def _scaled(size: int, scale: Any) -> int:
    """floor(size * scale) in the scale's own precision, as the converter declares the shape."""
    scale = np.asarray(scale)
    return int(np.floor(scale * scale.dtype.type(size)))


def _half_pixel(size: int, target: int) -> Array:
    return (2 * np.arange(target) + 1) * size // (2 * max(1, target))


def _grid(size: Any, target: int, mode: str) -> Array:
    """The points that `mode` reads; `size` may be fractional, as a box is."""
    i = np.arange(target)
    if mode == "ALIGN_CORNERS" and target == 1:
        points = np.array([(size - 1) / 2])
    elif mode in ("STRICT_ALIGN_CORNERS", "ALIGN_CORNERS"):
        points = i * (size - 1) / max(1, target - 1)
    elif mode == "DEFAULT":
        points = i * size / target
    elif mode == "OFFSET_CORNERS":
        points = (i + 0.5) * max(1, size - 1) / target
    elif mode == "UNALIGN_CORNERS":
        points = (i + 0.5) * size / target - 0.5
    else:
        raise ValueError(f"unknown sampling_mode {mode!r}")
    return np.clip(points, 0, size - 1)


def _interpolated(x: Array, points: Array, axis: int) -> Array:
    """`x` read at fractional positions along `axis`, all of them inside of it."""
    size = x.shape[axis]
    if np.array_equal(points, np.arange(size)):
        return x
    lower = np.floor(points).astype(int)
    shape = [1] * x.ndim
    shape[axis] = len(points)
    weight = (points - lower).astype(np.result_type(x, np.float32)).reshape(shape)
    y: Array = np.take(x, lower, axis) * (1 - weight)
    y += np.take(x, np.minimum(lower + 1, size - 1), axis) * weight
    exact = points == lower
    y[(slice(None),) * (axis % x.ndim) + (exact,)] = np.take(x, lower[exact], axis)
    return y


def _boxes(boxes: Array, x: Array, normalized: bool, scale: float, mode: str) -> Array:
    """[N, 2, 2]: for each box (start, end) down and (start, end) across, in pixels."""
    pairs = boxes.astype(np.float64).reshape(-1, 2, 2)
    if mode.endswith("WIDTH_FIRST"):
        pairs = pairs[..., ::-1]
    if normalized:
        pairs = pairs * (np.array(x.shape[2:]) - 1)
    first, second = pairs[:, 0] * float(scale), pairs[:, 1] * float(scale)
    if mode.startswith("CENTER_SIZE"):
        first, second = first - second / 2, first + second / 2
    elif not mode.startswith("CORNERS"):
        raise ValueError(f"unknown box_coordinate_mode {mode!r}")
    return np.stack([first, second], axis=-1)


def _cut_out(
    images: Array, box: Array, size: tuple[int, int], mode: str, pad_value: float
) -> Array:
    """`images` [..., H, W] read at the grid of `box`, whose both ends are pixel centres.

    A box whose end is before its start is read backwards. Points outside of the image are
    `pad_value`. But if the grid of UNALIGN_CORNERS has no point inside, the whole image is read, as
    the one test that Apple has of this expects.
    """
    for axis, (start, end), target in zip((-2, -1), box, size):
        points = start + np.sign(end - start) * _grid(abs(end - start) + 1, target, mode)
        # A box that ends on the last pixel must not be outside by a rounding error.
        last, coarse = images.shape[axis] - 1, points.astype(np.float32)
        inside = (coarse >= 0) & (coarse <= last)
        if mode == "UNALIGN_CORNERS" and not inside.any():
            points, inside = _grid(last + 1, target, mode), np.ones(target, bool)
        confined = np.clip(np.where(inside, points, 0), 0, last)
        shape = [1] * images.ndim
        shape[axis] = target
        images = np.where(
            inside.reshape(shape),
            _interpolated(images, confined, axis),
            images.dtype.type(pad_value),
        )
    return images


def _normalized(size: int, align_corners: bool) -> Array:
    """The coordinates in [-1, 1] of `size` pixels."""
    if align_corners:
        return np.linspace(-1, 1, size) if size > 1 else np.zeros(size)
    return (2 * np.arange(size) + 1) / size - 1


def _unnormalized(c: Array, size: int, mode: str, align_corners: bool) -> Array:
    """Coordinates in pixels, 0 the centre of the first."""
    if mode == "unnormalized":
        return c
    if mode == "normalized_minus_one_to_one":
        c = (c + 1) / 2
    elif mode != "normalized_zero_to_one":
        raise ValueError(f"unknown coordinates_mode {mode!r}")
    return c * (size - 1) if align_corners else c * size - 0.5


def _brought_inside(p: Array, size: int, mode: str) -> Array:
    """Coordinates moved to where `mode` takes a value from; constant: to the padding beside x."""
    if mode == "constant":
        return np.clip(p, -1, size)
    if mode == "reflection":
        span = max(1, size - 1)
        p = span - np.abs(np.mod(p, 2 * span) - span)
    elif mode == "symmetric":
        p = size - np.abs(np.mod(p + 0.5, 2 * size) - size) - 0.5
    elif mode != "border":
        raise ValueError(f"unknown padding_mode {mode!r}")
    return np.clip(p, 0, size - 1)


def _sampled(image: Array, u: Array, v: Array, sampling: str, padding: str, value: float) -> Array:
    """`image` [C, H, W] at columns `u` and rows `v`, both of one shape."""
    height, width = image.shape[1:]
    u, v = (_brought_inside(p, n, padding.lower()) for p, n in ((u, width), (v, height)))
    frame = ((0, 0), (1, 1), (1, 1))
    if padding.lower() == "constant":
        framed = np.pad(image, frame, mode="constant", constant_values=value)
    else:
        framed = np.pad(image, frame, mode="edge")
    flat = framed.reshape(len(image), -1)

    def pixels(column: Array, row: Array) -> Array:
        across, down = (np.where(np.isnan(p), -1, p).astype(int) + 1 for p in (column, row))
        position: Array = np.minimum(down, height + 1) * (width + 2) + np.minimum(across, width + 1)
        return np.take(flat, position, 1)

    if sampling.lower() == "nearest":
        return pixels(np.rint(u), np.rint(v))
    if sampling.lower() != "bilinear":
        raise ValueError(f"unknown sampling_mode {sampling!r}")
    left, top = np.floor(u), np.floor(v)
    right, low = (u - left).astype(image.dtype), (v - top).astype(image.dtype)
    upper = pixels(left, top) * (1 - right) + pixels(left + 1, top) * right
    lower = pixels(left, top + 1) * (1 - right) + pixels(left + 1, top + 1) * right
    y: Array = upper * (1 - low) + lower * low
    return y
