"""The public face of the evaluator: load a saved Core ML package, run it, look inside."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, MutableMapping

import numpy as np

from exportcheck.errors import InvalidModel, Unavailable, UsageError
from exportcheck.mil import ir
from exportcheck.mil.evaluator import PRECISIONS, Evaluator
from exportcheck.mil.features import Signature, parse_signatures
from exportcheck.mil.parse import parse_functions
from exportcheck.mil.weights import WeightFiles

NEWEST_SPECIFICATION = 9
"""Specification version of iOS18, the newest whose operators are implemented."""

State = Dict[str, np.ndarray]


class Program:
    """A loaded ML program; made by `load`.

    Attributes:
        functions: the parsed functions by name.
        signatures: what each function takes and returns.
        default_function: the function that `predict` runs unless told otherwise.
        precision: `strict` (round to the declared type after each operator) or `wide` (keep fp16
            values as float32 between operators).
    """

    def __init__(
        self,
        functions: Mapping[str, ir.Function],
        signatures: Mapping[str, Signature],
        default_function: str,
        precision: str,
    ) -> None:
        self.functions = functions
        self.signatures = signatures
        self.default_function = default_function
        self.precision = precision
        self._constants: dict[str, MutableMapping[int, Any]] = {name: {} for name in functions}

    def predict(
        self,
        inputs: Mapping[str, Any],
        state: State | None = None,
        function_name: str | None = None,
    ) -> dict[str, Any]:
        """The outputs by name, each in the dtype the model describes; a scalar has shape (1,).

        Args:
            inputs: an array for every input of the function.
            state: what `make_state` returned; it is written to.
            function_name: which function; the default one when absent.

        Raises:
            InvalidModel: an input is missing, unknown, or has a wrong dtype, rank or shape; or an
                operator cannot take its inputs.
            UnsupportedOperator: an operator is not implemented.
            UsageError: there is no such function.
        """
        return self._run(inputs, state, function_name, None)

    def trace(
        self,
        inputs: Mapping[str, Any],
        state: State | None = None,
        function_name: str | None = None,
    ) -> dict[str, Any]:
        """Every value of the run by name, in the order computed, for finding the first wrong one.

        Arguments and errors are those of `predict`. In a loop the last iteration's value stands.
        """
        values: dict[str, Any] = {}
        self._run(inputs, state, function_name, values)
        return values

    def make_state(self, function_name: str | None = None) -> State:
        """A new state, every tensor zero.

        Raises:
            UsageError: there is no such function.
            InvalidModel: the description does not say one shape for each state.
        """
        signature = self.signatures[self._function(function_name).name]
        return {name: feature.filled() for name, feature in signature.states.items()}

    @property
    def operators(self) -> dict[str, int]:
        """How often each operator occurs, nested blocks included, constants left out."""
        found = Counter(
            operation.type
            for function in self.functions.values()
            for operation in operations(function.block)
            if operation.type != "const"
        )
        return dict(sorted(found.items()))

    @property
    def float_types(self) -> tuple[str, ...]:
        """The float types that operators compute in, casts and constants left out, widest last."""
        declared = {
            output.type.dtype
            for function in self.functions.values()
            for operation in operations(function.block)
            if not operation.is_constant and operation.type != "cast"
            for output in operation.outputs
            if isinstance(output.type, ir.TensorType) and output.type.dtype.startswith("fp")
        }
        return tuple(sorted(declared))

    def _function(self, name: str | None) -> ir.Function:
        chosen = name or self.default_function
        if chosen not in self.signatures:
            known = ", ".join(sorted(self.signatures))
            raise UsageError(f"no function {chosen!r} in this program; it has: {known}")
        return self.functions[chosen]

    def _run(
        self,
        inputs: Mapping[str, Any],
        state: State | None,
        function_name: str | None,
        trace: dict[str, Any] | None,
    ) -> dict[str, Any]:
        function = self._function(function_name)
        signature = self.signatures[function.name]
        if signature.states and state is None:
            raise InvalidModel("this model has a state: pass state=program.make_state()")
        evaluator = Evaluator(
            function.opset, self.precision, state, self._constants[function.name], trace
        )
        try:
            values = dict(_bound(function, signature, inputs, evaluator))
            outputs = evaluator.run(function.block, values)
            return {
                name: _described(value, signature, name)
                for name, value in zip(function.block.outputs, outputs)
            }
        except MemoryError as error:
            raise InvalidModel(f"the model needs more memory than there is ({error})") from error


def load(path: str | Path, precision: str = "strict") -> Program:
    """The ML program saved at `path`, an `.mlpackage` folder, ready to run on any machine.

    Args:
        path: the package.
        precision: `strict` or `wide`, see `Program`.

    Raises:
        InvalidModel: not a package, damaged, truncated, encrypted, not an ML program (a neural
            network, a pipeline), or newer than what is implemented.
        UsageError: an unknown precision.
        Unavailable: coremltools is not installed.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} where one of {PRECISIONS} was expected")
    model_path = _model_path(Path(path))
    model = _read_model(model_path)
    if model.specificationVersion > NEWEST_SPECIFICATION:
        raise InvalidModel(
            f"{path}: specification version {model.specificationVersion}; mil-numpy knows up to "
            f"{NEWEST_SPECIFICATION} (iOS18)"
        )
    kind = model.WhichOneof("Type")
    if kind != "mlProgram":
        raise InvalidModel(f"{path}: holds {kind or 'no model'}; mil-numpy runs mlProgram only")
    try:
        functions = parse_functions(model.mlProgram, WeightFiles(model_path.parent / "weights"))
    except MemoryError as error:
        raise InvalidModel(f"{path}: needs more memory than there is ({error})") from error
    signatures = parse_signatures(model.description)
    default = getattr(model.description, "defaultFunctionName", "") or next(iter(signatures))
    missing = signatures.keys() - functions.keys()
    if missing or default not in signatures:
        absent = sorted(missing or {default})
        raise InvalidModel(f"{path}: describes functions {absent} that are not there")
    return Program(functions, signatures, default, precision)


