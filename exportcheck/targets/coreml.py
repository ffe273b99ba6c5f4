"""Core ML: an ML program by coremltools, run by Apple's runtime on macOS, by mil-numpy anywhere."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from exportcheck.errors import Unavailable
from exportcheck.targets.interface import Arrays, Inspection, Loaded, Runtime


@dataclass(frozen=True)
class AppleCoreML:
    """Apple's own runtime through `MLModel.predict`, on the CPU so that a run repeats."""

    name: str = "coreml"
    simulated: bool = False
    distributions: Tuple[str, ...] = ("coremltools",)

    def missing(self) -> Optional[str]:
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
            answer = model.predict(dict(zip(inputs, arrays)))
            return tuple(answer[name] for name in outputs)

        return Loaded(run)


@dataclass(frozen=True)
class MilNumpy:
    """This package's reference evaluator: what the saved program says, whatever Apple's does."""

    name: str = "mil-numpy"
    simulated: bool = True
    distributions: Tuple[str, ...] = ("numpy", "scipy")

    def missing(self) -> Optional[str]:
        """None: it is part of this package."""
        return None

    def load(self, path: Path) -> Loaded:
        """The package at `path`, parsed from its protobuf."""
        from exportcheck import mil

        import_coremltools()
        program = mil.load(path)
        signature = program.signatures[program.default_function]

        def run(arrays: Arrays) -> Arrays:
            answer = program.predict(dict(zip(signature.inputs, arrays)))
            return tuple(answer[name] for name in signature.outputs)

        return Loaded(run, notes=("simulated: numbers by mil-numpy, not by Apple's runtime",))


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


@dataclass(frozen=True)
class CoreML:
    """`coremltools.convert` to an ML program, from a trace or from an ExportedProgram."""

    precision: str
    frontend: str = "trace"
    quick: bool = False
    group: str = "Core ML"
    suffix: str = ".mlpackage"
    distributions: Tuple[str, ...] = ("torch", "coremltools", "numpy")
    runtimes: Tuple[Runtime, ...] = (AppleCoreML(), MilNumpy())

    @property
    def name(self) -> str:
        """For example `coreml-fp16`."""
        return "coreml-" + self.label.replace(" ", "-")

    @property
    def label(self) -> str:
        """The precision, after the front end where it is not the usual one."""
        precision = self.precision.replace("float", "fp")
        return precision if self.frontend == "trace" else f"{self.frontend} {precision}"

    def export(self, module: Any, example: Tuple[Any, ...]) -> Any:
        """The `MLModel`, not loaded into any runtime.

        From an ExportedProgram the decompositions must run first: coremltools refuses the training
        dialect.
        """
        import torch

        ct = import_coremltools()
        options: Dict[str, Any] = {}
        if self.frontend == "export":
            source = torch.export.export(module, example).run_decompositions({})
        else:
            source = torch.jit.trace(module, example, check_trace=False)
            options["inputs"] = [
                ct.TensorType(f"x{index}", shape=tuple(x.shape)) for index, x in enumerate(example)
            ]
        return ct.convert(
            source,
            convert_to="mlprogram",
            compute_precision=ct.precision[self.precision.upper()],
            skip_model_load=True,
            **options,
        )

    def save(self, exported: Any, path: Path) -> None:
        """Writes the package."""
        exported.save(str(path))

    def inspect(self, path: Path) -> Inspection:
        """Specification version, opset, the element types computed in, and the operators."""
        from exportcheck import mil

        program = mil.load(path)
        function = program.functions[program.default_function]
        facts = {
            "opset": function.opset,
            "precision": "+".join(t.replace("fp", "float") for t in program.float_types),
            "asked_precision": self.precision,
            "size_bytes": sum(f.stat().st_size for f in path.rglob("*") if f.is_file()),
        }
        return Inspection(facts, {"exported": program.operators})


TARGETS = (
    CoreML("float32", quick=True),
    CoreML("float16"),
    CoreML("float32", "export"),
)
