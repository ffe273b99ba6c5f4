from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from tests.mil.support import call, folded, predict

few = settings(derandomize=True, max_examples=40, deadline=None)

M = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((2, 3), [0], (1, 2, 3)),
        ((2, 3), [-1], (2, 3, 1)),
        ((2, 3), [0, 1], (1, 1, 2, 3)),
        ((2, 3), [-1, -2], (2, 3, 1, 1)),
        ((2, 3), [-3, 1, -1], (2, 1, 1, 3, 1)),
        ((), [0], (1,)),
        ((3,), [0, -1], (1, 3, 1)),
    ],
)
def test_expand_dims(shape, axes, expected):
    assert call("expand_dims", x=np.zeros(shape), axes=axes).shape == expected


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (None, (3, 2)),
        ([0], (3, 1, 2)),
        ([-2], (1, 3, 2)),
        ([-2, 0], (3, 2)),
        ([1], (1, 3, 1, 2)),
        ([0, 1, 2], (3, 2)),
    ],
)
def test_squeeze_leaves_alone_what_is_not_1(axes, expected):
    assert call("squeeze", x=np.zeros((1, 3, 1, 2)), axes=axes).shape == expected


def test_squeeze_of_one_element_has_rank_0():
    assert call("squeeze", x=np.zeros((1, 1))).shape == ()
    with pytest.raises(IndexError):
        call("squeeze", x=M, axes=[2])


@pytest.mark.parametrize(("axes", "expected"), [(None, M[::-1, ::-1]), ([-1], M[:, ::-1]), ([], M)])
def test_reverse(axes, expected):
    if axes is not None:
        axes = np.array(axes, np.int32)
    np.testing.assert_array_equal(call("reverse", x=M, axes=axes), expected)


def test_reverse_sequence():
    x = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.float32)
    expected = np.array([[1, 2, 3, 4], [7, 6, 5, 8], [12, 11, 10, 9]], np.float32)
    result = call("reverse_sequence", x=x, lengths=[0, 3, 4], seq_axis=1, batch_axis=0)
    np.testing.assert_array_equal(result, expected)
    result = call("reverse_sequence", x=x.T, lengths=[1, 3, 4], seq_axis=0, batch_axis=-1)
    np.testing.assert_array_equal(result, expected.T)


def test_reverse_sequence_with_what_does_not_go():
    with pytest.raises(ValueError, match="also the batch axis"):
        call("reverse_sequence", x=M, lengths=[1, 1])
    with pytest.raises(IndexError):
        call("reverse_sequence", x=M, lengths=[1, 5], seq_axis=1)


@given(data=st.data(), shape=array_shapes(min_dims=2, max_dims=4, max_side=4))
@few
def test_reverse_sequence_against_its_definition(data, shape):
    along, across = data.draw(st.permutations(range(len(shape))))[:2]
    size = st.integers(0, shape[along])
    lengths = data.draw(st.lists(size, min_size=shape[across], max_size=shape[across]))
    x = np.arange(np.prod(shape)).reshape(shape)
    expected = x.copy()
    for i, length in enumerate(lengths):
        part: list[Any] = [slice(None)] * len(shape)
        part[across], part[along] = slice(i, i + 1), slice(length)
        expected[tuple(part)] = np.flip(x[tuple(part)], along)
    result = call("reverse_sequence", x=x, lengths=lengths, seq_axis=along, batch_axis=across)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("opset", ["CoreML5", "CoreML8"])
@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([4, 6], (4, 6)),
        ([-1], (24,)),
        ([0, -1, 4], (2, 3, 4)),
        ([0, 0, 0], (2, 3, 4)),
        ([-1, 0, 2], (4, 3, 2)),
        ([4, 1, -1, 2, 1], (4, 1, 3, 2, 1)),
    ],
)
def test_reshape(opset, shape, expected):
    result = call("reshape", opset, x=X, shape=shape)
    assert result.shape == expected
    np.testing.assert_array_equal(result.ravel(), X.ravel())


def test_reshape_to_rank_0_and_back():
    assert call("reshape", x=np.zeros(1), shape=np.zeros(0, np.int32)).shape == ()
    assert call("reshape", x=np.zeros(()), shape=[1, -1]).shape == (1, 1)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ([-1, 1, 0, 0], (2, 1, 3, 4)),
        ([0, 0, 0, 0, 0], (1, 1, 2, 3, 4)),
        ([-1, 0], (6, 4)),
        ([0, 8], (3, 8)),
    ],
)
def test_reshape_counts_zeros_from_the_last_since_ios17(shape, expected):
    assert call("reshape", "CoreML7", x=X, shape=shape).shape == expected
    with pytest.raises(ValueError, match="for a tensor of rank 3"):
        call("reshape", "CoreML6", x=X, shape=shape)


