"""A made-up report as large as that of `exportcheck all`: every case, as much text and figures."""

from __future__ import annotations

import random

from exportcheck.catalog import activations
from exportcheck.results import (
    Blame,
    Comparison,
    Culprit,
    Curve,
    Evidence,
    Operator,
    Report,
    Result,
    Stage,
    Status,
    Worst,
)
from exportcheck.selection import all_cases

# A real run of 2760 cases had 908 different comparisons among 9466, 245 curves and 84 logs.
LOGS, ERRORS = 100, 60
CLASSES = ("grid", "knees", "tails", "infinities", "nan", "zeros", "subnormals", "largest")
DRAWN = ("grid", "knees", "tails", "largest")
POINTS = 65


def full_size_report() -> Report:
    """One case in twenty fails, one in ten is noted, as figures and texts go in a real run."""
    dice = random.Random(0)
    logs = [text(dice, 3000) for _ in range(LOGS)]
    return Report(
        tuple(made_up(case, dice, logs) for case in all_cases("torch-2.13")),
        {"exportcheck": "0.1.0", "platform": "Linux", "versions": {"torch": "2.13.0"}},
    )


def made_up(case, dice, logs) -> Result:
    fate = dice.random()
    status = Status.ERROR if fate < 0.035 else Status.MISMATCH if fate < 0.05 else Status.PASS
    differs = fate < 0.15 and status is not Status.ERROR
    bare = case.network == "bare"
    classes = CLASSES if bare else ("normal",)
    drawn = dice.sample(DRAWN, 2) if differs and bare else ()
    return Result(
        case,
        activations()[case.activation].family,
        status,
        Stage.EXPORT if status is Status.ERROR else Stage.COMPARE,
        message=text(dice, 300) if status.failed else "",
        notes=(text(dice, 100),) if 0.05 <= fate < 0.15 else (),
        comparisons={} if status is Status.ERROR else {c: compared(dice, differs) for c in classes},
        curves={name: curve(dice) for name in drawn},
        tolerance={"rtol": 1e-5, "atol": 2.5e-7, "reason": "some float32 operations"},
        blame=blame(dice) if status.failed else None,
        actual={"computed_by": case.runtime, "opset": 17, "size_bytes": dice.randrange(100, 9999)},
        training={"saved_tensors": 1, "saved_bytes": 16384} if bare else {},
        graph_ops={"exported": {text(dice, 8): 1, "Mul": 2}, "optimized": {"Mul": 1}},
        durations_s={stage.value: round(dice.random(), 4) for stage in Stage},
        versions={"torch": "2.13.0", "onnx": "1.23.2", "onnxruntime": "1.31.1"},
        log=dice.choice(logs) if status.failed else "",
    )


def text(dice, length) -> str:
    return "".join(dice.choices("abcdefghij_.: \n", k=length))


def compared(dice, differs) -> Comparison:
    size = dice.randrange(ERRORS) if dice.random() < 0.4 else 0
    error = size * 1.1920928955078125e-07
    at = Worst(size / 3, size / 7, size / 7 + error, size / 7 + error / 3, (0, 1, 2, 3))
    kinds = {"finite": dice.randrange(1, 4096)} if differs else {}
    return Comparison(
        close=not differs,
        gates=True,
        max_error=error,
        max_abs_error=error,
        max_rel_error=error,
        max_ulp_error=error * 2**23,
        mismatched=sum(kinds.values()),
        total=4096,
        kinds=kinds,
        worst=at if error or differs else None,
    )


def curve(dice) -> Curve:
    inputs = sorted(round(dice.uniform(-30, 30), 6) for _ in range(POINTS))
    values = [round(dice.uniform(-30, 30), 7) for _ in inputs]
    near = [value + dice.choice((0.0, 1e-5)) for value in values]
    ulp = [float(dice.randrange(1000)) for _ in inputs]
    return Curve(tuple(inputs), tuple(near), tuple(values), tuple(ulp))


def blame(dice) -> Blame:
    return Blame(
        dice.choice(list(Culprit)),
        text(dice, 80),
        (Evidence(text(dice, 40), text(dice, 40)), Evidence(text(dice, 40), text(dice, 40))),
        (Operator("aten::" + text(dice, 10), "", "torch/nn/functional.py:12"),),
    )
