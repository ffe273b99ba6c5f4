"""What must be known of a user's module before it is checked, and what makes checking it vain."""

from __future__ import annotations

from typing import Any

import numpy as np

from exportcheck.custom.gradients import gradient_facts
from exportcheck.custom.guessing import call
from exportcheck.custom.module_spec import ModuleSpec
from exportcheck.custom.modules import Announce, FromModule, module_source
from exportcheck.custom.watching import Watch
from exportcheck.errors import BadModule
from exportcheck.inputs import InputClass
from exportcheck.subject import Subject
from exportcheck.targets.interface import Arrays
from exportcheck.trees import arrays

_KNEES_SHOWN = 8


def inspect_module(
    spec: ModuleSpec, network: str, announce: Announce = lambda step, place: None
) -> dict[str, Any]:
    """The facts of a module, as JSON, for people: what was used and what was found.

    Args:
        spec: which module.
        network: what it stands in.
        announce: told before each step that runs the user's code.

    Raises:
        BadModule: it cannot be imported, made or called; it returns no tensor, is not
            deterministic, or forks. The message has the line.
    """
    with Watch() as watch:
        found = module_source(spec, network, announce)
        announce("forward", found.place)
        example = found.values or tuple(tensor.numpy() for tensor in found.example())
        outputs = steady_outputs(found, example)
        facts: dict[str, Any] = {
            "name": found.name,
            "place": found.place,
            "inputs": [_text(array) for array in example],
            "guess": found.given.how,
            "outputs": [_text(array) for array in outputs],
            "elementwise": found.elementwise,
            "refuses": "" if found.elementwise else found.law.refuses,
            "knees": sorted(found.law.knees[:_KNEES_SHOWN]) if found.elementwise else [],
            "parameters": found.parameters,
            "moved": list(found.moved),
        }
        facts["left_out"] = list(found.left_out)
        # Refuses sizes that do not fit, and special values eager does not take, before any case.
        facts["classes"] = [one.name for one in found.inputs("float32")]
        if spec.train:
            announce("backward", found.place)
            facts["training"] = gradient_facts(Subject(found))
    if watch.forked:
        raise BadModule(f"{watch.forked}: forks; a module that does cannot be checked")
    facts["notes"] = [f"{line} writes to stdout" for line in watch.written]
    if Subject(found).changes_its_input:
        facts["notes"].append(f"{found.place} writes to its input; only outputs are compared")
    return facts


def steady_outputs(found: FromModule, example: Arrays) -> Arrays:
    """What the module answers, the same each time, whatever it was given in between.

    Raises:
        BadModule: no tensor, no element, or other numbers than a module that saw nothing yet.
    """
    module = found.build()
    answer = call(module, example, found.place)
    once = arrays(answer)
    if not once:
        raise BadModule(f"{found.place}: forward returns {_kind(answer)}; tensors were expected")
    if not any(array.size for array in once):
        shapes = ", ".join(map(_text, once))
        raise BadModule(
            f"{found.place}: forward returns {shapes}, no elements, so that nothing would be "
            "compared: give it other inputs"
        )
    other = _others(found, example)
    then, twice = (arrays(call(module, given, found.place)) for given in (other, example))
    if not _equal(once, twice):
        anew = arrays(call(found.build(), example, found.place))
        why = "it keeps what it saw" if _equal(once, anew) else "it draws random numbers"
        _refuse(found, f"the second time on the same inputs, in eval mode: {why}")
    # What only the first inputs set, the same inputs do not show.
    if not _equal(then, arrays(call(found.build(), other, found.place))):
        _refuse(found, "after it was given others than before, in eval mode: it keeps what it saw")
    return once


def _others(found: FromModule, example: Arrays) -> Arrays:
    """Other inputs of the same shapes, or the same where the module takes no others.

    Floats halfway to zero, or to the upper end of their range; all else in reverse order.
    """
    highs = [spec.high or 0.0 for spec in found.given.inputs] or [0.0] * len(example)
    other = tuple(
        ((array + high) / 2).astype(array.dtype) if array.dtype.kind == "f" else np.flip(array)
        for array, high in zip(example, highs)
    )
    return other if found.accepts(InputClass("other", other, gates=False)) else example


def _refuse(found: FromModule, why: str) -> None:
    raise BadModule(
        f"{found.place}: forward gives other numbers {why}, so no comparison can be made; "
        "let it do that when training only"
    )


def _kind(answer: Any) -> str:
    return "None" if answer is None else f"an object of type {type(answer).__name__}"


def _equal(one: Arrays, other: Arrays) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, other)
    )


def _text(array: np.ndarray) -> str:
    return f"{array.dtype} {'x'.join(map(str, array.shape)) or 'scalar'}"
