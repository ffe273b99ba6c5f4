"""Core ML: an ML program by coremltools, run by Apple's runtime on macOS, by mil-numpy anywhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

from exportcheck.results import Culprit
from exportcheck.runtimes.coreml import AppleCoreML, MilNumpy, import_coremltools
from exportcheck.targets.interface import Axes, Inspection, Runtime
from exportcheck.targets.torch_export import exported_program, shapes_written
from exportcheck.targets.torchscript import trace, traced_operators


@dataclass(frozen=True)
class CoreML:
    """`coremltools.convert` to an ML program, from a trace or from an ExportedProgram.

    Attributes:
        precision: `float32` or `float16`.
        frontend: `trace` or `export`.
        without: graph passes that are left out, as `common::noop_elimination`; all of them, `*`.
    """

    precision: str
    frontend: str = "trace"
    without: str = ""
    quick: bool = False
    group: str = "Core ML"
    suffix: str = ".mlpackage"
    distributions: tuple[str, ...] = ("torch", "coremltools", "numpy")
    runtimes: tuple[Runtime, ...] = (AppleCoreML(), MilNumpy())

    @property
    def versions(self) -> Mapping[str, str]:
        """Of coremltools, those that know ML programs, and this front end."""
        return {"coremltools": ">=8" if self.frontend == "export" else ">=5"}

    @property
    def siblings(self) -> Mapping[str, Culprit]:
        """The same in float32, or through the other front end."""
        if self.precision == "float16":
            return {"coreml-fp32": Culprit.PRECISION}
        other = "coreml-fp32" if self.frontend == "export" else "coreml-export-fp32"
        return {other: Culprit.EXPORTER}

    @property
    def variants(self) -> Iterator[CoreML]:
        """Without any graph pass, and without each of them: one that agrees tells the guilty pass.

        Not in float16, where a pass does the rounding; older coremltools give no choice.
        """
        pipeline = getattr(import_coremltools(), "PassPipeline", None)
        if self.precision == "float32" and pipeline is not None:
            for name in ("*", *dict.fromkeys(pipeline.DEFAULT.passes)):
                yield replace(self, without=name)

    @property
    def traces(self) -> bool:
        """Whether forward is run once and recorded."""
        return self.frontend == "trace"

    @property
    def name(self) -> str:
        """For example `coreml-fp16`."""
        name = "coreml-" + self.label.replace(" ", "-")
        if not self.without:
            return name
        return f"{name} without " + self.without.replace("*", "coremltools' graph passes")

    @property
    def label(self) -> str:
        """The precision, after the front end where it is not the usual one."""
        precision = self.precision.replace("float", "fp")
        return precision if self.frontend == "trace" else f"{self.frontend} {precision}"

    def export(self, module: Any, example: tuple[Any, ...], dynamic: Axes = ()) -> Any:
        """The `MLModel`, not loaded into any runtime.

        From an ExportedProgram the decompositions must run first: coremltools refuses the training
        dialect.
        """
        ct = import_coremltools()
        options: dict[str, Any] = {}
        if self.frontend == "export":
            source = exported_program(module, example, dynamic).run_decompositions({})
        else:
            source = trace(module, example)
            options["inputs"] = [
                tensor_type(f"x{index}", x, dynamic) for index, x in enumerate(example)
            ]
        if self.without:
            options["pass_pipeline"] = _pipeline(self.without)
        forget_names()
        return ct.convert(
            source,
            convert_to="mlprogram",
            compute_precision=ct.precision[self.precision.upper()],
            skip_model_load=True,
            **options,
        )

    def recipe(self, dynamic: Axes = ()) -> str:
        """The same in a script of its own, from `module` and `example` to `outputs`."""
        if self.frontend == "export":
            given = shapes_written(dynamic)
            source = f"torch.export.export(module, example{given}).run_decompositions({{}})"
            inputs = ""
        else:
            source = "torch.jit.trace(module, example, check_trace=False, strict=False)"
            shape = (
                f"[ct.RangeDim(1, 4 * n, n) if axis in {dynamic} else n "
                "for axis, n in enumerate(x.shape)]"
                if dynamic
                else "x.shape"
            )
            inputs = (
                f'    inputs=[ct.TensorType(f"x{{k}}", shape={shape}, '
                "dtype=np.float32 if x.is_floating_point() else np.int32)\n"
                "            for k, x in enumerate(example)],\n"
            )
        return (
            "import coremltools as ct\n\n"
            f"source = {source}\n"
            "model = ct.convert(\n"
            f'    source,\n{inputs}    convert_to="mlprogram",\n'
            f"    compute_precision=ct.precision.{self.precision.upper()},\n"
            '    skip_model_load=sys.platform != "darwin",\n)\n'
            'model.save("model.mlpackage")\n'
            'if sys.platform != "darwin":\n'
            '    print("converted; it runs with Apple\'s runtime, which is on macOS")\n'
            "    sys.exit(2)\n"
            "names = [i.name for i in model.get_spec().description.input]\n"
            "feeds = dict(zip(names, (x.numpy() for x in inputs)))\n"
            "answer = model.predict(feeds)\n"
            "outputs = [answer[o.name] for o in model.get_spec().description.output]\n"
        )

    def _operators(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """The operators that the front end sees."""
        import torch

        if self.frontend == "trace":
            return traced_operators(module, example)
        graph = torch.export.export(module, example).run_decompositions({}).graph
        called = [node.target for node in graph.nodes if node.op == "call_function"]
        return [t.name().partition(".")[0] for t in called if isinstance(t, torch._ops.OpOverload)]

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

    def untranslated(self, module: Any, example: tuple[Any, ...]) -> Sequence[str]:
        """The operators that coremltools has no conversion function for."""
        return unregistered(self._operators(module, example))


def unregistered(operators: Sequence[str]) -> Sequence[str]:
    """Those of `operators`, each once, that coremltools has no conversion function for."""
    import_coremltools()
    from coremltools.converters.mil.frontend.torch.torch_op_registry import _TORCH_OPS_REGISTRY

    # Up to 7.0 the registry is a dictionary, and in-place operators are looked up without the mark.
    known = getattr(_TORCH_OPS_REGISTRY, "get_func", None) or _TORCH_OPS_REGISTRY.get
    return tuple(
        dict.fromkeys(
            name for name in operators if "::" not in name or known(name.split("::")[1]) is None
        )
    )


def _pipeline(without: str) -> Any:
    """coremltools' own passes but those that are left out."""
    default = import_coremltools().PassPipeline.DEFAULT
    kept = [name for name in default.passes if not fnmatchcase(name, without)]
    return type(default)(kept, f"without {without}")


def forget_names() -> None:
    """Makes the next conversion number its operations from nought.

    coremltools clears its counter after a conversion that succeeds only, and quotes the numbered
    names in its refusals: their text would depend on what this process converted before.
    """
    from coremltools.converters.mil.mil import Builder

    Builder.name_count.clear()


def tensor_type(name: str, tensor: Any, dynamic: Axes) -> Any:
    """An input for coremltools: of integers 32 bits wide, the widest that Core ML takes.

    A dynamic axis may be up to four times as long as in the example: Core ML wants a bound.
    """
    import numpy as np

    ct = import_coremltools()
    shape = [
        ct.RangeDim(1, 4 * size, size) if axis in dynamic else size
        for axis, size in enumerate(tensor.shape)
    ]
    dtype = np.float32 if tensor.is_floating_point() else np.int32
    return ct.TensorType(name, shape=shape, dtype=dtype)


TARGETS = (
    CoreML("float32", quick=True),
    CoreML("float16"),
    CoreML("float32", "export"),
)
