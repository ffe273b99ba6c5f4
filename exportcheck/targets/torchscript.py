"""TorchScript: traced or scripted, saved, reloaded and run by libtorch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

from exportcheck.results import Culprit
from exportcheck.targets.interface import (
    Agrees,
    Arrays,
    Axes,
    Inspection,
    Loaded,
    Opinion,
    Run,
)
from exportcheck.trees import arrays


@dataclass(frozen=True)
class Libtorch:
    """Runs a reloaded `ScriptModule`, optimized as libtorch does by default."""

    name: str = "libtorch"
    simulated: bool = False
    distributions: tuple[str, ...] = ("torch",)

    def missing(self) -> str | None:
        """None: it comes with PyTorch."""
        return None

    def load(self, path: Path) -> Loaded:
        """The module saved at `path`."""
        import torch

        return Loaded(call_module(torch.jit.load(str(path))))

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """The same module without libtorch's graph optimizations; its kernels are eager's own."""
        return (
            Opinion(
                "libtorch, unoptimized execution",
                lambda: _unoptimized(self.load(path).run),
                Culprit.RUNTIME_OPTIMIZER,
                independent=True,
            ),
        )

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """Empty: libtorch does not say which of its passes did what."""
        return ""


def _unoptimized(run: Run) -> Run:
    import torch

    def run_unoptimized(inputs: Arrays) -> Arrays:
        with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]  # it is there
            return run(inputs)

    return run_unoptimized


def call_module(module: Any) -> Run:
    """`module`, anything callable on tensors, as a function of arrays."""
    import torch

    def run(inputs: Arrays) -> Arrays:
        with torch.no_grad():
            return arrays(module(*(torch.from_numpy(x.copy()) for x in inputs)))

    return run


@dataclass(frozen=True)
class TorchScript:
    """`torch.jit.trace` or `torch.jit.script`."""

    mode: str
    quick: bool = False
    group: str = "torch.jit"
    suffix: str = ".pt"
    precision: str = "float32"
    distributions: tuple[str, ...] = ("torch",)
    runtimes: tuple[Libtorch, ...] = (Libtorch(),)

    @property
    def siblings(self) -> Mapping[str, Culprit]:
        """The other way to make a `ScriptModule`."""
        other = "script" if self.mode == "trace" else "trace"
        return {f"torchscript-{other}": Culprit.EXPORTER}

    @property
    def name(self) -> str:
        """For example `torchscript-trace`."""
        return f"torchscript-{self.mode}"

    @property
    def traces(self) -> bool:
        """Whether forward is run once and recorded."""
        return self.mode == "trace"

    @property
    def label(self) -> str:
        """The mode."""
        return self.mode

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """The `ScriptModule`; no size is fixed in it that the module does not fix itself."""
        import torch

        if self.mode == "script":
            # Of what is compiled already the class must be kept: without, saving it crashes.
            if not any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
                _forget_classes()
            return torch.jit.script(module)
        return trace(module, example)

    def recipe(self, dynamic: Axes = ()) -> str:
        """The same in a script of its own, from `module` and `example` to `outputs`."""
        made = {
            "trace": "torch.jit.trace(module, example, check_trace=False, strict=False)",
            "script": "torch.jit.script(module)",
        }[self.mode]
        return (
            f'exported = {made}\nexported.save("model.pt")\n'
            'outputs = torch.jit.load("model.pt")(*inputs)\n'
        )

    def save(self, exported: Any, path: Path) -> None:
        """Writes the archive."""
        exported.save(str(path))

    def inspect(self, path: Path) -> Inspection:
        """The operators of the inlined graph.

        Not the size of the archive: its code names classes by a count of all that this process ever
        compiled, and its debug files quote paths of this machine.
        """
        import torch

        graph = torch.jit.load(str(path)).inlined_graph
        operators: dict[str, int] = Counter(
            node.kind() for node in graph.nodes() if not node.kind().startswith("prim::")
        )
        return Inspection({}, {"exported": dict(sorted(operators.items()))})

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """The Python functions that a trace contains: they cannot be saved."""
        return tuple(dict.fromkeys(n for n in traced_operators(module, example) if ":" not in n))


def trace(module: Any, example: tuple[Any, ...]) -> Any:
    """`torch.jit.trace`, without its strictness where the module returns a dictionary.

    Strict tracing refuses every dictionary, for its keys might change with the input; a module of
    which that is true differs from eager when it is run.
    """
    import torch

    try:
        return torch.jit.trace(module, example, check_trace=False)
    except RuntimeError as error:
        if "strict=False" not in str(error):
            raise
    return torch.jit.trace(module, example, check_trace=False, strict=False)


def traced_operators(module: Any, example: tuple[Any, ...]) -> Sequence[str]:
    """The operators of a trace in order, `aten::celu`, Python functions by their bare names."""
    graph = trace(module, example).inlined_graph
    return [
        node.pyname() if node.kind() == "prim::PythonOp" else node.kind()
        for node in graph.nodes()
        if node.kind() == "prim::PythonOp" or not node.kind().startswith("prim::")
    ]


def _forget_classes() -> None:
    """Clears what earlier scriptings left behind.

    A class whose scripting failed cannot be scripted again in the same process: the second attempt
    fails with "Can't redefine method", and what a case says would depend on what ran before it.
    Source: `clear_class_registry` in PyTorch's own torch/testing/_internal/jit_utils.py.
    """
    import torch

    torch._C._jit_clear_class_registry()
    torch.jit._recursive.concrete_type_store = torch.jit._recursive.ConcreteTypeStore()
    state: Any = getattr(torch.jit, "_state", torch.jit)  # from 1.6 on it is a module of its own
    if hasattr(state, "_clear_class_state"):
        state._clear_class_state()
    else:  # before 1.8
        state._script_classes.clear()


TARGETS = (TorchScript("trace", quick=True), TorchScript("script"))
