"""The points of a case that differs: two classes, the second of two batches, two outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from exportcheck.compare import TOLERANCES
from exportcheck.inputs import InputClass
from exportcheck.judge import compared
from exportcheck.mismatch import Mismatch
from exportcheck.subject import Expected
from exportcheck.targets import targets

GRID = InputClass("grid", (np.arange(4, dtype=np.float32),), gates=True)
TAILS = InputClass("tails", (np.arange(8, dtype=np.float32) * 100,), gates=True, count=2)
RIGHT = InputClass("knees", (np.zeros(4, np.float32),), gates=True)
TOLERANCE = TOLERANCES["float32", "bare"]


class Doubling:
    """Gives 2x and -x."""

    elementwise = False

    def expected(self, precision):
        def answer(given):
            outputs = (given.values * 2, -given.values)
            return Expected(outputs, tuple(o.astype(np.float64) for o in outputs))

        return {c.name: answer(c) for c in (GRID, RIGHT, TAILS)}


def right(inputs):
    return inputs[0] * 2, -inputs[0]


def wrong(inputs):
    """The second output is off from 3 on, more and more."""
    (x,) = inputs
    return x * 2, np.where(x >= 3, 1 - 2 * x, -x)


def case_of(run):
    what, inputs = Doubling(), (GRID, RIGHT, TAILS)
    outputs = {c.name: c.through(run) for c in inputs}
    comparisons = dict(
        pair
        for c in inputs
        for pair in compared(what, c, outputs[c.name], what.expected("")[c.name], TOLERANCE)
    )
    target = targets()["onnx-trace-opset17"]
    return Mismatch(
        what, inputs, target, target.runtimes[0], Path(), run, outputs, comparisons, TOLERANCE
    )


CASE = case_of(wrong)
"""Points: 4 and 4 of the grid, 8 and 8 of the tails."""

WRONG = [0] * 7 + [1] + [0] * 9 + [1] * 7


def test_the_points_are_those_of_the_failing_classes_one_output_after_the_other():
    assert [c.name for c in CASE.classes] == ["grid", "tails"]
    assert CASE.class_names.tolist() == ["grid"] * 8 + ["tails"] * 16
    assert CASE.failing.astype(int).tolist() == WRONG


def test_another_way_is_right_or_repeats_what_is_wrong():
    answers = CASE.answers(right)
    assert not CASE.wrong(answers).any()
    assert CASE.repeated(answers).astype(int).tolist() == [1 - one for one in WRONG]
    assert CASE.repeated(CASE.answers(wrong)).all()


@pytest.mark.parametrize(
    "run", [lambda inputs: right(inputs)[:1], lambda inputs: tuple(o[:1] for o in right(inputs))]
)
def test_what_has_another_shape_is_wrong_and_repeats_nothing_of_what_it_lacks(run):
    answers = CASE.answers(run)
    assert CASE.wrong(answers)[CASE.failing].all()
    assert not CASE.repeated(answers)[CASE.failing].any()


def test_a_wrong_shape_is_repeated_as_a_whole():
    def flat(inputs):
        return tuple(o[None] for o in right(inputs))

    case = case_of(flat)
    assert case.failing.all()
    assert case.repeated(case.answers(flat)).all()
    assert not case.repeated(case.answers(right)).any()


def test_the_batch_of_some_points_is_that_of_the_worst_of_them():
    (array,) = CASE.batch_at(CASE.failing)
    assert array.tolist() == [400.0, 500.0, 600.0, 700.0]
    (array,) = CASE.batch_at(CASE.failing & (CASE.class_names == "grid"))
    assert array.tolist() == [0.0, 1.0, 2.0, 3.0]
    few = CASE.failing.copy()
    few[20:] = False
    (array,) = CASE.batch_at(few)
    assert array.tolist() == [0.0, 100.0, 200.0, 300.0]


def test_float64_may_be_nearer_to_the_export():
    assert not CASE.nearer()[CASE.failing].any()
