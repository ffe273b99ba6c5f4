"""What must be known of a user's module before it is checked, and what makes checking it vain."""

from __future__ import annotations

from typing import Any

import numpy as np

from exportcheck.errors import BadModule
from exportcheck.gradients import gradient_facts
from exportcheck.guessing import call
from exportcheck.module_spec import ModuleSpec
from exportcheck.modules import Announce, FromModule, module_source
from exportcheck.subject import Subject
from exportcheck.targets.interface import Arrays
from exportcheck.trees import arrays
from exportcheck.watching import Watch

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
            "knees": sorted(found.law.knees[:_KNEES_SHOWN]) if found.elementwise else [],
            "parameters": found.parameters,
        }
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
    """What the module answers, the same each time.

    Raises:
        BadModule: no tensor, or other numbers the second time.
    """
    module = found.build()
    answers = [call(module, example, found.place) for _ in range(2)]
    once, twice = map(arrays, answers)
    if not once:
        raise BadModule(
            f"{found.place}: forward returns {_kind(answers[0])}; tensors were expected"
        )
    if not _equal(once, twice):
        anew = arrays(call(found.build(), example, found.place))
        why = "it keeps what it saw" if _equal(once, anew) else "it draws random numbers"
        raise BadModule(
            f"{found.place}: forward gives other numbers the second time on the same inputs, "
            f"in eval mode: {why}, so no comparison can be made; let it do that when training only"
        )
    return once


def _kind(answer: Any) -> str:
    return "None" if answer is None else f"an object of type {type(answer).__name__}"


def _equal(one: Arrays, other: Arrays) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one, other)
    )


def _text(array: np.ndarray) -> str:
    return f"{array.dtype} {'x'.join(map(str, array.shape)) or 'scalar'}"
