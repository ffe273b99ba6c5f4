from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from exportcheck.compare import TOLERANCES
from exportcheck.inputs import InputClass
from exportcheck.judge import compared, described, failing, notes_of, verdict
from exportcheck.results import Status
from exportcheck.subject import Expected, subject
from tests.conftest import comparison

TOLERANCE = TOLERANCES["float32", "bare"]
RELU = subject("relu", "bare")


def judged(given, actual, expected, truth=None):
    outputs = Expected((expected,), (expected.astype(np.float64) if truth is None else truth,))
    return dict(compared(RELU, given, actual, outputs, TOLERANCE))


def values(*numbers):
    return np.array(numbers, np.float32)


GRID = InputClass("grid", (values(-1, 0, 2),), gates=True)


@pytest.mark.parametrize(
    ("actual", "kind"),
    [
        ((values(0, 0, 2), values(0)), "outputs"),
        ((), "outputs"),
        ((values(0, 0, 2).reshape(3, 1),), "shape"),
        ((values(0, 0, 2).astype(np.float16),), "dtype"),
        ((values(0, 0, 2).astype(np.float64),), "dtype"),
        ((values(0, np.nan, 2),), "nan-made"),
        ((values(0, 0, np.inf),), "inf-made"),
        ((values(2, 0, 0),), "finite"),
    ],
)
def test_what_is_not_the_same_output_never_passes(actual, kind):
    found = judged(GRID, actual, values(0, 0, 2))
    assert kind in found["grid"].kinds
    assert verdict(found)[0] is Status.MISMATCH


def test_what_cannot_be_compared_is_said_once_and_in_words():
    given = [GRID, InputClass("tails", (values(-9, 0, 9),), gates=True)]
    one, other = values(0, 0, 2), values(0, 0, 2).astype(np.int64)

    def said(actual, *eager):
        expected = Expected(eager, (None,) * len(eager))
        pairs = (p for c in given for p in compared(RELU, c, actual, expected, TOLERANCE))
        return verdict(dict(pairs))[1]

    assert said((one,), other) == "float32 where eager gives int64"
    assert said((one, one), one, other) == "output 1: float32 where eager gives int64"
    assert said((one, one), one, one, one) == "2 outputs where eager gives 3"
    assert said((one,), one[:2]) == "shape (3,) where eager gives (2,)"


def test_what_eager_makes_nan_of_is_judged_apart_and_gates_only_when_strict():
    given = InputClass("infinities", (values(np.inf, -np.inf),), gates=True)
    found = judged(given, (values(np.inf, 0),), values(np.inf, np.nan))
    assert list(found) == ["infinities", "infinities to nan"]
    assert verdict(found)[0] is Status.PASS
    assert notes_of(found) == (
        "infinities to nan: nan-lost 1 of 1: 0 where eager gives nan at x = -inf",
    )
    strict = dataclasses.replace(given, strict=True)
    assert verdict(judged(strict, (values(np.inf, 0),), values(np.inf, np.nan)))[0] is (
        Status.MISMATCH
    )


def test_an_infinity_lost_gates():
    given = InputClass("infinities", (values(np.inf, -np.inf),), gates=True)
    largest = np.finfo(np.float32).max
    found = judged(given, (values(largest, 0),), values(np.inf, 0))
    assert verdict(found)[0] is Status.MISMATCH
    assert found["infinities"].kinds == {"inf-lost": 1}


@pytest.mark.parametrize(
    ("actual", "expected", "status"),
    [
        (-np.inf, -37.97, Status.MISMATCH),
        (np.nan, 0.0, Status.MISMATCH),
        (-30.0, -37.97, Status.PASS),
        (np.inf, 3e38, Status.PASS),
        (np.nan, np.inf, Status.PASS),
    ],
)
def test_an_infinity_for_an_ordinary_number_fails_where_only_that_does(actual, expected, status):
    given = InputClass("scaled", (values(1, 2),), gates=False, finite=True)
    found = judged(given, (values(1, actual),), values(1, expected))
    assert verdict(found)[0] is status
    plain = dataclasses.replace(given, finite=False)
    assert verdict(judged(plain, (values(1, actual),), values(1, expected)))[0] is Status.PASS


