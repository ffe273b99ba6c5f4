"""Programs written as `ir` by hand: rounding, scopes, lifetimes and errors of the evaluator."""

from __future__ import annotations

import re

import numpy as np
import pytest

from exportcheck.errors import InvalidModel, UnsupportedOperator
from exportcheck.mil import evaluator as module
from exportcheck.mil import ir, registry
from exportcheck.mil.evaluator import Evaluator, widen
from exportcheck.mil.registry import Operator

F16, F32 = np.float16, np.float32


def fp(dtype, *shape):
    return ir.TensorType(dtype, shape)


def literal(value, dtype=None):
    array = np.asarray(value)
    return ir.Literal(array, fp(dtype or str(array.dtype).replace("float", "fp"), *array.shape))


def operation(kind, result, declared, *blocks, **inputs):
    """A binding may be a name, a literal, or a tuple of them."""
    outputs = () if result is None else (ir.Named(result, declared),)
    bound = {k: v if isinstance(v, tuple) else (v,) for k, v in inputs.items()}
    return ir.Operation(
        kind,
        {
            k: tuple(ir.Reference(b) if isinstance(b, str) else b for b in bindings)
            for k, bindings in bound.items()
        },
        outputs,
        blocks,
    )


def constant(name, value, dtype=None):
    given = literal(value, dtype)
    return ir.Operation("const", {}, (ir.Named(name, given.type),), (), {"val": given})


def block(*operations, outputs, inputs=()):
    return ir.Block(tuple(ir.Named(i, fp("fp32", 1)) for i in inputs), operations, tuple(outputs))


def run(*operations, outputs=("y",), opset="CoreML8", precision="strict", trace=None, **values):
    return Evaluator(opset, precision, trace=trace).run(block(*operations, outputs=outputs), values)


@pytest.fixture
def fake(monkeypatch):
    """Puts a function in place of an operator for one test."""

    def put(name, function, *, variadic=(), context=False):
        found = Operator(
            name, function, "CoreML5", frozenset(variadic), frozenset("xy"), frozenset(), context
        )
        monkeypatch.setattr(
            module, "find", lambda n, o: found if n == name else registry.find(n, o)
        )

    return put


# ---- rounding ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("precision", "dtype"), [("strict", F16), ("wide", F32)])
def test_fp16_is_rounded_in_strict_mode_only(precision, dtype):
    (y,) = run(
        operation("add", "y", fp("fp16", 2), x="x", y=literal(F16([1024, 0]))),
        precision=precision,
        x=np.array([0.3, 1e-9], dtype),
    )
    assert y.dtype == dtype
    exact = np.array([0.3, 1e-9], dtype).astype(F32) + F32([1024, 0])
    np.testing.assert_array_equal(y, exact.astype(dtype))


def test_an_operator_computes_wide_and_rounds_once(fake):
    fake("op", lambda x: (x * x) / x)
    (y,) = run(operation("op", "y", fp("fp16", 1), x="x"), x=F16([300]))
    # 300 * 300 is beyond fp16.
    assert y.tolist() == [300]


@pytest.mark.parametrize(
    ("declared", "value", "expected"),
    [
        ("fp16", F32([65519, 65520, -1e9, np.nan]), [65504, np.inf, -np.inf, np.nan]),
        ("fp32", np.array([1e300, 0.1, np.nan, -0.0]), [np.inf, F32(0.1), np.nan, -0.0]),
        ("int32", np.array([1.9, -1.9, 3e9, -3e9]), [1, -1, 2**31 - 1, -(2**31)]),
        ("int32", np.array([np.nan, np.inf, -np.inf, 0.0]), [0, 2**31 - 1, -(2**31), 0]),
        ("uint8", np.array([254.6, 256.0, -1.0, np.nan]), [254, 255, 0, 0]),
        ("int8", np.array([200, -129, 5, 0]), [-56, 127, 5, 0]),
        ("bool", np.array([0.0, 0.5, np.nan, -1.0]), [False, True, True, True]),
        ("fp32", np.array([True, False, True, False]), [1, 0, 1, 0]),
        ("int64", np.array([9.3e18, -9.3e18, 1e10, 0.0]), [2**63 - 1, -(2**63), 10**10, 0]),
    ],
)
def test_a_value_takes_its_declared_type(declared, value, expected, fake):
    fake("op", lambda x: value)
    (y,) = run(operation("op", "y", fp(declared, 4), x="x"), x=F32([0]))
    assert y.dtype == ir.NUMPY_DTYPES[declared]
    np.testing.assert_array_equal(y, np.array(expected, y.dtype))


def test_only_fp16_is_widened():
    assert widen(F16([1])).dtype == F32
    for value in (F32([1]), np.float64([1]), np.int8([1]), "text", (1, 2)):
        assert widen(value) is value