@pytest.mark.parametrize("shape", [[5, -1], [0, 0, 5], [-1, -1, 2]])
@pytest.mark.parametrize("opset", ["CoreML5", "CoreML7"])
def test_reshape_to_what_does_not_fit(opset, shape):
    with pytest.raises(ValueError, match=r"reshape|one unknown"):
        call("reshape", opset, x=X, shape=shape)


@pytest.mark.parametrize(
    ("count", "likes", "begins", "ends", "masks", "expected"),
    [
        (12, ((2, 2, 3), (1, 3)), (0, 1), (2, 2), (False, False), (2, 2, 3)),
        (32, ((1, 2, 2, 2), (3, 2, 2)), (1, 1), (0, 0), (True, True), (2, 2, 2, 2, 2)),
        (72, ((1, 2, 3, 4, 1), (3,)), (1, 0), (0, 1), (True, False), (2, 3, 4, 1, 3)),
        (6, ((5, 2, 3, 7),), (-3,), (-1,), (False,), (2, 3)),
    ],
)
def test_reshape_like(count, likes, begins, ends, masks, expected):
    x = np.arange(count)
    result = call(
        "reshape_like",
        x=x,
        ref_tensors=tuple(np.zeros(shape) for shape in likes),
        begins=begins,
        ends=ends,
        end_masks=masks,
    )
    assert result.shape == expected
    np.testing.assert_array_equal(result.ravel(), x)


F, T = False, True


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"begin": [1, 1, 1], "end": [2, 3, 3]}, X[1:2, 1:3, 1:3]),
        ({"begin": [1, 1, 1], "end": [2, 3, 4], "stride": [1, 1, 2]}, X[1:2, 1:3, 1:4:2]),
        ({"begin": [-3, -3, -3], "end": [-1, -1, -1]}, X[-3:-1, -3:-1, -3:-1]),
        ({"begin": [0, 0, 0], "end": [9, 9, 2**31 - 1]}, X),
        (
            {"begin": [-1, -1, -1], "end": [0, 1, -3], "stride": [-2, -1, -3]},
            X[-1:0:-2, -1:1:-1, -1:-3:-3],
        ),
        (
            {"begin": [1, 1, 1], "end": [2, 3, 4], "begin_mask": [T, F, T], "end_mask": [T, T, F]},
            X[:, 1:, :4],
        ),
        (
            {"begin": [0, 0, 0], "end": [0, 0, 0], "stride": [1, 1, -1]}
            | {"begin_mask": [T] * 3, "end_mask": [T] * 3},
            X[..., ::-1],
        ),
        ({"begin": [1, 2, -1], "end": [0, 0, 0], "squeeze_mask": [T, T, T]}, X[1, 2, 3]),
        (
            {"begin": [1, 1, 1], "end": [2, 3, 3], "stride": [1, 1, 2]}
            | {"begin_mask": [F, F, T], "end_mask": [T, F, F], "squeeze_mask": [F, T, F]},
            X[1:, 1, :3:2],
        ),
        (
            {"begin": [1, 0, 0], "end": [2, 3, 4], "begin_mask": [T, F, F]}
            | {"squeeze_mask": [T, F, F]},
            X[0],
        ),
        ({"begin": [0, 2, 0], "end": [2, 2, 4]}, np.zeros((2, 0, 4))),
    ],
)
def test_slice_by_index(inputs, expected):
    result = call("slice_by_index", x=X, **inputs)
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


def test_slice_by_index_squeezed_out_of_bounds_is_an_error():
    with pytest.raises(IndexError):
        call("slice_by_index", x=M, begin=[2, 0], end=[0, 3], squeeze_mask=[True, False])


