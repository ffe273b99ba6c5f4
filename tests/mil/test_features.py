from __future__ import annotations

import numpy as np
import pytest
import torch
from coremltools.proto import Model_pb2

from exportcheck.errors import InvalidModel
from exportcheck.mil.features import Feature, parse_signatures

F32, I32 = np.dtype(np.float32), np.dtype(np.int32)


def described(fill):
    """The feature of a description whose only input `fill` completes."""
    description = Model_pb2.ModelDescription()
    fill(description.input.add(name="x").type)
    return parse_signatures(description)["main"].inputs["x"]


def array(shape=(), number=65568, **more):
    def fill(kind):
        kind.multiArrayType.dataType = number
        kind.multiArrayType.shape.extend(shape)
        for name, value in more.items():
            setattr(kind.multiArrayType, name, value)

    return fill


@pytest.mark.parametrize(
    ("number", "dtype"),
    [
        (65568, "float32"),
        (65552, "float16"),
        (65600, "float64"),
        (131104, "int32"),
        (131080, "int8"),
    ],
)
def test_element_types(number, dtype):
    feature = described(array((1, 2), number))
    assert feature == Feature("x", np.dtype(dtype), ((1, 2),))
    assert feature.allowed == "(1, 2)"


def test_enumerated_shapes():
    def fill(kind):
        array((1, 2))(kind)
        for shape in ((1, 2), (3,)):
            kind.multiArrayType.enumeratedShapes.shapes.add().shape.extend(shape)

    feature = described(fill)
    assert feature.allowed == "(1, 2) or (3,)"
    assert [feature.allows(s) for s in ((1, 2), (3,), (2, 1), ())] == [True, True, False, False]


def test_ranges_of_sizes():
    def fill(kind):
        array((1, 2))(kind)
        for low, high in ((1, 3), (2, -1), (4, 4)):
            kind.multiArrayType.shapeRange.sizeRanges.add(lowerBound=low, upperBound=high)

    feature = described(fill)
    assert feature.allowed == "(1..3, 2.., 4..4)"
    fitting = ((1, 2, 4), (3, 900, 4))
    others = ((0, 2, 4), (4, 2, 4), (1, 1, 4), (1, 2, 5), (1, 2), (1, 2, 4, 1))
    assert all(map(feature.allows, fitting))
    assert not any(map(feature.allows, others))


def test_without_any_shape_every_shape_is_allowed():
    feature = described(array())
    assert feature.allowed == "of any shape"
    assert feature.allows((1, 2, 3))


@pytest.mark.parametrize(
    "fill",
    [lambda k: k.imageType.SetInParent(), lambda k: k.stringType.SetInParent(), lambda k: None],
)
def test_what_is_no_array(fill):
    feature = described(fill)
    assert feature.dtype is None
    with pytest.raises(
        InvalidModel, match=r"^input 'x' is no multi-array; mil-numpy takes only th"
    ):
        feature.accept(np.zeros(1))


@pytest.mark.parametrize(
    ("shape", "number", "message"),
    [
        ((1,), 0, "feature 'x' has array type number 0"),
        ((1, -1), 65568, r"feature 'x' has an impossible shape: \(\(1, -1\),\)"),
        ((2**62,), 65568, r"feature 'x' has an impossible shape: \(\(4611686018427387904,\),\)"),
        ((2**16, 2**16), 65568, r"feature 'x' has an impossible shape: \(\(65536, 65536\),\)"),
        (
            (0, 2**62),
            65568,
            r"feature 'x' has an impossible shape: \(\(0, 4611686018427387904\),\)",
        ),
    ],
)
def test_descriptions_of_no_array(shape, number, message):
    with pytest.raises(InvalidModel, match=f"^{message}$"):
        described(array(shape, number))


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (np.float64([1.5, 2]), F32, [1.5, 2]),
        (np.float16([1.5, 2]), F32, [1.5, 2]),
        ([1, 2], F32, [1, 2]),
        (np.array([True, False]), F32, [1, 0]),
        (np.int64([1, -2]), I32, [1, -2]),
        (torch.tensor([1.5, 2]), F32, [1.5, 2]),
        (np.float64([1e300, -1e300]), F32, [np.inf, -np.inf]),
        (np.float32([np.nan, np.inf]), F32, [np.nan, np.inf]),
    ],
)
def test_accepted_values_have_the_described_dtype(value, dtype, expected):
    actual = Feature("x", dtype, ((2,),)).accept(value)
    assert actual.dtype == dtype
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.float32([1, 2]), "has dtype float32, expected int32"),
        (["1", "2"], "has dtype <U1, expected int32"),
        (np.array(["2026-01-01", "2026-01-02"], "datetime64[D]"), "has dtype datetime64"),
        ([[1], [2, 3]], "is not an array: setting an array element with a sequence"),
        (torch.ones(2, requires_grad=True), "is not an array: Can't call numpy"),
        ({"a": 1}, "has dtype object, expected int32"),
    ],
)
def test_values_that_are_not_accepted(value, message):
    with pytest.raises(InvalidModel) as caught:
        Feature("x", I32, ((2,),)).accept(value)
    assert str(caught.value).startswith(f"input 'x' {message}")


@pytest.mark.parametrize(
    ("number", "field", "given", "expected"),
    [
        (65568, "floatDefaultValue", 0.5, 0.5),
        (65552, "floatDefaultValue", 1e6, np.inf),
        (131104, "intDefaultValue", -3, -3),
        (65600, "doubleDefaultValue", 0.1, 0.1),
        (65568, "floatDefaultValue", float("nan"), np.nan),
    ],
)
def test_the_default_of_an_optional_input(number, field, given, expected):
    filled = described(array((2, 1), number, **{field: given})).filled()
    np.testing.assert_array_equal(filled, [[expected], [expected]])


def test_an_optional_integer_input_whose_default_is_no_number():
    assert described(array((1,), 131104, floatDefaultValue=float("nan"))).filled().shape == (1,)


def test_nothing_to_fill_without_one_shape():
    with pytest.raises(InvalidModel, match=r"^'x' was not given and has no one shape to fill$"):
        Feature("x", F32, ((1,), (2,))).filled()


def test_signatures_by_function():
    description = Model_pb2.ModelDescription()
    for name in ("a", "b"):
        function = description.functions.add(name=name)
        array((1,))(function.input.add(name=f"{name}-in").type)
        array((2,))(function.output.add(name=f"{name}-out").type)
        state = function.state.add(name=f"{name}-state").type.stateType.arrayType
        state.dataType = 65552
        state.shape.append(3)
    signatures = parse_signatures(description)
    assert list(signatures) == ["a", "b"]
    assert signatures["b"].inputs == {"b-in": Feature("b-in", F32, ((1,),))}
    assert signatures["b"].outputs == {"b-out": Feature("b-out", F32, ((2,),))}
    assert signatures["a"].states == {"a-state": Feature("a-state", np.dtype(np.float16), ((3,),))}
