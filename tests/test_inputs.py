from __future__ import annotations

import numpy as np
import pytest

from exportcheck.catalog import activations
from exportcheck.inputs import (
    EVERY_FLOAT16,
    GATING,
    GRID_LIMIT,
    TAIL_LIMITS,
    InputClass,
    bare_inputs,
    network_inputs,
)
from exportcheck.networks import EXAMPLE_SHAPES

SHAPE = EXAMPLE_SHAPES["bare"]
DTYPES = ("float32", "float16")
NAMES = ("grid", "knees", "tails", "infinities", "nan", "zeros", "subnormals", "largest")


def inputs_of(name="relu", dtype="float32"):
    return {c.name: c for c in bare_inputs(activations()[name], SHAPE, dtype)}


def flat(name, which, dtype="float32"):
    return inputs_of(name, dtype)[which].values.ravel()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", activations())
def test_every_class_is_there_in_the_shape_and_type_asked_for(activation, dtype):
    classes = inputs_of(activation, dtype)
    every = dtype == "float16" and activations()[activation].elementwise
    assert tuple(classes) == NAMES + ((EVERY_FLOAT16,) if every else ())
    for given in classes.values():
        assert all(x.shape == SHAPE for (x,) in given.batches())
        assert given.values.dtype == np.float32


def test_special_values_do_not_gate():
    gates = {name for name, given in inputs_of().items() if given.gates}
    assert gates == {"grid", "knees", "tails", "infinities"}
    gates = {name for name, given in inputs_of(dtype="float16").items() if given.gates}
    assert (
        gates == {"grid", "knees", "tails", "infinities", EVERY_FLOAT16} == set(GATING) - {"normal"}
    )


def bits16(given: InputClass) -> np.ndarray:
    return np.unique(given.values.astype(np.float16).view(np.uint16))


def test_a_float16_program_sees_all_65536_numbers():
    classes = inputs_of("silu", "float16")
    every = (EVERY_FLOAT16, "infinities", "zeros", "subnormals", "largest")
    seen = np.concatenate([bits16(classes[name]) for name in every])
    assert seen.size == np.unique(seen).size == 65_536 - 2 * 1023
    # Some processors make the signalling half of them quiet as they are widened.
    assert np.unique(classes["nan"].values.view(np.uint32)).size >= 2 * 512
    assert np.isnan(classes["nan"].values).all()


def test_what_gates_of_them_is_normal_and_within_the_tails():
    size = np.abs(inputs_of("silu", "float16")[EVERY_FLOAT16].values)
    assert size.min() == np.finfo(np.float16).tiny
    assert size.max() == TAIL_LIMITS["float16"]


def test_a_shape_of_few_elements_gets_samples():
    names = [c.name for c in bare_inputs(activations()["silu"], (2, 3), "float16")]
    assert EVERY_FLOAT16 not in names


def test_batches_are_run_one_by_one_and_joined():
    array = np.arange(24, dtype=np.float32).reshape(6, 4)
    seen = []

    def run(arrays):
        seen.append(arrays[0].shape)
        return (arrays[0] * 2, arrays[0][:, :1])

    twice, first = InputClass("some", (array,), gates=True, count=3).through(run)
    assert seen == [(2, 4)] * 3
    np.testing.assert_array_equal(twice, array * 2)
    np.testing.assert_array_equal(first, array[:, :1])


@pytest.mark.parametrize("name", ["relu", "softmax-dim1"])
def test_the_same_numbers_every_time(name):
    for a, b in zip(inputs_of(name).values(), inputs_of(name).values(), strict=True):
        np.testing.assert_array_equal(a.values, b.values)


@pytest.mark.parametrize("activation", ["threshold-0.1-20", "logsigmoid", "reglu", "softmax-dim1"])
def test_float16_inputs_are_float16_numbers(activation):
    for name, given in inputs_of(activation, "float16").items():
        rounded = given.values.astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(given.values, rounded, err_msg=name)


