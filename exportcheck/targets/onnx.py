"""ONNX through both of PyTorch's exporters, run by ONNX Runtime on the CPU."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Optional, Tuple

from exportcheck.errors import Unavailable
from exportcheck.targets.interface import Arrays, Inspection, Loaded


@dataclass(frozen=True)
class OnnxRuntime:
    """ONNX Runtime, CPU provider, one thread, every optimization on (its default)."""

    name: str = "onnxruntime"
    simulated: bool = False
    distributions: Tuple[str, ...] = ("onnxruntime",)

    def missing(self) -> Optional[str]:
        """None: a plain dependency of this package."""
        return None

    def load(self, path: Path) -> Loaded:
        """A session on the file at `path`, with the operators that its optimizer left."""
        import onnx

        try:
            import onnxruntime
        except ImportError as error:
            raise Unavailable(f"onnxruntime cannot be imported: {error}") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        with tempfile.TemporaryDirectory() as folder:
            optimized = Path(folder) / "optimized.onnx"
            options.optimized_model_filepath = str(optimized)
            session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            operators = count_operators(onnx.load(str(optimized)).graph)
        names = [i.name for i in session.get_inputs()]

        def run(inputs: Arrays) -> Arrays:
            return tuple(session.run(None, dict(zip(names, inputs))))

        return Loaded(run, {"optimized": operators})


def count_operators(graph: Any) -> Dict[str, int]:
    """How often each operator stands in an ONNX graph, nested graphs included."""
    found: Counter[str] = Counter()
    graphs = [graph]
    while graphs:
        for node in graphs.pop().node:
            found[node.op_type if not node.domain else f"{node.domain}.{node.op_type}"] += 1
            graphs.extend(a.g for a in node.attribute if a.HasField("g"))
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Onnx:
    """`torch.onnx.export`, by tracing (`trace`) or through torch.export (`dynamo`)."""

    exporter: str
    opset: int
    quick: bool = False
    suffix: str = ".onnx"
    precision: str = "float32"
    runtimes: Tuple[OnnxRuntime, ...] = (OnnxRuntime(),)

    @property
    def name(self) -> str:
        """For example `onnx-dynamo-opset18`."""
        return f"onnx-{self.exporter}-opset{self.opset}"

    @property
    def group(self) -> str:
        """The exporter."""
        return f"ONNX {self.exporter}"

    @property
    def label(self) -> str:
        """The opset asked for."""
        return str(self.opset)

    @property
    def distributions(self) -> Tuple[str, ...]:
        """The tracing exporter is PyTorch's alone; the other writes through onnxscript."""
        more = ("onnxscript", "onnx-ir") if self.exporter == "dynamo" else ()
        return ("torch", "onnx", *more)

    def export(self, module: Any, example: Tuple[Any, ...]) -> Any:
        """The model as bytes (trace) or an ONNXProgram (dynamo)."""
        import torch

        if self.exporter == "dynamo":
            return torch.onnx.export(
                module, example, dynamo=True, opset_version=self.opset, verbose=False
            )
        stream = io.BytesIO()
        options: Dict[str, Any] = {"dynamo": False} if _has_dynamo() else {}
        options["f"] = stream  # any file-like object will do, though it is not declared so
        torch.onnx.export(module, example, opset_version=self.opset, **options)
        return stream.getvalue()

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
        import onnx

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


def _has_dynamo() -> bool:
    """Whether this PyTorch's `export` has a choice of exporter at all (from 2.5 on)."""
    import inspect

    import torch

    return "dynamo" in inspect.signature(torch.onnx.export).parameters


TARGETS = (
    Onnx("trace", 13),
    Onnx("trace", 17, quick=True),
    Onnx("trace", 20),
    Onnx("dynamo", 18, quick=True),
    Onnx("dynamo", 20),
    Onnx("dynamo", 23),
)
