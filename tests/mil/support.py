"""What the evaluator's tests share: a program written with coremltools' builder, saved and run."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import exportcheck.mil
from exportcheck.mil import ir
from exportcheck.mil.evaluator import Evaluator
from exportcheck.mil.registry import find

os.environ["TQDM_DISABLE"] = "1"


def convert(
    build: Callable[..., Any],
    specs: Sequence[Any],
    folder: Path,
    opset: str = "iOS18",
    precision: str = "strict",
    fp16: bool = False,
    **options: Any,
) -> exportcheck.mil.Program:
    """`build` as a function of values of `specs`, converted, saved below `folder`, loaded.

    Args:
        build: takes coremltools' variables and returns one or several.
        specs: their types, `mb.TensorSpec` or `mb.StateTensorSpec`.
        folder: where the package goes.
        opset: the deployment target.
        precision: the evaluator's.
        fp16: whether coremltools makes the program compute in fp16.
        options: more for `ct.convert`.
    """
    import coremltools as ct
    from coremltools.converters.mil.mil import Builder as mb

    target = ct.target[opset]
    model = ct.convert(
        mb.program(input_specs=specs, opset_version=target)(build),
        source="milinternal",
        convert_to="mlprogram",
        minimum_deployment_target=target,
        compute_precision=ct.precision.FLOAT16 if fp16 else ct.precision.FLOAT32,
        skip_model_load=True,
        **options,
    )
    package = folder / f"{len(list(folder.iterdir()))}.mlpackage"
    model.save(str(package))
    return exportcheck.mil.load(package, precision)


def predict(
    build: Callable[..., Any], inputs: Mapping[str, np.ndarray], folder: Path, **options: Any
) -> list[Any]:
    """The outputs, in order, of `build` called with `inputs`; options are those of `convert`."""
    from coremltools.converters.mil.mil import Builder as mb
    from coremltools.converters.mil.mil import types

    specs = [
        mb.TensorSpec(value.shape, types.numpy_type_to_builtin_type(value.dtype))
        for value in inputs.values()
    ]
    return list(convert(build, specs, folder, **options).predict(inputs).values())


def operator(name: str, opset: str = "CoreML8") -> Callable[..., Any]:
    """The function of operator `name`; NumPy does not warn, as it does not in the evaluator."""
    found = find(name, opset)
    assert found is not None, f"no operator {name!r} for {opset}"

    def quiet(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return found.function(*args, **kwargs)

    return quiet


def call(name: str, opset: str = "CoreML8", **inputs: Any) -> Any:
    """What operator `name` makes of `inputs`, which arrive as the evaluator passes them on.

    A number arrives as a 0-d array, a list as an array, a tuple (a variadic input) as one of those.
    """
    return operator(name, opset)(**{k: _arriving(value) for k, value in inputs.items()})


def _arriving(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(map(_arriving, value))
    if isinstance(value, (int, float, list)):
        array = np.asarray(value)
        return array.astype({"f": np.float32, "i": np.int32}.get(array.dtype.kind, array.dtype))
    return value


def evaluate(
    name: str,
    inputs: Mapping[str, Any],
    dtype: str,
    shape: Sequence[int | None],
    precision: str = "strict",
    opset: str = "CoreML8",
) -> Any:
    """The output, declared `dtype` and `shape`, of a function that is operator `name` alone."""
    operation = ir.Operation(
        type=name,
        inputs={k: (ir.Reference(k),) for k in inputs},
        outputs=(ir.Named("result", ir.TensorType(dtype, tuple(shape))),),
    )
    block = ir.Block((), (operation,), ("result",))
    return Evaluator(opset, precision).run(block, dict(inputs))[0]


def folded(name: str, **inputs: Any) -> Any:
    """What coremltools itself computes for operator `name` of constants."""
    import coremltools as ct
    from coremltools.converters.mil.mil import Builder as mb
    from coremltools.converters.mil.mil import Function

    with Function({}, opset_version=ct.target.iOS18):
        return getattr(mb, name)(**inputs).val