@pytest.mark.parametrize("name", ["relu", "softmax-dim1"])
def test_the_grid_is_dense_and_reaches_both_limits(name):
    grid = np.sort(flat(name, "grid"))
    assert grid[0] == -GRID_LIMIT
    assert grid[-1] == GRID_LIMIT
    assert np.diff(grid).max() < 0.0148


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["relu", "softmax-dim1"])
def test_tails_and_largest_go_on_where_the_grid_ends(name, dtype):
    largest = float(np.finfo(dtype).max)
    for which, start, end in (
        ("tails", GRID_LIMIT, TAIL_LIMITS[dtype]),
        ("largest", TAIL_LIMITS[dtype], largest),
    ):
        values = flat(name, which, dtype)
        assert np.isfinite(values).all()
        assert {-1, 1} == set(np.sign(values))
        sizes = np.unique(np.abs(values))
        assert sizes[0] == pytest.approx(start, rel=0.4)
        assert sizes[-1] == pytest.approx(end, rel=1e-6)
        assert np.max(sizes[1:] / sizes[:-1]) < 1.4
    assert sizes[-1] == np.float32(largest)


def test_squares_of_float16_tails_stay_in_float16():
    assert TAIL_LIMITS["float16"] ** 2 < np.finfo(np.float16).max


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "name", ["hardswish", "hardtanh", "softshrink", "threshold-0.1-20", "logsigmoid", "relu6"]
)
def test_each_knee_and_its_nearest_neighbours_are_hit(name, dtype):
    points = set(flat(name, "knees", dtype).tolist())
    for knee in np.array(activations()[name].knees, dtype):
        assert float(knee) in points
        if knee == 0:
            assert {1, -1} <= {np.sign(p) for p in points if abs(p) < 1e-3}
            continue
        for side in (-np.inf, np.inf):
            assert float(np.nextafter(knee, np.array(side, dtype))) in points


def test_knees_of_another_function_are_not_hit():
    assert 3.0 in flat("hardswish", "knees")
    assert 3.0 not in flat("relu6", "knees")


@pytest.mark.parametrize("dtype", DTYPES)
def test_special_values(dtype):
    limits = np.finfo(dtype)
    assert set(flat("relu", "infinities", dtype)) == {np.inf, -np.inf}
    assert np.isnan(flat("relu", "nan", dtype)).all()
    zeros = flat("relu", "zeros", dtype)
    assert not zeros.any()
    assert {True, False} == set(np.signbit(zeros))
    small = set(np.abs(flat("relu", "subnormals", dtype)).tolist())
    tiny, smallest = float(limits.tiny), float(limits.smallest_subnormal)
    if dtype == "float32":
        assert small == {tiny, tiny / 2, smallest}
    else:
        assert (min(small), max(small), len(small)) == (smallest, tiny - smallest, 1023)


def test_every_channel_sees_every_special_value():
    for name in ("infinities", "zeros", "subnormals", "largest"):
        values = inputs_of("relu")[name].values
        bits = values.view(np.uint32)
        for channel in range(SHAPE[1]):
            assert set(bits[:, channel].ravel()) == set(bits.ravel())


@pytest.mark.parametrize("which", ["infinities", "nan", "zeros", "subnormals", "knees"])
def test_a_function_of_many_inputs_gets_special_values_among_ordinary_ones(which):
    """One in 32: were all of a row NaN or infinite, no number of it could be judged."""
    values = inputs_of("softmax-dim1")[which].values
    wanted = np.unique(inputs_of("relu")[which].values)
    special = np.isin(values, wanted) | (np.isnan(values) & np.isnan(wanted).any())
    assert special.sum() == values.size // 32
    ordinary = values[~special]
    assert np.abs(ordinary).max() < 5
    assert 0.9 < ordinary.std() < 1.1
    untouched = ~special.any(axis=1)
    assert untouched.mean() > 0.6


@pytest.mark.parametrize("network", EXAMPLE_SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_networks_get_one_normal_batch(network, dtype):
    (given,) = network_inputs(EXAMPLE_SHAPES[network], dtype)
    assert (given.name, given.gates) == ("normal", True)
    assert given.values.shape == EXAMPLE_SHAPES[network]
    assert given.values.dtype == np.float32
    assert np.isfinite(given.values).all()
    assert given.values.std() == pytest.approx(2, rel=0.2)
    np.testing.assert_array_equal(given.values, given.values.astype(dtype).astype(np.float32))
    (again,) = network_inputs(EXAMPLE_SHAPES[network], dtype)
    np.testing.assert_array_equal(again.values, given.values)


def test_the_batch_of_a_point_is_where_the_point_is():
    array = np.arange(24, dtype=np.float32).reshape(6, 4)
    given = InputClass("some", (array,), gates=True, count=3)
    assert given.rows_of(3) == slice(2, 4)
    assert given.rows_of(0) == slice(0, 2)
    assert InputClass("some", (array,), gates=True).rows_of(3) == slice(None)
