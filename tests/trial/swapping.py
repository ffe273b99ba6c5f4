"""`make_exportable` on models of other people: `python -m tests.trial.swapping`."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import torch

import exportcheck
from tests.trial import behind_torchvision  # noqa: F401  # timm imports torchvision
from tests.trial.trying import SWAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Model(NamedTuple):
    """A model that has an activation which fails on `targets`."""

    name: str
    build: Callable[[], torch.nn.Module]
    targets: Sequence[str]


def _efficientnet() -> torch.nn.Module:
    from efficientnet_pytorch import EfficientNet

    return EfficientNet.from_name("efficientnet-b0")


def _mobilenet() -> torch.nn.Module:
    from pytorchcv.models.mobilenetv3 import mobilenetv3_small_w7d20

    return mobilenetv3_small_w7d20()


def _timm() -> torch.nn.Module:
    import timm
    from timm.layers.activations_me import HardSwishMe

    return timm.create_model("mobilenetv3_small_050", act_layer=HardSwishMe)


MODELS = (
    Model("efficientnet-pytorch's EfficientNet-B0", _efficientnet, ["torchscript-trace"]),
    Model("pytorchcv's MobileNetV3 small w7/20", _mobilenet, ["coreml-export-fp32"]),
    Model("timm's MobileNetV3 small 0.5 with HardSwishMe", _timm, ["torchscript-trace"]),
)


def row(one: Model) -> str:
    """What becomes of a model, as a row of the page's table."""
    torch.manual_seed(0)
    model = one.build().eval()
    example = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        before = model(example)
    failed = _outcome(model, example, one.targets)
    swaps = exportcheck.make_exportable(model, targets=one.targets, example_inputs=example)
    with torch.no_grad():
        apart = ((model(example) - before).abs().max() / before.abs().max()).item()
    passed = _outcome(model, example, one.targets)
    cells = (one.name, ", ".join(one.targets), failed, str(len(swaps)), f"{apart:.1g}", passed)
    return f"| {' | '.join(cells)} |"


def _outcome(model: torch.nn.Module, example: torch.Tensor, targets: Sequence[str]) -> str:
    report = exportcheck.check(model, example, targets=targets)
    return ", ".join(f"{r.status.value} at {r.stage.value}" for r in report.results)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    rows = [row(model) for model in MODELS]
    SWAPS.write_text("\n".join(rows) + "\n", "utf-8")
