from __future__ import annotations

import math

import numpy as np
import pytest

from exportcheck.mil import registry
from exportcheck.mil.limits import _RULES, _broadcast_shape, check
from tests.mil.support import operator

MANY = 2**31 - 1


def ones(*shape):
    return np.ones(shape, np.float32)


def whole(*values):
    return np.array(values, np.int32)


def vast(*shape):
    """A tensor of this shape that takes no memory."""
    return np.broadcast_to(np.float32(0), shape)


IMAGE = {"x": ones(1, 2, 4, 4)}
SAMPLED = {
    "sampling_mode": "bilinear",
    "padding_mode": "constant",
    "padding_value": 0.0,
    "coordinates_mode": "unnormalized",
    "align_corners": True,
}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("fill", {"shape": whole(65536, 65536)}),
        ("random_normal", {"shape": whole(65536, 65536)}),
        ("random_uniform", {"shape": whole(65536, 65536)}),
        ("random_bernoulli", {"shape": whole(65536, 65536)}),
        ("random_categorical", {"x": ones(2, 3), "size": MANY}),
        ("constexpr_lut_to_dense", {"shape": np.uint32([2**31, 2])}),
        ("constexpr_sparse_to_dense", {"shape": np.uint32([2**31, 2])}),
        ("range_1d", {"start": np.float32(0), "end": np.float32(1e30), "step": np.float32(1)}),
        ("range_1d", {"start": whole(0)[0], "end": whole(9)[0], "step": whole(0)[0]}),
        ("one_hot", {"indices": whole(1, 2), "one_hot_vector_size": MANY}),
        ("tile", {"x": ones(2, 2), "reps": whole(MANY, 1)}),
        ("pad", {"x": ones(2, 2), "pad": whole(0, MANY, 0, 0)}),
        ("pad", {"x": ones(2, 2), "pad": whole(MANY, MANY)}),
        ("concat", {"values": (vast(2**30), vast(2**30), vast(1)), "axis": 0}),
        ("stack", {"values": (vast(2**30), vast(2**30), vast(2**30)), "axis": 0}),
        ("gather", {"x": vast(2, 65536), "indices": vast(65536), "axis": 0}),
        ("matmul", {"x": vast(65536, 1), "y": vast(1, 65536)}),
        (
            "matmul",
            {"x": vast(1, 65536), "y": vast(65536, 1), "transpose_x": True, "transpose_y": True},
        ),
        ("linear", {"x": vast(65536, 1), "weight": vast(65536, 1)}),
        ("add", {"x": vast(65536, 1), "y": vast(1, 65536)}),
        ("select", {"cond": vast(65536, 1), "a": vast(1, 65536), "b": vast(1)}),
        ("make_list", {"init_length": 2**31 + 1}),
        ("make_list", {"elem_shape": (whole(65536)[0], whole(65536)[0], "n")}),
        ("list_write", {"index": np.array(2**31)}),
        ("list_scatter", {"indices": np.array([0, 2**31])}),
        ("space_to_batch", {**IMAGE, "block_shape": whole(1, 1), "paddings": whole(MANY, 0, 0, 0)}),
        ("sliding_windows", {"x": vast(2**30), "axis": 0, "size": 2**29}),
        ("non_maximum_suppression", {"boxes": ones(2, 3, 4), "max_boxes": MANY}),
        ("local_response_norm", {**IMAGE, "size": 2**31 + 1}),
        ("resize_nearest_neighbor", {**IMAGE, "target_size_height": MANY, "target_size_width": 1}),
        ("resize_bilinear", {**IMAGE, "target_size_height": 1, "target_size_width": MANY}),
        ("upsample_nearest_neighbor", {**IMAGE, "scale_factor_height": 2**30}),
        ("upsample_bilinear", {**IMAGE, "scale_factor_width": np.float32(1e30)}),
        ("resize", {**IMAGE, "shape": whole(MANY, 1), "resized_dims": 2}),
        ("resample", {**IMAGE, "coordinates": vast(1, 65536, 65536, 2)}),
        ("affine", {**IMAGE, "output_height": 65536, "output_width": 65536}),
        ("crop_resize", {**IMAGE, "roi": ones(3, 1, 4, 1), "target_height": MANY}),
        ("crop_resize", {**IMAGE, "boxes": ones(3, 4), "target_width": MANY}),
        ("conv", {**IMAGE, "weight": ones(1, 2, 1, 1), "pad": whole(MANY, 0, 0, 0)}),
        ("conv_quantized", {**IMAGE, "weight": ones(1, 2, 1, 1), "pad": whole(0, 0, MANY, 0)}),
        ("avg_pool", {**IMAGE, "pad": whole(MANY, MANY, 0, 0)}),
        ("max_pool", {**IMAGE, "pad": whole(0, 0, MANY, MANY)}),
        ("l2_pool", {**IMAGE, "pad": whole(0, 0, MANY, MANY)}),
        ("conv_transpose", {**IMAGE, "weight": ones(2, 1, 2, 2), "strides": whole(MANY, 1)}),
        ("conv_transpose", {**IMAGE, "weight": ones(2, 1, 2, 2), "dilations": whole(1, MANY)}),
        (
            "conv_transpose",
            {**IMAGE, "weight": ones(2, 1, 2, 2), "output_shape": whole(1, 1, MANY, 4)},
        ),
    ],
)
def test_what_asks_for_too_much(name, inputs):
    with (
        np.errstate(divide="ignore"),
        pytest.raises(
            ValueError, match=r"^they ask for .* elements, mil-numpy makes up to 2147483648$"
        ),
    ):
        check(name, inputs)


