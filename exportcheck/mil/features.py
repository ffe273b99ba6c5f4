"""What a model asks of its callers: names, types and shapes of inputs, outputs and states."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Mapping, Optional, Tuple

import numpy as np

from exportcheck.errors import InvalidModel
from exportcheck.mil.ir import MAX_ELEMENTS

_DTYPES: dict[int, np.dtype[Any]] = {
    65568: np.dtype(np.float32),
    65600: np.dtype(np.float64),
    65552: np.dtype(np.float16),
    131104: np.dtype(np.int32),
    131080: np.dtype(np.int8),
}
"""`ArrayFeatureType.ArrayDataType` of coremltools 9.0's FeatureTypes.proto."""

Range = Tuple[int, Optional[int]]


@dataclass(frozen=True)
class Feature:
    """One input, output or state as the model's description declares it.

    Attributes:
        name: its name.
        dtype: None where the description says none (a dictionary, a string).
        shapes: the fixed shape, or the enumerated ones; empty where any shape goes.
        ranges: smallest and largest size of every dimension, None for no upper bound.
        optional: whether a caller may leave it out.
        default: what it is then.
    """

    name: str
    dtype: np.dtype[Any] | None
    shapes: tuple[tuple[int, ...], ...] = ()
    ranges: tuple[Range, ...] = ()
    optional: bool = False
    default: float = 0.0

    def accept(self, value: Any) -> np.ndarray:
        """`value` as an array of this feature's dtype.

        Raises:
            InvalidModel: it has another kind of element, rank, or a size that is not allowed.
        """
        if self.dtype is None:
            raise InvalidModel(f"input {self.name!r} is no multi-array; mil-numpy takes only those")
        try:
            array = np.asarray(value)
        except (RuntimeError, TypeError, ValueError) as error:
            raise InvalidModel(f"input {self.name!r} is not an array: {error}") from error
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise InvalidModel(
                f"input {self.name!r} has dtype {array.dtype}, expected {self.dtype}"
            )
        if not self.allows(array.shape):
            raise InvalidModel(
                f"input {self.name!r} has shape {array.shape}, expected {self.allowed}"
            )
        with np.errstate(over="ignore"):
            return array.astype(self.dtype, copy=False)

    def allows(self, shape: tuple[int, ...]) -> bool:
        """Whether the model may be called with `shape`."""
        if self.ranges:
            return len(shape) == len(self.ranges) and all(
                low <= size and (high is None or size <= high)
                for size, (low, high) in zip(shape, self.ranges)
            )
        return not self.shapes or shape in self.shapes

    @property
    def allowed(self) -> str:
        """The shapes the model may be called with, as text."""
        if self.ranges:
            sizes = (f"{low}..{'' if high is None else high}" for low, high in self.ranges)
            return f"({', '.join(sizes)})"
        return " or ".join(map(str, self.shapes)) or "of any shape"

    def filled(self) -> np.ndarray:
        """The array that stands for an optional input that was left out, or for a new state.

        Raises:
            InvalidModel: no one shape is declared.
        """
        if len(self.shapes) != 1:
            raise InvalidModel(f"{self.name!r} was not given and has no one shape to fill")
        with np.errstate(over="ignore", invalid="ignore"):
            return np.full(self.shapes[0], np.asarray(self.default).astype(self.dtype))


@dataclass(frozen=True)
class Signature:
    """The features of one function."""

    inputs: Mapping[str, Feature]
    outputs: Mapping[str, Feature]
    states: Mapping[str, Feature]


def parse_signatures(description: Any) -> dict[str, Signature]:
    """Function name -> signature; a model without named functions has one called `main`."""
    # The protobuf classes of coremltools before 8 know neither functions nor states.
    functions = getattr(description, "functions", ())
    described = {f.name: f for f in functions} or {"main": description}
    return {
        name: Signature(_features(d.input), _features(d.output), _features(getattr(d, "state", ())))
        for name, d in described.items()
    }


def _features(messages: Any) -> dict[str, Feature]:
    return {message.name: _feature(message) for message in messages}


def _feature(message: Any) -> Feature:
    kind = message.type.WhichOneof("Type")
    array = None
    if kind == "multiArrayType":
        array = message.type.multiArrayType
    elif kind == "stateType":
        array = message.type.stateType.arrayType
    if array is None:
        return Feature(message.name, None, optional=message.type.isOptional)
    if array.dataType not in _DTYPES:
        raise InvalidModel(f"feature {message.name!r} has array type number {array.dataType}")
    shapes = _shapes(array)
    if any(min(s) < 0 or math.prod(n or 1 for n in s) > MAX_ELEMENTS for s in shapes):
        raise InvalidModel(f"feature {message.name!r} has an impossible shape: {shapes}")
    default = array.WhichOneof("defaultOptionalValue")
    return Feature(
        name=message.name,
        dtype=_DTYPES[array.dataType],
        shapes=shapes,
        ranges=tuple(
            (int(r.lowerBound), None if r.upperBound < 0 else int(r.upperBound))
            for r in array.shapeRange.sizeRanges
        ),
        optional=message.type.isOptional,
        default=getattr(array, default) if default else 0.0,
    )


def _shapes(array: Any) -> tuple[tuple[int, ...], ...]:
    enumerated = tuple(tuple(map(int, s.shape)) for s in array.enumeratedShapes.shapes)
    if enumerated:
        return enumerated
    # A scalar is described by no dimensions, just as an output of unknown shape is.
    return (tuple(map(int, array.shape)),) if len(array.shape) else ()
