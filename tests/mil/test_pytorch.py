"""PyTorch operators and layers, converted in float32, saved, loaded, and compared with eager."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import coremltools as ct
import numpy as np
import pytest
import torch
import torch.nn.functional as tf
from torch import nn

import exportcheck.mil

TOLERANCE = 1e-5


class Called(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *arguments):
        return self.function(*arguments)


def rand(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def whole(*shape: int, below: int = 5) -> torch.Tensor:
    """Integers from 0 on; Core ML has no int64 inputs."""
    return torch.from_numpy(np.random.default_rng(1).integers(0, below, shape).astype(np.int32))


def settled(module: nn.Module) -> nn.Module:
    """`module` for inference, its weights and statistics random but always the same."""
    rng = np.random.default_rng(7)
    for name, value in module.state_dict().items():
        if value.dtype.is_floating_point:
            drawn = torch.from_numpy(np.asarray(rng.normal(size=value.shape), np.float32)) * 0.5
            value.copy_(drawn.abs() + 0.5 if "var" in name else drawn)
    return module.eval()


def flat(values: Any) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    else:
        for value in values:
            yield from flat(value)


def converted(
    module: nn.Module, inputs: tuple[torch.Tensor, ...], folder: Path, opset: str
) -> list[np.ndarray]:
    """What the evaluator gives for `module`, converted in float32 and saved below `folder`."""
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing and of conversion
        traced = torch.jit.trace(module, tuple(x.clone() for x in inputs), check_trace=False)
        model = ct.convert(
            traced,
            inputs=[
                ct.TensorType(f"in{i}", tuple(x.shape), x.numpy().dtype)
                for i, x in enumerate(inputs)
            ],
            convert_to="mlprogram",
            compute_precision=ct.precision.FLOAT32,
            minimum_deployment_target=ct.target[opset],
            skip_model_load=True,
        )
    model.save(str(folder / "model.mlpackage"))
    program = exportcheck.mil.load(folder / "model.mlpackage")
    answer = program.predict({f"in{i}": x for i, x in enumerate(inputs)})
    return [answer[name] for name in program.functions["main"].block.outputs]


def compare(module: nn.Module, inputs: tuple[torch.Tensor, ...], folder: Path, opset: str) -> None:
    """The evaluator against eager, each output to `TOLERANCE` of its own and its largest value.

    The largest counts too because sums of both signs leave little of what was added up.
    """
    with torch.no_grad():
        expected = list(flat(module(*(x.clone() for x in inputs))))
    results = converted(module, inputs, folder, opset)
    assert len(results) == len(expected)
    for actual, tensor in zip(results, expected, strict=True):
        wanted = np.atleast_1d(tensor.numpy())
        assert actual.shape == wanted.shape
        scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=1e-30)
        np.testing.assert_allclose(actual, wanted, rtol=TOLERANCE, atol=TOLERANCE * scale)


def with_slice(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y[1:3, ::2] = 7.0
    return y


class StatefulLSTM(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(3, 5)

    def forward(self, x, h, c):
        return self.lstm(x, (h, c))


class SelfAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x)


X4 = (2, 4, 8, 9)

# Name: what is called or a layer, and the shapes of its inputs, or the inputs.
CASES: dict[str, tuple[Any, ...]] = {
    # ---- convolutions
    "conv1d": (nn.Conv1d(4, 6, 3), (2, 4, 11)),
    "conv1d stride padding": (nn.Conv1d(4, 6, 4, stride=3, padding=2), (2, 4, 11)),
    "conv1d dilation groups": (nn.Conv1d(4, 8, 3, dilation=2, groups=2), (1, 4, 11)),
    "conv1d same": (nn.Conv1d(4, 6, 4, padding="same"), (2, 4, 11)),
    "conv2d": (nn.Conv2d(4, 5, 3), X4),
    "conv2d without bias": (nn.Conv2d(4, 5, 3, bias=False), X4),
    "conv2d 1x1": (nn.Conv2d(4, 5, 1), X4),
    "conv2d stride padding": (nn.Conv2d(4, 5, 3, stride=2, padding=1), X4),
    "conv2d unequal": (nn.Conv2d(4, 5, (2, 5), (1, 3), (0, 2), (2, 1)), X4),
    "conv2d dilation": (nn.Conv2d(4, 5, 3, dilation=2, padding=2), X4),
    "conv2d depthwise": (nn.Conv2d(4, 8, 3, groups=4, padding=1), X4),
    "conv2d groups": (nn.Conv2d(4, 6, 3, groups=2), X4),
    "conv2d reflect": (nn.Conv2d(4, 5, 3, padding=1, padding_mode="reflect"), X4),
    "conv2d replicate": (nn.Conv2d(4, 5, 3, padding=2, padding_mode="replicate"), X4),
    "conv2d given weight": (lambda x, w: tf.conv2d(x, w, padding=1), X4, (3, 4, 3, 3)),
    "conv3d": (nn.Conv3d(2, 3, 3, padding=1, stride=(1, 2, 1)), (1, 2, 4, 5, 6)),
    "conv_transpose1d": (nn.ConvTranspose1d(4, 3, 4, stride=2, padding=1), (2, 4, 7)),
    "conv_transpose2d": (nn.ConvTranspose2d(4, 3, 3), X4),
    "conv_transpose2d stride": (nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1), X4),
    "conv_transpose2d output padding": (nn.ConvTranspose2d(4, 3, 3, 2, 1, 1), X4),
    "conv_transpose2d groups": (nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2), X4),
    "conv_transpose2d dilation": (nn.ConvTranspose2d(4, 3, 3, dilation=2), X4),
    "conv_transpose3d": (nn.ConvTranspose3d(2, 3, 2, stride=2), (1, 2, 3, 4, 5)),
    # ---- pooling
    "max_pool1d": (nn.MaxPool1d(3, 2, 1), (2, 4, 11)),
    "max_pool2d": (nn.MaxPool2d(2), X4),
    "max_pool2d padding": (nn.MaxPool2d(3, 2, 1), X4),
    "max_pool2d ceil": (nn.MaxPool2d(3, 2, ceil_mode=True), X4),
    "max_pool2d unequal": (nn.MaxPool2d((2, 3), (1, 2)), X4),
    "max_pool3d": (nn.MaxPool3d(2), (1, 2, 4, 5, 6)),
    "avg_pool1d": (nn.AvgPool1d(3, 2, 1), (2, 4, 11)),
    "avg_pool2d": (nn.AvgPool2d(2), X4),
    "avg_pool2d padding": (nn.AvgPool2d(3, 2, 1), X4),
    "avg_pool2d padding left out": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), X4),
    "avg_pool2d ceil": (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), X4),
    "avg_pool3d": (nn.AvgPool3d(2), (1, 2, 4, 5, 6)),
    "adaptive_avg_pool2d 1": (nn.AdaptiveAvgPool2d(1), X4),
    "adaptive_avg_pool2d": (nn.AdaptiveAvgPool2d((4, 3)), X4),
    "adaptive_max_pool2d": (nn.AdaptiveMaxPool2d((2, 3)), X4),
    # ---- normalisation
    "batch_norm1d": (nn.BatchNorm1d(4), (3, 4)),
    "batch_norm1d sequence": (nn.BatchNorm1d(4), (2, 4, 5)),
    "batch_norm2d": (nn.BatchNorm2d(4, eps=1e-3), X4),
    "batch_norm2d not affine": (nn.BatchNorm2d(4, affine=False), X4),
    "batch_norm3d": (nn.BatchNorm3d(2), (1, 2, 3, 4, 5)),
    "layer_norm": (nn.LayerNorm(9), X4),
    "layer_norm two axes": (nn.LayerNorm((8, 9), eps=1e-3), X4),
    "layer_norm not affine": (nn.LayerNorm(9, elementwise_affine=False), X4),
    "layer_norm far from zero": (lambda x: tf.layer_norm(x + 100, (9,)), X4),
    "group_norm": (nn.GroupNorm(2, 4), X4),
    "group_norm one": (nn.GroupNorm(1, 4), (2, 4, 5)),
    "instance_norm1d": (nn.InstanceNorm1d(4, affine=True), (2, 4, 7)),
    "instance_norm2d": (nn.InstanceNorm2d(4), X4),
    "local_response_norm": (nn.LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0), X4),
    "normalize": (lambda x: tf.normalize(x, dim=1), X4),
    "norm 1": (lambda x: torch.linalg.vector_norm(x, 1, dim=-1), X4),
    "norm 2": (lambda x: torch.norm(x, dim=(1, 2), keepdim=True), X4),
    "norm inf": (lambda x: torch.linalg.vector_norm(x, float("inf"), dim=1), X4),
    # ---- products
    "linear": (nn.Linear(9, 5), X4),
    "linear without bias": (nn.Linear(9, 5, bias=False), (3, 9)),
    "matmul": (torch.matmul, (3, 4), (4, 5)),
    "matmul batches": (torch.matmul, (2, 3, 4), (2, 4, 5)),
    "matmul broadcast": (torch.matmul, (2, 1, 3, 4), (5, 4, 2)),
    "matmul by its transpose": (lambda x: x @ x.transpose(-1, -2), X4),
    "bmm": (torch.bmm, (2, 3, 4), (2, 4, 5)),
    "addmm": (lambda a, b, c: torch.addmm(a, b, c, beta=0.5, alpha=2.0), (5,), (3, 4), (4, 5)),
    "baddbmm": (torch.baddbmm, (2, 3, 5), (2, 3, 4), (2, 4, 5)),
    "einsum bij,bjk": (lambda a, b: torch.einsum("bij,bjk->bik", a, b), (2, 3, 4), (2, 4, 5)),
    "einsum bhqd,bhkd": (
        lambda a, b: torch.einsum("bhqd,bhkd->bhqk", a, b),
        (2, 3, 4, 5),
        (2, 3, 6, 5),
    ),
    "einsum nchw,nwhu": (
        lambda a, b: torch.einsum("nchw,nwhu->nchu", a, b),
        (2, 3, 4, 5),
        (2, 5, 4, 6),
    ),
    "einsum outer": (lambda a, b: torch.einsum("i,j->ij", a, b), (3,), (4,)),
    "bilinear form": (lambda a, w, b: (a @ w * b).sum(-1), (3, 4), (4, 5), (3, 5)),
    # ---- indexing
    "slice": (lambda x: x[:, 1:3, ::2, -4:], X4),
    "select": (lambda x: x[:, -1], X4),
    "narrow": (lambda x: x.narrow(2, 1, 5), X4),
    "index by numbers": (lambda x: x[:, [2, 0, 2]], X4),
    "index by a tensor": (lambda x, i: x[i.long()], (5, 3), whole(4)),
    "index by two tensors": (lambda x, i: x[i.long(), i.long()], (5, 6), whole(4)),
    "index_select": (lambda x, i: torch.index_select(x, 1, i), (3, 5), whole(4)),
    "gather": (lambda x, i: torch.gather(x, 1, i.long()), (3, 5), whole(3, 4)),
    "take_along_dim": (lambda x, i: torch.gather(x, 0, i.long()), (5, 4), whole(2, 4)),
    "embedding": (nn.Embedding(5, 3), whole(2, 4)),
    "scatter": (lambda x, i, u: x.scatter(1, i.long(), u), (3, 5), whole(3, 1), (3, 1)),
    "scatter_add": (lambda x, i, u: x.scatter_add(1, i.long(), u), (3, 5), whole(3, 4), (3, 4)),
    "index_put": (lambda x, u: torch.index_put(x, (torch.tensor([2, 0]),), u), (3, 5), (2, 5)),
    "masked_fill": (lambda x: x.masked_fill(x > 0.5, -1.0), X4),
    "slice assignment": (with_slice, (4, 5)),
    "chunk": (lambda x: x.chunk(2, 1), X4),
    "split": (lambda x: torch.split(x, [1, 3], 1), X4),
    "unbind": (lambda x: x.unbind(0), X4),
    # ---- reductions
    "sum": (lambda x: x.sum(), X4),
    "sum axes": (lambda x: x.sum((1, 3)), X4),
    "mean": (lambda x: x.mean((2, 3), keepdim=True), X4),
    "max with indices": (lambda x: x.max(1), X4),
    "min with indices": (lambda x: x.min(-1, keepdim=True), X4),
    "amax": (lambda x: torch.amax(x, (1, 2)), X4),
    "argmax": (lambda x: x.argmax(1), X4),
    "argmin": (lambda x: x.argmin(-1, keepdim=True), X4),
    "std": (lambda x: x.std((2, 3)), X4),
    "var biased": (lambda x: x.var(1, unbiased=False), X4),
    "logsumexp": (lambda x: torch.logsumexp(x, 1), X4),
    "all": (lambda x: (x > -1).all(1).float(), X4),
    "any": (lambda x: (x > 1).any(-1).float(), X4),
    "cumsum": (lambda x: x.cumsum(1), X4),
    # ---- padding
    "pad constant": (lambda x: tf.pad(x, (1, 2, 3, 0), value=0.5), X4),
    "pad one axis": (lambda x: tf.pad(x, (0, 3)), X4),
    "pad reflect": (lambda x: tf.pad(x, (2, 1, 0, 3), "reflect"), X4),
    "pad replicate": (lambda x: tf.pad(x, (2, 1, 0, 3), "replicate"), X4),
    "pad 1d reflect": (nn.ReflectionPad1d((2, 3)), (2, 4, 6)),
    # ---- resizing
    "nearest by 2": (lambda x: tf.interpolate(x, scale_factor=2, mode="nearest"), X4),
    "nearest to a size": (lambda x: tf.interpolate(x, size=(16, 27), mode="nearest"), X4),
    "nearest 1d": (lambda x: tf.interpolate(x, scale_factor=3, mode="nearest"), (2, 4, 5)),
    "bilinear by 2": (lambda x: tf.interpolate(x, scale_factor=2, mode="bilinear"), X4),
    "bilinear aligned": (
        lambda x: tf.interpolate(x, scale_factor=2, mode="bilinear", align_corners=True),
        X4,
    ),
    "bilinear to a size": (lambda x: tf.interpolate(x, size=(13, 20), mode="bilinear"), X4),
    "bilinear to an aligned size": (
        lambda x: tf.interpolate(x, size=(5, 4), mode="bilinear", align_corners=True),
        X4,
    ),
    "upsample layer": (nn.Upsample(scale_factor=(2, 3), mode="nearest"), X4),
    "grid_sample": (
        lambda x, g: tf.grid_sample(x, torch.tanh(g), align_corners=False),
        X4,
        (2, 5, 6, 2),
    ),
    "grid_sample aligned": (
        lambda x, g: tf.grid_sample(x, g, padding_mode="border", align_corners=True),
        X4,
        (2, 5, 6, 2),
    ),
    "pixel_shuffle": (nn.PixelShuffle(2), X4),
    # ---- recurrent
    "lstm": (nn.LSTM(3, 5), (6, 2, 3)),
    "lstm batch first": (nn.LSTM(3, 5, batch_first=True), (2, 6, 3)),
    "lstm both ways": (nn.LSTM(3, 5, bidirectional=True), (6, 2, 3)),
    "lstm two layers": (nn.LSTM(3, 5, num_layers=2, bias=False), (6, 2, 3)),
    "lstm given state": (StatefulLSTM(), (6, 2, 3), (1, 2, 5), (1, 2, 5)),
    "gru": (nn.GRU(3, 5), (6, 2, 3)),
    "gru both ways": (nn.GRU(3, 5, bidirectional=True, batch_first=True), (2, 6, 3)),
    "rnn tanh": (nn.RNN(3, 5), (6, 2, 3)),
    "rnn relu": (nn.RNN(3, 5, nonlinearity="relu"), (6, 2, 3)),
    # ---- attention
    "attention": (tf.scaled_dot_product_attention, (2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 4)),
    "attention causal": (
        lambda q, k, v: tf.scaled_dot_product_attention(q, k, v, is_causal=True),
        *[(2, 3, 5, 4)] * 3,
    ),
    "attention masked": (
        lambda q, k, v, m: tf.scaled_dot_product_attention(q, k, v, attn_mask=m),
        *[(2, 3, 5, 4)] * 3,
        (5, 5),
    ),
    "multi-head attention": (SelfAttention(), (2, 5, 8)),
    "transformer layer": (
        nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True),
        (2, 5, 8),
    ),
    # ---- activations
    **{
        f"{layer}": (layer, X4)
        for layer in (
            nn.ReLU(),
            nn.ReLU6(),
            nn.LeakyReLU(0.1),
            nn.PReLU(4),
            nn.ELU(0.7),
            nn.SELU(),
            nn.GELU(),
            nn.GELU(approximate="tanh"),
            nn.SiLU(),
            nn.Mish(),
            nn.Hardswish(),
            nn.Hardsigmoid(),
            nn.Hardtanh(-0.5, 0.7),
            nn.Sigmoid(),
            nn.Tanh(),
            nn.Softplus(),
            nn.Softsign(),
            nn.Softmax(1),
            nn.Softmax(-1),
            nn.LogSoftmax(1),
            nn.GLU(1),
            nn.Threshold(0.1, 0.1),
        )
    },
    # ---- element by element
    "arithmetic": (lambda x, y: (x + 2 * y - x / (y.abs() + 1)) * x, X4, (4, 1, 9)),
    "powers": (lambda x: x.pow(2) + x.abs().pow(0.5) + 2.0**x, X4),
    "roots": (lambda x: x.abs().sqrt() + (x.abs() + 0.1).rsqrt(), X4),
    "exponentials": (lambda x: x.exp() + torch.exp2(x) + x.sinh() + x.cosh(), X4),
    "logarithms": (lambda x: (x.abs() + 0.1).log() + x.abs().log1p(), X4),
    "trigonometry": (lambda x: x.sin() + x.cos() + (x / 3).tan(), X4),
    "inverse trigonometry": (
        lambda x: (x / 9).asin() + (x / 9).acos() + x.atan() + (x / 9).atanh(),
        X4,
    ),
    "atan2": (torch.atan2, X4, X4),
    "erf": (torch.erf, X4),
    "rounding": (lambda x: x.floor() + 10 * x.ceil() + 100 * x.round(), X4),
    "round half": (torch.round, torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])),
    "sign and abs": (lambda x: x.sign() + 10 * x.abs(), X4),
    "clamp": (lambda x: x.clamp(-0.5, 0.7) + x.clamp(min=0.1), X4),
    "minimum and maximum": (lambda x, y: torch.minimum(x, y) - torch.maximum(x, y), X4, (9,)),
    "remainder": (lambda x, y: torch.remainder(x, y), X4, X4),
    "floor_divide": (lambda x: torch.div(x, 0.3, rounding_mode="floor"), X4),
    "comparisons": (lambda x, y: [x > y, x >= 0, x < y, x <= 0, x == y, x != y], (4, 5), (5,)),
    "logic": (lambda x, y: torch.logical_or((x > 0) & (y > 0), ~(x > y)).float(), X4, X4),
    "where": (lambda x, y: torch.where(x > y, x, -y), X4, (9,)),
    "infinities and NaN": (lambda x: x * 1e30 * 1e30 - x.relu() * 1e30 * 1e30, X4),
    "integers": (lambda i: (i * 3 - 2) // 2 + i % 3, whole(3, 4, below=50)),
    "integer to float": (lambda i: i.float() / 3, whole(3, 4)),
    # ---- shapes
    "permute": (lambda x: x.permute(0, 2, 3, 1), X4),
    "reshape": (lambda x: x.reshape(2, -1, 12), X4),
    "flatten": (lambda x: x.flatten(1, 2), X4),
    "squeeze": (lambda x: x.unsqueeze(1).squeeze(), X4),
    "expand": (lambda x: x.expand(3, 4, 5), (4, 1)),
    "repeat": (lambda x: x.repeat(2, 1, 3), (4, 5)),
    "repeat_interleave": (lambda x: x.repeat_interleave(2, 1), (4, 5)),
    "cat": (lambda x, y: torch.cat([x, y, x], 1), X4, (2, 1, 8, 9)),
    "stack": (lambda x, y: torch.stack([x, y], -1), X4, X4),
    "flip": (lambda x: x.flip((1, 3)), X4),
    "roll": (lambda x: torch.roll(x, (2, -1), (1, 3)), X4),
    "triangles": (lambda x: x.tril() + 10 * x.triu(1), (5, 5)),
    "meshgrid": (lambda x, y: torch.meshgrid(x, y, indexing="ij"), (3,), (4,)),
    "made": (lambda x: x + torch.arange(9.0) + torch.ones_like(x) + torch.full((9,), 3.0), X4),
    "size as a number": (lambda x: x * x.shape[1] / x.size(3), X4),
    "one_hot": (lambda i: tf.one_hot(i.long(), 5).float(), whole(3, 4)),
    "topk": (lambda x: x.topk(3, 1), (4, 9)),
    "topk smallest": (lambda x: x.topk(3, 0, largest=False), (9, 4)),
    "sort": (lambda x: x.sort(-1, descending=True), (4, 9)),
    "argsort": (lambda x: x.argsort(0), (9, 4)),
    "unfold": (lambda x: tf.unfold(x, 3, padding=1, stride=2), X4),
    "nonzero": (lambda x: (x > 0).nonzero(), (4, 5)),
    "cdist": (lambda x, y: ((x[:, None] - y) ** 2).sum(-1).sqrt(), (4, 3), (5, 3)),
}


def prepared(function: Any, given: tuple[Any, ...]) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    module = settled(function) if isinstance(function, nn.Module) else Called(function).eval()
    inputs = (x if isinstance(x, torch.Tensor) else rand(*x, seed=i) for i, x in enumerate(given))
    return module, tuple(inputs)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """Each conversion ends with a full garbage collection, which need not look at all of torch.

    And attention takes a fast path that coremltools cannot convert.
    """
    gc.collect()
    gc.freeze()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(True)
    gc.unfreeze()


@pytest.mark.parametrize(
    "opset", ["iOS15", *(pytest.param(f"iOS{n}", marks=pytest.mark.slow) for n in (16, 17, 18))]
)
@pytest.mark.parametrize("name", CASES)
def test_a_conversion_computes_what_eager_does(name, opset, tmp_path):
    function, *given = CASES[name]
    module, inputs = prepared(function, tuple(given))
    compare(module, inputs, tmp_path, opset)


def test_an_operator_that_came_with_ios16(tmp_path):
    module, inputs = prepared(nn.PixelUnshuffle(2), ((1, 3, 4, 6),))
    compare(module, inputs, tmp_path, "iOS16")


@pytest.mark.parametrize(
    ("function", "x", "means"),
    [
        # An epsilon that PyTorch does not have is written into the program.
        (torch.reciprocal, torch.tensor([0.01, 2.0, -3.0]), lambda x: 1 / (x + 1e-4)),
        (torch.log, torch.tensor([0.0, 1.0, 2.0]), lambda x: torch.log(x + 1e-45)),
        # Infinite constants become finite ones.
        (
            lambda x: x.masked_fill(x > 0, -float("inf")),
            torch.tensor([1.0, -2.0]),
            lambda x: torch.where(x > 0, torch.tensor(-3.4e38), x),
        ),
        # The threshold is dropped.
        (
            nn.Softplus(threshold=1.0),
            torch.tensor([0.5, 1.5, 3.0]),
            lambda x: torch.log1p(torch.exp(x)),
        ),
    ],
    ids=["reciprocal", "logarithm of 0", "infinite constant", "softplus"],
)
def test_where_the_conversion_is_wrong_the_program_says_so_and_so_does_its_value(
    function, x, means, tmp_path
):
    """These differ from eager because of what was saved; the evaluator computes what was saved."""
    module, _ = prepared(function, ())
    (actual,) = converted(module, (x,), tmp_path, "iOS15")
    np.testing.assert_allclose(actual, means(x), rtol=TOLERANCE)
    assert not np.allclose(actual, module(x), rtol=TOLERANCE)
