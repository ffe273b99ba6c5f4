from __future__ import annotations

import math

import coremltools as ct
import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

from exportcheck.errors import InvalidModel
from exportcheck.mil.ops.control_flow import TensorList
from tests.mil.support import convert, operator, predict

NAN = np.nan
F32 = np.float32


def f32(*values):
    return np.array(values, F32)


@pytest.mark.parametrize(
    ("cond", "a", "b", "expected"),
    [
        ([True, False], f32(1, 2), f32(3, 4), [1, 4]),
        ([True, False], f32(1, NAN), f32(NAN, 4), [1, 4]),
        ([True, False], f32(NAN, 2), f32(3, np.inf), [NAN, np.inf]),
        ([[True], [False]], f32(1, 2), f32(9), [[1, 2], [9, 9]]),
        (True, f32(1, 2), f32(3, 4), [1, 2]),
        ([], f32(), f32(), []),
        ([False, True], np.array([1, 2], np.int32), np.array([3, 4], np.int32), [3, 2]),
    ],
)
def test_select(cond, a, b, expected):
    result = operator("select")(np.array(cond, bool), a, b)
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == a.dtype


def test_select_leaves_its_inputs_alone():
    a, b = f32(1, 2), f32(3, 4)
    operator("select")(np.array([True, False]), a, b)[:] = 7
    assert (a.tolist(), b.tolist()) == ([1, 2], [3, 4])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32, np.int8, np.uint16, bool])
@pytest.mark.parametrize("size", [2, 500])
def test_const_comes_back_from_the_program_or_its_weight_file(dtype, size, tmp_path):
    value = np.arange(size).reshape(2, -1).astype(dtype)

    def build(x):
        same = mb.cast(x=mb.const(val=value), dtype="fp32")
        return mb.add(x=x, y=same)

    x = np.full(value.shape, 0.5, F32)
    options = {"pass_pipeline": ct.PassPipeline.EMPTY}
    (result,) = predict(build, {"x": x}, tmp_path, **options)
    np.testing.assert_array_equal(result, x + value.astype(F32))


@pytest.mark.parametrize(("pred", "expected"), [(True, [5, 8]), (False, [3, -8])])
def test_cond_gives_the_outputs_of_one_branch(pred, expected, tmp_path):
    def build(p, x):
        return mb.cond(
            pred=mb.squeeze(x=p),
            _true_fn=lambda: (mb.add(x=x, y=F32(1)), mb.mul(x=x, y=F32(2))),
            _false_fn=lambda: (mb.sub(x=x, y=F32(1)), mb.mul(x=x, y=F32(-2))),
        )

    inputs = {"p": np.array([pred], np.int32), "x": f32(4)}
    results = predict(lambda p, x: build(mb.cast(x=p, dtype="bool"), x), inputs, tmp_path)
    assert [r.item() for r in results] == expected


@pytest.mark.parametrize("index", [1, 5])
def test_cond_does_not_run_the_other_branch(index, tmp_path):
    def build(i, x):
        inside = mb.squeeze(x=mb.less(x=i, y=2))
        place = mb.squeeze(x=i)
        ls = mb.list_scatter(
            ls=mb.make_list(init_length=2, dynamic_length=False, elem_shape=(1,)),
            indices=[0, 1],
            value=np.array([[10], [11]], F32),
        )
        return mb.cond(
            pred=inside,
            _true_fn=lambda: mb.add(x=x, y=mb.list_read(ls=ls, index=place)),
            _false_fn=lambda: mb.mul(x=x, y=F32(2)),
        )

    inputs = {"i": np.array([index], np.int32), "x": f32(1)}
    (result,) = predict(build, inputs, tmp_path)
    assert result.tolist() == [12 if index < 2 else 2]


@pytest.mark.parametrize("exponent", [0, 1, 9])
def test_while_loop_runs_as_often_as_its_condition_says(exponent, tmp_path):
    def build(x, n):
        def proceed(count, power):
            return mb.less(x=count, y=n)

        def body(count, power):
            return mb.add(x=count, y=F32(1)), mb.mul(x=power, y=x)

        start = (np.zeros(1, F32), np.ones(1, F32))
        return mb.while_loop(_cond=proceed, _body=body, loop_vars=start)[1]

    (result,) = predict(build, {"x": f32(3), "n": f32(exponent)}, tmp_path)
    assert result.tolist() == [3.0**exponent]


def test_nested_loops_against_python(tmp_path):
    def build(x, y):
        def inner_cond(i):
            return mb.less(x=mb.mul(x=i, y=i), y=y)

        def inner_body(i):
            return mb.add(x=i, y=F32(1))

        def cond(i, j):
            return mb.less(x=j, y=y)

        def body(i, j):
            reached = mb.while_loop(_cond=inner_cond, _body=inner_body, loop_vars=(i,))
            return mb.add(x=reached, y=F32(0.25)), mb.add(x=j, y=reached)

        return mb.while_loop(_cond=cond, _body=body, loop_vars=(x, x))

    i = j = 0.5
    while j < 40:
        while i * i < 40:
            i += 1
        i, j = i + 0.25, j + i
    results = predict(build, {"x": f32(0.5), "y": f32(40)}, tmp_path)
    assert [r.item() for r in results] == [i, j]


def test_loop_of_newton_steps_finds_the_square_root(tmp_path):
    def build(x):
        def cond(root, count):
            return mb.less(x=count, y=20)

        def body(root, count):
            quotient = mb.real_div(x=x, y=root)
            return mb.mul(x=mb.add(x=root, y=quotient), y=F32(0.5)), mb.add(x=count, y=1)

        return mb.while_loop(_cond=cond, _body=body, loop_vars=(np.ones(3, F32), 0))[0]

    x = f32(2, 3, 1e4)
    (result,) = predict(build, {"x": x}, tmp_path)
    np.testing.assert_allclose(result, [math.sqrt(v) for v in x], rtol=1e-7)