@given(data=st.data(), shape=array_shapes(max_dims=3, max_side=5))
@few
def test_slice_by_index_and_slice_update_against_their_definition(data, shape):
    rank = len(shape)
    inputs = {
        "begin": data.draw(_list(st.integers(-6, 6), rank)),
        "end": data.draw(_list(st.integers(-6, 6), rank)),
        "stride": data.draw(_list(st.sampled_from([-3, -2, -1, 1, 2, 3]), rank)),
        "begin_mask": data.draw(_list(st.booleans(), rank)),
        "end_mask": data.draw(_list(st.booleans(), rank)),
    }
    chosen = [_walk(size, *(inputs[name][i] for name in inputs)) for i, size in enumerate(shape)]
    x = np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    expected = np.empty([len(places) for places in chosen], np.int32)
    updated, update = x.copy(), -1 - np.arange(expected.size, dtype=np.int32)
    update = update.reshape(expected.shape)
    for p in np.ndindex(expected.shape):
        source = tuple(places[i] for places, i in zip(chosen, p, strict=True))
        expected[p] = x[source]
        updated[source] = update[p]

    np.testing.assert_array_equal(call("slice_by_index", x=x, **inputs), expected)
    np.testing.assert_array_equal(call("slice_update", x=x, update=update, **inputs), updated)
    assert x.ravel().tolist() == list(range(x.size))


def test_slice_update_of_single_places():
    inputs = {"begin": [1, -1], "end": [0, 0], "squeeze_mask": [True, True]}
    result = call("slice_update", x=M, update=np.array(9, np.float32), **inputs)
    np.testing.assert_array_equal(result, [[1, 2, 3], [4, 5, 9]])


def test_slice_update_of_a_wrong_shape_is_not_broadcast():
    with pytest.raises(ValueError, match=r"update has shape \(3,\) for a part \(2, 3\)"):
        call("slice_update", x=M, update=M[0], begin=[0, 0], end=[2, 3])


@pytest.mark.parametrize(
    ("begin", "size", "expected"),
    [
        ([1, 1, 1], [1, 2, 3], X[1:2, 1:3, 1:4]),
        ([1, 1, 1], [-1, 2, -1], X[1:2, 1:3, 1:4]),
        ([0, -2, 0], [-1, -1, 3], X[:, -2:, :3]),
        ([0, -3, 0], [2, 1, 0], X[:, :1, :0]),
        ([2, 3, 4], [-1, 0, -1], X[2:, 3:, 4:]),
    ],
)
def test_slice_by_size(begin, size, expected):
    np.testing.assert_array_equal(call("slice_by_size", x=X, begin=begin, size=size), expected)


@pytest.mark.parametrize(("begin", "size"), [(1, 3), (4, -1), (-4, 1), (0, -2)])
def test_slice_by_size_out_of_bounds_is_an_error(begin, size):
    with pytest.raises(IndexError, match="on an axis of size 3"):
        call("slice_by_size", x=M, begin=[0, begin], size=[-1, size])


@given(data=st.data(), shape=array_shapes(max_dims=5, max_side=3))
@few
def test_transpose_against_torch(data, shape):
    perm = data.draw(st.permutations(range(len(shape))))
    perm = [p - data.draw(st.sampled_from([0, len(shape)])) for p in perm]
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = torch.tensor(x).permute(*perm).numpy()
    np.testing.assert_array_equal(call("transpose", x=x, perm=perm), expected)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"size": 2}, [[0, 1], [1, 2], [2, 3], [3, 4]]),
        ({"size": 2, "stride": 2}, [[0, 1], [2, 3]]),
        ({"size": 3, "stride": 2}, [[0, 1, 2], [2, 3, 4]]),
        ({"size": 5}, [[0, 1, 2, 3, 4]]),
        ({"size": 6}, np.zeros((0, 6))),
    ],
)
def test_sliding_windows(options, expected):
    result = call("sliding_windows", x=np.arange(5), axis=0, **options)
    np.testing.assert_array_equal(result, expected)


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=5))
@few
def test_sliding_windows_against_torch(data, shape):
    axis = data.draw(st.integers(0, len(shape) - 1))
    size = data.draw(st.integers(1, shape[axis]))
    stride = data.draw(st.integers(1, 3))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    # torch puts the place within the window last, MIL right after the window.
    expected = torch.tensor(x).unfold(axis, size, stride).movedim(-1, axis + 1)
    for given_axis in (axis, axis - len(shape)):
        result = call("sliding_windows", x=x, axis=given_axis, size=size, stride=stride)
        np.testing.assert_array_equal(result, expected.numpy())


def test_depth_to_space_and_space_to_depth_take_whole_blocks_of_channels():
    depth = np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1)
    space = np.array([[[[0, 2], [4, 6]], [[1, 3], [5, 7]]]], np.float32)
    np.testing.assert_array_equal(call("depth_to_space", x=depth, block_size=2), space)
    np.testing.assert_array_equal(call("space_to_depth", x=space, block_size=2), depth)


