"""Functions with learned parameters; eight channels, the width of every network here."""

from __future__ import annotations

from exportcheck.catalog.interface import Activation

_FORMS = "exportcheck.forms."
_ACON = "arXiv:2009.04759"
_IMAGE = ("bare", "conv")

ACTIVATIONS = (
    Activation(
        "prelu",
        "prelu",
        "torch.nn.PReLU",
        "x above 0, a*x below, one a",
        "arXiv:1502.01852",
        reference=True,
    ),
    Activation(
        "prelu-per-channel",
        "prelu-per-channel",
        "torch.nn.PReLU",
        "x above 0, a[c]*x below",
        "arXiv:1502.01852",
        {"num_parameters": 8},
        reference=True,
    ),
    Activation(
        "prelu-per-channel-relu",
        "prelu-per-channel",
        _FORMS + "PReLURelu",
        "relu(x)-a[c]*relu(-x)",
        "identity",
        {"num_parameters": 8},
        "hand-written",
    ),
    Activation(
        "frelu",
        "frelu",
        _FORMS + "FReLU",
        "max(x, BN(depthwise conv3x3(x)))",
        "arXiv:2007.11824",
        {"channels": 8},
        "hand-written",
        reference=True,
        elementwise=False,
        networks=_IMAGE,
    ),
    Activation(
        "acon-c",
        "acon-c",
        _FORMS + "AconC",
        "d*sigmoid(b*d)+p2*x, d=(p1-p2)*x",
        _ACON,
        {"channels": 8},
        "hand-written",
        reference=True,
        networks=_IMAGE,
    ),
    Activation(
        "meta-acon-c",
        "meta-acon-c",
        _FORMS + "MetaAconC",
        "d*sigmoid(b*d)+p2*x, d=(p1-p2)*x, b=sigmoid(fc2(fc1(mean(x))))",
        _ACON,
        {"channels": 8},
        "hand-written",
        reference=True,
        elementwise=False,
        networks=_IMAGE,
    ),
)
