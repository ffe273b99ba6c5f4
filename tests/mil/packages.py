"""Small saved packages that the evaluator's tests load, change and damage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
from coremltools.converters.mil.mil import Builder as mb
from coremltools.converters.mil.mil import types
from coremltools.proto import Model_pb2

F32, I32 = np.float32, np.int32
MODEL = "Data/com.apple.CoreML/model.mlmodel"
WEIGHTS = "Data/com.apple.CoreML/weights/weight.bin"


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(F32)


def model_of(
    build: Callable[..., Any],
    specs: list[Any],
    opset: str = "iOS15",
    fp16: bool = False,
    **more: Any,
) -> Any:
    """`build` converted for `opset`."""
    target = ct.target[opset]
    return ct.convert(
        mb.program(input_specs=specs, opset_version=target)(build),
        source="milinternal",
        convert_to="mlprogram",
        minimum_deployment_target=target,
        compute_precision=ct.precision.FLOAT16 if fp16 else ct.precision.FLOAT32,
        skip_model_load=True,
        **more,
    )


def convolution(path: Path, opset: str = "iOS15", fp16: bool = True) -> dict[str, np.ndarray]:
    """A convolution whose weights lie in a file; returns inputs that fit."""

    def build(x):
        y = mb.conv(x=x, weight=numbers(4, 3, 3, 3), bias=numbers(4), name="hidden")
        return mb.relu(x=y, name="y")

    model_of(build, [mb.TensorSpec((1, 3, 6, 6))], opset, fp16).save(str(path))
    return {"x": numbers(1, 3, 6, 6, seed=1)}


def allocations(path: Path) -> dict[str, np.ndarray]:
    """Operators that make as many elements as a constant says."""

    def build(x):
        parts = [
            mb.fill(shape=[2, 3], value=F32(1)),
            mb.tile(x=x, reps=[1, 2]),
            mb.pad(x=x, pad=[1, 0, 0, 2], mode="constant", constant_val=F32(2)),
            mb.one_hot(
                indices=np.arange(3, dtype=I32),
                one_hot_vector_size=4,
                on_value=F32(1),
                off_value=F32(0),
            ),
            mb.cast(x=mb.range_1d(start=0, end=6, step=2), dtype="fp32"),
            mb.resize_nearest_neighbor(
                x=mb.reshape(x=x, shape=[1, 1, 2, 3]), target_size_height=4, target_size_width=5
            ),
            mb.upsample_bilinear(
                x=mb.reshape(x=x, shape=[1, 1, 2, 3]),
                scale_factor_height=2,
                scale_factor_width=2,
            ),
            mb.topk(x=x, k=2, axis=1)[0],
            mb.sliding_windows(x=x, axis=1, size=2, stride=1),
            mb.random_normal(shape=[2, 2], mean=F32(0), stddev=F32(1), seed=3),
        ]
        return tuple(mb.add(x=part, y=mb.reduce_max(x=x)) for part in parts)

    model_of(build, [mb.TensorSpec((2, 3))], "iOS15", pass_pipeline=ct.PassPipeline.EMPTY).save(
        str(path)
    )
    return {"x": numbers(2, 3)}


def control(path: Path) -> dict[str, np.ndarray]:
    """A loop, a choice and a list."""

    def build(x, n):
        def body(i, total):
            doubled = mb.cond(
                pred=mb.squeeze(x=mb.greater(x=total, y=F32(3))),
                _true_fn=lambda: mb.add(x=total, y=x),
                _false_fn=lambda: mb.mul(x=total, y=F32(2)),
            )
            return mb.add(x=i, y=F32(1)), doubled

        _, total = mb.while_loop(
            _cond=lambda i, total: mb.less(x=i, y=n), _body=body, loop_vars=(np.zeros(1, F32), x)
        )
        ls = mb.list_write(
            ls=mb.make_list(init_length=2, dynamic_length=True, elem_shape=(1,)),
            index=1,
            value=total,
        )
        return mb.list_gather(ls=ls, indices=[0, 1]), mb.list_read(ls=ls, index=1)

    model_of(build, [mb.TensorSpec((1,)), mb.TensorSpec((1,))], "iOS17").save(str(path))
    return {"x": np.ones(1, F32), "n": np.full(1, 5, F32)}


def stateful(path: Path) -> dict[str, np.ndarray]:
    """y = cache + x, which is then the cache, in fp16; the weights are 4-bit integers."""

    def build(x, cache):
        table = mb.constexpr_blockwise_shift_scale(
            data=np.arange(-8, 8).reshape(4, 4).astype(types.np_int4_dtype),
            scale=np.full((4, 1), 0.5, np.float16),
        )
        total = mb.add(x=mb.read_state(input=cache), y=mb.matmul(x=x, y=table))
        mb.coreml_update_state(state=cache, value=total)
        return mb.identity(x=total, name="y")

    specs = [mb.TensorSpec((1, 4), types.fp16), mb.StateTensorSpec((1, 4), types.fp16)]
    model_of(build, specs, "iOS18", fp16=True).save(str(path))
    return {"x": np.ones((1, 4), np.float16)}


def flexible(path: Path) -> dict[str, np.ndarray]:
    """A sum along an axis of 2 to 5 elements; the second axis has 3 to 9."""
    import torch

    class Sum(torch.nn.Module):
        def forward(self, x):
            return torch.softmax(x, 1).sum(0) + x.shape[1]

    shape = (ct.RangeDim(2, 5, default=2), ct.RangeDim(3, 9, default=4))
    ct.convert(
        torch.jit.trace(Sum(), torch.ones(2, 4)),
        inputs=[ct.TensorType("x", shape)],
        outputs=[ct.TensorType("y")],
        convert_to="mlprogram",
        compute_precision=ct.precision.FLOAT32,
        skip_model_load=True,
    ).save(str(path))
    return {"x": numbers(2, 4)}


def classifier(path: Path) -> dict[str, np.ndarray]:
    """Names the larger of two numbers."""
    model_of(
        lambda x: mb.softmax(x=mb.mul(x=x, y=F32(2)), axis=0, name="p"),
        [mb.TensorSpec((2,))],
        classifier_config=ct.ClassifierConfig(["left", "right"], "label"),
    ).save(str(path))
    return {"x": np.array([1, 3], F32)}


def functions(path: Path) -> dict[str, np.ndarray]:
    """Functions `double` (the default one) and `triple`."""
    folder = path.with_suffix("")
    folder.mkdir()
    descriptor = ct.utils.MultiFunctionDescriptor()
    for name, factor in (("double", 2), ("triple", 3)):
        model_of(multiply(factor), [mb.TensorSpec((40,))], "iOS18").save(
            str(folder / f"{name}.mlpackage")
        )
        descriptor.add_function(str(folder / f"{name}.mlpackage"), "main", name)
    descriptor.default_function_name = "double"
    ct.utils.save_multifunction(descriptor, str(path))
    return {"x": numbers(40)}


def multiply(factor: float) -> Callable[[Any], Any]:
    return lambda x: mb.mul(x=x, y=np.full(40, factor, F32), name="y")


KINDS: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    "convolution": convolution,
    "allocations": allocations,
    "control": control,
    "stateful": stateful,
    "flexible": flexible,
    "classifier": classifier,
    "functions": functions,
}


@contextmanager
def edited(package: Path) -> Iterator[Any]:
    """The model of `package`, a `Model` message, written back when the block ends."""
    path = package / MODEL
    model = Model_pb2.Model()
    model.ParseFromString(path.read_bytes())
    yield model
    path.write_bytes(model.SerializeToString(deterministic=True))
