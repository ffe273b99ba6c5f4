"""A few pieces of the line, with functions whose figures are known beforehand."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures
from exportcheck.exhaustive.gauge import NEAR
from exportcheck.exhaustive.prover import Prover, Proving

F = np.float32
SHAPE = (2, 8, 64, 64)
ONE = 0x3F800000 // line.PIECE
"""The piece that begins at 1.0."""


class Twice(torch.nn.Module):
    def forward(self, x):
        return x * 2


class Clamp(torch.nn.Module):
    def forward(self, x):
        return x.clamp_(0, 6)


def proving(run, module=Twice, **options) -> Proving:
    options = {"shape": SHAPE, "in_place": False, "wide": True, **options}

    @np.errstate(all="ignore")
    def answer(arrays):
        return (run(arrays[0]),)

    return Proving(build=module, load={"t/r": lambda: answer}, **options)


def figures_of(pieces, run, **options) -> Figures:
    prover = Prover(proving(run, **options))
    prover.largest = 1e38
    total = Figures()
    for piece in pieces:
        total.add(prover.measure(piece))
    return total


def test_the_same_function_is_the_same_at_every_number_of_every_piece():
    pieces = [0, ONE, 2048, 2048 + ONE, line.COUNT - 1, 0x7F800000 // line.PIECE]
    run = figures_of(pieces, lambda x: x * F(2)).runs["t/r"]
    assert (run.eager.ulp, run.eager.differ, run.eager.nan, run.eager.inf) == (0, 0, 0, 0)
    assert run.judged.wrong == 0
    assert run.truth.ulp == 0


def test_one_wrong_number_of_a_million_is_found():
    odd = np.uint32((ONE + 1) * line.PIECE - 5)

    def run(x):
        y = x * F(2)
        y[x.view(np.uint32) == odd] = 7.0
        return y

    found = figures_of([ONE], run).runs["t/r"]
    wanted = (int(odd), int(F(7).view(np.uint32)), int(odd) + 2**23)
    assert found.judged.wrong == found.eager.differ == 1
    assert found.judged.first == found.eager.at == wanted


def test_one_step_is_one_ulp_at_every_number():
    found = figures_of([ONE], lambda x: (x * F(2)).view(np.int32).__add__(1).view(F)).runs["t/r"]
    assert (found.eager.ulp, found.eager.differ) == (1, line.PIECE)
    assert found.eager.at == (
        ONE * line.PIECE,
        ONE * line.PIECE + 2**23 + 1,
        ONE * line.PIECE + 2**23,
    )
    assert (found.truth.ulp, found.judged.wrong) == (1, 0)


class Off(torch.nn.Module):
    """In float32 five steps too large at first, three in the piece's second half."""

    def forward(self, x):
        if x.dtype == torch.float64:
            return x * 2
        steps = torch.where(x.view(torch.int32) < HALF, 5, 3).int()
        return ((x * 2).view(torch.int32) + steps).view(torch.float32)


HALF = ONE * line.PIECE + line.PIECE // 2


def test_what_is_the_same_as_eager_is_as_far_from_the_truth_at_the_same_place():
    def run(x):
        y = (x * F(2)).view(np.int32)
        return np.where(x.view(np.int32) < HALF, y, y + np.int32(3)).view(F)

    found = figures_of([ONE], run, module=Off)
    assert found.eager.ulp == 5
    assert found.runs["t/r"].eager.differ == line.PIECE // 2
    assert found.runs["t/r"].truth.ulp == 3
    assert found.runs["t/r"].truth.at == (HALF, HALF + 2**23 + 3, HALF + 2**23)


def test_several_runtimes_do_not_disturb_each_other():
    """One near eager and the truth, one near eager only, one near neither."""

    def steps(count):
        def run(arrays):
            return ((arrays[0] * F(2)).view(np.int32).__add__(np.int32(count)).view(F),)

        return lambda: run

    counts = {"a": 1, "b": NEAR + 3, "c": 1000, "d": 2}
    plan = proving(None, module=Off)
    load = {name: steps(count) for name, count in counts.items()}
    prover = Prover(dataclasses.replace(plan, load=load))
    found = prover.measure(ONE)
    for name, count in counts.items():
        assert found.runs[name].truth.ulp == count
        assert found.runs[name].eager.ulp == max(abs(count - 5), abs(count - 3))


def test_nan_and_infinity_are_counted_apart():
    piece = 0x7F800000 // line.PIECE  # infinity, then NaN
    found = figures_of([piece], np.zeros_like).runs["t/r"]
    assert (found.eager.inf, found.eager.nan) == (1, line.PIECE - 1)
    assert found.judged.wrong == 1  # the infinity; what NaN becomes is noted
    assert found.judged.noted == {"nan-lost": line.PIECE - 1}


def test_zeros_of_unlike_sign_are_counted_apart():
    found = figures_of([2048 + ONE], lambda x: np.zeros_like(x) - F(0), module=Clamp, in_place=True)
    run = found.runs["t/r"]
    signs = run.eager.signs
    again = figures_of([2048 + ONE], lambda x: -np.zeros_like(x), module=Clamp, in_place=True)
    assert {signs, again.runs["t/r"].eager.signs} == {0, line.PIECE}
    assert (run.eager.ulp, run.eager.differ, run.judged.wrong) == (0, 0, 0)


def test_a_module_that_writes_to_its_input_spoils_nobody_elses():
    found = figures_of([2048 + ONE], lambda x: x.clip(0, 6), module=Clamp, in_place=True)
    assert found.runs["t/r"].eager.differ == 0


def test_a_size_that_does_not_divide_a_piece_counts_every_number_once():
    found = figures_of(
        [ONE], lambda x: (x * F(2)).view(np.int32).__add__(1).view(F), shape=(3, 1000)
    )
    assert found.runs["t/r"].eager.differ == line.PIECE


def test_without_a_truth_eager_is_all_there_is():
    found = figures_of([ONE], lambda x: x * F(2), wide=False)
    assert found.eager == Figures().eager
    assert found.runs["t/r"].eager.differ == 0


def test_any_numbers_can_be_asked_for():
    prover = Prover(proving(lambda x: x * F(2)))
    bits = np.resize(np.array([1.0, np.inf, -3.0], F).view(np.int32), prover.size)
    answers = prover.answers_to(bits)
    assert answers.eager[:3].tolist() == [2.0, np.inf, -6.0]
    assert answers.truth.dtype == np.float64