def test_pixel_shuffle_and_unshuffle_take_neighbouring_channels():
    depth = np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1)
    space = np.array([[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]], np.float32)
    np.testing.assert_array_equal(call("pixel_shuffle", x=depth, upscale_factor=2), space)
    np.testing.assert_array_equal(call("pixel_unshuffle", x=space, downscale_factor=2), depth)


@given(data=st.data(), shape=array_shapes(min_dims=4, max_dims=4, max_side=3))
@few
def test_rearranging_pixels_against_torch(data, shape):
    f = data.draw(st.integers(1, 3))
    n, c, h, w = shape
    deep = np.arange(np.prod(shape) * f * f, dtype=np.float32).reshape(n, c * f * f, h, w)
    wide = deep.reshape(n, c, h * f, w * f)
    shuffled = torch.pixel_shuffle(torch.tensor(deep), f).numpy()
    unshuffled = torch.pixel_unshuffle(torch.tensor(wide), f).numpy()
    np.testing.assert_array_equal(call("pixel_shuffle", x=deep, upscale_factor=f), shuffled)
    np.testing.assert_array_equal(call("pixel_unshuffle", x=wide, downscale_factor=f), unshuffled)

    # Blocks first in the channels, instead of the channels first as torch has them.
    swapped = deep.reshape(n, f * f, c, h, w).swapaxes(1, 2).reshape(deep.shape)
    shuffled = torch.pixel_shuffle(torch.tensor(swapped), f).numpy()
    np.testing.assert_array_equal(call("depth_to_space", x=deep, block_size=f), shuffled)
    np.testing.assert_array_equal(call("space_to_depth", x=shuffled, block_size=f), deep)


def test_space_to_batch_and_batch_to_space():
    space = np.arange(1, 17, dtype=np.float32).reshape(2, 1, 2, 4)
    batch = np.array(
        [
            [0, 1, 3],
            [0, 9, 11],
            [0, 2, 4],
            [0, 10, 12],
            [0, 5, 7],
            [0, 13, 15],
            [0, 6, 8],
            [0, 14, 16],
        ]
    ).reshape(8, 1, 1, 3)
    pads = np.array([[0, 0], [2, 0]], np.int32)
    result = call("space_to_batch", x=space, block_shape=[2, 2], paddings=pads)
    np.testing.assert_array_equal(result, batch)
    result = call("batch_to_space", x=batch, block_shape=[2, 2], crops=pads)
    np.testing.assert_array_equal(result, space)


