from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.special import expit, ndtr

from exportcheck.compare import (
    EAGER_OFF,
    HARMLESS,
    TOLERANCES,
    VANISHED,
    Tolerance,
    compare,
    incomparable,
    tolerance_for,
)
from exportcheck.results import Worst
from exportcheck.subject import subject

INF, NAN = np.inf, np.nan
BARE = tolerance_for("float32", "bare")
LARGEST = float(np.finfo(np.float32).max)
EPS = float(np.finfo(np.float32).eps)
DTYPES = (np.float16, np.float32, np.float64)


def array(*values, dtype=np.float32):
    return np.array(values, dtype)


def judged(actual, expected, **options):
    return compare(array(actual), array(expected), BARE, **options)


# ---- numbers that are no numbers ----


@pytest.mark.parametrize(
    ("actual", "expected", "kind"),
    [
        (NAN, NAN, None),
        (INF, INF, None),
        (-INF, -INF, None),
        (0.0, NAN, "nan-lost"),
        (INF, NAN, "nan-lost"),
        (NAN, 0.0, "nan-made"),
        (NAN, INF, "nan-made"),
        (LARGEST, INF, "inf-lost"),
        (-LARGEST, -INF, "inf-lost"),
        (0.0, INF, "inf-lost"),
        (-INF, INF, "inf-lost"),
        (INF, -INF, "inf-lost"),
        (INF, LARGEST, "inf-made"),
        (-INF, -LARGEST, "inf-made"),
        (-INF, -18.0, "inf-made"),
        (LARGEST, -LARGEST, "finite"),
        (1.0, 0.0, "finite"),
        (-0.0, 0.0, None),
    ],
)
@pytest.mark.parametrize("truth", [False, True], ids=["eager only", "truth as eager"])
@pytest.mark.parametrize("elementwise", [False, True])
def test_each_kind_is_told_apart(actual, expected, kind, truth, elementwise):
    """Whatever stands beside it: in front of it a number that is right, behind it NaN and inf."""
    options = {"truth": np.array([1.5, expected, NAN, INF])} if truth else {}
    if elementwise:
        options["inputs"] = array(1, 1, 1, 1)
    found = compare(array(1.5, actual, NAN, INF), array(1.5, expected, NAN, INF), BARE, **options)
    assert found.close == (kind is None)
    assert found.kinds == ({} if kind is None else {kind: 1})
    assert (found.mismatched, found.total) == (0 if kind is None else 1, 4)
    assert found.worst is None if kind is None else found.worst.index == (1,)


def test_figures_are_over_numbers_finite_on_both_sides():
    found = compare(array(NAN, INF, 0, 3), array(0, 0, NAN, 2), BARE)
    assert (found.max_abs_error, found.max_rel_error, found.max_error) == (1.0, 0.5, 0.5)
    assert found.kinds == {"nan-made": 1, "inf-made": 1, "nan-lost": 1, "finite": 1}


def test_nan_beside_it_does_not_hide_an_error():
    figures = compare(array(NAN, 1.0, INF), array(NAN, 2.0, INF), BARE)
    assert figures.max_abs_error == 1.0
    assert figures.max_rel_error == figures.max_error == 0.5
    assert figures.max_ulp_error == 2**22


def test_an_expected_zero_has_no_relative_error():
    found = judged(1.0, 0.0)
    assert (found.max_abs_error, found.max_rel_error, found.max_error) == (1.0, 0.0, 1.0)


@pytest.mark.parametrize("ask", [False, True])
@pytest.mark.parametrize("actual", [0.0, -0.0])
@pytest.mark.parametrize("expected", [0.0, -0.0])
def test_signs_of_zeros_count_where_asked_for(actual, expected, ask):
    found = judged(actual, expected, signed_zeros=ask)
    same = np.signbit(actual) == np.signbit(expected)
    assert found.close == (same or not ask)
    if ask and not same:
        assert found.kinds == {"sign-of-zero": 1}
        assert (np.signbit(found.worst.actual), np.signbit(found.worst.expected)) == (
            np.signbit(actual),
            np.signbit(expected),
        )
        assert (found.max_abs_error, found.mismatched) == (0.0, 1)


# ---- shapes, types, layouts ----


@pytest.mark.parametrize("shape", [(4,), (2, 3), (3, 2, 1), (6, 1), (0,), ()])
def test_another_shape_is_not_compared(shape):
    found = compare(np.zeros(shape, np.float32), np.zeros((3, 2), np.float32), BARE, gates=False)
    assert (found.close, found.gates, found.kinds) == (False, True, {"shape": 6})
    assert found.detail == f"shape {shape} where eager gives (3, 2)"


