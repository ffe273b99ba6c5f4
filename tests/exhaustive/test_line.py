from __future__ import annotations

import numpy as np

from exportcheck.exhaustive import line


def test_the_pieces_are_all_numbers_once():
    assert line.COUNT * line.PIECE == line.TOTAL == 2**32
    assert sorted(line.outward()) == list(range(line.COUNT))


def test_outward_begins_at_zero_with_both_signs_in_turn():
    sizes = [abs(line.number(line.first_bits(p))) for p in line.outward()]
    finite = [size for size in sizes if np.isfinite(size)]
    assert finite == sorted(finite)
    assert sizes[: len(finite)] == finite
    signs = [line.first_bits(p) >> 31 for p in line.outward()[:6]]
    assert signs == [0, 1, 0, 1, 0, 1]


def test_rightward_is_the_order_of_numbers_and_leaves_out_what_is_not_finite():
    starts = np.array([line.number(line.first_bits(p)) for p in line.rightward()])
    assert np.isfinite(starts).all()
    assert (np.diff(starts) >= 0).all()
    assert len(starts) == 2 * 255 * 2**23 // line.PIECE


def test_a_bit_pattern_is_a_float32_number():
    for value in (0.0, 1.0, -1.5, 3.4028235e38, 1e-45, np.inf, -np.inf):
        bits = int(np.float32(value).view(np.uint32))
        assert line.number(bits) == np.float32(value)
