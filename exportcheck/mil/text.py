"""A loaded program as text: what `exportcheck mil show` prints.

Small constants stand where they are used, large ones on a line of their own, without their values.
"""

from __future__ import annotations

import inspect
import json
from typing import Any, Iterator, Mapping

import numpy as np

from exportcheck.mil import ir
from exportcheck.mil.features import Feature
from exportcheck.mil.program import Program
from exportcheck.mil.registry import find
from exportcheck.mil.weights import packed_size

INLINE = 8
"""As many elements of a constant are shown where it is used."""

_INDENT = "  "
# What a number is of if nothing is said.
_PLAIN = ("bool", "int32", "string")

Inlined = Mapping[str, str]


def render(program: Program) -> str:
    """Every function of `program`: what it takes and gives, its opset, its operations in order.

    Names that could disturb a terminal are quoted and escaped.
    """
    names = sorted(program.functions, key=lambda name: (name != program.default_function, name))
    return "\n".join(line for name in names for line in _function(program, name))


def _function(program: Program, name: str) -> Iterator[str]:
    function = program.functions[name]
    default = " (default)" if name == program.default_function else ""
    yield f"# {plain(name)}{default}: opset {function.opset}, {ir.OPSETS[function.opset]}"
    signature = program.signatures.get(name)
    if signature is not None:
        for word, features in (
            ("takes", signature.inputs),
            ("gives", signature.outputs),
            ("state", signature.states),
        ):
            yield from (f"# {word} {_described(feature)}" for feature in features.values())
    yield f"{plain(name)}({_typed(function.inputs)}) {{"
    yield from _block(function.block, {}, _INDENT)
    yield "}"


def _described(feature: Feature) -> str:
    name = plain(feature.name)
    if feature.dtype is None:
        return f"{name}: no multi-array"
    default = f", optional, else {feature.default}" if feature.optional else ""
    return f"{name}: {feature.dtype} {feature.allowed}{default}"


def _block(block: ir.Block, outer: Inlined, indent: str) -> Iterator[str]:
    inlined = dict(outer)
    for operation in block.operations:
        if operation.type == "const" and operation.name not in block.outputs:
            shown = _constant(operation.attributes.get("val"))
            if shown:
                inlined[operation.name] = shown
                continue
        yield from _operation(operation, inlined, indent)
    yield f"{indent}return {', '.join(_reference(name, inlined) for name in block.outputs)}"


def _operation(operation: ir.Operation, inlined: Inlined, indent: str) -> Iterator[str]:
    line = f"{indent}{_typed(operation.outputs)} = " if operation.outputs else indent
    if operation.type == "const" and "val" in operation.attributes:
        literal = operation.attributes["val"]
        yield f"{line}const {_constant(literal) or _measure(literal)}"
        return
    line += f"{plain(operation.type)}({', '.join(_arguments(operation, inlined))})"
    if not operation.blocks:
        yield line
        return
    yield f"{line} {{"
    inner = indent + _INDENT
    for block in operation.blocks:
        yield f"{inner}({_typed(block.inputs)}) {{"
        yield from _block(block, inlined, inner + _INDENT)
        yield f"{inner}}}"
    yield f"{indent}}}"


def _typed(values: tuple[ir.Named, ...]) -> str:
    return ", ".join(f"%{plain(value.name)}: {value.type}" for value in values)


def _arguments(operation: ir.Operation, inlined: Inlined) -> list[str]:
    """The inputs, in the order of the operator's parameters: a file has them in none."""
    shown: dict[str, str] = {}
    operator = find(operation.type, max(ir.OPSETS))
    for name, bindings in operation.inputs.items():
        values = [
            _reference(b.name, inlined) if isinstance(b, ir.Reference) else _literal(b)
            for b in bindings
        ]
        one = len(values) == 1 and not (operator and name in operator.variadic)
        shown[name] = values[0] if one else _several(values)
    if operation.is_constant:
        shown.update((name, _literal(value)) for name, value in operation.attributes.items())
        shown.pop("name", None)
    known = list(inspect.signature(operator.function).parameters) if operator else []
    order = {name: place for place, name in enumerate(known)}
    names = sorted(shown, key=lambda name: (order.get(name, len(order)), name))
    return [f"{plain(name)}={shown[name]}" for name in names]


def _several(values: list[str]) -> str:
    return f"({', '.join(values)}{',' * (len(values) == 1)})"


def _reference(name: str, inlined: Inlined) -> str:
    return inlined.get(name) or f"%{plain(name)}"


def _literal(literal: ir.Literal) -> str:
    return _constant(literal) or f"{literal.type} of {_measure(literal)}"


def _constant(literal: Any) -> str:
    """A constant of no more than `INLINE` elements; empty for a larger one, or for none."""
    if literal is None:
        return ""
    value, declared = literal.value, literal.type
    dtype = declared.dtype if isinstance(declared, ir.TensorType) else None
    if isinstance(value, np.ndarray):
        if value.size > INLINE:
            return ""
        text = _elements(value)
        return text if dtype in _PLAIN else f"{dtype}({text})"
    if isinstance(value, (tuple, dict)) and len(value) > INLINE:
        return ""
    return _scalar(value)


def _elements(array: np.ndarray) -> str:
    if array.ndim == 0:
        return _scalar(array[()])
    return f"[{', '.join(_elements(element) for element in map(np.asarray, array))}]"


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, tuple):
        return _several([_scalar(element) for element in value])
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_scalar(k)}: {_scalar(v)}" for k, v in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return _elements(value) if value.size <= INLINE else f"{value.size} elements"
    # NumPy's own text is the shortest that tells the number from its neighbours in this dtype.
    return str(value)


def _measure(literal: ir.Literal) -> str:
    """How large a constant is that is not shown."""
    value, declared = literal.value, literal.type
    if isinstance(value, np.ndarray) and isinstance(declared, ir.TensorType):
        return f"{packed_size(declared.dtype, value.size)} bytes"
    return f"{len(value)} elements"


def plain(name: str) -> str:
    """`name` itself, or quoted and escaped if a reader or a terminal could take it for more."""
    harmless = name.isprintable() and not any(c in name for c in ' "(){},=')
    return name if harmless and name else json.dumps(name)