@pytest.mark.parametrize("actual", DTYPES)
@pytest.mark.parametrize("expected", DTYPES)
def test_another_type_is_not_compared(actual, expected):
    found = compare(np.zeros(3, actual), np.zeros(3, expected), BARE, gates=False)
    assert found.close == (actual == expected)
    if actual != expected:
        assert (found.gates, found.kinds) == (True, {"dtype": 3})
        assert found.detail == f"{np.dtype(actual)} where eager gives {np.dtype(expected)}"


def test_incomparable_is_as_wrong_as_can_be():
    found = incomparable("outputs", 7, "2 outputs where eager gives 7")
    assert (found.close, found.gates) == (False, True)
    assert (found.mismatched, found.total, found.kinds) == (7, 7, {"outputs": 7})
    assert found.max_error == found.max_abs_error == found.max_rel_error == INF
    assert found.max_ulp_error == INF


def test_transposed_outputs_differ_though_the_shape_is_the_same():
    square = np.arange(9, dtype=np.float32).reshape(3, 3)
    found = compare(square.T, square, BARE)
    assert (found.mismatched, found.total) == (6, 9)
    assert found.worst.index in {(0, 2), (2, 0)}


def test_memory_layout_does_not_matter():
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    backwards = np.ascontiguousarray(values[:, ::-1])[:, ::-1]
    for other in (np.asfortranarray(values), backwards, np.ascontiguousarray(values.T).T):
        assert compare(other, values, BARE).close
    changed = np.asfortranarray(values)
    changed[2, 1] += 1
    assert compare(changed, values, BARE).worst.index == (2, 1)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)])
def test_empty_outputs_are_close(shape):
    empty = np.zeros(shape, np.float32)
    for options in ({}, {"inputs": empty, "truth": empty.astype(np.float64)}):
        found = compare(empty, empty, BARE, **options)
        assert (found.close, found.total, found.worst, found.kinds) == (True, 0, None, {})
        assert found.max_error == found.max_ulp_error == 0.0


def test_one_number_without_dimensions():
    found = compare(np.float32(1).reshape(()), np.float32(2).reshape(()), BARE)
    assert (found.mismatched, found.total, found.worst.index) == (1, 1, ())


def test_arguments_are_left_as_they_were():
    sides = [array(NAN, 1.0, INF, -0.0) for _ in range(3)]
    truth = sides[0].astype(np.float64)
    for given_array in (*sides, truth):
        given_array.setflags(write=False)
    compare(sides[0], sides[1], BARE, inputs=sides[2], truth=truth, signed_zeros=True)


def test_gates_is_passed_on():
    assert judged(0.0, 0.0, gates=True).gates
    assert not judged(0.0, 1.0, gates=False).gates


# ---- the tolerance ----


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("expected", "x", "largest", "allowed"),
    [
        # rtol 1/4, atol 1/8, in numbers that binary fractions can say
        (0.0, None, 0.0, 0.125),  # scale 1
        (1.0, None, 1.0, 0.375),
        (2.0, None, 2.0, 0.75),  # scale 2: the largest expected
        (1.0, None, 16.0, 2.25),  # scale 16, though this one is 1
        (0.0, 8.0, 64.0, 1.0),  # elementwise: |x|
        (0.0, -8.0, 64.0, 1.0),
        (0.0, 0.5, 64.0, 0.125),  # at least 1
        (0.0, 64.0, 2.0, 0.25),  # no more than the largest expected
        (2.0, 64.0, 2.0, 0.75),
        (-4.0, 8.0, 8.0, 2.0),
    ],
)
def test_the_rule_on_both_sides_of_its_boundary(expected, x, largest, allowed, sign):
    tolerance = Tolerance(0.25, 0.125, "for the test")
    options = {} if x is None else {"inputs": array(x, largest, dtype=np.float64)}
    for factor, close in ((1.0, True), (1.0 + 1e-12, False)):
        moved = array(expected + sign * allowed * factor, largest, dtype=np.float64)
        found = compare(moved, array(expected, largest, dtype=np.float64), tolerance, **options)
        assert found.close == close
        assert found.mismatched == (0 if close else 1)


def test_without_inputs_infinities_and_nan_do_not_stretch_the_scale():
    for odd in (INF, -INF, NAN):
        assert not compare(array(1e-3, odd), array(0, odd), BARE).close
        assert compare(array(1e-7, odd), array(0, odd), BARE).close


