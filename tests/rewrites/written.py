"""Modules as people write them, each with something that some exporter does not take."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

SLOPE = 0.1


class StaticHardswish(nn.Module):
    @staticmethod
    def forward(x):
        return x * F.hardtanh(x + 3, 0.0, 6.0) / 6.0


class Swish(nn.Module):
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            ctx.exact = True
            return x * torch.sigmoid(x)

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            gate = torch.sigmoid(x)
            return gradient * gate * (1 + x * (1 - gate))

    def forward(self, x):
        return self.Function.apply(x)


class StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


straight_through = StraightThrough.apply


class Rounded(nn.Module):
    def forward(self, x):
        return straight_through(x) * SLOPE


class NeedsContext(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.doubled = x * 2
        return ctx.doubled + 1

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 2


class Contextual(nn.Module):
    def forward(self, x):
        return NeedsContext.apply(x)


class InPlaceGate(nn.Module):
    def forward(self, x):
        gate = x + 3
        gate.clamp_(0, 6).div_(6)
        F.relu_(gate)
        y = F.silu(x, inplace=True)
        y *= gate
        return y.mul_(2.0)


class Aliased(nn.Module):
    def forward(self, x):
        kept = x
        x.mul_(2.0)
        return kept + x


class Leaky(nn.Module):
    def forward(self, x):
        y = x.clone()
        mask = x < 0
        y[mask] = SLOPE * x[mask]
        y[x > 4] = 4.0
        y[(x > 3) & ~(x > 4)] *= 2.0
        return y


class RowPicker(nn.Module):
    def forward(self, x):
        y = x.clone()
        y[0] = 0.0
        return y


class MaskedLogarithm(nn.Module):
    def forward(self, x):
        y = torch.zeros_like(x)
        y[x > 0] = torch.log(x[x > 0])
        return y


class Branching(nn.Module):
    def __init__(self, limit=0.0):
        super().__init__()
        self.limit = limit

    def forward(self, x):
        mean = x.mean()
        if mean > self.limit:  # noqa: SIM108  # the branch is what is rewritten
            y = x * 2
        else:
            y = x - 1
        if (y > 5).any():
            y = y / 5
        if x.dim() == 4:
            y = y + 1
        if not x.max().item() > 0:
            return y
        return -y


class Unreached(nn.Module):
    def forward(self, x):
        if x.mean() > 1e6:
            return x * 2
        return x


class Stateful(nn.Module):
    def forward(self, x):
        if x.mean() > 0:
            self.seen = True
            x = x + 1
        return x


class Functional(nn.Module):
    def __init__(self, alpha=0.5):
        super().__init__()
        self.alpha = alpha

    def forward(self, x):
        gate = F.logsigmoid(x)
        x = F.celu(x, self.alpha, inplace=False) + torch.nn.functional.softplus(x, 1, 1)
        return gate + F.gelu(x, approximate="tanh") + F.gelu(x)


class Private(nn.Module):
    def __init__(self):
        super().__init__()
        self.__factor = 2.0

    def forward(self, x):
        x.mul_(self.__factor)
        return x


class Inheriting(StaticHardswish):
    def forward(self, x):
        x = x.mul_(2.0)
        return super().forward(x)


class Undifferentiated(nn.Module):
    @torch.no_grad()
    def forward(self, x):
        return x.mul_(2.0)


def quick(x):
    return F.logsigmoid(x).mul_(2.0)


class Counting(nn.Module):
    """Writes to itself and to a part of its input: whoever does means it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("total", torch.zeros(()))
        self.scale = 1

    def forward(self, x):
        self.total.add_(1)
        x[0].mul_(2.0)
        self.scale += 1
        x.add_(self.total)
        return x


class Shaped(nn.Module):
    """Branches on what does not depend on data."""

    def forward(self, x):
        if x.shape[0] > 1:
            x = x + 1
        if self.training:
            return x
        return x * 2


class Unscriptable(nn.Module):
    """Branches, with a generator that TorchScript does not take."""

    def forward(self, x):
        return sum(y for y in x) if x.mean() > 0 else x
