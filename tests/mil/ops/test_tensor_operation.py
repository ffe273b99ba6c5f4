from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.mil.support import call, evaluate, folded, predict

few = settings(derandomize=True, max_examples=40, deadline=None)

M = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
SPECIAL = np.array([2, np.nan, -np.inf, np.inf, -0.0], np.float32)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"shape": [2, 3], "value": 1.5}, np.full((2, 3), 1.5, np.float32)),
        ({"shape": [2], "value": 7}, np.full(2, 7, np.int32)),
        ({"shape": [1, 2], "value": True}, np.full((1, 2), True)),
        ({"shape": [2, 0]}, np.zeros((2, 0))),
        ({"shape": np.zeros(0, np.int32), "value": np.nan}, np.array(np.nan, np.float32)),
    ],
)
def test_fill(inputs, expected):
    result = call("fill", **inputs)
    assert result.dtype == expected.dtype
    np.testing.assert_array_equal(result, expected)


def test_fill_like_has_the_shape_of_one_and_the_type_of_the_other():
    result = call("fill_like", ref_tensor=M, value=3)
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, [[3, 3, 3], [3, 3, 3]])
    np.testing.assert_array_equal(call("fill_like", ref_tensor=M), np.zeros((2, 3)))


@pytest.mark.parametrize(
    ("start", "end", "step", "expected"),
    [
        (5, 15, 2, [5, 7, 9, 11, 13]),
        (0, 3, 1, [0, 1, 2]),
        (3, 0, -2, [3, 1]),
        (3, 0, 1, []),
        (2, 2, 1, []),
        (0.0, 1.0, 0.25, [0, 0.25, 0.5, 0.75]),
        (-1.0, 0.1, 0.5, [-1, -0.5, 0]),
    ],
)
def test_range_1d(start, end, step, expected):
    np.testing.assert_array_equal(call("range_1d", end=end, start=start, step=step), expected)


def test_range_1d_has_as_many_elements_as_coremltools_declares():
    # In float64 0.6f / 0.2f is a little more than 3; the type coremltools declares has 3 elements.
    ends = {"end": 0.6, "start": 0.0, "step": 0.2}
    assert len(call("range_1d", **ends)) == len(folded("range_1d", **ends)) == 3


def test_range_1d_keeps_its_digits_far_from_the_start():
    result = call("range_1d", end=1000.0, start=0.0, step=0.1).astype(np.float32)
    multiples = np.arange(10_000) * float(np.float32(0.1))
    np.testing.assert_array_equal(result, multiples.astype(np.float32))


def test_range_1d_with_step_0_is_an_error():
    with pytest.raises(OverflowError):
        call("range_1d", end=1.0, start=0.0, step=0.0)


def test_identity():
    assert call("identity", x=M) == (M,)
    elements = (M, M)
    assert call("identity", x=elements)[0] is not M
    assert len(call("identity", x=elements)) == 1


def test_shape():
    np.testing.assert_array_equal(call("shape", x=np.zeros((2, 0, 5))), [2, 0, 5])
    assert call("shape", x=np.float32(1)).shape == (0,)


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ((M, M[:1]), {"axis": 0}, [[1, 2, 3], [4, 5, 6], [1, 2, 3]]),
        ((M, M[:, :1]), {"axis": -1}, [[1, 2, 3, 1], [4, 5, 6, 4]]),
        ((2, 3.5, 4), {"axis": 0}, [2, 3.5, 4]),
        (([1, 2], 3), {"axis": 0}, [1, 2, 3]),
        ((M,), {"axis": 1}, M),
        ((M[:0], M), {"axis": 0}, M),
        ((M, -M), {"axis": 0, "interleave": True}, [M[0], -M[0], M[1], -M[1]]),
        (
            (M, -M),
            {"axis": -1, "interleave": True},
            [[1, -1, 2, -2, 3, -3], [4, -4, 5, -5, 6, -6]],
        ),
        ((1, 2), {"axis": 0, "interleave": True}, [1, 2]),
    ],
)
def test_concat(values, options, expected):
    np.testing.assert_array_equal(call("concat", values=values, **options), expected)


