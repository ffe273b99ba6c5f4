"""Turns figures into words: which input classes differ, which fail a case, which are noted."""

from __future__ import annotations

import dataclasses
import re
import traceback
from pathlib import Path
from typing import Any, Iterator, Mapping

import numpy as np

from exportcheck.compare import HARMLESS, Tolerance, compare, incomparable, wrong_points
from exportcheck.errors import ExportcheckError
from exportcheck.inputs import TAIL_LIMITS, InputClass
from exportcheck.logs import tidy
from exportcheck.results import Comparison, Status
from exportcheck.subject import Expected, Subject
from exportcheck.targets.interface import Arrays


def compared(
    what: Subject, given: InputClass, actual: Arrays, expected: Expected, tolerance: Tolerance
) -> Iterator[tuple[str, Comparison]]:
    """The comparison of each output, under the input class's name, numbered where there are more.

    Where eager itself makes NaN of an infinity (0 * inf), another answer may well be the better
    one: those points are judged apart and, like NaN inputs, do not gate.
    """
    if len(actual) != len(expected.outputs):
        wanted = len(expected.outputs)
        outputs = "1 output" if len(actual) == 1 else f"{len(actual)} outputs"
        yield given.name, incomparable("outputs", wanted, f"{outputs} where eager gives {wanted}")
        return
    single = len(actual) == 1
    for index, (mine, eager) in enumerate(zip(actual, expected.outputs)):
        name = given.name if single else f"{given.name}[{index}]"
        options = {**_options(what, given, expected, index), "gates": given.gates}
        undefined = np.isnan(eager)
        if given.name != "infinities" or not undefined.any():
            found = compare(mine, eager, tolerance, **options)
            if given.finite and not found.close and not found.gates:
                where = _overflown(mine, eager)
                fails = not compare(mine, eager, tolerance, where=where, **options).close
                found = dataclasses.replace(found, gates=fails)
            yield name, found
            continue
        yield name, compare(mine, eager, tolerance, where=~undefined, **options)
        options["gates"] = given.strict
        yield f"{name} to nan", compare(mine, eager, tolerance, where=undefined, **options)


def failing(
    what: Subject, given: InputClass, actual: Arrays, expected: Expected, tolerance: Tolerance
) -> tuple[np.ndarray, ...]:
    """Where each output of a class fails a case by `compared`: masks of the shapes of eager's."""
    if len(actual) != len(expected.outputs):
        return tuple(np.ones(eager.shape, bool) for eager in expected.outputs)
    masks = []
    for index, (mine, eager) in enumerate(zip(actual, expected.outputs)):
        wrong = wrong_points(mine, eager, tolerance, **_options(what, given, expected, index))
        if mine.shape == eager.shape and mine.dtype == eager.dtype:
            if given.name == "infinities" and not given.strict:
                wrong = wrong & ~np.isnan(eager)
            if not given.gates:
                wrong = wrong & given.finite & _overflown(mine, eager)
        masks.append(wrong)
    return tuple(masks)


def _options(what: Subject, given: InputClass, expected: Expected, index: int) -> dict[str, Any]:
    """What `compare` is told of an output of a class."""
    return {
        "signed_zeros": given.name == "zeros",
        "inputs": given.values if what.elementwise else None,
        "truth": expected.truth[index],
    }


def _overflown(mine: np.ndarray, eager: np.ndarray) -> np.ndarray:
    """Where an infinity or NaN stands in place of an ordinary number."""
    overflown: np.ndarray = ~np.isfinite(mine) & (np.abs(eager) <= TAIL_LIMITS["float32"])
    return overflown


def class_of(name: str) -> str:
    """The input class that a comparison of `compared` belongs to: `grid` of `grid[1]`."""
    return name.partition("[")[0].partition(" to nan")[0]


def notes_of(comparisons: Mapping[str, Comparison]) -> tuple[str, ...]:
    """A note for each input class that differs without failing the case."""
    return tuple(
        f"{name}: {_figures(c)}"
        for name, c in comparisons.items()
        if (not c.close and not c.gates) or (c.close and c.kinds)
    )


def verdict(comparisons: Mapping[str, Comparison]) -> tuple[Status, str]:
    """Pass, or mismatch with the gating input classes that differ, the worst first.

    What cannot be compared at all is said once, for it is the same in every class.
    """
    failed = [(name, c) for name, c in comparisons.items() if c.gates and not c.close]
    if not failed:
        return Status.PASS, ""
    failed.sort(key=lambda item: -item[1].max_error)
    told = (_told(name, c) for name, c in failed)
    return Status.MISMATCH, "; ".join(dict.fromkeys(told))


def _told(name: str, comparison: Comparison) -> str:
    if not comparison.detail:
        return f"{name}: {_figures(comparison)}"
    number = name.partition("[")[2].partition("]")[0]
    return f"output {number}: {comparison.detail}" if number else comparison.detail


def _figures(comparison: Comparison) -> str:
    """For example `nan-lost 4096 of 4096: 0 where eager gives nan at x = nan`."""
    kinds = [k for k in comparison.kinds if comparison.close or k not in HARMLESS]
    counted = ", ".join(f"{kind} {comparison.kinds[kind]}" for kind in kinds)
    text = f"{counted} of {comparison.total}"
    worst = comparison.worst
    if worst is not None:
        text += f": {worst.actual:.8g} where eager gives {worst.expected:.8g}"
        text += "" if worst.input is None else f" at x = {worst.input:.8g}"
    return text


_TENSOR = re.compile(r"tensor\(\[[^()]*(?:\([^()]*\)[^()]*)*\)")
"""A tensor as it prints; its numbers tell nobody why an export fails."""

_END_OF_TENSOR = re.compile(r"\n\[ [\w.]+\{[\d,]*\} \]")
"""What C++ prints below the numbers of a tensor, a line of its own amid the sentence."""


def without_us(error: BaseException) -> str:
    """The traceback of `error` without this package's own frames, unless a module runs there.

    They say nothing of the module, and differ with how a run is made.
    """
    told = traceback.TracebackException.from_exception(error)
    waiting = [told]
    while waiting:
        one = waiting.pop()
        frames = [f for f in one.stack if not f.filename.startswith(_HERE) or f.name == "forward"]
        one.stack = traceback.StackSummary.from_list(frames)
        waiting += filter(None, (one.__cause__, one.__context__))
    return "".join(told.format())


_HERE = str(Path(__file__).parent)

MESSAGE_LIMIT = 8_000
"""Characters of a cause that a result keeps; some exporters put a whole graph into theirs."""


def _raising_line(error: BaseException) -> str:
    """The line that raised an exception without a text, as `assert` does."""
    frames = traceback.extract_tb(error.__traceback__)
    return (frames[-1].line or "").strip() if frames else ""


def described(error: BaseException) -> str:
    """The cause in its first line: the innermost exception, which exporters like to wrap.

    A complaint of ours says all that there is to say.
    """
    if isinstance(error, ExportcheckError):
        return tidy(str(error))
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    cause = chain[-1]
    text = _TENSOR.sub("tensor(…)", tidy(str(cause)).strip())
    text = _END_OF_TENSOR.sub("", text) or _raising_line(cause)
    if len(text) > MESSAGE_LIMIT:
        text = f"{text[:MESSAGE_LIMIT]} … ({len(text) - MESSAGE_LIMIT} more characters)"
    outer = f" (raised as {type(error).__name__})" if cause is not error else ""
    return f"{type(cause).__name__}: {text}{outer}"