MODEST = [
    ("fill", {"shape": whole(2, 3)}),
    ("fill", {"shape": whole()}),
    ("range_1d", {"start": np.float32(0), "end": np.float32(5), "step": np.float32(2)}),
    ("range_1d", {"start": whole(5)[0], "end": whole(0)[0], "step": whole(2)[0]}),
    ("one_hot", {"indices": whole(1, 2), "one_hot_vector_size": 3}),
    ("tile", {"x": ones(2, 2), "reps": whole(3, 1)}),
    ("pad", {"x": ones(2, 2), "pad": whole(0, 1)}),
    ("pad", {"x": ones(2, 2), "pad": whole(0, 1, 2, 3)}),
    ("pad", {"x": ones(2, 3, 4), "pad": whole(1, 1, 2, 3)}),
    ("concat", {"values": (ones(2), ones(3), np.float32(1)), "axis": 0}),
    ("stack", {"values": (ones(2), ones(2)), "axis": 0}),
    ("gather", {"x": ones(4, 3), "indices": whole(1, 0), "axis": 1}),
    ("gather", {"x": ones(4, 3), "indices": whole(1)[0], "axis": 0}),
    ("gather", {"x": ones(4, 3, 2), "indices": whole(*[[0, 1]] * 4), "axis": 1, "batch_dims": 1}),
    ("matmul", {"x": ones(5, 2, 3), "y": ones(1, 3, 4)}),
    ("matmul", {"x": ones(3, 2), "y": ones(4, 3), "transpose_x": True, "transpose_y": True}),
    ("linear", {"x": ones(5, 2, 3), "weight": ones(4, 3)}),
    ("add", {"x": ones(5, 1), "y": ones(3)}),
    ("select", {"cond": ones(2, 1) > 0, "a": ones(3), "b": np.float32(1)}),
    ("space_to_batch", {**IMAGE, "block_shape": whole(1, 1), "paddings": whole([0, 1], [2, 3])}),
    ("resize_nearest_neighbor", {**IMAGE, "target_size_height": 7, "target_size_width": 9}),
    ("resize_bilinear", {**IMAGE, "target_size_height": 7, "target_size_width": 9}),
    ("upsample_nearest_neighbor", {**IMAGE, "scale_factor_height": 2, "scale_factor_width": 3}),
    ("upsample_bilinear", {**IMAGE, "scale_factor_height": np.float32(2.5)}),
    ("resize", {**IMAGE, "shape": whole(9, 0), "resized_dims": 2}),
    ("resample", {**IMAGE, "coordinates": ones(1, 5, 6, 2), **SAMPLED}),
    (
        "crop_resize",
        {
            **IMAGE,
            "boxes": ones(3, 4),
            "box_indices": whole(0, 0, 0),
            "target_width": 5,
            "target_height": 2,
        },
    ),
    ("sliding_windows", {"x": ones(6), "axis": 0, "size": 1}),
]


@pytest.mark.parametrize(("name", "inputs"), MODEST)
def test_the_count_is_what_the_operator_makes(name, inputs):
    """Neither too few, or memory is not guarded, nor too many, or a good model is refused."""
    made = np.size(operator(name)(**inputs))
    assert math.ceil(max(0, _RULES[name](inputs))) == made


def test_every_rule_is_for_an_operator():
    assert not _RULES.keys() - set(registry.names())


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("relu", {}),
        ("matmul", {"x": vast(2**30, 2), "y": ones(2)}),
        ("matmul", {"x": vast(2**30), "y": vast(2**30)}),
    ],
)
def test_results_no_larger_than_the_inputs_are_not_looked_at(name, inputs):
    check(name, inputs)


@pytest.mark.parametrize("shapes", [((2, 3), (3,)), ((1, 4), (5, 1)), ((), (2,)), ((), ())])
def test_shapes_are_broadcast_as_numpy_does(shapes):
    assert _broadcast_shape(*shapes) == np.broadcast_shapes(*shapes)