def test_concat_of_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="dimensions"):
        call("concat", values=(M, M[:, :1]), axis=0)
    with pytest.raises(ValueError, match="same shape"):
        call("concat", values=(M, M[:1]), axis=0, interleave=True)


def test_stack():
    a, b = np.array([1, 2], np.int32), np.array([3, 4], np.int32)
    np.testing.assert_array_equal(call("stack", values=(a, b), axis=0), [[1, 2], [3, 4]])
    np.testing.assert_array_equal(call("stack", values=(a, b), axis=-1), [[1, 3], [2, 4]])
    np.testing.assert_array_equal(call("stack", values=(5, 6), axis=0), [5, 6])


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"num_splits": 3, "axis": 1}, [[[1], [4]], [[2], [5]], [[3], [6]]]),
        ({"split_sizes": [1, 2], "axis": -1}, [[[1], [4]], [[2, 3], [5, 6]]]),
        ({"num_splits": 2, "split_sizes": [0, 2], "axis": 0}, [np.zeros((0, 3)), M]),
        ({"num_splits": 1, "axis": 0}, [M]),
    ],
)
def test_split(inputs, expected):
    parts = call("split", x=M, **inputs)
    assert isinstance(parts, tuple)
    for part, values in itertools.zip_longest(parts, expected):
        np.testing.assert_array_equal(part, values)


@pytest.mark.parametrize("sizes", [{"num_splits": 2}, {"split_sizes": [1, 1]}, {}])
def test_split_that_does_not_come_out_even(sizes):
    with pytest.raises(ValueError, match=r"equal division|do not add up|neither"):
        call("split", x=M, axis=1, **sizes)


def test_tile():
    result = call("tile", x=M, reps=[2, 1])
    np.testing.assert_array_equal(result, [[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]])
    result = call("tile", x=M[:, :2], reps=[1, 3])
    np.testing.assert_array_equal(result, [[1, 2, 1, 2, 1, 2], [4, 5, 4, 5, 4, 5]])


@pytest.mark.parametrize(
    ("shape", "axis", "expected"),
    [
        ((3,), -1, (1, 3)),
        ((3,), 1, (3, 1)),
        ((4, 3), -1, (4, 3)),
        ((2, 3, 2), -1, (6, 2)),
        ((5, 5, 2), 1, (5, 10)),
        ((5, 5, 2), 0, (1, 50)),
        ((0, 5, 2), 1, (0, 10)),
    ],
)
def test_flatten2d(shape, axis, expected):
    x = np.arange(np.prod(shape)).reshape(shape)
    result = call("flatten2d", x=x, axis=axis)
    assert result.shape == expected
    np.testing.assert_array_equal(result.ravel(), x.ravel())


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"pad": [1, 0, 0, 2]}, [[0] * 5, [1, 2, 3, 0, 0], [4, 5, 6, 0, 0]]),
        ({"pad": [1, 1], "constant_val": 9.5}, [[9.5, 1, 2, 3, 9.5], [9.5, 4, 5, 6, 9.5]]),
        (
            {"pad": [1, 1, 2, 2], "mode": "reflect"},
            [[6, 5, 4, 5, 6, 5, 4], [3, 2, 1, 2, 3, 2, 1]] * 2,
        ),
        (
            {"pad": [0, 1, 2, 0], "mode": "replicate"},
            [[1, 1, 1, 2, 3], [4, 4, 4, 5, 6], [4, 4, 4, 5, 6]],
        ),
        ({"pad": [0, 0, 0, 0], "mode": "reflect"}, M),
        ({"pad": [0, 5], "mode": "replicate"}, [[1, 2] + [3] * 6, [4, 5] + [6] * 6]),
    ],
)
def test_pad(inputs, expected):
    np.testing.assert_array_equal(call("pad", x=M, **inputs), expected)


def test_pad_with_what_does_not_go():
    with pytest.raises(ValueError, match="unknown mode 'wrap'"):
        call("pad", x=M, pad=[1, 1], mode="wrap")
    with pytest.raises(ValueError, match="reflects"):
        call("pad", x=M, pad=[2, 0, 0, 0], mode="reflect")
    with pytest.raises(ValueError, match="negative"):
        call("pad", x=M, pad=[-1, 0])