def test_fp16_loop_rounds_in_every_iteration(tmp_path):
    def build(x):
        x = mb.cast(x=x, dtype="fp16")

        def cond(total, count):
            return mb.less(x=count, y=8)

        def body(total, count):
            return mb.add(x=total, y=x), mb.add(x=count, y=1)

        total = mb.while_loop(_cond=cond, _body=body, loop_vars=(np.float16([2048]), 0))[0]
        return mb.cast(x=total, dtype="fp32")

    inputs = {"x": f32(1)}  # 2048 + 1 is no fp16 number and rounds to 2048
    (strict,) = predict(build, inputs, tmp_path)
    (wide,) = predict(build, inputs, tmp_path, precision="wide")
    assert (strict.item(), wide.item()) == (2048, 2056)


def list_of(*elements, grows=True):
    return TensorList(tuple(f32(e) for e in elements), f32(0), grows)


def values(ls):
    return [e.item() for e in ls.elements]


@pytest.mark.parametrize(
    ("before", "indices", "new", "after"),
    [
        ([1, 2, 3], [1], [9], [1, 9, 3]),
        ([1, 2, 3], [2, 0], [9, 8], [8, 2, 9]),
        ([1], [1], [9], [1, 9]),
        ([1], [3], [9], [1, 0, 0, 9]),
        ([1], [2, 4], [9, 8], [1, 0, 9, 0, 8]),
        ([1, 2], [0, 0], [9, 8], [8, 2]),
        ([1, 2], [], [], [1, 2]),
        ([], [0], [9], [9]),
    ],
)
def test_list_scatter_and_write(before, indices, new, after):
    ls = list_of(*before)
    result = operator("list_scatter")(ls, np.array(indices, np.int32), f32(*new).reshape(-1, 1))
    assert values(result) == after
    assert values(ls) == before
    for index, value in zip(indices, new, strict=True):
        ls = operator("list_write")(ls, np.array(index, np.int32), f32(value))
    assert values(ls) == after
    assert operator("list_length")(ls) == len(after)


def test_list_gather_and_read():
    ls = list_of(5, 6, 7)
    gathered = operator("list_gather")(ls, np.array([2, 0, 2], np.int32))
    assert gathered.tolist() == [[7], [5], [7]]
    assert operator("list_read")(ls, np.array(1, np.int32)).tolist() == [6]
    assert operator("list_gather")(ls, np.zeros(0, np.int32)).shape == (0, 1)


@pytest.mark.parametrize("index", [-1, 3])
def test_list_has_nothing_outside(index):
    with pytest.raises(IndexError):
        operator("list_read")(list_of(5, 6, 7), np.array(index))
    with pytest.raises(IndexError):
        operator("list_gather")(list_of(5, 6, 7), np.array([0, index]))
    with pytest.raises(IndexError):
        operator("list_write")(list_of(5, 6, 7, grows=False), np.array(index), f32(1))


@pytest.mark.parametrize(
    ("dtype", "expected"), [("fp32", F32), ("fp16", np.float16), ("int32", np.int32)]
)
def test_make_list_is_zero_in_its_declared_type(dtype, expected):
    ls = operator("make_list")((np.int32(2), np.int32(3)), init_length=np.int32(2), dtype=dtype)
    gathered = operator("list_gather")(ls, np.array([0, 1]))
    assert (gathered.dtype, gathered.shape, gathered.any()) == (expected, (2, 2, 3), False)


def test_element_of_open_shape_is_known_once_written():
    ls = operator("make_list")(("size", np.int32(2)), init_length=2)
    ls = operator("list_write")(ls, np.array(1), np.ones((3, 2), F32))
    assert operator("list_read")(ls, np.array(1)).shape == (3, 2)
    with pytest.raises(ValueError, match="has not been written"):
        operator("list_read")(ls, np.array(0))


def test_list_filled_in_a_loop_against_numpy(tmp_path):
    def build(x, n):
        def cond(i, ls):
            return mb.less(x=i, y=mb.squeeze(x=n))

        def body(i, ls):
            scaled = mb.mul(x=x, y=mb.cast(x=i, dtype="fp32"))
            return mb.add(x=i, y=1), mb.list_write(ls=ls, index=i, value=scaled)

        ls = mb.make_list(init_length=1, elem_shape=(2, 2))
        ls = mb.while_loop(_cond=cond, _body=body, loop_vars=(0, ls))[1]
        length = mb.list_length(ls=ls)
        return mb.list_gather(ls=ls, indices=mb.range_1d(start=0, end=length, step=1)), length

    x = f32(1, 2, 3, 4).reshape(2, 2)
    gathered, length = predict(build, {"x": x, "n": np.array([6], np.int32)}, tmp_path)
    np.testing.assert_array_equal(gathered, np.arange(6)[:, None, None] * x)
    assert length.tolist() == [6]


def test_writing_outside_a_fixed_list_is_an_invalid_model(tmp_path):
    def build(x):
        ls = mb.make_list(init_length=2, dynamic_length=False, elem_shape=(1,))
        return mb.list_read(ls=mb.list_write(ls=ls, index=2, value=x), index=0)

    program = convert(build, [mb.TensorSpec((1,), types.fp32)], tmp_path)
    with pytest.raises(InvalidModel, match="list_write"):
        program.predict({"x": f32(1)})
