from __future__ import annotations

import numpy as np

from exportcheck.exhaustive.judging import Suspects, gates, judge

F = np.float32


def suspects(points) -> Suspects:
    x, a, e, truth = (np.array(side) for side in zip(*points, strict=True))
    return Suspects(x.astype(F), a.astype(F), e.astype(F), truth.astype(float))


def test_what_gates():
    x = np.array([0.0, 1e-45, 1.0, 1e30, 1.1e30, np.inf, -np.inf, np.nan], F)
    e = np.array([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, np.nan, np.nan], F)
    assert gates(x, e).tolist() == [False, False, True, True, False, True, False, False]
    for beyond in ([1.1e30, 3e38], [-1.1e30, -3e38]):
        assert not gates(np.array(beyond, F), np.ones(2, F)).any()
    assert gates(np.array([3e38, np.inf], F), np.ones(2, F)).tolist() == [False, True]


def test_within_tolerance_nothing_is_wrong():
    judged = judge(suspects([(-16.0, -0.0, -1.8e-6, -1.8e-6)]), 1e30, exact=False)
    assert (judged.wrong, judged.kinds, judged.noted) == (0, {}, {})


def test_the_first_wrong_point_is_named():
    points = [
        (1.0, 1.0, 1.0, 1.0),
        (2.0, 2.5, 2.0, 2.0),
        (3.0, np.nan, 3.0, 3.0),
        (4.0, 9.0, 4.0, 4.0),
    ]
    judged = judge(suspects(points), 10.0, exact=False)
    assert judged.wrong == 3
    assert judged.kinds == {"finite": 2, "nan-made": 1}
    assert judged.first == tuple(int(F(v).view(np.uint32)) for v in (2.0, 2.5, 2.0))


def test_beyond_what_gates_it_is_noted():
    points = [(2e30, np.inf, 1.0, 1.0), (np.nan, 1.0, np.nan, np.nan)]
    judged = judge(suspects(points), 10.0, exact=False)
    assert (judged.wrong, judged.first, judged.kinds) == (0, None, {})
    assert judged.noted == {"inf-made": 1, "nan-lost": 1}


def test_where_eager_alone_is_off_the_truth_excuses():
    points = [(7e37, 7e37, np.inf, 7e37)]
    for exact in (False, True):
        assert judge(suspects(points), 1e38, exact=exact).noted == {"eager-off": 1}


def test_without_a_truth_nothing_is_excused():
    one = suspects([(7.0, 7.0, np.inf, 7.0)])
    bare = Suspects(one.x, one.a, one.e, None)
    assert judge(bare, 1e38, exact=False).wrong == 1
