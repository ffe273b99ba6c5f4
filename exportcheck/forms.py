"""Hand-written activations that export where the native ones do not, or did not.

Each takes and returns a float tensor of the same shape unless it says otherwise, leaves its input
as it was, and can be traced and, `HardswishStatic` apart, scripted. TorchScript saves all of them
but the memory-efficient ones, for an autograd.Function stays Python. NaN gives NaN; each says what
it makes of ±inf and where it overflows, if it does. Use them as any `nn.Module`.

Source: the spellings of Hardswish, SiLU, Mish, FReLU and ACON follow the formulas of their papers
in the shape that ultralytics/yolov5 made known.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SiLUSigmoid(nn.Module):
    """x*sigmoid(x). +inf stays; -inf gives NaN, as 0*inf does in every runtime."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * torch.sigmoid(x)


class _SiLUFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate = torch.sigmoid(x)
        return gradient * gate * (1 + x * (1 - gate))


class MemoryEfficientSiLU(nn.Module):
    """x*sigmoid(x), recomputed in backward: saves only x, where `SiLUSigmoid` saves two tensors.

    So does `nn.SiLU`. +inf stays, -inf gives NaN.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return _SiLUFunction.apply(x)


class HardswishHardsigmoid(nn.Module):
    """x*hardsigmoid(x), which never overflows. +inf stays, -inf gives NaN."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * F.hardsigmoid(x)


