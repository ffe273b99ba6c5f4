"""From a failing module to the smallest of its submodules that still fails the same way."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from exportcheck.custom.guessing import Guess
from exportcheck.custom.module_spec import InputSpec
from exportcheck.custom.modules import FromModule
from exportcheck.custom.resolving import Resolved
from exportcheck.results import Case, Result
from exportcheck.rewrites.parts import calls, numpy_of, supported
from exportcheck.stages import check
from exportcheck.subject import Subject

if TYPE_CHECKING:
    from torch import Tensor, nn

BUDGET_S = 120.0
"""A large model is not reduced for longer; what was reached by then is used."""


@dataclass(frozen=True)
class Reduced:
    """A module, or a part of it, that fails.

    Attributes:
        what: it, as a subject.
        path: of the submodule; empty for the module itself.
        result: how it fails.
    """

    what: Subject
    path: str
    result: Result


def reduce(what: Subject, case: Case, clock: Callable[[], float] = time.monotonic) -> Reduced:
    """The smallest submodule of `what` that fails as the whole does.

    Each is exported by the same target with what the whole calls it with. The same way means: at
    the same stage, with the same status, and refusing the same operator. Submodules are as small
    as it gets: what stands in one `forward` is not taken apart.

    Args:
        what: fails.
        case: how it was checked.
        clock: seconds.
    """
    deadline = clock() + BUDGET_S
    found = Reduced(what, "", check(case, find=lambda: what))
    wanted = _way(found.result)
    module = what.build()
    _, given = calls(copy.deepcopy(module), what.example())
    smaller = _descent(module, found)
    while clock() < deadline:
        path = next(smaller, None)
        if path is None:
            break
        if path not in given or not supported(given[path]):
            continue
        part = _part(module.get_submodule(path), given[path])
        result = check(case, find=lambda part=part: part)  # type: ignore[misc]  # bound now
        if _way(result) == wanted:
            found = Reduced(part, path, result)
            smaller = _descent(module, found)
    return found


def _way(result: Result) -> tuple[str, str, str]:
    """How it fails: status, stage, and the operator or the kind of exception."""
    operators = result.blame.operators if result.blame else ()
    cause = operators[0].name if operators else result.first_line.partition(":")[0]
    mismatch = result.status.value == "mismatch"
    return result.status.value, result.stage.value, "" if mismatch else cause


def _descent(module: nn.Module, found: Reduced) -> Iterator[str]:
    """Paths inside of what was found, where the blamed operator stands first, deepest first.

    Then its children, those of a container that is not called itself among them.
    """
    inside = f"{found.path}." if found.path else ""
    operators = found.result.blame.operators if found.result.blame else ()
    for operator in operators:
        parts = operator.module.split(".") if operator.module else []
        for length in range(len(parts), 0, -1):
            path = inside + ".".join(parts[:length])
            if path in dict(module.named_modules()):
                yield path
    for path, _ in module.get_submodule(found.path).named_modules():
        if path:
            yield inside + path


def _part(module: nn.Module, given: tuple[Tensor, ...]) -> Subject:
    """A submodule with what it is called with."""
    values = numpy_of(given)
    specs = tuple(InputSpec(array.shape, str(array.dtype)) for array in values)
    name = type(module).__name__
    resolved = Resolved(lambda: copy.deepcopy(module).eval(), name, ready=True)
    return Subject(FromModule(name, resolved, Guess(specs, "given"), values=values))
