from __future__ import annotations

from exportcheck.selection import Selection, all_cases, choose, current_toolchain
from tests.bench.cells import cells, selects


def test_a_share_is_whole_batches_with_every_target():
    whole, share = cells(), cells(8)
    assert whole == all_cases(current_toolchain())
    assert 8 * len(share) - len(whole) in range(8 * 12)
    assert {(c.target, c.runtime) for c in share} == {(c.target, c.runtime) for c in whole}
    assert set(cells(8)) < set(cells(4)) < set(cells(2)) < set(whole)


def test_the_command_line_takes_the_same_cells():
    share = cells(16)
    patterns = selects(share)[1::2]
    assert choose(Selection(select=patterns), all_cases(current_toolchain())) == share


def test_the_whole_is_asked_for_as_people_do_it():
    assert selects(cells()) == []