@pytest.mark.parametrize(
    ("shape", "declared"),
    [((2, 3), fp("fp32", 2, None)), ((2, 3), fp("fp32", None, None)), ((), fp("fp32"))],
)
def test_shapes_that_agree(shape, declared, fake):
    fake("op", lambda x: np.zeros(shape))
    assert run(operation("op", "y", declared, x="x"), x=F32([0]))[0].shape == shape


def test_a_variadic_shape_agrees_with_all(fake):
    fake("op", lambda x: np.zeros((4, 5)))
    declared = ir.TensorType("fp32", (None,), variadic=True)
    assert run(operation("op", "y", declared, x="x"), x=F32([0]))[0].shape == (4, 5)


@pytest.mark.parametrize(
    "declared", [fp("fp32", 3, 2), fp("fp32", 2), fp("fp32"), fp("fp32", 2, 3, 1)]
)
def test_shapes_that_contradict(declared, fake):
    fake("op", lambda x: np.zeros((2, 3)))
    message = f"operator 'op' (y) gives shape (2, 3), the program declares {declared}"
    with pytest.raises(InvalidModel, match=f"^{re.escape(message)}$"):
        run(operation("op", "y", declared, x="x"), x=F32([0]))


# ---- what an operator is given and may do ------------------------------------------------------


def test_a_variadic_input_is_a_tuple_even_of_one(fake):
    seen = []
    fake("op", lambda x: seen.append(x) or np.zeros(1), variadic="x")
    run(operation("op", "y", fp("fp32", 1), x=("a",)), a=F16([1]))
    run(operation("op", "y", fp("fp32", 1), x=("a", literal(F16(2)))), a=F16([1]))
    assert [tuple(v.dtype for v in values) for values in seen] == [(F32,), (F32, F32)]


