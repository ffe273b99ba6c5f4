"""Other arguments for the same class: not in place, floats for integers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from exportcheck.rewrites.interface import Candidate
from exportcheck.rewrites.known_forms import arguments
from exportcheck.rewrites.swapping import twin

if TYPE_CHECKING:
    from torch import nn


class OutOfPlace:
    """`SiLU(inplace=True)` to `SiLU(inplace=False)`."""

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """The module with `inplace` off, where it has that and it is on."""
        if vars(module).get("inplace") is True:
            yield _with(module, {"inplace": False})


class FloatArguments:
    """`Threshold(0.1, 20)` to `Threshold(0.1, 20.0)`: TorchScript tells integers from floats.

    Only attributes that the class declares as floats or does not declare, and that its constructor
    takes; where one of them had to be an integer the proof fails.
    """

    def candidates(self, module: nn.Module) -> Iterator[Candidate]:
        """The module with floats for integers, where there are any."""
        kind = type(module)
        declared: dict[str, Any] = {}
        for owner in reversed(kind.__mro__):
            declared.update(vars(owner).get("__annotations__", {}))
        known = arguments(kind)
        integers = {
            name: float(value)
            for name, value in vars(module).items()
            if type(value) is int
            and name in known
            and declared.get(name, float) in (float, "float")
        }
        if integers:
            yield _with(module, integers)


def _with(module: nn.Module, values: dict[str, Any]) -> Candidate:
    text = ", ".join(f"{name}={value!r}" for name, value in values.items())
    swap = "; ".join(f"{{place}}.{name} = {value!r}" for name, value in values.items())
    return Candidate(f"{type(module).__name__}({text})", twin(module, **values), "", swap)


RULES = (OutOfPlace(), FloatArguments())
