from __future__ import annotations

import json

import numpy as np
import pytest

from exportcheck import curves
from exportcheck.compare import compare, tolerance_for
from exportcheck.results import Comparison
from exportcheck.subject import subject

GRID = np.linspace(-30, 30, 4096, dtype=np.float32)


def wrong_at(index, by=1.0):
    actual = GRID.copy()
    actual[index] += by
    return actual


def test_the_worst_point_is_kept_with_its_neighbours():
    drawn = curves.sample(GRID, wrong_at(1000), GRID, float(GRID[1000]))
    place = drawn.input.index(float(f"{GRID[1000]:.9g}"))
    near = [float(f"{x:.9g}") for x in GRID[1000 - 16 : 1000 + 17]]
    assert list(drawn.input[place - 16 : place + 17]) == near
    assert drawn.actual[place] - drawn.expected[place] == pytest.approx(1.0)
    assert drawn.ulp[place] == max(drawn.ulp) > 1e5


def test_points_are_few_and_rise():
    drawn = curves.sample(GRID, wrong_at(1000), GRID, float(GRID[1000]))
    assert len(drawn.input) <= curves.BUCKETS + 2 * curves.NEIGHBOURS + 1
    assert list(drawn.input) == sorted(set(drawn.input))
    assert len(set(map(len, (drawn.input, drawn.actual, drawn.expected, drawn.ulp)))) == 1


@pytest.mark.parametrize("index", [0, 77, 2048, 4095])
def test_every_stretch_shows_its_worst_point(index):
    drawn = curves.sample(GRID, wrong_at(index), GRID, None)
    assert len(drawn.input) == curves.BUCKETS
    assert max(drawn.ulp) > 1e5


def test_an_input_that_stands_at_many_places_shows_its_worst_answer():
    inputs = np.array([1, 2, 3, 1, 2, 3], np.float32)
    actual = np.array([1, 2, 3, 1, 5, 3], np.float32)
    drawn = curves.sample(inputs, actual, inputs, 2.0)
    assert drawn.input == (1.0, 2.0, 3.0)
    assert drawn.actual == (1.0, 5.0, 3.0)


def test_what_no_subtraction_can_size_is_infinitely_wrong():
    inputs = np.array([1, 2, 3, 4, 5, 6], np.float32)
    actual = np.array([np.nan, np.inf, 0, np.nan, np.inf, -np.inf], np.float32)
    expected = np.array([0, 0, np.nan, np.nan, np.inf, np.inf], np.float32)
    drawn = curves.sample(inputs, actual, expected, None)
    assert drawn.ulp == (np.inf, np.inf, np.inf, 0, 0, np.inf)


@pytest.mark.parametrize("inputs", [[0.0, -0.0], [np.nan, np.nan, np.nan], [np.inf, -np.inf, 1.0]])
def test_less_than_three_finite_inputs_are_no_curve(inputs):
    values = np.array(inputs, np.float32)
    assert curves.sample(values, values, values, None) is None


def test_every_float32_is_kept_exactly():
    drawn = curves.sample(GRID, GRID, GRID, None)
    assert {np.float32(x) for x in drawn.input} <= set(GRID)


def drawn_classes(name, change):
    """The classes drawn for an elementwise activation whose export changed eager's answers so."""
    what = subject(name, "bare")
    expected = what.expected("float32")
    outputs = {k: tuple(change(o) for o in e.outputs) for k, e in expected.items()}
    comparisons: dict[str, Comparison] = {
        c.name: compare(
            outputs[c.name][0],
            expected[c.name].outputs[0],
            tolerance_for("float32", "bare"),
            inputs=c.values if what.elementwise else None,
        )
        for c in what.inputs("float32")
    }
    return set(curves.curves(what, "float32", outputs, expected, comparisons))


def test_only_classes_that_differ_are_drawn():
    assert drawn_classes("relu", lambda y: y) == set()
    assert drawn_classes("relu", lambda y: np.minimum(y, np.float32(1e20))) == {"tails", "largest"}


def test_only_elementwise_functions_are_drawn():
    assert drawn_classes("softmax-dim1", lambda y: y + 1) == set()


def test_the_committed_functions_are_those_of_the_catalogue():
    """Numbers may differ in their last shown digit between builds of PyTorch."""
    committed, now = json.loads(curves.FUNCTIONS.read_text("utf-8")), curves.functions()
    assert list(committed) == list(now), "run: python -m exportcheck.curves"
    for family, function in now.items():
        for part, values in function.items():
            np.testing.assert_allclose(
                committed[family][part], values, rtol=2e-4, atol=1e-6, err_msg=family
            )


def test_a_function_is_drawn_to_both_sides_of_its_knees():
    drawn = curves.functions()["threshold-0.1-20"]
    left, right = (drawn["x"].index(0.1 + side * curves.KNEE_GAP) for side in (-1, 1))
    assert right == left + 1
    assert (drawn["y"][left], drawn["y"][right]) == (20.0, 0.1)
    assert (drawn["slope"][left], drawn["slope"][right]) == (0.0, 1.0)