@given(data=st.data(), mode=st.sampled_from(["constant", "reflect", "replicate"]))
@few
def test_pad_against_torch(data, mode):
    shape = data.draw(array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=4))
    left, right = (data.draw(st.integers(0, shape[-1] - 1)) for _ in range(2))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = torch.nn.functional.pad(torch.tensor(x), (left, right), mode)
    result = call("pad", x=x, pad=[left, right], mode=mode)
    np.testing.assert_array_equal(result, expected.numpy())


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, [[1, 2, 3], [4, 5, 6]]),
        ({"lower": 0}, [[1, 2, 3], [0, 5, 6]]),
        ({"upper": 0}, [[1, 0, 0], [4, 5, 0]]),
        ({"lower": 0, "upper": 1}, [[1, 2, 0], [0, 5, 6]]),
        ({"lower": 0, "upper": 0}, [[1, 0, 0], [0, 5, 0]]),
        ({"lower": 9, "upper": 9}, [[1, 2, 3], [4, 5, 6]]),
    ],
)
def test_band_part(bounds, expected):
    for dtype in (np.float32, np.int32, np.bool_):
        result = call("band_part", x=np.stack([M, M]).astype(dtype), **bounds)
        assert result.dtype == dtype
        np.testing.assert_array_equal(result, np.array([expected] * 2).astype(dtype))


def test_band_part_leaves_nothing_of_what_is_outside():
    x = np.array([[np.nan, np.inf], [np.inf, -np.inf]], np.float32)
    result = call("band_part", x=x, lower=0, upper=0)
    np.testing.assert_array_equal(result, [[np.nan, 0], [0, -np.inf]])


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [[1, 2, 3], [5, 7, 9]]),
        ({"axis": 1}, [[1, 3, 6], [4, 9, 15]]),
        ({"axis": -1, "exclusive": True}, [[0, 1, 3], [0, 4, 9]]),
        ({"axis": 1, "reverse": True}, [[6, 5, 3], [15, 11, 6]]),
        ({"axis": 1, "reverse": True, "exclusive": True}, [[5, 3, 0], [11, 6, 0]]),
    ],
)
def test_cumsum(options, expected):
    np.testing.assert_array_equal(call("cumsum", x=M, **options), expected)
    integers = call("cumsum", x=M.astype(np.int32), **options)
    np.testing.assert_array_equal(integers, expected)
    assert integers.dtype == np.int32


def test_cumsum_at_special_values():
    x = np.array([1, np.inf, 2, -np.inf, 3], np.float32)
    plain, exclusive = call("cumsum", x=x), call("cumsum", x=x, exclusive=True)
    np.testing.assert_array_equal(plain, [1, np.inf, np.inf, np.nan, np.nan])
    np.testing.assert_array_equal(exclusive, [0, 1, np.inf, np.inf, np.nan])
    assert call("cumsum", x=np.zeros((2, 0), np.float32), axis=1, exclusive=True).shape == (2, 0)


def test_cumsum_loses_no_digits():
    x = np.full(1_000_000, 0.1, np.float32)
    assert call("cumsum", x=x)[-1].astype(np.float32) == np.float32(1e6 * float(np.float32(0.1)))


@pytest.mark.parametrize(
    ("x", "ascending", "expected"),
    [
        ([3, 1, 2], False, [0, 2, 1]),
        ([3, 1, 2], True, [1, 2, 0]),
        ([1, 2, 1, 2], False, [1, 3, 0, 2]),
        ([1, 2, 1, 2], True, [0, 2, 1, 3]),
        ([0, -(2**31), 2**31 - 1], False, [2, 0, 1]),
        (np.array([0, 255, 1], np.uint8), False, [1, 2, 0]),
        (SPECIAL, True, [2, 4, 0, 3, 1]),
        (SPECIAL, False, [1, 3, 0, 4, 2]),
        (np.array([-0.0, 0.0], np.float32), False, [0, 1]),
    ],
)
def test_argsort(x, ascending, expected):
    np.testing.assert_array_equal(call("argsort", x=x, ascending=ascending), expected)


