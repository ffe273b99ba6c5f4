"""ONNX Runtime on the CPU, and the second opinions on what it computes.

The reference evaluator of the onnx package computes the same file by the letter of the standard;
ONNX Runtime itself can be told to leave its optimizations off. Between them they tell a wrong file
from a wrong kernel from a wrong fusion.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Sequence

from exportcheck.errors import Unavailable
from exportcheck.results import Culprit
from exportcheck.targets.interface import Agrees, Arrays, Loaded, Opinion, Run

OPTIMIZERS = (
    "BiasDropoutFusion",
    "BiasGeluFusion",
    "BiasSkipLayerNormFusion",
    "BiasSoftmaxFusion",
    "CastChainElimination",
    "CastElimination",
    "CommonSubexpressionElimination",
    "ConstantFolding",
    "ConvActivationFusion",
    "ConvAddActivationFusion",
    "ConvAddFusion",
    "ConvBNFusion",
    "ConvMulFusion",
    "DivMulFusion",
    "DynamicQuantizeMatMulFusion",
    "ExpandElimination",
    "FastGeluFusion",
    "GeluApproximation",
    "GeluFusionL1",
    "GeluFusionL2",
    "GemmActivationFusion",
    "GemmSumFusion",
    "GemmTransposeFusion",
    "LayerNormFusionL1",
    "LayerNormFusionL2",
    "MatMulActivationFusion",
    "MatMulScaleFusion",
    "MatmulTransposeFusion",
    "NchwcTransformer",
    "NoopElimination",
    "NotWhereFusion",
    "QuickGeluFusion",
    "ReluClipFusion",
    "ReshapeFusion",
    "SimplifiedLayerNormFusion",
    "TransposeOptimizer",
    "UnsqueezeElimination",
)
"""Names of graph optimizers that can be disabled one by one. Source: ONNX Runtime 1.31.1."""


_COREML_OPERATORS = {
    "Core ML NeuralNetwork": "coreml_supported_neuralnetwork_ops.md",
    "Core ML MLProgram": "coreml_supported_mlprogram_ops.md",
}
"""Lists of operators that ONNX Runtime's mobile usability checker ships."""


