from __future__ import annotations

import numpy as np
import pytest
from coremltools.converters.mil.mil import Builder as mb
from scipy import stats

from exportcheck.mil import ir
from exportcheck.mil.evaluator import Context, Evaluator
from tests.mil.support import operator, predict

F32 = np.float32
MANY = np.array([200, 100], np.int32)


def draw(name, dtype="fp32", rounds=1, called="draw", **inputs):
    """What the operator gives, declared as `dtype`, when it is executed `rounds` times in a run."""
    output = ir.Named(called, ir.TensorType(dtype, ()))
    context = Context(ir.Operation(name, {}, (output,)), Evaluator("CoreML8"), {})
    results = [operator(name)(context=context, **inputs) for _ in range(rounds)]
    return results[0] if rounds == 1 else results


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-2.5, 4.0), (1e30, 3e30)])
@pytest.mark.parametrize("seed", [-1, 0, 12345])
def test_uniform_is_uniform(low, high, seed):
    drawn = draw("random_uniform", shape=MANY, low=F32(low), high=F32(high), seed=np.int32(seed))
    assert drawn.shape == (200, 100)
    assert low <= drawn.min() < drawn.max() < high
    reached = stats.kstest(drawn.ravel(), stats.uniform(low, high - low).cdf)
    assert reached.pvalue > 0.01


def test_uniform_rounded_to_fp16_stays_below_its_end():
    drawn = draw("random_uniform", dtype="fp16", shape=np.array([100_000]))
    assert drawn.astype(np.float16).max() == np.float16(1) - np.float16(2**-11)


@pytest.mark.parametrize("seed", [-1, 7])
def test_uniform_without_width_is_its_start(seed):
    drawn = draw("random_uniform", shape=np.array([3]), low=F32(0.1), high=F32(0.1), seed=seed)
    np.testing.assert_array_equal(drawn, F32([0.1] * 3))


@pytest.mark.parametrize(("mean", "stddev"), [(0.0, 1.0), (-3.0, 0.5)])
@pytest.mark.parametrize("seed", [-1, 0, 12345])
def test_normal_is_normal(mean, stddev, seed):
    drawn = draw("random_normal", shape=MANY, mean=F32(mean), stddev=F32(stddev), seed=seed)
    assert stats.kstest(drawn.ravel(), stats.norm(mean, stddev).cdf).pvalue > 0.01


def test_normal_without_width_is_its_mean():
    drawn = draw("random_normal", shape=np.array([2, 2]), mean=F32(3), stddev=F32(0))
    np.testing.assert_array_equal(drawn, np.full((2, 2), 3))


@pytest.mark.parametrize("prob", [0.0, 0.2, 0.5, 1.0])
@pytest.mark.parametrize("seed", [-1, 0, 12345])
def test_bernoulli_is_one_as_often_as_asked(prob, seed):
    drawn = draw("random_bernoulli", shape=MANY, prob=F32(prob), seed=seed)
    assert set(np.unique(drawn)) <= {0, 1}
    assert stats.binomtest(int(drawn.sum()), drawn.size, float(F32(prob))).pvalue > 0.01


@pytest.mark.parametrize("mode", ["logits", "probs"])
@pytest.mark.parametrize("seed", [-1, 0, 12345])
def test_categorical_follows_every_row(mode, seed):
    probabilities = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    x = (probabilities * 8 if mode == "probs" else np.log(probabilities) - 900).astype(F32)
    drawn = draw("random_categorical", x=x, mode=mode, size=np.int32(5000), seed=np.int32(seed))
    assert drawn.shape == (2, 5000)
    for row, expected in zip(drawn, probabilities, strict=True):
        counts = np.bincount(row.astype(int), minlength=3)
        assert stats.chisquare(counts, expected * 5000).pvalue > 0.01


@pytest.mark.parametrize(
    ("x", "mode", "expected"),
    [
        ([[0, 1, 0]], "probs", [[1]]),
        ([[-np.inf, -np.inf, 5]], "logits", [[2]]),
        ([3], "logits", [0]),
        ([[[0, 2]], [[2, 0]]], "probs", [[[1]], [[0]]]),
        ([[0, 0], [1, 0]], "probs", [[np.nan], [0]]),
        ([[np.nan, 0], [1e30, 0]], "logits", [[np.nan], [0]]),
        ([[-np.inf, -np.inf], [0, 1e30]], "logits", [[np.nan], [1]]),
    ],
)
def test_categorical_without_a_choice(x, mode, expected):
    drawn = draw("random_categorical", x=np.array(x, F32), mode=mode)
    np.testing.assert_array_equal(drawn, expected)


def test_categorical_knows_two_modes():
    with pytest.raises(ValueError, match="unknown mode 'odds'"):
        draw("random_categorical", x=np.ones(2, F32), mode="odds")


def test_values_repeat_from_run_to_run_but_not_within_one():
    shape = np.array([4])
    first, second = draw("random_normal", shape=shape, rounds=2)
    assert not np.intersect1d(first, second).size
    assert draw("random_normal", shape=shape).tolist() == first.tolist()
    assert not np.intersect1d(first, draw("random_normal", shape=shape, called="other")).size


def test_a_seed_decides_whatever_the_name():
    one = draw("random_uniform", shape=MANY, seed=5)
    assert draw("random_uniform", shape=MANY, seed=5, called="other").tolist() == one.tolist()
    assert draw("random_uniform", shape=MANY, seed=6).tolist() != one.tolist()


def test_saved_program_draws_anew_in_every_iteration(tmp_path):
    def build(x):
        def body(count, kept):
            drawn = mb.random_uniform(shape=np.array([1], np.int32))
            return mb.add(x=count, y=1), mb.concat(values=(kept, drawn), axis=0)

        def cond(count, kept):
            return mb.less(x=count, y=20)

        return mb.while_loop(_cond=cond, _body=body, loop_vars=(0, x))[1]

    first, again = (predict(build, {"x": F32([7])}, tmp_path)[0] for _ in range(2))
    assert np.unique(first).size == 21
    assert first.tolist() == again.tolist()
