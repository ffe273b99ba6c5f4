"""Piecewise functions: a law changes at a knee."""

from __future__ import annotations

from exportcheck.catalog.interface import Activation

_NN = "torch.nn."
_FORMS = "exportcheck.forms."
_YOLO = "ultralytics/yolov5, utils/activations.py"
_HARDSWISH = "arXiv:1905.02244"
_KNEES = (-3.0, 0.0, 3.0)


def _hardswish(name: str, module: str, formula: str, form: str, **kwargs: bool) -> Activation:
    return Activation(
        name,
        "hardswish",
        module,
        formula,
        _HARDSWISH if form == "native" else _YOLO,
        dict(kwargs),
        form,
        reference=form == "native",
        knees=_KNEES,
    )


ACTIVATIONS = (
    _hardswish("hardswish", _NN + "Hardswish", "x*min(max(x+3,0),6)/6", "native"),
    _hardswish(
        "hardswish-inplace", _NN + "Hardswish", "x*min(max(x+3,0),6)/6", "in-place", inplace=True
    ),
    _hardswish(
        "hardswish-hardsigmoid", _FORMS + "HardswishHardsigmoid", "x*hardsigmoid(x)", "hand-written"
    ),
    _hardswish(
        "hardswish-hardtanh", _FORMS + "HardswishHardtanh", "x*hardtanh(x+3,0,6)/6", "hand-written"
    ),
    _hardswish(
        "hardswish-hardtanh-inplace",
        _FORMS + "HardswishHardtanh",
        "x*hardtanh(x+3,0,6)/6, the hardtanh in place",
        "hand-written",
        inplace=True,
    ),
    _hardswish(
        "hardswish-hardtanh-static",
        _FORMS + "HardswishStatic",
        "x*hardtanh(x+3,0,6)/6, forward a staticmethod",
        "hand-written",
    ),
    _hardswish("hardswish-relu6", _FORMS + "HardswishReLU6", "x*relu6(x+3)/6", "hand-written"),
    Activation(
        "hardsigmoid",
        "hardsigmoid",
        _NN + "Hardsigmoid",
        "min(max(x+3,0),6)/6",
        _HARDSWISH,
        reference=True,
        knees=_KNEES,
    ),
    Activation(
        "hardsigmoid-relu6",
        "hardsigmoid",
        _FORMS + "HardsigmoidReLU6",
        "relu6(x+3)/6",
        _HARDSWISH,
        form="hand-written",
        knees=_KNEES,
    ),
    Activation("relu", "relu", _NN + "ReLU", "max(x,0)", "torch.nn", reference=True),
    Activation(
        "relu-inplace", "relu", _NN + "ReLU", "max(x,0)", "torch.nn", {"inplace": True}, "in-place"
    ),
    Activation(
        "relu6",
        "relu6",
        _NN + "ReLU6",
        "min(max(x,0),6)",
        "torch.nn",
        reference=True,
        knees=(0.0, 6.0),
    ),
    Activation(
        "squared-relu",
        "squared-relu",
        _FORMS + "SquaredReLU",
        "max(x,0)^2",
        "arXiv:2109.08668",
        form="hand-written",
        reference=True,
    ),
    Activation(
        "leakyrelu",
        "leakyrelu",
        _NN + "LeakyReLU",
        "x above 0, x/100 below",
        "torch.nn",
        reference=True,
    ),
    Activation(
        "leakyrelu-0.1",
        "leakyrelu-0.1",
        _NN + "LeakyReLU",
        "x above 0, x/10 below",
        "torch.nn",
        {"negative_slope": 0.1},
        reference=True,
    ),
    Activation(
        "hardtanh",
        "hardtanh",
        _NN + "Hardtanh",
        "min(max(x,-1),1)",
        "torch.nn",
        reference=True,
        knees=(-1.0, 0.0, 1.0),
    ),
    Activation(
        "threshold-0.1-20",
        "threshold-0.1-20",
        _NN + "Threshold",
        "x above 0.1, else 20",
        "torch.nn",
        {"threshold": 0.1, "value": 20},
        reference=True,
        knees=(0.0, 0.1),
    ),
    Activation(
        "threshold-0.1-20-where",
        "threshold-0.1-20",
        _FORMS + "ThresholdWhere",
        "where(x <= 0.1, 20, x)",
        "torch.nn",
        {"threshold": 0.1, "value": 20.0},
        "hand-written",
        knees=(0.0, 0.1),
    ),
    Activation(
        "softshrink",
        "softshrink",
        _NN + "Softshrink",
        "x-0.5 above 0.5, x+0.5 below -0.5, else 0",
        "torch.nn",
        reference=True,
        knees=(-0.5, 0.0, 0.5),
    ),
    Activation(
        "softshrink-clamp",
        "softshrink",
        _FORMS + "SoftshrinkClamp",
        "x-clamp(x,-0.5,0.5)",
        "identity",
        form="hand-written",
        knees=(-0.5, 0.0, 0.5),
    ),
    Activation(
        "hardshrink",
        "hardshrink",
        _NN + "Hardshrink",
        "0 where |x| <= 0.5, else x",
        "torch.nn",
        reference=True,
        knees=(-0.5, 0.0, 0.5),
    ),
    Activation(
        "hardshrink-where",
        "hardshrink",
        _FORMS + "HardshrinkWhere",
        "where(|x| <= 0.5, 0, x)",
        "identity",
        form="hand-written",
        knees=(-0.5, 0.0, 0.5),
    ),
    Activation(
        "rrelu",
        "rrelu",
        _NN + "RReLU",
        "x above 0, x*(1/8+1/3)/2 below (eval)",
        "arXiv:1505.00853",
        reference=True,
    ),
    Activation(
        "rrelu-leakyrelu",
        "rrelu",
        _FORMS + "RReLULeakyReLU",
        "leaky_relu(x,(1/8+1/3)/2) (eval)",
        "arXiv:1505.00853",
        form="hand-written",
    ),
)
