from __future__ import annotations

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types

from exportcheck.errors import InvalidModel
from tests.mil.support import convert

SPECS = [mb.StateTensorSpec((2,), types.fp16), mb.TensorSpec((2,), types.fp16)]


def accumulate(kept, x):
    return mb.coreml_update_state(state=kept, value=mb.add(x=mb.read_state(input=kept), y=x))


def test_state_lives_from_one_prediction_to_the_next(tmp_path):
    program = convert(accumulate, SPECS, tmp_path, fp16=True)
    assert {"read_state", "write_state"} <= program.operators.keys()
    first, second = program.make_state(), program.make_state()
    x = np.array([1, 2], np.float16)
    seen = [next(iter(program.predict({"x": x}, first).values())).tolist() for _ in range(3)]
    assert seen == [[1, 2], [2, 4], [3, 6]]
    assert first["kept"].tolist() == [3, 6]
    assert second["kept"].tolist() == [0, 0]
    program.predict({"x": x}, second)
    assert second["kept"].tolist() == [1, 2]


def test_what_was_read_stays_what_it_was(tmp_path):
    def build(kept, x):
        before = mb.read_state(input=kept)
        after = mb.coreml_update_state(state=kept, value=x)
        return mb.sub(x=after, y=before), before

    program = convert(build, SPECS, tmp_path, fp16=True)
    state = program.make_state()
    program.predict({"x": np.array([5, 7], np.float16)}, state)
    old = state["kept"]
    outputs = program.predict({"x": np.array([6, 6], np.float16)}, state)
    assert [v.tolist() for v in outputs.values()] == [[1, -1], [5, 7]]
    assert (old.tolist(), state["kept"].tolist()) == ([5, 7], [6, 6])


@pytest.mark.parametrize("precision", ["strict", "wide"])
def test_state_is_fp16_whatever_lies_between(precision, tmp_path):
    def build(kept, x):
        third = mb.real_div(x=x, y=np.float16([3, 3]))
        return mb.coreml_update_state(state=kept, value=third)

    program = convert(build, SPECS, tmp_path, precision=precision, fp16=True)
    state = program.make_state()
    program.predict({"x": np.array([1, np.inf], np.float16)}, state)
    assert state["kept"].dtype == np.float16
    np.testing.assert_array_equal(state["kept"], np.float16([1 / 3, np.inf]))


def test_state_written_in_one_branch_and_in_a_loop(tmp_path):
    def build(kept, x):
        def body(i):
            accumulate(kept, x)
            return mb.add(x=i, y=1)

        def in_loop():
            return mb.while_loop(_cond=lambda i: mb.less(x=i, y=4), _body=body, loop_vars=(0,))

        large = mb.squeeze(x=mb.greater(x=mb.reduce_max(x=x, keep_dims=True), y=np.float16(1)))
        # Its output is used, else coremltools removes the whole branch.
        rounds = mb.cond(pred=large, _true_fn=in_loop, _false_fn=lambda: mb.const(val=0))
        return mb.read_state(input=kept), rounds

    program = convert(build, SPECS, tmp_path, fp16=True)
    state = program.make_state()
    program.predict({"x": np.array([1, 0], np.float16)}, state)
    assert state["kept"].tolist() == [0, 0]
    program.predict({"x": np.array([2, 3], np.float16)}, state)
    assert state["kept"].tolist() == [8, 12]


def test_state_that_does_not_fit_is_refused(tmp_path):
    program = convert(accumulate, SPECS, tmp_path, fp16=True)
    x = np.ones(2, np.float16)
    with pytest.raises(InvalidModel, match="make_state"):
        program.predict({"x": x})
    with pytest.raises(InvalidModel, match="read_state"):
        program.predict({"x": x}, {"other": np.zeros(2, np.float16)})
    with pytest.raises(InvalidModel, match="shape"):
        program.predict({"x": x}, {"kept": np.zeros(3, np.float16)})


def test_write_of_another_shape_is_refused(tmp_path):
    program = convert(lambda kept, x: mb.coreml_update_state(state=kept, value=x), SPECS, tmp_path)
    with pytest.raises(InvalidModel, match=r"shape \(2,\) for state 'kept' of shape \(3,\)"):
        program.predict({"x": np.ones(2, np.float16)}, {"kept": np.zeros(3, np.float16)})