def test_an_infinite_input_does_not_stretch_the_scale():
    for odd in (INF, -INF, NAN):
        inputs = array(odd, 100.0)
        assert not compare(array(1e-3, 100), array(0, 100), BARE, inputs=inputs).close
        assert compare(array(1e-7, 100), array(0, 100), BARE, inputs=inputs).close


def test_a_bounded_function_gets_no_allowance_from_huge_inputs():
    """Sigmoid at -1e30 is 0; an export that gives 1 there must not pass for |x| * epsilon."""
    x = array(-1e30, 1e30)
    assert not compare(array(1, 1), array(0, 1), BARE, inputs=x).close


def test_a_gate_that_is_an_epsilon_off_passes_and_one_that_is_ten_off_does_not():
    x = np.linspace(-30, 30, 1001).astype(np.float32)
    silu = (x * expit(x.astype(np.float64))).astype(np.float32)
    assert compare(silu - x * np.float32(EPS), silu, BARE, inputs=x).close
    assert not compare(silu - x * np.float32(10 * EPS), silu, BARE, inputs=x).close


@pytest.mark.parametrize(("precision", "network"), [(p, n) for p, n in TOLERANCES])
def test_tolerances_have_reasons_and_leave_what_each_type_can_do(precision, network):
    tolerance = TOLERANCES[precision, network]
    eps = float(np.finfo(precision).eps)
    assert tolerance.reason
    assert eps < tolerance.atol + tolerance.rtol < 1000 * eps
    assert tolerance_for(precision, "bare" if network == "bare" else "conv") == tolerance


def test_every_network_but_the_bare_one_shares_a_tolerance():
    assert tolerance_for("float32", "conv") == tolerance_for("float32", "linear")
    assert tolerance_for("float32", "conv") != tolerance_for("float32", "bare")


# ---- units in the last place ----


@pytest.mark.parametrize("dtype", DTYPES)
def test_ulp_counts_above_a_floor_of_one_epsilon(dtype):
    eps, one = np.finfo(dtype).eps, dtype(1)
    loose = Tolerance(1.0, 1.0, "for the test")

    def ulp(actual, expected):
        return compare(array(actual, dtype=dtype), array(expected, dtype=dtype), loose)

    assert ulp(one + eps, one).max_ulp_error == 0  # the floor itself
    assert ulp(one + 2 * eps, one).max_ulp_error == 2
    assert ulp(one - 2 * eps, one).max_ulp_error == 2
    hundred = dtype(100)
    assert ulp(np.nextafter(hundred, dtype(INF)), hundred).max_ulp_error == 1
    assert ulp(hundred + 3 * np.spacing(hundred), hundred).max_ulp_error == 3
    tiny = np.finfo(dtype).tiny
    assert ulp(dtype(0), tiny).max_ulp_error == 0  # a tail that vanished is no ULP matter
    assert ulp(2 * eps, dtype(0)).max_ulp_error == 2 * float(eps) / float(np.spacing(dtype(0)))


# ---- kinds that do no harm ----


def test_harmless_kinds_are_close_and_counted():
    assert HARMLESS == (VANISHED, EAGER_OFF)
    found = compare(array(1.0, 0.0), array(1.0, 1e-8), BARE)
    assert (found.close, found.mismatched, found.kinds) == (True, 0, {VANISHED: 1})
    assert found.worst == Worst(None, 0.0, float(np.float32(1e-8)), None, (1,))


@pytest.mark.parametrize(
    ("part", "vanished"), [(0.0, 1), (0.5, 1), (0.51, 0), (1.49, 0), (1.5, 1), (3.0, 1), (-1.0, 1)]
)
def test_vanished_is_a_relative_error_of_a_half(part, vanished):
    expected = 2.0**-30
    found = judged(expected * part, expected)
    assert found.close
    assert found.kinds == ({VANISHED: 1} if vanished else {})


@pytest.mark.parametrize("expected", [0.0, 1e-40, float(np.finfo(np.float32).tiny)])
def test_what_is_subnormal_cannot_vanish(expected):
    assert judged(0.0, expected).kinds == {}
    assert judged(0.0, 1.01 * float(np.finfo(np.float32).tiny)).kinds == {VANISHED: 1}


def test_what_is_out_of_tolerance_has_not_vanished():
    assert judged(0.0, 1.0).kinds == {"finite": 1}


