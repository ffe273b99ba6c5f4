from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as tf
from coremltools.converters.mil.mil import Builder as mb

from tests.mil.support import call, predict

INF, NAN = np.inf, np.nan
MODES = ["STRICT_ALIGN_CORNERS", "ALIGN_CORNERS", "DEFAULT", "OFFSET_CORNERS", "UNALIGN_CORNERS"]
# 4 rows of 5 columns; element = 10 * row + column, so that a value tells where it was read.
PLACES = np.add.outer(10 * np.arange(4), np.arange(5)).astype(np.float32).reshape(1, 1, 4, 5)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def wide(array):
    return torch.from_numpy(np.asarray(array, np.float64))


def row(values):
    return np.array(values, np.float32).reshape(1, 1, 1, -1)


@pytest.mark.parametrize(
    ("mode", "size", "target", "points"),
    [
        ("STRICT_ALIGN_CORNERS", 4, 7, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        ("STRICT_ALIGN_CORNERS", 4, 1, [0]),
        ("STRICT_ALIGN_CORNERS", 1, 3, [0, 0, 0]),
        ("ALIGN_CORNERS", 4, 3, [0, 1.5, 3]),
        ("ALIGN_CORNERS", 4, 1, [1.5]),
        ("DEFAULT", 4, 8, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3]),
        ("DEFAULT", 4, 2, [0, 2]),
        ("DEFAULT", 4, 1, [0]),
        ("OFFSET_CORNERS", 4, 3, [0.5, 1.5, 2.5]),
        ("OFFSET_CORNERS", 4, 1, [1.5]),
        ("OFFSET_CORNERS", 1, 2, [0, 0]),
        ("UNALIGN_CORNERS", 4, 8, [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]),
        ("UNALIGN_CORNERS", 4, 2, [0.5, 2.5]),
        ("UNALIGN_CORNERS", 4, 1, [1.5]),
        ("UNALIGN_CORNERS", 4, 4, [0, 1, 2, 3]),
    ],
)
def test_points_of_a_grid(mode, size, target, points):
    x = np.arange(size, dtype=np.float32)
    across = call(
        "resize_bilinear",
        x=x.reshape(1, 1, size),
        target_size_height=1,
        target_size_width=target,
        sampling_mode=mode,
    )
    down = call(
        "resize_bilinear",
        x=x.reshape(1, 1, size, 1),
        target_size_height=target,
        target_size_width=1,
        sampling_mode=mode,
    )
    resized = call("resize", x=x, shape=[target], resized_dims=1, sampling_mode=mode)
    for result in (across, down, resized):
        np.testing.assert_allclose(result.ravel(), points, rtol=1e-6)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resize_bilinear", {"target_size_height": 2, "target_size_width": 2}),
        ("resize", {"shape": [2], "resized_dims": 1}),
    ],
)
def test_unknown_modes(name, options):
    with pytest.raises(ValueError, match="unknown sampling_mode 'CORNERS'"):
        call(name, x=PLACES, sampling_mode="CORNERS", **options)
    with pytest.raises(ValueError, match="unknown interpolation_mode 'CUBIC'"):
        call("resize", x=PLACES, shape=[2], resized_dims=1, interpolation_mode="CUBIC")


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([1, NAN, 2], [1, NAN, NAN, NAN, 2, 2]),
        ([INF, 1, 2], [INF, INF, 1, 1.5, 2, 2]),
        ([1, 2, -INF], [1, 1.5, 2, -INF, -INF, -INF]),
        ([INF, -INF, 0], [INF, NAN, -INF, -INF, 0, 0]),
    ],
)
def test_values_that_are_not_finite(x, expected):
    result = call("resize_bilinear", x=row(x), target_size_height=1, target_size_width=6)
    np.testing.assert_array_equal(result.ravel(), expected)
    same = call("resize_bilinear", x=row(x), target_size_height=1, target_size_width=3)
    np.testing.assert_array_equal(same, row(x))


