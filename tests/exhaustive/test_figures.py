from __future__ import annotations

import json

import pytest

from exportcheck.exhaustive.figures import (
    Figures,
    Gap,
    Judged,
    RunFigures,
    figures_from_json,
)

NEGATIVE = 0x80000000


def some() -> Figures:
    run = RunFigures(
        Gap(3, (7, 8, 9), 5, 1, 2, 4), Gap(), Judged(2, (7, 8, 9), {"finite": 2}, {"nan-made": 1})
    )
    return Figures(Gap(1, (4, 5, 6)), {"onnx/ort": run, "other/ort": RunFigures()})


def test_figures_survive_json():
    assert figures_from_json(json.loads(json.dumps(some().to_json()))) == some()


def test_figures_add_up():
    total = Figures()
    total.add(some())
    total.add(some())
    run = total.runs["onnx/ort"]
    assert (run.eager.ulp, run.eager.differ, run.eager.nan, run.eager.inf) == (3, 10, 2, 4)
    assert run.eager.signs == 8
    assert (run.judged.wrong, run.judged.kinds) == (4, {"finite": 4})
    assert run.judged.noted == {"nan-made": 2}


@pytest.mark.parametrize("swap", [False, True])
def test_of_equal_errors_the_one_nearest_zero_stays_whatever_the_order(swap):
    points = [(5, 1, 1), (NEGATIVE | 4, 2, 2), (4, 3, 3)]
    gap, judged = Gap(), Judged()
    for point in reversed(points) if swap else points:
        gap.add(Gap(2, point))
        judged.add(Judged(1, point))
    assert gap.at == judged.first == (4, 3, 3)


def test_a_larger_error_wins_and_none_changes_nothing():
    gap = Gap(2, (1, 1, 1))
    gap.add(Gap(3, (9, 9, 9)))
    gap.add(Gap())
    assert (gap.ulp, gap.at) == (3, (9, 9, 9))
    judged = Judged(1, (1, 1, 1))
    judged.add(Judged())
    assert judged.first == (1, 1, 1)


@pytest.mark.parametrize("wrong", [{}, {"eager": []}, {"eager": [1], "runs": {"a": [1]}}])
def test_what_is_no_figures_is_refused(wrong):
    with pytest.raises((KeyError, TypeError, ValueError)):
        figures_from_json(wrong)