@pytest.mark.parametrize(
    ("actual", "expected", "truth"),
    [
        (2.0, 1.0, 2.0),
        (2.0, 1.0, 2.0 * (1 + 9e-6)),  # within tolerance of the truth
        (3e38, INF, 3e38),  # eager overflowed
        (INF, 3e38, INF),
        (0.0, NAN, 0.0),  # eager made NaN of 0 * inf
        (NAN, 0.0, NAN),
        (INF, -INF, INF),
    ],
)
def test_eager_off_is_what_agrees_with_float64(actual, expected, truth):
    found = judged(actual, expected, truth=np.array([truth]))
    assert (found.close, found.mismatched, found.kinds) == (True, 0, {EAGER_OFF: 1})
    assert found.worst.truth == truth or np.isnan(truth)


@pytest.mark.parametrize(
    ("actual", "expected", "truth", "kind"),
    [
        (2.0, 1.0, 1.0, "finite"),
        (2.0, 1.0, 3.0, "finite"),
        (2.0, 1.0, 2.001, "finite"),
        (2.0, 1.0, NAN, "finite"),
        (2.0, 1.0, INF, "finite"),
        (0.0, INF, INF, "inf-lost"),  # |0 - inf| <= rtol * inf must excuse nothing
        (LARGEST, INF, INF, "inf-lost"),
        (-INF, INF, INF, "inf-lost"),
        (0.0, NAN, INF, "nan-lost"),
        (-INF, NAN, INF, "nan-lost"),
        (INF, 0.0, -INF, "inf-made"),
        (NAN, 0.0, INF, "nan-made"),
        (0.0, NAN, NAN, "nan-lost"),
        (0.0, NAN, 1.0, "nan-lost"),
    ],
)
def test_what_float64_does_not_say_either_is_not_excused(actual, expected, truth, kind):
    found = judged(actual, expected, truth=np.array([truth]))
    assert (found.close, found.mismatched, found.kinds) == (False, 1, {kind: 1})


def test_the_truth_never_accuses():
    """A point that agrees with eager is close, whatever float64 says."""
    assert judged(1.0, 1.0, truth=np.array([2.0])).kinds == {}


def test_a_tail_that_vanished_stays_noted_beside_a_truth():
    assert judged(0.0, 1e-9, truth=np.array([0.0])).kinds == {VANISHED: 1}


# ---- only some of the elements ----


def test_elements_that_are_not_asked_for_are_not_judged():
    actual, expected = array(5, 0, NAN, 1), array(1, NAN, 0, 1)
    found = compare(actual, expected, BARE, where=np.array([False, False, False, True]))
    assert (found.close, found.total, found.kinds, found.worst) == (True, 1, {}, None)
    assert found.max_abs_error == found.max_ulp_error == 0.0
    found = compare(actual, expected, BARE, where=np.array([False, True, False, True]))
    assert (found.mismatched, found.total, found.kinds) == (1, 2, {"nan-lost": 1})
    assert found.worst.index == (1,)


# ---- the point to show ----


def test_the_worst_point_has_all_its_facts():
    found = compare(
        array([1, 2], [3, 9]),
        array([1, 2], [3, 4]),
        BARE,
        inputs=array([10, 20], [30, 40]),
        truth=np.array([[1.25, 2.25], [3.25, 4.25]]),
    )
    assert found.worst == Worst(input=40.0, actual=9.0, expected=4.0, truth=4.25, index=(1, 1))
    assert all(type(i) is int for i in found.worst.index)


@pytest.mark.parametrize(
    ("actual", "expected", "index"),
    [
        ([1, 2, 3], [1, 2, 3], None),
        ([1, 2.5, 9], [1, 2, 3], 2),  # the largest of those out of tolerance
        ([7, 1, 7], [1, 1, 1], 0),  # the first of equals
        ([9, NAN, 1], [1, 1, 1], 1),  # what no subtraction can size is worse
        ([9, 1, 1], [1, 1, -INF], 2),
        ([1, NAN, INF], [1, 0, 0], 1),
        ([1e6 + 1, 1, 0.5], [1e6, 1, 1], 2),  # 1 is within tolerance of 1e6, 0.5 of 1 is not
        ([1, 1 + EPS, 1 + 3 * EPS], [1, 1, 1], 2),  # nothing wrong: the largest error
        ([NAN, 1 + EPS, INF], [NAN, 1, INF], 1),
        ([1.0 + 4 * EPS, 0.0], [1.0, 1e-8], 1),  # nothing wrong: what vanished
        ([2.0, 0.0], [1.0, 1e-8], 0),  # what is wrong, not what vanished
    ],
)
def test_which_point_is_the_worst(actual, expected, index):
    inputs = array(*np.maximum(1, np.nan_to_num(np.abs(expected), posinf=1)))
    found = compare(array(*actual), array(*expected), BARE, inputs=inputs)
    assert (None if found.worst is None else found.worst.index[0]) == index


