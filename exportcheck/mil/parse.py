"""Turns the protobuf of a saved ML program into `ir`, checking what it says against itself.

coremltools has a loader of its own (`milproto`), but that one runs the converter's value inference
again, so what it returns is no independent reading of the file.
"""

from __future__ import annotations

import math
from typing import Any, Callable

import numpy as np

from exportcheck.errors import InvalidModel
from exportcheck.mil import ir
from exportcheck.mil.weights import WeightFiles, packed_size, unpack

# Numbers of `MIL.proto`'s enumeration DataType; float8 and bfloat16 are in it but in no operator.
_DTYPES = {
    1: "bool",
    2: "string",
    10: "fp16",
    11: "fp32",
    12: "fp64",
    21: "int8",
    22: "int16",
    23: "int32",
    24: "int64",
    25: "int4",
    31: "uint8",
    32: "uint16",
    33: "uint32",
    34: "uint64",
    35: "uint4",
    36: "uint2",
    37: "uint1",
    38: "uint6",
    39: "uint3",
}

# No tensor of a real model has more dimensions, and no array of NumPy 1 may have more.
_MAX_RANK = 32


def parse_functions(program: Any, weights: WeightFiles) -> dict[str, ir.Function]:
    """The functions of `program`, a `MILSpec.Program` message, constants read through `weights`.

    Raises:
        InvalidModel: the program contradicts itself or its weight files.
    """
    reader = _Reader(weights)
    functions = {name: reader.function(name, f) for name, f in program.functions.items()}
    if not functions:
        raise InvalidModel("the program has no function")
    return functions


class _Reader:
    def __init__(self, weights: WeightFiles) -> None:
        self._weights = weights

    def function(self, name: str, message: Any) -> ir.Function:
        if message.opset not in ir.OPSETS:
            raise InvalidModel(
                f"function {name!r} is of opset {message.opset!r}; mil-numpy knows "
                f"{', '.join(ir.OPSETS)}"
            )
        blocks = message.block_specializations
        if message.opset not in blocks:
            seen = ", ".join(sorted(blocks)) or "none"
            raise InvalidModel(
                f"function {name!r} is of opset {message.opset!r} but has blocks for: {seen}"
            )
        inputs = tuple(self.named(i) for i in message.inputs)
        return ir.Function(name, inputs, message.opset, self.block(blocks[message.opset]))

    def block(self, message: Any) -> ir.Block:
        return ir.Block(
            inputs=tuple(self.named(i) for i in message.inputs),
            operations=tuple(self.operation(o) for o in message.operations),
            outputs=tuple(message.outputs),
        )

    def operation(self, message: Any) -> ir.Operation:
        inputs = {k: tuple(map(self.binding, a.arguments)) for k, a in message.inputs.items()}
        return ir.Operation(
            type=message.type,
            inputs={name: bindings for name, bindings in inputs.items() if bindings},
            outputs=tuple(self.named(o) for o in message.outputs),
            blocks=tuple(self.block(b) for b in message.blocks),
            attributes={k: self.literal(v) for k, v in message.attributes.items()},
        )

    def named(self, message: Any) -> ir.Named:
        return ir.Named(message.name, parse_type(message.type))

    def binding(self, message: Any) -> ir.Binding:
        if message.WhichOneof("binding") == "name":
            return ir.Reference(message.name)
        return self.literal(message.value)

    def literal(self, message: Any) -> ir.Literal:
        declared = parse_type(message.type)
        return ir.Literal(self.value(message, declared), declared)

    def value(self, message: Any, declared: ir.Type) -> Any:
        kind = message.WhichOneof("value")
        if kind == "blobFileValue":
            dtype, shape = _fixed(declared)
            blob = message.blobFileValue
            return self._weights.read(blob.fileName, blob.offset, dtype, shape)
        if kind != "immediateValue":
            raise InvalidModel(f"a constant of type {declared} has no value")
        immediate = message.immediateValue
        kind = immediate.WhichOneof("value")
        if kind == "tensor":
            return _immediate_tensor(immediate.tensor, *_fixed(declared))
        if kind in ("list", "tuple"):
            return tuple(self.literal(v).value for v in getattr(immediate, kind).values)
        if kind == "dictionary":
            entries = immediate.dictionary.values
            return {_key(self.literal(e.key).value): self.literal(e.value).value for e in entries}
        raise InvalidModel(f"a constant of type {declared} has no value")