@pytest.mark.parametrize("ascending", [False, True])
def test_argsort_keeps_the_order_of_many_equals(ascending):
    x = np.array([1, 0] * 500, np.float32)
    ones, zeros = np.arange(0, 1000, 2), np.arange(1, 1000, 2)
    expected = np.concatenate([zeros, ones] if ascending else [ones, zeros])
    np.testing.assert_array_equal(call("argsort", x=x, ascending=ascending), expected)


@given(data=st.data(), shape=array_shapes(max_dims=3, max_side=5), ascending=st.booleans())
@few
def test_argsort_and_topk_against_torch(data, shape, ascending):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    k = data.draw(st.integers(1, shape[axis]))
    x = data.draw(arrays(np.float32, shape, elements=st.integers(-3, 3)))
    expected = torch.tensor(x).sort(dim=axis, descending=not ascending, stable=True)

    order = call("argsort", x=x, axis=axis, ascending=ascending)
    np.testing.assert_array_equal(order, expected.indices.numpy())
    values, indices = call("topk", x=x, k=k, axis=axis, ascending=ascending)
    np.testing.assert_array_equal(values, expected.values.narrow(axis, 0, k).numpy())
    np.testing.assert_array_equal(indices, expected.indices.narrow(axis, 0, k).numpy())


def test_topk():
    x = np.array([[-1, 2, -3], [4, -5, 6]], np.float32)
    values, indices = call("topk", x=x, k=2, axis=1)
    np.testing.assert_array_equal(values, [[2, -1], [6, 4]])
    np.testing.assert_array_equal(indices, [[1, 0], [2, 0]])
    values, indices = call("topk", x=x, axis=0, ascending=True)
    np.testing.assert_array_equal(values, [[-1, -5, -3]])
    np.testing.assert_array_equal(indices, [[0, 1, 0]])


def test_topk_options_of_later_versions():
    x = np.array([3, 1, 2], np.uint16)
    values = call("topk", x=x, k=2, sort=False, return_indices=False)
    np.testing.assert_array_equal(values, [3, 2])
    values, _ = call("topk", x=x, k=np.array(-1, np.int8), output_indices_dtype="uint16")
    np.testing.assert_array_equal(values, [3, 2, 1])


def test_topk_of_more_than_there_are():
    with pytest.raises(ValueError, match="k is 4 on an axis of size 3"):
        call("topk", x=M, k=4)


def test_topk_puts_nan_first():
    values, indices = call("topk", x=SPECIAL, k=3)
    np.testing.assert_array_equal(values, [np.nan, np.inf, 2])
    np.testing.assert_array_equal(indices, [1, 3, 0])


def test_non_zero():
    x = np.array([[3, 0, 0], [0, np.nan, -0.0]], np.float32)
    np.testing.assert_array_equal(call("non_zero", x=x), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(call("non_zero", x=np.array([False, True])), [[1]])
    assert call("non_zero", x=np.zeros((2, 3, 4))).shape == (0, 3)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"indices": [1, 0]}, [[0, 1, 0], [1, 0, 0]]),
        ({"indices": [1, 0], "axis": 0}, [[0, 1], [1, 0], [0, 0]]),
        ({"indices": [2], "on_value": 1.5, "off_value": -0.5}, [[-0.5, -0.5, 1.5]]),
        ({"indices": [3, -1]}, [[0, 0, 0], [0, 0, 0]]),
        ({"indices": 1}, [0, 1, 0]),
        ({"indices": [[1], [0]], "axis": 1}, [[[0], [1], [0]], [[1], [0], [0]]]),
        ({"indices": [[1], [0]], "axis": -2}, [[[0], [1], [0]], [[1], [0], [0]]]),
    ],
)
def test_one_hot(inputs, expected):
    np.testing.assert_array_equal(call("one_hot", one_hot_vector_size=3, **inputs), expected)