def _model_path(package: Path) -> Path:
    """Where the manifest of `package` says its model is, which must be inside the package."""
    if not package.is_dir():
        reason = "is a file, not a folder" if package.exists() else "does not exist"
        raise InvalidModel(f"{package}: {reason}; an .mlpackage folder was expected")
    if not (package / "Manifest.json").is_file():
        raise InvalidModel(f"{package}: has no Manifest.json; an .mlpackage folder was expected")
    try:
        manifest = json.loads((package / "Manifest.json").read_text("utf-8"))
        item = manifest["itemInfoEntries"][manifest["rootModelIdentifier"]]["path"]
        path = (package / "Data" / item).resolve()
        inside = package.resolve() in path.parents and path.is_file()
    # RuntimeError: a loop of symbolic links, or too many brackets.
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        raise InvalidModel(f"{package}: no readable Manifest.json ({error})") from error
    if not inside:
        raise InvalidModel(f"{package}: Manifest.json names {item!r}, which is not in the package")
    return path


def _read_model(path: Path) -> Any:
    try:
        from coremltools.proto import Model_pb2
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise Unavailable(f"coremltools, which reads the file, is missing ({error})") from error
    model = Model_pb2.Model()
    try:
        model.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise InvalidModel(f"{path}: damaged, truncated, encrypted, or no model at all") from error
    except OSError as error:
        raise InvalidModel(f"{path}: cannot be read ({error})") from error
    return model


def _bound(
    function: ir.Function, signature: Signature, inputs: Mapping[str, Any], evaluator: Evaluator
) -> Iterator[tuple[str, Any]]:
    """The function's inputs, checked against the description and cast to the program's types."""
    unknown = inputs.keys() - signature.inputs.keys()
    if unknown:
        raise InvalidModel(
            f"no input {', '.join(sorted(map(repr, unknown)))}; the model takes: "
            f"{', '.join(signature.inputs) or 'none'}"
        )
    for declared in function.inputs:
        if isinstance(declared.type, ir.StateType):
            yield declared.name, declared.name
            continue
        feature = signature.inputs.get(declared.name)
        if feature is None:
            raise InvalidModel(f"the description lacks input {declared.name!r} of the program")
        if declared.name in inputs:
            value = feature.accept(inputs[declared.name])
        elif feature.optional:
            value = feature.filled()
        else:
            raise InvalidModel(f"input {declared.name!r} is missing")
        if not isinstance(declared.type, ir.TensorType):
            raise InvalidModel(f"input {declared.name!r} has type {declared.type}, not a tensor")
        yield declared.name, evaluator.cast(value, declared.type)


def _described(value: Any, signature: Signature, name: str) -> Any:
    """`value` as a caller gets it: the described dtype, never rank 0."""
    if not isinstance(value, np.ndarray) or value.dtype == object:
        return value
    feature = signature.outputs.get(name)
    if value.ndim == 0 and feature and feature.dtype is None:
        return value.item()  # the label of a classifier whose labels are integers
    dtype = feature.dtype if feature and feature.dtype is not None else value.dtype
    with np.errstate(over="ignore", invalid="ignore"):
        described = value.astype(dtype, copy=False)
    return described.reshape(1) if described.ndim == 0 else described


def operations(block: ir.Block) -> Iterator[ir.Operation]:
    """Every operation of `block`, those of nested blocks after the one that holds them."""
    for operation in block.operations:
        yield operation
        for inner in operation.blocks:
            yield from operations(inner)