def parse_type(message: Any) -> ir.Type:
    """The type that a `MILSpec.ValueType` message declares.

    Raises:
        InvalidModel: it declares none, or one that MIL does not have.
    """
    kind = message.WhichOneof("type")
    if kind not in _TYPE_PARSERS:
        raise InvalidModel("a value without a type")
    return _TYPE_PARSERS[kind](getattr(message, kind))


def _tensor_type(message: Any) -> ir.TensorType:
    dtype = _DTYPES.get(message.dataType)
    if dtype is None:
        raise InvalidModel(f"element type number {message.dataType}, which no MIL operator uses")
    shape = tuple(map(_size, message.dimensions))
    if len(shape) != max(message.rank, 0) or len(shape) > _MAX_RANK:
        raise InvalidModel(f"a tensor of rank {message.rank} with {len(shape)} dimensions")
    if math.prod(size or 1 for size in shape) > ir.MAX_ELEMENTS:
        raise InvalidModel(f"a tensor of shape {shape}, more than {ir.MAX_ELEMENTS} elements")
    # coremltools writes an unknown rank as one dimension that stands for any number of them.
    return ir.TensorType(dtype, shape, any(d.unknown.variadic for d in message.dimensions))


def _size(dimension: Any) -> Any:
    if dimension.WhichOneof("dimension") == "constant":
        return int(dimension.constant.size)
    return None


_TYPE_PARSERS: dict[Any, Callable[[Any], ir.Type]] = {
    "tensorType": _tensor_type,
    "listType": lambda m: ir.ListType(parse_type(m.type), _size(m.length)),
    "stateType": lambda m: ir.StateType(parse_type(m.wrappedType)),
    "tupleType": lambda m: ir.TupleType(tuple(map(parse_type, m.types))),
    "dictionaryType": lambda m: ir.DictionaryType(parse_type(m.keyType), parse_type(m.valueType)),
}


def _fixed(declared: ir.Type) -> tuple[str, tuple[int, ...]]:
    if not isinstance(declared, ir.TensorType) or None in declared.shape:
        raise InvalidModel(f"a constant cannot have type {declared}")
    return declared.dtype, tuple(int(size) for size in declared.shape if size is not None)


def _immediate_tensor(message: Any, dtype: str, shape: tuple[int, ...]) -> Any:
    """The tensor written into the program itself; a rank-0 string is a `str`."""
    kind = message.WhichOneof("value")
    count = math.prod(shape)
    if kind == "bytes" and dtype != "string":
        data = np.frombuffer(message.bytes.values, np.uint8)
        if data.size != packed_size(dtype, count):
            raise InvalidModel(f"{data.size} bytes for a constant {dtype} of shape {shape}")
        return unpack(data, dtype, shape)
    values: Any = getattr(message, kind).values if kind else ()
    if len(values) != count:
        raise InvalidModel(f"{len(values)} values for a constant {dtype} of shape {shape}")
    if dtype == "string":
        if kind not in ("strings", None):
            raise InvalidModel(f"a constant string is written as {kind}")
        return values[0] if not shape else np.array(list(values), object).reshape(shape)
    if kind == "strings":
        raise InvalidModel(f"a constant {dtype} is written as strings")
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(values).astype(ir.NUMPY_DTYPES[dtype]).reshape(shape)


def _key(value: Any) -> Any:
    """A key of a dictionary: a string or a number."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        return value.item()
    if not isinstance(value, str):
        raise InvalidModel("a key of a dictionary is neither a string nor a number")
    return value
