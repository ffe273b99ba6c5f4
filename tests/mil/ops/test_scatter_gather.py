from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from tests.mil.support import call, evaluate, predict

few = settings(derandomize=True, max_examples=40, deadline=None)

M = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
CUBE = np.arange(1, 13, dtype=np.float32).reshape(2, 2, 3)
MODES = ["update", "add", "sub", "mul", "div", "max", "min"]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({"indices": [1, 0]}, [[4, 5, 6], [1, 2, 3]]),
        ({"indices": [2, 0], "axis": 1}, [[3, 1], [6, 4]]),
        ({"indices": [2, 0], "axis": -1}, [[3, 1], [6, 4]]),
        ({"indices": 1}, [4, 5, 6]),
        ({"indices": 1, "axis": 1}, [2, 5]),
        ({"indices": [[0], [1]], "axis": 0}, [[[1, 2, 3]], [[4, 5, 6]]]),
        ({"indices": [], "axis": 1}, [[], []]),
        ({"indices": [[1, 0], [2, 2]], "axis": 1, "batch_dims": 1}, [[2, 1], [6, 6]]),
        ({"indices": [1, 2], "axis": 1, "batch_dims": 1}, [2, 6]),
    ],
)
def test_gather(inputs, expected):
    inputs["indices"] = np.array(inputs["indices"], np.int32)
    np.testing.assert_array_equal(call("gather", x=M, **inputs), expected)


def test_gather_of_a_vector_by_a_scalar_has_rank_0():
    result = call("gather", x=np.array([7, 8], np.int32), indices=1)
    assert result.shape == ()
    assert result == 8


def test_gather_along_axis():
    found = [[1, 0, 1], [1, 1, 0]]
    at_0 = call("gather_along_axis", x=M, indices=found)
    at_1 = call("gather_along_axis", x=M, indices=found, axis=-1)
    np.testing.assert_array_equal(at_0, [[4, 2, 6], [4, 5, 3]])
    np.testing.assert_array_equal(at_1, [[2, 1, 2], [5, 5, 4]])


@pytest.mark.parametrize(
    ("indices", "batch_dims", "expected"),
    [
        ([[1, 0], [0, 1]], 0, [[7, 8, 9], [4, 5, 6]]),
        ([[1, 0, 2]], 0, [9]),
        ([1, 0, 2], 0, 9),
        ([[1, 0], [0, 1]], 1, [4, 8]),
        ([[[1]], [[0]]], 1, [[[4, 5, 6]], [[7, 8, 9]]]),
        ([[[2], [0]], [[1], [1]]], 2, [[3, 4], [8, 11]]),
    ],
)
def test_gather_nd(indices, batch_dims, expected):
    result = call("gather_nd", x=CUBE, indices=indices, batch_dims=batch_dims)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("update", [4, 32, 5]),
        ("add", [22, 40, 5]),
        ("sub", [10, -24, 5]),
        ("mul", [128, 256, 5]),
        ("div", [2, 0.25, 5]),
        ("max", [16, 32, 5]),
        ("min", [2, 8, 5]),
    ],
)
def test_every_mode_where_an_index_repeats(mode, expected):
    data, updates = np.array([16, 8, 5], np.float32), np.array([2, 32, 4], np.float32)
    expected = np.array(expected, np.float32)
    one = call("scatter", data=data, indices=[0, 1, 0], updates=updates, mode=mode)
    along = call("scatter_along_axis", data=data, indices=[0, 1, 0], updates=updates, mode=mode)
    nd = call("scatter_nd", data=data, indices=[[0], [1], [0]], updates=updates, mode=mode)
    for result in (one, along, nd):
        np.testing.assert_array_equal(result, expected)
    np.testing.assert_array_equal(data, [16, 8, 5])


def test_modes_default_to_add():
    np.testing.assert_array_equal(
        call("scatter", data=M, indices=[1, 0], updates=M), [[5, 7, 9], [5, 7, 9]]
    )
    np.testing.assert_array_equal(
        call("scatter_along_axis", data=M, indices=[[0, 0, 1]], updates=M[:1]),
        [[2, 4, 3], [4, 5, 9]],
    )
    np.testing.assert_array_equal(
        call("scatter_nd", data=M, indices=[[1, 2]], updates=np.float32([4])),
        [[1, 2, 3], [4, 5, 10]],
    )


