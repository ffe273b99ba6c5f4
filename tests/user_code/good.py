"""Modules as users write them; nothing here imports this package."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Hard(nn.Module):
    def forward(self, x):
        return x * F.hardtanh(x + 3.0, 0.0, 6.0) / 6.0


class Scaled(nn.Module):
    def __init__(self, by: float = 2.0) -> None:
        super().__init__()
        self.by = by

    def forward(self, x):
        return x * self.by


class Block(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.act = nn.LogSigmoid()

    def forward(self, x):
        return self.act(self.norm(self.first(x)))


class Named(nn.Module):
    """Two inputs, a dictionary of outputs, integers among both."""

    def forward(self, x, mask):
        return {"where": torch.where(mask, x, -x), "largest": x.argmax(1)}


class Tokens(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(10, 4)

    def forward(self, index):
        return self.embed(index).softmax(-1)


class Rows(nn.Module):
    """Takes (N, L, C) only."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Linear(6, 6)

    def forward(self, x):
        batch, length, width = x.shape
        return self.mix(x).reshape(batch, length * width)


class Single(nn.Module):
    """Insists on float32."""

    def forward(self, x):
        return x @ torch.ones(x.shape[-1], 3)


class Sided(nn.Module):
    """Decides by its data which way to go."""

    def forward(self, x):
        if x.sum() > 0:
            return x * 2
        return x - x.mean()


class Rare(nn.Module):
    """Decides by its data too, by numbers that nobody would try."""

    def forward(self, x):
        if (x == 123.0).any():
            return x * 2
        return torch.tanh(x)


class Wary(nn.Module):
    """Refuses large numbers and NaN."""

    def forward(self, x):
        if not bool((x.abs() < 20).all()):
            raise ValueError("too large")
        return torch.relu(x)


class Strict(nn.Module):
    """Takes one number only."""

    def forward(self, x):
        if not bool((x == 3).all()):
            raise ValueError("not 3")
        return x * 2


class Slopes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.full((5,), 0.25))

    def forward(self, x):
        return F.prelu(x, self.slope)


class Swish(nn.Module):
    def __init__(self, beta: float = 1.5) -> None:
        super().__init__()
        self.beta = nn.Parameter(torch.tensor(float(beta)))

    def forward(self, x):
        return x * torch.sigmoid(self.beta * x)


def swish(x, beta: float = 1.0):
    return x * torch.sigmoid(beta * x)


def gate(x, y):
    return x * torch.sigmoid(y)


def make(width: int = 4):
    return nn.Linear(width, 2)


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * 2 * x


class WrongSquare(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * x


sharp = nn.Softplus(threshold=1)


class Loose(nn.Module):
    """An int where TorchScript wants a float."""

    def forward(self, x):
        return F.hardtanh(x, 0, 6)


class Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 4, 1)
        self.inner = Loose()

    def forward(self, x):
        return self.inner(self.mix(x))