@dataclass(frozen=True)
class OnnxRuntime:
    """ONNX Runtime, CPU provider, one thread, every optimization on (its default)."""

    name: str = "onnxruntime"
    simulated: bool = False
    distributions: tuple[str, ...] = ("onnxruntime",)
    session_config: tuple[tuple[str, str], ...] = ()

    def missing(self) -> str | None:
        """None: a plain dependency of this package."""
        return None

    def load(self, path: Path) -> Loaded:
        """A session on the file at `path`, with the operators that its optimizer left."""
        onnx = import_onnx()
        # A file, for some disks take milliseconds to remove a folder.
        with tempfile.NamedTemporaryFile(suffix=".onnx") as optimized:
            run = self._session(str(path), optimized_model_filepath=optimized.name)
            operators = count_operators(onnx.load(optimized.name).graph)
        return Loaded(run, {"optimized": operators}, {"mobile": self._mobile(path)})

    def _mobile(self, path: Path) -> dict[str, Any]:
        """How many nodes the phones' accelerators take, in how many runs, says ONNX Runtime.

        More than one partition means copies to and fro, whatever the number of nodes. `error` alone
        where the checker does not manage the graph, which says nothing of the graph.
        """
        try:
            return self._partitions(path)
        except Exception as error:  # a Python tool beside the runtime, not the runtime
            return {"error": f"{type(error).__name__}: {error}"}

    def _partitions(self, path: Path) -> dict[str, dict[str, int]]:
        import onnx

        try:
            from onnxruntime.tools.mobile_helpers import usability_checker
        except ImportError:  # it came with 1.9
            return {}
        with tempfile.NamedTemporaryFile(suffix=".onnx") as basic:
            self._session(str(path), "ORT_ENABLE_BASIC", optimized_model_filepath=basic.name)
            model = onnx.shape_inference.infer_shapes(onnx.load(basic.name))
        found = {"NNAPI": usability_checker.check_nnapi_partitions(model, True)}
        for name, file_name in _COREML_OPERATORS.items():
            found[name] = usability_checker.check_coreml_partitions(model, True, file_name)
        return {
            name: {
                "nodes": info.num_nodes,
                "supported": info.num_supported_nodes,
                "partitions": info.num_partitions,
            }
            for name, info in found.items()
        }

    def _session(
        self,
        model: Any,
        level: str = "ORT_ENABLE_ALL",
        disabled: Sequence[str] = (),
        **options: Any,
    ) -> Run:
        """A session on `model`, a path or bytes, as a function of arrays."""
        ort = _import_onnxruntime()
        settings = ort.SessionOptions()
        settings.intra_op_num_threads = settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        settings.graph_optimization_level = getattr(ort.GraphOptimizationLevel, level)
        for name, value in options.items():
            setattr(settings, name, value)
        for key, value in self.session_config:
            settings.add_session_config_entry(key, value)
        more = {"disabled_optimizers": list(disabled)} if disabled else {}
        session = ort.InferenceSession(model, settings, providers=["CPUExecutionProvider"], **more)
        names = [i.name for i in session.get_inputs()]
        return lambda inputs: tuple(session.run(None, dict(zip(names, inputs))))

    def opinions(self, path: Path) -> Sequence[Opinion]:
        """Without optimizations, with the basic ones, and the reference evaluator."""
        optimizer, kernel = Culprit.RUNTIME_OPTIMIZER, Culprit.RUNTIME_KERNEL
        return (
            Opinion(
                "onnxruntime, optimizations off",
                lambda: self._session(str(path), "ORT_DISABLE_ALL"),
                optimizer,
            ),
            Opinion(
                "onnxruntime, basic optimizations",
                lambda: self._session(str(path), "ORT_ENABLE_BASIC"),
                optimizer,
            ),
            Opinion(
                "onnx.reference, the same file", lambda: _reference(path), kernel, independent=True
            ),
        )

    def pinpoint(self, path: Path, culprit: Culprit, agrees: Agrees, inputs: Arrays) -> str:
        """The optimizer without which the numbers are right, or the first operator to differ."""
        if culprit is Culprit.RUNTIME_OPTIMIZER:
            return next(
                (n for n in OPTIMIZERS if agrees(self._session(str(path), disabled=[n]))), ""
            )
        return next(self._differing(path, inputs), "")

    def _differing(self, path: Path, inputs: Arrays) -> Iterator[str]:
        """Operators whose outputs differ from the reference evaluator's, in the graph's order."""
        import onnx

        from exportcheck.compare import compare, tolerance_for

        model = onnx.load(str(path))
        operators = {
            name: node.op_type for node in model.graph.node for name in node.output if name
        }
        del model.graph.output[:]
        model.graph.output.extend(map(onnx.helper.make_empty_tensor_value_info, operators))
        here = self._session(model.SerializeToString(), "ORT_DISABLE_ALL")(inputs)
        there = _reference(model)(inputs)
        tolerance = tolerance_for("float32", "bare")
        for (_, operator), actual, expected in zip(operators.items(), here, there):
            comparable = actual.dtype.kind == "f" and actual.dtype == expected.dtype
            if comparable and compare(actual, expected, tolerance).kinds:
                yield operator


def import_onnx() -> Any:
    """The onnx package.

    Raises:
        Unavailable: it is not installed or broken.
    """
    try:
        import onnx
    except ImportError as error:
        raise Unavailable(f"onnx cannot be imported: {error}") from error
    return onnx


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise Unavailable(f"onnxruntime cannot be imported: {error}") from error
    return onnxruntime


def _reference(model: Any) -> Run:
    """The onnx package's reference evaluator on a model or the path of one."""
    import numpy as np
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(model if not isinstance(model, Path) else str(model))
    names = evaluator.input_names

    def run(inputs: Arrays) -> Arrays:
        with np.errstate(all="ignore"):
            return tuple(np.asarray(x) for x in evaluator.run(None, dict(zip(names, inputs))))

    return run


def count_operators(graph: Any) -> dict[str, int]:
    """How often each operator stands in an ONNX graph, nested graphs included."""
    found: Counter[str] = Counter()
    graphs = [graph]
    while graphs:
        for node in graphs.pop().node:
            found[node.op_type if not node.domain else f"{node.domain}.{node.op_type}"] += 1
            graphs.extend(a.g for a in node.attribute if a.HasField("g"))
    return dict(sorted(found.items()))
