"""A user's module as the command line names it: data that travels to the worker as JSON.

Standard library only: host and worker share this file, and neither imports the module by it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from exportcheck.errors import UsageError

FLOATS = ("float16", "float32", "float64")
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")

_FORM = "[NAME=]SHAPE[:DTYPE][:LOW..HIGH], for example 1x8x32x32, 4x16:float16 or 2x7:int64:0..99"


_LARGEST = 2**28
"""Numbers that an input may have: 1 GiB of float32, of which the tests hold several."""

TRACING = "forward, traced,"
"""The step of an inspection in which a module is traced; who dies of it is inspected without."""


@dataclass(frozen=True)
class InputSpec:
    """One input of a module.

    Attributes:
        shape: of the tensor; empty for a scalar.
        dtype: as NumPy calls it.
        low: the smallest value that the module is meant for; None for no bound.
        high: the largest.
        name: of the argument; empty for the next positional one.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float | None = None
    high: float | None = None
    name: str = ""

    @property
    def floating(self) -> bool:
        """Whether it is of a floating type."""
        return self.dtype in FLOATS

    @property
    def text(self) -> str:
        """As `--input` takes it."""
        parts = ["x".join(map(str, self.shape)) or "scalar"]
        parts += [self.dtype] if self.dtype != "float32" else []
        parts += [f"{self.low:g}..{self.high:g}"] if self.low is not None else []
        return (f"{self.name}=" if self.name else "") + ":".join(parts)


def parse_input(text: str) -> InputSpec:
    """What `--input` was given.

    Raises:
        UsageError: it is not of the form; says which part and what was expected.
    """
    name, equals, rest = text.rpartition("=")
    if equals and not name.isidentifier():
        raise UsageError(f"--input {text!r}: {name!r} is no name of an argument; {_FORM}")
    shape, *others = rest.split(":")
    if not re.fullmatch(r"scalar|\d+(x\d+)*", shape):
        raise UsageError(f"--input {text!r}: {shape!r} is no shape; {_FORM}")
    sizes = () if shape == "scalar" else tuple(map(int, shape.split("x")))
    if math.prod(sizes) > _LARGEST:
        raise UsageError(f"--input {text!r}: more than {_LARGEST} numbers; say a smaller shape")
    facts: dict[str, Any] = {}
    for part in others:
        if ".." in part:
            facts["low"], facts["high"] = _bounds(part, text)
        elif part in FLOATS + INTEGERS:
            facts["dtype"] = part
        else:
            known = ", ".join(FLOATS + INTEGERS)
            raise UsageError(f"--input {text!r}: no dtype {part!r}; there are {known}")
    return InputSpec(sizes, name=name, **facts)


def _bounds(part: str, text: str) -> tuple[float, float]:
    try:
        low, high = map(float, part.split(".."))
    except ValueError as error:
        raise UsageError(f"--input {text!r}: {part!r} is no range; {_FORM}") from error
    if not low <= high < float("inf"):
        raise UsageError(f"--input {text!r}: the range {part} is empty; {_FORM}")
    return low, high


@dataclass(frozen=True)
class ModuleSpec:
    """What to check.

    Attributes:
        spec: `package.module:Name` or `path/to/file.py:Name`.
        args: of the constructor or factory, names to Python literals as text.
        inputs: in the order they were given; guessed where there are none.
        state: a file of weights; empty for seeded ones.
        dynamic: the axes, of every input that has them, whose size may change after the export.
        train: whether gradients are checked.
        settled: whether its weights stay as the constructor leaves them, even where all are alike.
        traced: whether it may be traced before it is exported.
    """

    spec: str
    args: tuple[tuple[str, str], ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    state: str = ""
    dynamic: tuple[int, ...] = ()
    train: bool = False
    settled: bool = False
    traced: bool = True

    @property
    def name(self) -> str:
        """Shown to people and part of a case's id, so without a slash: `my.py:Name(alpha=2)`."""
        args = ",".join(f"{name}={value}" for name, value in self.args)
        file, _, what = self.spec.rpartition(":")
        text = f"{PurePath(file).name}:{what}" + (f"({args})" if args else "")
        return text.replace("/", "_")

    def to_json(self) -> dict[str, Any]:
        """A JSON object."""
        return asdict(self)


def spec_from_json(data: Mapping[str, Any]) -> ModuleSpec:
    """The spec that `ModuleSpec.to_json` wrote."""
    inputs = (InputSpec(**{**one, "shape": tuple(one["shape"])}) for one in data["inputs"])
    return ModuleSpec(
        spec=data["spec"],
        args=tuple((name, value) for name, value in data["args"]),
        inputs=tuple(inputs),
        state=data["state"],
        dynamic=tuple(data["dynamic"]),
        train=data["train"],
        settled=data["settled"],
        traced=data["traced"],
    )
