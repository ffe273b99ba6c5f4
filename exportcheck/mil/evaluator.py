"""Executes a MIL function in NumPy, operator by operator, with the program's own dtypes.

This file alone rounds. An operator gets fp16 values widened to float32 and computes without a
thought for its result's type; here the result is cast to the type the program declares:

* `strict`: after every operator, as a runtime does that keeps fp16 between operators. Each fp16
  operator thus rounds once.
* `wide`: fp16 is kept as float32 throughout. Apple's runtimes lie between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Mapping, MutableMapping, Sequence

import numpy as np

from exportcheck.errors import ExportcheckError, InvalidModel, UnsupportedOperator
from exportcheck.mil import ir
from exportcheck.mil.limits import check
from exportcheck.mil.registry import Operator, find

PRECISIONS = ("strict", "wide")
_WIDE: dict[np.dtype[Any], np.dtype[Any]] = {np.dtype(np.float16): np.dtype(np.float32)}

MAX_BLOCKS = 1_000_000
"""As many blocks run in one prediction; a program that wants more has a loop without end."""

Values = MutableMapping[str, Any]


@dataclass(frozen=True)
class Context:
    """What an operator may ask for beyond its inputs."""

    operation: ir.Operation
    evaluator: Evaluator
    values: Values

    @property
    def blocks(self) -> tuple[ir.Block, ...]:
        """The nested blocks: condition and body of a loop, the two branches of a condition."""
        return self.operation.blocks

    @property
    def state(self) -> MutableMapping[str, Any]:
        """The state of this prediction by name."""
        return self.evaluator.state

    @property
    def outputs(self) -> tuple[ir.Type, ...]:
        """The declared types of the operator's outputs."""
        return tuple(output.type for output in self.operation.outputs)

    def names(self, parameter: str) -> tuple[str, ...]:
        """The names of the values bound to an input, as a state needs them."""
        bindings = self.operation.inputs[parameter]
        return tuple(b.name for b in bindings if isinstance(b, ir.Reference))

    def run(self, block: ir.Block, arguments: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The outputs of a nested block, which sees every value of the blocks around it."""
        inner = dict(self.values)
        inner.update((i.name, a) for i, a in zip(block.inputs, arguments))
        return self.evaluator.run(block, inner)


class Evaluator:
    """One run of one function.

    Args:
        opset: the function's opset, which decides between versions of an operator.
        precision: `strict` or `wide`.
        state: named state tensors; written to in place.
        constants: values of constant operations, kept from one run to the next by their `id`, for
            a file may give two operations one name.
        trace: where to keep every intermediate value; values no longer needed are else dropped.
    """

    def __init__(
        self,
        opset: str,
        precision: str = "strict",
        state: MutableMapping[str, Any] | None = None,
        constants: MutableMapping[int, Any] | None = None,
        trace: Values | None = None,
    ) -> None:
        self.opset = opset
        self.precision = precision
        self.state = {} if state is None else state
        self._constants = {} if constants is None else constants
        self._trace = trace
        self._blocks = 0

    def run(self, block: ir.Block, values: Values) -> tuple[Any, ...]:
        """The outputs of `block` in order; `values` holds what it starts from and is added to.

        Raises:
            UnsupportedOperator: an operator that is not implemented.
            InvalidModel: an operator that cannot take its inputs or contradicts its declaration.
        """
        self._blocks += 1
        if self._blocks > MAX_BLOCKS:
            raise InvalidModel(f"more than {MAX_BLOCKS} blocks were run: a loop does not end")
        last_use = _last_use(block) if self._trace is None else {}
        with np.errstate(all="ignore"):
            for position, operation in enumerate(block.operations):
                self._step(operation, values)
                for name in last_use.get(position, ()):
                    values.pop(name, None)
        return tuple(_lookup(name, values, "the end of a block") for name in block.outputs)

    def _step(self, operation: ir.Operation, values: Values) -> None:
        known = self._constants.get(id(operation)) if operation.is_constant else None
        results = known if known is not None else self._results(operation, values)
        if operation.is_constant:
            self._constants[id(operation)] = results
        for output, result in zip(operation.outputs, results):
            values[output.name] = result
            if self._trace is not None:
                self._trace[output.name] = result

    def _results(self, operation: ir.Operation, values: Values) -> tuple[Any, ...]:
        operator = find(operation.type, self.opset)
        if operator is None:
            raise UnsupportedOperator(
                f"operator {operation.type!r} ({operation.name}, opset {self.opset}) is not "
                "implemented by mil-numpy"
            )
        arguments = self._arguments(operator, operation, values)
        try:
            check(operation.type, arguments)
            if operator.wants_context:
                arguments["context"] = Context(operation, self, values)
            result = operator.function(**arguments)
            results = result if isinstance(result, tuple) else (result,)
            if len(results) != len(operation.outputs):
                raise InvalidModel(
                    f"{_place(operation)} has {len(operation.outputs)} outputs, "
                    f"{len(results)} expected"
                )
            outputs = zip(results, operation.outputs)
            return tuple(self.rounded(r, o.type, operation) for r, o in outputs)
        except ExportcheckError:
            raise
        except Exception as error:  # operators trust their inputs, and a file may hold anything
            raise InvalidModel(
                f"{_place(operation)} cannot take its inputs: {_reason(error)}"
            ) from error

    def _arguments(
        self, operator: Operator, operation: ir.Operation, values: Values
    ) -> dict[str, Any]:
        given: dict[str, tuple[Any, ...]] = {
            name: (literal.value,) for name, literal in operation.attributes.items()
        }
        if not operation.is_constant:
            given = {}
        for name, bindings in operation.inputs.items():
            given[name] = tuple(
                b.value if isinstance(b, ir.Literal) else _lookup(b.name, values, _place(operation))
                for b in bindings
            )
        given.pop("name", None)
        _check_names(operator, operation, given)
        return {
            name: tuple(map(widen, found)) if name in operator.variadic else widen(found[0])
            for name, found in given.items()
        }

    def rounded(self, value: Any, declared: ir.Type, operation: ir.Operation) -> Any:
        """`value` in its declared type.

        Raises:
            InvalidModel: its shape is not the declared one.
        """
        if not isinstance(declared, ir.TensorType):
            return value
        if isinstance(value, str) and declared.dtype == "string":
            return value
        array = np.asarray(value)
        if not declared.variadic and (
            len(array.shape) != len(declared.shape)
            or any(size not in (None, seen) for seen, size in zip(array.shape, declared.shape))
        ):
            raise InvalidModel(
                f"{_place(operation)} gives shape {array.shape}, the program declares {declared}"
            )
        return self.cast(array, declared)

    def cast(self, array: np.ndarray, declared: ir.TensorType) -> np.ndarray:
        """`array` in the dtype that holds `declared` at this precision."""
        dtype = ir.NUMPY_DTYPES[declared.dtype]
        if self.precision == "wide":
            dtype = _WIDE.get(dtype, dtype)
        if array.dtype.kind == "f" and dtype.kind in "iu":
            return _whole(array, dtype)
        return array.astype(dtype, copy=False)


def widen(value: Any) -> Any:
    """`value` as an operator sees it: fp16 as float32, everything else as it is."""
    if isinstance(value, np.ndarray) and value.dtype == np.float16:
        return value.astype(np.float32)
    return value


def _whole(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """Floats without their fraction; the nearest there is if out of range, 0 for NaN.

    AArch64 converts so. NumPy leaves both cases to the processor.
    """
    limits = np.iinfo(dtype)
    whole = np.where(np.isnan(array), 0, array).astype(dtype)
    whole = np.where(array >= limits.max, limits.max, whole)
    return np.where(array <= limits.min, limits.min, whole).astype(dtype)


def _check_names(operator: Operator, operation: ir.Operation, given: Mapping[str, Any]) -> None:
    missing = operator.required - given.keys()
    if missing:
        raise InvalidModel(f"{_place(operation)} lacks its input {', '.join(sorted(missing))!r}")
    unknown = given.keys() - operator.parameters
    if unknown:
        raise UnsupportedOperator(
            f"{_place(operation)} has an input {', '.join(sorted(unknown))!r} that mil-numpy does "
            "not know"
        )


def _place(operation: ir.Operation) -> str:
    return f"operator {operation.type!r} ({operation.name})"


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _lookup(name: str, values: Values, where: str) -> Any:
    if name not in values:
        raise InvalidModel(f"{where} needs {name!r}, which nothing before it computes")
    return values[name]


def _last_use(block: ir.Block) -> dict[int, list[str]]:
    """Position of an operation -> the block's own values that no later one reads."""
    last: dict[str, int] = {}
    for position, operation in enumerate(block.operations):
        last.update((output.name, position) for output in operation.outputs)
        last.update((name, position) for name in _reads(operation) if name in last)
    dead: dict[int, list[str]] = {}
    for name, position in last.items():
        if name not in block.outputs:
            dead.setdefault(position, []).append(name)
    return dead


def _reads(operation: ir.Operation) -> Iterable[str]:
    for bindings in operation.inputs.values():
        yield from (b.name for b in bindings if isinstance(b, ir.Reference))
    for block in operation.blocks:
        yield from block.outputs
        for inner in block.operations:
            yield from _reads(inner)
