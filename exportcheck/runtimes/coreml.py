"""Core ML's runtimes: Apple's own, on macOS only, and this package's evaluator, anywhere."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Sequence

from exportcheck.errors import Unavailable
from exportcheck.results import Culprit
from exportcheck.targets.interface import Agrees, Arrays, Loaded, Opinion, Run


@dataclass(frozen=True)
class AppleCoreML:
    """Apple's own runtime through `MLModel.predict`, on the CPU so that a run repeats."""

    name: str = "coreml"
    simulated: bool = False
    distributions: tuple[str, ...] = ("coremltools",)

    def missing(self) -> str | None:
        """Why it is not here: it exists on macOS only."""
        if sys.platform == "darwin":
            return None
        return "Apple's Core ML runtime exists on macOS only; run there and merge the results"

    def load(self, path: Path) -> Loaded:
        """The package at `path`, compiled by the operating system.

        Raises:
            Unavailable: this is no Mac.
        """
        reason = self.missing()
        if reason:
            raise Unavailable(reason)
        ct = import_coremltools()
        model = ct.models.MLModel(str(path), compute_units=ct.ComputeUnit.CPU_ONLY)
        description = model.get_spec().description
        inputs = [feature.name for feature in description.input]
        outputs = [feature.name for feature in description.output]

        def run(arrays: Arrays) -> Arrays:
            answer = model.predict(dict(zip(inputs, narrowed(arrays))))
            return tuple(answer[name] for name in outputs)

        return Loaded(run)

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """What the package says, by this package's evaluator: a right file, a wrong runtime."""
        return (
            Opinion(
                "mil-numpy (simulated), the same file",
                lambda: MilNumpy().load(path).run,
                Culprit.RUNTIME_KERNEL,
                independent=True,
            ),
        )

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty: Apple's runtime shows no intermediate values."""
        return ""


@dataclass(frozen=True)
class MilNumpy:
    """This package's reference evaluator: what the saved program says, whatever Apple's does."""

    name: str = "mil-numpy"
    simulated: bool = True
    distributions: tuple[str, ...] = ("numpy", "scipy")

    def missing(self) -> str | None:
        """None: it is part of this package."""
        return None

    def load(self, path: Path) -> Loaded:
        """The package at `path`, parsed from its protobuf."""
        return Loaded(_evaluate(path, "strict"))

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """Without rounding between operators; and coremltools' own evaluation of the operators.

        Neither says anything of Apple's runtime.
        """
        return (
            Opinion(
                "mil-numpy (simulated), no rounding between operators",
                lambda: _evaluate(path, "wide"),
                Culprit.PRECISION,
            ),
            Opinion(
                "coremltools' value inference, the same file",
                lambda: _infer(path),
                independent=True,
            ),
        )

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty: the evaluator is what the file says."""
        return ""


def _evaluate(path: Path, precision: str) -> Run:
    from exportcheck import mil

    import_coremltools()
    program = mil.load(path, precision)
    signature = program.signatures[program.default_function]

    def run(arrays: Arrays) -> Arrays:
        answer = program.predict(dict(zip(signature.inputs, narrowed(arrays))))
        return tuple(answer[name] for name in signature.outputs)

    return run


def narrowed(arrays: Arrays) -> Arrays:
    """The arrays as a Core ML model takes them: integers and booleans 32 bits wide."""
    return tuple(array.astype("int32") if array.dtype.kind in "iub" else array for array in arrays)


def _infer(path: Path) -> Run:
    """The program rebuilt on constant inputs, so that coremltools itself computes every value.

    It can where every operator has a value inference; in float16 it rounds inside operators.
    """
    import numpy as np

    ct = import_coremltools()
    from coremltools.converters.mil.frontend.milproto.load import load
    from coremltools.converters.mil.mil import Builder, Function

    spec = ct.utils.load_spec(str(path))
    weights = path / "Data" / "com.apple.CoreML" / "weights"
    program = load(spec, spec.specificationVersion, file_weights_dir=str(weights))
    function = program.functions["main"]

    def run(arrays: Arrays) -> Arrays:
        with Function({}, opset_version=function.opset_version), np.errstate(all="ignore"):
            values = {
                name: Builder.const(val=array.astype(array.dtype))
                for name, array in zip(function.inputs, arrays)
            }
            for operation in function.operations:
                if operation.op_type == "const":
                    values[operation.outputs[0].name] = Builder.const(val=operation.val.val)
                    continue
                bound = {name: _rebound(given, values) for name, given in operation.inputs.items()}
                results = getattr(Builder, operation.op_type)(**bound)
                results = results if isinstance(results, (list, tuple)) else [results]
                values.update((o.name, r) for o, r in zip(operation.outputs, results))
            found = [values[output.name].val for output in function.outputs]
        if any(value is None for value in found):
            raise NotImplementedError("an operator without value inference")
        return tuple(np.asarray(value) for value in found)

    return run


def _rebound(given: Any, values: Any) -> Any:
    """What an operator is given, variables of the old program replaced by those of the new."""
    if isinstance(given, (list, tuple)):
        return [_rebound(one, values) for one in given]
    return values.get(given.name, given.val)


def import_coremltools() -> Any:
    """coremltools, imported without its progress bars and its warnings about what Linux lacks.

    Raises:
        Unavailable: it is not installed or broken.
    """
    os.environ.setdefault("TQDM_DISABLE", "1")
    logging.getLogger("coremltools").setLevel(logging.ERROR)
    try:
        import coremltools
    except ImportError as error:
        raise Unavailable(f"coremltools cannot be imported: {error}") from error
    return coremltools