@pytest.mark.parametrize(
    "error",
    [
        ValueError("odd"),
        TypeError("odd"),
        KeyError("odd"),
        IndexError("odd"),
        AttributeError("odd"),
        AssertionError("odd"),
        OverflowError("odd"),
        ZeroDivisionError("odd"),
        MemoryError("odd"),
        RecursionError("odd"),
        NotImplementedError("odd"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_an_operator_raises_is_the_models_fault(error, fake):
    def raising(x):
        raise error

    fake("op", raising)
    with pytest.raises(
        InvalidModel, match=r"^operator 'op' \(y\) cannot take its inputs: "
    ) as caught:
        run(operation("op", "y", fp("fp32", 1), x="x"), x=F32([0]))
    assert caught.value.__cause__ is error
    assert str(caught.value).strip("'").endswith("odd")


def test_an_error_without_words_is_named(fake):
    def raising(x):
        raise MemoryError

    fake("op", raising)
    with pytest.raises(InvalidModel, match=r"cannot take its inputs: MemoryError$"):
        run(operation("op", "y", fp("fp32", 1), x="x"), x=F32([0]))


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_an_interruption_is_no_error_of_the_model(interruption, fake):
    def raising(x):
        raise interruption

    fake("op", raising)
    with pytest.raises(interruption):
        run(operation("op", "y", fp("fp32", 1), x="x"), x=F32([0]))


@pytest.mark.parametrize(
    ("result", "declared"),
    [("text", fp("fp32")), (object(), fp("fp32")), (np.array(["a"], object), fp("fp32", 1))],
    ids=["string", "object", "array of strings"],
)
def test_what_is_no_tensor_cannot_be_declared_one(result, declared, fake):
    fake("op", lambda x: result)
    with pytest.raises(InvalidModel, match=r"^operator 'op' \(y\) "):
        run(operation("op", "y", declared, x="x"), x=F32([0]))


def test_numpy_does_not_warn(recwarn):
    (y,) = run(operation("real_div", "y", fp("fp16", 2), x="x", y="x"), x=F16([0, np.inf]))
    assert np.isnan(y).all()
    assert not recwarn


def test_operators_follow_the_opset():
    one = operation("fill_like", "y", fp("fp32", 2), ref_tensor="x")
    assert run(one, opset="CoreML6", x=F32([1, 2]))[0].tolist() == [0, 0]
    with pytest.raises(
        UnsupportedOperator, match=r"^operator 'fill_like' \(y, opset CoreML5\) is no"
    ):
        run(one, opset="CoreML5", x=F32([1, 2]))


# ---- names -------------------------------------------------------------------------------------


def test_outputs_come_in_order_and_may_repeat():
    ops = [operation(k, k, fp("fp32", 1), x="x", y="x") for k in ("add", "mul")]
    outputs = run(*ops, outputs=("mul", "add", "mul", "x"), x=F32([3]))
    assert [o.item() for o in outputs] == [9, 6, 9, 3]


def test_a_later_value_of_the_same_name_replaces_the_earlier():
    outputs = run(
        operation("add", "y", fp("fp32", 1), x="x", y="x"),
        operation("add", "y", fp("fp32", 1), x="y", y="y"),
        x=F32([3]),
    )
    assert outputs[0].item() == 12


@pytest.mark.parametrize("name", ["z", "y"])
def test_a_name_that_nothing_computed(name):
    with pytest.raises(
        InvalidModel, match=f"^operator 'relu' \\(y\\) needs '{name}', which nothing"
    ):
        run(operation("relu", "y", fp("fp32", 1), x=name), x=F32([3]))


def test_inner_blocks_see_outer_values_and_keep_their_own():
    inner = block(operation("add", "inside", fp("fp32", 1), x="x", y="x"), outputs=["inside"])
    choice = operation("cond", "y", fp("fp32", 1), inner, inner, pred=literal(True))
    assert run(choice, x=F32([3]))[0].item() == 6
    with pytest.raises(InvalidModel, match="needs 'inside', which nothing before it computes"):
        run(choice, operation("relu", "z", fp("fp32", 1), x="inside"), outputs=["z"], x=F32([3]))


# ---- lifetimes ---------------------------------------------------------------------------------


def test_values_are_dropped_after_their_last_use(monkeypatch):
    alive, original = [], Evaluator._step

    def step(self, operation, values):
        original(self, operation, values)
        alive.append("".join(sorted(values)))

    monkeypatch.setattr(Evaluator, "_step", step)
    (c,) = run(
        operation("add", "a", fp("fp32", 1), x="x", y="x"),
        operation("add", "b", fp("fp32", 1), x="a", y="x"),
        operation("add", "u", fp("fp32", 1), x="b", y="x"),
        operation("add", "c", fp("fp32", 1), x="b", y="x"),
        outputs=["c"],
        x=F32([1]),
    )
    # The unused one goes too; inputs are the caller's and stay.
    assert alive == ["ax", "abx", "bux", "bcx"]
    assert c.item() == 4


def test_a_value_lives_as_long_as_an_inner_block_reads_it():
    inner = block(operation("add", "in", fp("fp32", 1), x="a", y="a"), outputs=["in"])
    other = block(outputs=["b"])
    outputs = run(
        operation("add", "a", fp("fp32", 1), x="x", y="x"),
        operation("add", "b", fp("fp32", 1), x="a", y="x"),
        operation("cond", "c", fp("fp32", 1), inner, other, pred=literal(True)),
        operation("cond", "d", fp("fp32", 1), inner, other, pred=literal(False)),
        outputs=["c", "d"],
        x=F32([1]),
    )
    assert [o.item() for o in outputs] == [4, 3]


def test_a_trace_keeps_everything():
    trace = {}
    run(
        constant("one", F32([1])),
        operation("add", "a", fp("fp32", 1), x="x", y="one"),
        operation("add", "y", fp("fp32", 1), x="a", y="a"),
        trace=trace,
        x=F32([1]),
    )
    assert {k: v.item() for k, v in trace.items()} == {"one": 1, "a": 2, "y": 4}


def test_constants_are_made_once(fake):
    calls = []
    fake("constexpr_op", lambda x: calls.append(1) or np.full(1, 5, F32))
    body = block(operation("constexpr_op", "y", fp("fp16", 1), x=literal(F32([0]))), outputs=["y"])
    kept = {}
    for _ in range(3):
        assert Evaluator("CoreML8", constants=kept).run(body, {})[0].item() == 5
    assert len(calls) == 1


# ---- bounds ------------------------------------------------------------------------------------


def counting(limit):
    condition = block(
        operation("less", "go", fp("bool", 1), x="i", y=literal(F32([limit]))),
        outputs=["go"],
        inputs=["i"],
    )
    body = block(
        operation("add", "next", fp("fp32", 1), x="i", y=literal(F32([1]))),
        outputs=["next"],
        inputs=["i"],
    )
    return operation("while_loop", "y", fp("fp32", 1), condition, body, loop_vars=("x",))


@pytest.mark.parametrize("limit", [0, 1, 1000])
def test_a_loop_ends_when_its_condition_says(limit):
    assert run(counting(limit), x=F32([0]))[0].item() == limit


def test_loops_have_a_limit_together(monkeypatch):
    monkeypatch.setattr(module, "MAX_BLOCKS", 100)
    assert run(counting(45), x=F32([0]))
    with pytest.raises(InvalidModel, match=r"^more than 100 blocks were run: a loop does not end$"):
        run(counting(60), x=F32([0]))
    again = operation("while_loop", "y", fp("fp32", 1), *counting(30).blocks, loop_vars=("x",))
    twice = [again, operation("sub", "x", fp("fp32", 1), x="y", y="y")]
    with pytest.raises(InvalidModel, match=r"^more than 100 blocks"):
        run(*twice, *twice, x=F32([0]))


@pytest.mark.parametrize("blocks", [0, 1, 3])
def test_a_loop_without_its_blocks(blocks):
    loop = counting(3)
    broken = operation(
        "while_loop", "y", fp("fp32", 1), *[loop.blocks[0]] * blocks, loop_vars=("x",)
    )
    with pytest.raises(InvalidModel, match=r"^operator 'while_loop' \(y\) cannot take its inputs"):
        run(broken, x=F32([0]))
