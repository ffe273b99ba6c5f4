"""Core ML as it was before ML programs: a neural network by coremltools 4, which nothing runs here.

The file says which layers the conversion made; what they compute only Apple's runtime tells.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from exportcheck.errors import Unavailable
from exportcheck.results import NOT_RUN, Culprit
from exportcheck.runtimes.coreml import AppleCoreML, import_coremltools
from exportcheck.targets.coreml import forget_names, tensor_type, unregistered
from exportcheck.targets.interface import (
    Agrees,
    Arrays,
    Axes,
    Inspection,
    Loaded,
    Opinion,
    Runtime,
)
from exportcheck.targets.torchscript import trace, traced_operators


@dataclass(frozen=True)
class NotRun:
    """Stands where nothing runs the file: it was converted and saved, and that is all."""

    name: str = NOT_RUN
    simulated: bool = False
    distributions: tuple[str, ...] = ("coremltools",)

    def missing(self) -> str | None:
        """None, so that its cases are shown; none of them passes."""
        return None

    def load(self, path: Path) -> Loaded:
        """Raises Unavailable: always."""
        raise Unavailable(
            "converts, not run: a Core ML neural network runs on macOS only; mil-numpy runs ML "
            "programs"
        )

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """None."""
        return ()

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty."""
        return ""


@dataclass(frozen=True)
class CoreMLNeuralNetwork:
    """`coremltools.convert` of a trace, to what coremltools 4 makes of it."""

    name: str = "coreml-neuralnetwork"
    group: str = "Core ML"
    label: str = "neuralnetwork"
    suffix: str = ".mlmodel"
    precision: str = "float32"
    traces: bool = True
    quick: bool = True
    distributions: tuple[str, ...] = ("torch", "coremltools", "numpy")
    runtimes: tuple[Runtime, ...] = (AppleCoreML(), NotRun())
    siblings: Mapping[str, Culprit] = field(default_factory=dict)

    @property
    def versions(self) -> Mapping[str, str]:
        """Of coremltools, those that know no ML programs."""
        return {"coremltools": "<5"}

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """The `MLModel`."""
        inputs = [tensor_type(f"x{index}", x, dynamic) for index, x in enumerate(example)]
        forget_names()
        return import_coremltools().convert(trace(module, example), inputs=inputs)

    def recipe(self, dynamic: Axes = ()) -> str:
        """The same in a script of its own, from `module` and `example` to the file."""
        return (
            "import coremltools as ct\n\n"
            "source = torch.jit.trace(module, example, check_trace=False)\n"
            'inputs = [ct.TensorType(f"x{k}", shape=x.shape) for k, x in enumerate(example)]\n'
            'ct.convert(source, inputs=inputs).save("model.mlmodel")\n'
            'print("converted; it runs with Apple\'s runtime, which is on macOS")\n'
            "sys.exit(2)\n"
        )

    def save(self, exported: Any, path: Path) -> None:
        """Writes the model."""
        exported.save(str(path))

    def inspect(self, path: Path) -> Inspection:
        """The specification version and the layers."""
        spec = import_coremltools().utils.load_spec(str(path))
        layers = Counter(layer.WhichOneof("layer") for layer in spec.neuralNetwork.layers)
        facts = {
            "specification_version": spec.specificationVersion,
            "size_bytes": path.stat().st_size,
        }
        return Inspection(facts, {"exported": dict(sorted(layers.items()))})

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """The operators that coremltools has no conversion function for."""
        return unregistered(traced_operators(module, example))


TARGETS = (CoreMLNeuralNetwork(),)