@pytest.mark.parametrize("size", [(5, 7), (1, 4)])
@pytest.mark.parametrize("target", [(10, 14), (5, 7), (3, 5), (8, 1)])
def test_bilinear_against_torch(size, target):
    x = numbers(2, 3, *size)
    for mode, align in (("STRICT_ALIGN_CORNERS", True), ("UNALIGN_CORNERS", False)):
        expected = tf.interpolate(wide(x), target, mode="bilinear", align_corners=align)
        height, width = target
        result = call(
            "resize_bilinear",
            x=x,
            target_size_height=height,
            target_size_width=width,
            sampling_mode=mode,
        )
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_volumes_are_resized_along_every_dimension_asked_for():
    x = numbers(2, 3, 4, 5, 6)
    result = call("resize", x=x, shape=[8, 0, 3], resized_dims=3, sampling_mode="UNALIGN_CORNERS")
    expected = tf.interpolate(wide(x), (8, 5, 3), mode="trilinear", align_corners=False)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("size", "target", "columns"),
    [
        (2, 4, [0, 0, 1, 1]),
        (2, 3, [0, 1, 1]),
        (3, 2, [0, 2]),
        (5, 3, [0, 2, 4]),
        (5, 1, [2]),
        (1, 3, [0, 0, 0]),
        (5, 5, [0, 1, 2, 3, 4]),
    ],
)
def test_nearest_neighbour_of_half_a_pixel(size, target, columns):
    x = np.arange(size, dtype=np.int32)
    result = call(
        "resize", x=x, shape=[target], resized_dims=1, interpolation_mode="NEAREST_NEIGHBOR"
    )
    assert result.dtype == np.int32
    assert result.tolist() == columns
    result = call(
        "resize_nearest_neighbor", x=row(x), target_size_height=2, target_size_width=target
    )
    assert result[0, 0].tolist() == [columns, columns]
    expected = tf.interpolate(wide(row(x)), (2, target), mode="nearest-exact")
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("mode", "columns"),
    [
        ("STRICT_ALIGN_CORNERS", [0, 1, 3, 4]),
        ("OFFSET_CORNERS", [1, 2, 3, 4]),
        ("UNALIGN_CORNERS", [0, 1, 3, 4]),
    ],
)
def test_nearest_neighbour_of_a_grid(mode, columns):
    # Of 5 elements 4 points: 0, 4/3, 8/3, 4; 1/2, 3/2, 5/2, 7/2; 1/8, 11/8, 21/8, 31/8.
    result = call(
        "resize",
        x=np.arange(5, dtype=np.float32),
        shape=[4],
        resized_dims=1,
        interpolation_mode="NEAREST_NEIGHBOR",
        sampling_mode=mode,
    )
    assert result.tolist() == columns


@pytest.mark.parametrize(
    ("scale", "columns"),
    [
        (1, [0, 1, 2]),
        (2, [0, 0, 1, 1, 2, 2]),
        (1.5, [0, 0, 1, 2]),
        (0.67, [0, 1]),
        (1.12, [0, 1, 2]),
        (0.34, [0]),
    ],
)
def test_upsample_nearest_neighbor(scale, columns):
    result = call("upsample_nearest_neighbor", x=row([0, 1, 2]), scale_factor_width=scale)
    assert result.ravel().tolist() == columns
    tall = row([0, 1, 2]).swapaxes(2, 3)
    result = call("upsample_nearest_neighbor", x=tall, scale_factor_height=scale)
    assert result.ravel().tolist() == columns


def test_size_is_scaled_as_the_converter_does():
    # 2.6 in float32 is below 2.6, but 5 times it rounds to 13.
    result = call("upsample_nearest_neighbor", x=row(range(5)), scale_factor_width=2.6)
    assert result.shape == (1, 1, 1, 13)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 0.4, 0.8, 1.2, 1.6, 2]),
        ({"align_corners": False}, [0, 0.25, 0.75, 1.25, 1.75, 2]),
        ({"align_corners": False, "half_pixel_centers": True}, [0, 0.25, 0.75, 1.25, 1.75, 2]),
        ({"align_corners": False, "half_pixel_centers": False}, [0, 0.5, 1, 1.5, 2, 2]),
        ({"align_corners": True, "half_pixel_centers": False}, [0, 0.4, 0.8, 1.2, 1.6, 2]),
    ],
)
def test_upsample_bilinear(options, expected):
    result = call("upsample_bilinear", x=row([0, 1, 2]), scale_factor_width=2, **options)
    np.testing.assert_allclose(result.ravel(), expected, rtol=1e-6)


