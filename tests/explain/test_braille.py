from __future__ import annotations

import math

from exportcheck.explain.braille import Canvas


def drawn(canvas):
    return ["".join(character for character, _ in row).rstrip() for row in canvas.rows()]


def test_a_diagonal_is_a_dot_in_every_column():
    canvas = Canvas(2, 1, (0.0, 3.0), (0.0, 3.0))
    canvas.line([(0.0, 0.0), (3.0, 3.0)], 1)
    assert drawn(canvas) == ["\u2860\u280a"]


def test_what_is_not_finite_and_a_jump_stay_open():
    canvas = Canvas(4, 2, (0.0, 1.0), (0.0, 1.0))
    canvas.line([(0.0, 0.5), (0.5, math.nan), (1.0, math.inf)], 1)
    canvas.line([(0.5, 0.0), (0.5 + 1e-6, 1.0)], 1)
    assert drawn(canvas) == ["", ""]


def test_the_lower_layer_shows():
    canvas = Canvas(1, 1, (0.0, 1.0), (0.0, 1.0))
    canvas.line([(0.0, 0.0), (1.0, 0.0)], 2)
    canvas.line([(0.0, 1.0), (1.0, 1.0)], 1)
    canvas.line([(0.0, 0.5), (1.0, 0.5)], 3)
    assert canvas.rows() == [[("\u2809", 1)]]


def test_what_lies_outside_is_left_out():
    canvas = Canvas(2, 1, (0.0, 1.0), (0.0, 1.0))
    canvas.line([(0.0, 5.0), (1.0, 5.0)], 1)
    assert drawn(canvas) == [""]
