"""Where operators are found: one function an operator, named as MIL names it.

How to write one (`ops/activation.py` is a good model):

* Parameters carry MIL's input names, defaults are the specification's; attributes of `constexpr_*`
  operations come as parameters too. An input without value is absent, so it needs a default.
* Tensors of fp16 and fp32 arrive as float32 arrays, all other types in their own dtype; rank 0 as a
  0-d array, a string as `str`. A variadic input arrives as a tuple: name it in `variadic`.
* Return the array, or a tuple for several outputs. Do not round: the evaluator alone casts each
  value to its declared type (and checks its declared shape).
* A parameter named `context` receives the evaluator's `Context`: nested blocks, declared types.
* Where versions of an operator differ, write only what differs, with `since="CoreML7"`.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Callable, Sequence, TypeVar, overload

from exportcheck.discover import modules

OLDEST = "CoreML5"


@dataclass(frozen=True)
class Operator:
    """A function with what its signature says, looked at once."""

    name: str
    function: Callable[..., Any]
    since: str
    variadic: frozenset[str]
    parameters: frozenset[str]
    required: frozenset[str]
    wants_context: bool


_VERSIONS: dict[str, list[Operator]] = {}

F = TypeVar("F", bound=Callable[..., Any])


@overload
def op(function: F) -> F: ...


@overload
def op(
    *, name: str | None = None, since: str = OLDEST, variadic: Sequence[str] = ()
) -> Callable[[F], F]: ...


def op(
    function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    since: str = OLDEST,
    variadic: Sequence[str] = (),
) -> Any:
    """Registers `function` as the operator of its own name, from opset `since` on.

    Args:
        function: the operator; absent where the decorator is called with options.
        name: MIL's name where Python cannot use it, or where a version needs a second function.
        since: the first opset it holds for, `CoreML5` (iOS15) to `CoreML8` (iOS18).
        variadic: inputs that always arrive as a tuple.
    """

    def register(function: F) -> F:
        signature = inspect.signature(function).parameters
        found = Operator(
            name=name or function.__name__.rstrip("_"),
            function=function,
            since=since,
            variadic=frozenset(variadic),
            parameters=frozenset(signature) - {"context"},
            required=frozenset(
                p.name for p in signature.values() if p.default is p.empty and p.name != "context"
            ),
            wants_context="context" in signature,
        )
        versions = _VERSIONS.setdefault(found.name, [])
        if any(other.since == since for other in versions):
            raise ValueError(f"operator {found.name!r} is registered twice for {since}")
        versions.append(found)
        versions.sort(key=lambda operator: operator.since)
        return function

    return register if function is None else register(function)


@lru_cache(maxsize=None)
def find(name: str, opset: str) -> Operator | None:
    """The newest version of operator `name` that `opset` has; None where there is none."""
    _load()
    usable = [operator for operator in _VERSIONS.get(name, ()) if operator.since <= opset]
    return usable[-1] if usable else None


def names() -> list[str]:
    """Every operator there is, sorted."""
    _load()
    return sorted(_VERSIONS)


@lru_cache(maxsize=None)
def _load() -> None:
    list(modules("exportcheck.mil.ops"))