# Boxes 0, 1 and 2 lie over one another, the overlap of 0 and 1 being 0.9 / 1.1, of 0 and 2 or 1 and
# 2 smaller; box 3 lies apart, box 4 has no area.
BOXES = np.array(
    [[5, 5, 1, 1], [5.1, 5, 1, 1], [5.5, 5, 1, 1], [9, 9, 1, 2], [5, 5, 0, 0]], np.float32
)
SCORES = np.array([[0.1, 0.9], [0.8, 0.2], [0.7, 0.3], [0.2, 0.6], [0.5, 0.4]], np.float32)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"iou_threshold": 0.8}, [0, 2, 3, 4]),
        ({"iou_threshold": 0.3}, [0, 3, 4]),
        ({"iou_threshold": 0.82}, [0, 1, 2, 3, 4]),
        ({"iou_threshold": 0.3, "per_class_suppression": True}, [0, 1, 3, 4]),
        ({"iou_threshold": 0.8, "score_threshold": 0.6}, [0, 2, 3]),
        ({"iou_threshold": 0.8, "score_threshold": 0.95}, [0]),
        ({"iou_threshold": 0.8, "max_boxes": 2}, [0, 2]),
        ({"iou_threshold": 0.8, "max_boxes": 0}, []),
    ],
)
def test_non_maximum_suppression(inputs, expected):
    inputs = {"score_threshold": 0.0, "max_boxes": 5, **inputs}
    limit, count = inputs["max_boxes"], len(expected)
    boxes, scores, indices, counts = call(
        "non_maximum_suppression", "CoreML6", boxes=BOXES[None], scores=SCORES[None], **inputs
    )
    np.testing.assert_array_equal(counts, [count])
    np.testing.assert_array_equal(indices, [expected + [-1] * (limit - count)])
    np.testing.assert_array_equal(boxes[0, :count], BOXES[expected])
    np.testing.assert_array_equal(scores[0, :count], SCORES[expected])
    np.testing.assert_array_equal(boxes[0, count:], np.zeros((limit - count, 4)))
    np.testing.assert_array_equal(scores[0, count:], np.zeros((limit - count, 2)))


def test_boxes_at_the_very_thresholds_stay():
    boxes = np.array([[[1, 1, 2, 2], [0.5, 1, 1, 2]]], np.float32)
    scores = np.array([[[0.75], [0.5]]], np.float32)
    inputs = {"boxes": boxes, "scores": scores, "max_boxes": 2}
    for iou, score, expected in ((0.5, 0.5, [0, 1]), (0.49, 0.5, [0, -1]), (0.5, 0.51, [0, -1])):
        thresholds = {"iou_threshold": iou, "score_threshold": score}
        found = call("non_maximum_suppression", "CoreML5", **inputs, **thresholds)
        np.testing.assert_array_equal(found[2], [expected])


def test_non_maximum_suppression_since_ios17():
    boxes, scores, indices = call(
        "non_maximum_suppression",
        "CoreML7",
        boxes=np.stack([BOXES.T, BOXES[::-1].T]),
        scores=np.stack([SCORES.T, SCORES[::-1].T]),
        iou_threshold=0.3,
        max_boxes=4,
    )
    np.testing.assert_array_equal(indices, [[0, 3, 4, -1], [4, 1, 0, -1]])
    np.testing.assert_array_equal(boxes[1], np.vstack([BOXES[[0, 3, 4]], np.zeros((1, 4))]).T)
    np.testing.assert_array_equal(scores[1], np.vstack([SCORES[[0, 3, 4]], np.zeros((1, 2))]).T)


def test_non_maximum_suppression_of_no_boxes():
    boxes, scores, indices = call(
        "non_maximum_suppression",
        boxes=np.zeros((1, 4, 0), np.float32),
        scores=np.zeros((1, 2, 0), np.float32),
        iou_threshold=0.5,
        max_boxes=2,
    )
    np.testing.assert_array_equal(indices, [[-1, -1]])
    assert not boxes.any()
    assert not scores.any()