def test_upsample_bilinear_cannot_be_both():
    with pytest.raises(ValueError, match="exclude each other"):
        call("upsample_bilinear", x=PLACES, align_corners=True, half_pixel_centers=True)


@pytest.mark.parametrize("scale", [(2, 3), (2.5, 1.4), (0.5, 0.75)])
@pytest.mark.parametrize("align_corners", [True, False])
def test_upsample_bilinear_against_torch(scale, align_corners):
    x = numbers(2, 3, 6, 10)
    expected = tf.interpolate(
        wide(x),
        scale_factor=scale,
        mode="bilinear",
        align_corners=align_corners,
        recompute_scale_factor=True,
    )
    height, width = scale
    result = call(
        "upsample_bilinear",
        x=x,
        scale_factor_height=height,
        scale_factor_width=width,
        align_corners=align_corners,
    )
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("height", "width", "shape", "first"),
    [([0, 0], [0, 0], (4, 5), 0), ([1, 2], [2, 0], (1, 3), 12), ([0, 4], [1, 1], (0, 3), None)],
)
def test_crop(height, width, shape, first):
    result = call("crop", x=PLACES, crop_height=height, crop_width=width)
    assert result.shape == (1, 1, *shape)
    assert first is None or result.ravel()[0] == first


def cut_out(box, target, mode="ALIGN_CORNERS", **options):
    """A box of PLACES by both versions of the operator, which have to agree."""
    height, width = target
    options = {"target_height": height, "target_width": width, "sampling_mode": mode, **options}
    roi = np.array(box, np.float32).reshape(1, 1, 4, 1, 1)
    old = call("crop_resize", "CoreML6", x=PLACES, roi=roi, **options)
    new = call("crop_resize", x=PLACES, boxes=roi.reshape(1, 4), **options)
    assert (old.shape, new.shape) == ((1, 1, 1, *target), (1, 1, *target))
    np.testing.assert_array_equal(old[0], new)
    return new[0, 0]


@pytest.mark.parametrize(
    ("box", "options", "expected"),
    [
        ([1, 1, 2, 3], {}, [[11, 12, 13], [21, 22, 23]]),
        ([2, 3, 1, 1], {}, [[23, 22, 21], [13, 12, 11]]),
        ([1, 1, 1, 1], {}, [[11, 11, 11], [11, 11, 11]]),
        (
            [1, 1, 3, 2],
            {"box_coordinate_mode": "CORNERS_WIDTH_FIRST"},
            [[11, 12, 13], [21, 22, 23]],
        ),
        (
            [1.5, 2, 1, 2],
            {"box_coordinate_mode": "CENTER_SIZE_HEIGHT_FIRST"},
            [[11, 12, 13], [21, 22, 23]],
        ),
        (
            [2, 1.5, 2, 1],
            {"box_coordinate_mode": "CENTER_SIZE_WIDTH_FIRST"},
            [[11, 12, 13], [21, 22, 23]],
        ),
        ([2, 2, 4, 6], {"spatial_scale": 0.5}, [[11, 12, 13], [21, 22, 23]]),
        ([0, 0.25, 1, 0.75], {"normalized_coordinates": True}, [[1, 2, 3], [31, 32, 33]]),
        ([-1, 0, 3, 4], {}, [[0, 0, 0], [30, 32, 34]]),
        ([-1, 0, 3, 8], {"pad_value": 7.0}, [[7, 7, 7], [30, 34, 7]]),
        ([NAN, 0, 3, 4], {"pad_value": 7.0}, [[7, 7, 7], [7, 7, 7]]),
        ([0, 0, 3, 4], {"mode": "DEFAULT"}, [[0, 5 / 3, 10 / 3], [20, 65 / 3, 70 / 3]]),
        ([1, 1, 2, 3], {"mode": "UNALIGN_CORNERS"}, [[11, 12, 13], [21, 22, 23]]),
        ([0, 0, 2, 3], {"mode": "OFFSET_CORNERS"}, [[5.5, 6.5, 7.5], [15.5, 16.5, 17.5]]),
    ],
)
def test_crop_resize(box, options, expected):
    np.testing.assert_allclose(cut_out(box, (2, 3), **options), expected, rtol=1e-6)


