"""Functions over a whole dimension: softmax and its kin."""

from __future__ import annotations

from exportcheck.catalog.interface import Activation


def _over(name: str, module: str, formula: str, dim: int) -> Activation:
    label = f"{name}-dim{dim}"
    return Activation(
        label,
        label,
        f"torch.nn.{module}",
        f"{formula} over dim {dim}",
        "torch.nn",
        {"dim": dim},
        reference=True,
        elementwise=False,
    )


def _shifted(dim: int) -> Activation:
    family = f"logsoftmax-dim{dim}"
    return Activation(
        f"{family}-shifted",
        family,
        "exportcheck.forms.LogSoftmaxShifted",
        f"(x-m)-log(sum(exp(x-m))) over dim {dim}, m=max(x)",
        "identity",
        {"dim": dim},
        "hand-written",
        elementwise=False,
    )


ACTIVATIONS = (
    *(_over("softmax", "Softmax", "exp(x)/sum(exp(x))", dim) for dim in (0, 1, -1)),
    *(_over("softmin", "Softmin", "exp(-x)/sum(exp(-x))", dim) for dim in (0, 1, -1)),
    *(_over("logsoftmax", "LogSoftmax", "x-log(sum(exp(x)))", dim) for dim in (0, 1, -1)),
    *(_shifted(dim) for dim in (0, 1, -1)),
    Activation(
        "softmax2d",
        "softmax2d",
        "torch.nn.Softmax2d",
        "exp(x)/sum(exp(x)) over channels",
        "torch.nn",
        reference=True,
        elementwise=False,
        networks=("bare", "conv"),
    ),
)