# ---- any array ----

floats = {
    dtype: hnp.arrays(
        dtype,
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
        elements=hnp.from_dtype(np.dtype(dtype)),
    )
    for dtype in DTYPES
}
any_array = st.one_of(*floats.values())
precise = settings(derandomize=True, deadline=None, max_examples=200, database=None)


@precise
@given(any_array)
def test_anything_is_close_to_itself(values):
    for options in (
        {},
        {"inputs": values, "signed_zeros": True},
        {"truth": values.astype(np.float64)},
    ):
        found = compare(values.copy(), values, BARE, **options)
        assert found.close
        assert (found.mismatched, found.kinds, found.worst) == (0, {}, None)
        assert found.total == values.size
        assert found.max_error == found.max_abs_error == found.max_rel_error == 0.0
        assert found.max_ulp_error == 0.0


def moved(value, allowed, dtype, sign):
    """`value`, or 0 where it is not finite, in `dtype` and more than `allowed` away."""
    start = float(value) if np.isfinite(value) else 0.0
    with np.errstate(over="ignore"):
        return dtype(start + sign * (2 * allowed + np.spacing(np.abs(dtype(start)))))


@precise
@given(any_array, st.data(), st.sampled_from([1, -1]), st.booleans(), st.booleans())
def test_one_element_out_of_tolerance_is_found(expected, data, sign, elementwise, true):
    assume(expected.size)
    index = tuple(data.draw(st.integers(0, side - 1)) for side in expected.shape)
    sizes = np.abs(expected[np.isfinite(expected)].astype(np.float64))
    scale = max([1.0, *sizes])
    inputs = np.full(expected.shape, 3.0, np.float32) if elementwise else None
    if elementwise:
        scale = min(3.0, scale)
    wide = expected.astype(np.float64)
    allowed = BARE.atol * scale + BARE.rtol * (
        abs(wide[index]) if np.isfinite(wide[index]) else 0.0
    )
    actual = expected.copy()
    actual[index] = moved(wide[index], allowed, expected.dtype.type, sign)
    found = compare(actual, expected, BARE, inputs=inputs, truth=wide if true else None)
    assert not found.close
    assert (found.mismatched, found.worst.index) == (1, index)
    assert sum(found.kinds.values()) == 1


@precise
@given(any_array, st.data(), st.sampled_from([NAN, INF, -INF]), st.booleans())
def test_one_element_that_is_no_number_is_found(expected, data, odd, true):
    assume(expected.size)
    index = tuple(data.draw(st.integers(0, side - 1)) for side in expected.shape)
    same = expected[index] == odd or (np.isnan(odd) and np.isnan(expected[index]))
    assume(not same)
    actual = expected.copy()
    actual[index] = odd
    truth = expected.astype(np.float64) if true else None
    for pair in ((actual, expected), (expected, actual)):
        against = truth if pair[1] is expected else None
        found = compare(*pair, BARE, truth=against)
        assert (found.close, found.mismatched, found.worst.index) == (False, 1, index)


# ---- conversions that are known to be wrong ----


def sigmoid(x):
    return expit(x.astype(np.float64)).astype(np.float32)


def log_sigmoid_of_the_logarithm(x):
    """log(sigmoid(x)), the sigmoid 0 below -18, as in ONNX Runtime."""
    return np.log(np.where(x <= -18, 0, sigmoid(x)))


def softplus(x):
    return np.logaddexp(0, x.astype(np.float64)).astype(np.float32)


def softshrink_of_comparisons(x):
    """NaN is neither above nor below, so it becomes 0."""
    return np.where(x > 0.5, x - 0.5, np.where(x < -0.5, x + 0.5, 0))


def gelu_tanh(x):
    wide = x.astype(np.float64)
    return wide / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (wide + 0.044715 * wide**3)))


def hardswish_wrong_gate(x):
    return x * ((np.clip(x, 0, 6) + 3) / 6)


def silu_tail_cut(x):
    return x * np.where(x <= -18, 0, sigmoid(x))


