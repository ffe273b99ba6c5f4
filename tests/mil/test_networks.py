"""Whole networks of three kinds, converted in float32, saved, loaded, and compared with eager."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from torch import nn

import exportcheck.mil
from exportcheck.forms import FReLU
from tests.mil.test_pytorch import converted, quick, rand  # noqa: F401  # `quick` is a fixture

TOLERANCE = 1e-4
"""Relative to the largest output: tens of layers add up float32's 6e-8, each in its own order."""


def seeded(build, seed=3):
    """A network for inference with random weights, and statistics as training would leave them."""
    torch.manual_seed(seed)
    network = build().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, std=0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.7, 1.3)
            nn.init.normal_(module.bias, std=0.2)
    return network


def block(inside, outside, kernel=3, stride=1, groups=1, act=nn.SiLU):
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outside),
        act(),
    )


# ---- residual and inverted residual blocks, as in ResNet and MobileNetV3


class Residual(nn.Module):
    def __init__(self, inside, outside, stride):
        super().__init__()
        self.main = nn.Sequential(
            block(inside, outside, 3, stride, act=nn.ReLU),
            block(outside, outside, act=nn.Identity),
        )
        same = inside == outside and stride == 1
        self.short = nn.Identity() if same else block(inside, outside, 1, stride, act=nn.Identity)

    def forward(self, x):
        return torch.relu(self.main(x) + self.short(x))


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // 4, 1),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x):
        return x * self.gate(x)


class Inverted(nn.Module):
    def __init__(self, inside, outside, stride, kernel=3):
        super().__init__()
        wide = 4 * inside
        self.main = nn.Sequential(
            block(inside, wide, 1, act=nn.Hardswish),
            block(wide, wide, kernel, stride, groups=wide, act=nn.Hardswish),
            SqueezeExcite(wide),
            block(wide, outside, 1, act=nn.Identity),
        )
        self.same = inside == outside and stride == 1

    def forward(self, x):
        return x + self.main(x) if self.same else self.main(x)


def classifier():
    return nn.Sequential(
        block(3, 16, 7, 2, act=nn.ReLU),
        nn.MaxPool2d(3, 2, 1),
        Residual(16, 16, 1),
        Residual(16, 32, 2),
        Inverted(32, 24, 1),
        Inverted(24, 24, 1, 5),
        Inverted(24, 40, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(40, 10),
        nn.Softmax(1),
    )


# ---- a transformer encoder


class Encoder(nn.Module):
    """Token and position embeddings, three layers, mean over the sequence, a head."""

    def __init__(self, norm_first):
        super().__init__()
        self.token, self.place = nn.Embedding(50, 32), nn.Parameter(torch.randn(1, 12, 32) * 0.1)
        layer = nn.TransformerEncoderLayer(
            32, 4, 64, activation="gelu", batch_first=True, norm_first=norm_first
        )
        self.layers = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 7), nn.LogSoftmax(-1))

    def forward(self, tokens):
        hidden = self.layers(self.token(tokens) + self.place)
        return self.head(hidden.mean(1)), hidden


# ---- a detector, as in YOLO


class CrossStage(nn.Module):
    def __init__(self, channels, act):
        super().__init__()
        half = channels // 2
        self.left, self.right = block(channels, half, 1), block(channels, half, 1)
        self.inner = nn.Sequential(block(half, half, 1), block(half, half, 3, act=act))
        self.join = block(channels, channels, 1)

    def forward(self, x):
        left = self.left(x)
        return self.join(torch.cat((left + self.inner(left), self.right(x)), 1))