def test_an_overflow_that_float64_has_too_fails_nothing():
    given = InputClass("scaled", (values(1, 2),), gates=False, finite=True)
    truth = np.array([1.0, np.inf])
    found = judged(given, (values(1, np.inf),), values(1, 5), truth)
    assert verdict(found)[0] is Status.PASS


def test_the_worst_class_is_told_first():
    found = {
        "grid": comparison(close=False, error=0.1, kinds={"finite": 3}),
        "tails": comparison(close=False, error=7.0, kinds={"finite": 5}),
        "nan": comparison(close=False, gates=False, kinds={"nan-lost": 1}),
    }
    status, message = verdict(found)
    assert status is Status.MISMATCH
    assert message == "tails: finite 5 of 4096; grid: finite 3 of 4096"
    assert notes_of(found) == ("nan: nan-lost 1 of 4096",)


def test_harmless_kinds_are_noted():
    found = {"grid": comparison(kinds={"vanished": 7})}
    assert verdict(found) == (Status.PASS, "")
    assert notes_of(found) == ("grid: vanished 7 of 4096",)


def test_a_cause_is_the_innermost_error_without_terminal_codes():
    outer = ValueError("\x1b[96mouter\x1b[0m")
    outer.__cause__ = KeyError("inner")
    assert described(outer) == "KeyError: 'inner' (raised as ValueError)"
    assert described(ValueError("\x1b[96m plain\x1b[0m")) == "ValueError: plain"


def test_a_tensor_in_a_message_does_not_break_it():
    tensor = torch.ones(2, 3, requires_grad=True) * 2
    error = RuntimeError(f"Cannot infer type of {{'y': {tensor}}}\nand so on")
    assert described(error) == "RuntimeError: Cannot infer type of {'y': tensor(…)}\nand so on"
    printed = "output 1 (3.5\n[ torch.DoubleTensor{} ]) of traced region"
    assert described(RuntimeError(printed)) == "RuntimeError: output 1 (3.5) of traced region"
    sized = torch.zeros(2, 0)
    assert described(RuntimeError(f"{sized}!")) == "RuntimeError: tensor(…)!"


def test_an_error_without_words_is_told_by_the_line_that_raised_it():
    def refuse(inputs):
        assert len(inputs) == 1

    assert described(AssertionError()) == "AssertionError: "
    with pytest.raises(AssertionError) as caught:
        refuse(())
    bare = AssertionError().with_traceback(caught.value.__traceback__)
    assert described(bare) == "AssertionError: assert len(inputs) == 1"


SPECIAL = [0.0, -0.0, 1.0, 1.0000001, 1.1, -1.0, np.inf, -np.inf, np.nan, 1e-42, 3e38]


@pytest.mark.parametrize("name", ["grid", "infinities", "nan", "zeros", "largest"])
@pytest.mark.parametrize("seed", range(40))
def test_the_failing_points_are_those_that_the_comparison_counts(name, seed):
    random = np.random.RandomState(seed)
    gates = bool(random.randint(2))
    # What is strict gates; only numbers are held to be finite, and only where nothing else gates.
    strict = gates and bool(random.randint(2))
    finite = not gates and name in ("grid", "largest") and bool(random.randint(2))
    array = values(*random.choice(SPECIAL, 24))
    given = InputClass(name, (array,), gates=gates, strict=strict, finite=finite)
    actual, eager = (values(*random.choice(SPECIAL, 24)) for _ in range(2))
    truth = np.where(random.randint(2, size=24), eager, actual).astype(np.float64)
    found = judged(given, (actual,), eager, truth)
    outputs = Expected((eager,), (truth,))
    (mask,) = failing(RELU, given, (actual,), outputs, TOLERANCE)
    assert mask.any() == any(c.gates and not c.close for c in found.values())
    if given.gates:
        assert mask.sum() == sum(c.mismatched for c in found.values() if c.gates)


@pytest.mark.parametrize(
    "actual", [(), (values(1, 2),), (values(0, 0, 2).astype(np.float64),), (values(0),) * 2]
)
def test_every_point_of_what_cannot_be_compared_fails(actual):
    outputs = Expected((values(0, 0, 2),), (None,))
    (mask,) = failing(RELU, GRID, actual, outputs, TOLERANCE)
    assert mask.tolist() == [True] * 3