def test_one_point_of_a_box():
    assert cut_out([1, 1, 2, 3], (1, 1)) == 17
    assert cut_out([1, 1, 2, 3], (1, 1), "STRICT_ALIGN_CORNERS") == 11
    assert cut_out([1, 1, 2, 3], (1, 1), "OFFSET_CORNERS") == 17


def test_box_without_a_point_inside_as_apple_reads_it():
    result = cut_out([6, 8, 3, 4], (2, 2), "UNALIGN_CORNERS", pad_value=7.0)
    np.testing.assert_allclose(result, [[5.75, 8.25], [25.75, 28.25]])


def test_rounding_does_not_push_a_box_out_of_its_image():
    # The last point of the grid misses 1.0 * (n - 1) by the last bit for some of these starts.
    x = np.ones((1, 1, 8, 8), np.float32)
    boxes = np.array([[s, s, 1, 1] for s in np.linspace(0.01, 0.99, 200)], np.float32)
    result = call(
        "crop_resize",
        x=x,
        boxes=boxes,
        box_indices=np.zeros(200, np.int32),
        target_height=7,
        target_width=7,
        normalized_coordinates=True,
        sampling_mode="ALIGN_CORNERS",
    )
    np.testing.assert_allclose(result, 1, rtol=1e-6)


def test_images_of_boxes():
    x = np.concatenate([PLACES, PLACES + 100]).repeat(2, axis=1)
    box = np.array([1, 1, 2, 3], np.float32)
    options = {"target_height": 2, "target_width": 3, "sampling_mode": "ALIGN_CORNERS"}
    inner = np.array([[11, 12, 13], [21, 22, 23]], np.float32)

    of_all = call(
        "crop_resize", "CoreML5", x=x, roi=np.tile(box, 3).reshape(3, 1, 4, 1, 1), **options
    )
    assert of_all.shape == (3, 2, 2, 2, 3)
    np.testing.assert_array_equal(of_all[2, 1, 1], inner + 100)

    indexed = np.array([[1, *box], [0, *box], [1, *box]], np.float32).reshape(3, 1, 5, 1, 1)
    of_one = call("crop_resize", "CoreML6", x=x, roi=indexed, **options)
    assert of_one.shape == (3, 1, 2, 2, 3)
    np.testing.assert_array_equal(of_one[:, 0, 0], [inner + 100, inner, inner + 100])

    boxes = np.stack([box, box])
    np.testing.assert_array_equal(
        call("crop_resize", x=x, boxes=boxes, **options)[:, 1], [inner, inner + 100]
    )
    np.testing.assert_array_equal(
        call(
            "crop_resize",
            x=x,
            boxes=boxes.astype(np.uint16),
            box_indices=np.array([1, 1], np.uint16),
            **options,
        )[:, 0],
        [inner + 100, inner + 100],
    )


def resample(x, coordinates, **options):
    options = {
        "sampling_mode": "bilinear",
        "padding_mode": "constant",
        "padding_value": 0.0,
        "coordinates_mode": "unnormalized",
        "align_corners": False,
        **options,
    }
    return call("resample", x=x, coordinates=coordinates, **options)


