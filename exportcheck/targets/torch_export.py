"""torch.export: an ExportedProgram, saved as `.pt2`, reloaded and run by PyTorch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Tuple

from exportcheck.targets.interface import Inspection, Loaded
from exportcheck.targets.torchscript import call_module


@dataclass(frozen=True)
class Torch:
    """Runs a reloaded ExportedProgram with PyTorch's own kernels."""

    name: str = "torch"
    simulated: bool = False
    distributions: Tuple[str, ...] = ("torch",)

    def missing(self) -> Optional[str]:
        """None: it comes with PyTorch."""
        return None

    def load(self, path: Path) -> Loaded:
        """The program saved at `path`."""
        import torch

        return Loaded(call_module(torch.export.load(str(path)).module()))


@dataclass(frozen=True)
class TorchExport:
    """`torch.export.export`."""

    name: str = "torch-export"
    group: str = "torch export"
    label: str = ".pt2"
    suffix: str = ".pt2"
    precision: str = "float32"
    quick: bool = True
    distributions: Tuple[str, ...] = ("torch",)
    runtimes: Tuple[Torch, ...] = (Torch(),)

    def export(self, module: Any, example: Tuple[Any, ...]) -> Any:
        """The ExportedProgram."""
        import torch

        return torch.export.export(module, example)

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


TARGETS = (TorchExport(),)
