"""torch.export: an ExportedProgram, saved as `.pt2`, reloaded and run by PyTorch."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Mapping, Sequence

from exportcheck.errors import Unavailable
from exportcheck.results import Culprit
from exportcheck.targets.interface import Agrees, Arrays, Axes, Inspection, Loaded, Opinion, Run
from exportcheck.targets.torchscript import call_module


@dataclass(frozen=True)
class Torch:
    """Runs a reloaded ExportedProgram with PyTorch's own kernels."""

    name: str = "torch"
    simulated: bool = False
    distributions: tuple[str, ...] = ("torch",)

    def missing(self) -> str | None:
        """None: it comes with PyTorch."""
        return None

    def load(self, path: Path) -> Loaded:
        """The program saved at `path`."""
        import torch

        return Loaded(call_module(torch.export.load(str(path)).module()))

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """The graph executed node by node, without the code generated from it."""
        return (
            Opinion("torch.fx interpreter, the same file", lambda: _interpreted(path), None, True),
        )

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty: the runtime's kernels are eager's own."""
        return ""


def _interpreted(path: Path) -> Run:
    import torch

    module = torch.export.load(str(path)).module()
    return call_module(torch.fx.Interpreter(module).run)


@dataclass(frozen=True)
class TorchExport:
    """`torch.export.export`."""

    name: str = "torch-export"
    group: str = "torch export"
    label: str = ".pt2"
    suffix: str = ".pt2"
    precision: str = "float32"
    quick: bool = True
    distributions: tuple[str, ...] = ("torch",)
    runtimes: tuple[Torch, ...] = (Torch(),)
    siblings: Mapping[str, Culprit] = field(default_factory=dict)

    @property
    def versions(self) -> Mapping[str, str]:
        """Of PyTorch, those that can export, save and load a program."""
        return {"torch": ">=2.1"}

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """The ExportedProgram."""
        return exported_program(module, example, dynamic)

    def recipe(self, dynamic: Axes = ()) -> str:
        """The same in a script of its own, from `module` and `example` to `outputs`."""
        return (
            f"exported = torch.export.export(module, example{shapes_written(dynamic)})\n"
            'torch.export.save(exported, "model.pt2")\n'
            'outputs = torch.export.load("model.pt2").module()(*inputs)\n'
        )

    def save(self, exported: Any, path: Path) -> None:
        """Writes the archive."""
        import torch

        torch.export.save(exported, str(path))

    def inspect(self, path: Path) -> Inspection:
        """The operators of the graph."""
        import torch

        graph = torch.export.load(str(path)).graph
        operators = Counter(str(n.target) for n in graph.nodes if n.op == "call_function")
        facts = {"size_bytes": path.stat().st_size}
        return Inspection(facts, {"exported": dict(sorted(operators.items()))})

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """None: every ATen operator is one of torch.export's own."""
        return ()


def exported_program(module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
    """`torch.export.export`, `dynamic` axes of any size.

    Raises:
        Unavailable: this PyTorch has no such thing.
    """
    import torch

    if not hasattr(torch, "export"):
        raise Unavailable(f"torch {torch.__version__} has no torch.export")
    forget_graphs()
    if not dynamic:
        return torch.export.export(module, example)
    return torch.export.export(module, example, dynamic_shapes=dynamic_shapes(example, dynamic))


def forget_graphs() -> None:
    """Makes the next torch.export begin as in a new process.

    Where it is strict by default it goes through TorchDynamo, which counts what it compiled and
    after so much refuses the rest (`CacheLimitExceeded`): what a case says would depend on what
    this process exported before.
    """
    import torch

    parameters = inspect.signature(torch.export.export).parameters
    if "strict" not in parameters or parameters["strict"].default:
        torch._dynamo.reset()


def dynamic_shapes(example: tuple[Any, ...], dynamic: Axes) -> Any:
    """The axes for torch.export, which finds by itself which of them must be equal."""
    import torch

    auto = torch.export.Dim.DYNAMIC
    return tuple({axis: auto for axis in dynamic if axis < x.ndim} for x in example)


def shapes_written(dynamic: Axes) -> str:
    """The argument that `dynamic_shapes` makes, for a script; empty without dynamic axes."""
    if not dynamic:
        return ""
    axes = f"{{axis: torch.export.Dim.DYNAMIC for axis in {dynamic} if axis < x.ndim}}"
    return f", dynamic_shapes=tuple({axes} for x in example)"


TARGETS = (TorchExport(),)
