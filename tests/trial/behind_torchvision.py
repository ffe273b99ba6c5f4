"""What is taken from packages that import a torchvision which was not built for this PyTorch.

Then torchvision's C++ operators do not load, and its import fails where it describes `nms` to
PyTorch. Declared beforehand, the operator exists, is never called, and the import goes through.
"""

from __future__ import annotations

import torch

try:
    for name in ("nms", "qnms"):
        torch.library.define(
            f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou) -> Tensor"
        )
except RuntimeError:  # a torchvision that fits has brought it
    pass

import timm.layers as timm
import timm.layers.activations_me as timm_me
from segmentation_models_pytorch.base import modules as smp
from segmentation_models_pytorch.decoders.deeplabv3 import decoder as deeplab
from segmentation_models_pytorch.decoders.pan import decoder as pan
from vit_pytorch import levit, max_vit, mobile_vit, simple_vit, vit
from vit_pytorch.cvt import LayerNorm as CvtLayerNorm

__all__ = [
    "CvtLayerNorm",
    "deeplab",
    "levit",
    "max_vit",
    "mobile_vit",
    "pan",
    "simple_vit",
    "smp",
    "timm",
    "timm_me",
    "vit",
]
