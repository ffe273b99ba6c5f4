"""A MIL program as plain data: types, operations, blocks, functions.

Source: `MIL.proto` of apple/coremltools 9.0, whose words (function, block, operation, binding,
specialisation) are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Union

import numpy as np

NUMPY_DTYPES = {
    "bool": np.dtype(np.bool_),
    "string": np.dtype(object),
    "fp16": np.dtype(np.float16),
    "fp32": np.dtype(np.float32),
    "fp64": np.dtype(np.float64),
    "int4": np.dtype(np.int8),
    "int8": np.dtype(np.int8),
    "int16": np.dtype(np.int16),
    "int32": np.dtype(np.int32),
    "int64": np.dtype(np.int64),
    "uint1": np.dtype(np.uint8),
    "uint2": np.dtype(np.uint8),
    "uint3": np.dtype(np.uint8),
    "uint4": np.dtype(np.uint8),
    "uint6": np.dtype(np.uint8),
    "uint8": np.dtype(np.uint8),
    "uint16": np.dtype(np.uint16),
    "uint32": np.dtype(np.uint32),
    "uint64": np.dtype(np.uint64),
}
"""MIL's names of element types and what holds them here; a sub-byte integer takes a whole byte."""

OPSETS = {"CoreML5": "iOS15", "CoreML6": "iOS16", "CoreML7": "iOS17", "CoreML8": "iOS18"}
"""Sets of operators and the systems they came with, oldest first."""

MAX_ELEMENTS = 2**31
"""No tensor has more: what a file asks for beyond it is damage, or an attack on our memory."""

SUB_BYTE_BITS = {"int4": 4, "uint1": 1, "uint2": 2, "uint3": 3, "uint4": 4, "uint6": 6}


@dataclass(frozen=True)
class TensorType:
    """An element type by MIL's name and a shape; `None` is a size known only at run time.

    If `variadic`, the rank too is known only then, and `shape` says nothing.
    """

    dtype: str
    shape: tuple[int | None, ...]
    variadic: bool = False

    def __str__(self) -> str:
        if self.variadic:
            return f"{self.dtype}[...]"
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.dtype}[{sizes}]"


@dataclass(frozen=True)
class ListType:
    """A list whose elements all have one type; `length` is None where it can grow."""

    element: Type
    length: int | None

    def __str__(self) -> str:
        return f"list<{self.element}, {'?' if self.length is None else self.length}>"


@dataclass(frozen=True)
class StateType:
    """A tensor that outlives a prediction."""

    wrapped: Type

    def __str__(self) -> str:
        return f"state<{self.wrapped}>"


@dataclass(frozen=True)
class DictionaryType:
    """What `classify` answers: label to probability."""

    key: Type
    value: Type

    def __str__(self) -> str:
        return f"dict<{self.key}, {self.value}>"


@dataclass(frozen=True)
class TupleType:
    """Several types together."""

    members: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.members))}>"


Type = Union[TensorType, ListType, StateType, DictionaryType, TupleType]


@dataclass(frozen=True)
class Named:
    """A value's name and its declared type."""

    name: str
    type: Type


@dataclass(frozen=True)
class Reference:
    """An input of an operation that names a value computed earlier."""

    name: str


@dataclass(frozen=True)
class Literal:
    """An input of an operation that stands in the program itself."""

    value: Any
    type: Type


Binding = Union[Reference, Literal]


@dataclass(frozen=True)
class Operation:
    """One operator call. An input has one binding, or several where it is variadic."""

    type: str
    inputs: dict[str, tuple[Binding, ...]]
    outputs: tuple[Named, ...]
    blocks: tuple[Block, ...] = ()
    attributes: dict[str, Literal] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the first output: what people call the operation."""
        return self.outputs[0].name if self.outputs else self.type

    @property
    def is_constant(self) -> bool:
        """Whether it reads no value that can change from one prediction to the next."""
        return self.type == "const" or self.type.startswith("constexpr_")


@dataclass(frozen=True)
class Block:
    """Operations in order, the values they start from and the names they end in."""

    inputs: tuple[Named, ...]
    operations: tuple[Operation, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class Function:
    """A named entry point.

    Attributes:
        name: its name.
        inputs: its inputs.
        opset: `CoreML5` (iOS15) to `CoreML8` (iOS18).
        block: what it does.
    """

    name: str
    inputs: tuple[Named, ...]
    opset: str
    block: Block