@pytest.mark.parametrize(
    ("padding", "columns"),
    [
        # Columns -5 to 7 of a row |1 2 3|.
        ("constant", [9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 9, 9]),
        ("border", [1, 1, 1, 1, 1, 1, 2, 3, 3, 3, 3, 3, 3]),
        ("reflection", [2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3, 2]),
        ("symmetric", [2, 3, 3, 2, 1, 1, 2, 3, 3, 2, 1, 1, 2]),
    ],
)
@pytest.mark.parametrize("sampling", ["bilinear", "nearest"])
@pytest.mark.parametrize("dtype", [np.float32, np.int32, np.int8])
def test_padding_of_resample(padding, columns, sampling, dtype):
    points = np.stack([np.arange(-5, 8), np.zeros(13)], axis=-1).astype(dtype).reshape(1, 1, 13, 2)
    options = {"sampling_mode": sampling, "padding_mode": padding, "padding_value": 9.0}
    assert resample(row([1, 2, 3]), points, **options).ravel().tolist() == columns
    turned = resample(row([1, 2, 3]).swapaxes(2, 3), points[..., ::-1], **options)
    assert turned.ravel().tolist() == columns


@pytest.mark.parametrize(
    ("mode", "align", "points"),
    [
        ("unnormalized", True, [0, 1, 2]),
        ("unnormalized", False, [0, 1, 2]),
        ("normalized_minus_one_to_one", True, [-1, 0, 1]),
        ("normalized_minus_one_to_one", False, [-2 / 3, 0, 2 / 3]),
        ("normalized_zero_to_one", True, [0, 0.5, 1]),
        ("normalized_zero_to_one", False, [1 / 6, 0.5, 5 / 6]),
    ],
)
def test_coordinates_of_resample(mode, align, points):
    # Along the diagonal of 3 x 3 pixels.
    x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    coordinates = np.array(points, np.float32).repeat(2).reshape(1, 1, 3, 2)
    result = resample(x, coordinates, coordinates_mode=mode, align_corners=align)
    np.testing.assert_allclose(result.ravel(), [0, 4, 8], atol=1e-5)


def test_special_coordinates():
    points = np.array([[NAN, 0], [INF, 0], [-INF, 0], [1e30, 0], [0.5, 0], [1.5, 0]], np.float32)
    points = points.reshape(1, 1, 6, 2)
    x = row([1, 2, 3])
    for padding, expected in (
        ("constant", [NAN, 9, 9, 9, 1.5, 2.5]),
        ("border", [NAN, 3, 1, 3, 1.5, 2.5]),
    ):
        options = {"padding_mode": padding, "padding_value": 9.0}
        np.testing.assert_array_equal(resample(x, points, **options).ravel(), expected)
    nearest = {"sampling_mode": "nearest", "padding_value": 9.0}
    np.testing.assert_array_equal(resample(x, points, **nearest).ravel(), [9, 9, 9, 9, 1, 3])
    nearest["padding_mode"] = "reflection"
    assert np.isfinite(resample(x, points, **nearest)).all()


def test_padding_value_beyond_the_border_counts_nowhere_else():
    points = np.array([[2, 0], [0, 0]], np.float32).reshape(1, 1, 2, 2)
    result = resample(row([1, 2, 3]), points, padding_mode="border", padding_value=NAN)
    assert result.ravel().tolist() == [3, 1]


@pytest.mark.parametrize(
    "options",
    [{"sampling_mode": "cubic"}, {"padding_mode": "wrap"}, {"coordinates_mode": "polar"}],
)
def test_unknown_modes_of_resample(options):
    with pytest.raises(ValueError, match="unknown"):
        resample(row([1, 2]), np.zeros((1, 1, 1, 2), np.float32), **options)


@pytest.mark.parametrize(
    ("sampling", "padding", "align"),
    list(
        itertools.product(["bilinear", "nearest"], ["zeros", "border", "reflection"], [True, False])
    ),
)
@pytest.mark.parametrize("size", [(5, 4), (1, 3)])
def test_resample_against_torch(sampling, padding, align, size):
    x, grid = numbers(2, 3, *size), 2 * numbers(2, 6, 7, 2, seed=1)
    expected = tf.grid_sample(wide(x), wide(grid), sampling, padding, align)
    ours = {"zeros": "constant", "reflection": "reflection" if align else "symmetric"}
    result = resample(
        x,
        grid,
        sampling_mode=sampling,
        padding_mode=ours.get(padding, padding),
        coordinates_mode="normalized_minus_one_to_one",
        align_corners=align,
    )
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def affine(x, matrix, height, width, align_corners=True):
    return call(
        "affine",
        x=x,
        transform_matrix=np.array(matrix, np.float32),
        output_height=height,
        output_width=width,
        sampling_mode="bilinear",
        padding_mode="constant",
        padding_value=0.0,
        coordinates_mode="normalized_minus_one_to_one",
        align_corners=align_corners,
    )