class PoolPyramid(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.squeeze, self.join = (
            block(channels, channels // 2, 1),
            block(2 * channels, channels, 1),
        )
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        x = self.squeeze(x)
        first = self.pool(x)
        second = self.pool(first)
        return self.join(torch.cat((x, first, second, self.pool(second)), 1))


class Detector(nn.Module):
    """Two scales with a top-down path; boxes decoded to (batch, cells, 4 + 1 + classes)."""

    def __init__(self, classes=3, anchors=2):
        super().__init__()
        self.outputs, self.anchors = 5 + classes, anchors
        self.stem = nn.Sequential(block(3, 8, 3, 2), block(8, 16, 3, 2, act=lambda: FReLU(16)))
        self.fine = CrossStage(16, nn.SiLU)
        self.down = block(16, 32, 3, 2, act=lambda: FReLU(32))
        self.coarse = nn.Sequential(CrossStage(32, nn.Mish), PoolPyramid(32))
        self.lateral = block(32, 16, 1)
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.mix = CrossStage(32, nn.Hardswish)
        self.heads = nn.ModuleList(nn.Conv2d(32, anchors * self.outputs, 1) for _ in range(2))
        self.register_buffer("sizes", torch.rand(2, 1, anchors, 1, 1, 2) * 8 + 1)

    def forward(self, x):
        fine = self.fine(self.stem(x))
        coarse = self.coarse(self.down(fine))
        fine = self.mix(torch.cat((self.up(self.lateral(coarse)), fine), 1))
        levels = ((fine, 4), (coarse, 8))
        return torch.cat([self.decoded(i, y, s) for i, (y, s) in enumerate(levels)], 1)

    def decoded(self, level, x, stride):
        batch, _, height, width = x.shape
        y = self.heads[level](x).view(batch, self.anchors, self.outputs, height, width)
        y = y.permute(0, 1, 3, 4, 2).sigmoid()
        rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        cell = torch.stack((columns, rows), -1).float()
        centre = (y[..., 0:2] * 2 - 0.5 + cell) * stride
        size = (y[..., 2:4] * 2) ** 2 * self.sizes[level]
        return torch.cat((centre, size, y[..., 4:]), -1).reshape(batch, -1, self.outputs)


NETWORKS = {
    "classifier": (classifier, rand(2, 3, 64, 64)),
    "encoder, norm last": (lambda: Encoder(False), torch.arange(24, dtype=torch.int32).view(2, 12)),
    "encoder, norm first": (lambda: Encoder(True), torch.arange(24, dtype=torch.int32).view(2, 12)),
    "detector": (Detector, rand(1, 3, 64, 96)),
}


@pytest.mark.parametrize("opset", ["iOS15", "iOS18"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_what_eager_does(name, opset, tmp_path):
    build, x = NETWORKS[name]
    network = seeded(build)
    with torch.no_grad():
        expected = network(x)
    expected = expected if isinstance(expected, tuple) else (expected,)
    for actual, tensor in zip(converted(network, (x,), tmp_path, opset), expected, strict=True):
        wanted = tensor.numpy()
        assert wanted.std() > 1e-3, "the network should not give the same everywhere"
        np.testing.assert_allclose(actual, wanted, rtol=0, atol=TOLERANCE * np.abs(wanted).max())


def test_a_trace_finds_the_layer_that_changed(tmp_path):
    """Two traces agree up to the convolution whose weights are others, and only up to there."""
    network, x = seeded(Detector), NETWORKS["detector"][1]
    converted(network, (x,), tmp_path, "iOS15")
    before = exportcheck.mil.load(tmp_path / "model.mlpackage").trace({"in0": x})
    with torch.no_grad():
        network.coarse[1].join[0].weight.mul_(1.01)
    converted(network, (x,), tmp_path, "iOS15")
    program = exportcheck.mil.load(tmp_path / "model.mlpackage")
    after = program.trace({"in0": x})
    operations = [o for o in program.functions["main"].block.operations if not o.is_constant]
    names = [o.name for o in operations]
    same = [np.array_equal(before[name], after[name]) for name in names]
    first = same.index(False)
    assert operations[first].type == "conv"
    # The convolution that joins the pyramid: from four times half the channels to 32.
    assert before[operations[first].inputs["x"][0].name].shape == (1, 64, 8, 12)
    assert after[names[first]].shape == (1, 32, 8, 12)
    assert all(same[:first])
    assert not same[-1]


def test_a_quarter_of_a_million_pixels(tmp_path, capsys):
    """A stack of convolutions on 512 x 512. How long it takes is printed, not judged."""
    network = seeded(
        lambda: nn.Sequential(
            block(3, 16, 3, 2), block(16, 32, 3), block(32, 32, 3, groups=32), block(32, 8, 1)
        )
    )
    x = rand(1, 3, 512, 512)
    (first,) = converted(network, (x,), tmp_path, "iOS15")
    program = exportcheck.mil.load(tmp_path / "model.mlpackage")
    begun = time.perf_counter()
    (again,) = program.predict({"in0": x}).values()
    seconds = time.perf_counter() - begun
    with capsys.disabled():
        print(f"\n512 x 512: {seconds:.2f} s")
    with torch.no_grad():
        wanted = network(x).numpy()
    np.testing.assert_allclose(again, wanted, rtol=0, atol=TOLERANCE * np.abs(wanted).max())
    np.testing.assert_array_equal(first, again)