class HardswishHardtanh(nn.Module):
    """x*hardtanh(x+3, 0, 6)/6; with `inplace` the hardtanh overwrites its own temporary.

    +inf stays, -inf gives NaN; inf, as `nn.Hardswish`, above a sixth of the largest finite number.
    """

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`, which is never changed."""
        return x * F.hardtanh(x + 3, 0.0, 6.0, inplace=self.inplace) / 6.0


class HardswishStatic(nn.Module):
    """x*hardtanh(x+3, 0, 6)/6 with a static `forward`: can be traced but not scripted.

    This is how the class looked in 2020, kept as evidence; use `HardswishHardtanh`, whose numbers
    are the same.

    Source: ultralytics/yolov5, utils/activations.py, from August 2020 on.
    """

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * F.hardtanh(x + 3, 0.0, 6.0) / 6.0


class HardswishReLU6(nn.Module):
    """x*relu6(x+3)/6. ±inf and overflow as `HardswishHardtanh`."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * F.relu6(x + 3) / 6.0


class HardsigmoidReLU6(nn.Module):
    """relu6(x+3)/6. +inf gives 1, -inf gives 0."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return F.relu6(x + 3) / 6.0


class MishSoftplus(nn.Module):
    """x*tanh(softplus(x)). +inf stays, -inf gives NaN."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * torch.tanh(F.softplus(x))


class _MishFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * torch.tanh(F.softplus(x))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        gate = torch.tanh(F.softplus(x))
        return gradient * (gate + x * torch.sigmoid(x) * (1 - gate * gate))


class MemoryEfficientMish(nn.Module):
    """x*tanh(softplus(x)), recomputed in backward: saves only x, where `MishSoftplus` saves more.

    So does `nn.Mish`. +inf stays, -inf gives NaN.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return _MishFunction.apply(x)


class GELUTanh(nn.Module):
    """GELU by tanh, u = sqrt(2/pi)*(x+0.044715*x^3), as x*sigmoid(2u). +inf stays, -inf gives NaN.

    x^2 is capped where the sigmoid has long saturated, so that nothing overflows. Below -5, where
    the native 1+tanh(u) has lost its digits, this keeps them.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        cubic = 1.0 + 0.044715 * torch.clamp(x * x, max=1000.0)
        return x * torch.sigmoid(2.0 * math.sqrt(2.0 / math.pi) * x * cubic)


class QuickGELU(nn.Module):
    """x*sigmoid(1.702*x). +inf stays, -inf gives NaN."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x * torch.sigmoid(1.702 * x)


class LogSigmoidSoftplus(nn.Module):
    """-softplus(-x): finite wherever x is, where log(sigmoid(x)) underflows.

    -inf stays, +inf gives -0. Below -20 softplus is linear, which float64 shows: 2e-9 off.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return -F.softplus(-x)


class LogSigmoidStable(nn.Module):
    """min(x,0) - log(1+exp(-|x|)): for targets without a stable softplus.

    -inf stays, +inf gives 0. The logarithm has absolute precision only: in float32 everything
    above 17 gives 0. min(x,0) is neither `clamp(max=0)`, for ONNX Runtime's Clip turns -inf into
    the lowest finite number, nor -relu(-x), for the gradient at 0 would be 0 in place of 1/2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        negative = torch.min(x, torch.zeros_like(x))
        return negative - torch.log(1.0 + torch.exp(-torch.abs(x)))


class SoftplusWhere(nn.Module):
    """x where beta*x > threshold, else softplus(beta*x)/beta, its exponent never overflowing.

    -inf gives 0, +inf stays. Thresholds above 20 act as 20, which only float64 shows: 2e-9 off.
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        scaled = x * self.beta
        smooth = F.softplus(scaled) / self.beta
        return torch.where(scaled > self.threshold, x, smooth)


class CELUElu(nn.Module):
    """alpha*elu(x/alpha). -inf gives -alpha, +inf stays.

    An alpha below 1 overflows above alpha times the largest finite number, where `nn.CELU` does
    not.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return self.alpha * F.elu(x / self.alpha)


class ThresholdWhere(nn.Module):
    """x above the threshold, else the value. -inf gives the value, +inf stays."""

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold = float(threshold)
        self.value = float(value)

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return torch.where(x <= self.threshold, torch.full_like(x, self.value), x)


class SoftshrinkClamp(nn.Module):
    """x - clamp(x, -lambd, lambd). ±inf stays; all within ±lambd gives +0."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return x - torch.clamp(x, -self.lambd, self.lambd)


class HardshrinkWhere(nn.Module):
    """0 where |x| <= lambd, else x. ±inf stays."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return torch.where(torch.abs(x) <= self.lambd, torch.zeros_like(x), x)


class RReLULeakyReLU(nn.Module):
    """RReLU as it is in eval: a leaky ReLU whose slope is the mean of the bounds. ±inf stays."""

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3) -> None:
        super().__init__()
        self.slope = (lower + upper) / 2

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return F.leaky_relu(x, self.slope)


class SquaredReLU(nn.Module):
    """max(x,0)^2. -inf gives 0, +inf stays; inf where the square overflows."""

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        positive = F.relu(x)
        return positive * positive


class Snake(nn.Module):
    """x + sin(a*x)^2/a. ±inf gives NaN."""

    def __init__(self, a: float = 1.0) -> None:
        super().__init__()
        self.a = a

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        wave = torch.sin(self.a * x)
        return x + wave * wave / self.a


class Squareplus(nn.Module):
    """(x + sqrt(x^2 + b))/2. +inf stays, -inf gives NaN; inf where x^2 overflows, on both sides."""

    def __init__(self, b: float = 4.0) -> None:
        super().__init__()
        self.b = b

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return (x + torch.sqrt(x * x + self.b)) * 0.5


class SwiGLU(nn.Module):
    """silu(a)*b of the halves a, b along `dim`, whose size is even and is halved."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        a, b = torch.chunk(x, 2, self.dim)
        return F.silu(a) * b


class GEGLU(nn.Module):
    """gelu(a)*b of the halves a, b along `dim`, whose size is even and is halved."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        a, b = torch.chunk(x, 2, self.dim)
        return F.gelu(a) * b


class ReGLU(nn.Module):
    """relu(a)*b of the halves a, b along `dim`, whose size is even and is halved."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        a, b = torch.chunk(x, 2, self.dim)
        return F.relu(a) * b


class FReLU(nn.Module):
    """max(x, BN(depthwise conv kxk(x))) for `x` of shape `(N, C, H, W)`."""

    def __init__(self, channels: int, kernel_size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels, bias=False
        )
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        return torch.max(x, self.bn(self.conv(x)))


class AconC(nn.Module):
    """(p1-p2)*x*sigmoid(beta*(p1-p2)*x) + p2*x with a learned p1, p2, beta a channel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.p1 = nn.Parameter(torch.randn(1, channels, 1, 1))
        self.p2 = nn.Parameter(torch.randn(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        difference = (self.p1 - self.p2) * x
        return difference * torch.sigmoid(self.beta * difference) + self.p2 * x


class MetaAconC(nn.Module):
    """ACON-C whose beta is sigmoid(fc2(fc1(mean of x over height and width)))."""

    def __init__(self, channels: int, reduction: int = 2) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.p1 = nn.Parameter(torch.randn(1, channels, 1, 1))
        self.p2 = nn.Parameter(torch.randn(1, channels, 1, 1))
        self.fc1 = nn.Conv2d(channels, hidden, 1)
        self.fc2 = nn.Conv2d(hidden, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        mean = x.mean(dim=2, keepdim=True).mean(dim=3, keepdim=True)
        beta = torch.sigmoid(self.fc2(self.fc1(mean)))
        difference = (self.p1 - self.p2) * x
        return difference * torch.sigmoid(beta * difference) + self.p2 * x


class LogSoftmaxShifted(nn.Module):
    """(x-m) - log(sum(exp(x-m))), m the largest of x along `dim`: no logarithm of an underflow.

    -inf stays; with a NaN or +inf all along `dim` is NaN, as in `nn.LogSoftmax`.
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        shifted = x - torch.amax(x, self.dim, keepdim=True)
        return shifted - torch.log(torch.sum(torch.exp(shifted), self.dim, keepdim=True))


class PReLURelu(nn.Module):
    """relu(x) - weight*relu(-x), a weight for each channel, `x` of shape `(N, C, ...)`.

    ±inf stays. Its gradient at 0 is 0, that of `nn.PReLU` is the weight.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((num_parameters,), init))

    def forward(self, x: Tensor) -> Tensor:
        """The activation of `x`."""
        weight = self.weight.reshape([-1] + [1] * (x.dim() - 2))
        return F.relu(x) - weight * F.relu(-x)