# activation, conversion, input class that must show it, the kind, whether that fails the case
WRONG = {
    "LogSigmoid is -inf below -18": (
        ("logsigmoid", log_sigmoid_of_the_logarithm),
        [("grid", "inf-made", True), ("knees", "inf-made", True), ("tails", "inf-made", True)],
    ),
    "Softplus drops its threshold": (
        ("softplus-threshold1", softplus),
        [("grid", "finite", True), ("knees", "finite", True)],
    ),
    "HardSigmoid with alpha 0.2 for 1/6": (
        ("hardsigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        [("grid", "finite", True), ("knees", "finite", True)],
    ),
    "the wrong gate for Hardswish": (
        ("hardswish", hardswish_wrong_gate),
        [("grid", "finite", True), ("tails", "finite", True), ("infinities", "nan-lost", True)],
    ),
    "Softshrink makes 0 of NaN": (
        ("softshrink", softshrink_of_comparisons),
        [("nan", "nan-lost", False)],
    ),
    "tanh GELU served for erf GELU": (
        ("gelu", gelu_tanh),
        [("grid", "finite", True)],
    ),
    "Softplus falls to 0 above 10.4": (
        ("softplus", lambda x: np.where(x > 10.4, 0, softplus(x))),
        [("grid", "finite", True), ("tails", "finite", True), ("infinities", "inf-lost", True)],
    ),
    "SiLU loses its tail below -18": (
        ("silu", silu_tail_cut),
        [("grid", VANISHED, False)],
    ),
}


def figures_of(name, conversion, precision="float32"):
    """The comparison of every input class of a bare activation, by class."""
    what = subject(name, "bare")
    figures = {}
    for given_class in what.inputs(precision):
        expected = what.expected(precision)[given_class.name]
        with np.errstate(all="ignore"):
            actual = conversion(given_class.values).astype(np.float32)
        figures[given_class.name] = compare(
            actual,
            expected.outputs[0],
            tolerance_for(precision, "bare"),
            gates=given_class.gates,
            inputs=given_class.values,
            truth=expected.truth[0],
        )
    return figures


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_conversion_is_caught(name):
    (activation, conversion), shown = WRONG[name]
    figures = figures_of(activation, conversion)
    for input_class, kind, fails in shown:
        found = figures[input_class]
        assert kind in found.kinds, input_class
        assert (found.gates and not found.close) == fails
    assert any(f.gates and not f.close for f in figures.values()) == any(s[2] for s in shown)


RIGHT = {
    "logsigmoid": lambda x: -softplus(-x),
    "softplus": softplus,
    "softplus-threshold1": lambda x: np.where(x > 1, x, softplus(x)),
    "hardsigmoid": lambda x: np.clip(x / 6 + np.float32(0.5), 0, 1),
    "hardswish": lambda x: x * np.clip(x / 6 + np.float32(0.5), 0, 1),
    "softshrink": lambda x: x - np.clip(x, -0.5, 0.5),
    "gelu": lambda x: x * ndtr(x.astype(np.float64)),
    "silu": lambda x: x * sigmoid(x),
}


def test_a_threshold_of_10_may_be_dropped_within_tolerance():
    """It is worth 2.3e-5 at 5, half of what is allowed there: nothing says that it is gone."""
    figures = figures_of("softplus-beta2-threshold10", lambda x: softplus(2 * x) / 2)
    assert all(found.close for found in figures.values() if found.gates)
    assert 2e-5 < figures["grid"].max_abs_error < 2.5e-5


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("name", RIGHT)
def test_a_right_one_is_not(name, precision):
    """Else the wrong ones would prove nothing."""
    for input_class, found in figures_of(name, RIGHT[name], precision).items():
        assert found.close, input_class
        assert found.kinds.keys() <= {EAGER_OFF}


@pytest.mark.parametrize(
    ("actual", "eager", "verdict"),
    [
        (1.0 + 1e-3, 1.0 + 4e-3, "more"),
        (1.0 + 4e-3, 1.0 + 1e-3, "less"),
        (1.0 + 1.5e-3, 1.0 + 1e-3, "as"),
        (1.0, 1.0 + 6e-8, "as"),
        (np.nan, 1.0, "less"),
        (1.0, np.inf, "more"),
    ],
)
def test_accuracy_is_held_against_float64(actual, eager, verdict):
    found = compare(
        np.array([actual], np.float32),
        np.array([eager], np.float32),
        TOLERANCES["float32", "bare"],
        truth=np.array([1.0]),
    )
    assert found.accuracy == verdict


def test_without_float64_nothing_is_said_of_accuracy():
    one = np.ones(3, np.float32)
    assert compare(one, one, TOLERANCES["float32", "bare"]).accuracy == ""