def test_scatter_writes_slices_at_any_axis():
    updates = np.array([[10, 20], [30, 40]], np.float32)
    result = call("scatter", data=M, indices=[2, 0], updates=updates, axis=-1, mode="update")
    np.testing.assert_array_equal(result, [[20, 2, 10], [40, 5, 30]])


@pytest.mark.parametrize("name", ["gather", "gather_along_axis", "gather_nd"])
@pytest.mark.parametrize("opset", ["CoreML5", "CoreML6"])
def test_negative_indices_read_from_the_end_up_to_ios16(name, opset):
    indices = [[-1]] if name == "gather_nd" else [-1]
    result = call(name, opset, x=np.array([1, 2, 3], np.float32), indices=indices)
    np.testing.assert_array_equal(result, [3])


@pytest.mark.parametrize("name", ["scatter", "scatter_along_axis", "scatter_nd"])
@pytest.mark.parametrize("opset", ["CoreML5", "CoreML6"])
def test_negative_indices_write_from_the_end_up_to_ios16(name, opset):
    data, updates = np.array([1, 2, 3], np.float32), np.array([5], np.float32)
    indices = [[-1]] if name == "scatter_nd" else [-1]
    result = call(name, opset, data=data, indices=indices, updates=updates, mode="update")
    np.testing.assert_array_equal(result, [1, 2, 5])


@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("index", [-1, 3])
@pytest.mark.parametrize("opset", ["CoreML7", "CoreML8"])
@pytest.mark.parametrize("name", ["gather", "gather_along_axis", "gather_nd"])
def test_reading_out_of_bounds_is_an_error_from_ios17_on(name, opset, index, validate):
    indices = [[index]] if name == "gather_nd" else [index]
    x = np.array([1, 2, 3], np.float32)
    with pytest.raises(IndexError, match=r"out of bounds"):
        call(name, opset, x=x, indices=indices, validate_indices=validate)


@pytest.mark.parametrize("validate", [False, True])
@pytest.mark.parametrize("index", [-1, 3])
@pytest.mark.parametrize("opset", ["CoreML7", "CoreML8"])
@pytest.mark.parametrize("name", ["scatter", "scatter_along_axis", "scatter_nd"])
def test_writing_out_of_bounds_is_an_error_from_ios17_on(name, opset, index, validate):
    data, updates = np.array([1, 2, 3], np.float32), np.array([5], np.float32)
    indices = [[index]] if name == "scatter_nd" else [index]
    with pytest.raises(IndexError, match=r"out of bounds"):
        call(name, opset, data=data, indices=indices, updates=updates, validate_indices=validate)


@pytest.mark.parametrize("opset", ["CoreML5", "CoreML6"])
def test_out_of_bounds_is_an_error_before_ios17_too(opset):
    with pytest.raises(IndexError):
        call("gather", opset, x=M, indices=[2])
    with pytest.raises(IndexError):
        call("scatter", opset, data=M, indices=[-3], updates=M[:1])


def test_an_axis_or_a_mode_there_is_not():
    with pytest.raises(IndexError):
        call("gather", x=M, indices=[0], axis=2)
    with pytest.raises(ValueError, match="unknown mode 'xor'"):
        call("scatter", data=M, indices=[0], updates=M[:1], mode="xor")


def test_updates_of_a_wrong_shape_are_not_broadcast():
    with pytest.raises(ValueError, match=r"updates have shape \(3,\) where \(1, 3\) is needed"):
        call("scatter", data=M, indices=[0], updates=M[0])