@given(data=st.data(), per_class=st.booleans())
@few
def test_non_maximum_suppression_against_its_definition(data, per_class):
    count = data.draw(st.integers(1, 12))
    seed = data.draw(st.integers(0, 10_000))
    limit = data.draw(st.integers(1, 12))
    random = np.random.default_rng(seed)
    boxes = np.concatenate([random.uniform(0, 4, (count, 2)), random.uniform(1, 3, (count, 2))], 1)
    boxes, scores = boxes.astype(np.float32), random.normal(size=(count, 3)).astype(np.float32)
    threshold = random.uniform(0.1, 0.6)

    kept: list[int] = []
    for i in sorted(range(count), key=lambda i: -scores[i].max()):
        rivals = [j for j in kept if not per_class or scores[i].argmax() == scores[j].argmax()]
        if scores[i].max() >= 0 and all(_overlap(boxes[i], boxes[j]) <= threshold for j in rivals):
            kept.append(i)
    kept = (kept or [int(scores.max(1).argmax())])[:limit]

    _, _, indices, counts = call(
        "non_maximum_suppression",
        "CoreML5",
        boxes=boxes[None],
        scores=scores[None],
        iou_threshold=threshold,
        score_threshold=0.0,
        max_boxes=limit,
        per_class_suppression=per_class,
    )
    assert counts[0] == len(kept)
    assert indices[0, : len(kept)].tolist() == kept


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("concat", {"values": (M, M), "axis": 1}),
        ("cumsum", {"x": M, "axis": 1, "reverse": True}),
        ("band_part", {"x": M, "lower": 0, "upper": 1}),
        ("pad", {"x": M, "pad": [1, 0, 2, 2], "mode": "reflect"}),
        ("stack", {"values": (M, M), "axis": 1}),
        ("tile", {"x": M, "reps": [2, 3]}),
        ("flatten2d", {"x": M[None], "axis": 2}),
        ("fill_like", {"ref_tensor": M, "value": 2.5}),
        ("argsort", {"x": M, "axis": 0}),
        ("non_zero", {"x": M - 2}),
    ],
)
def test_coremltools_folds_constants_to_the_same(name, inputs):
    np.testing.assert_array_equal(call(name, **inputs), folded(name, **inputs))


@pytest.mark.parametrize("opset", ["iOS15", "iOS16", "iOS17", "iOS18"])
def test_in_a_saved_program(opset, tmp_path):
    from coremltools.converters.mil.mil import Builder as mb

    def build(x, sizes):
        first, second = mb.split(x=x, split_sizes=[1, 2], axis=1)
        values, indices = mb.topk(x=x, k=2, axis=1)
        height = mb.squeeze(x=mb.slice_by_size(x=sizes, begin=[0], size=[1]))
        return (
            mb.concat(values=(second, first), axis=1),
            values,
            indices,
            mb.one_hot(indices=sizes, one_hot_vector_size=height, on_value=2, off_value=1),
            mb.fill(shape=mb.shape(x=x), value=0.5),
            mb.concat(values=(height, 7), axis=0),
            mb.range_1d(end=height, start=0, step=1),
            mb.identity(x=mb.pad(x=x, pad=[0, 1])),
        )

    outputs = predict(build, {"x": M, "sizes": np.array([2, 1], np.int32)}, tmp_path, opset=opset)
    expected: list[Any] = [
        [[2, 3, 1], [5, 6, 4]],
        [[3, 2], [6, 5]],
        [[2, 1], [2, 1]],
        [[1, 1], [1, 2]],
        np.full((2, 3), 0.5),
        [2, 7],
        [0, 1],
        [[1, 2, 3, 0], [4, 5, 6, 0]],
    ]
    for output, values in itertools.zip_longest(outputs, expected):
        np.testing.assert_array_equal(output, values)


def test_indices_and_sizes_are_cast_to_the_declared_type():
    assert evaluate("shape", {"x": M}, "int32", (2,)).dtype == np.int32
    assert evaluate("non_zero", {"x": M}, "int32", (None, 2)).dtype == np.int32
    assert evaluate("argsort", {"x": M}, "uint16", (2, 3)).dtype == np.uint16


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Area of intersection over union of two boxes that have one."""
    both = 1.0
    for centre, size in ((0, 2), (1, 3)):
        ends = [(box[centre] - box[size] / 2, box[centre] + box[size] / 2) for box in (a, b)]
        both *= max(0.0, min(high for _, high in ends) - max(low for low, _ in ends))
    return float(both / (a[2] * a[3] + b[2] * b[3] - both))