def test_affine_by_hand():
    identity, mirrored = [1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, 1, 0]
    np.testing.assert_array_equal(affine(PLACES, [identity], 4, 5), PLACES)
    np.testing.assert_array_equal(affine(PLACES, [mirrored], 4, 5), PLACES[..., ::-1])
    # One column further right, of which the last lies outside.
    shifted = affine(PLACES, [[1, 0, 0.5, 0, 1, 0]], 4, 5)
    np.testing.assert_array_equal(shifted[..., :4], PLACES[..., 1:])
    np.testing.assert_array_equal(shifted[..., 4], 0)
    np.testing.assert_array_equal(affine(PLACES, [identity], 1, 1), [[[[17]]]])


@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid")
@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(6, 7), (1, 4)])
def test_affine_against_torch(rows, align_corners, size):
    x, matrices = numbers(3, 2, 5, 4), numbers(rows, 2, 3, seed=1)
    grid = tf.affine_grid(wide(np.broadcast_to(matrices, (3, 2, 3))), (3, 2, *size), align_corners)
    expected = tf.grid_sample(wide(x), grid, align_corners=align_corners)
    result = affine(x, matrices.reshape(rows, 6), *size, align_corners)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-5)


def test_saved_programs(tmp_path):
    def build(x):
        return (
            mb.upsample_nearest_neighbor(x=x, scale_factor_height=2.0, scale_factor_width=1.5),
            mb.upsample_bilinear(x=x, scale_factor_height=2.0, scale_factor_width=2.6),
            mb.resize_bilinear(x=x, target_size_height=7, target_size_width=3),
            mb.resize_nearest_neighbor(x=x, target_size_height=7, target_size_width=3),
            mb.crop(x=x, crop_height=[1, 0], crop_width=[0, 2]),
        )

    outputs = predict(build, {"x": PLACES}, tmp_path, opset="iOS15")
    shapes = [(8, 7), (8, 13), (7, 3), (7, 3), (3, 3)]
    assert [y.shape[2:] for y in outputs] == shapes
    assert [y.ravel()[-1] for y in outputs] == pytest.approx([34, 34, 33 + 1 / 3, 34, 32])


@pytest.mark.parametrize("opset", ["iOS16", "iOS17"])
def test_saved_crop_resize(opset, tmp_path):
    boxes = np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.5]], np.float32)
    options = {"target_height": 2, "target_width": 2, "normalized_coordinates": True}
    options["sampling_mode"] = "ALIGN_CORNERS"

    def build(x):
        if opset == "iOS16":
            return mb.crop_resize(x=x, roi=boxes.reshape(2, 1, 4, 1, 1), **options)
        return mb.crop_resize(x=x, boxes=boxes, box_indices=np.zeros(2, np.int32), **options)

    (result,) = predict(build, {"x": PLACES}, tmp_path, opset=opset)
    expected = [[[0, 4], [30, 34]], [[0, 2], [15, 17]]]
    np.testing.assert_allclose(result.reshape(2, 2, 2), expected)


def test_saved_resize_to_a_shape_known_only_at_run_time(tmp_path):
    def build(x, shape):
        return mb.resize(x=x, shape=shape, resized_dims=np.uint32(2))

    inputs = {"x": PLACES, "shape": np.array([8, 0], np.int32)}
    (result,) = predict(build, inputs, tmp_path)
    assert result.shape == (1, 1, 8, 5)
    assert result[0, 0, 1].tolist() == [5, 6, 7, 8, 9]
