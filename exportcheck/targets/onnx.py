"""ONNX through both of PyTorch's exporters, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping, Sequence

from exportcheck.errors import Unavailable
from exportcheck.results import Culprit
from exportcheck.runtimes.onnxruntime import OnnxRuntime, count_operators, import_onnx
from exportcheck.targets.interface import Axes, Inspection
from exportcheck.targets.torch_export import dynamic_shapes, forget_graphs, shapes_written


@dataclass(frozen=True)
class Onnx:
    """`torch.onnx.export`, by tracing (`trace`) or through torch.export (`dynamo`).

    Attributes:
        exporter: which of the two.
        opset: to ask for.
        torch: the versions of PyTorch that can be asked for it, as `>=1.8`.
    """

    exporter: str
    opset: int
    torch: str = ""
    quick: bool = False
    suffix: str = ".onnx"
    precision: str = "float32"
    runtimes: tuple[OnnxRuntime, ...] = (OnnxRuntime(),)

    @property
    def name(self) -> str:
        """For example `onnx-dynamo-opset18`."""
        return f"onnx-{self.exporter}-opset{self.opset}"

    @property
    def versions(self) -> Mapping[str, str]:
        """Of PyTorch, those that know the opset."""
        return {"torch": self.torch} if self.torch else {}

    @property
    def siblings(self) -> Mapping[str, Culprit]:
        """The other exporter, at an opset where it has the most translations."""
        other = "onnx-dynamo-opset18" if self.exporter == "trace" else "onnx-trace-opset17"
        return {other: Culprit.EXPORTER}

    @property
    def traces(self) -> bool:
        """Whether forward is run once and recorded."""
        return self.exporter == "trace"

    @property
    def group(self) -> str:
        """The exporter."""
        return f"ONNX {self.exporter}"

    @property
    def label(self) -> str:
        """The opset asked for."""
        return str(self.opset)

    @property
    def distributions(self) -> tuple[str, ...]:
        """The tracing exporter is PyTorch's alone; the other writes through onnxscript."""
        more = ("onnxscript", "onnx-ir") if self.exporter == "dynamo" else ()
        return ("torch", "onnx", *more)

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """The model as bytes (trace) or an ONNXProgram (dynamo)."""
        import torch

        options: dict[str, Any] = {}
        if self.exporter == "dynamo":
            if not _has_dynamo():
                raise Unavailable(f"torch {torch.__version__} has no such exporter")
            forget_graphs()
            if dynamic:
                options["dynamic_shapes"] = dynamic_shapes(example, dynamic)
            return torch.onnx.export(
                module, example, dynamo=True, opset_version=self.opset, verbose=False, **options
            )
        stream = io.BytesIO()
        if _has_dynamo():
            options["dynamo"] = False
        if dynamic:
            options["input_names"] = [f"x{index}" for index in range(len(example))]
            options["dynamic_axes"] = {
                f"x{index}": {axis: f"axis{axis}" for axis in dynamic if axis < x.ndim}
                for index, x in enumerate(example)
            }
        options["f"] = stream  # any file-like object will do, though it is not declared so
        torch.onnx.export(module, example, opset_version=self.opset, **options)
        return stream.getvalue()

    def recipe(self, dynamic: Axes = ()) -> str:
        """The same in a script of its own, from `module` and `example` to `outputs`."""
        if self.exporter == "dynamo":
            options = f"dynamo=True, opset_version={self.opset}{shapes_written(dynamic)}"
            export = f'torch.onnx.export(module, example, {options}).save("model.onnx")\n'
        else:
            named = (
                ', input_names=[f"x{k}" for k in range(len(example))], dynamic_axes={f"x{k}": '
                f'{{a: f"axis{{a}}" for a in {dynamic} if a < x.ndim}} '
                "for k, x in enumerate(example)}"
            )
            options = f"dynamo=False, opset_version={self.opset}{named if dynamic else ''}"
            export = f'torch.onnx.export(module, example, "model.onnx", {options})\n'
        return (
            f"{export}import onnxruntime\n\n"
            'session = onnxruntime.InferenceSession("model.onnx", '
            'providers=["CPUExecutionProvider"])\n'
            "feeds = {i.name: x.numpy() for i, x in zip(session.get_inputs(), inputs)}\n"
            "outputs = session.run(None, feeds)\n"
        )

    def save(self, exported: Any, path: Path) -> None:
        """Writes the file."""
        if isinstance(exported, bytes):
            path.write_bytes(exported)
        else:
            exported.save(str(path))

    def inspect(self, path: Path) -> Inspection:
        """The opset the file really has and its operators, after onnx's own checker.

        Raises:
            onnx.checker.ValidationError: the file is no valid model.
        """
        onnx = import_onnx()
        model = onnx.load(str(path))
        onnx.checker.check_model(model, full_check=True)
        opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        facts = {
            "opset": opset,
            "asked_opset": self.opset,
            "ir_version": model.ir_version,
            "size_bytes": path.stat().st_size,
        }
        return Inspection(facts, {"exported": count_operators(model.graph)})

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """The ATen operators that this exporter has no translation for at this opset."""
        if self.exporter == "dynamo":
            return _undispatched(module, example)
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it returns
            _, names = torch.onnx.utils.unconvertible_ops(module, example, opset_version=self.opset)
        return tuple(dict.fromkeys(names))


def _undispatched(module: Any, example: tuple[Any, ...]) -> Sequence[str]:
    """Operators left without an ONNX function after the exporter's own decompositions."""
    import torch
    from torch.onnx._internal.exporter import _decomp, _registration

    registry = _registration.ONNXRegistry.from_torchlib()
    implemented = set(_decomp.get_onnx_implemented_overloads(registry))
    table = _decomp.create_onnx_friendly_decomposition_table(implemented)
    program = torch.export.export(module, example).run_decompositions(table)
    called = [node.target for node in program.graph.nodes if node.op == "call_function"]
    return tuple(
        dict.fromkeys(
            target.name().partition(".")[0]
            for target in called
            if isinstance(target, torch._ops.OpOverload) and not registry.is_registered(target)
        )
    )


def _has_dynamo() -> bool:
    """Whether this PyTorch's `export` has a choice of exporter at all (from 2.5 on)."""
    import inspect

    import torch

    return "dynamo" in inspect.signature(torch.onnx.export).parameters


BEFORE_TODAY = "<2.10"
"""What no phone or server asks for any longer is checked only where the history needs it."""

TARGETS = (
    Onnx("trace", 9, BEFORE_TODAY),
    Onnx("trace", 11, BEFORE_TODAY, quick=True),
    Onnx("trace", 12, BEFORE_TODAY),
    Onnx("trace", 13, ">=1.8"),
    Onnx("trace", 14, f">=1.10,{BEFORE_TODAY}"),
    Onnx("trace", 17, ">=2.0", quick=True),
    Onnx("trace", 20, ">=2.5"),
    Onnx("dynamo", 18, ">=2.5", quick=True),
    Onnx("dynamo", 20, ">=2.5"),
    Onnx("dynamo", 23, ">=2.7"),
)