@given(data=st.data(), shape=array_shapes(min_dims=4, max_dims=4, max_side=3))
@few
def test_space_to_batch_against_its_definition(data, shape):
    a, b = block = [data.draw(st.integers(1, 3)) for _ in range(2)]
    n, c, h, w = shape
    top, left = (data.draw(st.integers(0, 2)) for _ in range(2))
    bottom, right = -(top + h) % a, -(left + w) % b
    x = np.arange(1, np.prod(shape) + 1).reshape(shape)
    expected = np.zeros((n * a * b, c, (top + h + bottom) // a, (left + w + right) // b))
    for i, j, k, m in np.ndindex(shape):
        row, column = k + top, m + left
        entry = (row % a * b + column % b) * n + i
        expected[entry, j, row // a, column // b] = x[i, j, k, m]

    pads = np.array([[top, bottom], [left, right]], np.int32)
    result = call("space_to_batch", x=x, block_shape=block, paddings=pads)
    np.testing.assert_array_equal(result, expected)
    result = call("batch_to_space", x=expected, block_shape=block, crops=pads)
    np.testing.assert_array_equal(result, x)


def test_special_values_move_untouched():
    x = np.array([[np.nan, np.inf], [-np.inf, -0.0]], np.float32)
    for name, inputs in {
        "transpose": {"perm": [1, 0]},
        "reshape": {"shape": [4]},
        "reverse": {"axes": [0, 1]},
        "slice_by_index": {"begin": [0, 0], "end": [2, 2]},
        "reverse_sequence": {"lengths": [2, 2], "seq_axis": 1, "batch_axis": 0},
    }.items():
        bits = call(name, x=x, **inputs).ravel().view(np.uint32)
        assert sorted(bits) == sorted(x.ravel().view(np.uint32)), name


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("expand_dims", {"x": M, "axes": [0, -1]}),
        ("squeeze", {"x": M[None], "axes": [0]}),
        ("transpose", {"x": X, "perm": [2, 0, 1]}),
        ("reverse", {"x": X, "axes": [0, 2]}),
        ("reshape", {"x": X, "shape": [1, 0, -1, 0]}),
        ("slice_by_index", {"x": X, "begin": [1, 2, 3], "end": [0, 0, 0], "stride": [-1, -2, -1]}),
        ("slice_by_size", {"x": X, "begin": [0, -2, 1], "size": [-1, 1, 2]}),
    ],
)
def test_coremltools_folds_constants_to_the_same(name, inputs):
    np.testing.assert_array_equal(call(name, **inputs), folded(name, **inputs))


@pytest.mark.parametrize("opset", ["iOS15", "iOS16", "iOS17", "iOS18"])
def test_in_a_saved_program(opset, tmp_path):
    from coremltools.converters.mil.mil import Builder as mb

    def build(x, bounds):
        mask = [True, False, False]
        outputs = [
            mb.reshape(x=x, shape=[0, -1, 2]),
            mb.slice_by_index(x=x, begin=bounds, end=[2, 3, 4], begin_mask=mask, squeeze_mask=mask),
            mb.slice_by_size(x=x, begin=bounds, size=[-1, 1, 2]),
            mb.squeeze(x=mb.expand_dims(x=x, axes=[0, 2]), axes=[2]),
            mb.reverse_sequence(x=x, lengths=[3, 1], seq_axis=1, batch_axis=0),
            mb.pixel_shuffle(x=mb.reshape(x=x, shape=[1, 4, 3, 2]), upscale_factor=2),
        ]
        if opset != "iOS15":
            shape_of = {"begins": (0, 1), "ends": (1, 0), "end_masks": (False, True)}
            outputs.append(mb.reshape_like(x=x, ref_tensors=(x, x), **shape_of))
        if opset == "iOS18":
            update = np.float32([[-1.0]])
            end = np.int32([1, 2, 3])
            mask = [False, False, True]
            outputs.append(
                mb.slice_update(x=x, update=update, begin=[0, 1, 2], end=end, squeeze_mask=mask)
            )
        return tuple(outputs)

    bounds = np.array([1, 2, 1], np.int32)
    reversed_ = np.stack([X[0, ::-1], X[1]])
    shuffled = torch.pixel_shuffle(torch.tensor(X.reshape(1, 4, 3, 2)), 2).numpy()
    updated = X.copy()
    updated[0, 1, 2] = -1
    expected = [X.reshape(2, 6, 2), X[0, 2:, 1:], X[1:, 2:, 1:3], X[None], reversed_, shuffled]
    expected += [X] * (opset != "iOS15") + [updated] * (opset == "iOS18")
    outputs = predict(build, {"x": X, "bounds": bounds}, tmp_path, opset=opset)
    for output, values in itertools.zip_longest(outputs, expected):
        np.testing.assert_array_equal(output, values)


def test_a_shape_known_only_at_run_time(tmp_path):
    import coremltools as ct
    from coremltools.converters.mil.mil import Builder as mb
    from coremltools.converters.mil.mil import get_new_symbol, types

    from tests.mil.support import convert

    specs = [mb.TensorSpec((2, 3)), mb.TensorSpec((get_new_symbol(),), types.int32)]
    shapes = [ct.TensorType("x", (2, 3)), ct.TensorType("shape", (ct.RangeDim(1, 5),), np.int32)]
    program = convert(lambda x, shape: mb.reshape(x=x, shape=shape), specs, tmp_path, inputs=shapes)
    for shape in ([6], [3, 1, 2], [1, 1, 0, -1, 0]):
        (result,) = program.predict({"x": M, "shape": np.array(shape, np.int32)}).values()
        assert result.shape == {6: (6,), 3: (3, 1, 2), 1: (1, 1, 1, 2, 3)}[shape[0]]
        np.testing.assert_array_equal(result.ravel(), M.ravel())


def _list(elements: st.SearchStrategy[Any], length: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=length, max_size=length)


def _walk(
    size: int, begin: int, end: int, stride: int, from_start: bool, to_end: bool
) -> list[int]:
    """The places on an axis of `size` that a Python slice takes, walked one by one."""
    low, high = (0, size) if stride > 0 else (-1, size - 1)
    start, stop = (low, high) if stride > 0 else (high, low)
    first = start if from_start else min(max(begin + size * (begin < 0), low), high)
    last = stop if to_end else min(max(end + size * (end < 0), low), high)
    places = []
    while first < last if stride > 0 else first > last:
        places.append(first)
        first += stride
    return places