def test_special_values():
    special = np.array([np.nan, np.inf, -np.inf, 0], np.float32)
    np.testing.assert_array_equal(call("gather", x=special, indices=[3, 1, 0]), [0, np.inf, np.nan])
    data = np.array([1, 1, np.nan, np.inf], np.float32)
    for mode, expected in {
        "update": [np.nan, np.inf, -np.inf, 0],
        "add": [np.nan, np.inf, np.nan, np.inf],
        "mul": [np.nan, np.inf, np.nan, np.nan],
        "div": [np.nan, 0, np.nan, np.inf],
        "max": [np.nan, np.inf, np.nan, np.inf],
        "min": [np.nan, 1, np.nan, 0],
    }.items():
        result = call("scatter", data=data, indices=[0, 1, 2, 3], updates=special, mode=mode)
        np.testing.assert_array_equal(result, expected, err_msg=mode)


def test_many_updates_of_one_element_lose_no_digits():
    updates = np.full(100_000, 0.1, np.float32)
    result = call("scatter", data=np.zeros(1, np.float32), indices=[0] * 100_000, updates=updates)
    assert result.astype(np.float32) == np.float32(100_000 * np.float64(np.float32(0.1)))


@pytest.mark.parametrize(
    ("mode", "data", "updates", "expected"),
    [
        ("div", [7, -7], [2, 2], [3, -3]),
        ("add", [2**31 - 1, 1], [1, 1], [-(2**31), 2]),
        ("mul", [2**30 + 1, 3], [2, 4], [-(2**31) + 2, 12]),
    ],
)
def test_integers(mode, data, updates, expected):
    inputs: dict[str, Any] = {"data": data, "indices": [0, 1], "updates": updates}
    inputs = {name: np.array(value, np.int32) for name, value in inputs.items()}
    result = evaluate("scatter", {**inputs, "mode": mode}, "int32", (2,))
    assert result.dtype == np.int32
    np.testing.assert_array_equal(result, expected)


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=4))
@few
def test_gather_against_its_definition(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    at = axis % len(shape)
    batch = data.draw(st.integers(0, at))
    tail = data.draw(array_shapes(min_dims=0, max_dims=2, max_side=3))
    indices = data.draw(
        arrays(np.int32, shape[:batch] + tail, elements=st.integers(0, shape[at] - 1))
    )
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    expected = np.empty(shape[:at] + tail + shape[at + 1 :], np.float32)
    for p in np.ndindex(expected.shape):
        before, place, after = p[:at], p[at : at + len(tail)], p[at + len(tail) :]
        expected[p] = x[(*before, indices[p[:batch] + place], *after)]

    result = call("gather", x=x, indices=indices, axis=axis, batch_dims=batch)
    np.testing.assert_array_equal(result, expected)


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=4))
@few
def test_gather_along_axis_against_torch(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    indices = data.draw(_indices_along(shape, axis % len(shape)))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = torch.gather(torch.tensor(x), axis, torch.tensor(indices.astype(np.int64)))
    result = call("gather_along_axis", x=x, indices=indices, axis=axis)
    np.testing.assert_array_equal(result, expected.numpy())


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=3))
@few
def test_gather_nd_and_scatter_nd_against_their_definition(data, shape):
    batch = data.draw(st.integers(0, len(shape) - 1))
    depth = data.draw(st.integers(1, len(shape) - batch))
    places = shape[:batch] + data.draw(array_shapes(min_dims=1, max_dims=2, max_side=3))
    indices = _coordinates(data, places, shape[batch : batch + depth])
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)

    result = call("gather_nd", x=x, indices=indices, batch_dims=batch)
    assert result.shape == places + shape[batch + depth :]
    for p in np.ndindex(places):
        np.testing.assert_array_equal(result[p], x[p[:batch] + tuple(indices[p])])

    indices = _coordinates(data, places, shape[:depth])
    updates = np.resize(np.float32([-2, 3, 0, 0.5, -1]), places + shape[depth:])
    mode = data.draw(st.sampled_from(MODES))
    expected = x.astype(np.float64)
    for p in np.ndindex(places):
        expected[tuple(indices[p])] = _combined(mode, expected[tuple(indices[p])], updates[p])
    result = call("scatter_nd", data=x, indices=indices, updates=updates, mode=mode)
    np.testing.assert_array_equal(result.astype(np.float32), expected.astype(np.float32))


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=3))
@few
def test_scatter_against_its_definition(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    at = axis % len(shape)
    places = data.draw(array_shapes(min_dims=0, max_dims=2, max_side=3))
    indices = data.draw(arrays(np.int32, places, elements=st.integers(0, shape[at] - 1)))
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    updates = np.resize(np.float32([-2, 3, 0, 0.5, -1]), shape[:at] + places + shape[at + 1 :])
    mode = data.draw(st.sampled_from(MODES))

    expected = x.astype(np.float64)
    for p in np.ndindex(places):
        for before in np.ndindex(shape[:at]):
            where = (*before, indices[p])
            expected[where] = _combined(mode, expected[where], updates[(*before, *p)])

    result = call("scatter", data=x, indices=indices, updates=updates, axis=axis, mode=mode)
    np.testing.assert_array_equal(result.astype(np.float32), expected.astype(np.float32))


@given(data=st.data(), shape=array_shapes(min_dims=1, max_dims=4, max_side=4))
@few
def test_scatter_along_axis_against_torch(data, shape):
    axis = data.draw(st.integers(-len(shape), len(shape) - 1))
    indices = data.draw(_indices_along(shape, axis % len(shape)))
    mode, reduction = data.draw(
        st.sampled_from([("add", "sum"), ("mul", "prod"), ("max", "amax"), ("min", "amin")])
    )
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    updates = np.linspace(-3, 4, indices.size, dtype=np.float32).reshape(indices.shape)
    expected = torch.tensor(x, dtype=torch.float64).scatter_reduce(
        axis,
        torch.tensor(indices.astype(np.int64)),
        torch.tensor(updates, dtype=torch.float64),
        reduction,
    )
    result = call(
        "scatter_along_axis", data=x, indices=indices, updates=updates, axis=axis, mode=mode
    )
    np.testing.assert_allclose(result, expected.numpy(), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("opset", ["iOS15", "iOS16", "iOS17", "iOS18"])
def test_in_a_saved_program(opset, tmp_path):
    from coremltools.converters.mil.mil import Builder as mb

    indices = np.array([1, 0, 1], np.int32)

    def build(x, indices):
        return (
            mb.gather(x=x, indices=indices, axis=1),
            mb.gather_along_axis(x=x, indices=mb.expand_dims(x=indices, axes=[0]), axis=0),
            mb.gather_nd(x=x, indices=mb.expand_dims(x=indices, axes=[1])),
            mb.scatter(data=x, indices=indices, updates=np.ones((3, 3), np.float32), mode="sub"),
        )

    outputs = predict(build, {"x": M, "indices": indices}, tmp_path, opset=opset)
    expected = [M[:, [1, 0, 1]], [[4, 2, 6]], M[[1, 0, 1]], [[0, 1, 2], [2, 3, 4]]]
    for output, values in itertools.zip_longest(outputs, expected):
        np.testing.assert_array_equal(output, values)


def _indices_along(shape: tuple[int, ...], axis: int) -> st.SearchStrategy[np.ndarray]:
    """Any number of indices along `axis` of a tensor of `shape`, the other sizes its own."""
    return st.integers(1, 5).flatmap(
        lambda count: arrays(
            np.int32,
            (*shape[:axis], count, *shape[axis + 1 :]),
            elements=st.integers(0, shape[axis] - 1),
        )
    )


def _coordinates(data: Any, places: tuple[int, ...], sizes: tuple[int, ...]) -> np.ndarray:
    """For each of `places` coordinates in a tensor of `sizes`, the last axis."""
    return np.stack(
        [data.draw(arrays(np.int32, places, elements=st.integers(0, s - 1))) for s in sizes], -1
    )


def _combined(mode: str, old: Any, new: Any) -> Any:
    with np.errstate(all="ignore"):
        return {
            "update": lambda: new,
            "add": lambda: old + new,
            "sub": lambda: old - new,
            "mul": lambda: old * new,
            "div": lambda: old / new,
            "max": lambda: np.where(old > new, old, new),
            "min": lambda: np.where(old < new, old, new),
        }[mode]()
