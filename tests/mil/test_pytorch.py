"""PyTorch operators and layers, converted in float32, saved, loaded, and compared with eager."""

from __future__ import annotations

import warnings
from collections.abc import Callable
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


def compare(
    module: nn.Module, inputs: tuple[torch.Tensor, ...], folder: Any, opset: str, tolerance: float
) -> None:
    """The evaluator's outputs against eager's, each to `tolerance` of its largest value."""
    with torch.no_grad():
        expected = module(*(x.clone() for x in inputs))
        expected = expected if isinstance(expected, tuple) else (expected,)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing and of conversion
            traced = torch.jit.trace(module, tuple(x.clone() for x in inputs), check_trace=False)
            model = ct.convert(
                traced,
                inputs=[
                    ct.TensorType(f"in{i}", tuple(x.shape), x.numpy().dtype)
                    for i, x in enumerate(inputs)
                ],
                outputs=[ct.TensorType(f"out{i}") for i in range(len(expected))],
                convert_to="mlprogram",
                compute_precision=ct.precision.FLOAT32,
                minimum_deployment_target=ct.target[opset],
                skip_model_load=True,
            )
    package = folder / "model.mlpackage"
    model.save(str(package))
    answer = exportcheck.mil.load(package).predict({f"in{i}": x for i, x in enumerate(inputs)})
    assert len(answer) == len(expected)
    for i, tensor in enumerate(expected):
        actual, wanted = answer[f"out{i}"], np.atleast_1d(tensor.numpy())
        assert actual.shape == wanted.shape
        finite = np.abs(wanted[np.isfinite(wanted)])
        scale = max(finite.max(initial=0), 1e-30)
        np.testing.assert_allclose(actual, wanted, rtol=tolerance, atol=tolerance * scale)


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
    "slice assignment": (lambda x: _with_slice(x), (4, 5)),
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
    "prod": (lambda x: x.prod(1), X4),
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
    "pad negative": (lambda x: tf.pad(x, (-1, -2)), X4),
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
    "pixel_unshuffle": (nn.PixelUnshuffle(2), (1, 3, 4, 6)),
    # ---- recurrent
    "lstm": (nn.LSTM(3, 5), (6, 2, 3)),
    "lstm batch first": (nn.LSTM(3, 5, batch_first=True), (2, 6, 3)),
    "lstm both ways": (nn.LSTM(3, 5, bidirectional=True), (6, 2, 3)),
    "lstm two layers": (nn.LSTM(3, 5, num_layers=2, bias=False), (6, 2, 3)),
    "lstm given state": (
        lambda x, h, c: LSTM(x, (h, c))[0],
        (6, 2, 3),
        (1, 2, 5),
        (1, 2, 5),
    ),
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
    "multi-head attention": (
        lambda x: MULTI_HEAD(x, x, x, need_weights=False)[0],
        (2, 5, 8),
    ),
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
    "add with alpha": (lambda x, y: torch.add(x, y, alpha=2.5), X4, X4),
    "powers": (lambda x: x.pow(2) + x.abs().pow(0.5) + 2.0**x, X4),
    "roots": (lambda x: x.abs().sqrt() + (x.abs() + 0.1).rsqrt() + (x.abs() + 1).reciprocal(), X4),
    "exponentials": (lambda x: x.exp() + torch.exp2(x) + x.sinh() + x.cosh(), X4),
    "logarithms": (lambda x: (x.abs() + 0.1).log() + x.abs().log1p(), X4),
    "trigonometry": (lambda x: x.sin() + x.cos() + (x / 3).tan(), X4),
    "inverse trigonometry": (
        lambda x: (x / 9).asin() + (x / 9).acos() + x.atan() + (x / 9).atanh(),
        X4,
    ),
    "atan2": (torch.atan2, X4, X4),
    "erf": (torch.erf, X4),
    "rounding": (lambda x: x.floor() + 10 * x.ceil() + 100 * x.round() + 1000 * x.trunc(), X4),
    "round half": (torch.round, torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])),
    "sign and abs": (lambda x: x.sign() + 10 * x.abs(), X4),
    "clamp": (lambda x: x.clamp(-0.5, 0.7) + x.clamp(min=0.1), X4),
    "minimum and maximum": (lambda x, y: torch.minimum(x, y) - torch.maximum(x, y), X4, (9,)),
    "remainder": (lambda x, y: torch.remainder(x, y), X4, X4),
    "floor_divide": (lambda x: torch.div(x, 0.3, rounding_mode="floor"), X4),
    "comparisons": (lambda x, y: [x > y, x >= 0, x < y, x <= 0, x == y, x != y], (4, 5), (5,)),
    "logic": (lambda x, y: ((x > 0) & (y > 0) | ~(x > y)).float(), X4, X4),
    "where": (lambda x, y: torch.where(x > y, x, -y), X4, (9,)),
    "where with infinities": (
        lambda x: torch.where(x > 0, x.log(), torch.full_like(x, -float("inf"))),
        X4,
    ),
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


def _with_slice(x: torch.Tensor) -> torch.Tensor:
    y = x.clone()
    y[1:3, ::2] = 7.0
    return y


LSTM = settled(nn.LSTM(3, 5))
MULTI_HEAD = settled(nn.MultiheadAttention(8, 2, batch_first=True))

OTHER_TOLERANCES: dict[str, tuple[float, str]] = {}


def prepared(name: str) -> tuple[nn.Module, tuple[torch.Tensor, ...]]:
    function, *given = CASES[name]
    module = settled(function) if isinstance(function, nn.Module) else Called(function).eval()
    inputs = (x if isinstance(x, torch.Tensor) else rand(*x, seed=i) for i, x in enumerate(given))
    return module, tuple(inputs)


@pytest.mark.parametrize(
    "opset", ["iOS15", *(pytest.param(f"iOS{n}", marks=pytest.mark.slow) for n in (16, 17, 18))]
)
@pytest.mark.parametrize("name", CASES)
def test_a_conversion_computes_what_eager_does(name, opset, tmp_path):
    module, inputs = prepared(name)
    tolerance, _reason = OTHER_TOLERANCES.get(name, (TOLERANCE, ""))
    compare(module, inputs, tmp_path, opset, tolerance)
